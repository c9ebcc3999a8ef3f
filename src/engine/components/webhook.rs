//! `elasticio/webhook`: calls that come in, and calls that go out.

use serde_json::{Value, json};

use super::answer;
use super::fields::{self, Fields};
use crate::app::outgoing::StepRequest;
use crate::domain::run::{Failure, Message};
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Tools, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "webhook",
    functions: &[
        Function::new("receive", Nature::Pure, receive),
        Function::new("post", Nature::Queued, post).checked_by(check_post),
    ],
    verify: Some(verify),
};

/// The members of the gateway's message that the body gets, under a name with `_`
/// (`runtime.md 4.5`).
const GATEWAY_MEMBERS: [&str; 4] = ["query", "method", "url", "additionalUrlPath"];

/// Passes the gateway's message on, with what it says of the call in the body too.
///
/// A body that is no object has no place for it and stays as it is.
fn receive(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let mut message = Message::clone(work.message);
    if let Value::Object(body) = &mut message.body {
        for name in GATEWAY_MEMBERS {
            if let Some(value) = message.rest.get(name) {
                body.insert(format!("_{name}"), value.clone());
            }
        }
        let headers = Value::Object(message.headers.clone());
        body.insert("_headers".to_owned(), headers);
    }
    emitter.data(message)
}

/// Sends the body as JSON, and emits the answer with its headers.
fn post(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let uri = fields::text(work.cfg, "uri").ok_or_else(|| Failure::new("URL is required"))?;
    let url = work
        .tools
        .app
        .step_url("uri", uri)
        .map_err(answer::refused)?;
    let mut request = StepRequest::new(method(work.cfg)?, url);
    let json = "application/json;charset=UTF-8".to_owned();
    request.headers.push(("Content-Type".to_owned(), json));
    if let Some(secret) = fields::text(work.cfg, "secret") {
        let secret = secret.to_owned();
        request.headers.push(("X-Api-Secret".to_owned(), secret));
    }
    request.body = Some(work.message.body.to_string().into_bytes());
    let sent = work.tools.app.send(&request);
    let response = sent.map_err(|error| Failure::new(error.to_string()))?;
    if !(200..300).contains(&response.status) {
        let status = response.status;
        return Err(Failure::new(format!("Endpoint responds with {status}")));
    }
    let body = match answer::body_of(&response)? {
        // What has no structure gets a name, as the platform's component does it.
        answer::AnswerBody::Text(text) => json!({ "responseBody": text }),
        answer::AnswerBody::Bytes => {
            json!({ "responseBody": String::from_utf8_lossy(&response.body) })
        }
        answer::AnswerBody::Value(value) => value,
    };
    emitter.data(Message {
        headers: answer::headers_of(&response),
        ..Message::of_body(body)
    })
}

/// Returns the method: POST where none is chosen.
fn method(cfg: &Fields) -> Result<&str, Failure> {
    match fields::text(cfg, "method") {
        None => Ok("POST"),
        Some(method @ ("POST" | "PUT")) => Ok(method),
        Some(_) => Err(Failure::new("`method` must be POST or PUT")),
    }
}

/// Checks the fields of a step that sends.
fn check_post(cfg: &Fields) -> Vec<String> {
    let mut faults = Vec::new();
    if fields::text(cfg, "uri").is_none() {
        faults.push("has no `uri`".to_owned());
    }
    if method(cfg).is_err() {
        faults.push("has a `method` other than POST and PUT".to_owned());
    }
    faults
}

/// Tells whether the credential says completely how callers prove who they are.
#[expect(clippy::unnecessary_wraps, reason = "other services may fail")]
fn verify(keys: &Fields, _: &Tools<'_>) -> Result<Value, Failure> {
    Ok(fields::verdict(&check_auth(keys)))
}

/// Checks how callers prove who they are.
fn check_auth(keys: &Fields) -> Result<(), Failure> {
    let Some(auth) = fields::object(keys, "auth")? else {
        return Ok(());
    };
    let needed: &[(&str, &str)] = match fields::text(&auth, "type") {
        None | Some("NO_AUTH") => &[],
        Some("BASIC") => &[("basic", "username"), ("basic", "password")],
        Some("API_KEY") => &[("apiKey", "headerName"), ("apiKey", "headerValue")],
        Some("HMAC") => &[("hmac", "secret")],
        Some(_) => {
            return Err(Failure::new(
                "`auth.type` must be NO_AUTH, BASIC, API_KEY or HMAC",
            ));
        }
    };
    fields::require_members(&auth, "auth", needed)?;
    let algorithm = auth.get("hmac").and_then(|hmac| hmac.get("algorithm"));
    match algorithm.and_then(Value::as_str) {
        None | Some("" | "sha256" | "sha512") => Ok(()),
        Some(_) => Err(Failure::new(
            "`auth.hmac.algorithm` must be sha256 or sha512",
        )),
    }
}
