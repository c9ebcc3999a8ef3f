//! Answers that the server makes itself, before or without a handler.

use std::fmt::Write as _;

use super::response::Response;

/// A request that the server answers without its handler.
///
/// [`Handler::refuse`](super::Handler::refuse) gives it a body, so that each API may keep its own
/// shape. The message is safe to show: it names the rule and never repeats what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 400, 408, 413, 414, 417, 431, 500, 501, 503 or 505.
    pub status: u16,
    /// What is wrong, in one sentence.
    pub message: &'static str,
    /// The raw request target, where the request line could be read.
    pub target: Option<String>,
    /// Seconds for `Retry-After`; only with 503.
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    pub(crate) const fn new(status: u16, message: &'static str) -> Self {
        Self {
            status,
            message,
            target: None,
            retry_after_s: None,
        }
    }

    /// The answer to a connection for which there is no room.
    pub(crate) const fn no_room() -> Self {
        Self {
            status: 503,
            message: "The server has no room for another connection.",
            target: None,
            retry_after_s: Some(1),
        }
    }

    /// Returns the refusal in the shape of API v1, `{"message": "…"}`.
    #[must_use]
    pub fn to_json(&self) -> Response {
        let mut body = String::with_capacity(self.message.len() + 16);
        body.push_str("{\"message\":\"");
        for character in self.message.chars() {
            match character {
                '"' => body.push_str("\\\""),
                '\\' => body.push_str("\\\\"),
                control if control.is_control() => {
                    let _infallible = write!(body, "\\u{:04x}", u32::from(control));
                }
                other => body.push(other),
            }
        }
        body.push_str("\"}");
        Response::new(self.status)
            .header("Content-Type", "application/json; charset=utf-8")
            .bytes(body)
    }
}
