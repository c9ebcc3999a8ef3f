//! Git: real clients against a real server.

mod build;
mod doors;
mod folder;
pub mod given;
mod http;
mod killed;
mod limits;
mod ssh;
