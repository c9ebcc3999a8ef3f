//! The API over real sockets.

mod common;
mod users;
