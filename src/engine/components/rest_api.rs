//! `elasticio/rest-api`: calls any HTTP API.
//!
//! The request is made in `rest_api/request.rs`; what becomes of the answer stands here.

mod auth;
mod body;
mod request;

use serde_json::{Map, Value, json};

use super::answer::{self, AnswerBody};
use super::fields::{self, Fields};
use super::files;
use crate::app::outgoing::{MAX_TIMEOUT_MS, SendError, SendFault, StepResponse};
use crate::domain::run::{Failure, Message};
use crate::engine::component::{BuiltIn, Emitter, Event, Function, Nature, Tools, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "rest-api",
    functions: &[
        Function::new("httpRequestTrigger", Nature::Queued, call)
            .checked_by(check)
            .delayed_by(delay_ms),
        Function::new("httpRequestAction", Nature::Queued, call)
            .checked_by(check)
            .delayed_by(delay_ms),
    ],
    verify: Some(verify),
};

/// The longest wait between calls, in seconds: a message is taken from a step that holds
/// it for half an hour, and the call itself may take most of that.
const DELAY_MAX_S: u64 = 300;

/// The most calls that share a wait.
const CALL_COUNT_MAX: u64 = 1_000_000;

/// The statuses below 500 that a step with rebounds tries again: the request came at the
/// wrong time.
const PASSING: [u16; 3] = [408, 423, 429];

/// Calls the API and emits what it answers.
fn call(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    wait_ms(work.cfg)?;
    let request = request::of(work)?;
    match work.tools.app.send(&request) {
        Ok(response) => take(work, emitter, &response),
        Err(error) => give_up(work, emitter, &error),
    }
}

/// Emits an answer, or makes the error or the rebound of a bad one.
fn take(work: &Work<'_>, emitter: &mut Emitter, response: &StepResponse) -> Result<(), Failure> {
    let status = response.status;
    let is_whole = fields::is_on(work.cfg, "dontThrowErrorFlg");
    if status >= 400 {
        let text = Some(response.status_text.as_str()).filter(|text| !text.is_empty());
        let message = format!("Code: {status} Message: {}", text.unwrap_or("HTTP error"));
        let may_pass = status >= 500 || PASSING.contains(&status);
        if may_pass && fields::is_on(work.cfg, "enableRebound") {
            emitter.push(Event::Rebound(message));
            return Ok(());
        }
        if !is_whole {
            return Err(Failure::new(message));
        }
    }
    let mut message = Message::empty();
    let body = match answer::body_of(response) {
        Ok(AnswerBody::Value(value)) => value,
        Ok(AnswerBody::Text(text)) => Value::from(text),
        Ok(AnswerBody::Bytes) => {
            let (name, attachment) = files::attach(work, response)?;
            message.attachments.insert(name, attachment);
            Value::Object(Map::new())
        }
        // A failed answer is often no JSON, whatever it says of itself.
        Err(_) if is_whole && status >= 400 => Value::from(String::from_utf8_lossy(&response.body)),
        Err(failure) => return Err(failure),
    };
    let shaped = |body: Value| {
        if is_whole {
            json!({
                "headers": answer::headers_of(response),
                "body": body,
                "statusCode": status,
                "statusMessage": response.status_text,
            })
        } else {
            body
        }
    };
    let splits = fields::is_on(work.cfg, "splitResult");
    match body {
        Value::Array(elements) if splits => elements
            .into_iter()
            .try_for_each(|element| emitter.body(shaped(element))),
        Value::Array(elements) if !is_whole => emitter.body(json!({ "result": elements })),
        body => {
            message.body = shaped(body);
            emitter.data(message)
        }
    }
}

/// Makes the error, the message or the rebound of a call without an answer.
fn give_up(work: &Work<'_>, emitter: &mut Emitter, error: &SendError) -> Result<(), Failure> {
    if error.may_pass() && fields::is_on(work.cfg, "enableRebound") {
        emitter.push(Event::Rebound(error.message.clone()));
        return Ok(());
    }
    if !fields::is_on(work.cfg, "dontThrowErrorFlg") {
        return Err(Failure::new(error.message.clone()));
    }
    // The shape of an answer, so that an expression on it holds; 0 is no status.
    emitter.body(json!({
        "headers": {},
        "body": {},
        "statusCode": 0,
        "statusMessage": error.message,
        "errorCode": code_of(error.fault),
        "errorMessage": error.message,
    }))
}

/// Returns the code that Node gives to a failure.
fn code_of(fault: SendFault) -> &'static str {
    match fault {
        SendFault::Invalid => "ERR_INVALID_ARG_VALUE",
        SendFault::Refused => "EACCES",
        SendFault::Unknown => "ENOTFOUND",
        SendFault::Connect => "ECONNREFUSED",
        SendFault::Tls => "ERR_TLS",
        SendFault::Timeout => "ETIMEDOUT",
        SendFault::TooLarge => "EMSGSIZE",
        SendFault::Redirect => "ERR_FR_TOO_MANY_REDIRECTS",
        SendFault::Protocol => "EPROTO",
    }
}

/// Returns how long the step waits for a call: `delay` seconds over `callCount`.
fn wait_ms(cfg: &Fields) -> Result<u64, Failure> {
    let delay_s = fields::whole(cfg, "delay", 0, DELAY_MAX_S)?.unwrap_or(0);
    let calls = fields::whole(cfg, "callCount", 1, CALL_COUNT_MAX)?.unwrap_or(1);
    Ok(delay_s * 1_000 / calls)
}

/// Returns the same for the engine, which has the step rest before the call and not after
/// it: a server that ends meanwhile has called nobody yet, and calls follow each other as
/// far apart. A fault is the step's.
fn delay_ms(cfg: &Fields) -> i64 {
    let wait_ms = wait_ms(cfg).unwrap_or(0);
    i64::try_from(wait_ms).unwrap_or(0)
}

/// Returns the time limit of a call, where one is set.
fn timeout_ms(cfg: &Fields) -> Result<Option<u64>, Failure> {
    fields::whole(cfg, "requestTimeoutPeriod", 1, MAX_TIMEOUT_MS)
}

/// Checks the request and the other fields.
fn check(cfg: &Fields) -> Vec<String> {
    let mut faults = request::check(cfg);
    for fault in [
        wait_ms(cfg).err(),
        timeout_ms(cfg).err(),
        auth::of(cfg).err(),
    ] {
        faults.extend(fault.map(|failure| format!("has a bad field: {}", failure.message)));
    }
    faults
}

/// Tells whether the credential is complete; what it is for is not known here.
#[expect(clippy::unnecessary_wraps, reason = "other services may fail")]
fn verify(keys: &Fields, _: &Tools<'_>) -> Result<Value, Failure> {
    Ok(fields::verdict(&auth::of(keys).map(drop)))
}
