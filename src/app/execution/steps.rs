//! The steps of a run: what is recorded, and what waits.

use std::collections::HashMap;

use serde_json::Value;

use super::secrets::Secrets;
use super::{graphs_of, load, unsigned};
use crate::app::storage::Folder;
use crate::app::{App, PAGE_MAX};
use crate::domain::flow::graph::Graph;
use crate::domain::id::ExecutionId;
use crate::domain::principal::Principal;
use crate::domain::run::part::{
    MessageRef, PartMessage, Queued, StepRecord, ends_of_queue, kept_message,
};
use crate::domain::run::{Execution, Failure, RunStatus};
use crate::domain::{Error, Result};
use crate::store::Read;

/// The most steps that are put in the order of their start; those of a longer run are
/// shown as they ended, which differs only among steps that ran beside each other.
const SORTED_MAX: i64 = 5_000;

/// The parts that are read at a time.
const PARTS_BATCH: u32 = 200;

/// The largest part whose messages are read to be shown: what a person looks at is far
/// smaller, and a reader should not hold more.
const PART_MAX_BYTES: i64 = 16 * 1024 * 1024;

/// The messages that one page shows, in bytes: an answer that every client takes.
const PAGE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The outputs of one step that are shown; a splitter may have made thousands.
const OUTPUTS_MAX: usize = 100;

/// A step of a run as people see it.
#[derive(Clone, Debug)]
pub struct ExecutionStep {
    /// An id that is unique among all steps of all runs.
    pub id: String,
    /// The id of the node.
    pub step: String,
    /// What the node ran; none where that version of the flow is gone.
    pub command: Option<String>,
    /// How it ended, or that it runs or waits.
    pub status: RunStatus,
    /// The attempts that it took so far.
    pub attempts: u32,
    /// When its last attempt began, in milliseconds since 1970; none where it waits.
    pub started_at_ms: Option<i64>,
    /// How long that took, in microseconds.
    pub duration_us: Option<u64>,
    /// What it was given, its secrets masked; none where that is not kept or too large.
    pub input: Option<Value>,
    /// What it made, masked likewise.
    pub outputs: Vec<Value>,
    /// Why it failed, masked likewise; for a step that waits again, the last failure.
    pub error: Option<Failure>,
    /// The size of its input as JSON.
    pub input_bytes: u64,
    /// The size of its outputs as JSON.
    pub output_bytes: u64,
    /// Whether some of the messages are missing here.
    pub truncated: bool,
}

/// A record with its place.
struct Placed {
    part: u32,
    index: usize,
    record: StepRecord,
    /// What it made, and what the records made that go on with it: part and place.
    outputs: Vec<(u32, u32)>,
}

impl Placed {
    /// Takes over what a record says that goes on with this one.
    fn go_on(&mut self, part: u32, more: StepRecord) {
        let own = &mut self.record;
        self.outputs
            .extend(more.outputs.iter().map(|at| (part, *at)));
        own.output_bytes += more.output_bytes;
        own.duration_us = own.duration_us.max(more.duration_us);
        if own.error.is_none() && more.error.is_some() {
            own.status = more.status;
            own.error = more.error;
        }
    }
}

impl App {
    /// Returns up to `limit` steps of a run in order of start, without the first `offset`
    /// ones, and how many there are. What runs or waits now comes last. Secrets are
    /// masked.
    pub fn execution_steps(
        &self,
        who: &Principal,
        id: ExecutionId,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<ExecutionStep>, u64)> {
        let limit = limit.min(PAGE_MAX);
        let (mut steps, total, secrets) =
            self.read(|read| steps_of(read, &self.inner.objects, who, id, (offset, limit)))?;
        let mask = self.mask(secrets)?;
        for step in &mut steps {
            for message in step.input.iter_mut().chain(&mut step.outputs) {
                mask.value(message);
            }
            if let Some(error) = &mut step.error {
                mask.text(&mut error.message);
                if let Some(stack) = &mut error.stack {
                    mask.text(stack);
                }
            }
        }
        Ok((steps, total))
    }
}

/// Reads a page of steps, with what is to be masked in them.
fn steps_of(
    read: &Read<'_>,
    folder: &Folder,
    who: &Principal,
    id: ExecutionId,
    (offset, limit): (u64, u32),
) -> Result<(Vec<ExecutionStep>, u64, Secrets)> {
    let (run, flow) = load(read, who, id)?;
    let graphs = graphs_of(read, &run, flow.as_ref())?;
    let recorded = unsigned(run.steps_total);
    let mut bodies = Bodies::new(read, folder, &run, flow.is_some());
    let mut steps = Vec::new();
    for placed in records(read, &run, offset, limit)? {
        steps.push(bodies.recorded(&run, &graphs, placed)?);
    }
    let left = limit.saturating_sub(u32::try_from(steps.len()).unwrap_or(u32::MAX));
    let waiting = unsigned(read.count_queued(run.seq)?);
    if left > 0 && waiting > 0 {
        let skipped = offset.saturating_sub(recorded);
        for queued in read.queued_page(run.seq, skipped, left)? {
            steps.push(bodies.waiting(&run, &graphs, queued)?);
        }
    }
    Ok((steps, recorded + waiting, Secrets::of(read, &graphs)?))
}

/// Returns a page of the records of a run.
fn records(read: &Read<'_>, run: &Execution, offset: u64, limit: u32) -> Result<Vec<Placed>> {
    let (offset, limit) = (
        usize::try_from(offset).unwrap_or(usize::MAX),
        limit as usize,
    );
    if run.steps_total <= SORTED_MAX {
        let mut all = records_from(read, run.seq, 0, usize::MAX)?;
        all.sort_by_key(|placed| placed.record.started_at_ms);
        return Ok(all.into_iter().skip(offset).take(limit).collect());
    }
    let at = i64::try_from(offset).unwrap_or(i64::MAX);
    let Some((part, before)) = read.part_of_step(run.seq, at)? else {
        return Ok(Vec::new());
    };
    let skipped = usize::try_from(at - before).unwrap_or(0);
    let some = records_from(read, run.seq, part, skipped + limit)?;
    Ok(some.into_iter().skip(skipped).take(limit).collect())
}

/// Returns the records from a part on, whole parts, until there are `enough`. What a
/// retry took over is left out.
fn records_from(read: &Read<'_>, run: i64, part: u32, enough: usize) -> Result<Vec<Placed>> {
    let mut found: Vec<Placed> = Vec::new();
    let mut begun: HashMap<(String, MessageRef), usize> = HashMap::new();
    let mut from = part;
    loop {
        let parts = read.execution_parts(run, from, PARTS_BATCH)?;
        let is_last = parts.len() < PARTS_BATCH as usize;
        for stored in parts {
            from = stored.part + 1;
            let records: Vec<Value> =
                serde_json::from_str(&stored.steps).map_err(Error::internal)?;
            for (index, value) in records.iter().enumerate() {
                let record = StepRecord::from_value(value, stored.part);
                let Some(record) = record.filter(|record| record.attempts > 0) else {
                    continue;
                };
                let what = (record.step.clone(), record.input);
                if record.continues {
                    // Where it began is on another page, which shows it.
                    if let Some(first) = begun.get(&what).and_then(|at| found.get_mut(*at)) {
                        first.go_on(stored.part, record);
                    }
                    continue;
                }
                begun.insert(what, found.len());
                let outputs = record.outputs.iter().map(|at| (stored.part, *at));
                found.push(Placed {
                    part: stored.part,
                    index,
                    outputs: outputs.collect(),
                    record,
                });
            }
            if found.len() >= enough {
                return Ok(found);
            }
        }
        if is_last {
            return Ok(found);
        }
    }
}

/// Reads messages to be shown, each part once, up to the bytes of a page.
struct Bodies<'a> {
    read: &'a Read<'a>,
    folder: &'a Folder,
    run: i64,
    /// Whether messages are shown at all: not where nobody knows the flow's secrets.
    is_open: bool,
    parts: HashMap<u32, Vec<Value>>,
    left: u64,
}

impl<'a> Bodies<'a> {
    /// Begins a page.
    fn new(read: &'a Read<'a>, folder: &'a Folder, run: &Execution, is_open: bool) -> Self {
        Self {
            read,
            folder,
            run: run.seq,
            is_open,
            parts: HashMap::new(),
            left: PAGE_MAX_BYTES,
        }
    }

    /// Returns a step that was recorded.
    fn recorded(
        &mut self,
        run: &Execution,
        graphs: &[Graph],
        placed: Placed,
    ) -> Result<ExecutionStep> {
        let Placed {
            part,
            index,
            record,
            outputs: made,
        } = placed;
        let input = match record.input {
            MessageRef::Stored { part, index } => self.take(part, index, record.input_bytes)?,
            MessageRef::Own(index) => self.take(part, index, record.input_bytes)?,
        };
        let mut outputs = Vec::new();
        let mut truncated = input.is_none();
        let each = record.output_bytes / (made.len().max(1) as u64);
        for (part, at) in made.iter().take(OUTPUTS_MAX) {
            match self.take(*part, *at, each)? {
                Some(output) => outputs.push(output),
                None => break,
            }
        }
        truncated |= outputs.len() < made.len();
        Ok(ExecutionStep {
            id: format!("{}.{part}.{index}", run.id),
            command: command_of(graphs, &record.step),
            step: record.step,
            status: record.status,
            attempts: record.attempts,
            started_at_ms: Some(record.started_at_ms),
            duration_us: Some(record.duration_us),
            input,
            outputs,
            error: record.error,
            input_bytes: record.input_bytes,
            output_bytes: record.output_bytes,
            truncated,
        })
    }

    /// Returns a step that runs or waits.
    fn waiting(
        &mut self,
        run: &Execution,
        graphs: &[Graph],
        queued: Queued,
    ) -> Result<ExecutionStep> {
        let input = self.take(queued.part, queued.index, queued.bytes)?;
        let step = match ends_of_queue(&queued.step) {
            Some((_, target)) if command_of(graphs, &queued.step).is_none() => target,
            _ => &queued.step,
        };
        let is_running = queued.leases > 0;
        Ok(ExecutionStep {
            id: format!("{}.q{}", run.id, queued.seq),
            command: command_of(graphs, step),
            step: step.to_owned(),
            status: if is_running {
                RunStatus::Running
            } else {
                RunStatus::Waiting
            },
            attempts: queued.attempt.saturating_sub(u32::from(!is_running)),
            started_at_ms: None,
            duration_us: None,
            truncated: input.is_none(),
            input,
            outputs: Vec::new(),
            error: queued.fault.map(Failure::new),
            input_bytes: queued.bytes,
            output_bytes: 0,
        })
    }

    /// Returns a message, where it is kept and the page has room for its bytes.
    fn take(&mut self, part: u32, index: u32, bytes: u64) -> Result<Option<Value>> {
        if !self.is_open || bytes > self.left {
            return Ok(None);
        }
        if !self.parts.contains_key(&part) {
            let is_small = self
                .read
                .part_messages_bytes(self.run, part)?
                .is_some_and(|bytes| bytes <= PART_MAX_BYTES);
            let text = if is_small {
                self.read.part_messages(self.run, part)?
            } else {
                None
            };
            let messages = match text {
                Some(text) => serde_json::from_str(&text).map_err(Error::internal)?,
                None => Vec::new(),
            };
            self.parts.insert(part, messages);
        }
        let Some(kept) = kept_message(&self.parts[&part], index as usize) else {
            return Ok(None);
        };
        let mut message = kept.get("m").cloned();
        if let (Some(file), Some(message)) = (PartMessage::body_file_of(kept), &mut message) {
            match self.folder.read_body(file)? {
                Some(body) => message["body"] = body,
                None => return Ok(None),
            }
        }
        if message.is_some() {
            self.left -= bytes;
        }
        Ok(message)
    }
}

/// Returns what a node runs in the first of these graphs that has it.
fn command_of(graphs: &[Graph], step: &str) -> Option<String> {
    let mut nodes = graphs.iter().flat_map(|graph| &graph.nodes);
    let node = nodes.find(|node| node.id == step)?;
    Some(node.members.get("command")?.as_str()?.to_owned())
}
