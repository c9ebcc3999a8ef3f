//! Errors on the wire: kinds to statuses here, bodies in each version.

use serde_json::{Value, json};

use super::v2::document;
use super::version::Version;
use crate::domain::{Error, Kind};

/// Returns the status of a kind of error; v1 has no 409 and no 422 (`v1.md 1.5`).
pub fn status_of(version: Version, kind: Kind) -> u16 {
    match kind {
        Kind::Conflict if version == Version::V2 => 409,
        Kind::Invalid | Kind::Conflict => 400,
        Kind::Unauthenticated => 401,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::Gone => 410,
        Kind::Outdated => 412,
        Kind::TooLarge => 413,
        Kind::TooMany => 429,
        Kind::Internal => 500,
        Kind::Unavailable => 503,
    }
}

/// Returns the body of an error.
pub fn body_of(version: Version, error: &Error) -> Value {
    match version {
        Version::V1 => body_v1(error),
        Version::V2 => document::of_error(status_of(version, error.kind()), error),
    }
}

/// Returns the body of a failure of the protocol, which no kind of error stands for.
pub fn failure(version: Version, status: u16, slug: &str, message: &str) -> Value {
    match version {
        Version::V1 => json!({ "message": message }),
        Version::V2 => document::of_failure(status, slug, message),
    }
}

/// Returns the body of an error in v1: `{"message"}`, with `errors` where fields are at
/// fault.
fn body_v1(error: &Error) -> Value {
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
