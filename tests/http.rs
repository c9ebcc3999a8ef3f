//! The http room over real sockets, with a small handler above it.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod body;
mod exhaustion;
mod framing;
mod handling;
mod limits;
mod overload;
mod stop;
pub(crate) mod support;
mod unix;
