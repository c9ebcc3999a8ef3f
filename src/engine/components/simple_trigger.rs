//! `elasticio/simple-trigger:timer`: a message with the time and the time before, inside
//! an optional window (`runtime.md 7`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::timer::iso_time;
use crate::domain::run::{Failure, LogLevel};
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "simple-trigger",
    functions: &[Function::new("timer", Nature::Queued, fire).checked_by(check)],
    verify: None,
};

/// The length of the one form of a time: digits at the places of the sample's digits,
/// and its signs between them.
const SAMPLE: &str = "1970-01-01T00:00:00.000Z";

/// Emits the time, unless it is outside of the window.
fn fire(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let (start, end) = window(work.cfg)?;
    if start.is_some_and(|start| work.now_ms < start) {
        emitter.log(LogLevel::Info, "The start time is still to come: skipped");
        return Ok(());
    }
    if end.is_some_and(|end| work.now_ms > end) {
        emitter.log(LogLevel::Info, "The end time is over: skipped");
        return Ok(());
    }
    let fire_time = iso_time(work.now_ms);
    let last_poll = match work.snapshot.get("lastPoll") {
        Some(Value::String(time)) => time.clone(),
        _ => iso_time(start.unwrap_or(0)),
    };
    emitter.body(json!({ "fireTime": fire_time, "lastPoll": last_poll }))?;
    emitter.snapshot(json!({ "lastPoll": fire_time }))
}

/// Returns both ends of the window in milliseconds since 1970, where they are set.
fn window(cfg: &Fields) -> Result<(Option<i64>, Option<i64>), Failure> {
    let start = time(cfg, "startTime")?;
    let end = time(cfg, "endTime")?;
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(Failure::new("`startTime` must not be after `endTime`"));
    }
    Ok((start, end))
}

/// Reads a time, which has the one form that `Date.toISOString` writes.
fn time(cfg: &Fields, name: &str) -> Result<Option<i64>, Failure> {
    let Some(text) = fields::text(cfg, name) else {
        return Ok(None);
    };
    let fits = text.len() == SAMPLE.len()
        && text.bytes().zip(SAMPLE.bytes()).all(|(given, sample)| {
            given == sample || (given.is_ascii_digit() && sample.is_ascii_digit())
        });
    let time: Option<Timestamp> = fits.then(|| text.parse().ok()).flatten();
    match time {
        Some(time) => Ok(Some(time.as_millisecond())),
        None => Err(Failure::new(format!(
            "Date {text} must be in ISO format ({SAMPLE})"
        ))),
    }
}

/// Checks the window.
fn check(cfg: &Fields) -> Vec<String> {
    let fault = window(cfg).err();
    fault
        .map(|failure| format!("has a bad window: {}", failure.message))
        .into_iter()
        .collect()
}
