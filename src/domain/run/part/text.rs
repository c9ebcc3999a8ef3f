//! Parts as the database keeps them: one JSON list of steps and one of messages.
//!
//! They are written without a value in between, since every message of a flow passes
//! here. A message that a step passed on as it was is written once: what comes after it
//! names its place.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Message, MessageRef, PartMessage, StepRecord};
use crate::domain::id::ObjectId;
use crate::domain::run::{Failure, RunStatus};

/// A step as it is written.
#[derive(Serialize)]
struct StepText<'a> {
    s: &'a str,
    r: &'static str,
    a: u32,
    t: i64,
    d: u64,
    i: RefText,
    n: u64,
    #[serde(skip_serializing_if = "is_empty")]
    o: &'a [u32],
    #[serde(skip_serializing_if = "Option::is_none")]
    m: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<bool>,
}

/// A message as it is written: `m` itself, without its body where that is in the file
/// `l`; or `c`, the place of an earlier one that is the same.
#[derive(Serialize)]
struct MessageText<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    l: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    m: Option<MessageObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    f: Option<RefText>,
}

/// A message as one object, in the form of [`Message::to_value`], with its body or
/// without.
struct MessageObject<'a>(&'a Message, bool);

impl Serialize for MessageObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(message, has_body) = *self;
        let mut members = serializer.serialize_map(None)?;
        for (name, value) in &message.rest {
            members.serialize_entry(name, value)?;
        }
        members.serialize_entry("headers", &message.headers)?;
        if !message.attachments.is_empty() {
            members.serialize_entry("attachments", &message.attachments)?;
        }
        if has_body {
            members.serialize_entry("body", &message.body)?;
        }
        members.end()
    }
}

/// A reference as it is written: a number for an own message, a pair for a stored one.
struct RefText(MessageRef);

impl Serialize for RefText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            MessageRef::Own(index) => serializer.serialize_u32(index),
            MessageRef::Stored { part, index } => [part, index].serialize(serializer),
        }
    }
}

/// Tells whether a list is left out.
fn is_empty(list: &&[u32]) -> bool {
    list.is_empty()
}

/// Writes steps as the list that a part keeps.
pub fn steps_text(steps: &[StepRecord]) -> String {
    list_text(steps.iter().map(|step| StepText {
        s: &step.step,
        r: step.status.as_str(),
        a: step.attempts,
        t: step.started_at_ms,
        d: step.duration_us,
        i: RefText(step.input),
        n: step.input_bytes,
        o: &step.outputs,
        m: (!step.outputs.is_empty()).then_some(step.output_bytes),
        e: step.error.as_ref().map(failure_value),
        x: step.at_mapping.then_some(true),
        c: step.continues.then_some(true),
    }))
}

/// Writes messages as the list that a part keeps, with the steps of that part.
pub fn messages_text(messages: &[PartMessage], steps: &[StepRecord]) -> String {
    list_text(messages.iter().enumerate().map(|(at, kept)| {
        let same = same_before(messages, steps, at);
        MessageText {
            l: kept
                .body_file
                .filter(|_| same.is_none())
                .map(|file| file.to_string()),
            m: same
                .is_none()
                .then_some(MessageObject(&kept.message, kept.body_file.is_none())),
            c: same,
            b: kept.made_by,
            f: kept.mapped_from.map(RefText),
        }
    }))
}

/// Returns the place of the input that a step passed on as this message.
fn same_before(messages: &[PartMessage], steps: &[StepRecord], at: usize) -> Option<u32> {
    let kept = &messages[at];
    let maker = steps.get(kept.made_by? as usize)?;
    let MessageRef::Own(place) = maker.input else {
        return None;
    };
    let input = messages[..at].get(place as usize)?;
    Arc::ptr_eq(&input.message, &kept.message).then_some(place)
}

/// Writes a list of items, none of which has a key that is not a text.
fn list_text(items: impl Iterator<Item = impl Serialize>) -> String {
    let mut text = Vec::with_capacity(256);
    text.push(b'[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &item).expect("texts as keys, and memory to write to");
    }
    text.push(b']');
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// Writes a failure with the status that a waiting caller gets.
fn failure_value(failure: &Failure) -> Value {
    let mut value = failure.to_value();
    if let (Some(status), Some(members)) = (failure.status, value.as_object_mut()) {
        members.insert("status".to_owned(), Value::from(status));
    }
    value
}

/// Reads a step of the part `part`; `None` where it is damaged.
pub(super) fn step_of(value: &Value, part: u32) -> Option<StepRecord> {
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    let outputs = value.get("o").and_then(Value::as_array);
    Some(StepRecord {
        step: value.get("s")?.as_str()?.to_owned(),
        status: RunStatus::parse(value.get("r")?.as_str()?)?,
        attempts: u32::try_from(number("a")?).ok()?,
        started_at_ms: value.get("t")?.as_i64()?,
        duration_us: number("d")?,
        input: reference_of(value.get("i")?, part)?,
        outputs: outputs.map_or_else(Vec::new, |list| {
            list.iter()
                .filter_map(|index| u32::try_from(index.as_u64()?).ok())
                .collect()
        }),
        error: value.get("e").map(Failure::from_value),
        input_bytes: number("n").unwrap_or(0),
        output_bytes: number("m").unwrap_or(0),
        at_mapping: value.get("x").is_some(),
        continues: value.get("c").is_some(),
    })
}

/// Reads the messages of the part `part`; what is damaged is an empty message, so that
/// the others keep their places, and a body that is in a file is null.
pub fn messages_of(values: Vec<Value>, part: u32) -> Vec<PartMessage> {
    let mut read: Vec<PartMessage> = Vec::with_capacity(values.len());
    for mut value in values {
        let made_by = value.get("b").and_then(Value::as_u64);
        let mapped_from = value.get("f").and_then(|from| reference_of(from, part));
        let same = place_of_same(&value).and_then(|place| read.get(place));
        let (message, body_file) = match same {
            Some(same) => (Arc::clone(&same.message), same.body_file),
            None => message_of(&mut value),
        };
        read.push(PartMessage {
            message,
            made_by: made_by.and_then(|step| u32::try_from(step).ok()),
            mapped_from,
            body_file,
        });
    }
    read
}

/// Takes a message out of its place in a list, with the file that has its body.
fn message_of(value: &mut Value) -> (Arc<Message>, Option<ObjectId>) {
    let body_file = PartMessage::body_file_of(value);
    let message = value.get_mut("m").map_or(Value::Null, Value::take);
    let mut message = Message::from_value(message);
    if body_file.is_some() {
        message.body = Value::Null;
    }
    (Arc::new(message), body_file)
}

/// Returns a message in the form of the database, out of the list of its part: where it
/// names another that is the same, that one.
pub fn kept_message(messages: &[Value], at: usize) -> Option<&Value> {
    let kept = messages.get(at)?;
    match place_of_same(kept) {
        Some(place) => messages.get(place),
        None => Some(kept),
    }
}

/// Returns the place of the message that this one is the same as.
fn place_of_same(value: &Value) -> Option<usize> {
    usize::try_from(value.get("c")?.as_u64()?).ok()
}

/// Reads a reference as it stands in the part `part`.
fn reference_of(value: &Value, part: u32) -> Option<MessageRef> {
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
    if let Some(index) = number(value) {
        return Some(MessageRef::Stored { part, index });
    }
    Some(MessageRef::Stored {
        part: number(value.get(0)?)?,
        index: number(value.get(1)?)?,
    })
}
