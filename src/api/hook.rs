//! The webhooks of flows: `/hook/{flow_id}[/sub/path]` (`runtime.md 4.5`).
//!
//! Calls become messages here; whether they are let in, and what they are answered, the
//! runtime says. Errors have the gateway's own form, `{"error"}`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::call::{Call, Content, Reply};
use super::dispatch::body_error;
use super::route::{Access, Route};
use crate::app::SecretText;
use crate::app::component_runtime::{WebhookAnswer, WebhookCall, WebhookReply};
use crate::domain::codec::media::{BodyKind, MediaType};
use crate::domain::codec::{form, multipart, text, xml};
use crate::domain::id::FlowId;
use crate::domain::run::{HttpReply, Message, ReplyBody};
use crate::domain::{Error, Kind, Result};
use crate::http::{Request, basic};

/// The routes of webhooks.
pub const ROUTES: &[Route] = &[
    Route::get("/hook/{flow_id}", "calls a flow's webhook", never)
        .with_access(Access::Public)
        .streaming(answer),
    Route::post(
        "/hook/{flow_id}",
        "calls a flow's webhook with a body",
        never,
    )
    .with_access(Access::Public)
    .streaming(answer),
    Route::get(
        "/hook/{flow_id}/{*sub_path}",
        "calls a flow's webhook below a path",
        never,
    )
    .with_access(Access::Public)
    .streaming(answer),
    Route::post(
        "/hook/{flow_id}/{*sub_path}",
        "calls a flow's webhook with a body below a path",
        never,
    )
    .with_access(Access::Public)
    .streaming(answer),
];

/// How long a caller of a flow that is not there waits, so that guessing ids is slow
/// (`runtime.md 4.5`).
const NOT_THERE_DELAY: Duration = Duration::from_secs(1);

/// Calls in vain after which a flow's callers are told to stop (`runtime.md 4.5`).
const IN_VAIN_MAX: u32 = 10;

/// How long attachments of calls are kept: as long as their runs are retried.
const ATTACHMENT_LIFETIME_MS: i64 = 5 * 24 * 60 * 60 * 1_000;

/// Bodies are read here, so this is never called.
fn never(_: &mut Call<'_>) -> Result<Reply> {
    Err(Error::internal("webhooks are answered as streams"))
}

/// Answers a call.
fn answer(call: &mut Call<'_>, request: &mut Request<'_>) -> Result<Reply> {
    if request.method() == "HEAD" {
        return Ok(Reply::json(200, json!({})));
    }
    if let Some(message) = call.shared.maintenance() {
        return Ok(refusal(503, &message));
    }
    let named = call.param("flow_id").to_owned();
    let Ok(flow) = named.parse::<FlowId>() else {
        return Ok(not_there(call, &named));
    };
    let request_id = request_id(call);
    let media = request.header("content-type").and_then(MediaType::parse);
    let webhook = match read(call, request, media.as_ref(), flow, &request_id) {
        Ok(webhook) => webhook,
        Err(refused) => return Ok(refused),
    };
    let Some(runtime) = call.app.component_runtime() else {
        return Ok(refusal(503, "no flow runs here"));
    };
    let mut fill = |message: &mut Message, bytes: &[u8]| match &media {
        Some(media) if request.method() != "GET" && !bytes.is_empty() => {
            read_body(call, media, bytes, message)
        }
        _ => Ok(()),
    };
    match runtime.accept(webhook, &mut fill) {
        Ok(answered) => {
            call.shared.hook_misses.forget(&named);
            Ok(reply_of(answered, &request_id))
        }
        Err(error) if error.kind() == Kind::NotFound => Ok(not_there(call, &named)),
        Err(error) => error_reply(error),
    }
}

/// Returns the id of the request, which the caller is given.
fn request_id(call: &Call<'_>) -> String {
    let origin = call.who.origin.request_id.clone();
    origin.unwrap_or_else(|| call.app.new_request_id())
}

/// Reads a call into a message, all but its body.
fn read(
    call: &Call<'_>,
    request: &mut Request<'_>,
    media: Option<&MediaType>,
    flow: FlowId,
    request_id: &str,
) -> std::result::Result<WebhookCall, Reply> {
    let max_bytes = call.app.rules().limits.message_bytes as u64;
    let bytes = request
        .body(max_bytes)
        .map_err(|error| shaped(&body_error(error)))?;
    let query = form::gathered(request.query().iter().cloned());
    let mut message = Message::empty();
    if request.method() == "GET" {
        message.body = Value::Object(query.clone());
    } else if !bytes.is_empty() {
        // Nothing here inflates: better refused than read as what it is not.
        if let Some(coding) = request.header("content-encoding")
            && !coding.trim().eq_ignore_ascii_case("identity")
        {
            return Err(refusal(
                415,
                "a body with a Content-Encoding is not read here: send it as it is",
            ));
        }
        // The body itself is read once the call is let in.
        if media.is_none() {
            return Err(refusal(415, "a body needs a Content-Type"));
        }
    }
    for (name, value) in request.headers() {
        let name = name.to_ascii_lowercase();
        let value = match message.headers.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value.to_owned(),
        };
        message.headers.insert(name, json!(value));
    }
    let sub_path = call.params.get("sub_path").unwrap_or_default();
    let members = [
        ("id", json!(request_id)),
        ("method", json!(request.method())),
        (
            "url",
            json!(url_below(request, call.param("flow_id"), sub_path)),
        ),
        ("originalUrl", json!(request.target())),
        ("query", Value::Object(query)),
        ("params", json!({ "flowId": flow.to_string() })),
        ("additionalUrlPath", json!(sub_path)),
        ("metadata", json!({ "source": "webhook" })),
    ];
    for (name, value) in members {
        message.rest.insert(name.to_owned(), value);
    }
    let sent = request.header("authorization").and_then(basic::credentials);
    Ok(WebhookCall {
        flow,
        message,
        body: bytes,
        basic: sent.map(|sent| (sent.user, SecretText::new(sent.password))),
        request_id: request_id.to_owned(),
    })
}

/// Returns the path below the flow and the query, as they were sent: a decoded slash or
/// question mark would be another path.
fn url_below(request: &Request<'_>, flow: &str, sub_path: &str) -> String {
    let below = request
        .target()
        .strip_prefix("/hook/")
        .and_then(|rest| rest.strip_prefix(flow));
    match (below, request.raw_query()) {
        (Some(below), _) if below.starts_with('/') => below.to_owned(),
        (Some(below), _) => format!("/{below}"),
        // A target in another form, such as one with the host in it.
        (None, Some(query)) => format!("/{sub_path}?{query}"),
        (None, None) => format!("/{sub_path}"),
    }
}

/// Reads a body by its media type; files become attachments.
fn read_body(
    call: &Call<'_>,
    media: &MediaType,
    bytes: &[u8],
    message: &mut Message,
) -> Result<()> {
    match media.kind() {
        BodyKind::Json => message.body = json_of(bytes, media)?,
        BodyKind::PlainText => {
            // What is no JSON is a bare text, which is no body (`runtime.md 4.5`).
            let read = json_of(bytes, media).unwrap_or(Value::Null);
            if read.is_object() || read.is_array() {
                message.body = read;
            }
        }
        BodyKind::Xml => message.body = xml::parse(bytes, media.charset())?,
        BodyKind::Form => message.body = Value::Object(form::object(bytes)?),
        BodyKind::Multipart => {
            let mut fields = Vec::new();
            for part in multipart::parts(media, bytes)? {
                if part.is_file() {
                    let name = part.filename.clone().filter(|name| !name.is_empty());
                    let name = name.unwrap_or_else(|| part.name.clone());
                    attach(
                        call,
                        message,
                        &name,
                        part.content_type.as_deref(),
                        part.bytes,
                    )?;
                } else {
                    fields.push((part.name.clone(), part.text()?.to_owned()));
                }
            }
            message.body = Value::Object(form::gathered(fields));
        }
        BodyKind::Text | BodyKind::Binary => {
            attach(call, message, "payload", Some(&media.essence), bytes)?;
        }
    }
    Ok(())
}

/// Reads a body as JSON; a bare text or number is no body.
fn json_of(bytes: &[u8], media: &MediaType) -> Result<Value> {
    let text = text(bytes, media.charset())?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Error::new(Kind::Invalid, format!("the body is not JSON: {error}")))?;
    Ok(match value {
        Value::Object(_) | Value::Array(_) => value,
        _ => json!({}),
    })
}

/// Stores a file and adds it to the message's attachments.
///
/// Its URL is of the public address, or of the one that the server listens on, and never
/// of the host that the caller named: the message goes on to steps and to others, whom a
/// stranger's Host would send, with the file's token, to the stranger.
fn attach(
    call: &Call<'_>,
    message: &mut Message,
    name: &str,
    content_type: Option<&str>,
    bytes: &[u8],
) -> Result<()> {
    let object = call
        .app
        .put_object(bytes, content_type, ATTACHMENT_LIFETIME_MS)?;
    let attachment = json!({
        "url": call.app.own_url(&object.get_path),
        "content-type": content_type.unwrap_or("application/octet-stream"),
        "size": object.bytes,
    });
    // Two files may have one name, and both were sent.
    let names = (2..).map(|next| format!("{name}_{next}"));
    let mut names = std::iter::once(name.to_owned()).chain(names);
    if let Some(free) = names.find(|name| !message.attachments.contains_key(name)) {
        message.attachments.insert(free, attachment);
    }
    Ok(())
}

/// Shapes what the run answers.
fn reply_of(answered: WebhookAnswer, request_id: &str) -> Reply {
    let execution = answered.execution.to_string();
    match answered.reply {
        WebhookReply::Accepted => Reply::json(
            200,
            json!({ "requestId": request_id, "message": "thank you" }),
        ),
        WebhookReply::Reply(reply) => replied(reply).with_header("X-Execution-Id", execution),
        WebhookReply::Failed(failure) => {
            let status = failure.status.filter(|status| (400..=599).contains(status));
            refusal(status.unwrap_or(500), &failure.message)
                .with_header("X-Execution-Id", execution)
        }
        WebhookReply::Ended(reason) => {
            refusal(503, reason).with_header("X-Execution-Id", execution)
        }
        WebhookReply::TimedOut => {
            refusal(504, "the flow did not reply in time").with_header("X-Execution-Id", execution)
        }
    }
}

/// Turns a step's reply into an answer.
fn replied(reply: HttpReply) -> Reply {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &reply.headers {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => continue,
        };
        if is_allowed(name, &value) {
            headers.push((name.clone(), value));
        }
    }
    let names_type = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let (bytes, default_type) = match reply.body {
        ReplyBody::Value(Value::String(text)) => (text.into_bytes(), "text/plain; charset=utf-8"),
        ReplyBody::Value(value) => (
            value.to_string().into_bytes(),
            "application/json; charset=utf-8",
        ),
        ReplyBody::Bytes(bytes) => (bytes, "application/octet-stream"),
    };
    if !names_type {
        headers.push(("Content-Type".to_owned(), default_type.to_owned()));
    }
    // A status that HTTP has no place for would break the connection.
    let status = if (200..=599).contains(&reply.status) {
        reply.status
    } else {
        200
    };
    Reply {
        status,
        headers: Vec::new(),
        content: Content::Raw(headers, bytes),
    }
}

/// Tells whether a step may set a header: not those that say how the answer is framed.
fn is_allowed(name: &str, value: &str) -> bool {
    const FRAMING: [&str; 6] = [
        "connection",
        "content-length",
        "keep-alive",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(is_token)
        && !FRAMING
            .iter()
            .any(|framing| name.eq_ignore_ascii_case(framing))
        && value
            .bytes()
            .all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte))
}

/// Answers a call of a flow that can't be called: slowly, and after some in a row with
/// the request to stop.
fn not_there(call: &Call<'_>, flow: &str) -> Reply {
    let misses = call.shared.hook_misses.count(flow);
    std::thread::sleep(NOT_THERE_DELAY);
    if misses > IN_VAIN_MAX {
        let message = format!(
            "Flow {flow} was called while inactive or deleted more than {IN_VAIN_MAX} times"
        );
        return refusal(409, &message);
    }
    refusal(
        404,
        &format!("Flow {flow} either does not exist or is inactive"),
    )
}

/// Shapes an error of the runtime; ours go to where they are logged.
fn error_reply(error: Error) -> Result<Reply> {
    if matches!(error.kind(), Kind::Internal | Kind::Unavailable) {
        return Err(error);
    }
    Ok(shaped(&error))
}

/// Shapes an error that the caller made.
fn shaped(error: &Error) -> Reply {
    let status = match error.kind() {
        Kind::Unauthenticated => 401,
        Kind::Forbidden => 403,
        Kind::TooLarge => 413,
        Kind::TooMany => 429,
        Kind::Conflict => 409,
        _ => 400,
    };
    let reply = refusal(status, error.message());
    let reply = match error.retry_after_s() {
        Some(seconds) => reply.with_header("Retry-After", seconds.to_string()),
        None => reply,
    };
    if status == 401 {
        reply.with_header(
            "WWW-Authenticate",
            "Basic realm=\"webhook\", charset=\"UTF-8\"",
        )
    } else {
        reply
    }
}

/// Makes an error in the gateway's form.
fn refusal(status: u16, message: &str) -> Reply {
    let mut body = Map::new();
    body.insert("error".to_owned(), json!(message));
    Reply::json(status, Value::Object(body))
}
