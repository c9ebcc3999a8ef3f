//! The JSONata expressions of steps, read once and evaluated for many messages.

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

use serde_json::Value;

use super::fields::{self, Fields};
use crate::domain::expression::{EvaluationError, Expression, Scope};
use crate::domain::run::Failure;
use crate::engine::component::Work;

/// The most expressions that are kept read: those of all busy steps of one machine.
const KEPT_MAX: usize = 1_024;

/// The longest text whose expression is kept; longer ones are rare, and large when read.
const KEPT_MAX_BYTES: usize = 4 * 1024;

/// Returns the expression of a text.
pub(super) fn parsed(text: &str) -> Result<Expression, Failure> {
    static KEPT: OnceLock<RwLock<HashMap<String, Expression>>> = OnceLock::new();
    let kept = KEPT.get_or_init(RwLock::default);
    let known = kept.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(expression) = known.get(text) {
        return Ok(expression.clone());
    }
    drop(known);
    let expression = Expression::parse(text)
        .map_err(|reason| Failure::named("JSONataError", format!("{reason}: {text}")))?;
    if text.len() <= KEPT_MAX_BYTES {
        let mut known = kept.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT_MAX {
            // Whoever is busy comes back at once.
            known.clear();
        }
        known.insert(text.to_owned(), expression.clone());
    }
    Ok(expression)
}

/// Evaluates a text over the message; none where it has no value.
pub(super) fn evaluated(work: &Work<'_>, text: &str) -> Result<Option<Value>, Failure> {
    parsed(text)?.evaluate(&scope(work)).map_err(failed)
}

/// Returns what expressions of a step see.
pub(super) fn scope<'a>(work: &Work<'a>) -> Scope<'a> {
    Scope {
        body: &work.message.body,
        passthrough: work.passthrough(),
        variables: work.variables,
        now_ms: work.now_ms,
    }
}

/// Makes a step's failure of an expression's.
pub(super) fn failed(error: EvaluationError) -> Failure {
    Failure::named(error.name, error.message)
}

/// Checks a field that must be an expression.
pub(super) fn check(cfg: &Fields, name: &str) -> Vec<String> {
    match fields::text(cfg, name) {
        None => vec![format!("has no `{name}`")],
        Some(text) => check_text(name, text),
    }
}

/// Checks the text of an expression.
pub(super) fn check_text(name: &str, text: &str) -> Vec<String> {
    let fault = Expression::parse(text).err();
    fault
        .map(|reason| format!("has a `{name}` that is no JSONata expression: {reason}"))
        .into_iter()
        .collect()
}
