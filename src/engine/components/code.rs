//! `elasticio/code`: JavaScript of the flow's author, in a sandbox.

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use crate::domain::run::{Failure, HttpReply, Message, ReplyBody};
use crate::engine::component::{BuiltIn, Emitter, Event, Function, Nature, Work};
use crate::engine::script::{self, ScriptError, ScriptEvent, ScriptInput, ScriptLimits};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "code",
    functions: &[
        Function::new("executeTrigger", Nature::Queued, execute)
            .checked_by(check)
            .replying(),
        Function::new("execute", Nature::Queued, execute)
            .checked_by(check)
            .replying(),
    ],
    verify: None,
};

/// Runs the code for a message.
fn execute(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let code = fields::text(work.cfg, "code").ok_or_else(|| Failure::new("`code` is required"))?;
    let mut message = work.message.to_value();
    if let Some(passthrough) = work.passthrough() {
        message["passthrough"] = Value::Object(passthrough.clone());
    }
    let input = ScriptInput {
        code,
        msg: &message,
        cfg: &Value::Object(work.cfg.clone()),
        snapshot: work.snapshot,
        variables: &Value::Object(work.variables.clone()),
    };
    let mut refused = None;
    let outcome = script::run(&input, &ScriptLimits::default(), &mut |event| {
        if refused.is_none() {
            refused = take(emitter, event).err();
        }
    });
    outcome.map_err(failed)?;
    refused.map_or(Ok(()), Err)
}

/// Hands on what the script emits.
fn take(emitter: &mut Emitter, event: ScriptEvent) -> Result<(), Failure> {
    match event {
        ScriptEvent::Data(message) => return emitter.data(Message::from_value(message)),
        ScriptEvent::UpdateSnapshot(Value::Object(members)) => {
            emitter.push(Event::UpdateSnapshot(members));
        }
        // A list has no members to merge: it is the whole snapshot.
        ScriptEvent::Snapshot(value) | ScriptEvent::UpdateSnapshot(value) => {
            return emitter.snapshot(value);
        }
        ScriptEvent::Error(error) => emitter.push(Event::Error(failed(error))),
        ScriptEvent::Rebound(reason) => emitter.push(Event::Rebound(reason)),
        ScriptEvent::HttpReply(reply) => emitter.push(Event::Reply(reply_of(reply)?)),
        ScriptEvent::Log { level, message } => emitter.log(level, message),
    }
    Ok(())
}

/// Reads `{statusCode, body, headers}`.
fn reply_of(reply: Value) -> Result<HttpReply, Failure> {
    let Value::Object(mut reply) = reply else {
        return Err(Failure::new("an httpReply must be an object"));
    };
    let status = super::request_reply::status_of(&reply)?;
    let headers = match reply.remove("headers") {
        Some(Value::Object(headers)) => headers,
        _ => Map::new(),
    };
    Ok(HttpReply {
        status,
        headers,
        body: ReplyBody::Value(reply.remove("body").unwrap_or_default()),
    })
}

/// Makes the step's failure of what the script threw.
fn failed(error: ScriptError) -> Failure {
    Failure {
        stack: Some(error.stack).filter(|stack| stack != "Not Available"),
        status: error.status,
        ..Failure::named(error.name, error.message)
    }
}

/// Checks that there is code, and that it can be read.
fn check(cfg: &Fields) -> Vec<String> {
    match fields::text(cfg, "code") {
        None => vec!["has no `code`".to_owned()],
        Some(code) => script::check(code)
            .err()
            .map(|reason| format!("has `code` that can't be read: {reason}"))
            .into_iter()
            .collect(),
    }
}
