//! The verbs, over real databases.

#![allow(clippy::unwrap_used, reason = "what a test can't do without stops it")]

mod builtin;
mod component;
mod env_var;
mod given;
mod ssh_key;
mod team;
