//! Keys, passwords, limits, requests that leave: what a stranger must not get past.

#![allow(clippy::unwrap_used, reason = "what a test can't do without stops it")]

mod ids;
mod key_file;
mod limits;
mod outgoing;
mod password;
mod sign_in_cache;
mod step_request;
mod vault;
