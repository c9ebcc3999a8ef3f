//! Paths of templates, such as `orders[*].lines[0].sku`, and the way along them.

use std::collections::HashMap;

use serde_json::{Number, Value};

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    /// `[*]`: every element, as a bare array says it too.
    Each,
}

/// A path from the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

/// Which element of each array is taken, by the array's path.
pub(super) type Indexes = HashMap<String, usize>;

/// Where a path leads.
pub(super) enum Found<'a> {
    Value(&'a Value),
    Nothing,
    /// An array without an index: its path and its length.
    Array(String, usize),
}

impl Path {
    /// Reads a path; `None` for what is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text
            .strip_prefix("this.")
            .or_else(|| text.strip_prefix("./"))
            .unwrap_or(text);
        if text == "this" || text == "." {
            return Some(Self(Vec::new()));
        }
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (name, after) = inner.split_once(']')?;
                match name.trim() {
                    "*" => steps.push(Step::Each),
                    "" => return None,
                    name => steps.push(Step::Name(name.trim_matches(['"', '\'']).to_owned())),
                }
                rest = after;
            } else {
                let end = rest.find(['.', '[', '/']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                let is_name = !name.is_empty()
                    && !name.contains(|c: char| {
                        c.is_whitespace() || "!\"#%&'()*+,;<=>@\\]^`{|}~".contains(c)
                    });
                if !is_name {
                    return None;
                }
                steps.push(Step::Name(name.to_owned()));
                rest = after;
            }
            if let Some(after) = rest.strip_prefix(['.', '/']) {
                if after.is_empty() {
                    return None;
                }
                rest = after;
            }
        }
        (!steps.is_empty()).then_some(Self(steps))
    }

    /// Follows the path, taking the elements of the indexes.
    pub(super) fn find<'a>(&self, body: &'a Value, indexes: &Indexes) -> Found<'a> {
        let mut at = body;
        let mut place = String::new();
        for step in &self.0 {
            // An index in the path takes one element, and nothing is split.
            if let (Step::Name(name), Value::Array(items)) = (step, at)
                && let Ok(index) = name.parse::<usize>()
            {
                let Some(item) = items.get(index) else {
                    return Found::Nothing;
                };
                at = item;
                push(&mut place, name);
                continue;
            }
            match element(at, &mut place, indexes) {
                Found::Value(value) => at = value,
                other => return other,
            }
            if let Step::Name(name) = step {
                match at.get(name) {
                    Some(value) => at = value,
                    None => return Found::Nothing,
                }
                push(&mut place, name);
            }
        }
        element(at, &mut place, indexes)
    }

    /// Follows the path to an array as a whole.
    pub(super) fn find_whole<'a>(&self, body: &'a Value, indexes: &Indexes) -> Found<'a> {
        match self.find(body, indexes) {
            Found::Array(..) => match self.0.split_last() {
                Some((Step::Each, before)) => Self(before.to_vec()).whole(body, indexes),
                _ => self.whole(body, indexes),
            },
            other => other,
        }
    }

    /// Follows the path, with no element taken of what is at its end.
    fn whole<'a>(&self, body: &'a Value, indexes: &Indexes) -> Found<'a> {
        let Some((last, before)) = self.0.split_last() else {
            return Found::Value(body);
        };
        match (Self(before.to_vec()).find(body, indexes), last) {
            (Found::Value(value), Step::Name(name)) => {
                value.get(name).map_or(Found::Nothing, Found::Value)
            }
            (other, _) => other,
        }
    }

    /// Tells whether the path says `[*]`.
    pub(super) fn says_each(&self) -> bool {
        self.0.contains(&Step::Each)
    }
}

/// Takes the elements of arrays until there is none more.
fn element<'a>(mut at: &'a Value, place: &mut String, indexes: &Indexes) -> Found<'a> {
    while let Value::Array(items) = at {
        let Some(&index) = indexes.get(place.as_str()) else {
            return Found::Array(place.clone(), items.len());
        };
        let Some(item) = items.get(index) else {
            return Found::Nothing;
        };
        at = item;
        push(place, "[*]");
    }
    Found::Value(at)
}

/// Adds a step to a place.
fn push(place: &mut String, name: &str) {
    place.push('.');
    place.push_str(name);
}

/// Returns a value as a template writes it: nothing for null, JSON for objects, numbers
/// as JavaScript writes them.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(number),
        other => other.to_string(),
    }
}

/// Writes a number as JavaScript does. Integers of JSON stay exact, also those beyond
/// 2^53, which JavaScript would round: they are ids.
pub(super) fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_text(float),
        _ => number.to_string(),
    }
}

/// Writes a floating-point number as JavaScript does: whole ones without a fraction, with
/// an exponent only far from 1.
pub(super) fn float_text(float: f64) -> String {
    /// Numbers from here on have an exponent, in JavaScript.
    const EXPONENT_FROM: f64 = 1e21;
    /// Numbers below this have one, too.
    const EXPONENT_BELOW: f64 = 1e-6;
    let size = float.abs();
    if size == 0.0 {
        // JavaScript writes no minus before zero.
        return "0".to_owned();
    }
    if (EXPONENT_BELOW..EXPONENT_FROM).contains(&size) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}
