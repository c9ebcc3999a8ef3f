//! Parts: what one transaction did to one run. The history of a run is its parts.
//!
//! A part holds the steps that were done and the messages that they made. Messages
//! refer to the step that made them, and steps to the message that they were given,
//! so the passthrough of any message follows from the parts and is stored nowhere.

use serde_json::{Map, Value, json};

use super::{Failure, LogLevel, Message, RunStatus, RunTrigger};
use crate::domain::id::{ExecutionId, FlowId, ObjectId};

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

    /// Writes it: a number for an own message, a pair for a stored one.
    fn to_value(self) -> Value {
        match self {
            Self::Own(index) => json!(index),
            Self::Stored { part, index } => json!([part, index]),
        }
    }

    /// Reads it as it stands in the part `part`.
    fn from_value(value: &Value, part: u32) -> Option<Self> {
        let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
        if let Some(index) = number(value) {
            return Some(Self::Stored { part, index });
        }
        Some(Self::Stored {
            part: number(value.get(0)?)?,
            index: number(value.get(1)?)?,
        })
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
}

impl StepRecord {
    /// Returns the record in the compact form of the database.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        members.insert("s".to_owned(), json!(self.step));
        members.insert("r".to_owned(), json!(self.status.as_str()));
        members.insert("a".to_owned(), json!(self.attempts));
        members.insert("t".to_owned(), json!(self.started_at_ms));
        members.insert("d".to_owned(), json!(self.duration_us));
        members.insert("i".to_owned(), self.input.to_value());
        members.insert("n".to_owned(), json!(self.input_bytes));
        if !self.outputs.is_empty() {
            members.insert("o".to_owned(), json!(self.outputs));
            members.insert("m".to_owned(), json!(self.output_bytes));
        }
        if let Some(error) = &self.error {
            let mut value = error.to_value();
            if let (Some(status), Some(object)) = (error.status, value.as_object_mut()) {
                object.insert("status".to_owned(), json!(status));
            }
            members.insert("e".to_owned(), value);
        }
        if self.at_mapping {
            members.insert("x".to_owned(), json!(true));
        }
        Value::Object(members)
    }

    /// Reads that form from the part `part`; `None` where it is damaged.
    pub fn from_value(value: &Value, part: u32) -> Option<Self> {
        let number = |name: &str| value.get(name).and_then(Value::as_u64);
        let outputs = value.get("o").and_then(Value::as_array);
        Some(Self {
            step: value.get("s")?.as_str()?.to_owned(),
            status: RunStatus::parse(value.get("r")?.as_str()?)?,
            attempts: u32::try_from(number("a")?).ok()?,
            started_at_ms: value.get("t")?.as_i64()?,
            duration_us: number("d")?,
            input: MessageRef::from_value(value.get("i")?, part)?,
            outputs: outputs.map_or_else(Vec::new, |list| {
                list.iter()
                    .filter_map(|index| u32::try_from(index.as_u64()?).ok())
                    .collect()
            }),
            error: value.get("e").map(Failure::from_value),
            input_bytes: number("n").unwrap_or(0),
            output_bytes: number("m").unwrap_or(0),
            at_mapping: value.get("x").is_some(),
        })
    }
}

/// A message as a part keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct PartMessage {
    /// The message.
    pub message: Message,
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
    pub fn outside(message: Message) -> Self {
        Self {
            message,
            made_by: None,
            mapped_from: None,
            body_file: None,
        }
    }

    /// Makes a message that a step of this part made: a place among its records.
    pub fn made(message: Message, step: u32) -> Self {
        Self {
            made_by: Some(step),
            ..Self::outside(message)
        }
    }

    /// Makes a message that was mapped from another.
    pub fn mapped(message: Message, source: MessageRef) -> Self {
        Self {
            mapped_from: Some(source),
            ..Self::outside(message)
        }
    }

    /// Returns the message in the compact form of the database, without a body that is in
    /// a file.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        let message = match self.body_file {
            None => self.message.to_value(),
            Some(file) => {
                members.insert("l".to_owned(), json!(file.to_string()));
                self.message.without_body()
            }
        };
        members.insert("m".to_owned(), message);
        if let Some(step) = self.made_by {
            members.insert("b".to_owned(), json!(step));
        }
        if let Some(source) = self.mapped_from {
            members.insert("f".to_owned(), source.to_value());
        }
        Value::Object(members)
    }

    /// Reads that form from the part `part`; a body that is in a file is null.
    pub fn from_value(mut value: Value, part: u32) -> Self {
        let made_by = value.get("b").and_then(Value::as_u64);
        let mapped_from = value
            .get("f")
            .and_then(|from| MessageRef::from_value(from, part));
        let body_file = Self::body_file_of(&value);
        let message = value.get_mut("m").map_or(Value::Null, Value::take);
        let mut message = Message::from_value(message);
        if body_file.is_some() {
            message.body = Value::Null;
        }
        Self {
            message,
            made_by: made_by.and_then(|step| u32::try_from(step).ok()),
            mapped_from,
            body_file,
        }
    }

    /// Tells whether its body was in a file that is gone.
    pub fn is_lost(&self) -> bool {
        self.body_file.is_some() && self.message.body.is_null()
    }

    /// Returns the file that has the body of a message in that form.
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
    /// The steps that were done, as a JSON list of [`StepRecord::to_value`].
    pub steps: String,
    /// How many they are.
    pub steps_count: u32,
    /// How many of them failed.
    pub errors_count: u32,
    /// The messages, as a JSON list of [`PartMessage::to_value`].
    pub messages: String,
    /// The files with bodies of them.
    pub body_files: Vec<BodyFile>,
    /// What goes to queues.
    pub queued: Vec<NewQueued>,
    /// The queue rows that are done with, by their seq.
    pub settled: Vec<i64>,
    /// Whether the run ends as interrupted.
    pub interrupted: bool,
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
    /// Whether the flow must be active for this: it begins a run from outside.
    pub needs_active: bool,
}

/// What became of a part.
#[derive(Clone, Debug)]
pub struct CommittedRun {
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
