//! The engine, room by room.

mod board;
mod components;
mod schedule;
mod script;
mod simulator;
