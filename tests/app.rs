//! The verbs, over real databases.

#![allow(clippy::unwrap_used, reason = "what a test can't do without stops it")]

mod audit;
mod builtin;
mod component;
mod credential;
mod declared_recipe;
mod env_var;
mod execution;
mod figures;
mod flow;
mod flow_list;
mod flow_transfer;
mod given;
mod invite;
mod large_body;
mod list;
mod mask;
mod organization;
mod recipe;
mod retention;
mod snapshot;
mod ssh_key;
mod team;
