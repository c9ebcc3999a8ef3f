//! What happens to flows: verbs note it, and the engine of whatever process serves reads
//! what is new.

use crate::domain::id::FlowId;

/// What happened to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowEventKind {
    /// It was started, stopped, suspended, changed or deleted.
    Changed,
    /// A message of it was queued by a verb; the object is its seq.
    Queued,
    /// A run of it was cancelled; the object is its seq.
    Cancelled,
}

impl FlowEventKind {
    /// Returns the word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Queued => "queued",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An event.
#[derive(Clone, Copy, Debug)]
pub struct FlowEvent {
    /// Its place in the order of events.
    pub seq: i64,
    /// The flow.
    pub flow: FlowId,
    /// What happened.
    pub kind: FlowEventKind,
    /// To what: see [`FlowEventKind`].
    pub object: Option<i64>,
}
