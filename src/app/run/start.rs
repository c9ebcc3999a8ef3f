//! Components that can't be started: their flow is suspended after some failures.

use super::{Act, App};
use crate::domain::Result;
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::flow::FlowStatus;
use crate::domain::flow::event::FlowEventKind;
use crate::domain::id::FlowId;
use crate::domain::principal::Principal;
use crate::domain::run::LogLevel;
use crate::domain::run::part::NewLogEntry;

/// Failed starts of a component in a row that suspend its flow (`runtime.md 4.10`).
const START_FAILURES_MAX: u32 = 5;

impl App {
    /// Suspends a flow whose component could not be started too often in a row, and
    /// says so in its log; otherwise notes the failure. Returns how many there were.
    pub fn note_start_failure(&self, flow: FlowId, step: &str, reason: &str) -> Result<u32> {
        let (step, reason) = (step.to_owned(), reason.to_owned());
        let who = Principal::system();
        let failures = self.act(&who, move |act| {
            let failures = act.start_failures(flow)? + 1;
            act.set_start_failures(flow, failures)?;
            let suspends = failures >= START_FAILURES_MAX;
            let message = if suspends {
                format!("the component could not be started {failures} times; the flow is suspended: {reason}")
            } else {
                format!("the component could not be started: {reason}")
            };
            let entry = NewLogEntry {
                step: Some(step),
                at_ms: act.now_ms,
                level: LogLevel::Error,
                message,
                run: None,
            };
            act.add_log_entry(flow, None, &entry)?;
            if suspends {
                suspend(act, flow)?;
            }
            Ok(failures)
        })?;
        if failures >= START_FAILURES_MAX {
            self.tell_runtime(flow);
        }
        Ok(failures)
    }

    /// Forgets, without waiting, that a component of a flow could not be started: it was.
    pub fn forget_start_failures(&self, flow: FlowId) {
        self.inner
            .store
            .write_later(move |write| write.set_start_failures(flow, 0));
    }
}

/// Suspends a flow in the transaction of `act`.
fn suspend(act: &Act<'_>, flow: FlowId) -> Result<()> {
    act.set_flow_status(flow, FlowStatus::Suspended, act.now_ms)?;
    act.set_due(flow, None)?;
    act.set_start_failures(flow, 0)?;
    act.add_flow_event(flow, FlowEventKind::Changed, None, act.now_ms)?;
    act.audit(&NewAuditEntry::of("flow.suspend", ObjectKind::Flow, flow))
}
