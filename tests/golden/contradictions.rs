//! What the sources disagree on, and what was decided (`v1.md 5`), by number.
//!
//! Numbers 13, 14 and 15 are about executions, which need what runs flows; the half of
//! number 20 about `/sailor-support` does, too.

mod sending;
mod shapes;
