//! What processes publish, and how their messages end: made durable before it is
//! confirmed.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::cipher::Cipher;
use super::member::{
    DATA_KEY, ERROR_KEY, InFlight, Origin, REBOUND_KEY, SNAPSHOT_KEY, run_of_reply_key,
};
use crate::amqp::Published;
use crate::clock::monotonic_us;
use crate::domain::id::ExecutionId;
use crate::domain::run::part::{NewExecution, NewLogEntry, PartMessage, Queued, RunKey, Slice};
use crate::domain::run::{Failure, HttpReply, LogLevel, Message, RunTrigger};
use crate::domain::{Error, Kind};
use crate::engine::component::{check_size, check_snapshot};
use crate::engine::drive::merge;
use crate::engine::plan::FlowPlan;
use crate::engine::run::Job;
use crate::engine::shared::Shared;
use crate::engine::slice::Answer;
use crate::engine::waiting::Heard;
use crate::engine::workers;

/// The header that names the object that holds a message's body.
const OBJECT_HEADER: &str = "x-ipaas-object-storage-id";

/// The failure of a message that a component rejected without an error.
pub(super) fn rejected() -> Failure {
    Failure::new("the component rejected the message")
}

/// Who published, and about what.
pub(super) struct Sender {
    pub(super) plan: Arc<FlowPlan>,
    pub(super) step: usize,
    cipher: Cipher,
    /// The message that it is in the middle of, where it is in one.
    pub(super) token: Option<u64>,
    pub(super) origin: Option<Origin>,
    /// Whether the step is recorded already for that.
    pub(super) is_recorded: bool,
    /// When that began: the wall time, and the monotonic one in microseconds.
    pub(super) began: (i64, u64),
}

/// Takes a published message over; false where it can't be now, and is sent again.
pub(super) fn publish(shared: &Shared, number: u64, message: &Published) -> bool {
    let Some(sender) = sender_of(shared, number, message) else {
        // The process is being taken out; nobody wants to hear of it.
        return true;
    };
    match message.routing_key.as_str() {
        DATA_KEY => data(shared, number, &sender, message),
        ERROR_KEY => {
            error(shared, number, &sender, message);
            true
        }
        REBOUND_KEY => {
            let reason = text_of(&message.properties.headers, "reboundReason");
            let mut state = shared.fleet.state();
            let found = sender
                .token
                .and_then(|token| state.in_flight.get_mut(&token));
            if let Some(in_flight) = found {
                in_flight.ended.rebound = Some(reason.unwrap_or_default());
            }
            true
        }
        SNAPSHOT_KEY => snapshot(shared, &sender, message),
        other => {
            if let Some(run) = run_of_reply_key(other) {
                reply(shared, run, &sender, message);
            }
            true
        }
    }
}

/// Finds out who published.
pub(super) fn sender_of(shared: &Shared, number: u64, message: &Published) -> Option<Sender> {
    let parent = text_of(&message.properties.headers, "parentMessageId");
    // A rebound is the input itself, with its own headers.
    let own = text_of(&message.properties.headers, "messageId");
    let is_rebound = message.routing_key == REBOUND_KEY;
    let about = if is_rebound { own } else { parent };
    let state = shared.fleet.state();
    let process = state.processes.get(&number)?;
    let mut own_messages = state
        .in_flight
        .iter()
        .filter(|(_, it)| it.process == number);
    let (found, ended) = match about.as_deref() {
        Some(id) => (
            own_messages.find(|(_, it)| it.message_id == id),
            process.origin(id),
        ),
        // Sailors of version 1 name no message: it is the one that they have. What a process
        // says before it consumes is about none.
        None => (
            own_messages.find(|_| process.was_ready),
            process.last_origin(),
        ),
    };
    Some(Sender {
        plan: Arc::clone(&process.plan),
        step: process.step,
        cipher: process.cipher.clone(),
        token: found.map(|(token, _)| *token),
        // What has ended is recorded.
        is_recorded: found.is_none_or(|(_, it)| it.ended.is_recorded),
        origin: found.map(|(_, it)| it.origin()).or(ended),
        began: found.map_or((shared.app.now_ms(), monotonic_us()), |(_, it)| {
            (it.began_ms, it.began_us)
        }),
    })
}

/// Returns a header that is a text.
pub(super) fn text_of(headers: &Map<String, Value>, name: &str) -> Option<String> {
    headers.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Decrypts a body by its protocol version.
pub(super) fn opened(cipher: &Cipher, message: &Published) -> Option<Value> {
    let version = message.properties.headers.get("protocolVersion");
    if version.and_then(Value::as_i64).unwrap_or(1) >= 2 {
        cipher.open_raw(&message.body)
    } else {
        cipher.open(&message.body)
    }
}

/// Takes over a message for the next steps.
fn data(shared: &Shared, number: u64, sender: &Sender, message: &Published) -> bool {
    match read(shared, number, sender, message) {
        Ok(emitted) => take_over(shared, number, sender, Arc::new(emitted)),
        Err(is_taken) => is_taken,
    }
}

/// Reads a message for the next steps; the error is whether it is done with, or to be sent
/// again.
pub(super) fn read(
    shared: &Shared,
    number: u64,
    sender: &Sender,
    message: &Published,
) -> Result<Message, bool> {
    let Some(value) = opened(&sender.cipher, message) else {
        note(
            shared,
            sender,
            LogLevel::Error,
            "a message could not be decrypted",
        );
        return Err(true);
    };
    let plan = &sender.plan;
    let feeds = &plan.steps[sender.step].rule.feeds;
    let is_full = shared.with_board(|board| board.is_full(plan.flow, feeds));
    if is_full {
        return Err(false);
    }
    let mut emitted = Message::from_value(value);
    if let Err(error) = fetch_body(shared, sender, &mut emitted) {
        tracing::warn!(number, causes = %error.causes(), "can't fetch a body: {error}");
        return Err(false);
    }
    let bytes = crate::domain::run::message::size_of(&emitted.body);
    if let Err(failure) = check_size(bytes, shared.app.rules().limits.message_bytes) {
        fail(shared, sender, failure);
        return Err(true);
    }
    Ok(emitted)
}

/// Commits a message for the next steps; false where it has to be sent again.
pub(super) fn take_over(
    shared: &Shared,
    number: u64,
    sender: &Sender,
    emitted: Arc<Message>,
) -> bool {
    let done = match (&sender.origin, sender.token) {
        (Some(origin), token) => emit(shared, sender, origin, emitted, token.is_none()),
        (None, _) => emit_alone(shared, sender, emitted),
    };
    match done {
        Ok(()) => {
            recorded(shared, [sender]);
            true
        }
        // Its run was cancelled, or its flow is gone.
        Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => true,
        Err(error) => {
            tracing::warn!(number, causes = %error.causes(), "can't take a message over: {error}");
            false
        }
    }
}

/// Notes that the steps of messages are recorded.
pub(super) fn recorded<'a>(shared: &Shared, senders: impl IntoIterator<Item = &'a Sender>) {
    let mut state = shared.fleet.state();
    for token in senders.into_iter().filter_map(|sender| sender.token) {
        if let Some(in_flight) = state.in_flight.get_mut(&token) {
            in_flight.ended.is_recorded = true;
        }
    }
}

/// Puts the body of a message in its place that is an object of the storage
/// (`runtime.md 3.6`): mappers and the history read it here. An object that this process
/// did not encrypt stays one.
fn fetch_body(shared: &Shared, sender: &Sender, message: &mut Message) -> Result<(), Error> {
    let named = message.headers.get(OBJECT_HEADER).and_then(Value::as_str);
    let Some(id) = named.and_then(|text| text.parse().ok()) else {
        return Ok(());
    };
    let found = shared.app.body_object(sender.plan.owner.user, id)?;
    if let Some(body) = found.and_then(|bytes| sender.cipher.open_raw(&bytes)) {
        message.body = body;
        message.headers.remove(OBJECT_HEADER);
    }
    Ok(())
}

/// Counts a failure for the message that its process has, else notes it in the log.
fn fail(shared: &Shared, sender: &Sender, failure: Failure) {
    let mut state = shared.fleet.state();
    let found = sender
        .token
        .and_then(|token| state.in_flight.get_mut(&token));
    if let Some(in_flight) = found {
        in_flight.ended.failure.get_or_insert(failure);
        return;
    }
    drop(state);
    note(shared, sender, LogLevel::Error, &failure.to_string());
}

/// Commits a message that belongs to a run. A run that ended by itself goes on with it,
/// while its flow does; of one whose history is gone it begins another.
fn emit(
    shared: &Shared,
    sender: &Sender,
    origin: &Origin,
    message: Arc<Message>,
    is_late: bool,
) -> Result<(), Error> {
    if is_late && shared.app.execution_id_of(origin.execution)?.is_none() {
        return emit_alone(shared, sender, message);
    }
    let plan = &sender.plan;
    let mut driver = shared.driver(plan);
    let run = driver.enter(RunKey::Stored(origin.execution));
    let job = Job {
        step: sender.step,
        message: origin.message,
        attempt: origin.attempt,
        row: None,
    };
    let backlog = shared.backlog(plan, None);
    let took_us = monotonic_us() - sender.began.1;
    driver.runs[run].reopens = is_late;
    driver.emitted(
        run,
        job,
        message,
        (backlog, sender.is_recorded),
        (sender.began.0, took_us),
    );
    shared.commit(driver, plan, is_late, 1).map(drop)
}

/// Commits a message that belongs to no run: it begins its own.
fn emit_alone(shared: &Shared, sender: &Sender, message: Arc<Message>) -> Result<(), Error> {
    let plan = &sender.plan;
    let mut driver = shared.driver(plan);
    let run = driver.enter(RunKey::New(NewExecution {
        id: shared.app.new_execution_id(),
        flow_version: plan.version,
        trigger: RunTrigger::Schedule,
        started_at_ms: shared.app.now_ms(),
        request_id: None,
        retry_of: None,
    }));
    let input = driver.runs[run].add(PartMessage::outside(Message::empty()));
    let job = Job {
        step: sender.step,
        message: input,
        attempt: 1,
        row: None,
    };
    let backlog = shared.backlog(plan, None);
    driver.emitted(run, job, message, (backlog, false), (sender.began.0, 0));
    shared.commit(driver, plan, true, 1).map(drop)
}

/// Takes over an error: it is the message's, until that ends, else the log's.
fn error(shared: &Shared, number: u64, sender: &Sender, message: &Published) {
    let sent: Value = serde_json::from_slice(&message.body).unwrap_or_default();
    let sealed = sent.get("error").and_then(Value::as_str);
    let opened = sealed.and_then(|text| sender.cipher.open(text.as_bytes()));
    let failure = opened.map_or_else(rejected, |value| Failure::from_value(&value));
    let mut state = shared.fleet.state();
    let found = sender
        .token
        .and_then(|token| state.in_flight.get_mut(&token));
    if let Some(in_flight) = found {
        if in_flight.ended.failure.is_none() {
            in_flight.ended.failure = Some(failure);
            let is_over = in_flight.waits_for_error();
            drop(state);
            let over = sender.token.filter(|_| is_over);
            if let Some((in_flight, plan, step)) = over.and_then(|it| shared.fleet.take(it)) {
                end(shared, &plan, step, in_flight);
            }
            return;
        }
    } else if let Some(process) = state.processes.get_mut(&number)
        && !process.was_ready
    {
        process.last_error = Some(failure.to_string());
        return;
    }
    drop(state);
    note(shared, sender, LogLevel::Error, &failure.to_string());
}

/// Keeps a snapshot, or merges members into the one that is kept.
fn snapshot(shared: &Shared, sender: &Sender, message: &Published) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(&message.body) else {
        return true;
    };
    let plan = &sender.plan;
    let step = plan.steps[sender.step].id.to_string();
    let kind = text_of(&message.properties.headers, "snapshotEvent");
    let kept = (|| -> Result<(), Error> {
        let value = match (kind.as_deref(), value) {
            (Some("updateSnapshot"), Value::Object(delta)) => {
                let known = shared.app.step_snapshot(plan.flow, &step)?;
                let mut known = known.unwrap_or_else(|| json!({}));
                merge(&mut known, delta);
                known
            }
            (_, value) => value,
        };
        if let Err(failure) = check_snapshot(&value) {
            note(shared, sender, LogLevel::Error, &failure.message);
            return Ok(());
        }
        let slice = Slice {
            flow: plan.flow,
            runs: Vec::new(),
            snapshots: vec![(step, value)],
            kept: Vec::new(),
            logs: Vec::new(),
            leased: Vec::new(),
            needs_active: false,
        };
        shared.app.commit_slice(slice).map(drop)
    })();
    match kept {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(causes = %error.causes(), "can't keep a snapshot: {error}");
            false
        }
    }
}

/// Answers whoever waits for a run.
fn reply(shared: &Shared, run: ExecutionId, sender: &Sender, message: &Published) {
    let is_error = message
        .properties
        .headers
        .contains_key("x-eio-error-response");
    let Some(value) = opened(&sender.cipher, message) else {
        note(
            shared,
            sender,
            LogLevel::Error,
            "a reply could not be decrypted",
        );
        return;
    };
    let answer = if is_error {
        Answer::Failed(Failure::from_value(&value))
    } else {
        Answer::Reply(HttpReply::from_value(value))
    };
    shared.waiting.tell(run, Heard::Answer(answer));
}

/// Adds an entry to the log of the sender's flow.
fn note(shared: &Shared, sender: &Sender, level: LogLevel, text: &str) {
    let entry = NewLogEntry {
        step: Some(sender.plan.steps[sender.step].id.to_string()),
        at_ms: shared.app.now_ms(),
        level,
        message: text.chars().take(4_096).collect(),
        run: None,
    };
    let run = sender.origin.map(|origin| origin.execution);
    shared
        .app
        .log_step_later(sender.plan.flow, vec![(run, entry)]);
}

/// Ends a message that a process is done with: its row goes in the transaction that
/// records how it ended.
pub(super) fn end(shared: &Shared, plan: &Arc<FlowPlan>, step: usize, in_flight: InFlight) {
    let origin = in_flight.origin();
    let queued: Queued = in_flight.queued;
    let mut driver = shared.driver(plan);
    let run = driver.enter(RunKey::Stored(origin.execution));
    let job = Job {
        step,
        message: origin.message,
        attempt: origin.attempt,
        row: Some(queued.seq),
    };
    let backlog = shared.backlog(plan, Some(step));
    let took_us = monotonic_us() - in_flight.began_us;
    driver.ended(
        run,
        job,
        in_flight.ended,
        backlog,
        (in_flight.began_ms, took_us),
    );
    workers::conclude(shared, driver, plan, queued);
}
