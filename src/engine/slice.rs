//! A slice of work on one run, in memory: what was done and made, until it is committed.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::parts::Parts;
use super::plan::FlowPlan;
use super::waiting::Heard;
use crate::app::App;
use crate::app::run::PartData;
use crate::app::storage::LARGE_BODY_BYTES;
use crate::domain::flow::graph::NODES_MAX;
use crate::domain::run::message::size_of;
use crate::domain::run::part::{
    MessageRef, NewQueued, PartMessage, RunKey, RunPart, StepRecord, messages_text, steps_text,
};
use crate::domain::run::{Failure, HttpReply, Message, RunStatus};

/// What a call hears whose run was cancelled.
pub(super) const CANCELLED: &str = "the run was cancelled";
use crate::domain::{Kind, Result};

/// What a slice did to one run.
pub(super) struct RunSlice<'a> {
    /// The run.
    pub(super) key: RunKey,
    /// The steps that were done.
    pub(super) steps: Vec<StepRecord>,
    /// The messages that were made.
    pub(super) messages: Vec<PartMessage>,
    /// The sizes of their bodies.
    sizes: Vec<u64>,
    /// Their sum.
    pub(super) bytes: u64,
    /// What goes to queues.
    pub(super) queued: Vec<NewQueued>,
    /// The queue rows that are done with.
    pub(super) settled: Vec<i64>,
    /// The first answer that a step gave, or the first error that nobody handles.
    pub(super) answer: Option<Answer>,
    /// Whether the run ends as interrupted.
    pub(super) interrupted: bool,
    /// Whether the run goes on with this though it had ended.
    pub(super) reopens: bool,
    parts: &'a Parts,
    is_unread: Cell<bool>,
}

/// What a waiting webhook call hears.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// A step's reply.
    Reply(HttpReply),
    /// A failure that nothing handled.
    Failed(Failure),
}

impl<'a> RunSlice<'a> {
    /// Begins a slice on a run.
    pub(super) fn new(key: RunKey, parts: &'a Parts) -> Self {
        Self {
            key,
            steps: Vec::new(),
            messages: Vec::new(),
            sizes: Vec::new(),
            bytes: 0,
            queued: Vec::new(),
            settled: Vec::new(),
            answer: None,
            interrupted: false,
            reopens: false,
            parts,
            is_unread: Cell::new(false),
        }
    }

    /// Adds a message and returns how to refer to it.
    pub(super) fn add(&mut self, message: PartMessage) -> MessageRef {
        let bytes = size_of(&message.message.body);
        self.add_measured(message, bytes)
    }

    /// Adds a message whose body has `bytes`.
    pub(super) fn add_measured(&mut self, message: PartMessage, bytes: usize) -> MessageRef {
        self.bytes += bytes as u64;
        self.sizes.push(bytes as u64);
        let index = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        self.messages.push(message);
        MessageRef::Own(index)
    }

    /// Takes the maker off own messages.
    pub(super) fn disown(&mut self, messages: &[MessageRef]) {
        for message in messages {
            if let MessageRef::Own(index) = message
                && let Some(own) = self.messages.get_mut(*index as usize)
            {
                own.made_by = None;
            }
        }
    }

    /// Returns a message; none where it is not kept any more.
    pub(super) fn message(&self, reference: MessageRef) -> Option<Arc<Message>> {
        match reference {
            MessageRef::Own(index) => {
                let own = self.messages.get(index as usize)?;
                Some(Arc::clone(&own.message))
            }
            MessageRef::Stored { part, index } => {
                let stored = self.stored(part)?;
                let message = stored.messages.get(index as usize)?;
                (!message.is_lost()).then(|| Arc::clone(&message.message))
            }
        }
    }

    /// Returns the passthrough of a message: what each step before it made, by step id
    /// (`runtime.md 2.6`).
    pub(super) fn passthrough(
        &self,
        reference: MessageRef,
        plan: &FlowPlan,
    ) -> Option<Map<String, Value>> {
        let mut found = Map::new();
        let mut at = reference;
        // A chain has at most two messages a node; damaged parts must not hold a worker.
        for _ in 0..2 * NODES_MAX {
            let Some((made_by, mapped_from, value)) = self.origin(at) else {
                break;
            };
            if let Some(source) = mapped_from {
                at = source;
                continue;
            }
            let Some((step, input)) = made_by else {
                break;
            };
            if !plan.passes_through(&step) {
                break;
            }
            found.entry(step).or_insert(value);
            at = input;
        }
        (!found.is_empty()).then_some(found)
    }

    /// Returns where a message comes from, and the message as a value.
    #[expect(
        clippy::type_complexity,
        reason = "one caller, which takes it apart at once"
    )]
    fn origin(
        &self,
        at: MessageRef,
    ) -> Option<(Option<(String, MessageRef)>, Option<MessageRef>, Value)> {
        let of = |messages: &[PartMessage], steps: &[StepRecord], index: u32| {
            let message = messages.get(index as usize)?;
            let made_by = message.made_by.and_then(|step| {
                let record = steps.get(step as usize)?;
                Some((record.step.clone(), record.input))
            });
            let value = if made_by.is_some() {
                message.message.to_value()
            } else {
                Value::Null
            };
            Some((made_by, message.mapped_from, value))
        };
        match at {
            MessageRef::Own(index) => of(&self.messages, &self.steps, index),
            MessageRef::Stored { part, index } => {
                let stored = self.stored(part)?;
                of(&stored.messages, &stored.steps, index)
            }
        }
    }

    /// Returns what a waiting call hears of the run, once this is committed and the run
    /// stands so.
    pub(super) fn heard(&mut self, status: RunStatus) -> Option<Heard> {
        if status == RunStatus::Cancelled {
            return Some(Heard::Ended(CANCELLED));
        }
        if let Some(answer) = self.answer.take() {
            return Some(Heard::Answer(answer));
        }
        match status {
            RunStatus::Success => Some(Heard::Over),
            RunStatus::Error | RunStatus::Interrupted => {
                // Whoever handled the error did not answer, and the caller has to know.
                let failure = self.steps.iter().find_map(|step| step.error.clone());
                let failure = failure.unwrap_or_else(|| Failure::new("the run failed"));
                Some(Heard::Answer(Answer::Failed(failure)))
            }
            _ => None,
        }
    }

    /// Tells whether a part could not be read for now.
    pub(super) fn is_unread(&self) -> bool {
        self.is_unread.get()
    }

    /// Returns a stored part of the run.
    fn stored(&self, part: u32) -> Option<Arc<PartData>> {
        let RunKey::Stored(seq) = self.key else {
            return None;
        };
        match self.parts.get(seq, part) {
            Ok(data) => Some(data),
            Err(error) => {
                tracing::error!(causes = %error.causes(), "can't read a part of a run: {error}");
                // What is damaged stays so; anything else may be read later.
                if error.kind() != Kind::Internal {
                    self.is_unread.set(true);
                }
                None
            }
        }
    }

    /// Returns the size of a message's body as JSON.
    pub(super) fn bytes_of(&self, reference: MessageRef) -> u64 {
        let index = match reference {
            MessageRef::Own(index) | MessageRef::Stored { index, .. } => index as usize,
        };
        let size = match reference {
            MessageRef::Own(_) => self.sizes.get(index).copied(),
            MessageRef::Stored { part, .. } => self.stored(part).and_then(|stored| {
                let kept = stored.messages.get(index)?;
                Some(size_of(&kept.message.body) as u64)
            }),
        };
        size.unwrap_or(0)
    }

    /// Returns the slice as the part of a transaction; its large bodies are in files then,
    /// and on disk.
    pub(super) fn make_part(&mut self, app: &App) -> Result<RunPart> {
        // Most parts have none, and in those there is nothing to look for.
        let has_large = self
            .sizes
            .iter()
            .any(|size| *size > LARGE_BODY_BYTES as u64);
        let body_files = if has_large {
            app.set_bodies_aside(&mut self.messages)?
        } else {
            Vec::new()
        };
        let errors = self
            .steps
            .iter()
            .filter(|step| step.error.is_some())
            .count();
        let counted = self.steps.iter().filter(|step| !step.continues).count();
        Ok(RunPart {
            run: self.key.clone(),
            steps_count: u32::try_from(counted).unwrap_or(u32::MAX),
            errors_count: u32::try_from(errors).unwrap_or(u32::MAX),
            steps: steps_text(&self.steps),
            messages: messages_text(&self.messages, &self.steps),
            body_files,
            queued: self.queued.clone(),
            settled: self.settled.clone(),
            interrupted: self.interrupted,
            reopens: self.reopens,
        })
    }
}

/// The snapshots that a slice changed, by step.
#[derive(Default)]
pub(super) struct Snapshots(HashMap<String, Value>);

impl Snapshots {
    /// Returns the new snapshot of a step.
    pub(super) fn get(&self, step: &str) -> Option<&Value> {
        self.0.get(step)
    }

    /// Tells whether no snapshot was changed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Replaces the snapshot of a step.
    pub(super) fn replace(&mut self, step: &str, value: Value) {
        self.0.insert(step.to_owned(), value);
    }

    /// Returns all of them.
    pub(super) fn into_list(self) -> Vec<(String, Value)> {
        self.0.into_iter().collect()
    }
}
