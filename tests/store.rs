//! The store: real files, real threads, real crashes.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

mod backup;
mod batch;
mod crash;
mod opening;
mod reading;
mod schema;
mod support;
mod upkeep;
