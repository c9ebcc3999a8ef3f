//! Git: real clients against a real server.

mod build;
mod folder;
mod given;
mod http;
mod ssh;
