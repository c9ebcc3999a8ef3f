//! Requests of steps: any method, headers and body, and the whole answer back.
//!
//! The guard is the one of all outgoing requests, at each redirect again. Failures are
//! sorted, since a step treats a slow target differently from a forbidden one.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use ureq::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::tls::TlsConfig;
use ureq::{Body, Timeout};

use super::{MAX_REDIRECTS, MAX_RESPONSE_BYTES, Outgoing, PrivateAddress, TargetUrl};
use crate::app::App;
use crate::clock::monotonic_ms;
use crate::domain::{Error, Kind, Result};

/// The time limit where a step names none.
pub const DEFAULT_TIMEOUT_MS: u64 = 100_000;

/// The longest time limit that a step may name: a message is taken from a step that
/// holds it for half an hour (`runtime.md 4.9`).
pub const MAX_TIMEOUT_MS: u64 = 20 * 60 * 1_000;

/// Headers that the client writes itself; what a step says of them is left out, since
/// two opinions of where a body ends are a hole.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that go along to another host; the others may hold what is meant for the
/// first one alone.
const HARMLESS_HEADERS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// A request of a step.
#[derive(Clone)]
pub struct StepRequest {
    /// The method, in upper case; CONNECT and TRACE are refused.
    pub method: String,
    /// Where it goes.
    pub url: TargetUrl,
    /// Names and values, in order; of framing headers the client's own are sent.
    pub headers: Vec<(String, String)>,
    /// The body, for any method.
    pub body: Option<Vec<u8>>,
    /// Whether redirects are followed, at most five; else a redirect is the answer.
    pub follow_redirects: bool,
    /// The time for everything, in milliseconds; at most [`MAX_TIMEOUT_MS`].
    pub timeout_ms: u64,
    /// The most bytes of the answer's body; at most [`MAX_RESPONSE_BYTES`].
    pub response_max_bytes: u64,
    /// Whether a certificate that proves nothing is taken (`noStrictSSL`).
    pub any_certificate: bool,
}

impl StepRequest {
    /// Makes a request without headers and body, with the defaults of steps.
    pub fn new(method: impl Into<String>, url: TargetUrl) -> Self {
        Self {
            method: method.into(),
            url,
            headers: Vec::new(),
            body: None,
            follow_redirects: true,
            timeout_ms: DEFAULT_TIMEOUT_MS,
            response_max_bytes: MAX_RESPONSE_BYTES,
            any_certificate: false,
        }
    }
}

impl fmt::Debug for StepRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers, path and body may hold secrets.
        write!(f, "StepRequest({} {:?})", self.method, self.url)
    }
}

/// The answer to a request of a step.
#[derive(Clone)]
pub struct StepResponse {
    /// The status.
    pub status: u16,
    /// The usual name of the status; empty where it has none. The client does not keep the
    /// words of the server.
    pub status_text: String,
    /// Names in lower case and values, in order; a name may occur again.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl StepResponse {
    /// Returns the first value of a header; the name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for StepResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StepResponse({}, {} bytes)",
            self.status,
            self.body.len()
        )
    }
}

/// Why a request of a step has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFault {
    /// The method, a header or a limit is no valid one.
    Invalid,
    /// The target has a private address, which the settings don't allow.
    Refused,
    /// The name of the host is not known.
    Unknown,
    /// Nobody took the connection, or it broke.
    Connect,
    /// TLS failed; most often the certificate is not one that can be trusted.
    Tls,
    /// The time was over.
    Timeout,
    /// The answer has more bytes than are taken.
    TooLarge,
    /// A redirect leads nowhere, or there are too many.
    Redirect,
    /// The answer is not HTTP.
    Protocol,
}

/// A failed request, with a message that names no path, no header and no body.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// What went wrong.
    pub fault: SendFault,
    /// What went wrong, as a sentence for whoever made the flow.
    pub message: String,
}

impl SendError {
    fn new(fault: SendFault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
        }
    }

    /// Tells whether the same request may succeed later: for the rebound of a step.
    pub fn may_pass(&self) -> bool {
        matches!(
            self.fault,
            SendFault::Unknown | SendFault::Connect | SendFault::Timeout
        )
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        let kind = match error.fault {
            SendFault::Invalid => Kind::Invalid,
            SendFault::Refused => Kind::Forbidden,
            SendFault::TooLarge => Kind::TooLarge,
            _ => Kind::Unavailable,
        };
        Self::new(kind, error.message)
    }
}

impl App {
    /// Reads the URL that a step wants to call; private addresses are refused unless the
    /// operator allows them.
    pub fn step_url(&self, field: &str, text: &str) -> Result<TargetUrl> {
        TargetUrl::of_step(field, text, self.inner.rules.allow_private_networks)
    }

    /// Sends a request of a step through the guard; see [`Outgoing::send`].
    pub fn send(&self, request: &StepRequest) -> Result<StepResponse, SendError> {
        self.inner.outgoing.send(request)
    }
}

impl Outgoing {
    /// Sends a request of a step and returns the answer, whatever its status.
    ///
    /// A redirect is followed as browsers do it: 303 becomes a GET, 301 and 302 make one
    /// of a POST, the others keep method and body. To another host only headers go along
    /// that can't be secrets.
    pub fn send(&self, request: &StepRequest) -> Result<StepResponse, SendError> {
        let timeout_ms = request.timeout_ms.clamp(1, MAX_TIMEOUT_MS);
        let deadline_ms = monotonic_ms() + timeout_ms;
        let mut hop = Hop::first(request)?;
        for _ in 0..=MAX_REDIRECTS {
            let left_ms = deadline_ms.saturating_sub(monotonic_ms());
            if left_ms == 0 {
                return Err(too_slow(timeout_ms));
            }
            let told = |error| sorted(error, timeout_ms);
            let answer = self
                .send_hop(&hop, request, Duration::from_millis(left_ms))
                .map_err(told)?;
            let location = location_of(&answer).filter(|_| request.follow_redirects);
            let Some(location) = location else {
                return whole(answer, request, timeout_ms);
            };
            hop = hop.redirected(answer.status(), &location)?;
        }
        Err(bad_redirect("is one of too many"))
    }

    fn send_hop(
        &self,
        hop: &Hop,
        request: &StepRequest,
        time: Duration,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut head = Request::builder()
            .method(hop.method.clone())
            .uri(hop.url.uri.clone());
        if let Some(headers) = head.headers_mut() {
            headers.clone_from(&hop.headers);
        }
        let tls = TlsConfig::builder()
            .disable_verification(request.any_certificate)
            .build();
        // A body of nothing says so where the method has one.
        let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(&hop.method);
        if let Some(body) = hop.body.as_deref().or(has_body.then_some(&[][..])) {
            let made = self.agent.configure_request(head.body(body)?);
            let made = made.timeout_global(Some(time)).tls_config(tls);
            self.agent
                .run(made.allow_non_standard_methods(true).build())
        } else {
            let made = self.agent.configure_request(head.body(())?);
            let made = made.timeout_global(Some(time)).tls_config(tls);
            self.agent
                .run(made.allow_non_standard_methods(true).build())
        }
    }
}

/// One request of a chain of redirects.
struct Hop {
    method: Method,
    url: TargetUrl,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Hop {
    /// Checks what the step wants to send.
    fn first(request: &StepRequest) -> Result<Self, SendError> {
        let invalid = |message: &str| SendError::new(SendFault::Invalid, message);
        let method = Method::from_bytes(request.method.as_bytes())
            .ok()
            .filter(|method| *method != Method::CONNECT && *method != Method::TRACE)
            .ok_or_else(|| invalid("the method is not one that can be sent"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let known = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| invalid("a header has a name that can't be sent"))?;
            if OWN_HEADERS.contains(&known.as_str()) {
                continue;
            }
            let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| {
                invalid(&format!(
                    "the header `{known}` has a value that can't be sent"
                ))
            })?;
            headers.append(known, value);
        }
        Ok(Self {
            method,
            url: request.url.clone(),
            headers,
            body: request.body.clone(),
        })
    }

    /// Returns the request that follows a redirect.
    fn redirected(mut self, status: StatusCode, location: &str) -> Result<Self, SendError> {
        let next = self.url.redirected(location).map_err(bad_redirect)?;
        if next.uri.authority() != self.url.uri.authority() {
            let kept = |name: &str| HARMLESS_HEADERS.contains(&name);
            let names: Vec<HeaderName> = self.headers.keys().cloned().collect();
            for name in names.iter().filter(|name| !kept(name.as_str())) {
                self.headers.remove(name);
            }
        }
        let becomes_get = match status.as_u16() {
            303 => self.method != Method::HEAD,
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = None;
            self.headers.remove(header::CONTENT_TYPE);
        }
        self.url = next;
        Ok(self)
    }
}

/// Returns where an answer redirects to.
fn location_of(answer: &Response<Body>) -> Option<String> {
    let redirects = [301, 302, 303, 307, 308].contains(&answer.status().as_u16());
    let location = answer.headers().get(header::LOCATION)?.to_str().ok()?;
    redirects.then(|| location.to_owned())
}

/// Reads an answer to its end.
fn whole(
    answer: Response<Body>,
    request: &StepRequest,
    timeout_ms: u64,
) -> Result<StepResponse, SendError> {
    let (head, body) = answer.into_parts();
    let most = request.response_max_bytes.min(MAX_RESPONSE_BYTES);
    let mut bytes = Vec::new();
    body.into_reader()
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| sorted(ureq::Error::from(error), timeout_ms))?;
    if bytes.len() as u64 > most {
        return Err(SendError::new(
            SendFault::TooLarge,
            format!("the answer has more than {most} bytes"),
        ));
    }
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), value.into_owned())
    });
    Ok(StepResponse {
        status: head.status.as_u16(),
        status_text: head
            .status
            .canonical_reason()
            .unwrap_or_default()
            .to_owned(),
        headers: headers.collect(),
        body: bytes,
    })
}

/// Sorts a failure of the client.
fn sorted(error: ureq::Error, timeout_ms: u64) -> SendError {
    let (fault, message) = match error {
        ureq::Error::Other(inner) if inner.is::<PrivateAddress>() => (
            SendFault::Refused,
            "the target has a private or local address, which the settings don't allow \
             (allow_private_networks)"
                .to_owned(),
        ),
        ureq::Error::Timeout(Timeout::Resolve) | ureq::Error::HostNotFound => (
            SendFault::Unknown,
            "the target's host is not known".to_owned(),
        ),
        ureq::Error::Timeout(_) => return too_slow(timeout_ms),
        ureq::Error::Rustls(inner) => (SendFault::Tls, format!("TLS failed: {inner}")),
        ureq::Error::Tls(inner) => (SendFault::Tls, format!("TLS failed: {inner}")),
        ureq::Error::Io(inner) if of_tls(&inner) => {
            (SendFault::Tls, format!("TLS failed: {inner}"))
        }
        ureq::Error::Io(inner) if inner.kind() == std::io::ErrorKind::TimedOut => {
            return too_slow(timeout_ms);
        }
        ureq::Error::Io(inner) => (
            SendFault::Connect,
            format!("the target can't be reached: {}", inner.kind()),
        ),
        ureq::Error::ConnectionFailed => {
            (SendFault::Connect, "the target can't be reached".to_owned())
        }
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => (
            SendFault::Protocol,
            "the target's answer is not HTTP, or has too long a head".to_owned(),
        ),
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
            (SendFault::Invalid, "the request can't be sent".to_owned())
        }
        _ => (
            SendFault::Connect,
            "the target did not answer the request".to_owned(),
        ),
    };
    SendError::new(fault, message)
}

/// Tells whether a failure of a socket is one of TLS, which wraps its own into it.
fn of_tls(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
}

fn too_slow(timeout_ms: u64) -> SendError {
    let message = format!("the target did not answer within {timeout_ms} ms");
    SendError::new(SendFault::Timeout, message)
}

fn bad_redirect(fault: &str) -> SendError {
    SendError::new(
        SendFault::Redirect,
        format!("the target's redirect can't be followed: it {fault}"),
    )
}
