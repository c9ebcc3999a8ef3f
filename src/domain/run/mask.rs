//! Keeps secrets out of what people see of runs: by the names of members and of queries,
//! and by the values of the credentials and of the secret fields that a flow uses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::domain::object::PATH;

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

/// Names of users, without case and separators: HTTP Basic sends one joined with a secret
/// of the same object, which hides both from whoever looks for either.
const NAMES_OF_USERS: [&str; 5] = ["username", "user", "login", "email", "clientid"];

/// The member of a credential that names the header which carries its key
/// (`builtin-components.md`).
const HEADER_NAME: &str = "headerName";

/// The member beside it that is the key.
const HEADER_VALUE: &str = "headerValue";

/// Masks secrets. It holds them, so it has no `Debug`.
#[derive(Default)]
pub struct Mask {
    /// The longest first: one may be part of another.
    values: Vec<String>,
    /// The headers that credentials name, without case and separators.
    headers: Vec<String>,
    /// Such headers as JSON writes them, with a key that is too short to be found alone,
    /// and what stands in their place.
    short_headers: Vec<(String, String)>,
}

impl Mask {
    /// Makes a mask for the keys of these credentials and for these values, besides the
    /// names that look secret.
    pub fn of<'a>(
        credentials: impl IntoIterator<Item = &'a Map<String, Value>>,
        values: impl IntoIterator<Item = &'a Value>,
    ) -> Self {
        let mut mask = Self::default();
        for keys in credentials {
            mask.add_keys(keys);
        }
        for value in values {
            collect(value, &mut mask.values);
        }
        mask.values
            .sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        mask.values.dedup();
        mask
    }

    /// Adds the keys of a credential, or an object among them.
    fn add_keys(&mut self, keys: &Map<String, Value>) {
        for (name, value) in keys {
            match value {
                Value::Object(members) => self.add_keys(members),
                Value::Array(list) => {
                    for entry in list {
                        match entry {
                            Value::Object(members) => self.add_keys(members),
                            other => collect(other, &mut self.values),
                        }
                    }
                }
                // The name of a header is no secret, and every message has it.
                _ if name == HEADER_NAME => {}
                other => collect(other, &mut self.values),
            }
            if let Value::String(user) = value
                && NAMES_OF_USERS.contains(&bare(name).as_str())
            {
                self.add_basic(user, keys);
            }
        }
        if let Some(Value::String(header)) = keys.get(HEADER_NAME) {
            self.add_header(header, keys.get(HEADER_VALUE).and_then(Value::as_str));
        }
    }

    /// Adds what HTTP Basic makes of a user and the secrets of the same object.
    fn add_basic(&mut self, user: &str, keys: &Map<String, Value>) {
        for (name, value) in keys {
            if let Value::String(secret) = value
                && looks_secret(name)
            {
                self.values
                    .push(STANDARD.encode(format!("{user}:{secret}")));
            }
        }
    }

    /// Adds a header that carries a key.
    fn add_header(&mut self, header: &str, key: Option<&str>) {
        let name = bare(header);
        if name.is_empty() {
            return;
        }
        self.headers.push(name);
        if let Some(key) = key.filter(|key| !key.is_empty() && !is_long(key)) {
            // Headers of calls that come in are in lower case.
            for name in [header.to_owned(), header.to_lowercase()] {
                let name = Value::String(name);
                self.short_headers.push((
                    format!("{name}:{}", Value::from(key)),
                    format!("{name}:\"{MASKED}\""),
                ));
            }
        }
    }

    /// Masks a text: every value of a credential or secret field in it, and what queries
    /// in it say under names that look secret.
    pub fn text(&self, text: &mut String) {
        // What is longer than the text is not in it, and most texts are short.
        let from = self
            .values
            .partition_point(|value| value.len() > text.len());
        for value in &self.values[from..] {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), MASKED);
            }
        }
        for (header, masked) in &self.short_headers {
            if text.contains(header.as_str()) {
                *text = text.replace(header.as_str(), masked);
            }
        }
        mask_queries(text);
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
                    if says && self.is_secret(name) {
                        *member = MASKED.into();
                    } else {
                        self.value(member);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Tells whether the name of a member says that its value is a secret.
    fn is_secret(&self, name: &str) -> bool {
        looks_secret(name) || (!self.headers.is_empty() && self.headers.contains(&bare(name)))
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

/// Collects the members of a value whose names look secret, as deep as they are.
pub fn secret_members<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|entry| secret_members(entry, into)),
        Value::Object(members) => {
            for (name, member) in members {
                if looks_secret(name) {
                    into.push(member);
                } else {
                    secret_members(member, into);
                }
            }
        }
        _ => {}
    }
}

/// Masks what the queries of URLs in a text say under names that look secret; but for the
/// token of a stored object. Its URL is what an attachment is, it expires, and whoever sees
/// the run may see its files.
fn mask_queries(text: &mut String) {
    let mut out = String::new();
    let mut rest = text.as_str();
    let mut masked_any = false;
    while let Some(at) = rest.find(['?', '&']) {
        let is_stored = names_object(&rest[..at]);
        out.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.[]%".contains(c);
        let name = rest
            .find(|c| !is_of_name(c))
            .map_or(rest, |end| &rest[..end]);
        let Some(value) = rest[name.len()..].strip_prefix('=') else {
            continue;
        };
        let ends_value = |c: char| c.is_whitespace() || "&#\"'\\<>".contains(c);
        let end = value.find(ends_value).unwrap_or(value.len());
        if end > 0 && looks_secret(name) && !is_stored {
            masked_any = true;
            out.push_str(name);
            out.push('=');
            out.push_str(MASKED);
            rest = &value[end..];
        }
    }
    if masked_any {
        out.push_str(rest);
        *text = out;
    }
}

/// Tells whether a text ends with the path of a stored object.
fn names_object(text: &str) -> bool {
    let id = text.rsplit_once(PATH).map(|(_, id)| id);
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Tells whether a value is long enough to be masked wherever it stands.
fn is_long(text: &str) -> bool {
    text.chars().nth(VALUE_MIN_CHARS - 1).is_some()
}

/// Collects the texts of a value that are long enough.
fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if is_long(text) => into.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|entry| collect(entry, into)),
        Value::Object(members) => members.values().for_each(|entry| collect(entry, into)),
        _ => {}
    }
}

/// Tells whether the name of a member says that its value is a secret.
fn looks_secret(name: &str) -> bool {
    let bare = bare(name);
    NAMES.contains(&bare.as_str()) || PARTS_OF_NAMES.iter().any(|part| bare.contains(part))
}

/// Returns a name without case and separators.
fn bare(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}
