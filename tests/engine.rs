//! The engine, room by room.

mod board;
pub mod components;
mod limits;
mod running;
mod schedule;
mod script;
mod simulator;
mod stopping;
mod trouble;
