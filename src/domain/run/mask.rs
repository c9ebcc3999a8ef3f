//! Keeps secrets out of what people see of runs: by the names of members, and by the
//! values of the credentials that a flow uses.

use serde_json::{Map, Value};

/// What stands in the place of a secret.
pub const MASKED: &str = "***";

/// The shortest value of a credential that is masked: shorter ones, such as `true` or a
/// port, stand everywhere and mean nothing.
const VALUE_MIN_CHARS: usize = 6;

/// What makes a name look secret wherever it stands in it, without case and separators.
const PARTS_OF_NAMES: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
];

/// Names that are secret as a whole, without case and separators.
const NAMES: [&str; 5] = ["pwd", "pin", "cookie", "setcookie", "xeiosignature"];

/// Masks secrets. It holds them, so it has no `Debug`.
#[derive(Default)]
pub struct Mask {
    /// The longest first: one may be part of another.
    values: Vec<String>,
}

impl Mask {
    /// Makes a mask for the keys of these credentials, besides the names that look secret.
    pub fn of_keys<'a>(credentials: impl IntoIterator<Item = &'a Map<String, Value>>) -> Self {
        let mut values = Vec::new();
        for keys in credentials {
            for value in keys.values() {
                collect(value, &mut values);
            }
        }
        values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Self { values }
    }

    /// Masks a text: every value of a credential in it.
    pub fn text(&self, text: &mut String) {
        for value in &self.values {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), MASKED);
            }
        }
    }

    /// Masks a value: members with a name that looks secret, and every text in it.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(list) => list.iter_mut().for_each(|entry| self.value(entry)),
            Value::Object(members) => {
                for (name, member) in members {
                    // What says nothing or only yes or no is no secret.
                    let says = !matches!(member, Value::Null | Value::Bool(_));
                    if says && looks_secret(name) {
                        *member = MASKED.into();
                    } else {
                        self.value(member);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Puts back what was masked: where `edited` says what the masked `original` says, it
    /// gets what the original says. So a message can be edited and sent without its
    /// secrets having been shown.
    pub fn restore(&self, edited: &mut Value, original: &Value) {
        let mut masked = original.clone();
        self.value(&mut masked);
        restore(edited, &masked, original);
    }
}

/// Puts back one value and what is in it.
fn restore(edited: &mut Value, masked: &Value, original: &Value) {
    if edited == masked {
        edited.clone_from(original);
        return;
    }
    match (edited, masked, original) {
        (Value::Object(edited), Value::Object(masked), Value::Object(original)) => {
            for (name, value) in edited {
                if let (Some(masked), Some(original)) = (masked.get(name), original.get(name)) {
                    restore(value, masked, original);
                }
            }
        }
        (Value::Array(edited), Value::Array(masked), Value::Array(original)) => {
            for ((value, masked), original) in edited.iter_mut().zip(masked).zip(original) {
                restore(value, masked, original);
            }
        }
        _ => {}
    }
}

/// Collects the texts of a credential that are long enough.
fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.chars().count() >= VALUE_MIN_CHARS => into.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|entry| collect(entry, into)),
        Value::Object(members) => members.values().for_each(|entry| collect(entry, into)),
        _ => {}
    }
}

/// Tells whether the name of a member says that its value is a secret.
fn looks_secret(name: &str) -> bool {
    let bare: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    NAMES.contains(&bare.as_str()) || PARTS_OF_NAMES.iter().any(|part| bare.contains(part))
}
