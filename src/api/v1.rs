//! API v1: one file a resource, wire shapes only (`v1.md`).

pub mod user;

use super::route::Route;

/// Returns all routes of v1.
pub fn routes() -> Vec<Route> {
    let groups: [&[Route]; 1] = [user::ROUTES];
    groups.concat()
}
