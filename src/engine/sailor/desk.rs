//! What stands behind the AMQP endpoint: the fleet's processes as its clients.

use std::sync::{Arc, Weak};

use subtle::ConstantTimeEq;

use super::together;
use crate::amqp::{ClientId, Confirm, Consumer, Handler, Published, Settlement};
use crate::engine::shared::Shared;

/// The seam to the endpoint. It must not keep the engine alive: the engine's fleet holds
/// the endpoint.
pub(super) struct Desk {
    shared: Weak<Shared>,
}

impl Desk {
    /// Makes the desk of an engine.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::downgrade(shared),
        }
    }
}

/// Returns the name of a process: its user and its queue.
pub(super) fn name_of(number: u64) -> String {
    format!("step-{number}")
}

impl Handler for Desk {
    fn sign_in(&self, user: &str, password: &str) -> Option<ClientId> {
        let shared = self.shared.upgrade()?;
        let number: u64 = user.strip_prefix("step-")?.parse().ok()?;
        let state = shared.fleet.state();
        let process = state.processes.get(&number)?;
        let is_right = process.password.as_bytes().ct_eq(password.as_bytes());
        bool::from(is_right).then_some(number)
    }

    fn consume(&self, client: ClientId, queue: &str, consumer: Consumer) -> Result<(), String> {
        let shared = self.shared.upgrade();
        let shared = shared.ok_or_else(|| "the server is stopping".to_owned())?;
        if queue != name_of(client) {
            return Err("that queue is another's".to_owned());
        }
        shared.fleet.ready(client, consumer)
    }

    fn settle(&self, client: ClientId, token: u64, how: Settlement) {
        self.settle_all(client, vec![(token, how)]);
    }

    fn settle_all(&self, _: ClientId, settled: Vec<(u64, Settlement)>) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let mut ended = Vec::new();
        let mut of = None;
        for (token, how) in settled {
            if how == Settlement::Returned {
                shared.fleet.returned(token);
                continue;
            }
            if matches!(how, Settlement::Rejected { .. }) && !shared.fleet.rejected(token) {
                continue;
            }
            if let Some((in_flight, plan, step)) = shared.fleet.take(token) {
                // A process has messages of one step of one plan.
                of = Some((plan, step));
                ended.push(in_flight);
            }
        }
        if let Some((plan, step)) = of {
            together::end_all(&shared, &plan, step, ended);
        }
    }

    fn publish(&self, client: ClientId, message: Published, confirm: Confirm) {
        self.publish_all(client, vec![(message, confirm)]);
    }

    fn publish_all(&self, client: ClientId, messages: Vec<(Published, Confirm)>) {
        // Without an engine the messages are dropped, and so refused.
        if let Some(shared) = self.shared.upgrade() {
            together::publish_all(&shared, client, messages);
        }
    }

    fn cancelled(&self, client: ClientId, _: &str) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let mut state = shared.fleet.state();
        if let Some(process) = state.processes.get_mut(&client) {
            // A sailor that came again may have another meanwhile.
            process.consumer.take_if(|known| known.is_gone());
        }
    }
}
