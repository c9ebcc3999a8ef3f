//! Elastane: an elastic.io-compatible integration platform as one synchronous
//! binary over one SQLite file. ARCHITECTURE.md tells where things live and why.

pub mod amqp;
pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod domain;
pub mod engine;
pub mod git;
pub mod http;
pub mod sandbox;
pub mod server;
pub mod store;
pub mod thread;
