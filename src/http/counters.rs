//! What the server counts about itself, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one server since its start; gauges are marked as such.
///
/// Relaxed atomics: a reader sees each number exactly, but not all of the same instant.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections accepted, shed ones included.
    pub accepted: AtomicU64,
    /// Gauge: connections open now.
    pub connections: AtomicU64,
    /// Gauge: requests between their head and the end of their answer.
    pub in_flight: AtomicU64,
    /// Answers by the first digit of their status; index 2 is 2xx. Indexes 0 and 1 stay zero.
    pub answers: [AtomicU64; 6],
    /// Connections closed to make room for a new one.
    pub evicted: AtomicU64,
    /// Connections answered 503 because there was no room, no descriptor or no thread.
    pub shed: AtomicU64,
    /// Connections cut at a deadline, idle ones included.
    pub timeouts: AtomicU64,
    /// Handlers that panicked.
    pub panics: AtomicU64,
    /// Bytes read from sockets.
    pub bytes_in: AtomicU64,
    /// Bytes written to sockets.
    pub bytes_out: AtomicU64,
    /// Errors of `accept`, descriptor exhaustion included.
    pub accept_errors: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn one_more(counter: &AtomicU64) {
        Self::add(counter, 1);
    }

    pub(crate) fn one_less(counter: &AtomicU64) {
        counter.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, status: u16) {
        if let Some(class) = self.answers.get(usize::from(status / 100)) {
            Self::one_more(class);
        }
    }
}
