//! The one test binary.
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "nothing reaches into a test binary"
)]

mod api;
mod ssh_key;
mod support;
