//! `elasticio/filter`: lets a message pass only where a condition holds.

use std::sync::Arc;

use super::fields::{self, Fields};
use super::formula;
use crate::domain::run::{Failure, LogLevel};
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "filter",
    functions: &[
        Function::new("SimpleJSONataFilter", Nature::Pure, by_expression)
            .checked_by(|cfg: &Fields| formula::check(cfg, "expression")),
        Function::new("filter", Nature::Pure, by_condition)
            .checked_by(|cfg: &Fields| formula::check(cfg, "condition")),
    ],
    verify: None,
};

/// Filters by the field `expression`; with `assertion` a message that does not pass is an
/// error.
fn by_expression(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let is_asserted = fields::is_on(work.cfg, "assertion");
    filter(work, emitter, "expression", is_asserted)
}

/// Filters by the field `condition`.
fn by_condition(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    filter(work, emitter, "condition", false)
}

/// Passes the message on where JavaScript takes the expression's value for true.
fn filter(
    work: &Work<'_>,
    emitter: &mut Emitter,
    field: &str,
    is_asserted: bool,
) -> Result<(), Failure> {
    let text = fields::text(work.cfg, field)
        .ok_or_else(|| Failure::new(format!("`{field}` is required")))?;
    let value = formula::evaluated(work, text)?;
    if value.is_some_and(|value| fields::is_truthy(&value)) {
        return emitter.data(Arc::clone(work.message));
    }
    if is_asserted {
        let message = format!("Condition not met on JSONata expression: {text}");
        return Err(Failure::new(message));
    }
    emitter.log(LogLevel::Debug, "The message does not meet the condition");
    Ok(())
}
