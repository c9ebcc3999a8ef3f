//! Verbs about snapshots: what steps remember between their messages (`v2.md 6.2`,
//! `runtime.md 4.6`). They are changed by hand only while the flow does not run.

use serde_json::{Value, json};

use super::{Act, App, flow};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::flow::{Flow, FlowStatus};
use crate::domain::id::FlowId;
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};

/// The largest snapshot as JSON (`runtime.md 4.6`).
pub const SNAPSHOT_MAX_BYTES: usize = 5 * 1024;

/// What errors call it.
const WHAT: &str = "snapshot";

impl App {
    /// Returns the snapshots of a flow that `who` may see, by the id of their step.
    pub fn flow_snapshots(&self, who: &Principal, id: FlowId) -> Result<Vec<(String, Value)>> {
        self.read(|read| {
            flow::load(read, who, id)?;
            read.snapshots(id)
        })
    }

    /// Returns the snapshot of one step.
    pub fn flow_snapshot(&self, who: &Principal, id: FlowId, step: &str) -> Result<Value> {
        self.read(|read| {
            flow::load(read, who, id)?;
            let found = read.snapshot(id, step)?;
            found.ok_or_else(|| Error::not_found(WHAT))
        })
    }

    /// Makes the snapshot of a step that has none.
    pub fn create_snapshot(
        &self,
        who: &Principal,
        id: FlowId,
        step: &str,
        value: Value,
    ) -> Result<()> {
        check_size(&value)?;
        let step = step.to_owned();
        self.act(who, move |act| {
            let flow = load_resting(act, id)?;
            if !flow.graph.nodes.iter().any(|node| node.id == step) {
                return Err(Error::invalid("step_id", "is not a step of the flow"));
            }
            if act.snapshot(id, &step)?.is_some() {
                return Err(Error::conflict("step_id", "has a snapshot already"));
            }
            act.set_snapshot(id, &step, &value, act.now_ms)?;
            note(act, "snapshot.create", id, &step)
        })
    }

    /// Replaces the snapshot of a step that has one.
    pub fn replace_snapshot(
        &self,
        who: &Principal,
        id: FlowId,
        step: &str,
        value: Value,
    ) -> Result<()> {
        check_size(&value)?;
        let step = step.to_owned();
        self.act(who, move |act| {
            load_resting(act, id)?;
            if act.snapshot(id, &step)?.is_none() {
                return Err(Error::not_found(WHAT));
            }
            act.set_snapshot(id, &step, &value, act.now_ms)?;
            note(act, "snapshot.update", id, &step)
        })
    }

    /// Deletes the snapshot of a step.
    pub fn delete_snapshot(&self, who: &Principal, id: FlowId, step: &str) -> Result<()> {
        let step = step.to_owned();
        self.act(who, move |act| {
            load_resting(act, id)?;
            if act.delete_snapshots(id, Some(&step))? == 0 {
                return Err(Error::not_found(WHAT));
            }
            note(act, "snapshot.delete", id, &step)
        })
    }
}

/// Returns a flow that the caller may change and that does not run.
fn load_resting(act: &Act<'_>, id: FlowId) -> Result<Flow> {
    let flow = flow::load_to_change(act, act.who, id)?;
    if flow.status == FlowStatus::Active {
        return Err(Error::new(
            Kind::Conflict,
            "the flow is active: stop it before its snapshots are changed",
        ));
    }
    Ok(flow)
}

/// Checks the size of a snapshot.
fn check_size(value: &Value) -> Result<()> {
    if value.to_string().len() > SNAPSHOT_MAX_BYTES {
        return Err(Error::invalid(
            "snapshot",
            format!("must have at most {SNAPSHOT_MAX_BYTES} bytes as JSON"),
        ));
    }
    Ok(())
}

/// Notes a change; the value may hold anything, so it is left out.
fn note(act: &Act<'_>, action: &'static str, flow: FlowId, step: &str) -> Result<()> {
    act.audit(&NewAuditEntry::of(action, ObjectKind::Flow, flow).with(json!({ "step": step })))
}
