//! The scripts of authors: what they may do, and what they may not.

mod behaviour;
mod hostile;

use elastane::engine::script::{ScriptError, ScriptEvent, ScriptInput, ScriptLimits, run};
use serde_json::{Value, json};

/// What a run came to: its events in order, and how it ended.
type Ran = (Vec<ScriptEvent>, Result<(), ScriptError>);

/// Runs code on a message with this body, with the usual limits.
fn run_on(body: &Value, code: &str) -> Ran {
    let cfg = json!({"name": "Bob"});
    run_within(&ScriptLimits::default(), body, &cfg, code)
}

/// Runs code on a message with this body within limits.
fn run_within(limits: &ScriptLimits, body: &Value, cfg: &Value, code: &str) -> Ran {
    let input = ScriptInput {
        code,
        msg: &json!({"body": body, "headers": {"a": "b"}, "passthrough": {"step_1": {"body": 1}}}),
        cfg,
        snapshot: &json!({"seen": 1}),
        variables: &json!({"stage": "test"}),
    };
    let mut events = Vec::new();
    let outcome = run(&input, limits, &mut |event| events.push(event));
    (events, outcome)
}

/// Returns the bodies that code emits on an empty body; it must not fail or log.
fn bodies(code: &str) -> Vec<Value> {
    bodies_on(&json!({}), code)
}

/// Returns the bodies that code emits on a body; it must not fail or log.
fn bodies_on(body: &Value, code: &str) -> Vec<Value> {
    let (events, outcome) = run_on(body, code);
    assert_eq!(outcome, Ok(()), "{code}");
    let body_of = |event| match event {
        ScriptEvent::Data(message) => message.get("body").cloned().unwrap_or(Value::Null),
        other => panic!("{other:?} of {code}"),
    };
    events.into_iter().map(body_of).collect()
}

/// Returns the error that code ends with.
fn failure(code: &str) -> ScriptError {
    let (_, outcome) = run_on(&json!({}), code);
    outcome.expect_err(code)
}
