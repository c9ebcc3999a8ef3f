//! The API over real sockets.

mod accounts;
mod common;
mod matrix;
mod ops;
mod recipes;
mod tasks;
mod users;
