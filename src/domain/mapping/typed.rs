//! Mappings in JSONata: an object of the target's form whose texts are expressions, or
//! one expression for the whole body.

use serde_json::{Map, Value};

use super::{DEPTH_MAX, below, refusal};
use crate::domain::expression::{EvaluationError, Expression, RESULT_MAX_BYTES, Root};

/// A part of the target.
#[derive(Clone, Debug)]
pub(super) enum Typed {
    Constant(Value),
    Expression {
        place: String,
        expression: Expression,
    },
    Object(Vec<(String, Typed)>),
    Array(Vec<Typed>),
}

impl Typed {
    /// Reads a mapping.
    pub(super) fn parse(mapper: &Value) -> Result<Self, Vec<(String, String)>> {
        let mut faults = Vec::new();
        let typed = read(mapper, "", 0, &mut faults);
        if !mapper.is_object() && !mapper.is_string() {
            faults.push((
                String::new(),
                "must be an object or an expression".to_owned(),
            ));
        }
        if faults.is_empty() {
            Ok(typed)
        } else {
            Err(faults)
        }
    }

    /// Tells whether an expression of it may read the passthrough.
    pub(super) fn reads_passthrough(&self) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Expression { expression, .. } => expression.reads_passthrough(),
            Self::Object(members) => members.iter().any(|(_, part)| part.reads_passthrough()),
            Self::Array(items) => items.iter().any(Self::reads_passthrough),
        }
    }

    /// Makes the body; where the whole has no value it is an empty object.
    pub(super) fn apply(&self, root: &Root<'_>) -> Result<Value, EvaluationError> {
        let mut left_bytes = RESULT_MAX_BYTES;
        let body = self.evaluate(root, &mut left_bytes)?;
        Ok(body.unwrap_or_else(|| Value::Object(Map::new())))
    }

    /// Evaluates a part.
    fn evaluate(
        &self,
        root: &Root<'_>,
        left_bytes: &mut usize,
    ) -> Result<Option<Value>, EvaluationError> {
        match self {
            Self::Constant(value) => Ok(Some(value.clone())),
            Self::Expression { place, expression } => {
                let found = expression.evaluate_over(root);
                let found = found.map_err(|error| at_place(place, error))?;
                if let Some(value) = &found {
                    *left_bytes = left_bytes
                        .checked_sub(weight(value))
                        .ok_or_else(too_large)?;
                }
                Ok(found)
            }
            Self::Object(members) => {
                let mut made = Map::with_capacity(members.len());
                for (name, part) in members {
                    if let Some(value) = part.evaluate(root, left_bytes)? {
                        made.insert(name.clone(), value);
                    }
                }
                Ok(Some(Value::Object(made)))
            }
            Self::Array(items) => {
                let mut made = Vec::with_capacity(items.len());
                for item in items {
                    made.extend(item.evaluate(root, left_bytes)?);
                }
                Ok(Some(Value::Array(made)))
            }
        }
    }
}

/// Names the target of an error.
fn at_place(place: &str, error: EvaluationError) -> EvaluationError {
    if place.is_empty() {
        return error;
    }
    EvaluationError {
        message: format!("{place}: {}", error.message),
        ..error
    }
}

/// Says that a body is too large.
fn too_large() -> EvaluationError {
    refusal(format!(
        "The mapped body is larger than {RESULT_MAX_BYTES} bytes"
    ))
}

/// Returns about how many bytes a value has as JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 2,
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + 4 + weight(value))
            .sum(),
        _ => 4,
    }
}

/// Reads a part.
fn read(value: &Value, place: &str, depth: usize, faults: &mut Vec<(String, String)>) -> Typed {
    if depth > DEPTH_MAX {
        faults.push((place.to_owned(), "is nested too deep".to_owned()));
        return Typed::Constant(Value::Null);
    }
    match value {
        Value::String(text) => match Expression::parse(text) {
            Ok(expression) => Typed::Expression {
                place: place.to_owned(),
                expression,
            },
            Err(reason) => {
                faults.push((
                    place.to_owned(),
                    format!("is no JSONata expression: {reason}"),
                ));
                Typed::Constant(Value::Null)
            }
        },
        Value::Object(members) => Typed::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let part = read(value, &below(place, name), depth + 1, faults);
                    (name.clone(), part)
                })
                .collect(),
        ),
        Value::Array(items) => Typed::Array(
            items
                .iter()
                .enumerate()
                .map(|(at, value)| read(value, &below(place, &at.to_string()), depth + 1, faults))
                .collect(),
        ),
        other => Typed::Constant(other.clone()),
    }
}
