//! `elasticio/timer:timer`: a message with the time, by the flow's schedule.

use jiff::Timestamp;
use serde_json::json;

use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "timer",
    functions: &[Function::new("timer", Nature::Pure, fire)],
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
