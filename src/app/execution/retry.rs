//! Retries: a step of a run, everything from a step on, or the whole run once more.
//!
//! A retry is a run of its own. Its first part holds the messages that it begins with and
//! those that they came from, so that a step finds the same passthrough as before.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::secrets::Secrets;
use super::{graphs_of, load_to_change};
use crate::app::App;
use crate::app::run::PartData;
use crate::app::storage::Folder;
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::flow::event::FlowEventKind;
use crate::domain::flow::graph::Graph;
use crate::domain::flow::{Flow, FlowStatus};
use crate::domain::id::ExecutionId;
use crate::domain::principal::Principal;
use crate::domain::run::part::{
    BodyFile, MessageRef, NewExecution, NewQueued, PartMessage, RunKey, RunPart, StepRecord,
    edge_queue, messages_text, steps_text,
};
use crate::domain::run::{Execution, Message, RetryMode, RunTrigger};
use crate::domain::{Error, Kind, Result};
use crate::store::Read;

/// The failed messages of a step that one retry takes up: what one transaction does in
/// little time. A retry of the rest follows.
const RETRIED_MAX: usize = 100;

/// How far back a message's origin is followed; beyond it lies a step that feeds itself.
const ORIGIN_MAX: usize = 2_000;

/// How many retries of retries are followed back to the run that began with the first step.
const RETRIES_MAX: usize = 100;

/// The parts of a retry in which its first message is worked on: the one that it begins with,
/// and the one that its first step makes.
const FIRST_PARTS: u32 = 2;

/// The parts of a run that are looked through at a time, newest first.
const PARTS_BATCH: u32 = 200;

/// What is to be run again.
#[derive(Clone, Debug)]
pub struct NewRetry {
    /// How much of it.
    pub mode: RetryMode,
    /// The step; not for [`RetryMode::Run`].
    pub step: Option<String>,
    /// The message to begin with in the place of the recorded one; what is masked in it
    /// as in the recorded one stays as that is.
    pub input: Option<Value>,
}

/// A message to begin with, and where.
struct Start {
    message: (u32, u32),
    queue: String,
}

/// What a retry begins with, read before its transaction: history does not change.
struct Prepared {
    part: Origins,
    queued: Vec<NewQueued>,
    flow_version: i64,
    secrets: Secrets,
    /// The recorded input, where an edited one takes its place.
    replaced: Option<usize>,
}

impl App {
    /// Runs a step of a run, what follows from it, or all of it once more, as a new run;
    /// returns that.
    ///
    /// Of a step that failed several times all failures are taken up, at most 100 at a
    /// time; with an edited input, or where it did not fail, the newest one alone.
    /// Refused with [`Kind::Conflict`] where the flow can't run, where the messages are
    /// not kept any more, and where the step is gone.
    pub fn retry_execution(
        &self,
        who: &Principal,
        id: ExecutionId,
        retry: NewRetry,
    ) -> Result<Execution> {
        check_shape(&retry)?;
        let (run, flow) = self.read(|read| load_to_change(read, who, id))?;
        let flow = flow.ok_or_else(|| refuse("its flow is gone"))?;
        let kept = retry.mode == RetryMode::Step && flow.version != run.flow_version;
        self.check_steps(who, flow.id, kept.then_some(run.flow_version))?;
        let mut prepared =
            self.read(|read| prepare(read, &self.inner.objects, &run, &flow, &retry))?;
        if let Some(input) = retry.input {
            self.replace_input(&mut prepared, input)?;
        }
        let made = self.begin_retry(who, &run, retry.mode, retry.step, prepared)?;
        self.tell_runtime(run.flow_id);
        self.execution(who, made)
    }

    /// Puts an edited message in the place of the recorded one.
    fn replace_input(&self, prepared: &mut Prepared, mut input: Value) -> Result<()> {
        let Some(at) = prepared.replaced else {
            return Ok(());
        };
        let mask = self.mask(std::mem::take(&mut prepared.secrets))?;
        let kept = &mut prepared.part.messages[at];
        mask.restore(&mut input, &kept.message.to_value());
        kept.message = Arc::new(Message::from_value(input));
        let bytes = kept.message.to_value().to_string().len() as u64;
        for queued in &mut prepared.queued {
            queued.bytes = bytes;
        }
        Ok(())
    }

    /// Begins the new run in one transaction, if the flow is still the one that was looked
    /// at.
    fn begin_retry(
        &self,
        who: &Principal,
        run: &Execution,
        mode: RetryMode,
        step: Option<String>,
        mut prepared: Prepared,
    ) -> Result<ExecutionId> {
        let id = self.inner.ids.next();
        let (of, flow_id, version) = (run.id, run.flow_id, run.flow_version);
        let bodies = self.set_bodies_aside(&mut prepared.part.messages)?;
        let body_files = bodies.clone();
        let app = self.clone();
        let begun = self.act(who, move |act| {
            let flow = crate::app::flow::load_to_run(act, act.who, flow_id)?;
            // A whole run is what `run-now` begins, for which no flow has to be started.
            if flow.status != FlowStatus::Active && mode != RetryMode::Run {
                let told = "steps of a stopped flow don't run: start it, or retry the whole run";
                return Err(refuse(told));
            }
            let expected = if mode == RetryMode::Step {
                version
            } else {
                flow.version
            };
            if prepared.flow_version != expected {
                return Err(refuse("the flow was changed meanwhile: try again"));
            }
            if let Some(first) = prepared.queued.first() {
                app.refuse_full(act, flow_id, &first.step)?;
            }
            let new = NewExecution {
                id,
                flow_version: prepared.flow_version,
                trigger: RunTrigger::Retry,
                started_at_ms: act.now_ms,
                request_id: None,
                retry_of: Some(of),
            };
            let mut queued = prepared.queued;
            for one in &mut queued {
                one.due_at_ms = act.now_ms;
            }
            let part = prepared.part.into_part(new, queued, body_files);
            let done = act.add_run_part(flow_id, &part, act.now_ms)?;
            for seq in done.queued {
                act.add_flow_event(flow_id, FlowEventKind::Queued, Some(seq), act.now_ms)?;
            }
            act.audit(
                &NewAuditEntry::of("execution.retry", ObjectKind::Execution, id).with(json!({
                    "retry_of": of.to_string(),
                    "mode": mode.as_str(),
                    "step": step,
                })),
            )?;
            Ok(id)
        });
        if begun.is_err() {
            self.drop_body_files(&bodies);
        }
        begun
    }
}

/// Checks that a step is named where one is needed.
fn check_shape(retry: &NewRetry) -> Result<()> {
    match (retry.mode, &retry.step) {
        (RetryMode::Run, Some(_)) => Err(Error::invalid(
            "step_id",
            "must not be given where the whole run is repeated",
        )),
        (RetryMode::Step | RetryMode::FromStep, None) => {
            Err(Error::invalid("step_id", "is required"))
        }
        _ => Ok(()),
    }
}

/// Makes the error of a retry that can't be.
fn refuse(reason: &str) -> Error {
    Error::new(Kind::Conflict, format!("it can't be retried: {reason}"))
}

/// Reads what a retry begins with.
fn prepare(
    read: &Read<'_>,
    folder: &Folder,
    run: &Execution,
    flow: &Flow,
    retry: &NewRetry,
) -> Result<Prepared> {
    let old = match retry.mode {
        RetryMode::Step if flow.version != run.flow_version => Some(
            read.flow_version(flow.id, run.flow_version)?
                .ok_or_else(|| refuse("that version of the flow is gone"))?,
        ),
        _ => None,
    };
    let graph = old.as_ref().unwrap_or(&flow.graph);
    let mut parts = Parts::new(read, folder, run.seq);
    let starts = if let Some(step) = &retry.step {
        starts_at(&mut parts, graph, step, retry.input.is_some())?
    } else {
        parts = parts_from_first(read, folder, run, graph)?;
        vec![first_of(&mut parts, graph)?]
    };
    let mut part = Origins::default();
    let mut queued = Vec::with_capacity(starts.len());
    for start in starts {
        let at = part.take_over(&mut parts, start.message)?;
        let bytes = part.messages[at as usize]
            .message
            .to_value()
            .to_string()
            .len() as u64;
        queued.push(NewQueued {
            step: start.queue,
            message: MessageRef::Own(at),
            bytes,
            attempt: 1,
            due_at_ms: 0,
            fault: None,
        });
    }
    let replaced = match (&retry.input, queued.first().map(|first| first.message)) {
        (Some(_), Some(MessageRef::Own(at))) => Some(at as usize),
        _ => None,
    };
    let graphs = graphs_of(read, run, Some(flow))?;
    Ok(Prepared {
        part,
        queued,
        flow_version: if old.is_some() {
            run.flow_version
        } else {
            flow.version
        },
        secrets: Secrets::of(read, &graphs)?,
        replaced,
    })
}

/// Returns the messages with which a step begins again.
fn starts_at(
    parts: &mut Parts<'_>,
    graph: &Graph,
    step: &str,
    is_edited: bool,
) -> Result<Vec<Start>> {
    if !graph.nodes.iter().any(|node| node.id == step) {
        return Err(refuse("the flow has no such step any more"));
    }
    let records = parts.records_of(step, if is_edited { 1 } else { RETRIED_MAX })?;
    if records.is_empty() {
        return Err(refuse("the run has no record of this step"));
    }
    let mut starts = Vec::with_capacity(records.len());
    for (part, record) in records {
        let message = stored(record.input, part);
        let queue = if record.at_mapping {
            let source = parts.maker_of(message)?;
            let leads = graph
                .edges
                .iter()
                .any(|edge| edge.target == step && edge.source.is_some() && edge.source == source);
            match source {
                Some(source) if leads => edge_queue(&source, step),
                _ => return Err(refuse("the edge whose mapping failed is gone")),
            }
        } else {
            step.to_owned()
        };
        starts.push(Start { message, queue });
    }
    Ok(starts)
}

/// Returns the parts of the run with whose first message a whole run begins again: this one,
/// or, where it is a retry that began behind the first step with a message that is made for
/// that (an error handler's), the run that it retried.
fn parts_from_first<'a>(
    read: &'a Read<'_>,
    folder: &'a Folder,
    run: &Execution,
    graph: &Graph,
) -> Result<Parts<'a>> {
    let mut parts = Parts::new(read, folder, run.seq);
    let mut retried = run.retry_of;
    for _ in 0..RETRIES_MAX {
        let Some(id) = retried else {
            return Ok(parts);
        };
        let start = first_of(&mut parts, graph)?;
        if parts.is_input_of(&start)? {
            return Ok(parts);
        }
        let before = read.execution(id)?.ok_or_else(not_kept)?;
        parts = Parts::new(read, folder, before.seq);
        retried = before.retry_of;
    }
    Err(not_kept())
}

/// Returns the first message of a run, for the first step.
fn first_of(parts: &mut Parts<'_>, graph: &Graph) -> Result<Start> {
    let first = graph
        .first()
        .ok_or_else(|| refuse("the flow has no first step"))?;
    let data = parts.part(0)?;
    let outside = |kept: &PartMessage| kept.made_by.is_none() && kept.mapped_from.is_none();
    let at = data.messages.iter().position(outside);
    let at = at.and_then(|at| u32::try_from(at).ok());
    Ok(Start {
        message: (0, at.ok_or_else(not_kept)?),
        queue: first.id.clone(),
    })
}

/// The refusal where messages were pruned.
fn not_kept() -> Error {
    refuse("its messages are not kept any more")
}

/// Returns part and place of a message that a record of the part `part` names.
fn stored(message: MessageRef, part: u32) -> (u32, u32) {
    match message {
        MessageRef::Own(index) => (part, index),
        MessageRef::Stored { part, index } => (part, index),
    }
}

/// The parts of a run, each read once.
struct Parts<'a> {
    read: &'a Read<'a>,
    folder: &'a Folder,
    run: i64,
    known: HashMap<u32, PartData>,
}

impl<'a> Parts<'a> {
    /// Begins to read the parts of a run.
    fn new(read: &'a Read<'a>, folder: &'a Folder, run: i64) -> Self {
        Self {
            read,
            folder,
            run,
            known: HashMap::new(),
        }
    }

    /// Returns a part.
    fn part(&mut self, part: u32) -> Result<&PartData> {
        if !self.known.contains_key(&part) {
            let data = PartData::load(self.read, self.folder, self.run, part)?;
            self.known.insert(part, data);
        }
        Ok(&self.known[&part])
    }

    /// Returns a message; refused where it is not kept.
    fn message(&mut self, (part, index): (u32, u32)) -> Result<&PartMessage> {
        let data = self.part(part)?;
        let message = data.messages.get(index as usize);
        message.filter(|it| !it.is_lost()).ok_or_else(not_kept)
    }

    /// Tells whether a message was given to the step in whose queue it would be put.
    fn is_input_of(&mut self, start: &Start) -> Result<bool> {
        for part in 0..FIRST_PARTS {
            let records = self.part(part)?.steps.iter();
            for record in records {
                if stored(record.input, part) == start.message {
                    return Ok(record.step == start.queue);
                }
            }
        }
        // It waits, or was cancelled while it did: nothing says that it is another step's.
        Ok(true)
    }

    /// Returns the step that made a message.
    fn maker_of(&mut self, (part, index): (u32, u32)) -> Result<Option<String>> {
        let made_by = self.message((part, index))?.made_by;
        let steps = &self.part(part)?.steps;
        let record = made_by.and_then(|at| steps.get(at as usize));
        Ok(record.map(|record| record.step.clone()))
    }

    /// Returns the records of a step that failed, oldest first, the newest `limit` ones;
    /// where none did, the newest record.
    fn records_of(&mut self, step: &str, limit: usize) -> Result<Vec<(u32, StepRecord)>> {
        let (mut failed, mut newest) = (Vec::new(), None);
        let mut before = None;
        loop {
            let stored = self
                .read
                .parts_with_step(self.run, step, before, PARTS_BATCH)?;
            let is_last = stored.len() < PARTS_BATCH as usize;
            for one in stored {
                before = Some(one.part);
                let values: Vec<Value> =
                    serde_json::from_str(&one.steps).map_err(Error::internal)?;
                let records = values.iter().rev();
                for record in records.filter_map(|value| StepRecord::from_value(value, one.part)) {
                    if record.step != step || record.attempts == 0 {
                        continue;
                    }
                    if record.error.is_some() {
                        failed.push((one.part, record));
                    } else if newest.is_none() {
                        newest = Some((one.part, record));
                    }
                    if failed.len() >= limit {
                        failed.reverse();
                        return Ok(failed);
                    }
                }
            }
            if is_last {
                failed.reverse();
                let found = if failed.is_empty() {
                    newest.into_iter().collect()
                } else {
                    failed
                };
                return Ok(found);
            }
        }
    }
}

/// Messages and the steps that they came through, as the first part of a new run.
#[derive(Default)]
struct Origins {
    steps: Vec<StepRecord>,
    messages: Vec<PartMessage>,
    /// The places of messages that were taken over, by their old places.
    places: HashMap<(u32, u32), u32>,
}

impl Origins {
    /// Takes over a message with all that it came from; returns its place.
    fn take_over(&mut self, parts: &mut Parts<'_>, message: (u32, u32)) -> Result<u32> {
        let mut chain = Vec::new();
        let mut next = Some(message);
        while let Some(at) = next.filter(|at| !self.places.contains_key(at)) {
            chain.push(at);
            let kept = parts.message(at)?;
            let (mapped_from, made_by) = (kept.mapped_from, kept.made_by);
            let steps = &parts.part(at.0)?.steps;
            let maker = made_by.and_then(|index| steps.get(index as usize));
            let before = mapped_from.or_else(|| maker.map(|record| record.input));
            next = before
                .map(|before| stored(before, at.0))
                .filter(|_| chain.len() < ORIGIN_MAX);
        }
        for at in chain.into_iter().rev() {
            self.copy(parts, at)?;
        }
        Ok(self.places[&message])
    }

    /// Copies one message whose origin was copied before.
    fn copy(&mut self, parts: &mut Parts<'_>, at: (u32, u32)) -> Result<()> {
        let kept = parts.message(at)?.clone();
        let place = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        let own = |old: MessageRef, places: &HashMap<(u32, u32), u32>| {
            places.get(&stored(old, at.0)).copied().map(MessageRef::Own)
        };
        let mapped_from = kept.mapped_from.and_then(|old| own(old, &self.places));
        let steps = &parts.part(at.0)?.steps;
        let maker = kept.made_by.and_then(|index| steps.get(index as usize));
        let mut made_by = None;
        if let Some(record) = maker
            && let Some(input) = own(record.input, &self.places)
        {
            made_by = u32::try_from(self.steps.len()).ok();
            self.steps.push(StepRecord {
                attempts: 0,
                input,
                outputs: vec![place],
                error: None,
                ..record.clone()
            });
        }
        self.messages.push(PartMessage {
            message: kept.message,
            made_by,
            mapped_from,
            body_file: None,
        });
        self.places.insert(at, place);
        Ok(())
    }

    /// Makes the first part of a run of it.
    fn into_part(
        self,
        new: NewExecution,
        queued: Vec<NewQueued>,
        body_files: Vec<BodyFile>,
    ) -> RunPart {
        RunPart {
            run: RunKey::New(new),
            steps: steps_text(&self.steps),
            steps_count: 0,
            errors_count: 0,
            messages: messages_text(&self.messages, &self.steps),
            body_files,
            queued,
            settled: Vec::new(),
            interrupted: false,
            reopens: false,
        }
    }
}
