//! Tables of fields, read as JSON: what headers and properties of clients are.
//!
//! Numbers of every width become numbers, times their seconds, byte arrays texts. A
//! table in a table is an object; how deep they nest is bounded, since a client may send
//! one before it has signed in.

use serde_json::{Map, Number, Value};

use super::fault::Fault;
use super::wire::{Reader, Writer};

/// How deep tables and lists may nest: RabbitMQ's own headers (`x-death`) need three.
pub const DEPTH_MAX: usize = 16;

/// Reads a table: a length of four bytes, then names and values.
pub fn read(bytes: &[u8]) -> Result<Map<String, Value>, Fault> {
    let mut reader = Reader::new(bytes);
    let table = take(&mut reader)?;
    if reader.is_at_end() {
        Ok(table)
    } else {
        Err(Fault::malformed("bytes follow a table"))
    }
}

/// Takes a table from a frame.
pub(super) fn take(reader: &mut Reader<'_>) -> Result<Map<String, Value>, Fault> {
    table(reader, 0)
}

/// Takes a table at a depth.
fn table(reader: &mut Reader<'_>, depth: usize) -> Result<Map<String, Value>, Fault> {
    let mut inner = nested(reader, depth)?;
    let mut members = Map::new();
    while !inner.is_at_end() {
        let name = inner.short_text()?;
        let value = field(&mut inner, depth)?;
        members.insert(name, value);
    }
    Ok(members)
}

/// Takes the bytes of a table or a list, where it is not too deep.
fn nested<'a>(reader: &mut Reader<'a>, depth: usize) -> Result<Reader<'a>, Fault> {
    if depth >= DEPTH_MAX {
        return Err(Fault::malformed("tables nest too deep"));
    }
    reader.long_text().map(Reader::new)
}

/// Takes a value: a letter that says its kind, then itself.
fn field(reader: &mut Reader<'_>, depth: usize) -> Result<Value, Fault> {
    Ok(match reader.octet()? {
        b't' => Value::from(reader.octet()? != 0),
        b'b' => Value::from(i8::from_be_bytes(reader.array()?)),
        b'B' => Value::from(reader.octet()?),
        b's' => Value::from(i16::from_be_bytes(reader.array()?)),
        b'u' => Value::from(reader.short()?),
        b'I' => Value::from(i32::from_be_bytes(reader.array()?)),
        b'i' => Value::from(reader.long()?),
        b'l' | b'L' => Value::from(i64::from_be_bytes(reader.array()?)),
        b'T' => Value::from(reader.long_long()?),
        b'f' => number(f64::from(f32::from_be_bytes(reader.array()?))),
        b'd' => number(f64::from_be_bytes(reader.array()?)),
        b'D' => {
            let scale = i32::from(reader.octet()?);
            number(f64::from(i32::from_be_bytes(reader.array()?)) / 10f64.powi(scale))
        }
        b'S' | b'x' => Value::from(String::from_utf8_lossy(reader.long_text()?)),
        b'A' => {
            let mut inner = nested(reader, depth + 1)?;
            let mut items = Vec::new();
            while !inner.is_at_end() {
                items.push(field(&mut inner, depth + 1)?);
            }
            Value::Array(items)
        }
        b'F' => Value::Object(table(reader, depth + 1)?),
        b'V' => Value::Null,
        _ => return Err(Fault::malformed("a table holds a value of unknown kind")),
    })
}

/// Returns a number; what JSON has none for is null.
fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Writes a table.
pub fn write(members: &Map<String, Value>) -> Vec<u8> {
    let mut inner = Writer::default();
    for (name, value) in members {
        inner = write_field(inner.short_text(name), value);
    }
    Writer::default()
        .long_text(&inner.into_bytes())
        .into_bytes()
}

/// Adds a value with the letter that says its kind.
fn write_field(writer: Writer, value: &Value) -> Writer {
    match value {
        Value::Null => writer.octet(b'V'),
        Value::Bool(is_so) => writer.octet(b't').octet(u8::from(*is_so)),
        Value::Number(number) => {
            if let Some(whole) = number.as_i64() {
                writer.octet(b'l').raw(&whole.to_be_bytes())
            } else {
                let value = number.as_f64().unwrap_or(0.0);
                writer.octet(b'd').raw(&value.to_be_bytes())
            }
        }
        Value::String(text) => writer.octet(b'S').long_text(text.as_bytes()),
        Value::Array(items) => {
            let inner = items.iter().fold(Writer::default(), write_field);
            writer.octet(b'A').long_text(&inner.into_bytes())
        }
        Value::Object(members) => writer.octet(b'F').raw(&write(members)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_reads_the_same() {
        let value = json!({
            "text": "Grüße", "yes": true, "no": false, "null": null, "whole": -7,
            "broken": 0.5, "list": [1, "two", {"three": []}], "object": {"a": {"b": {}}},
        });
        let members = value.as_object().expect("an object");
        assert_eq!(read(&write(members)).as_ref(), Ok(members));
    }

    #[test]
    fn tables_that_nest_too_deep_are_refused() {
        let mut value = json!({});
        for _ in 0..DEPTH_MAX - 1 {
            value = json!({ "a": value });
        }
        let bytes = |value: &Value| write(value.as_object().expect("an object"));
        assert!(read(&bytes(&value)).is_ok());
        assert!(read(&bytes(&json!({ "a": value }))).is_err());
    }

    #[test]
    fn every_cut_table_is_refused() {
        let value = json!({ "a": [1, { "b": "text" }], "c": 0.25 });
        let bytes = write(value.as_object().expect("an object"));
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
