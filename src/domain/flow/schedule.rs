//! When a flow's schedule fires (`runtime.md 4.4`).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Cron, Flow, FlowType};
use crate::domain::team::BUILTIN_TEAM;

/// The schedule of a polling flow that names none (`v2.md 4.4`).
pub const DEFAULT_CRON: &str = "*/3 * * * *";

/// How soon the trigger of a real-time flow is called again: often enough to feel
/// immediate, seldom enough to leave an idle machine idle.
pub const LONG_RUNNING_INTERVAL_MS: i64 = 1_000;

/// Returns when a polling flow fires next after `after_ms`; none where its schedule has
/// no more times.
pub fn next_fire(flow: &Flow, after_ms: i64) -> Option<i64> {
    if flow.flow_type == FlowType::LongRunning {
        return Some(after_ms + LONG_RUNNING_INTERVAL_MS);
    }
    next_of(cron_of(flow), flow.options.time_zone.as_deref(), after_ms)
}

/// Returns the cron expression that a polling flow runs by: its own, else that of its
/// timer's interval (`builtin-components.md`), else [`DEFAULT_CRON`].
pub fn cron_of(flow: &Flow) -> &str {
    if let Some(cron) = &flow.cron {
        return cron.as_str();
    }
    let Some(first) = flow.graph.first() else {
        return DEFAULT_CRON;
    };
    let command = &first.command;
    if command.team.as_str() != BUILTIN_TEAM || command.component.as_str() != "timer" {
        return DEFAULT_CRON;
    }
    let interval = first
        .members
        .get("fields")
        .and_then(|fields| fields.get("interval"))
        .and_then(Value::as_str);
    match interval {
        None | Some("" | "minute") => "* * * * *",
        Some("hour") => "0 * * * *",
        Some("day") => "0 0 * * *",
        Some("week") => "0 0 * * 0",
        Some(_) => DEFAULT_CRON,
    }
}

/// Returns the next time of an expression in a zone after `after_ms`.
pub fn next_of(cron: &str, zone: Option<&str>, after_ms: i64) -> Option<i64> {
    let zone = zone
        .and_then(|name| TimeZone::get(name).ok())
        .unwrap_or(TimeZone::UTC);
    let cron = croner::parser::CronParser::new().parse(cron).ok()?;
    let after = Timestamp::from_millisecond(after_ms).ok()?.to_zoned(zone);
    let next = cron.find_next_occurrence(&after, false).ok()?;
    Some(next.timestamp().as_millisecond())
}

/// Returns up to `limit` times of a flow's schedule from `from_ms` to `until_ms`, both
/// included, where `from_ms` is one of them.
pub fn fires_between(flow: &Flow, from_ms: i64, until_ms: i64, limit: usize) -> Vec<i64> {
    let mut fires = Vec::new();
    let mut next = Some(from_ms);
    while let Some(at) = next.filter(|at| *at <= until_ms && fires.len() < limit) {
        fires.push(at);
        next = next_fire(flow, at);
    }
    fires
}

impl Cron {
    /// Returns the next time of the expression in a zone after `after_ms`.
    pub fn next(&self, zone: Option<&str>, after_ms: i64) -> Option<i64> {
        next_of(self.as_str(), zone, after_ms)
    }
}
