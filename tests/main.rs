//! The one test binary.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should panic")]

mod api;
mod support;
