//! The smallest broker behind the endpoint: queues in memory, one for each routing key.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use elastane::amqp::{ClientId, Confirm, Consumer, Delivery, Handler, Published, Settlement};

/// What the broker holds.
#[derive(Default)]
pub struct Broker {
    state: Mutex<State>,
}

/// Queues, consumers, and what is out.
#[derive(Default)]
pub struct State {
    next: u64,
    waiting: HashMap<String, VecDeque<Delivery>>,
    consumers: HashMap<String, Consumer>,
    out: HashMap<u64, Delivery>,
    /// What consumers rejected for good.
    pub dead: Vec<Vec<u8>>,
    /// Everything that was published, by key.
    pub published: Vec<(String, Vec<u8>)>,
}

impl Broker {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked")
    }
}

impl State {
    /// Delivers what waits for a queue that has a consumer.
    fn pump(&mut self, queue: &str) {
        let Some(consumer) = self.consumers.get(queue).cloned() else {
            return;
        };
        let waiting = self.waiting.entry(queue.to_owned()).or_default();
        while let Some(delivery) = waiting.pop_front() {
            let token = delivery.token;
            self.out.insert(token, delivery.clone());
            if !consumer.deliver(delivery) {
                let back = self.out.remove(&token).expect("it was added above");
                waiting.push_front(back);
                self.consumers.remove(queue);
                return;
            }
        }
    }
}

impl Handler for Broker {
    fn sign_in(&self, user: &str, password: &str) -> Option<ClientId> {
        (user == "ada" && password == "secret").then_some(7)
    }

    fn consume(&self, client: ClientId, queue: &str, consumer: Consumer) -> Result<(), String> {
        assert_eq!(client, 7);
        if queue == "foreign" {
            return Err("that queue is another's".to_owned());
        }
        let mut state = self.state();
        state.consumers.insert(queue.to_owned(), consumer);
        state.pump(queue);
        Ok(())
    }

    fn settle(&self, _: ClientId, token: u64, how: Settlement) {
        let mut state = self.state();
        let Some(mut delivery) = state.out.remove(&token) else {
            return;
        };
        match how {
            Settlement::Acked => {}
            Settlement::Rejected { requeue: false } => state.dead.push(delivery.body),
            Settlement::Rejected { requeue: true } | Settlement::Returned => {
                delivery.redelivered = true;
                let queue = delivery.routing_key.clone();
                state
                    .waiting
                    .entry(queue.clone())
                    .or_default()
                    .push_front(delivery);
                state.pump(&queue);
            }
        }
    }

    fn publish(&self, _: ClientId, message: Published, confirm: Confirm) {
        let mut state = self.state();
        if message.routing_key == "refused" {
            return confirm.refuse();
        }
        let key = message.routing_key.clone();
        state.published.push((key.clone(), message.body.clone()));
        state.next += 1;
        let delivery = Delivery {
            token: state.next,
            exchange: message.exchange,
            routing_key: key.clone(),
            redelivered: false,
            properties: message.properties,
            body: message.body,
        };
        state
            .waiting
            .entry(key.clone())
            .or_default()
            .push_back(delivery);
        confirm.accept();
        state.pump(&key);
    }

    fn cancelled(&self, _: ClientId, queue: &str) {
        let mut state = self.state();
        // Another consumer may have come meanwhile.
        if state.consumers.get(queue).is_some_and(Consumer::is_gone) {
            state.consumers.remove(queue);
        }
    }
}
