//! The console: keys in, model and commands out; screens as snapshots; every size.

#![allow(clippy::unwrap_used, reason = "what a test can't do without stops it")]

mod given;
mod keys;
mod live;
mod screens;
mod terminal;
