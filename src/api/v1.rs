//! API v1: one file a resource, wire shapes only (`v1.md`).

pub mod component;
mod pages;
pub mod repo;
pub mod ssh_key;
pub mod team;
pub mod user;

use super::route::Route;

/// Returns all routes of v1.
pub fn routes() -> Vec<Route> {
    let groups: [&[Route]; 5] = [
        component::ROUTES,
        repo::ROUTES,
        self::ssh_key::ROUTES,
        team::ROUTES,
        user::ROUTES,
    ];
    groups.concat()
}
