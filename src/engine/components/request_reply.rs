//! `elasticio/request-reply`: answers the call that started the run (`runtime.md 4.5`).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use super::files;
use crate::domain::run::{Failure, HttpReply, ReplyBody};
use crate::engine::component::{BuiltIn, Emitter, Event, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "request-reply",
    functions: &[
        Function::new("reply", Nature::Pure, reply).replying(),
        Function::new("replyWithAttachment", Nature::Queued, reply_with_file).replying(),
    ],
    verify: None,
};

/// The media type where the message names none.
const JSON: &str = "application/json";

/// Headers that the server writes itself: what a message says of them, for example
/// because it holds those of another answer, is left out.
const OWN_HEADERS: [&str; 6] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
];

/// Answers with `responseBody`, or with the whole body where it has none, and passes the
/// message on.
fn reply(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let empty = Map::new();
    let body = work.message.body.as_object().unwrap_or(&empty);
    let content_type = fields::text(body, "contentType").unwrap_or(JSON);
    let reply = HttpReply {
        status: status_of(body)?,
        headers: headers_of(body, content_type)?,
        body: ReplyBody::Value(match body.get("responseBody") {
            Some(value) => value.clone(),
            None => work.message.body.clone(),
        }),
    };
    emitter.push(Event::Reply(reply));
    emitter.data(Arc::clone(work.message))
}

/// Answers with the bytes of the file at `responseUrl`, and passes the message on.
fn reply_with_file(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let body = fields::members(&work.message.body)?;
    let url = fields::required(body, "responseUrl")?;
    let status = status_of(body)?;
    let file = files::fetch(work.tools, "responseUrl", &url)?;
    let content_type = fields::text(body, "contentType")
        .or(file.content_type.as_deref())
        .unwrap_or("application/octet-stream");
    let reply = HttpReply {
        status,
        headers: headers_of(body, content_type)?,
        body: ReplyBody::Bytes(file.bytes),
    };
    emitter.push(Event::Reply(reply));
    emitter.data(Arc::clone(work.message))
}

/// Returns the status of an answer: `statusCode`, else 200.
pub(super) fn status_of(body: &Fields) -> Result<u16, Failure> {
    let status = fields::whole(body, "statusCode", 200, 599)?;
    Ok(status
        .and_then(|status| u16::try_from(status).ok())
        .unwrap_or(200))
}

/// Returns the headers of an answer: the media type and `customHeaders`.
fn headers_of(body: &Fields, content_type: &str) -> Result<Map<String, Value>, Failure> {
    let mut headers = Map::new();
    let content_type = Value::from(checked_value("contentType", content_type)?);
    headers.insert("Content-Type".to_owned(), content_type);
    let Some(custom) = fields::object(body, "customHeaders")? else {
        return Ok(headers);
    };
    for (name, value) in custom.iter() {
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) || value.is_null() {
            continue;
        }
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Failure::new(format!(
                "`customHeaders` has a name that can't be sent: {name:?}"
            )));
        }
        let value = fields::shown(value);
        let value = Value::from(checked_value(name, &value)?);
        headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
        headers.insert(name.clone(), value);
    }
    Ok(headers)
}

/// Checks the value of a header.
fn checked_value<'a>(name: &str, value: &'a str) -> Result<&'a str, Failure> {
    let value = value.trim();
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Failure::new(format!(
            "the header `{name}` has a value that can't be sent"
        )));
    }
    Ok(value)
}
