//! What the driver notes of its work: records of steps, entries of logs; and the snapshot
//! that a step begins with.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Driver;
use crate::domain::run::part::{MessageRef, NewLogEntry, StepRecord};
use crate::domain::run::{Failure, LogLevel, RunStatus};
use crate::engine::run::Job;

/// The longest message of a log entry, in characters: longer ones are cut.
const LOG_MAX_CHARS: usize = 4_096;

impl Driver<'_> {
    /// Adds the record of a step.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the columns of one record"
    )]
    pub(super) fn record(
        &mut self,
        run: usize,
        job: Job,
        started_at_ms: i64,
        duration_us: u64,
        outputs: &[MessageRef],
        error: Option<Failure>,
        status: RunStatus,
    ) {
        let step = Arc::clone(&self.plan.steps[job.step].id);
        let took = (started_at_ms, duration_us);
        self.record_of(run, &step, job, took, outputs, (error, status));
    }

    /// Adds the record of a step that the flow may not have any more: when it began and
    /// how long it took, in milliseconds and microseconds; how it ended.
    pub(super) fn record_of(
        &mut self,
        run: usize,
        step: &str,
        job: Job,
        (started_at_ms, duration_us): (i64, u64),
        outputs: &[MessageRef],
        (error, status): (Option<Failure>, RunStatus),
    ) {
        let slice = &mut self.runs[run];
        let output_bytes = outputs.iter().map(|output| slice.bytes_of(*output)).sum();
        let record = StepRecord {
            step: step.to_owned(),
            status,
            attempts: job.attempt,
            started_at_ms,
            duration_us,
            input: job.message,
            outputs: outputs
                .iter()
                .filter_map(|output| match output {
                    MessageRef::Own(index) => Some(*index),
                    MessageRef::Stored { .. } => None,
                })
                .collect(),
            error,
            input_bytes: slice.bytes_of(job.message),
            output_bytes,
            at_mapping: false,
            continues: false,
        };
        slice.steps.push(record);
    }

    /// Ends a message whose step took too long: it failed, and whoever handles that is told.
    pub(in crate::engine) fn time_out(&mut self, run: usize, job: Job, limit_ms: u64) {
        let failure = Failure::named(
            "Timeout",
            format!("the step took longer than {} s", limit_ms.div_ceil(1_000)),
        );
        let now_ms = self.app.now_ms();
        let took_us = limit_ms * 1_000;
        let began_ms = now_ms - i64::try_from(limit_ms).unwrap_or(0);
        let handled = self.handle(run, job.step, job.message, &failure);
        self.record(
            run,
            job,
            began_ms,
            took_us,
            &[],
            Some(failure),
            RunStatus::Error,
        );
        self.runs[run].settled.extend(job.row);
        self.enqueue_all(run, handled);
    }

    /// Adds an entry to the run's log.
    pub(super) fn log(&mut self, run: usize, step: &str, level: LogLevel, text: &str) {
        let cut = text.char_indices().nth(LOG_MAX_CHARS).map(|(at, _)| at);
        self.logs.push(NewLogEntry {
            step: Some(step.to_owned()),
            at_ms: self.app.now_ms(),
            level,
            message: text[..cut.unwrap_or(text.len())].to_owned(),
            run: Some(run),
        });
    }

    /// Returns the snapshot of a step: what this slice made of it, else the stored one.
    pub(super) fn snapshot_of(&self, step: &str, has_state: bool) -> Value {
        if let Some(value) = self.snapshots.get(step) {
            return value.clone();
        }
        let stored = if has_state {
            self.app.step_snapshot(self.plan.flow, step)
        } else {
            Ok(None)
        };
        match stored {
            Ok(found) => found.unwrap_or_else(|| json!({})),
            Err(error) => {
                tracing::error!(causes = %error.causes(), "can't read a snapshot: {error}");
                json!({})
            }
        }
    }
}
