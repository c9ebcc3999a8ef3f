//! What things are and what is allowed, without a database.

mod accounts;
mod chain;
mod codec;
mod cron;
mod declared_recipe;
mod email;
mod expression;
mod graph;
mod listing;
mod mapping;
mod organization;
mod part;
mod recipe_folder;
mod slug;

use elastane::domain::{Kind, Result};

/// Asserts that something is invalid and returns the fields at fault.
#[track_caller]
fn fields_of<T>(result: Result<T>) -> Vec<String> {
    let Err(error) = result else {
        panic!("it was accepted");
    };
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    error
        .fields()
        .iter()
        .map(|fault| fault.field.clone())
        .collect()
}
