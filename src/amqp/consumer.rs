//! Handles that the handler keeps: a consumer to deliver to, a message to confirm.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::frame::{self, Kind};
use super::message::Delivery;
use super::method::Method;
use super::outbox::Outbox;

/// What a channel has delivered, and may deliver.
pub(super) struct Channel {
    number: u16,
    frame_max_bytes: u32,
    outbox: Arc<Outbox>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_tag: u64,
    unsettled: BTreeMap<u64, Unsettled>,
    consumers: Vec<Subscription>,
    is_closed: bool,
}

/// A message that was delivered and not settled.
struct Unsettled {
    token: u64,
    consumer: String,
}

/// A consumer on a channel.
struct Subscription {
    tag: String,
    queue: String,
    /// The most unsettled messages; 0 is no limit.
    prefetch: usize,
    /// Whether the client knows of it: nothing is sent before.
    has_begun: bool,
    unsettled: usize,
    waiting: VecDeque<Delivery>,
}

impl Channel {
    /// Makes a channel that was opened.
    pub(super) fn new(number: u16, frame_max_bytes: u32, outbox: Arc<Outbox>) -> Self {
        Self {
            number,
            frame_max_bytes,
            outbox,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a method on this channel.
    pub(super) fn send(&self, method: &[u8]) {
        let mut bytes = Vec::new();
        frame::push(&mut bytes, Kind::Method, self.number, method);
        self.outbox.send(bytes);
    }

    /// Adds a consumer; false where the tag is taken.
    pub(super) fn subscribe(&self, tag: &str, queue: &str, prefetch: u16) -> bool {
        let mut state = self.state();
        if state.consumers.iter().any(|it| it.tag == tag) {
            return false;
        }
        state.consumers.push(Subscription {
            tag: tag.to_owned(),
            queue: queue.to_owned(),
            prefetch: usize::from(prefetch),
            has_begun: false,
            unsettled: 0,
            waiting: VecDeque::new(),
        });
        true
    }

    /// Tells the client of its consumer, unless it did not want to hear; messages follow.
    pub(super) fn begin(&self, tag: &str, no_wait: bool) {
        let mut state = self.state();
        let State {
            next_tag,
            unsettled,
            consumers,
            ..
        } = &mut *state;
        if !no_wait {
            self.send(&Method::consume_ok(tag));
        }
        if let Some(consumer) = consumers.iter_mut().find(|it| it.tag == tag) {
            consumer.has_begun = true;
            self.send_waiting(consumer, next_tag, unsettled);
        }
    }

    /// Tells whether a consumer is on the channel.
    fn has(&self, tag: &str) -> bool {
        let state = self.state();
        !state.is_closed && state.consumers.iter().any(|it| it.tag == tag)
    }

    /// Removes a consumer; returns its queue and what was never sent to it.
    pub(super) fn unsubscribe(&self, tag: &str) -> Option<(String, Vec<u64>)> {
        let mut state = self.state();
        let at = state.consumers.iter().position(|it| it.tag == tag)?;
        let gone = state.consumers.remove(at);
        let waiting = gone.waiting.iter().map(|waiting| waiting.token).collect();
        Some((gone.queue, waiting))
    }

    /// Delivers messages, or keeps them until the consumer has room; false where the
    /// consumer is gone.
    fn deliver(&self, tag: &str, deliveries: impl IntoIterator<Item = Delivery>) -> bool {
        let mut state = self.state();
        let State {
            next_tag,
            unsettled,
            consumers,
            is_closed,
        } = &mut *state;
        let found = consumers.iter_mut().find(|it| it.tag == tag);
        let Some(consumer) = found.filter(|_| !*is_closed) else {
            return false;
        };
        consumer.waiting.extend(deliveries);
        self.send_waiting(consumer, next_tag, unsettled);
        true
    }

    /// Sends what a consumer has room for.
    fn send_waiting(
        &self,
        consumer: &mut Subscription,
        next_tag: &mut u64,
        unsettled: &mut BTreeMap<u64, Unsettled>,
    ) {
        let has_room = |it: &Subscription| it.prefetch == 0 || it.unsettled < it.prefetch;
        let mut frames = Vec::new();
        while consumer.has_begun && has_room(consumer) {
            let Some(delivery) = consumer.waiting.pop_front() else {
                break;
            };
            *next_tag += 1;
            consumer.unsettled += 1;
            let known = Unsettled {
                token: delivery.token,
                consumer: consumer.tag.clone(),
            };
            unsettled.insert(*next_tag, known);
            let number = self.number;
            delivery.to_frames(
                &mut frames,
                number,
                &consumer.tag,
                *next_tag,
                self.frame_max_bytes,
            );
        }
        if !frames.is_empty() {
            self.outbox.send(frames);
        }
    }

    /// Settles messages up to a tag, or that one alone; returns their tokens, and none
    /// where no such message is unsettled.
    pub(super) fn settle(&self, tag: u64, multiple: bool) -> Vec<u64> {
        let mut state = self.state();
        let State {
            next_tag,
            unsettled,
            consumers,
            ..
        } = &mut *state;
        let first = if multiple { 0 } else { tag };
        // With `multiple`, 0 is everything.
        let last = if multiple && tag == 0 { u64::MAX } else { tag };
        let tags: Vec<u64> = unsettled.range(first..=last).map(|(tag, _)| *tag).collect();
        let mut tokens = Vec::with_capacity(tags.len());
        for tag in tags {
            let Some(done) = unsettled.remove(&tag) else {
                continue;
            };
            tokens.push(done.token);
            let consumer = consumers.iter_mut().find(|it| it.tag == done.consumer);
            if let Some(consumer) = consumer {
                consumer.unsettled -= 1;
                self.send_waiting(consumer, next_tag, unsettled);
            }
        }
        tokens
    }

    /// Ends the channel; returns the queues of its consumers and what was not settled.
    pub(super) fn close(&self) -> (Vec<String>, Vec<u64>) {
        let mut state = self.state();
        state.is_closed = true;
        let mut tokens: Vec<u64> = std::mem::take(&mut state.unsettled)
            .into_values()
            .map(|unsettled| unsettled.token)
            .collect();
        let mut queues = Vec::new();
        for consumer in std::mem::take(&mut state.consumers) {
            tokens.extend(consumer.waiting.iter().map(|waiting| waiting.token));
            queues.push(consumer.queue);
        }
        (queues, tokens)
    }
}

/// A consumer, to deliver messages to.
///
/// It holds to what the client said it takes (`prefetch`): more messages wait here.
#[derive(Clone)]
pub struct Consumer {
    pub(super) channel: Arc<Channel>,
    pub(super) tag: String,
}

impl Consumer {
    /// Delivers a message, which is settled then in every case; false where the consumer
    /// is gone, and the message is as if it had never been delivered.
    #[must_use]
    pub fn deliver(&self, delivery: Delivery) -> bool {
        self.deliver_all([delivery])
    }

    /// Delivers messages in one piece, as [`Consumer::deliver`] does one.
    #[must_use]
    pub fn deliver_all(&self, deliveries: impl IntoIterator<Item = Delivery>) -> bool {
        self.channel.deliver(&self.tag, deliveries)
    }

    /// Tells whether the consumer takes nothing more.
    pub fn is_gone(&self) -> bool {
        !self.channel.has(&self.tag)
    }
}

/// A published message, to confirm.
///
/// Where the client asked for no confirms, nothing is sent. Dropped unused, it says no,
/// and the client sends the message again.
#[must_use]
pub struct Confirm {
    pub(super) channel: Option<(Arc<Channel>, u64)>,
}

impl Confirm {
    /// Says that the message is safe.
    pub fn accept(mut self) {
        if let Some((channel, tag)) = self.channel.take() {
            channel.send(&Method::ack(tag));
        }
    }

    /// Says that messages are safe, those of one channel in one piece: their client wakes
    /// up once.
    pub fn accept_all(confirms: impl IntoIterator<Item = Self>) {
        let mut last: Option<(Arc<Channel>, Vec<u8>)> = None;
        for mut confirm in confirms {
            let Some((channel, tag)) = confirm.channel.take() else {
                continue;
            };
            if let Some((before, bytes)) = last.take_if(|(it, _)| !Arc::ptr_eq(it, &channel)) {
                before.outbox.send(bytes);
            }
            let (_, bytes) = last.get_or_insert_with(|| (Arc::clone(&channel), Vec::new()));
            frame::push(bytes, Kind::Method, channel.number, &Method::ack(tag));
        }
        if let Some((channel, bytes)) = last {
            channel.outbox.send(bytes);
        }
    }

    /// Says that the message was not taken over.
    pub fn refuse(self) {
        drop(self);
    }
}

impl Drop for Confirm {
    fn drop(&mut self) {
        if let Some((channel, tag)) = self.channel.take() {
            channel.send(&Method::nack(tag));
        }
    }
}
