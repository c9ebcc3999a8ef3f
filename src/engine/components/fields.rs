//! Reads the fields of steps and the members of messages, which come as clients send
//! them: a number as text, a checkbox as `on`, an object as JSON text.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::domain::run::Failure;

/// The fields of a step with the keys of its credential.
pub(in crate::engine) type Fields = Map<String, Value>;

/// Tells whether a checkbox is on (`runtime.md 1.4`).
pub(super) fn is_on(fields: &Fields, name: &str) -> bool {
    match fields.get(name) {
        Some(Value::Bool(on)) => *on,
        Some(Value::String(word)) => matches!(word.as_str(), "on" | "true"),
        _ => false,
    }
}

/// Returns a text that says something; blanks and other types are none.
pub(in crate::engine) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let text = fields.get(name)?.as_str()?;
    (!text.trim().is_empty()).then_some(text)
}

/// Returns a text of a message that must be there; numbers are taken as text.
pub(super) fn required<'a>(fields: &'a Fields, name: &str) -> Result<Cow<'a, str>, Failure> {
    match fields.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(Cow::Borrowed(text)),
        Some(Value::Number(number)) => Ok(Cow::Owned(number.to_string())),
        None | Some(Value::Null | Value::String(_)) => {
            Err(Failure::new(format!("`{name}` is required")))
        }
        Some(_) => Err(Failure::new(format!("`{name}` must be a text"))),
    }
}

/// Returns a whole number within limits, given as a number or as text; none where the
/// field is empty.
pub(super) fn whole(
    fields: &Fields,
    name: &str,
    least: u64,
    most: u64,
) -> Result<Option<u64>, Failure> {
    let number = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Number(number)) => whole_of(number),
        Some(_) => None,
    };
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(Failure::new(format!(
            "`{name}` must be a whole number from {least} to {most}"
        ))),
    }
}

/// Returns a number that is whole, however it was written: expressions make `2.0`.
fn whole_of(number: &serde_json::Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        // Written without its fraction it is the text of a whole number or none.
        (float.fract() == 0.0)
            .then(|| format!("{float:.0}").parse().ok())
            .flatten()
    })
}

/// Returns an object, given as one or as its JSON text; none where the field is empty.
pub(in crate::engine) fn object<'a>(
    fields: &'a Fields,
    name: &str,
) -> Result<Option<Cow<'a, Fields>>, Failure> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(Cow::Borrowed(members))),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(members)) => Ok(Some(Cow::Owned(members))),
            // The text may hold a password, so nothing of it is quoted.
            _ => Err(Failure::new(format!(
                "`{name}` must be an object, or its JSON text"
            ))),
        },
        Some(_) => Err(Failure::new(format!("`{name}` must be an object"))),
    }
}

/// Returns the members of a message's body, which must be an object.
pub(super) fn members(body: &Value) -> Result<&Fields, Failure> {
    body.as_object()
        .ok_or_else(|| Failure::new("The body of the message must be an object"))
}

/// Checks that texts stand two levels deep, such as `auth.basic.username`.
pub(super) fn require_members(
    object: &Fields,
    place: &str,
    needed: &[(&str, &str)],
) -> Result<(), Failure> {
    for (part, name) in needed {
        let members = object.get(*part).and_then(Value::as_object);
        if members.and_then(|members| text(members, name)).is_none() {
            return Err(Failure::new(format!("`{place}.{part}.{name}` is required")));
        }
    }
    Ok(())
}

/// Returns a value as text: a text as it is, everything else as JSON.
pub(super) fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Returns the answer about a credential: that it works, or why it does not.
pub(super) fn verdict(checked: &Result<(), Failure>) -> Value {
    match checked {
        Ok(()) => json!({ "verified": true }),
        Err(failure) => json!({ "verified": false, "reason": failure.message }),
    }
}

/// Tells whether JavaScript takes a value for true, as the platform's components do.
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}
