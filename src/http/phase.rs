//! A connection's phase, deadline and end in one atomic word.
//!
//! # Locking
//!
//! The connection's thread is the only one that changes phases; the guard, a stop and an eviction
//! only mark the word as cut, and only if it's still the one that they looked at. So a deadline
//! never hits a connection that has moved on in between.

use std::sync::atomic::{AtomicU64, Ordering};

/// The deadline of phases that have none.
pub(crate) const NEVER: u64 = (1 << CUT_SHIFT) - 1;

const CUT_SHIFT: u32 = 56;
const PHASE_SHIFT: u32 = 60;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Accepted; no byte has come yet.
    Fresh,
    /// Between two requests.
    Idle,
    /// Part of a head has come.
    Head,
    /// Waits for bytes of a body.
    Body,
    /// The handler, or the source of a streamed answer, is at work.
    Handling,
    /// Waits for the client to take bytes.
    Writing,
    /// Answered for the last time; reads what the client still sends.
    Lingering,
}

/// Why somebody else ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its deadline passed.
    Late,
    /// The server stops and nothing was in flight here.
    Stop,
    /// It made room for another.
    Evicted,
}

/// One reading of the word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    raw: u64,
    pub(crate) phase: Phase,
    pub(crate) cut: Option<Cut>,
    pub(crate) deadline_ms: u64,
}

/// The word itself.
#[derive(Debug)]
pub(crate) struct State(AtomicU64);

fn pack(phase: Phase, deadline_ms: u64) -> u64 {
    ((phase as u64) << PHASE_SHIFT) | deadline_ms.min(NEVER)
}

fn unpack_cut(raw: u64) -> Option<Cut> {
    match (raw >> CUT_SHIFT) & 0xf {
        0 => None,
        1 => Some(Cut::Late),
        2 => Some(Cut::Stop),
        _ => Some(Cut::Evicted),
    }
}

fn cut_bits(cut: Cut) -> u64 {
    let number: u64 = match cut {
        Cut::Late => 1,
        Cut::Stop => 2,
        Cut::Evicted => 3,
    };
    number << CUT_SHIFT
}

fn view_of(raw: u64) -> View {
    let phase = match raw >> PHASE_SHIFT {
        0 => Phase::Fresh,
        1 => Phase::Idle,
        2 => Phase::Head,
        3 => Phase::Body,
        4 => Phase::Handling,
        5 => Phase::Writing,
        _ => Phase::Lingering,
    };
    View {
        raw,
        phase,
        cut: unpack_cut(raw),
        deadline_ms: raw & NEVER,
    }
}

impl State {
    pub(crate) fn new(phase: Phase, deadline_ms: u64) -> Self {
        Self(AtomicU64::new(pack(phase, deadline_ms)))
    }

    /// Moves on to a phase, unless the connection was cut.
    ///
    /// For the connection's own thread only.
    pub(crate) fn enter(&self, phase: Phase, deadline_ms: u64) -> Result<(), Cut> {
        let next = pack(phase, deadline_ms);
        let mut seen = self.0.load(Ordering::SeqCst);
        loop {
            if let Some(cut) = unpack_cut(seen) {
                return Err(cut);
            }
            match self
                .0
                .compare_exchange_weak(seen, next, Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
    }

    /// Moves on to a phase although the connection was cut: the last answer needs a deadline too.
    pub(crate) fn force(&self, phase: Phase, deadline_ms: u64) {
        self.0.store(pack(phase, deadline_ms), Ordering::SeqCst);
    }

    pub(crate) fn cut(&self) -> Option<Cut> {
        unpack_cut(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn view(&self) -> View {
        view_of(self.0.load(Ordering::SeqCst))
    }

    /// Marks the connection as cut if it's still where it was seen; says whether it was.
    pub(crate) fn try_cut(&self, seen: View, cut: Cut) -> bool {
        seen.cut.is_none()
            && self
                .0
                .compare_exchange(
                    seen.raw,
                    seen.raw | cut_bits(cut),
                    Ordering::SeqCst,
                    Ordering::SeqCst,
                )
                .is_ok()
    }
}

/// How long a transfer may still stand still.
///
/// It starts with a fixed time, loses what it waits, and wins a second for each
/// [`MIN_BYTES_PER_S`](super::MIN_BYTES_PER_S) bytes, up to a ceiling. So a drip of bytes can't
/// hold a thread, and a big transfer at an honest rate may take as long as it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    left_ms: u64,
    ceiling_ms: u64,
    carry_bytes: u64,
}

impl Budget {
    pub(crate) fn new(start_ms: u64, ceiling_ms: u64) -> Self {
        Self {
            left_ms: start_ms,
            ceiling_ms: ceiling_ms.max(start_ms),
            carry_bytes: 0,
        }
    }

    pub(crate) fn deadline_from(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(self.left_ms)
    }

    pub(crate) fn settle(&mut self, waited_ms: u64, bytes: u64) {
        let milli_bytes = self.carry_bytes.saturating_add(bytes.saturating_mul(1_000));
        let won_ms = milli_bytes / super::MIN_BYTES_PER_S;
        self.carry_bytes = milli_bytes % super::MIN_BYTES_PER_S;
        let left = self
            .left_ms
            .saturating_sub(waited_ms)
            .saturating_add(won_ms);
        self.left_ms = left.min(self.ceiling_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_connection_enters_no_phase_until_forced() {
        let state = State::new(Phase::Idle, 5);
        assert!(state.try_cut(state.view(), Cut::Late));
        assert_eq!(state.enter(Phase::Handling, NEVER), Err(Cut::Late));
        assert_eq!(state.view().phase, Phase::Idle);
        state.force(Phase::Writing, 9);
        assert_eq!(state.cut(), None);
        assert_eq!(state.view().deadline_ms, 9);
    }

    #[test]
    fn a_connection_that_moved_on_is_not_cut() {
        let state = State::new(Phase::Idle, 5);
        let seen = state.view();
        state.enter(Phase::Handling, NEVER).unwrap();
        assert!(!state.try_cut(seen, Cut::Late));
        assert_eq!(state.cut(), None);
        assert_eq!(state.view().deadline_ms, NEVER);
    }

    #[test]
    fn a_drip_does_not_refill_a_budget_but_an_honest_rate_does() {
        let mut drip = Budget::new(10_000, 30_000);
        for _ in 0..10 {
            drip.settle(1_000, 1);
        }
        assert!(drip.deadline_from(0) < 20, "ten bytes buy no second");
        let mut honest = Budget::new(10_000, 30_000);
        for _ in 0..100 {
            honest.settle(1_000, 2_048);
        }
        assert_eq!(honest.deadline_from(0), 30_000);
    }
}
