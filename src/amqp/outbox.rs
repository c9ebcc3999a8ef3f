//! What a connection sends: at once by whoever has it, where the client reads as fast;
//! else queued here, and written by one thread.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::net::{SendFlags, send};

/// The most pieces that wait to be sent. Deliveries are bounded by what a consumer may
/// have unsettled; a client that publishes and never reads its confirms is cut off here.
const PIECES_MAX: usize = 65_536;

/// The queue of one connection.
#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    ready: Condvar,
    /// Where pieces go that find nothing before them; without it all of them wait.
    direct: Option<TcpStream>,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    /// Whether the sending thread has pieces that it has not written yet.
    is_writing: bool,
    is_closed: bool,
    is_broken: bool,
}

impl Outbox {
    /// Makes the queue of a connection, which is written to at once where that needs no
    /// waiting: a message costs no switch of threads.
    pub(super) fn over(stream: TcpStream) -> Self {
        Self {
            direct: Some(stream),
            ..Self::default()
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends or queues bytes; returns whether they can still be sent.
    pub(super) fn send(&self, mut bytes: Vec<u8>) -> bool {
        let mut state = self.state();
        if state.is_closed {
            return false;
        }
        if state.pieces.is_empty() && !state.is_writing {
            let written = self.send_now(&bytes);
            if written == bytes.len() {
                return true;
            }
            bytes.drain(..written);
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

    /// Writes what the system takes without waiting; a failure is for the sending thread
    /// to find.
    fn send_now(&self, bytes: &[u8]) -> usize {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = self.direct.as_ref().map(|to| send(to, bytes, flags));
        sent.and_then(Result::ok).unwrap_or(0)
    }

    /// Takes nothing more; what is queued is still sent.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.ready.notify_one();
    }

    /// Tells whether it was cut off, so that the connection ends.
    pub(super) fn is_broken(&self) -> bool {
        self.state().is_broken
    }

    /// Returns everything that waits, after waiting for something; none at the end. What
    /// was taken before is written then.
    pub(super) fn take(&self) -> Option<Vec<u8>> {
        let mut state = self.state();
        state.is_writing = false;
        loop {
            if let Some(mut bytes) = state.pieces.pop_front() {
                while let Some(more) = state.pieces.pop_front() {
                    bytes.extend_from_slice(&more);
                }
                state.is_writing = true;
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
