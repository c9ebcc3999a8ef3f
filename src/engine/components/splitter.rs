//! `elasticio/splitter`: one message becomes many, and many become one.

mod path;
mod reassemble;

use serde_json::Value;

use super::fields::{self, Fields};
use super::formula;
use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "splitter",
    functions: &[
        Function::new("split", Nature::Pure, split).checked_by(check_path),
        Function::new(
            "splitOnJsonataExpression",
            Nature::Pure,
            split_on_expression,
        )
        .checked_by(|cfg: &Fields| formula::check(cfg, "expression")),
        Function::new("reassemble", Nature::Queued, reassemble::process)
            .checked_by(reassemble::check)
            .serial()
            .with_meta_model(reassemble::meta_model),
    ],
    verify: None,
};

/// Emits one message for each element of the array at a path; `$` is the body itself.
fn split(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let path = fields::text(work.cfg, "splitter")
        .unwrap_or_default()
        .trim();
    let found = match path {
        "$" => Some(&work.message.body),
        path => path::find(&work.message.body, path),
    };
    let Some(found) = found.filter(|found| fields::is_truthy(found)) else {
        return Err(Failure::new(format!(
            "Could not find properties by following path: \"{path}\"!"
        )));
    };
    emit_elements(found, emitter)
}

/// Emits one message for each element of the array that an expression gives.
fn split_on_expression(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let text = fields::text(work.cfg, "expression")
        .ok_or_else(|| Failure::new("`expression` is required"))?;
    let value = formula::evaluated(work, text)?;
    emit_elements(&value.unwrap_or_default(), emitter)
}

/// Emits the elements of an array of objects; an object alone is one element, since an
/// expression makes no difference between it and an array of it.
fn emit_elements(value: &Value, emitter: &mut Emitter) -> Result<(), Failure> {
    let is_structure = |value: &Value| value.is_object() || value.is_array();
    match value {
        Value::Array(elements) if elements.iter().all(is_structure) => elements
            .iter()
            .try_for_each(|element| emitter.body(element.clone())),
        Value::Object(_) => emitter.body(value.clone()),
        _ => Err(Failure::new("Splitting arrays of objects only!")),
    }
}

/// Checks that there is a path.
fn check_path(cfg: &Fields) -> Vec<String> {
    match fields::text(cfg, "splitter") {
        Some(_) => Vec::new(),
        None => vec!["has no `splitter`".to_owned()],
    }
}
