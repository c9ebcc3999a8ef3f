//! API v1: one file a resource, wire shapes only (`v1.md`).

pub mod component;
pub mod credential;
mod exec;
pub mod flow;
pub mod recipe;
pub mod repo;
pub mod ssh_key;
mod step;
mod storage;
pub mod team;
pub mod user;

use super::route::Route;

/// Returns all routes of v1.
pub fn routes() -> Vec<Route> {
    let groups: [&[Route]; 11] = [
        component::ROUTES,
        credential::ROUTES,
        exec::ROUTES,
        flow::ROUTES,
        recipe::ROUTES,
        repo::ROUTES,
        self::ssh_key::ROUTES,
        step::ROUTES,
        storage::ROUTES,
        team::ROUTES,
        user::ROUTES,
    ];
    groups.concat()
}
