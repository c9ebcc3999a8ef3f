//! The one seam between the room and what stands above it.

use std::net::IpAddr;

use super::refusal::Refusal;
use super::request::Request;
use super::response::Response;

/// What answers requests.
///
/// It's called on the connection's own thread, many at once. A closure
/// `Fn(&mut Request<'_>) -> Response` is one.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request. A panic is answered with 500 and closes the connection.
    fn handle(&self, request: &mut Request<'_>) -> Response;

    /// Shapes an answer that the server makes itself; by default `{"message": "…"}`.
    ///
    /// The status, `Retry-After` and the closing of the connection are the server's, whatever this
    /// returns. It must not panic; if it does, the default shape is sent.
    fn refuse(&self, refusal: &Refusal) -> Response {
        refusal.to_json()
    }

    /// Hears of each answered request, for an access log; by default nothing.
    fn finished(&self, exchange: &Exchange<'_>) {
        let _ = exchange;
    }
}

impl<F> Handler for F
where
    F: Fn(&mut Request<'_>) -> Response + Send + Sync + 'static,
{
    fn handle(&self, request: &mut Request<'_>) -> Response {
        self(request)
    }
}

/// One request and its answer, after the fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange<'e> {
    /// The method; empty if the head could not be read.
    pub method: &'e str,
    /// The raw target; empty if the head could not be read. Its query may hold secrets.
    pub target: &'e str,
    /// The other end; `None` on Unix sockets.
    pub peer: Option<IpAddr>,
    /// The status that was sent.
    pub status: u16,
    /// Bytes of the answer, head included.
    pub bytes_out: u64,
    /// Time from the complete head to the end of the answer, in milliseconds.
    pub took_ms: u64,
    /// Whether the answer was sent as a whole.
    pub complete: bool,
}
