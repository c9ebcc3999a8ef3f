//! `elasticio/configuration:emitConfig`: the settings of a flow, written once.

use serde_json::Value;

use super::fields::Fields;
use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "configuration",
    functions: &[Function::new("emitConfig", Nature::Pure, emit_config).checked_by(check)],
    verify: None,
};

/// The characters of a text that an error quotes on either side of its place, as V8 does.
const QUOTED: usize = 10;

/// Emits the settings as the body.
fn emit_config(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    emitter.body(settings(work.cfg)?)
}

/// Reads the settings: an object, or its JSON text.
fn settings(cfg: &Fields) -> Result<Value, Failure> {
    let value = match cfg.get("configData") {
        Some(Value::String(text)) => serde_json::from_str(text)
            .map_err(|error| Failure::named("SyntaxError", reason(text, &error)))?,
        Some(other) => other.clone(),
        None => Value::Null,
    };
    if value.is_object() {
        Ok(value)
    } else {
        Err(Failure::new("`configData` must be one JSON object"))
    }
}

/// Says why a text is no JSON, in the words of the platform's runtime (`runtime.md 7`).
fn reason(text: &str, error: &serde_json::Error) -> String {
    let line = text.lines().nth(error.line().saturating_sub(1));
    let before = error.column().saturating_sub(1);
    let token = line.and_then(|line| line.get(before..)?.chars().next());
    let Some(token) = token.filter(|_| !error.is_eof()) else {
        return "Unexpected end of JSON input".to_owned();
    };
    let line_begins: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let at = text[..line_begins + before].chars().count();
    let length = text.chars().count();
    let (from, to) = (at.saturating_sub(QUOTED), (at + QUOTED).min(length));
    if length <= 4 * QUOTED {
        return format!("Unexpected token '{token}', \"{text}\" is not valid JSON");
    }
    let part: String = text.chars().skip(from).take(to - from).collect();
    let start = if from == 0 { "" } else { "..." };
    let end = if to == length { "" } else { "..." };
    format!("Unexpected token '{token}', {start}\"{part}\"{end} is not valid JSON")
}

/// Checks that there is an object.
fn check(cfg: &Fields) -> Vec<String> {
    match settings(cfg) {
        Ok(_) => Vec::new(),
        Err(_) if !cfg.contains_key("configData") => vec!["has no `configData`".to_owned()],
        Err(failure) => vec![format!("has a bad `configData`: {}", failure.message)],
    }
}
