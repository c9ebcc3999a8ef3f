//! Parts: what one transaction did to one run. The history of a run is its parts.
//!
//! A part holds the steps that were done and the messages that they made. Messages
//! refer to the step that made them, and steps to the message that they were given,
//! so the passthrough of any message follows from the parts and is stored nowhere.

mod text;

use std::sync::Arc;

use serde_json::Value;

use super::{Failure, LogLevel, Message, RunStatus, RunTrigger};
use crate::domain::id::{ExecutionId, FlowId, ObjectId};

pub use text::{kept_message, messages_of, messages_text, steps_text};

/// The most parts of a run: the key of a part has twenty bits for its number.
pub const PARTS_MAX: u32 = 1 << 20;

/// What stands between the ends of an edge in the name of its queue.
const EDGE: char = '>';

/// Returns the queue of messages that an edge has to map before its target gets them,
/// `source>target`.
///
/// A queue bears the name of its step, and what waits in it is mapped already. A retry of
/// a step whose mapping failed has nothing but the message before it. Such a message
/// waits under this name, and the engine begins with the mapper of the edge.
pub fn edge_queue(source: &str, target: &str) -> String {
    format!("{source}{EDGE}{target}")
}

/// Reads the name of such a queue; a node that bears the whole name goes before.
pub fn ends_of_queue(queue: &str) -> Option<(&str, &str)> {
    queue.split_once(EDGE)
}

/// Names a message of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageRef {
    /// The message at this place of the part that is being made.
    Own(u32),
    /// A message of a part that is stored.
    Stored {
        /// The number of the part.
        part: u32,
        /// The place in it.
        index: u32,
    },
}

impl MessageRef {
    /// Returns the reference once its part is stored under `part`.
    #[must_use]
    pub fn stored_in(self, part: u32) -> Self {
        match self {
            Self::Own(index) => Self::Stored { part, index },
            stored @ Self::Stored { .. } => stored,
        }
    }
}

/// A step that was done, or that failed.
///
/// A retry begins with a part whose records have no attempts: they were taken over from
/// the run that it repeats, so that the passthrough of its messages still follows from
/// the parts. They are not counted and not shown.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    /// The id of the node.
    pub step: String,
    /// How it ended.
    pub status: RunStatus,
    /// The attempts that it took; none where it was taken over by a retry.
    pub attempts: u32,
    /// When its last attempt began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// How long that took, in microseconds.
    pub duration_us: u64,
    /// What it was given.
    pub input: MessageRef,
    /// What it made: places in this part.
    pub outputs: Vec<u32>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// The size of its input as JSON.
    pub input_bytes: u64,
    /// The size of its outputs as JSON.
    pub output_bytes: u64,
    /// Whether the mapping before the step failed: its input is then not mapped yet.
    pub at_mapping: bool,
    /// Whether it goes on with a record before it, of the same step and input: a process
    /// emits while it works, and what it emits later is in other parts. Both are one step
    /// to people, and are counted once.
    pub continues: bool,
}

impl StepRecord {
    /// Reads a step out of the list of the part `part`; `None` where it is damaged.
    pub fn from_value(value: &Value, part: u32) -> Option<Self> {
        text::step_of(value, part)
    }
}

/// A message as a part keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct PartMessage {
    /// The message.
    pub message: Arc<Message>,
    /// The step of this part that made it: a place among its records.
    pub made_by: Option<u32>,
    /// The message that it was mapped from.
    pub mapped_from: Option<MessageRef>,
    /// The file that has its body, where that is too large for the database.
    pub body_file: Option<ObjectId>,
}

/// A file with the body of a message of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyFile {
    /// The file.
    pub id: ObjectId,
    /// Its size.
    pub bytes: u64,
}

impl PartMessage {
    /// Makes a message that came from outside.
    pub fn outside(message: impl Into<Arc<Message>>) -> Self {
        Self {
            message: message.into(),
            made_by: None,
            mapped_from: None,
            body_file: None,
        }
    }

    /// Makes a message that a step of this part made: a place among its records.
    pub fn made(message: impl Into<Arc<Message>>, step: u32) -> Self {
        Self {
            made_by: Some(step),
            ..Self::outside(message)
        }
    }

    /// Makes a message that was mapped from another.
    pub fn mapped(message: impl Into<Arc<Message>>, source: MessageRef) -> Self {
        Self {
            mapped_from: Some(source),
            ..Self::outside(message)
        }
    }

    /// Tells whether its body was in a file that is gone.
    pub fn is_lost(&self) -> bool {
        self.body_file.is_some() && self.message.body.is_null()
    }

    /// Returns the file that has the body of a message in the form of the database.
    pub fn body_file_of(value: &Value) -> Option<ObjectId> {
        value.get("l")?.as_str()?.parse().ok()
    }
}

/// A message that goes to a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct NewQueued {
    /// The step that it waits for.
    pub step: String,
    /// The message.
    pub message: MessageRef,
    /// Its size as JSON.
    pub bytes: u64,
    /// The attempt that comes next, from 1.
    pub attempt: u32,
    /// Not before this time, in milliseconds since 1970.
    pub due_at_ms: i64,
    /// Why it was put back.
    pub fault: Option<String>,
}

/// A message in a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// Its place in the order of all queues.
    pub seq: i64,
    /// The flow.
    pub flow: FlowId,
    /// The step that it waits for.
    pub step: String,
    /// The seq of its run.
    pub execution: i64,
    /// The part that holds the message.
    pub part: u32,
    /// Its place in that part.
    pub index: u32,
    /// Its size as JSON.
    pub bytes: u64,
    /// The attempt that comes next, from 1.
    pub attempt: u32,
    /// Not before this time, in milliseconds since 1970.
    pub due_at_ms: i64,
    /// Times that a server took it and did not end it.
    pub leases: u32,
    /// Since when it waits, in milliseconds since 1970.
    pub queued_at_ms: i64,
    /// Why it was put back.
    pub fault: Option<String>,
    /// The version of the flow's graph that its run keeps to, which a retry does; the
    /// present one where there is none.
    pub graph_version: Option<i64>,
}

/// A run that begins.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// Its id.
    pub id: ExecutionId,
    /// The version of the flow's graph that it runs.
    pub flow_version: i64,
    /// What set it off.
    pub trigger: RunTrigger,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// The request that began it.
    pub request_id: Option<String>,
    /// The run that it repeats.
    pub retry_of: Option<ExecutionId>,
}

/// Which run a part belongs to.
#[derive(Clone, Debug)]
pub enum RunKey {
    /// One that begins with this part.
    New(NewExecution),
    /// One that is stored, by its seq.
    Stored(i64),
}

/// What one transaction does to one run.
#[derive(Clone, Debug)]
pub struct RunPart {
    /// The run.
    pub run: RunKey,
    /// The steps that were done, as [`steps_text`] writes them.
    pub steps: String,
    /// How many they are.
    pub steps_count: u32,
    /// How many of them failed.
    pub errors_count: u32,
    /// The messages, as [`messages_text`] writes them.
    pub messages: String,
    /// The files with bodies of them.
    pub body_files: Vec<BodyFile>,
    /// What goes to queues.
    pub queued: Vec<NewQueued>,
    /// The queue rows that are done with, by their seq.
    pub settled: Vec<i64>,
    /// Whether the run ends as interrupted.
    pub interrupted: bool,
    /// Whether a run that ended by itself goes on with this: what a process emits after
    /// its message ended.
    pub reopens: bool,
}

/// An entry for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogEntry {
    /// The step.
    pub step: Option<String>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// How important.
    pub level: LogLevel,
    /// What is said.
    pub message: String,
    /// Which of the slice's runs it belongs to.
    pub run: Option<usize>,
}

/// What one transaction of the engine does to one flow.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The flow.
    pub flow: FlowId,
    /// Its runs.
    pub runs: Vec<RunPart>,
    /// New snapshots by step.
    pub snapshots: Vec<(String, Value)>,
    /// Data that steps keep: step, key, value or none to remove it.
    pub kept: Vec<(String, String, Option<Value>)>,
    /// Entries for the log.
    pub logs: Vec<NewLogEntry>,
    /// The rows of queues that are being worked on from now on.
    pub leased: Vec<i64>,
    /// Whether the flow must be active for this: it begins a run from outside.
    pub needs_active: bool,
}

/// What became of a part.
#[derive(Clone, Debug)]
pub struct CommittedRun {
    /// The id of the run.
    pub id: ExecutionId,
    /// The seq of the run.
    pub seq: i64,
    /// The number of the part.
    pub part: u32,
    /// How the run stands now.
    pub status: RunStatus,
    /// The steps of it that failed so far.
    pub errors_total: i64,
    /// The rows that were added to queues; none where the run was over already.
    pub queued: Vec<i64>,
}
