//! Git: real clients against a real server.

mod build;
mod given;
mod http;
mod ssh;
