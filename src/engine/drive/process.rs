//! What follows from steps that run as processes: they emit while they work, so one call
//! is several transactions.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Driver;
use crate::domain::run::part::{MessageRef, PartMessage};
use crate::domain::run::{Failure, Message, RunStatus};
use crate::engine::component::Event;
use crate::engine::run::{End, Input, Job};

/// How a process ended a message.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Ended {
    /// The first error that it emitted.
    pub(in crate::engine) failure: Option<Failure>,
    /// Why it wants the message again, where it does.
    pub(in crate::engine) rebound: Option<String>,
    /// Whether the step is recorded already, with what it emitted first: what follows
    /// continues that record.
    pub(in crate::engine) is_recorded: bool,
}

impl Driver<'_> {
    /// Returns a message as a process is given it, with its passthrough where the step has
    /// one; none where it is not kept any more.
    pub(in crate::engine) fn input_of(
        &self,
        run: usize,
        message: MessageRef,
        step: usize,
    ) -> Option<Value> {
        let slice = &self.runs[run];
        let mut value = slice.message(message)?.to_value();
        if self.plan.steps[step].passes_through {
            let passthrough: Map<String, Value> =
                slice.passthrough(message, self.plan).unwrap_or_default();
            value["passthrough"] = Value::Object(passthrough);
        }
        Some(value)
    }

    /// Takes over one message that a process emitted: it is recorded as an output of the
    /// step, and goes where the edges lead.
    pub(in crate::engine) fn emitted(
        &mut self,
        run: usize,
        job: Job,
        message: impl Into<Arc<Message>>,
        (backlog, continues): (Vec<bool>, bool),
        (began_ms, took_us): (i64, u64),
    ) {
        let at = self.runs[run].steps.len();
        let record = u32::try_from(at).unwrap_or(u32::MAX);
        let output = self.runs[run].add(PartMessage::made(message, record));
        self.record(
            run,
            job,
            began_ms,
            took_us,
            &[output],
            None,
            RunStatus::Success,
        );
        self.runs[run].steps[at].continues = continues;
        let mut fault = None;
        let mut deliveries = self.deliveries(run, job, vec![output], &mut fault);
        if let Some(fault) = fault {
            let record = &mut self.runs[run].steps[at];
            record.status = RunStatus::Error;
            record.error = Some(fault.clone());
            deliveries.extend(self.handle(run, job.step, job.message, &fault));
        }
        let planner = self.planner(backlog);
        let job = Job { row: None, ..job };
        let called = Input::Called {
            job,
            deliveries,
            end: End::Done,
            is_late: self.is_late(),
        };
        self.follow(run, planner, called, None);
    }

    /// Ends the message of a process: its row goes, and with it what it failed with.
    pub(in crate::engine) fn ended(
        &mut self,
        run: usize,
        job: Job,
        ended: Ended,
        backlog: Vec<bool>,
        took: (i64, u64),
    ) {
        let planner = self.planner(backlog);
        let is_quiet = ended.failure.is_none() && ended.rebound.is_none();
        if ended.is_recorded && is_quiet {
            let done = Input::Called {
                job,
                deliveries: Vec::new(),
                end: End::Done,
                is_late: self.is_late(),
            };
            self.follow(run, planner, done, None);
            return;
        }
        let rebound = ended.rebound.map(Event::Rebound).into_iter().collect();
        let events = (rebound, Vec::new());
        let result = ended.failure.map_or(Ok(()), Err);
        let at = self.runs[run].steps.len();
        let called = self.settle_call(run, job, &Value::Null, took, events, result);
        if let Some(record) = self.runs[run].steps.get_mut(at) {
            record.continues = ended.is_recorded;
        }
        let end = if called.rebound.is_some() {
            End::Rebound
        } else {
            End::Done
        };
        let input = Input::Called {
            job,
            deliveries: called.deliveries,
            end,
            is_late: self.is_late(),
        };
        self.follow(run, planner, input, called.rebound);
    }
}
