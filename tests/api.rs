//! The API over real sockets.

mod common;
mod matrix;
mod users;
