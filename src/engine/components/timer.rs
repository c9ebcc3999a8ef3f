//! `elasticio/timer:timer`: a message with the time, by the flow's schedule.

use jiff::Timestamp;
use serde_json::json;

use super::fields::{self, Fields};
use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "timer",
    functions: &[Function::new("timer", Nature::Pure, fire).checked_by(check)],
    verify: None,
};

/// Emits the time.
fn fire(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let time = iso_time(work.now_ms);
    emitter.body(json!({ "fireTime": time }))
}

/// Returns a time as ISO text with milliseconds, as `Date.toISOString` writes it.
pub(super) fn iso_time(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

/// The intervals to choose from; what schedule each is, `domain/flow/schedule.rs` knows.
const INTERVALS: [&str; 4] = ["minute", "hour", "day", "week"];

/// Checks the interval.
fn check(cfg: &Fields) -> Vec<String> {
    match fields::text(cfg, "interval") {
        Some(interval) if !INTERVALS.contains(&interval) => {
            vec!["has an `interval` other than minute, hour, day and week".to_owned()]
        }
        _ => Vec::new(),
    }
}
