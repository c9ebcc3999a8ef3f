//! What things are and what is allowed: pure types and rules, no I/O, no clock.

pub mod error;
pub mod id;
