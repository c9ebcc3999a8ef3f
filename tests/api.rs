//! The API over real sockets.

mod accounts;
mod common;
mod exec;
mod hook;
mod matrix;
mod openapi;
mod ops;
mod recipes;
mod storage;
mod tasks;
mod users;
mod v2_components;
mod v2_exec;
mod v2_executions;
mod v2_flows;
mod v2_guests;
mod v2_lookups;
mod v2_organizations;
mod v2_retries;
mod v2_rules;
mod v2_samples;
mod v2_ssh_keys;
mod v2_teams;
mod v2_users;
mod v2_views;
