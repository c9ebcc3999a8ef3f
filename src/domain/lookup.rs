//! Lookups: tables of values that mappers read (`v2.md 4.5`).

use serde_json::{Map, Value};

use super::error::{Error, FieldError, Result};
use super::id::LookupId;
use super::organization::Owner;
use super::text;

/// The largest table, as JSON: some ten thousand pairs, and a quarter of a body.
pub const LOOKUP_MAX_BYTES: usize = 256 * 1024;

/// A lookup.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The id.
    pub id: LookupId,
    /// Whose it is.
    pub owner: Owner,
    /// What it is called; mappers may name it so.
    pub title: String,
    /// The table.
    pub data: Map<String, Value>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// A change of a lookup, checked; what is missing stays.
#[derive(Clone, Debug, Default)]
pub struct LookupChange {
    /// What it is called.
    pub title: Option<String>,
    /// The table, which replaces the old one as a whole.
    pub data: Option<Map<String, Value>>,
}

impl LookupChange {
    /// Checks what is given and reports every fault at once.
    pub fn parse(title: Option<&str>, data: Option<Map<String, Value>>) -> Result<Self> {
        let mut faults = Vec::new();
        let title = title.and_then(|title| match text::name("title", title) {
            Ok(title) => Some(title),
            Err(error) => {
                faults.extend_from_slice(error.fields());
                None
            }
        });
        if data.as_ref().is_some_and(is_too_large) {
            faults.push(FieldError {
                field: "data".to_owned(),
                message: format!("must have at most {LOOKUP_MAX_BYTES} bytes as JSON"),
            });
        }
        if faults.is_empty() {
            Ok(Self { title, data })
        } else {
            Err(Error::invalid_fields(faults))
        }
    }
}

/// A lookup to be made, checked; both members are needed.
#[derive(Clone, Debug)]
pub struct NewLookup {
    /// What it is called.
    pub title: String,
    /// The table.
    pub data: Map<String, Value>,
}

impl NewLookup {
    /// Checks a lookup that is made or replaced, and reports every fault at once.
    pub fn parse(title: Option<&str>, data: Option<Map<String, Value>>) -> Result<Self> {
        let mut faults: Vec<FieldError> = [("title", title.is_none()), ("data", data.is_none())]
            .into_iter()
            .filter(|(_, is_missing)| *is_missing)
            .map(|(field, _)| FieldError {
                field: field.to_owned(),
                message: "is required".to_owned(),
            })
            .collect();
        match LookupChange::parse(title, data) {
            Ok(LookupChange {
                title: Some(title),
                data: Some(data),
            }) => Ok(Self { title, data }),
            Ok(_) => Err(Error::invalid_fields(faults)),
            Err(error) => {
                faults.extend_from_slice(error.fields());
                Err(Error::invalid_fields(faults))
            }
        }
    }
}

/// Tells whether a table is over its limit.
fn is_too_large(data: &Map<String, Value>) -> bool {
    serde_json::to_vec(data).is_ok_and(|json| json.len() > LOOKUP_MAX_BYTES)
}
