//! The built-in components, called as the engine calls them.

mod bench;
mod connectors;
mod email;
mod expressions;
mod groups;
mod http;
mod plain;
mod registry;
pub mod server;
