//! The `http` room: sockets to requests, and responses back to sockets.
//!
//! A synchronous HTTP/1.1 server on `std::net` and `httparse`. It knows no resource: everything
//! above it is one [`Handler`]. `reliability.md` 1 holds the measurements that shaped it, and the
//! table there (1.2) is its test suite, case by case.
//!
//! # How it works
//!
//! * [`Server::start`] binds; one thread a listener accepts (`listener`).
//! * Each live connection has a thread (`connection`) that reads a head (`head`, `framing`,
//!   `target`), calls the handler, and writes its answer (`writer`). The request's body is read
//!   only when the handler asks for it (`body`, `chunked`).
//! * One guard thread (`guard`) ends whatever is late. A connection's phase and deadline are one
//!   atomic word (`phase`), so a request costs no system call for its time limits.
//! * At the cap on connections the least useful one makes room (`slots`).
//!
//! # Limits
//!
//! All in [`Settings`], each a named constant with its reason.
//!
//! # Invariants
//!
//! * Bytes that were not consumed as a request's body are never read as the next request, unless
//!   the whole body was drained first.
//! * No accept error, spawn error or panic of a handler ends a listener.
//! * Nothing is allocated because a client announced it; memory grows with received bytes only.

mod address;
pub mod basic;
mod body;
#[doc(hidden)] // Not for callers: public so that the fuzz target runs on the very parser.
pub mod chunked;
mod connection;
mod counters;
mod date;
#[doc(hidden)] // Not for callers: public so that the fuzz target runs on the very parser.
pub mod framing;
mod guard;
mod handler;
#[doc(hidden)] // Not for callers: public so that the fuzz target runs on the very parser.
pub mod head;
mod input;
mod listener;
pub mod media;
mod percent;
mod phase;
mod refusal;
mod request;
mod response;
pub mod router;
mod server;
mod settings;
mod slots;
mod socket;
mod status;
mod target;
mod unix;
mod writer;

pub use address::Address;
pub use body::{BodyError, BodyStream};
pub use counters::Counters;
pub use date::http_date;
pub use handler::{Exchange, Handler};
pub use refusal::Refusal;
pub use request::{Request, Version};
pub use response::{Content, Response};
pub use server::Server;
pub use settings::{
    BODY_BYTES, BODY_MS, CHUNK_LINE_BYTES, CONNECTIONS, CONNECTIONS_PER_IP, DRAIN_BYTES,
    HEAD_BYTES, HEAD_MS, HEADERS, IDLE_MS, LINGER_BYTES, LINGER_MS, LISTEN_BACKLOG,
    MIN_BYTES_PER_S, QUERY_PAIRS, REQUEST_LINE_BYTES, STACK_BYTES, STOP_GRACE_MS, STREAM_MS,
    Settings, TRAILER_BYTES, TRANSFER_CREDIT_MS, WRITE_MS,
};
pub use status::reason;
pub use target::{Path, Target};
