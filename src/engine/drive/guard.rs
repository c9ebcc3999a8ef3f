//! What stands between a call and the driver.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Map, Value};

use crate::domain::run::Failure;

/// Runs what is not ours to trust; a panic in it is the step's failure, and the worker
/// lives.
pub(super) fn guarded<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        tracing::error!("a step panicked");
        Err(Failure::named(
            "InternalError",
            "the step failed in a way that it should not",
        ))
    })
}

/// Merges members into a snapshot; one that is no object is replaced.
pub(in crate::engine) fn merge(state: &mut Value, delta: Map<String, Value>) {
    match state {
        Value::Object(members) => members.extend(delta),
        other => *other = Value::Object(delta),
    }
}
