//! Deeds about tasks and their executions.

use serde_json::{Value, json};

use super::file::write_new;
use super::{Deed, Done};
use crate::app::App;
use crate::app::execution::{ExecutionStep, NewRetry};
use crate::app::flow::FlowChange;
use crate::console::execution::step_json;
use crate::console::task::{self, unmask};
use crate::console::text;
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::principal::Principal;
use crate::domain::{Error, Result};

/// The steps that a saved file holds: what fits into memory with their messages.
const SAVED_STEPS_MAX: u64 = 1_000;

/// The steps that are read at a time.
const STEPS_BATCH: u32 = 100;

/// What is done to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowDeed {
    /// It runs whenever its trigger says so.
    Start,
    /// It runs no more; what waits is dropped.
    Stop,
    /// It runs no more; what waits is kept.
    Suspend,
    /// One execution begins.
    Run,
    /// It goes, with everything that belongs to it.
    Delete,
}

/// Does something to a task.
pub(super) fn change(app: &App, who: &Principal, id: FlowId, verb: FlowDeed) -> Result<Done> {
    let back = |verb: FlowDeed| Deed::Flow { id, verb };
    Ok(match verb {
        FlowDeed::Start => {
            let flow = app.start_flow(who, id)?;
            Done::told(format!("started {}", flow.name)).undone_by(back(FlowDeed::Stop))
        }
        FlowDeed::Stop => {
            let flow = app.stop_flow(who, id)?;
            Done::told(format!("stopped {}", flow.name)).undone_by(back(FlowDeed::Start))
        }
        FlowDeed::Suspend => {
            let flow = app.suspend_flow(who, id)?;
            Done::told(format!("suspended {}", flow.name)).undone_by(back(FlowDeed::Start))
        }
        FlowDeed::Run => {
            let run = app.run_flow_now(who, id)?;
            let short = text::short_id(&run.to_string());
            Done::told(format!("execution {short} begins")).leading_to(run)
        }
        FlowDeed::Delete => {
            let flow = app.delete_flow(who, id)?;
            Done::told(format!("deleted {}", flow.name))
        }
    })
}

/// Changes what a task is. What a screen hides of it comes back hidden, and stays as it is.
pub(super) fn edit(app: &App, who: &Principal, id: FlowId, change: &FlowChange) -> Result<Done> {
    let before = app.flow(who, id)?;
    let secrets = app.secret_fields_of(who, id)?;
    let mut change = change.clone();
    if let Some(graph) = &mut change.graph {
        unmask(graph, &before.graph, &secrets);
    }
    let flow = app.change_flow(who, id, change)?;
    let told = format!("changed {}, version {}", flow.name, flow.version);
    let done = Done::told(told);
    // What takes it back waits in memory, where no secret is to wait.
    Ok(if secrets.is_empty() {
        let change = Box::new(FlowChange {
            only_of: Some(vec![flow.updated_at_ms]),
            ..task::change_to(before)
        });
        done.undone_by(Deed::ChangeFlow { id, change })
    } else {
        done
    })
}

/// Runs an execution again, or some of it.
pub(super) fn retry(app: &App, who: &Principal, id: ExecutionId, retry: NewRetry) -> Result<Done> {
    let run = app.retry_execution(who, id, retry)?;
    let short = text::short_id(&run.id.to_string());
    let told = format!("runs again as execution {short}");
    Ok(Done::told(told).leading_to(run.id))
}

/// Ends an execution that is not over.
pub(super) fn cancel(app: &App, who: &Principal, id: ExecutionId) -> Result<Done> {
    app.cancel_execution(who, id)?;
    let short = text::short_id(&id.to_string());
    Ok(Done::told(format!("cancelled execution {short}")))
}

/// Writes an execution with its steps to a file of the folder that the console was
/// started in; nobody else may read it.
pub(super) fn save(app: &App, who: &Principal, id: ExecutionId) -> Result<Done> {
    let run = app.execution(who, id)?;
    let mut steps: Vec<ExecutionStep> = Vec::new();
    loop {
        let (page, total) = app.execution_steps(who, id, steps.len() as u64, STEPS_BATCH)?;
        let is_end = page.is_empty();
        steps.extend(page);
        if is_end || steps.len() as u64 >= total.min(SAVED_STEPS_MAX) {
            break;
        }
    }
    let steps: Vec<Value> = steps.iter().map(step_json).collect();
    let bundle = json!({
        "id": run.id.to_string(),
        "flow_id": run.flow_id.to_string(),
        "flow_version": run.flow_version,
        "trigger": run.trigger.as_str(),
        "status": run.status.as_str(),
        "started_at": text::rfc3339(run.started_at_ms),
        "finished_at": run.finished_at_ms.map(text::rfc3339),
        "steps": steps,
    });
    let bytes = serde_json::to_vec_pretty(&bundle).map_err(Error::internal)?;
    let path = write_new(&format!("elastane-execution-{id}"), "json", &bytes)?;
    Ok(Done::told(format!("saved to {}", path.display())))
}
