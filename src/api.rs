//! Wire shapes: requests in, verbs called, answers out. Touches no store.
//!
//! [`dispatch`] is the walk that every request takes; `v1` and `v2` hold one file a
//! resource and never import each other; `ops` is health and metrics.

pub mod body;
pub mod call;
pub mod dispatch;
pub mod docs;
pub mod error;
pub mod git;
pub mod hook;
pub mod openapi;
pub mod ops;
pub mod pages;
pub mod route;
pub mod shape;
pub mod shared;
pub mod storage;
pub mod v1;
pub mod v2;
pub mod version;

use route::Route;

/// Returns all routes of the server.
pub fn routes() -> Vec<Route> {
    let mut routes = docs::ROUTES.to_vec();
    routes.extend_from_slice(openapi::ROUTES);
    routes.extend_from_slice(ops::ROUTES);
    routes.extend_from_slice(hook::ROUTES);
    routes.extend_from_slice(git::ROUTES);
    routes.extend_from_slice(storage::ROUTES);
    routes.extend(v1::routes());
    routes.extend(v2::routes());
    routes
}
