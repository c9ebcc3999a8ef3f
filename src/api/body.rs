//! Bodies: read leniently as `v1.md 1.3` decides, and their members with their types.

use serde_json::{Map, Value};

use crate::domain::{Error, FieldError, Kind, Result, codec};

/// The media types of JSON bodies, for messages.
const ACCEPTED: &str =
    "application/json, application/vnd.api+json, application/x-www-form-urlencoded";

/// The most pairs of a form; no documented form has more than a dozen.
const FORM_PAIRS_MAX: usize = 100;

/// Parses a body by its declared type into the members of one object.
///
/// An empty body is an empty object. JSON types are strict. A missing type, a form and
/// plain text are looked into: `{` or `[` first means JSON, since curl labels JSON a
/// form (`v1.md 1.3`). Any other type is an error that names the accepted ones.
pub fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Map<String, Value>> {
    let trimmed = bytes.trim_ascii();
    if trimmed.is_empty() {
        return Ok(Map::new());
    }
    let media_type = content_type
        .map(|text| {
            text.split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        })
        .unwrap_or_default();
    let looks_like_json = matches!(trimmed.first(), Some(b'{' | b'['));
    match media_type.as_str() {
        "application/json" => object(trimmed),
        other if other.ends_with("+json") => object(trimmed),
        "" | "text/plain" | "application/x-www-form-urlencoded" if looks_like_json => {
            object(trimmed)
        }
        "application/x-www-form-urlencoded" => form(trimmed),
        "" | "text/plain" => Err(Error::new(Kind::Invalid, "the body is not JSON")),
        _ => Err(Error::new(
            Kind::Invalid,
            format!("this type of body is not read here; send one of {ACCEPTED}"),
        )),
    }
}

/// Parses JSON whose top must be an object.
fn object(bytes: &[u8]) -> Result<Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Error::new(Kind::Invalid, "the body must be a JSON object")),
        Err(fault) => Err(Error::new(
            Kind::Invalid,
            format!(
                "the body is not valid JSON (line {}, column {})",
                fault.line(),
                fault.column()
            ),
        )),
    }
}

/// Parses a form, whose values are texts; of one name the last counts.
fn form(bytes: &[u8]) -> Result<Map<String, Value>> {
    let pairs = codec::form::pairs(bytes, FORM_PAIRS_MAX)?.into_iter();
    Ok(pairs
        .map(|(name, value)| (name, Value::String(value)))
        .collect())
}

/// Reads the members of a body with their types and collects every fault.
///
/// `null` counts as absent. A handler reads all members, then asks [`Members::check`],
/// so a client hears of every fault at once.
pub struct Members<'a> {
    map: &'a Map<String, Value>,
    faults: Vec<FieldError>,
}

impl<'a> Members<'a> {
    /// Begins to read.
    pub fn new(map: &'a Map<String, Value>) -> Self {
        Self {
            map,
            faults: Vec::new(),
        }
    }

    /// Returns a member that may be missing.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Returns a text that may be missing; another type is a fault.
    pub fn text(&mut self, name: &str) -> Option<&'a str> {
        let value = self.value(name)?;
        if value.as_str().is_none() {
            self.fault(name, "must be a string");
        }
        value.as_str()
    }

    /// Returns a text that must be there.
    pub fn required_text(&mut self, name: &str) -> Option<&'a str> {
        if self.value(name).is_none() {
            self.fault(name, "is required");
        }
        self.text(name)
    }

    /// Returns an object that may be missing; another type is a fault.
    pub fn object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        let value = self.value(name)?;
        if value.as_object().is_none() {
            self.fault(name, "must be an object");
        }
        value.as_object()
    }

    /// Returns a list that may be missing; another type is a fault.
    pub fn list(&mut self, name: &str) -> Option<&'a Vec<Value>> {
        let value = self.value(name)?;
        if value.as_array().is_none() {
            self.fault(name, "must be a list");
        }
        value.as_array()
    }

    /// Notes a fault of a member.
    pub fn fault(&mut self, name: &str, message: &str) {
        self.faults.push(FieldError {
            field: name.to_owned(),
            message: message.to_owned(),
        });
    }

    /// Returns what the domain made of the members, or all faults of both at once: a
    /// member of the wrong type is told of once, by its type.
    pub fn and_check<T>(mut self, parsed: Result<T>) -> Result<T> {
        let value = match parsed {
            Err(error) if error.kind() == Kind::Invalid => {
                for fault in error.fields() {
                    if !self.faults.iter().any(|known| known.field == fault.field) {
                        self.faults.push(fault.clone());
                    }
                }
                None
            }
            Err(error) => return Err(error),
            Ok(value) => Some(value),
        };
        self.check()?;
        value.ok_or_else(|| Error::new(Kind::Invalid, "the body is not valid"))
    }

    /// Returns an error where a member read so far is at fault.
    pub fn check(self) -> Result<()> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(self.faults))
        }
    }
}
