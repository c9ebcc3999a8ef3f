//! Webhook calls that wait for what a run answers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::slice::Answer;
use crate::domain::id::{ExecutionId, FlowId};

/// What a waiting call hears.
#[derive(Debug)]
pub(super) enum Heard {
    /// A step answered, or failed.
    Answer(Answer),
    /// The run ended without an answer.
    Over,
    /// The run ended before its time, or does not go on for now: why.
    Ended(&'static str),
}

/// The calls that wait, by the run.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<ExecutionId, Caller>>);

/// A call that waits.
struct Caller {
    flow: FlowId,
    sender: Sender<Heard>,
}

impl Waiting {
    /// Waits for a run, which need not be there yet: whoever waits before the commit
    /// misses no answer.
    pub(super) fn wait_for(&self, run: ExecutionId, flow: FlowId) -> Receiver<Heard> {
        let (sender, heard) = bounded(1);
        self.with(|callers| callers.insert(run, Caller { flow, sender }));
        heard
    }

    /// Tells whoever waits for a run, once.
    pub(super) fn tell(&self, run: ExecutionId, heard: Heard) {
        if let Some(caller) = self.with(|callers| callers.remove(&run)) {
            // Whoever gave up waiting is gone.
            let _ = caller.sender.try_send(heard);
        }
    }

    /// Tells whether somebody waits for a run.
    pub(super) fn is_waited_for(&self, run: ExecutionId) -> bool {
        self.with(|callers| callers.contains_key(&run))
    }

    /// Stops to wait for a run.
    pub(super) fn give_up(&self, run: ExecutionId) {
        self.with(|callers| callers.remove(&run));
    }

    /// Returns the runs of a flow that somebody waits for.
    pub(super) fn runs_of(&self, flow: FlowId) -> Vec<ExecutionId> {
        self.with(|callers| {
            let of_flow = callers.iter().filter(|(_, caller)| caller.flow == flow);
            of_flow.map(|(run, _)| *run).collect()
        })
    }

    /// Runs `body` on the calls, under their lock.
    fn with<T>(&self, body: impl FnOnce(&mut HashMap<ExecutionId, Caller>) -> T) -> T {
        body(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
