//! Callbacks: what was accepted now is told to a URL later (`v1.md 2.1`).
//!
//! One thread sends them, so a slow target delays other callbacks and nothing else.
//! They are not durable: the user that a callback tells of is, and a client that hears
//! nothing can ask for it.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::Value;

use super::App;
use super::outgoing::{Outgoing, TargetUrl};
use crate::domain::{Error, Result};

/// Callbacks that wait: at ten seconds each the last one still leaves within minutes.
const QUEUE: usize = 32;

/// Times that one callback is tried.
const TRIES: u32 = 3;

/// The wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// One callback.
struct Callback {
    target: TargetUrl,
    body: Value,
}

/// The thread that sends callbacks, which ends with the application.
pub(super) struct Callbacks {
    queue: Sender<Callback>,
}

impl Callbacks {
    /// Starts it.
    pub(super) fn start(outgoing: Outgoing) -> Result<Self> {
        let (queue, waiting) = bounded(QUEUE);
        crate::thread::spawn("callbacks", None, move || send_all(&outgoing, &waiting))
            .map_err(Error::internal)?;
        Ok(Self { queue })
    }
}

impl App {
    /// Checks the URL of a callback; private addresses are refused unless the operator
    /// allows them.
    pub fn callback_target(&self, field: &str, url: &str) -> Result<TargetUrl> {
        let target = TargetUrl::parse(field, url, self.inner.rules.allow_private_networks)?;
        if self.inner.callbacks.queue.is_full() {
            return Err(Error::unavailable("too many callbacks are waiting", 10));
        }
        Ok(target)
    }

    /// Posts a body to a target, some time soon and at most three times.
    pub fn post_later(&self, target: TargetUrl, body: Value) {
        if self
            .inner
            .callbacks
            .queue
            .try_send(Callback { target, body })
            .is_err()
        {
            tracing::warn!("a callback is dropped: too many are waiting");
        }
    }
}

/// Sends callbacks until the application ends.
fn send_all(outgoing: &Outgoing, waiting: &Receiver<Callback>) {
    while let Ok(callback) = waiting.recv() {
        let mut wait = FIRST_WAIT;
        for attempt in 1..=TRIES {
            match outgoing.post_json(&callback.target, &callback.body) {
                Ok(status) if (200..300).contains(&status) => break,
                Ok(status) => tracing::warn!(attempt, status, "a callback was not taken"),
                Err(error) => tracing::warn!(attempt, "a callback failed: {error}"),
            }
            if attempt < TRIES {
                std::thread::sleep(wait);
                wait *= 2;
            }
        }
    }
}
