//! Data samples: examples of what a trigger or an action answers (`v2.md 4.3`).

use serde_json::Value;

use super::error::{Error, Result};
use super::id::{ComponentId, DataSampleId};
use super::organization::Owner;
use super::text;

/// The largest result, as JSON: a page of a large API, and a quarter of a body.
pub const RESULT_MAX_BYTES: usize = 256 * 1024;

/// The word for the newest build, which is stored and shown as it is.
pub const LATEST: &str = "latest";

/// A data sample.
#[derive(Clone, Debug)]
pub struct DataSample {
    /// The id.
    pub id: DataSampleId,
    /// Whose it is.
    pub owner: Owner,
    /// The component that it is of.
    pub component: ComponentId,
    /// A revision of it, or `latest`.
    pub component_version: String,
    /// The name of the trigger or action.
    pub method: String,
    /// What it answered.
    pub result: Value,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// A data sample to be made.
#[derive(Clone, Debug)]
pub struct NewDataSample {
    /// The component that it is of.
    pub component: ComponentId,
    /// A revision of it, or `latest`.
    pub component_version: String,
    /// The name of the trigger or action.
    pub method: String,
    /// What it answered.
    pub result: Value,
}

/// A change of a data sample; what is missing stays.
#[derive(Clone, Debug, Default)]
pub struct DataSampleChange {
    /// The name of the trigger or action.
    pub method: Option<String>,
    /// What it answered.
    pub result: Option<Value>,
}

/// Checks the name of a trigger or an action.
pub fn method(text: &str) -> Result<String> {
    text::name("method", text)
}

/// Checks the size of a result.
pub fn check_result(result: &Value) -> Result<()> {
    if result.to_string().len() > RESULT_MAX_BYTES {
        return Err(Error::invalid(
            "result",
            format!("must have at most {RESULT_MAX_BYTES} bytes as JSON"),
        ));
    }
    Ok(())
}
