//! The driver: carries out what the planning core commands, in memory, until a slice is
//! ready to be committed.

mod guard;
mod process;
mod record;
mod route;

use std::cell::LazyCell;

use serde_json::{Map, Value};

use guard::guarded;
pub(super) use guard::merge;
pub(super) use process::Ended;

use super::component::{Emitter, Event, Tools, Work, check_snapshot};
use super::parts::Parts;
use super::plan::{FlowPlan, StepFunction};
use super::run::{Command, Delivery, End, Input, Job, Run, SLICE_STEPS};
use super::slice::{Answer, RunSlice, Snapshots};
use crate::app::App;
use crate::clock::monotonic_us;
use crate::domain::Error;
use crate::domain::run::part::{MessageRef, NewLogEntry, NewQueued, PartMessage, RunKey, Slice};
use crate::domain::run::{Failure, LogLevel, RunStatus};

/// The log entries that one call may write: a loop that logs is not worth a disk.
const LOGS_MAX: usize = 1_000;

/// How long a slice lasts before the rest of it goes to queues: others get their turn,
/// and a crash repeats little.
const SLICE_MAX_US: u64 = 250_000;

/// The bodies that a slice makes before the rest of it goes to queues: its part of the
/// history stays small enough to be shown.
const SLICE_MAX_BYTES: u64 = 12 * 1024 * 1024;

/// The steps of a slice from which its commit takes long enough (about a millisecond) for
/// another worker to go on with the next message meanwhile.
const OVERLAP_STEPS: usize = 100;

/// Drives runs of one flow until they are committed together.
pub(super) struct Driver<'a> {
    app: &'a App,
    plan: &'a FlowPlan,
    parts: &'a Parts,
    rebound_limit: u32,
    message_max_bytes: usize,
    /// The runs of this slice.
    pub(super) runs: Vec<RunSlice<'a>>,
    /// Which steps have messages that wait, as far as this slice knows.
    backlog: Vec<bool>,
    steps_left: usize,
    began_us: u64,
    snapshots: Snapshots,
    kept: Vec<(String, String, Option<Value>)>,
    logs: Vec<NewLogEntry>,
    /// The rows that are worked on from this commit on.
    pub(super) leased: Vec<i64>,
}

/// What a call emitted that the planner has to know.
#[derive(Default)]
struct Emitted {
    outputs: Vec<MessageRef>,
    failure: Option<Failure>,
    rebound: Option<String>,
}

/// What one call gave.
struct Called {
    deliveries: Vec<Delivery>,
    /// Why the input is wanted again, where it is.
    rebound: Option<String>,
}

impl<'a> Driver<'a> {
    /// Makes a driver of a flow.
    pub(super) fn new(
        app: &'a App,
        plan: &'a FlowPlan,
        parts: &'a Parts,
        rebound_limit: u32,
    ) -> Self {
        Self {
            app,
            plan,
            parts,
            rebound_limit,
            message_max_bytes: app.rules().limits.message_bytes,
            runs: Vec::new(),
            backlog: Vec::new(),
            steps_left: SLICE_STEPS,
            began_us: monotonic_us(),
            snapshots: Snapshots::default(),
            kept: Vec::new(),
            logs: Vec::new(),
            leased: Vec::new(),
        }
    }

    /// Returns the place of a run in this slice, which it enters with its first message.
    pub(super) fn enter(&mut self, key: RunKey) -> usize {
        if let RunKey::Stored(seq) = key {
            let same = |run: &RunSlice<'_>| matches!(run.key, RunKey::Stored(it) if it == seq);
            if let Some(at) = self.runs.iter().position(same) {
                return at;
            }
        }
        self.runs.push(RunSlice::new(key, self.parts));
        self.runs.len() - 1
    }

    /// Drives one message until everything that follows from it in memory is done.
    ///
    /// `backlog` tells which steps have messages that wait, besides those that this slice
    /// queued already.
    pub(super) fn drive(&mut self, run: usize, job: Job, backlog: Vec<bool>) {
        let planner = self.planner(backlog);
        self.follow(run, planner, Input::Begin(job), None);
    }

    /// Returns a planner that knows what waits: the `backlog`, and what this slice queued.
    fn planner(&self, mut backlog: Vec<bool>) -> Run<'a> {
        for (step, queued) in self.backlog.iter().enumerate() {
            backlog[step] |= queued;
        }
        Run::new(&self.plan.shapes, backlog, self.steps_left)
    }

    /// Carries out what the planner says follows from an input.
    fn follow(
        &mut self,
        run: usize,
        mut planner: Run<'_>,
        input: Input,
        mut rebound: Option<String>,
    ) {
        let mut commands = planner.step(input);
        loop {
            let mut next = None;
            for command in commands {
                match command {
                    Command::Process(job) => next = Some(job),
                    Command::Enqueue {
                        step,
                        message,
                        attempt,
                        delay_ms,
                    } => {
                        self.enqueue(run, step, message, attempt, delay_ms);
                        if attempt > 1
                            && let Some(queued) = self.runs[run].queued.last_mut()
                        {
                            queued.fault = rebound.take();
                        }
                    }
                    Command::Settle(row) => self.runs[run].settled.push(row),
                    Command::Commit => {}
                }
            }
            let Some(job) = next else {
                (self.backlog, self.steps_left) = planner.into_rest();
                return;
            };
            let called = self.call(run, job);
            rebound = called.rebound;
            commands = planner.step(Input::Called {
                job,
                deliveries: called.deliveries,
                end: if rebound.is_some() {
                    End::Rebound
                } else {
                    End::Done
                },
                is_late: self.is_late(),
            });
        }
    }

    /// Tells whether the slice has lasted long enough, or is large enough.
    fn is_late(&self) -> bool {
        let bytes: u64 = self.runs.iter().map(|run| run.bytes).sum();
        bytes > SLICE_MAX_BYTES || monotonic_us() - self.began_us > SLICE_MAX_US
    }

    /// Tells whether something of a run could not be read for now: what was done without
    /// it is not to be committed.
    pub(super) fn is_unread(&self) -> bool {
        self.runs.iter().any(RunSlice::is_unread)
    }

    /// Tells whether nothing that comes next depends on the commit of this: no message was
    /// queued, nothing kept for a step. It is asked of large slices alone, since small ones
    /// are committed before anybody else could begin.
    pub(super) fn is_worth_overlapping(&self) -> bool {
        let steps: usize = self.runs.iter().map(|run| run.steps.len()).sum();
        steps >= OVERLAP_STEPS
            && self.snapshots.is_empty()
            && self.kept.is_empty()
            && self.runs.iter().all(|run| run.queued.is_empty())
    }

    /// Ends a message that a server took too often without ending it.
    pub(super) fn interrupt(&mut self, run: usize, job: Job) {
        let failure = Failure::named(
            "Interrupted",
            "the server ended in the middle of this step too often",
        );
        let now_ms = self.app.now_ms();
        self.record(
            run,
            job,
            now_ms,
            0,
            &[],
            Some(failure),
            RunStatus::Interrupted,
        );
        let slice = &mut self.runs[run];
        slice.settled.extend(job.row);
        slice.interrupted = true;
    }

    /// Returns everything as one transaction.
    pub(super) fn take_slice(&mut self, needs_active: bool) -> Result<Slice, Error> {
        let app = self.app;
        let runs = self.runs.iter_mut().map(|run| run.make_part(app));
        Ok(Slice {
            flow: self.plan.flow,
            runs: runs.collect::<Result<_, _>>()?,
            snapshots: std::mem::take(&mut self.snapshots).into_list(),
            kept: std::mem::take(&mut self.kept),
            logs: std::mem::take(&mut self.logs),
            leased: std::mem::take(&mut self.leased),
            needs_active,
        })
    }

    /// Puts a message into a step's queue.
    pub(super) fn enqueue(
        &mut self,
        run: usize,
        step: usize,
        message: MessageRef,
        attempt: u32,
        delay_ms: i64,
    ) {
        let due_at_ms = self.app.now_ms() + delay_ms;
        let slice = &mut self.runs[run];
        let bytes = slice.bytes_of(message);
        slice.queued.push(NewQueued {
            step: self.plan.steps[step].id.to_string(),
            message,
            bytes,
            attempt,
            due_at_ms,
            fault: None,
        });
    }

    /// Puts fresh messages into the queues of the steps that they lead to.
    fn enqueue_all(&mut self, run: usize, deliveries: Vec<Delivery>) {
        for Delivery { target, message } in deliveries {
            self.enqueue(run, target, message, 1, 0);
        }
    }

    /// Returns what finds the lookup tables of the flow's owner.
    fn tables(&self) -> impl Fn(&str) -> Option<Map<String, Value>> + use<'a> {
        let (app, owner) = (self.app, self.plan.owner);
        move |name| super::lookup_table(app, owner, name)
    }

    /// Calls a step with a message.
    fn call(&mut self, run: usize, job: Job) -> Called {
        let plan = self.plan;
        let step = &plan.steps[job.step];
        let began_ms = self.app.now_ms();
        let Some(message) = self.runs[run].message(job.message) else {
            return Called {
                deliveries: self.not_kept(run, job),
                rebound: None,
            };
        };
        let slice = &self.runs[run];
        let input_bytes = slice.bytes_of(job.message);
        let passthrough = LazyCell::new(|| slice.passthrough(job.message, plan));
        let snapshot = self.snapshot_of(&step.id, plan.shapes[job.step].is_queued);
        let tools = Tools {
            app: self.app,
            owner: plan.owner,
            flow: plan.flow,
            step: &step.id,
        };
        let work = Work {
            message: &message,
            cfg: &step.cfg,
            snapshot: &snapshot,
            passthrough: &passthrough,
            variables: &plan.variables,
            attempt: job.attempt,
            now_ms: began_ms,
            tools: &tools,
        };
        let start_us = monotonic_us();
        let input_bytes = usize::try_from(input_bytes).unwrap_or(usize::MAX);
        let emitter = Emitter::new(self.message_max_bytes);
        let mut emitter = emitter.of_input(&message, input_bytes);
        let result = match &step.function {
            Ok(StepFunction::BuiltIn(function)) => {
                guarded(|| (function.process)(&work, &mut emitter))
            }
            // Its messages are handed to a process, and never come here.
            Ok(StepFunction::Process(_)) => Err(Failure::new("a process runs this step")),
            Err(reason) => Err(Failure::new(reason.clone())),
        };
        let took_us = monotonic_us() - start_us;
        let events = emitter.into_measured();
        self.settle_call(run, job, &snapshot, (began_ms, took_us), events, result)
    }

    /// Turns what a call emitted into records, messages and deliveries.
    fn settle_call(
        &mut self,
        run: usize,
        job: Job,
        snapshot: &Value,
        (began_ms, took_us): (i64, u64),
        events: (Vec<Event>, Vec<usize>),
        result: Result<(), Failure>,
    ) -> Called {
        let emitted = self.absorb(run, job, snapshot, events);
        let outputs = emitted.outputs;
        let mut failure = result.err().or(emitted.failure);
        if let Some(reason) = emitted.rebound {
            if job.attempt <= self.rebound_limit && failure.is_none() {
                let step_id = self.plan.steps[job.step].id.to_string();
                self.log(run, &step_id, LogLevel::Warn, &format!("rebound: {reason}"));
                // The step is not recorded yet, so nothing can name it as its maker.
                self.runs[run].disown(&outputs);
                return Called {
                    deliveries: self.deliveries(run, job, outputs, &mut None),
                    rebound: Some(reason),
                };
            }
            failure = failure.or_else(|| Some(Failure::new("Rebound limit exceeded")));
        }
        let at = self.runs[run].steps.len();
        let status = if failure.is_some() {
            RunStatus::Error
        } else {
            RunStatus::Success
        };
        self.record(
            run,
            job,
            began_ms,
            took_us,
            &outputs,
            failure.clone(),
            status,
        );
        let mut routing_fault = None;
        let mut deliveries = self.deliveries(run, job, outputs, &mut routing_fault);
        if let (Some(fault), None) = (&routing_fault, &failure) {
            let record = &mut self.runs[run].steps[at];
            record.status = RunStatus::Error;
            record.error = Some(fault.clone());
        }
        if let Some(failure) = failure.or(routing_fault) {
            deliveries.extend(self.handle(run, job.step, job.message, &failure));
        }
        Called {
            deliveries,
            rebound: None,
        }
    }

    /// Takes over what a call emitted, in order; its outputs name the record that is
    /// added next as their maker.
    fn absorb(
        &mut self,
        run: usize,
        job: Job,
        snapshot: &Value,
        (events, sizes): (Vec<Event>, Vec<usize>),
    ) -> Emitted {
        let step_id = self.plan.steps[job.step].id.to_string();
        let record = u32::try_from(self.runs[run].steps.len()).unwrap_or(u32::MAX);
        let mut state = snapshot.clone();
        let mut emitted = Emitted::default();
        let mut logs = 0;
        let mut sizes = sizes.into_iter();
        for event in events {
            match event {
                Event::Data(message) => {
                    let made = PartMessage::made(message, record);
                    let bytes = sizes.next().unwrap_or(0);
                    let made = self.runs[run].add_measured(made, bytes);
                    emitted.outputs.push(made);
                }
                Event::Error(error) => {
                    emitted.failure.get_or_insert(error);
                }
                Event::Snapshot(value) => {
                    state = value;
                    self.snapshots.replace(&step_id, state.clone());
                }
                Event::UpdateSnapshot(delta) => {
                    let mut merged = state.clone();
                    merge(&mut merged, delta);
                    match check_snapshot(&merged) {
                        Ok(()) => {
                            state = merged;
                            self.snapshots.replace(&step_id, state.clone());
                        }
                        Err(failure) => {
                            emitted.failure.get_or_insert(failure);
                        }
                    }
                }
                Event::Rebound(reason) => emitted.rebound = Some(reason),
                Event::Reply(reply) => {
                    let slice = &mut self.runs[run];
                    slice.answer.get_or_insert(Answer::Reply(reply));
                }
                Event::Log(level, text) => {
                    logs += 1;
                    if logs <= LOGS_MAX {
                        self.log(run, &step_id, level, &text);
                    }
                }
                Event::Later(message, at_ms) => {
                    let message = self.runs[run].add(PartMessage::outside(message));
                    let delay_ms = (at_ms - self.app.now_ms()).max(0);
                    self.enqueue(run, job.step, message, 1, delay_ms);
                }
                Event::Keep(key, value) => self.kept.push((step_id.clone(), key, value)),
            }
        }
        emitted
    }
}
