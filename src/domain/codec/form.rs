//! Forms: `application/x-www-form-urlencoded` to pairs and to an object.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::malformed;
use crate::domain::Result;

/// The most pairs of a form: far more than any page has, few enough to stay small.
pub const PAIRS_MAX: usize = 10_000;

/// Returns the pairs of a form in their order, at most `most` of them.
///
/// `+` is a blank, `%xx` a byte, and the bytes of a name or value are UTF-8. A `%`
/// without two hex digits is refused: what it meant can only be guessed.
pub fn pairs(bytes: &[u8], most: usize) -> Result<Vec<(String, String)>> {
    let broken = || malformed("the body is not a well-formed form in UTF-8");
    let mut found = Vec::new();
    for pair in bytes.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        if found.len() >= most {
            return Err(malformed(format!(
                "the form has more than {most} names and values"
            )));
        }
        let end = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = match end {
            Some(end) => (&pair[..end], &pair[end + 1..]),
            None => (pair, &[][..]),
        };
        let name = decode(name).ok_or_else(broken)?;
        let value = decode(value).ok_or_else(broken)?;
        found.push((name, value));
    }
    Ok(found)
}

/// Turns a form into an object: a name that occurs once has its text, one that occurs
/// more often has a list of them (`runtime.md 4.5`).
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>> {
    Ok(gathered(pairs(bytes, PAIRS_MAX)?))
}

/// Gathers pairs into an object, as [`object`] does; queries and fields of multipart
/// bodies follow the same rule.
pub fn gathered(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    let mut order: Vec<(String, Vec<Value>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (name, value) in pairs {
        let value = Value::String(value);
        if let Some(place) = places.get(&name) {
            order[*place].1.push(value);
        } else {
            places.insert(name.clone(), order.len());
            order.push((name, vec![value]));
        }
    }
    let one_or_list = |mut values: Vec<Value>| match values.len() {
        1 => values.swap_remove(0),
        _ => Value::Array(values),
    };
    let members = order.into_iter();
    members
        .map(|(name, values)| (name, one_or_list(values)))
        .collect()
}

/// Decodes one name or value of a form.
fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let high = char::from(*rest.next()?).to_digit(16)?;
                let low = char::from(*rest.next()?).to_digit(16)?;
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}
