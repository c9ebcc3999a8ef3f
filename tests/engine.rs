//! The engine, room by room.

mod components;
mod script;
mod simulator;
