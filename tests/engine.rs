//! The engine, room by room.

mod script;
