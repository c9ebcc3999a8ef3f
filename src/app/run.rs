//! What the engine asks of the database: flows ready to run, queues, and the one
//! transaction in which a slice of work becomes true.

mod start;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::step_run::StepConfig;
use super::storage::Folder;
use super::{Act, App, credential};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::flow::event::{FlowEvent, FlowEventKind};
use crate::domain::flow::options::Missed;
use crate::domain::flow::schedule::{fires_between, next_fire};
use crate::domain::flow::{Flow, FlowStatus, FlowType};
use crate::domain::id::{CredentialId, ExecutionId, FlowId, ObjectId};
use crate::domain::principal::Principal;
use crate::domain::run::message::size_of;
use crate::domain::run::part::{
    BodyFile, CommittedRun, MessageRef, NewExecution, NewLogEntry, NewQueued, PartMessage, Queued,
    RunKey, RunPart, Slice, StepRecord, messages_of, messages_text,
};
use crate::domain::run::{LogLevel, Message, RunStatus, RunTrigger};
use crate::domain::{Error, Kind, Result};
use crate::store::{QueueSize, Read, SealedCredential, Write};

/// The most flows that one transaction of the schedule fires: a few milliseconds.
pub const FIRE_BATCH: u32 = 200;

/// The most events that are read at once.
const EVENTS_BATCH: u32 = 1_000;

/// The most runs that are made up for with the policy `all`: more than a day of a
/// schedule that fires each quarter of an hour.
const MISSED_MAX: usize = 100;

/// A schedule this late was missed, not delayed: the server was down or the machine
/// slept.
const MISSED_AFTER_MS: i64 = 60_000;

/// Seconds after which a caller may try a full queue again: some hundred messages later.
pub const FULL_RETRY_S: u32 = 5;

/// A flow as the engine runs it.
pub struct RunnableFlow {
    /// The flow.
    pub flow: Flow,
    /// The configuration of each node of its graph, in its order.
    pub configs: Vec<StepConfig>,
    /// Whether its schedule sets it off, and not its webhook.
    pub polls: bool,
    /// The version of its graph, where that was asked for and not the present one.
    pub kept_version: Option<i64>,
}

/// A part of a run, decoded.
#[derive(Debug, Default)]
pub struct PartData {
    /// Its steps.
    pub steps: Vec<StepRecord>,
    /// Its messages; none where they are not kept.
    pub messages: Vec<PartMessage>,
    /// The bytes of all of it as JSON.
    pub bytes: u64,
}

impl PartData {
    /// Reads a part of a run, with the large bodies from their files.
    pub(super) fn load(
        read: &Read<'_>,
        folder: &Folder,
        execution: i64,
        part: u32,
    ) -> Result<Self> {
        let steps = read.part_steps(execution, part)?;
        let messages = read.part_messages(execution, part)?;
        let mut bytes = (text_len(steps.as_ref()) + text_len(messages.as_ref())) as u64;
        let mut messages = messages_of(values(messages)?, part);
        bytes += fill_bodies(folder, &mut messages)?;
        Ok(Self {
            steps: values(steps)?
                .iter()
                .filter_map(|value| StepRecord::from_value(value, part))
                .collect(),
            messages,
            bytes,
        })
    }
}

/// What the schedule did.
#[derive(Debug, Default)]
pub struct Fired {
    /// The messages that it queued.
    pub queued: Vec<Queued>,
    /// When it is due next, in milliseconds since 1970.
    pub next_due_ms: Option<i64>,
    /// Whether more is due now.
    pub has_more: bool,
}

impl App {
    /// Returns a flow with the configuration of its steps; none where it is gone.
    ///
    /// A credential that is gone, or no longer one of the flow's owner, leaves the fields
    /// alone: the step fails by itself.
    pub fn runnable_flow(&self, id: FlowId) -> Result<Option<RunnableFlow>> {
        self.runnable(id, None)
    }

    /// Returns a flow with the graph that it had in a version, and everything else as it
    /// is now; none where the flow or that version is gone.
    pub fn runnable_flow_at(&self, id: FlowId, version: i64) -> Result<Option<RunnableFlow>> {
        self.runnable(id, Some(version))
    }

    /// Returns a flow with the configuration of its steps, in a version or the present one.
    fn runnable(&self, id: FlowId, kept_version: Option<i64>) -> Result<Option<RunnableFlow>> {
        let found = self.read(|read| {
            let Some(mut flow) = read.flow(id)? else {
                return Ok(None);
            };
            if let Some(version) = kept_version {
                let Some(graph) = read.flow_version(id, version)? else {
                    return Ok(None);
                };
                (flow.graph, flow.version) = (graph, version);
            }
            let mut sealed = Vec::with_capacity(flow.graph.nodes.len());
            let mut builds = Vec::with_capacity(flow.graph.nodes.len());
            for node in &flow.graph.nodes {
                builds.push(self.step_build(read, &flow, &node.command)?);
                sealed.push(match node.credential_id {
                    Some(credential) => usable_credential(read, &flow, credential)?,
                    None => None,
                });
            }
            let polls = super::flow::polls(read, &flow)?;
            Ok(Some((flow, sealed, builds, polls)))
        })?;
        let Some((flow, sealed, builds, polls)) = found else {
            return Ok(None);
        };
        let mut configs = Vec::with_capacity(sealed.len());
        let nodes = flow.graph.nodes.iter().zip(sealed).zip(builds);
        for ((node, sealed), build) in nodes {
            let lacks_credential = node.credential_id.is_some() && sealed.is_none();
            let keys = match sealed {
                Some(row) => self.open_keys(row)?.keys,
                None => Map::new(),
            };
            configs.push(StepConfig {
                fields: merged(node.members.get("fields"), keys),
                lacks_credential,
                credential: node.credential_id.filter(|_| !lacks_credential),
                build,
            });
        }
        Ok(Some(RunnableFlow {
            flow,
            configs,
            polls,
            kept_version,
        }))
    }

    /// Makes a slice of work true: one transaction, on disk when this returns.
    ///
    /// Refused with [`Kind::Conflict`] where it needs a flow that runs, or is suspended.
    /// [`Kind::Unavailable`] means that nothing happened, and it may be tried again.
    /// Whoever gives up has its large bodies removed with [`App::drop_slice`].
    pub fn commit_slice(&self, slice: impl Into<Arc<Slice>>) -> Result<Vec<CommittedRun>> {
        let now_ms = self.now_ms();
        let slice = slice.into();
        self.inner.store.write(move |write| {
            // What a suspended flow is sent is kept for its start (`runtime.md 4.10`).
            let is_gone = |status| matches!(status, None | Some(FlowStatus::Inactive));
            if slice.needs_active && is_gone(write.flow_status(slice.flow)?) {
                return Err(Error::new(Kind::Conflict, "the flow is not active"));
            }
            let mut done = Vec::with_capacity(slice.runs.len());
            for part in &slice.runs {
                done.push(write.add_run_part(slice.flow, part, now_ms)?);
            }
            for (step, value) in &slice.snapshots {
                write.set_snapshot(slice.flow, step, value, now_ms)?;
            }
            for (step, key, value) in &slice.kept {
                write.keep_step_datum(slice.flow, step, key, value.as_ref(), now_ms)?;
            }
            for entry in &slice.logs {
                let run = entry.run.and_then(|at| done.get(at)).map(|run| run.seq);
                write.add_log_entry(slice.flow, run, entry)?;
            }
            for seq in &slice.leased {
                write.lease(*seq)?;
            }
            Ok(done)
        })
    }

    /// Removes the files with the large bodies of a slice that was not committed.
    pub fn drop_slice(&self, slice: &Slice) {
        let bodies = slice.runs.iter().flat_map(|part| &part.body_files);
        let bodies: Vec<BodyFile> = bodies.copied().collect();
        self.drop_body_files(&bodies);
    }

    /// Returns a part of a run.
    pub fn run_part(&self, execution: i64, part: u32) -> Result<PartData> {
        self.read(|read| PartData::load(read, &self.inner.objects, execution, part))
    }

    /// Returns how much waits for each step.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the path of a method is not general enough over the reader's lifetime"
    )]
    pub fn queue_sizes(&self) -> Result<Vec<QueueSize>> {
        self.read(|read| read.queue_sizes())
    }

    /// Returns how much waits for each step of a flow.
    pub fn queue_sizes_of(&self, flow: FlowId) -> Result<Vec<QueueSize>> {
        self.read(|read| read.queue_sizes_of(flow))
    }

    /// Returns up to `limit` messages that wait for a step after `after`.
    pub fn queued_for(
        &self,
        flow: FlowId,
        step: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Queued>> {
        self.read(|read| read.queued_for(flow, step, after, limit))
    }

    /// Returns a message that waits.
    pub fn queued(&self, seq: i64) -> Result<Option<Queued>> {
        self.read(|read| read.queued(seq))
    }

    /// Returns the newest events of flows after `after`, and the seq of the last one.
    pub fn flow_events(&self, after: i64) -> Result<Vec<FlowEvent>> {
        self.read(|read| read.flow_events(after, EVENTS_BATCH))
    }

    /// Returns the seq of the newest event of all.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the path of a method is not general enough over the reader's lifetime"
    )]
    pub fn last_flow_event(&self) -> Result<i64> {
        self.read(|read| read.last_flow_event())
    }

    /// Returns the snapshot of a step, where it has one.
    pub fn step_snapshot(&self, flow: FlowId, step: &str) -> Result<Option<Value>> {
        self.read(|read| read.snapshot(flow, step))
    }

    /// Returns a piece of data that a step keeps.
    pub fn step_datum(&self, flow: FlowId, step: &str, key: &str) -> Result<Option<Value>> {
        self.read(|read| read.step_datum(flow, step, key))
    }

    /// Notes, without waiting, that messages are being worked on.
    pub fn lease_later(&self, seqs: Vec<i64>) {
        self.inner.store.write_later(move |write| {
            for seq in seqs {
                write.lease(seq)?;
            }
            Ok(())
        });
    }

    /// Takes one lease of each message back, without waiting: they could not be ended for
    /// a reason that is not theirs.
    pub fn unlease_later(&self, seqs: Vec<i64>) {
        self.inner.store.write_later(move |write| {
            for seq in seqs {
                write.unlease(seq)?;
            }
            Ok(())
        });
    }

    /// Tells whether a step may begin with a message that was read before: it was not
    /// stopped, cancelled or suspended since.
    pub fn may_begin(&self, seq: i64) -> Result<bool> {
        self.inner.store.read_statement(|read| read.may_begin(seq))
    }

    /// Returns how a flow and a run of it stand; none of what is not there.
    pub fn standing_of(
        &self,
        flow: FlowId,
        run: ExecutionId,
    ) -> Result<(Option<FlowStatus>, Option<RunStatus>)> {
        self.read(|read| {
            let status = read.execution(run)?.map(|run| run.status);
            Ok((read.flow_status(flow)?, status))
        })
    }

    /// Takes leases back: the server ends in order, and their messages wait as before.
    pub fn release(&self, seqs: Vec<i64>) -> Result<()> {
        self.inner.store.write(move |write| {
            for seq in seqs {
                write.release(seq)?;
            }
            Ok(())
        })
    }

    /// Ends the runs of a flow that is gone; what waited for it goes.
    pub fn end_runs_of(&self, flow: FlowId) -> Result<usize> {
        let now_ms = self.now_ms();
        self.inner
            .store
            .write(move |write| write.end_executions_of(flow, RunStatus::Cancelled, now_ms))
    }

    /// Ends runs that a server left behind with nothing waiting; returns how many.
    pub fn end_orphaned_runs(&self) -> Result<usize> {
        let now_ms = self.now_ms();
        self.inner
            .store
            .write(move |write| write.end_orphans(now_ms))
    }

    /// Sets when active flows fire that poll and have no time yet: those of a database
    /// from before there were schedules.
    pub fn arm_schedules(&self) -> Result<()> {
        let mut after = None;
        loop {
            let now_ms = self.now_ms();
            let last = self.inner.store.write(move |write| {
                let flows = write.unscheduled_flows(after, FIRE_BATCH)?;
                for id in &flows {
                    let Some(flow) = write.flow(*id)? else {
                        continue;
                    };
                    if super::flow::polls(write, &flow)? {
                        write.set_due(*id, next_fire(&flow, now_ms))?;
                    }
                }
                Ok(flows.last().copied())
            })?;
            if last.is_none() {
                return Ok(());
            }
            after = last;
        }
    }

    /// Fires what is due: one message into the first step of each due flow.
    ///
    /// A flow whose first step is still busy is skipped, and the log says so.
    pub fn fire_due(&self) -> Result<Fired> {
        let app = self.clone();
        let now_ms = self.now_ms();
        self.inner.store.write(move |write| {
            let due = write.due_flows(now_ms, FIRE_BATCH)?;
            let mut fired = Fired {
                has_more: due.len() >= FIRE_BATCH as usize,
                ..Fired::default()
            };
            for (id, due_at_ms) in due {
                let Some(flow) = write.flow(id)?.filter(|f| f.status == FlowStatus::Active) else {
                    write.set_due(id, None)?;
                    continue;
                };
                write.set_due(id, next_fire(&flow, now_ms))?;
                for nth in 0..runs_of(&flow, due_at_ms, now_ms) {
                    // Runs that are made up for wait behind each other.
                    let Some(queued) = app.fire_one(write, &flow, nth == 0, now_ms)? else {
                        break;
                    };
                    fired.queued.push(queued);
                }
            }
            fired.next_due_ms = write.next_due()?;
            Ok(fired)
        })
    }

    /// Queues one message into the first step of a flow, unless the step is busy.
    fn fire_one(
        &self,
        write: &Write<'_>,
        flow: &Flow,
        unless_busy: bool,
        now_ms: i64,
    ) -> Result<Option<Queued>> {
        let Some(first) = flow.graph.first() else {
            return Ok(None);
        };
        // What is worked on stays in the queue until it is done.
        if unless_busy && !write.queued_for(flow.id, &first.id, 0, 1)?.is_empty() {
            if flow.flow_type == FlowType::Ordinary {
                let entry = NewLogEntry {
                    step: Some(first.id.clone()),
                    at_ms: now_ms,
                    level: LogLevel::Warn,
                    message: "the schedule was skipped: the step is still busy".to_owned(),
                    run: None,
                };
                write.add_log_entry(flow.id, None, &entry)?;
            }
            return Ok(None);
        }
        let new = NewExecution {
            id: self.inner.ids.next(),
            flow_version: flow.version,
            trigger: RunTrigger::Schedule,
            started_at_ms: now_ms,
            request_id: None,
            retry_of: None,
        };
        let part = first_part(new, &first.id, Message::empty(), now_ms);
        let done = write.add_run_part(flow.id, &part, now_ms)?;
        match done.queued.first() {
            Some(seq) => write.queued(*seq),
            None => Ok(None),
        }
    }

    /// Begins a run of a flow by hand: one's own flow, or anybody's for the operator.
    /// Returns its id; the message waits for the engine.
    ///
    /// Refused with [`Kind::Conflict`] where the flow can't run, with every step and
    /// its reason.
    pub fn run_flow_now(&self, who: &Principal, id: FlowId) -> Result<ExecutionId> {
        self.check_steps(who, id, None)?;
        let app = self.clone();
        let execution = self.act(who, move |act| {
            let flow = super::flow::load_to_run(act, act.who, id)?;
            let run = app.inner.ids.next();
            let first = flow
                .graph
                .first()
                .ok_or_else(|| Error::new(Kind::Conflict, "the flow has no first step"))?;
            app.refuse_full(act, id, &first.id)?;
            let new = NewExecution {
                id: run,
                flow_version: flow.version,
                trigger: RunTrigger::Manual,
                started_at_ms: act.now_ms,
                request_id: act.who.origin.request_id.clone(),
                retry_of: None,
            };
            let part = first_part(new, &first.id, Message::empty(), act.now_ms);
            let done = act.add_run_part(flow.id, &part, act.now_ms)?;
            act.add_flow_event(
                flow.id,
                FlowEventKind::Queued,
                done.queued.first().copied(),
                act.now_ms,
            )?;
            act.audit(
                &NewAuditEntry::of("flow.run", ObjectKind::Flow, flow.id)
                    .with(json!({ "execution": run.to_string() })),
            )?;
            Ok(run)
        })?;
        self.tell_runtime(id);
        Ok(execution)
    }

    /// Refuses one more message for a step whose queue is full (`runtime.md 4.9`), with
    /// [`Kind::TooMany`].
    pub(super) fn refuse_full(&self, read: &Read<'_>, flow: FlowId, step: &str) -> Result<()> {
        let limits = self.rules().limits;
        let (messages, bytes) = read.queue_size(flow, step, limits.queue_messages)?;
        if messages >= limits.queue_messages || bytes >= limits.queue_bytes {
            return Err(Error::too_many(
                format!("the queue of the step {step} is full"),
                FULL_RETRY_S,
            ));
        }
        Ok(())
    }

    /// Returns a fresh id for a run.
    pub fn new_execution_id(&self) -> ExecutionId {
        self.inner.ids.next()
    }

    /// Tells whatever runs components that the work of a flow changed.
    pub(super) fn tell_runtime(&self, flow: FlowId) {
        if let Some(runtime) = self.component_runtime() {
            runtime.flow_changed(flow);
        }
    }
}

/// Returns a credential on a step with its sealed keys, as far as the flow may use it:
/// whose flow it is may have changed since it was put there.
fn usable_credential(
    read: &Read<'_>,
    flow: &Flow,
    id: CredentialId,
) -> Result<Option<SealedCredential>> {
    match read.sealed_credential(id)? {
        Some(row) if credential::serves(read, &row.credential, flow.owner())? => Ok(Some(row)),
        _ => Ok(None),
    }
}

/// Makes the part that begins a run with one message waiting for a step.
pub(super) fn first_part(new: NewExecution, step: &str, message: Message, now_ms: i64) -> RunPart {
    let messages = messages_text(&[PartMessage::outside(message)], &[]);
    let bytes = messages.len() as u64;
    RunPart {
        run: RunKey::New(new),
        steps: "[]".to_owned(),
        steps_count: 0,
        errors_count: 0,
        messages,
        body_files: Vec::new(),
        queued: vec![NewQueued {
            step: step.to_owned(),
            message: MessageRef::Own(0),
            bytes,
            attempt: 1,
            due_at_ms: now_ms,
            fault: None,
        }],
        settled: Vec::new(),
        interrupted: false,
        reopens: false,
    }
}

/// Returns how often a flow that was due at `due_at_ms` runs now.
fn runs_of(flow: &Flow, due_at_ms: i64, now_ms: i64) -> usize {
    if now_ms - due_at_ms < MISSED_AFTER_MS {
        return 1;
    }
    match flow.options.missed {
        Missed::Skip => 0,
        Missed::Once => 1,
        Missed::All => fires_between(flow, due_at_ms, now_ms, MISSED_MAX).len(),
    }
}

/// Merges the fields of a node with the keys of its credential: a field that says
/// something wins.
pub(super) fn merged(fields: Option<&Value>, keys: Map<String, Value>) -> Map<String, Value> {
    let mut config = keys;
    for (name, value) in fields.and_then(Value::as_object).into_iter().flatten() {
        let says_nothing = value.is_null() || value.as_str() == Some("");
        if !says_nothing || !config.contains_key(name) {
            config.insert(name.clone(), value.clone());
        }
    }
    config
}

/// Returns the bytes of a text that may be missing.
fn text_len(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}

/// Reads the large bodies of messages from their files, each once; returns their bytes.
fn fill_bodies(folder: &Folder, messages: &mut [PartMessage]) -> Result<u64> {
    let mut bytes = 0;
    let mut filled: HashMap<ObjectId, Arc<Message>> = HashMap::new();
    for kept in messages {
        let Some(file) = kept.body_file else {
            continue;
        };
        if let Some(same) = filled.get(&file) {
            kept.message = Arc::clone(same);
            continue;
        }
        Arc::make_mut(&mut kept.message).body = folder.read_body(file)?.unwrap_or(Value::Null);
        bytes += size_of(&kept.message.body) as u64;
        filled.insert(file, Arc::clone(&kept.message));
    }
    Ok(bytes)
}

/// Reads a stored JSON list; none is an empty one.
fn values(text: Option<String>) -> Result<Vec<Value>> {
    let text = text.unwrap_or_else(|| "[]".to_owned());
    serde_json::from_str(&text).map_err(Error::internal)
}
