//! Environment variables of components (`v1.md 3.4`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{Error, FieldError, Result};

/// The most variables of one component: the platform's own components have under 20.
pub const ENV_VARS_MAX: usize = 200;

/// The longest name: far beyond any in use, short enough for every shell.
pub const ENV_NAME_MAX_BYTES: usize = 128;

/// The longest value: half of what Linux allows one string of a process (128 KiB).
pub const ENV_VALUE_MAX_BYTES: usize = 64 * 1024;

/// The prefix of the runtime's own variables, which nobody else may set.
const RESERVED_PREFIX: &str = "ELASTICIO_";

/// A change of variables: each name with its new value, or with none to remove it.
pub type EnvChange = BTreeMap<String, Option<String>>;

/// Reads a change from a map of names: strings as they are, numbers and truth values
/// as text, `null` for removal; anything else is an error that names the variable.
pub fn parse_change(map: &Map<String, Value>) -> Result<EnvChange> {
    let mut change = EnvChange::new();
    let mut faults = Vec::new();
    for (name, value) in map {
        match (check_name(name), check_value(value)) {
            (Ok(()), Ok(value)) => {
                change.insert(name.clone(), value);
            }
            (Err(message), _) | (_, Err(message)) => faults.push(FieldError {
                field: name.clone(),
                message: message.to_owned(),
            }),
        }
    }
    if faults.is_empty() {
        Ok(change)
    } else {
        Err(Error::invalid_fields(faults))
    }
}

/// Says what is wrong with a name.
fn check_name(name: &str) -> Result<(), &'static str> {
    let mut chars = name.chars();
    let head = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !head || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("is not a name of a variable: letters, digits and _ only, not a digit first");
    }
    if name.starts_with(RESERVED_PREFIX) {
        return Err("begins with ELASTICIO_, which is reserved for the runtime");
    }
    if name.len() > ENV_NAME_MAX_BYTES {
        return Err("is too long a name");
    }
    Ok(())
}

/// Returns the text of a value, none for `null`, or says what is wrong with it.
fn check_value(value: &Value) -> Result<Option<String>, &'static str> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Array(_) | Value::Object(_) => {
            return Err("must be a string, a number, a boolean or null");
        }
    };
    if text.contains('\0') {
        return Err("must not have a NUL character");
    }
    if text.len() > ENV_VALUE_MAX_BYTES {
        return Err("has too long a value");
    }
    Ok(Some(text))
}
