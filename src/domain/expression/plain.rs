//! Expressions that only read, join and arrange members: evaluated over the body as
//! it is.
//!
//! Whatever is not certain to give what the crate gives is left to the crate: an array
//! on the way, a fraction to be joined, a body that is no object.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep};
use serde_json::{Map, Number, Value};

/// Whole numbers above are written in another way by JavaScript, or not exactly.
const WRITTEN_MAX: u64 = 1_000_000_000_000_000;

/// The deepest expression that is evaluated here.
const DEPTH_MAX: usize = 32;

/// Only the crate knows.
pub(super) struct Unsure;

/// An expression without anything but members, constants, `&` and `{}`.
pub(super) enum Plain {
    Constant(Value),
    Path(Vec<String>),
    Joined(Vec<Plain>),
    Object(Vec<(String, Plain)>),
}

impl Plain {
    /// Reads a plain expression; `None` for any other.
    pub(super) fn of(ast: &AstNode) -> Option<Self> {
        Self::at(ast, 0)
    }

    /// Reads a part at a depth.
    fn at(ast: &AstNode, depth: usize) -> Option<Self> {
        if depth > DEPTH_MAX {
            return None;
        }
        match ast {
            AstNode::String(text) => Some(Self::Constant(Value::String(text.clone()))),
            AstNode::Number(number) => whole(*number).map(Self::Constant),
            AstNode::Boolean(is_true) => Some(Self::Constant(Value::Bool(*is_true))),
            AstNode::Null => Some(Self::Constant(Value::Null)),
            AstNode::Name(name) => Some(Self::Path(vec![name.clone()])),
            AstNode::Path { steps } => {
                let names: Option<Vec<String>> = steps.iter().map(name_of).collect();
                names.filter(|names| !names.is_empty()).map(Self::Path)
            }
            AstNode::Binary {
                op: BinaryOp::Concatenate,
                lhs,
                rhs,
            } => {
                let mut parts = match Self::at(lhs, depth + 1)? {
                    Self::Joined(parts) => parts,
                    other => vec![other],
                };
                parts.push(Self::at(rhs, depth + 1)?);
                Some(Self::Joined(parts))
            }
            AstNode::Object(pairs) => {
                let mut members = Vec::with_capacity(pairs.len());
                for (name, value) in pairs {
                    let AstNode::String(name) = name else {
                        return None;
                    };
                    // The crate says what is wrong with a name that stands twice.
                    if members.iter().any(|(known, _)| known == name) {
                        return None;
                    }
                    members.push((name.clone(), Self::at(value, depth + 1)?));
                }
                Some(Self::Object(members))
            }
            _ => None,
        }
    }

    /// Evaluates the expression; `None` where there is no value.
    pub(super) fn evaluate(&self, body: &Value) -> Result<Option<Value>, Unsure> {
        match self {
            Self::Constant(value) => Ok(Some(value.clone())),
            Self::Path(names) => Ok(resolve(names, body)?.cloned()),
            Self::Joined(parts) => {
                body.as_object().ok_or(Unsure)?;
                let mut text = String::new();
                for part in parts {
                    part.write(body, &mut text)?;
                }
                Ok(Some(Value::String(text)))
            }
            Self::Object(pairs) => {
                body.as_object().ok_or(Unsure)?;
                let mut members = Map::with_capacity(pairs.len());
                for (name, value) in pairs {
                    if let Some(value) = value.evaluate(body)? {
                        members.insert(name.clone(), value);
                    }
                }
                Ok(Some(Value::Object(members)))
            }
        }
    }

    /// Writes a part of a joined text.
    fn write(&self, body: &Value, text: &mut String) -> Result<(), Unsure> {
        let value = match self {
            Self::Constant(value) => Some(value),
            Self::Path(names) => resolve(names, body)?,
            Self::Joined(parts) => {
                return parts.iter().try_for_each(|part| part.write(body, text));
            }
            Self::Object(_) => return Err(Unsure),
        };
        match value {
            None => {}
            Some(Value::String(part)) => text.push_str(part),
            Some(Value::Bool(is_true)) => text.push_str(if *is_true { "true" } else { "false" }),
            Some(Value::Number(number)) if is_written_alike(number) => {
                text.push_str(&number.to_string());
            }
            Some(_) => return Err(Unsure),
        }
        Ok(())
    }
}

/// Tells whether a number is written as JavaScript writes it.
fn is_written_alike(number: &Number) -> bool {
    number
        .as_i64()
        .is_some_and(|number| number.unsigned_abs() < WRITTEN_MAX)
}

/// Returns a whole number as JSON.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "whole and below 10^15"
)]
fn whole(number: f64) -> Option<Value> {
    (number.fract() == 0.0 && number.abs() < WRITTEN_MAX as f64).then(|| Value::from(number as i64))
}

/// Returns the name of a step that is nothing but a name.
fn name_of(step: &PathStep) -> Option<String> {
    let is_bare = step.stages.is_empty()
        && step.focus.is_none()
        && step.index_var.is_none()
        && step.ancestor_label.is_none()
        && !step.is_tuple;
    match &step.node {
        AstNode::Name(name) if is_bare => Some(name.clone()),
        _ => None,
    }
}

/// Finds a member; unsure where an array makes it more than one.
fn resolve<'a>(names: &[String], body: &'a Value) -> Result<Option<&'a Value>, Unsure> {
    let mut at = body;
    for name in names {
        match at {
            Value::Object(members) => match members.get(name) {
                Some(value) => at = value,
                None => return Ok(None),
            },
            Value::Array(_) => return Err(Unsure),
            _ => return Ok(None),
        }
    }
    Ok(Some(at))
}
