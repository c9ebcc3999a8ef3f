//! The API over real sockets.

mod accounts;
mod common;
mod matrix;
mod ops;
mod recipes;
mod storage;
mod tasks;
mod users;
mod v2_rules;
mod v2_ssh_keys;
