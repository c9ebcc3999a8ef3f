//! API v2: JSON:API over the same verbs, one file a resource, wire shapes only (`v2.md`).
//!
//! A resource declares its type, what its routes take and which parameters of the query
//! they know ([`crate::api::shape`]); [`input`] and [`query`] read by that, and
//! [`document`] writes. Adding a resource is a file, a line in [`routes`] and one in
//! [`TYPES`].

pub mod api_key;
pub mod component;
pub mod credential;
pub mod data_sample;
pub mod document;
mod exec;
pub mod execution;
pub mod flow;
pub mod input;
pub mod invite;
pub mod lookup;
pub mod organization;
pub mod query;
pub mod queue_stats;
pub mod recipe;
mod resource;
mod scope;
pub mod snapshot;
pub mod ssh_key;
mod storage;
pub mod team;
pub mod user;
pub mod version;
mod written;

use super::route::Route;
use super::shape::ResourceType;

/// All types of resources that v2 serves.
pub const TYPES: &[&ResourceType] = &[
    &api_key::API_KEY,
    &component::COMPONENT,
    &component::ENV,
    &credential::CREDENTIAL,
    &data_sample::DATA_SAMPLE,
    &exec::EXECUTION_RESULT,
    &execution::EXECUTION,
    &execution::STEP,
    &execution::LOG_ENTRY,
    &flow::FLOW,
    &invite::INVITE,
    &lookup::LOOKUP,
    &organization::MEMBER,
    &organization::ORGANIZATION,
    &queue_stats::QUEUE_STATS,
    &recipe::RECIPE,
    &snapshot::SNAPSHOT,
    &self::ssh_key::SSH_KEY,
    &team::TEAM,
    &user::USER,
    &version::DESCRIPTOR,
    &version::VERSION,
];

/// Returns all routes of v2.
pub fn routes() -> Vec<Route> {
    let groups: &[&[Route]] = &[
        api_key::ROUTES,
        component::ROUTES,
        credential::ROUTES,
        data_sample::ROUTES,
        exec::ROUTES,
        execution::ROUTES,
        flow::ROUTES,
        invite::ROUTES,
        lookup::ROUTES,
        organization::ROUTES,
        queue_stats::ROUTES,
        recipe::ROUTES,
        snapshot::ROUTES,
        self::ssh_key::ROUTES,
        storage::ROUTES,
        team::ROUTES,
        user::ROUTES,
        version::ROUTES,
    ];
    groups.concat()
}
