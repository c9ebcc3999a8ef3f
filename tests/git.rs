//! Git: real clients against a real server.

mod given;
mod http;
