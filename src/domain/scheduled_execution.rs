//! What a component is asked outside of flows, and what came of it (`v1.md 3.3`).

use serde_json::{Value, json};

use super::id::{ScheduledExecutionId, UserId};

/// How long a result can be read, in milliseconds: an hour (`v1.md 3.3`).
pub const LIFETIME_MS: i64 = 60 * 60 * 1_000;

/// How long a component may take, in milliseconds, its wait included: people sit before a
/// form meanwhile.
pub const TIME_LIMIT_MS: i64 = 60 * 1_000;

/// What came of a call. It may hold somebody's data, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The component's answer.
    Done(Value),
    /// Why there is none: `{"message"}`.
    Failed(Value),
}

impl Outcome {
    /// Makes a failure that says why.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(json!({ "message": message.into() }))
    }
}

/// A call of a component, and how far it is.
#[derive(Clone)]
pub struct ScheduledExecution {
    /// Its id.
    pub id: ScheduledExecutionId,
    /// Who asked.
    pub user_id: UserId,
    /// What came of it; none while it is pending.
    pub outcome: Option<Outcome>,
    /// When it was scheduled, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When its result goes, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

impl ScheduledExecution {
    /// Returns what came of it by a time: one that takes too long has failed.
    pub fn outcome_at(&self, now_ms: i64) -> Option<Outcome> {
        let is_late = now_ms > self.created_at_ms + TIME_LIMIT_MS;
        match &self.outcome {
            None if is_late => Some(Outcome::failed(format!(
                "the component took longer than {} s",
                TIME_LIMIT_MS / 1_000
            ))),
            known => known.clone(),
        }
    }
}
