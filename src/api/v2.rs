//! API v2: JSON:API over the same verbs, one file a resource, wire shapes only (`v2.md`).
//!
//! A resource declares its type, what its routes take and which parameters of the query
//! they know ([`crate::api::shape`]); [`input`] and [`query`] read by that, and
//! [`document`] writes. Adding a resource is a file, a line in [`routes`] and one in
//! [`TYPES`].

pub mod data_sample;
pub mod document;
pub mod input;
pub mod invite;
pub mod lookup;
pub mod organization;
mod pages;
pub mod query;
mod scope;
pub mod ssh_key;
mod storage;

use super::route::Route;
use super::shape::ResourceType;

/// All types of resources that v2 serves.
pub const TYPES: &[&ResourceType] = &[
    &data_sample::DATA_SAMPLE,
    &invite::INVITE,
    &lookup::LOOKUP,
    &organization::MEMBER,
    &organization::ORGANIZATION,
    &self::ssh_key::SSH_KEY,
];

/// Returns all routes of v2.
pub fn routes() -> Vec<Route> {
    let groups: [&[Route]; 6] = [
        data_sample::ROUTES,
        invite::ROUTES,
        lookup::ROUTES,
        organization::ROUTES,
        self::ssh_key::ROUTES,
        storage::ROUTES,
    ];
    groups.concat()
}
