//! Where what a step made goes: along edges, through mappings, to the error handler.

use std::sync::Arc;

use serde_json::{Map, json};

use super::{Driver, guarded};
use crate::domain::expression::Scope;
use crate::domain::run::message::size_of;
use crate::domain::run::part::{MessageRef, PartMessage};
use crate::domain::run::{Failure, LogLevel, Message, RunStatus};
use crate::engine::component::check_size;
use crate::engine::plan::Routed;
use crate::engine::run::{Delivery, Job};
use crate::engine::slice::Answer;

impl Driver<'_> {
    /// Maps a message along an edge once more, for the retry of a step whose mapping
    /// failed, and queues what comes out.
    pub(in crate::engine) fn map_again(
        &mut self,
        run: usize,
        source: &str,
        target: &str,
        job: Job,
    ) {
        let plan = self.plan;
        let (Some(from), Some(to)) = (plan.place(source), plan.place(target)) else {
            return self.miss(run, target, job);
        };
        let Some(message) = self.runs[run].message(job.message) else {
            return self.lose(run, Job { step: to, ..job });
        };
        let app = self.app;
        let tables = self.tables();
        let passthrough = self.runs[run].passthrough(job.message, plan);
        let scope = Scope {
            body: &message.body,
            passthrough: passthrough.as_ref(),
            variables: &plan.variables,
            now_ms: app.now_ms(),
        };
        let deliveries = match guarded(|| Ok(plan.map_along(from, to, &scope, &tables))) {
            Ok(None) => return self.miss(run, target, job),
            Ok(Some(routed)) => {
                self.runs[run].settled.extend(job.row);
                self.mapped(run, job.message, &message, routed)
            }
            Err(failure) => {
                self.runs[run].settled.extend(job.row);
                self.mapping_failed(run, job.message, to, failure)
            }
        };
        self.enqueue_all(run, deliveries);
    }

    /// Routes and maps what a step made.
    pub(super) fn deliveries(
        &mut self,
        run: usize,
        job: Job,
        outputs: Vec<MessageRef>,
        fault: &mut Option<Failure>,
    ) -> Vec<Delivery> {
        let plan = self.plan;
        if plan.steps[job.step].edges.is_empty() {
            return Vec::new();
        }
        let app = self.app;
        let tables = self.tables();
        let mut deliveries = Vec::new();
        for output in outputs {
            let slice = &self.runs[run];
            let Some(message) = slice.message(output) else {
                continue;
            };
            let is_read = plan.steps[job.step].routes_by_passthrough(&message.body);
            let passthrough = if is_read {
                slice.passthrough(output, plan)
            } else {
                None
            };
            let now_ms = app.now_ms();
            let routed =
                guarded(|| plan.route(job.step, &message, passthrough.as_ref(), now_ms, &tables));
            match routed {
                Err(failure) => *fault = fault.take().or(Some(failure)),
                Ok(routed) => {
                    for one in routed {
                        deliveries.extend(self.mapped(run, output, &message, one));
                    }
                }
            }
        }
        deliveries
    }

    /// Adds the mapped messages of one edge; a mapping that failed is the target's error.
    fn mapped(
        &mut self,
        run: usize,
        source: MessageRef,
        message: &Message,
        routed: Routed,
    ) -> Vec<Delivery> {
        let Routed {
            target,
            bodies,
            fault,
        } = routed;
        if let Some(failure) = fault {
            return self.mapping_failed(run, source, target, failure);
        }
        let Some(bodies) = bodies else {
            return vec![Delivery {
                target,
                message: source,
            }];
        };
        let mut measured = Vec::with_capacity(bodies.len());
        for body in bodies {
            let bytes = size_of(&body);
            if let Err(failure) = check_size(bytes, self.message_max_bytes) {
                return self.mapping_failed(run, source, target, failure);
            }
            measured.push((body, bytes));
        }
        let slice = &mut self.runs[run];
        measured
            .into_iter()
            .map(|(body, bytes)| {
                let mapped = Message {
                    body,
                    headers: message.headers.clone(),
                    attachments: message.attachments.clone(),
                    rest: Map::new(),
                };
                let message = slice.add_measured(PartMessage::mapped(mapped, source), bytes);
                Delivery { target, message }
            })
            .collect()
    }

    /// Records a mapping that failed as the target's error, and tells who handles it.
    fn mapping_failed(
        &mut self,
        run: usize,
        source: MessageRef,
        target: usize,
        failure: Failure,
    ) -> Vec<Delivery> {
        let job = Job {
            step: target,
            message: source,
            attempt: 1,
            row: None,
        };
        let now_ms = self.app.now_ms();
        let handled = self.handle(run, target, source, &failure);
        self.record(run, job, now_ms, 0, &[], Some(failure), RunStatus::Error);
        if let Some(record) = self.runs[run].steps.last_mut() {
            record.at_mapping = true;
        }
        handled
    }

    /// Ends a message whose step, or the edge that led it there, is not in the flow any
    /// more: that is the error of the step, with its input.
    pub(in crate::engine) fn miss(&mut self, run: usize, step: &str, job: Job) {
        let is_there = self.plan.place(step).is_some();
        let failure = Failure::new(if is_there {
            format!("nothing leads to the step {step} any more from where its message came")
        } else {
            format!("the flow has no step {step} any more")
        });
        self.runs[run].settled.extend(job.row);
        let handled = self.tell_handler(run, step, job.message, &failure);
        let now_ms = self.app.now_ms();
        let ended = (Some(failure), RunStatus::Error);
        self.record_of(run, step, job, (now_ms, 0), &[], ended);
        self.enqueue_all(run, handled);
    }

    /// Ends a message that is not kept any more.
    pub(in crate::engine) fn lose(&mut self, run: usize, job: Job) {
        self.runs[run].settled.extend(job.row);
        let handled = self.not_kept(run, job);
        self.enqueue_all(run, handled);
    }

    /// Fails a step whose message is not kept any more, and tells who handles it.
    pub(super) fn not_kept(&mut self, run: usize, job: Job) -> Vec<Delivery> {
        let failure = Failure::new("the message is not kept any more");
        let now_ms = self.app.now_ms();
        let handled = self.handle(run, job.step, job.message, &failure);
        self.record(run, job, now_ms, 0, &[], Some(failure), RunStatus::Error);
        handled
    }

    /// Hands a failure to the error handler, or to whoever waits for the run; failures
    /// of the handler itself go no further (`runtime.md 4.8`).
    pub(super) fn handle(
        &mut self,
        run: usize,
        step: usize,
        input: MessageRef,
        failure: &Failure,
    ) -> Vec<Delivery> {
        let step = Arc::clone(&self.plan.steps[step].id);
        self.tell_handler(run, &step, input, failure)
    }

    /// The same for a step that the flow may not have any more.
    fn tell_handler(
        &mut self,
        run: usize,
        step: &str,
        input: MessageRef,
        failure: &Failure,
    ) -> Vec<Delivery> {
        self.log(run, step, LogLevel::Error, &failure.to_string());
        let is_other = |handler: &usize| *self.plan.steps[*handler].id != *step;
        let handler = self.plan.handler.filter(is_other);
        let slice = &mut self.runs[run];
        let Some(target) = handler else {
            slice.answer.get_or_insert(Answer::Failed(failure.clone()));
            return Vec::new();
        };
        let input = slice.message(input).map(|message| message.to_value());
        let body = json!({ "error": failure.to_value(), "errorInput": input });
        let mut message = Message::of_body(body);
        message.headers.insert("stepId".to_owned(), json!(step));
        let source = slice.add(PartMessage::outside(message.clone()));
        let plan = self.plan;
        let tables = self.tables();
        let now_ms = self.app.now_ms();
        match guarded(|| Ok(plan.map_to_handler(&message.body, now_ms, &tables))) {
            Ok(Some(routed)) => self.mapped(run, source, &message, routed),
            Ok(None) => vec![Delivery {
                target,
                message: source,
            }],
            Err(failure) => self.mapping_failed(run, source, target, failure),
        }
    }
}
