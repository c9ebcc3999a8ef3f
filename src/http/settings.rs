//! Every limit of the room, each with its reason.

use std::net::IpAddr;

use crate::clock::Clock;

/// Most connections at once: each is a thread with about 17 KB resident, so 1,024 cost 20 MB.
pub const CONNECTIONS: usize = 1_024;

/// Most connections from one address (IPv6: from one /64).
///
/// A quarter of the cap: one greedy client can't push out more than that. Loopback, Unix sockets
/// and trusted proxies are exempt, since many people stand behind them.
pub const CONNECTIONS_PER_IP: usize = 256;

/// Connections waiting in the kernel to be accepted.
///
/// std asks for 128, and a burst beyond it costs clients a SYN retry of 1 s (`reliability.md` 1.4).
pub const LISTEN_BACKLOG: i32 = 1_024;

/// Longest request head in bytes: what Node and most proxies allow, 16 KiB.
pub const HEAD_BYTES: usize = 16 * 1_024;

/// Longest request line in bytes: RFC 9112 3 asks for at least 8,000.
pub const REQUEST_LINE_BYTES: usize = 8 * 1_024;

/// Most header fields in a request: browsers behind two proxies send about 30.
pub const HEADERS: usize = 64;

/// Most pairs in a query: `v2.md` filters need a dozen.
pub const QUERY_PAIRS: usize = 64;

/// Longest body in bytes that a handler accepts unless its route says otherwise.
pub const BODY_BYTES: u64 = 1_024 * 1_024;

/// Longest chunk-size line in bytes, extensions included: a size needs 16.
pub const CHUNK_LINE_BYTES: usize = 256;

/// Most bytes of trailers after a chunked body; they are checked and dropped.
pub const TRAILER_BYTES: usize = 4 * 1_024;

/// Largest unread body in bytes that is read away to keep the connection: less than the cost of a new one.
pub const DRAIN_BYTES: u64 = 64 * 1_024;

/// How long a closing connection still reads in milliseconds, so that the client sees the answer and not a reset.
pub const LINGER_MS: u64 = 500;

/// How many bytes a closing connection still reads at most.
pub const LINGER_BYTES: u64 = 1_024 * 1_024;

/// How long a head may take in milliseconds: a slow mobile network needs 2 s.
pub const HEAD_MS: u64 = 10_000;

/// How long a connection may be idle between requests in milliseconds (`settled.md`, HTTP).
pub const IDLE_MS: u64 = 15_000;

/// How long the first byte of progress in a body may take in milliseconds.
pub const BODY_MS: u64 = 10_000;

/// How long the first progress of an answer may take in milliseconds.
pub const WRITE_MS: u64 = 10_000;

/// Slowest transfer allowed: each of these bytes buys a second more.
pub const MIN_BYTES_PER_S: u64 = 1_024;

/// Longest wait in milliseconds that a fast start can buy, so that a megabyte sent at once doesn't pay for 17 minutes.
pub const TRANSFER_CREDIT_MS: u64 = 30_000;

/// Longest life of a streamed answer in milliseconds: clients of event streams reconnect by themselves.
pub const STREAM_MS: u64 = 3_600_000;

/// The stack of a connection's thread: handlers run short flows, whose expressions may
/// nest deeply. Only what is used takes memory.
pub const STACK_BYTES: usize = 2 * 1_024 * 1_024;

/// Longest graceful stop in milliseconds (`settled.md`, HTTP); below the 30 s after which supervisors kill.
pub const STOP_GRACE_MS: u64 = 25_000;

/// What a server may be told; [`Settings::default`] holds the constants of this module.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Most connections at once.
    pub connections: usize,
    /// Most connections from one address; loopback and `trusted_proxies` are exempt.
    pub connections_per_ip: usize,
    /// Connections waiting in the kernel.
    pub listen_backlog: i32,
    /// Longest request head in bytes.
    pub head_bytes: usize,
    /// Longest request line in bytes.
    pub request_line_bytes: usize,
    /// Most header fields, at most [`HEADERS`].
    pub headers: usize,
    /// Most pairs in a query.
    pub query_pairs: usize,
    /// Largest unread body in bytes that is read away.
    pub drain_bytes: u64,
    /// How long a closing connection still reads, in milliseconds.
    pub linger_ms: u64,
    /// How many bytes a closing connection still reads.
    pub linger_bytes: u64,
    /// How long a head may take, in milliseconds.
    pub head_ms: u64,
    /// How long a connection may be idle, in milliseconds.
    pub idle_ms: u64,
    /// How long a body may stand still at first, in milliseconds.
    pub body_ms: u64,
    /// How long an answer may stand still at first, in milliseconds.
    pub write_ms: u64,
    /// Longest standstill that received or sent bytes can buy, in milliseconds.
    pub transfer_credit_ms: u64,
    /// Longest life of a streamed answer, in milliseconds.
    pub stream_ms: u64,
    /// Stack of a connection's thread in bytes.
    pub stack_bytes: usize,
    /// Proxies whose `X-Forwarded-For` is believed, and which are exempt from the cap per address.
    pub trusted_proxies: Vec<IpAddr>,
    /// The clock of the `Date` header.
    pub clock: Clock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            connections_per_ip: CONNECTIONS_PER_IP,
            listen_backlog: LISTEN_BACKLOG,
            head_bytes: HEAD_BYTES,
            request_line_bytes: REQUEST_LINE_BYTES,
            headers: HEADERS,
            query_pairs: QUERY_PAIRS,
            drain_bytes: DRAIN_BYTES,
            linger_ms: LINGER_MS,
            linger_bytes: LINGER_BYTES,
            head_ms: HEAD_MS,
            idle_ms: IDLE_MS,
            body_ms: BODY_MS,
            write_ms: WRITE_MS,
            transfer_credit_ms: TRANSFER_CREDIT_MS,
            stream_ms: STREAM_MS,
            stack_bytes: STACK_BYTES,
            trusted_proxies: Vec::new(),
            clock: Clock::system(),
        }
    }
}
