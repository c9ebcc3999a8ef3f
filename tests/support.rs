//! What tests stand on: real installations, real servers on loopback, actors.

pub mod actor;
pub mod history;
pub mod installation;
pub mod json_api;
pub mod organization;
pub mod programs;
pub mod running;
pub mod served;

pub use actor::{Actor, Answer};
pub use installation::{Installation, TestServer};
pub use served::Served;
