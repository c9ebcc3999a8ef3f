//! The verbs, over real databases.

#![allow(clippy::unwrap_used, reason = "what a test can't do without stops it")]

mod audit;
mod builtin;
mod component;
mod credential;
mod declared_recipe;
mod env_var;
mod flow;
mod flow_list;
mod flow_transfer;
mod given;
mod organization;
mod recipe;
mod ssh_key;
mod team;
