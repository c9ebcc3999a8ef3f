//! `elasticio/debug:log`: an entry in the log of the flow.

use std::sync::Arc;

use serde_json::Value;

use super::fields::{self, Fields};
use super::formula;
use crate::domain::run::mask::Mask;
use crate::domain::run::{Failure, LogLevel};
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "debug",
    functions: &[Function::new("log", Nature::Pure, log).checked_by(check)],
    verify: None,
};

/// The longest entry; the rest is cut, since a log is read by people and kept for days.
const ENTRY_MAX_BYTES: usize = 8 * 1024;

/// Logs the value of `message`, or the whole body, and passes the message on.
///
/// Members whose names look secret are masked here: once they are text, nobody can tell
/// them from the rest. The values of credentials are masked where the log is read.
fn log(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let level =
        level(work.cfg).ok_or_else(|| Failure::new("`level` must be a level of the log"))?;
    let text = match fields::text(work.cfg, "message") {
        None => masked(work.message.body.clone()).to_string(),
        Some(expression) => match formula::evaluated(work, expression)? {
            Some(value) => fields::shown(&masked(value)).into_owned(),
            None => "(no value)".to_owned(),
        },
    };
    emitter.log(level, cut(text));
    emitter.data(Arc::clone(work.message))
}

/// Returns a value without what its names say to be secret.
fn masked(mut value: Value) -> Value {
    Mask::default().value(&mut value);
    value
}

/// Returns the chosen level; none for a word that is no level.
fn level(cfg: &Fields) -> Option<LogLevel> {
    fields::text(cfg, "level").map_or(Some(LogLevel::Info), LogLevel::parse)
}

/// Cuts an entry that is too long.
fn cut(mut text: String) -> String {
    if text.len() > ENTRY_MAX_BYTES {
        text.truncate(text.floor_char_boundary(ENTRY_MAX_BYTES));
        text.push('…');
    }
    text
}

/// Checks the level and the expression.
fn check(cfg: &Fields) -> Vec<String> {
    let mut faults = Vec::new();
    if level(cfg).is_none() {
        faults.push("has a `level` that is no level of the log".to_owned());
    }
    if let Some(text) = fields::text(cfg, "message") {
        faults.extend(formula::check_text("message", text));
    }
    faults
}
