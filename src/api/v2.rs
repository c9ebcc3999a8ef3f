//! API v2: JSON:API over the same verbs, one file a resource, wire shapes only (`v2.md`).
//!
//! A resource declares its type, what its routes take and which parameters of the query
//! they know ([`crate::api::shape`]); [`input`] and [`query`] read by that, and
//! [`document`] writes. Adding a resource is a file, a line in [`routes`] and one in
//! [`TYPES`].

pub mod document;
pub mod input;
mod pages;
pub mod query;
pub mod ssh_key;
mod storage;

use super::route::Route;
use super::shape::ResourceType;

/// All types of resources that v2 serves.
pub const TYPES: &[&ResourceType] = &[&self::ssh_key::SSH_KEY];

/// Returns all routes of v2.
pub fn routes() -> Vec<Route> {
    let groups: [&[Route]; 2] = [self::ssh_key::ROUTES, storage::ROUTES];
    groups.concat()
}
