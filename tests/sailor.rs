//! Real sailors, from npm, run components of our own in both styles, in processes of a
//! real server.
//!
//! Where Node with npm is missing these tests fail and say so.

mod acceptance;
mod behaviour;
mod components;
mod crash;
mod hooks;
mod hostile;
pub mod house;
mod platform;
mod pushed;
