//! The request of an HTTP step, made of its fields and the message.

use serde_json::Value;

use super::{auth, body, timeout_ms};
use crate::app::outgoing::{DEFAULT_TIMEOUT_MS, StepRequest};
use crate::domain::run::Failure;
use crate::engine::component::Work;
use crate::engine::components::fields::{self, Fields};
use crate::engine::components::{answer, formula};

/// The methods that a step may choose.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Makes the request for a message.
pub(super) fn of(work: &Work<'_>) -> Result<StepRequest, Failure> {
    let reader = reader(work.cfg)?;
    let method = method(&reader)?;
    let url = url(work, &reader)?;
    let mut request = StepRequest::new(method, url);
    request.headers = headers(work, &reader)?;
    if !matches!(method, "GET" | "HEAD") {
        body::add(work, &reader, &mut request)?;
    }
    if let Some((name, value)) = auth::of(work.cfg)? {
        // What the credential says goes before what a header of the step says.
        request
            .headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        request.headers.push((name, value));
    }
    request.follow_redirects =
        fields::text(work.cfg, "followRedirect") != Some("doNotFollowRedirects");
    request.any_certificate = fields::is_on(work.cfg, "noStrictSSL");
    request.timeout_ms = timeout_ms(work.cfg)?.unwrap_or(DEFAULT_TIMEOUT_MS);
    Ok(request)
}

/// Returns the field that holds the request.
fn reader(cfg: &Fields) -> Result<Fields, Failure> {
    let reader = fields::object(cfg, "reader")?;
    reader
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| Failure::new("URL is required"))
}

/// Returns the method.
fn method(reader: &Fields) -> Result<&'static str, Failure> {
    let name = fields::text(reader, "method").ok_or_else(|| Failure::new("Method is required"))?;
    let known = METHODS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name.trim()));
    known.copied().ok_or_else(|| {
        let methods = METHODS.join(",");
        Failure::new(format!("Method \"{name}\" isn't one of the: {methods}."))
    })
}

/// Evaluates the URL.
fn url(work: &Work<'_>, reader: &Fields) -> Result<crate::app::outgoing::TargetUrl, Failure> {
    let text = fields::text(reader, "url").ok_or_else(|| Failure::new("URL is required"))?;
    let value = if is_plain_url(text) {
        Some(Value::from(text))
    } else {
        formula::evaluated(work, text)?
    };
    match value {
        Some(Value::String(url)) => work
            .tools
            .app
            .step_url("url", &url)
            .map_err(answer::refused),
        _ => Err(Failure::new("The expression of the URL gives no text")),
    }
}

/// Tells whether a text is a URL itself. It is no expression then: `//` is none.
fn is_plain_url(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("http://") || text.starts_with("https://")
}

/// Evaluates the headers; one without a value is left out.
fn headers(work: &Work<'_>, reader: &Fields) -> Result<Vec<(String, String)>, Failure> {
    let mut headers = Vec::new();
    for (name, text) in pairs(reader.get("headers")) {
        let value = if is_plain_media_type(name, text) {
            Some(Value::from(text))
        } else {
            formula::evaluated(work, text)?
        };
        match value {
            None | Some(Value::Null) => {}
            Some(value) => {
                headers.push((name.trim().to_owned(), fields::shown(&value).into_owned()));
            }
        }
    }
    Ok(headers)
}

/// Tells whether a header has a media type itself: `application/json` would divide the
/// member `application` by the member `json`.
fn is_plain_media_type(name: &str, text: &str) -> bool {
    let of_a_type = |byte: u8| byte.is_ascii_alphanumeric() || b"-+./".contains(&byte);
    let name = name.trim();
    (name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("accept"))
        && text.contains('/')
        && text.trim().bytes().all(of_a_type)
}

/// Returns the pairs of `[{key, value}]` that have both.
pub(super) fn pairs(list: Option<&Value>) -> impl Iterator<Item = (&str, &str)> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice);
    list.unwrap_or_default().iter().filter_map(|pair| {
        let pair = pair.as_object()?;
        Some((fields::text(pair, "key")?, fields::text(pair, "value")?))
    })
}

/// Checks the method and every expression.
pub(super) fn check(cfg: &Fields) -> Vec<String> {
    let reader = match reader(cfg) {
        Ok(reader) => reader,
        Err(failure) => return vec![format!("has no request: {}", failure.message)],
    };
    let mut faults = Vec::new();
    if let Err(failure) = method(&reader) {
        faults.push(format!("has no method: {}", failure.message));
    }
    match fields::text(&reader, "url") {
        None => faults.push("has no `url`".to_owned()),
        Some(url) if is_plain_url(url) => {}
        Some(url) => faults.extend(formula::check_text("url", url)),
    }
    for (name, text) in pairs(reader.get("headers")) {
        if !is_plain_media_type(name, text) {
            faults.extend(formula::check_text("header", text));
        }
    }
    faults.extend(body::check(&reader));
    faults
}
