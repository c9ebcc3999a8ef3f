//! The console: keys in, model and commands out; screens as snapshots; every size.

#![allow(clippy::unwrap_used, reason = "what a test can't do without stops it")]

mod beside;
mod deeds;
mod given;
mod keys;
mod live;
mod panes;
mod runs;
mod screens;
mod terminal;
