//! How much may wait, and how large a message may be.

/// The limits of queues and messages (`runtime.md 4.9`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// The messages that wait for a step before it is full: then the steps before it
    /// wait, and the webhook answers 429. A call that began before may go over it.
    pub queue_messages: u64,
    /// The same in bytes of their bodies as JSON.
    pub queue_bytes: u64,
    /// The largest message that a step may make or a webhook may take, in bytes of its
    /// body.
    pub message_bytes: usize,
}

impl Default for RunLimits {
    /// Returns what the platform documents.
    fn default() -> Self {
        Self {
            queue_messages: 75_000,
            queue_bytes: 200 * 1024 * 1024,
            message_bytes: 10 * 1024 * 1024,
        }
    }
}
