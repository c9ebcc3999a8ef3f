//! The last hour of the demo: runs that went well and runs that failed, so that there is
//! something to look at before anything has run.
//!
//! What ran is under `assets/demo`; times and ids follow from it, so that the database is
//! the same each time that it is built.

use serde_json::Value;

use super::source::{self, DemoFailure, DemoRuns, DemoStep};
use crate::app::App;
use crate::clock::Clock;
use crate::domain::flow::Flow;
use crate::domain::id::{ExecutionId, RawId};
use crate::domain::run::part::{
    MessageRef, NewExecution, NewLogEntry, PartMessage, RunKey, RunPart, Slice, StepRecord,
    messages_text, steps_text,
};
use crate::domain::run::{Failure, LogLevel, Message, RunStatus, RunTrigger};
use crate::domain::{Error, Result};

/// A minute in milliseconds.
const MINUTE_MS: i64 = 60 * 1_000;

/// What spreads the numbers of runs over all ids and moments: the golden ratio of 64 bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Writes the runs of an hour that begins at `from_ms`; the clock goes on with them.
pub(super) fn write(app: &App, clock: &Clock, flows: &[Flow], from_ms: i64) -> Result<()> {
    let histories = source::history()?;
    let mut runs: Vec<Run<'_>> = Vec::new();
    for history in &histories {
        let flow = flows.iter().find(|flow| flow.name == history.task);
        let flow = flow.ok_or_else(|| Error::not_found("task"))?;
        runs.extend((0..history.minutes.2).map(|number| Run::new(history, flow, number, from_ms)));
    }
    runs.sort_by_key(|run| run.at_ms);
    for run in runs {
        let (slice, end_ms) = run.slice()?;
        clock.advance(end_ms - app.now_ms());
        app.commit_slice(slice)?;
    }
    Ok(())
}

/// A run of a task.
struct Run<'a> {
    of: &'a DemoRuns,
    flow: &'a Flow,
    number: u32,
    /// What differs from run to run.
    chance: u64,
    at_ms: i64,
}

impl<'a> Run<'a> {
    /// Places a run in the hour.
    fn new(of: &'a DemoRuns, flow: &'a Flow, number: u32, from_ms: i64) -> Self {
        let (first, every, _) = of.minutes;
        let minute = first + number * every;
        let chance = u64::from(minute * 7 + every).wrapping_mul(SPREAD);
        // Nothing begins at the very second of its minute.
        let late_ms = i64::from(u8::try_from(chance >> 56).unwrap_or(0)) * 3;
        Self {
            of,
            flow,
            number,
            chance,
            at_ms: from_ms + i64::from(minute) * MINUTE_MS + late_ms,
        }
    }

    /// Returns a value of the source, with the number and the time of the run in its texts.
    fn filled<T: serde::de::DeserializeOwned>(&self, text: &str) -> Result<T> {
        let time = jiff::Timestamp::from_millisecond(self.at_ms).map_err(Error::internal)?;
        let text = text.replace("{run}", &format!("{:02}", self.number));
        let text = text.replace("{time}", &format!("{time:.3}"));
        serde_json::from_str(&text).map_err(Error::internal)
    }

    /// Returns what the run did, and when it ended.
    fn slice(&self) -> Result<(Slice, i64)> {
        let mut made = Made {
            records: Vec::new(),
            messages: vec![PartMessage::outside(Message::of_body(Value::Object(
                serde_json::Map::new(),
            )))],
            at_ms: self.at_ms,
        };
        let mut logs = Vec::new();
        let mut inputs: Vec<u32> = vec![0];
        for step in &self.of.steps {
            let failure = self.failure_at(step);
            let outputs: Vec<Value> = self.filled(&step.outputs.to_string())?;
            inputs = self.step(&mut made, step, &inputs, &outputs, failure);
            if let (Some(log), None) = (&step.log, failure) {
                logs.push(NewLogEntry {
                    step: Some(step.step.clone()),
                    at_ms: made.at_ms,
                    level: LogLevel::Info,
                    message: self.filled(&Value::from(log.as_str()).to_string())?,
                    run: Some(0),
                });
            }
            if failure.is_some() {
                break;
            }
        }
        let end_ms = made.at_ms + 1;
        let slice = Slice {
            flow: self.flow.id,
            runs: vec![self.part(&made)?],
            snapshots: Vec::new(),
            kept: Vec::new(),
            logs,
            leased: Vec::new(),
            needs_active: false,
        };
        Ok((slice, end_ms))
    }

    /// Returns how this run fails at a step.
    fn failure_at(&self, step: &DemoStep) -> Option<&'a DemoFailure> {
        let mut failures = self.of.failures.iter();
        failures.find(|failure| failure.run == self.number && failure.step == step.step)
    }

    /// Runs a step once for each message; returns the messages that it made. Of several
    /// messages each makes one.
    fn step(
        &self,
        made: &mut Made,
        step: &DemoStep,
        inputs: &[u32],
        outputs: &[Value],
        failure: Option<&DemoFailure>,
    ) -> Vec<u32> {
        let mut all = Vec::new();
        for (at, input) in inputs.iter().enumerate() {
            let own = if inputs.len() == 1 {
                outputs
            } else {
                outputs.get(at..=at).unwrap_or(&[])
            };
            let own = if failure.is_some() { &[] } else { own };
            let record = made.place();
            let places: Vec<u32> = own.iter().map(|body| made.message(body, record)).collect();
            // Up to half as much again, as real steps take it.
            let took_us = step.took_us + self.chance.rotate_left(record) % (step.took_us / 2);
            let input_bytes = made.bytes(&[*input]);
            let output_bytes = made.bytes(&places);
            made.records.push(StepRecord {
                step: step.step.clone(),
                status: match failure {
                    Some(_) => RunStatus::Error,
                    None => RunStatus::Success,
                },
                attempts: failure.map_or(1, |failure| failure.attempts),
                started_at_ms: made.at_ms,
                duration_us: took_us,
                input: MessageRef::Own(*input),
                outputs: places.clone(),
                error: failure.map(|failure| {
                    Failure::named(&failure.name, &failure.message).with_status(failure.status)
                }),
                input_bytes,
                output_bytes,
                at_mapping: false,
                continues: false,
            });
            made.at_ms += i64::try_from(took_us / 1_000).unwrap_or(0) + 1;
            all.extend(places);
        }
        all
    }

    /// Returns the run as the one part of its history.
    fn part(&self, made: &Made) -> Result<RunPart> {
        let of = RunTrigger::parse(&self.of.trigger);
        let trigger = of.ok_or_else(|| Error::internal("the demo names no such trigger"))?;
        let seconds = u32::try_from(self.at_ms / 1_000).map_err(Error::internal)?;
        let id = RawId::from_parts(seconds, self.chance.to_be_bytes());
        let failed = made.records.iter().filter(|record| record.error.is_some());
        Ok(RunPart {
            run: RunKey::New(NewExecution {
                id: ExecutionId::new(id),
                flow_version: self.flow.version,
                trigger,
                started_at_ms: self.at_ms,
                request_id: None,
                retry_of: None,
            }),
            steps: steps_text(&made.records),
            steps_count: made.place(),
            errors_count: u32::try_from(failed.count()).map_err(Error::internal)?,
            messages: messages_text(&made.messages, &made.records),
            body_files: Vec::new(),
            queued: Vec::new(),
            settled: Vec::new(),
            interrupted: false,
            reopens: false,
        })
    }
}

/// What a run has made so far.
struct Made {
    records: Vec<StepRecord>,
    messages: Vec<PartMessage>,
    at_ms: i64,
}

impl Made {
    /// Returns the place of the next record.
    fn place(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    /// Adds a message that a record made; returns its place.
    fn message(&mut self, body: &Value, made_by: u32) -> u32 {
        let place = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        let message = Message::of_body(body.clone());
        self.messages.push(PartMessage::made(message, made_by));
        place
    }

    /// Returns the size of the bodies of messages.
    fn bytes(&self, places: &[u32]) -> u64 {
        let bodies = places
            .iter()
            .filter_map(|place| self.messages.get(*place as usize));
        bodies
            .map(|kept| kept.message.body.to_string().len() as u64)
            .sum()
    }
}
