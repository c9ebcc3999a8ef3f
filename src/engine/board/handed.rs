//! Messages that processes work on: no worker waits for them.

use super::Board;
use crate::domain::id::FlowId;
use crate::domain::run::part::Queued;

/// What a message in work takes up besides its place in the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A worker, and one of its step's.
    Worker,
    /// One of its step's: a process works on it.
    Step,
    /// Nothing any more.
    None,
}

impl Board {
    /// Says that a process works on a message from now on: it counts against the prefetch
    /// of its step, and no more against the flow's share of the workers.
    pub fn hand_over(&mut self, message: &Queued) {
        if !self.handed.insert(message.seq) {
            return;
        }
        if let Some(queues) = self.flows.get_mut(&message.flow) {
            queues.in_work = queues.in_work.saturating_sub(1);
        }
        self.free_worker();
        self.wake(message.flow);
    }

    /// Says that a process is done with a message, before its end is on the disk: the next
    /// one may have its place.
    pub fn release(&mut self, message: &Queued) {
        if self.handed.remove(&message.seq) {
            self.released.insert(message.seq);
            self.leave_step(message.flow, &message.step);
        }
    }

    /// Takes the next message of a step for a process, as if a worker had handed it over;
    /// none where there is none that may begin.
    pub fn take_next(&mut self, flow: FlowId, step: &str, now_ms: i64) -> Option<Queued> {
        let queues = self.flows.get_mut(&flow)?;
        let rule = queues.rules.as_ref()?.get(step)?;
        let is_full = |to: &String| {
            let fed = queues.steps.get(to);
            fed.is_some_and(|queue| queue.is_full(&self.limits))
        };
        if queues.is_suspended || rule.feeds.iter().any(is_full) {
            return None;
        }
        let prefetch = rule.prefetch;
        let queue = queues.steps.get_mut(step)?;
        if queue.in_work >= prefetch || queue.rests_until_ms > now_ms {
            return None;
        }
        let message = queue.ready.pop_front()?;
        queue.in_work += 1;
        self.in_work.insert(message.seq);
        self.handed.insert(message.seq);
        Some(message)
    }

    /// Tells whether a step has messages and a place for one.
    pub fn could_go_on(&self, flow: FlowId, step: &str) -> bool {
        let Some(queues) = self.flows.get(&flow) else {
            return false;
        };
        let rule = queues.rules.as_ref().and_then(|rules| rules.get(step));
        let prefetch = rule.map_or(1, |rule| rule.prefetch);
        let queue = queues.steps.get(step);
        queue.is_some_and(|it| it.in_work < prefetch && (it.has_more || !it.ready.is_empty()))
    }

    /// Returns what a message takes up, which it does no more.
    pub(super) fn place_of(&mut self, seq: i64) -> Place {
        if self.released.remove(&seq) {
            Place::None
        } else if self.handed.remove(&seq) {
            Place::Step
        } else {
            Place::Worker
        }
    }

    /// Frees what a message took up.
    pub(super) fn rest(&mut self, flow: FlowId, step: &str, place: Place) {
        if place == Place::Worker {
            self.free_worker();
            if let Some(queues) = self.flows.get_mut(&flow) {
                queues.in_work = queues.in_work.saturating_sub(1);
            }
        }
        if place != Place::None {
            self.leave_step(flow, step);
        }
        self.wake(flow);
    }

    /// Gives a place of a step back.
    fn leave_step(&mut self, flow: FlowId, step: &str) {
        if let Some(queues) = self.flows.get_mut(&flow)
            && let Some(queue) = queues.steps.get_mut(step)
        {
            queue.in_work = queue.in_work.saturating_sub(1);
        }
        self.wake(flow);
    }
}
