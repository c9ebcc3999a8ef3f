//! Values of JSON as values of the crate and back, without a text in between.

use jsonata_core::value::{JMap, JValue};
use serde_json::{Map, Number, Value};

use super::{EvaluationError, moment};

/// The largest result as JSON, in bytes: what a message may have (`runtime.md 4.9`).
pub(in crate::domain) const RESULT_MAX_BYTES: usize = 10 * 1024 * 1024;

/// The deepest result. `serde_json` reads 128 levels, and a message has to be read
/// again after it was stored, inside an envelope.
const RESULT_MAX_DEPTH: usize = 100;

/// Whole numbers below are exact in JavaScript's one type of numbers.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Returns a value of JSON as one of the crate.
pub(super) fn to_jsonata(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(is_true) => JValue::Bool(*is_true),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(to_jsonata).collect()),
        Value::Object(members) => members_to_jsonata(members),
    }
}

/// Returns the members of an object as an object of the crate.
pub(super) fn members_to_jsonata(members: &Map<String, Value>) -> JValue {
    let members: JMap = members
        .iter()
        .map(|(name, value)| (name.clone(), to_jsonata(value)))
        .collect();
    JValue::Object(members.into())
}

/// Returns a result of the crate as JSON; `None` for undefined.
pub(super) fn from_jsonata(value: &JValue) -> Result<Option<Value>, EvaluationError> {
    if value.is_undefined() {
        return Ok(None);
    }
    let mut reader = Reader {
        left_bytes: RESULT_MAX_BYTES,
    };
    reader.read(value, 0).map(Some)
}

/// Reads results within the limits. One value may stand in a result many times over,
/// so a small program can make a result that no memory holds.
struct Reader {
    left_bytes: usize,
}

impl Reader {
    /// Takes bytes from what is left.
    fn take(&mut self, bytes: usize) -> Result<(), EvaluationError> {
        match self.left_bytes.checked_sub(bytes) {
            Some(left) => {
                self.left_bytes = left;
                Ok(())
            }
            None => Err(EvaluationError::expression(format!(
                "The result is larger than {RESULT_MAX_BYTES} bytes"
            ))),
        }
    }

    /// Reads a value at a depth.
    fn read(&mut self, value: &JValue, depth: usize) -> Result<Value, EvaluationError> {
        if depth > RESULT_MAX_DEPTH {
            return Err(EvaluationError::expression(format!(
                "The result is nested deeper than {RESULT_MAX_DEPTH} levels"
            )));
        }
        // A comma and the shortest value.
        self.take(2)?;
        Ok(match value {
            JValue::Null | JValue::Undefined => Value::Null,
            JValue::Bool(is_true) => Value::Bool(*is_true),
            JValue::Number(number) => number_of(*number)?,
            JValue::String(text) => {
                self.take(text.len())?;
                Value::String(text.as_ref().to_owned())
            }
            JValue::Array(items) => {
                let mut read = Vec::with_capacity(items.len().min(self.left_bytes));
                for item in items {
                    read.push(self.read(item, depth + 1)?);
                }
                Value::Array(read)
            }
            JValue::Object(members) => {
                if let Some(text) = moment::text_of(value) {
                    return Ok(Value::String(text));
                }
                let mut read = Map::with_capacity(members.len());
                for (name, value) in members.as_ref() {
                    self.take(name.len() + 3)?;
                    read.insert(name.clone(), self.read(value, depth + 1)?);
                }
                Value::Object(read)
            }
            JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => {
                return Err(EvaluationError::expression(
                    "The result is a function, which is no value of a message",
                ));
            }
        })
    }
}

/// Returns a number of JSON: whole ones without a fraction.
#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
fn number_of(number: f64) -> Result<Value, EvaluationError> {
    if number.fract() == 0.0 && number.abs() < EXACT_MAX {
        return Ok(Value::from(number as i64));
    }
    match Number::from_f64(number) {
        Some(number) => Ok(Value::Number(number)),
        None => Err(EvaluationError::expression(
            "The result is a number that JSON does not have",
        )),
    }
}
