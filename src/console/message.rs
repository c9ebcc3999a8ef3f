//! What the console said: the last message stands in the status line for a while, all of
//! them stay in the history that `!` opens.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::domain::{Error, Kind};

/// How long the status line shows a message.
pub const SHOWN_MS: u64 = 6_000;

/// The messages that are kept: more than a person reads back.
const KEPT_MAX: usize = 200;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something to know.
    Note,
    /// Something was done.
    Good,
    /// Something went wrong.
    Bad,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// How much it matters.
    pub level: Level,
    /// What is said.
    pub text: String,
    /// The error whole, as JSON, where it is one: for the history.
    pub detail: Option<String>,
    /// The id under which it was asked or done: the audit log has it where something changed.
    pub request_id: Option<String>,
}

/// Returns an error as JSON: its kind, its message, the fields at fault, and of a fault of
/// ours its causes, which whoever operates the installation may know.
pub fn error_json(error: &Error) -> String {
    let fields = error.fields().iter();
    let fields: Vec<Value> = fields
        .map(|fault| json!({ "field": fault.field, "message": fault.message }))
        .collect();
    let mut told = json!({ "kind": kind_word(error.kind()), "message": error.message() });
    if !fields.is_empty() {
        told["fields"] = Value::from(fields);
    }
    if let Some(seconds) = error.retry_after_s() {
        told["retry_after_s"] = Value::from(seconds);
    }
    if error.kind() == Kind::Internal {
        told["causes"] = Value::from(error.causes());
    }
    told.to_string()
}

/// Returns the word for a kind of error: `not_found`.
fn kind_word(kind: Kind) -> String {
    let mut word = String::new();
    for c in format!("{kind:?}").chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// The history of messages.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    kept: VecDeque<Message>,
    /// Until when the last one is shown, on the monotonic clock; none where it is not.
    shown_until_ms: Option<u64>,
}

impl Messages {
    /// Says something.
    pub fn say(&mut self, message: Message, mono_ms: u64) {
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(message);
        self.shown_until_ms = Some(mono_ms + SHOWN_MS);
    }

    /// Returns the message that the status line shows.
    pub fn shown(&self) -> Option<&Message> {
        self.shown_until_ms.and_then(|_| self.kept.back())
    }

    /// Returns until when it is shown.
    pub fn shown_until_ms(&self) -> Option<u64> {
        self.shown_until_ms
    }

    /// Takes the message from the status line, if its time is over; tells whether it was.
    pub fn expire(&mut self, mono_ms: u64) -> bool {
        let is_over = self.shown_until_ms.is_some_and(|until| mono_ms >= until);
        if is_over {
            self.shown_until_ms = None;
        }
        is_over
    }

    /// Takes the message from the status line; tells whether there was one.
    pub fn hide(&mut self) -> bool {
        self.shown_until_ms.take().is_some()
    }

    /// Returns all of them, the newest first.
    pub fn all(&self) -> impl Iterator<Item = &Message> {
        self.kept.iter().rev()
    }
}
