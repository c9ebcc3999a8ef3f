//! The body of an HTTP step's request.

use serde_json::{Map, Value};

use super::request::pairs;
use crate::app::outgoing::StepRequest;
use crate::domain::run::Failure;
use crate::engine::component::Work;
use crate::engine::components::fields::{self, Fields};
use crate::engine::components::{files, formula};

/// The largest body of a request: that of a message, with its files.
const BODY_MAX_BYTES: usize = 32 * 1024 * 1024;

/// The kinds of bodies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// The value of one expression.
    Raw,
    /// Pairs in one line.
    Urlencoded,
    /// Parts, with the attachments of the message.
    FormData,
}

impl Encoding {
    /// Returns what a body says of itself: `encoding`, else its media type decides.
    fn of(body: &Fields) -> Self {
        match fields::text(body, "encoding") {
            Some("raw") => return Self::Raw,
            Some("urlencoded") => return Self::Urlencoded,
            Some("form-data") => return Self::FormData,
            _ => {}
        }
        let content_type = fields::text(body, "contentType").unwrap_or_default();
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => Self::Urlencoded,
            "multipart/form-data" => Self::FormData,
            _ => Self::Raw,
        }
    }
}

/// Returns the body of the reader; an empty one where it has none.
fn of_reader(reader: &Fields) -> &Fields {
    static EMPTY: std::sync::LazyLock<Fields> = std::sync::LazyLock::new(Map::new);
    reader
        .get("body")
        .and_then(Value::as_object)
        .unwrap_or(&EMPTY)
}

/// Adds the body to a request, and its media type where no header names one.
pub(super) fn add(
    work: &Work<'_>,
    reader: &Fields,
    request: &mut StepRequest,
) -> Result<(), Failure> {
    let body = of_reader(reader);
    let (bytes, content_type) = match Encoding::of(body) {
        Encoding::Raw => {
            let Some(bytes) = raw(work, body)? else {
                return Ok(());
            };
            (bytes, fields::text(body, "contentType").map(str::to_owned))
        }
        Encoding::Urlencoded => {
            let content_type = "application/x-www-form-urlencoded".to_owned();
            (urlencoded(work, body)?, Some(content_type))
        }
        Encoding::FormData => {
            let boundary = format!("elastane-{}", work.tools.app.new_request_id());
            let bytes = form_data(work, body, &boundary)?;
            // The boundary is ours, so what a header says of the media type is not true.
            let is_other =
                |(name, _): &(String, String)| !name.eq_ignore_ascii_case("content-type");
            request.headers.retain(is_other);
            let content_type = format!("multipart/form-data; boundary={boundary}");
            (bytes, Some(content_type))
        }
    };
    if bytes.len() > BODY_MAX_BYTES {
        return Err(Failure::new(format!(
            "The body of the request has more than {BODY_MAX_BYTES} bytes"
        )));
    }
    request.body = Some(bytes);
    let has_one = request
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let Some(content_type) = content_type.filter(|_| !has_one) {
        request
            .headers
            .push(("Content-Type".to_owned(), content_type));
    }
    Ok(())
}

/// Evaluates a raw body: a text as it is, everything else as JSON.
fn raw(work: &Work<'_>, body: &Fields) -> Result<Option<Vec<u8>>, Failure> {
    let Some(text) = fields::text(body, "raw") else {
        return Ok(None);
    };
    let value = formula::evaluated(work, text)?;
    Ok(value.map(|value| fields::shown(&value).into_owned().into_bytes()))
}

/// Evaluates pairs into one line; a pair without a value is left out.
fn urlencoded(work: &Work<'_>, body: &Fields) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    for (key, text) in pairs(body.get("urlencoded")) {
        let Some(value) = formula::evaluated(work, text)? else {
            continue;
        };
        if !line.is_empty() {
            line.push(b'&');
        }
        encode(key, &mut line);
        line.push(b'=');
        encode(&fields::shown(&value), &mut line);
    }
    Ok(line)
}

/// Writes a name or a value of a form.
fn encode(text: &str, line: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b' ' => line.push(b'+'),
            b'*' | b'-' | b'.' | b'_' => line.push(byte),
            _ if byte.is_ascii_alphanumeric() => line.push(byte),
            _ => line.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
}

/// Evaluates the parts of a form, and adds the attachments of the message as files.
fn form_data(work: &Work<'_>, body: &Fields, boundary: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    for (key, text) in pairs(body.get("formData")) {
        if let Some(value) = formula::evaluated(work, text)? {
            begin_part(&mut bytes, boundary, key, None, None);
            bytes.extend(fields::shown(&value).as_bytes());
            bytes.extend(b"\r\n");
        }
    }
    for (name, attachment) in &work.message.attachments {
        let url = attachment.get("url").and_then(Value::as_str);
        let url = url.ok_or_else(|| Failure::new(format!("The attachment `{name}` has no url")))?;
        let file = files::fetch(work.tools, name, url)?;
        let named = attachment.get("content-type").and_then(Value::as_str);
        let content_type = named.or(file.content_type.as_deref());
        begin_part(&mut bytes, boundary, name, Some(name), content_type);
        bytes.extend(&file.bytes);
        bytes.extend(b"\r\n");
        if bytes.len() > BODY_MAX_BYTES {
            break;
        }
    }
    bytes.extend(format!("--{boundary}--\r\n").as_bytes());
    Ok(bytes)
}

/// Writes the head of a part.
fn begin_part(
    bytes: &mut Vec<u8>,
    boundary: &str,
    name: &str,
    filename: Option<&str>,
    content_type: Option<&str>,
) {
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
        quoted(name)
    );
    bytes.extend(head.as_bytes());
    if let Some(filename) = filename {
        bytes.extend(format!("; filename=\"{}\"", quoted(filename)).as_bytes());
        let content_type = content_type
            .filter(|content_type| !content_type.contains(char::is_control))
            .unwrap_or("application/octet-stream");
        bytes.extend(format!("\r\nContent-Type: {content_type}").as_bytes());
    }
    bytes.extend(b"\r\n\r\n");
}

/// Encodes what would end a name early, as browsers do it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Checks the expressions of the body.
pub(super) fn check(reader: &Fields) -> Vec<String> {
    let body = of_reader(reader);
    match Encoding::of(body) {
        Encoding::Raw => fields::text(body, "raw")
            .map(|text| formula::check_text("body", text))
            .unwrap_or_default(),
        Encoding::Urlencoded => check_pairs(body, "urlencoded"),
        Encoding::FormData => check_pairs(body, "formData"),
    }
}

/// Checks the expressions of pairs.
fn check_pairs(body: &Fields, name: &str) -> Vec<String> {
    pairs(body.get(name))
        .flat_map(|(_, text)| formula::check_text(name, text))
        .collect()
}
