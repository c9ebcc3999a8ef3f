//! What tests stand on: real installations, real servers on loopback, actors.

pub mod actor;
pub mod installation;

pub use actor::{Actor, Answer};
pub use installation::{Installation, TestServer};
