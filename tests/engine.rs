//! The engine, room by room.

mod board;
mod components;
mod limits;
mod running;
mod schedule;
mod script;
mod simulator;
