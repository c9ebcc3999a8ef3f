//! Errors on the wire: kinds to statuses here, bodies in each version.

use serde_json::{Value, json};

use crate::domain::{Error, Kind};

/// Returns the status of a kind of error in v1 (`v1.md 1.5`: no 409 and no 422).
pub fn status_v1(kind: Kind) -> u16 {
    match kind {
        Kind::Invalid | Kind::Conflict => 400,
        Kind::Unauthenticated => 401,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::Gone => 410,
        Kind::TooLarge => 413,
        Kind::TooMany => 429,
        Kind::Internal => 500,
        Kind::Unavailable => 503,
    }
}

/// Returns the body of an error in v1: `{"message"}`, with `errors` where fields are at
/// fault.
pub fn body_v1(error: &Error) -> Value {
    let fields: Vec<Value> = error
        .fields()
        .iter()
        .map(|fault| json!({ "field": fault.field, "message": fault.message }))
        .collect();
    if fields.is_empty() {
        json!({ "message": error.message() })
    } else {
        json!({ "message": error.message(), "errors": fields })
    }
}
