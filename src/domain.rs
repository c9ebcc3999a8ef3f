//! What things are and what is allowed: pure types and rules, no I/O, no clock.

pub mod api_key;
pub mod audit;
pub mod codec;
pub mod component;
pub mod credential;
pub mod data_sample;
pub mod env_var;
pub mod error;
pub mod expression;
pub mod figures;
pub mod flow;
pub mod id;
pub mod listing;
pub mod lookup;
pub mod mail;
pub mod mapping;
pub mod object;
pub mod organization;
pub mod page;
pub mod principal;
pub mod recipe;
pub mod run;
pub mod scheduled_execution;
pub mod slug;
pub mod ssh_key;
pub mod team;
pub mod text;
pub mod tombstone;
pub mod user;

pub use error::{Error, FieldError, Kind, Result};
