//! What each worker has in hand, and since when: a step that takes too long is taken
//! away from its worker.
//!
//! A thread can't be stopped from outside. So the worker is left with its call, and
//! another takes its place. Whoever takes the work out of here first ends it, and the
//! other one lets it be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::plan::FlowPlan;
use crate::clock::monotonic_ms;
use crate::domain::run::part::Queued;

/// The workers that may be left with calls that never end: what more would do to the
/// machine is worse than a flow that waits.
const LEFT_MAX: usize = 64;

/// What the workers have in hand.
#[derive(Default)]
pub(super) struct InHand {
    hands: Mutex<Hands>,
    /// The workers that were replaced and have not come back.
    left: AtomicUsize,
}

/// The same, under its lock.
#[derive(Default)]
struct Hands {
    next: u64,
    hands: HashMap<u64, Hand>,
}

/// What one worker has in hand.
pub(super) struct Hand {
    /// The flow.
    pub(super) plan: Arc<FlowPlan>,
    /// The messages that it took together.
    pub(super) messages: Arc<Vec<Queued>>,
    /// Which of them it works on.
    pub(super) at: usize,
    since_ms: u64,
}

impl InHand {
    /// Notes what a worker takes up; returns the ticket for the rest.
    pub(super) fn take_up(&self, plan: &Arc<FlowPlan>, messages: &Arc<Vec<Queued>>) -> u64 {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        hands.next += 1;
        let ticket = hands.next;
        let hand = Hand {
            plan: Arc::clone(plan),
            messages: Arc::clone(messages),
            at: 0,
            since_ms: monotonic_ms(),
        };
        hands.hands.insert(ticket, hand);
        ticket
    }

    /// Notes that a worker goes on with its message number `at`.
    pub(super) fn go_on(&self, ticket: u64, at: usize) {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hand) = hands.hands.get_mut(&ticket) {
            hand.at = at;
            hand.since_ms = monotonic_ms();
        }
    }

    /// Takes the work out for its worker to end it; false where it was taken away.
    pub(super) fn lay_down(&self, ticket: u64) -> bool {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        hands.hands.remove(&ticket).is_some()
    }

    /// Takes away what takes longer than `limit_ms`.
    pub(super) fn overdue(&self, limit_ms: u64) -> Vec<Hand> {
        let before_ms = monotonic_ms().saturating_sub(limit_ms);
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        let late = hands.hands.extract_if(|_, hand| hand.since_ms < before_ms);
        late.map(|(_, hand)| hand).collect()
    }

    /// Notes that a worker needs a replacement; false where it gets none.
    pub(super) fn replace(&self) -> bool {
        let more = |left| (left < LEFT_MAX).then_some(left + 1);
        self.left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .is_ok()
    }

    /// Notes that a worker came back whose work was taken away; tells whether somebody
    /// has its place.
    pub(super) fn is_replaced(&self) -> bool {
        let fewer = |left: usize| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer)
            .is_ok()
    }
}
