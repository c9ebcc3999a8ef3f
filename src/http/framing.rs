//! Where a request's body ends, and whether the connection may go on after it.
//!
//! Every rule refuses what two programs may read differently: that is what request smuggling is
//! made of (RFC 9112 6.3 and 11.2).

use super::head::Head;
use super::refusal::Refusal;
use super::request::Version;

/// How long a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none, or one of no bytes.
    None,
    /// So many bytes, as `Content-Length` says.
    Bytes(u64),
    /// As many as chunks say.
    Chunked,
}

/// What a head says about its own end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// How long the body is.
    pub body: BodyLength,
    /// Whether the client wants to keep the connection.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue`.
    pub expect_continue: bool,
}

/// Fields of which a second one could be read differently by another program.
const SINGLE_FIELDS: [(&str, &str); 6] = [
    ("content-length", "There is more than one Content-Length."),
    (
        "transfer-encoding",
        "There is more than one Transfer-Encoding.",
    ),
    ("host", "There is more than one Host."),
    ("content-type", "There is more than one Content-Type."),
    ("authorization", "There is more than one Authorization."),
    ("expect", "There is more than one Expect."),
];

#[derive(Default)]
struct Singles<'h> {
    values: [Option<&'h str>; SINGLE_FIELDS.len()],
    close: bool,
    keep_alive: bool,
}

fn collect(head: &Head) -> Result<Singles<'_>, Refusal> {
    let mut found = Singles::default();
    for (name, value) in head.fields() {
        if name.eq_ignore_ascii_case("connection") {
            for option in value.split(',').map(str::trim) {
                found.close |= option.eq_ignore_ascii_case("close");
                found.keep_alive |= option.eq_ignore_ascii_case("keep-alive");
            }
            continue;
        }
        for (slot, (single, message)) in found.values.iter_mut().zip(&SINGLE_FIELDS) {
            if name.eq_ignore_ascii_case(single) && slot.replace(value).is_some() {
                return Err(Refusal::new(400, message));
            }
        }
    }
    Ok(found)
}

/// Reads the framing of a request from its head.
///
/// # Errors
///
/// Returns the refusal (400, 413, 417 or 501) of a head whose end is not certain.
pub fn framing(head: &Head) -> Result<Framing, Refusal> {
    let found = collect(head)?;
    let [length, coding, host, _, _, expect] = found.values;
    let http11 = head.version() == Version::Http11;
    match host {
        None if http11 => return Err(Refusal::new(400, "The Host header is missing.")),
        Some(host) if !is_host(host) => {
            return Err(Refusal::new(400, "The Host header is malformed."));
        }
        _ => {}
    }
    let body = match (length, coding) {
        (None, None) => BodyLength::None,
        (Some(_), Some(_)) => {
            return Err(Refusal::new(
                400,
                "Content-Length and Transfer-Encoding exclude each other.",
            ));
        }
        (Some(length), None) => match content_length(length)? {
            0 => BodyLength::None,
            bytes => BodyLength::Bytes(bytes),
        },
        (None, Some(_)) if !http11 => {
            return Err(Refusal::new(400, "HTTP/1.0 has no Transfer-Encoding."));
        }
        (None, Some(coding)) => only_chunked(coding)?,
    };
    let expect_continue = match expect {
        None => false,
        Some(value) if value.eq_ignore_ascii_case("100-continue") => {
            http11 && body != BodyLength::None
        }
        Some(_) => {
            return Err(Refusal::new(
                417,
                "Only the expectation 100-continue is known.",
            ));
        }
    };
    Ok(Framing {
        body,
        keep_alive: !found.close && (http11 || found.keep_alive),
        expect_continue,
    })
}

/// Digits only: `+5`, `0x5`, `5, 5` and `-1` mean something to one parser or another.
fn content_length(value: &str) -> Result<u64, Refusal> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::new(400, "Content-Length must be a number."));
    }
    value
        .parse()
        .map_err(|_| Refusal::new(413, "The body is too large."))
}

fn only_chunked(value: &str) -> Result<BodyLength, Refusal> {
    if value.eq_ignore_ascii_case("chunked") {
        return Ok(BodyLength::Chunked);
    }
    let mut codings = value.split(',').map(str::trim);
    let malformed = codings
        .clone()
        .any(|coding| coding.is_empty() || !coding.bytes().all(super::head::is_token));
    let chunked_early = codings
        .clone()
        .rev()
        .skip(1)
        .any(|coding| coding.eq_ignore_ascii_case("chunked"));
    if malformed || chunked_early || codings.next().is_none() {
        return Err(Refusal::new(400, "Transfer-Encoding is malformed."));
    }
    Err(Refusal::new(
        501,
        "Only the transfer coding chunked is known.",
    ))
}

/// A name or address with an optional port; an empty one is allowed (RFC 9112 3.2).
pub(crate) fn is_host(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(&byte))
}
