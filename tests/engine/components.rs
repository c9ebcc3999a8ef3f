//! The built-in components, called as the engine calls them.

mod bench;
mod connectors;
mod plain;
