//! The API over real sockets.

mod accounts;
mod common;
mod matrix;
mod ops;
mod recipes;
mod storage;
mod tasks;
mod users;
mod v2_guests;
mod v2_lookups;
mod v2_organizations;
mod v2_rules;
mod v2_samples;
mod v2_ssh_keys;
