//! Real sailors, from npm, run components of our own in both styles, in processes of a
//! real server.
//!
//! Where Node with npm is missing these tests fail and say so.

mod acceptance;
mod behaviour;
mod hostile;
pub mod house;
