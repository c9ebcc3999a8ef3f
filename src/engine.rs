//! The engine: a started flow really runs, message by message, step by step.
//!
//! Modules here use the domain and the application's verbs; none knows SQL or the
//! HTTP server. The smaller ones are plain libraries, with time and data as arguments.

pub mod component;
pub mod components;
pub mod script;
