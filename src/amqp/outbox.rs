//! What a connection sends: queued here by any thread, written by one.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

/// The most pieces that wait to be sent. Deliveries are bounded by what a consumer may
/// have unsettled; a client that publishes and never reads its confirms is cut off here.
const PIECES_MAX: usize = 65_536;

/// The queue of one connection.
#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    is_closed: bool,
    is_broken: bool,
}

impl Outbox {
    /// Queues bytes; returns whether they can still be sent.
    pub(super) fn send(&self, bytes: Vec<u8>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return false;
        }
        if state.pieces.len() >= PIECES_MAX {
            state.is_closed = true;
            state.is_broken = true;
            state.pieces.clear();
        } else {
            state.pieces.push_back(bytes);
        }
        let sends = !state.is_closed;
        drop(state);
        self.ready.notify_one();
        sends
    }

    /// Takes nothing more; what is queued is still sent.
    pub(super) fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_closed = true;
        drop(state);
        self.ready.notify_one();
    }

    /// Tells whether it was cut off, so that the connection ends.
    pub(super) fn is_broken(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_broken
    }

    /// Returns everything that waits, after waiting for something; none at the end.
    pub(super) fn take(&self) -> Option<Vec<u8>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(mut bytes) = state.pieces.pop_front() {
                while let Some(more) = state.pieces.pop_front() {
                    bytes.extend_from_slice(&more);
                }
                return Some(bytes);
            }
            if state.is_closed {
                return None;
            }
            let waited = self.ready.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}
