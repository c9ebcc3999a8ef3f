//! The one seam outward: what a queue is, and what becomes of messages.

use super::consumer::{Confirm, Consumer};
use super::message::Published;

/// Who signed in: what [`Handler::sign_in`] returned.
pub type ClientId = u64;

/// How a consumer ended a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is done.
    Acked,
    /// It will not have it; it goes back where `requeue` says so.
    Rejected {
        /// Whether it goes back.
        requeue: bool,
    },
    /// Its channel ended first: nobody knows how far it came.
    Returned,
}

/// What stands behind the endpoint.
///
/// All calls come from threads of connections, many at once; one connection makes its
/// calls one after the other, in the order of its frames.
pub trait Handler: Send + Sync + 'static {
    /// Lets a client in, or not.
    fn sign_in(&self, user: &str, password: &str) -> Option<ClientId>;

    /// Hands over a consumer of a queue. An error, which the client reads, refuses it.
    fn consume(&self, client: ClientId, queue: &str, consumer: Consumer) -> Result<(), String>;

    /// Hears how a message ended that was delivered under `token`.
    fn settle(&self, client: ClientId, token: u64, how: Settlement);

    /// Takes a message over; where the client asked for it, `confirm` tells it so, then or
    /// later. One that is dropped unused says no.
    fn publish(&self, client: ClientId, message: Published, confirm: Confirm);

    /// Hears how messages ended that came in together, in their order.
    fn settle_all(&self, client: ClientId, settled: Vec<(u64, Settlement)>) {
        for (token, how) in settled {
            self.settle(client, token, how);
        }
    }

    /// Takes messages over that came in together, in their order: what they cost once is
    /// better paid once.
    fn publish_all(&self, client: ClientId, messages: Vec<(Published, Confirm)>) {
        for (message, confirm) in messages {
            self.publish(client, message, confirm);
        }
    }

    /// Hears that a consumer takes no more messages, though another of the same queue may
    /// have come meanwhile: [`Consumer::is_gone`] tells. Those that it has may still be
    /// settled, while its connection lives.
    fn cancelled(&self, client: ClientId, queue: &str);
}
