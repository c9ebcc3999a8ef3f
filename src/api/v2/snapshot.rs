//! Snapshots of steps (`v2.md 6.2`).

use serde_json::Value;

use super::document::{Document, Resource, moved, nothing};
use super::input::Input;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, IdRule, QueryRules, ResourceInput, ResourceType, Shape,
};
use crate::domain::Result;
use crate::domain::id::FlowId;

/// The type; its id is that of the step.
pub(super) const SNAPSHOT: ResourceType = ResourceType {
    name: "snapshot",
    attributes: &[Attribute::new("snapshot", Shape::Any)],
    relationships: &[],
};

/// A new snapshot.
const NEW: ResourceInput = ResourceInput {
    types: &["snapshot"],
    id: IdRule::Named,
    attributes: &[Attribute::required("snapshot", Shape::Any)],
    ..ResourceInput::NEW
};

/// A snapshot in the place of another.
const CHANGE: ResourceInput = ResourceInput {
    types: &["snapshot"],
    id: IdRule::MayBeInPath("step_id"),
    attributes: &[Attribute::required("snapshot", Shape::Any)],
    ..ResourceInput::NEW
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/v2/flows/{flow_id}/snapshots",
        "lists the snapshots of a flow",
        list,
    )
    .asking(&QueryRules::LIST)
    .answering(200, Answers::Many(&SNAPSHOT)),
    Route::post(
        "/v2/flows/{flow_id}/snapshots",
        "makes the snapshot of a step",
        create,
    )
    .taking(&NEW)
    .answering(201, Answers::One(&SNAPSHOT)),
    Route::get(
        "/v2/flows/{flow_id}/snapshots/{step_id}",
        "returns the snapshot of a step",
        one,
    )
    .answering(200, Answers::One(&SNAPSHOT)),
    Route::patch(
        "/v2/flows/{flow_id}/snapshots/{step_id}",
        "replaces the snapshot of a step",
        change,
    )
    .taking(&CHANGE)
    .answering(200, Answers::One(&SNAPSHOT)),
    Route::delete(
        "/v2/flows/{flow_id}/snapshots/{step_id}",
        "deletes the snapshot of a step",
        delete,
    )
    .answering(204, Answers::Nothing),
];

/// Answers all snapshots of a flow: as many as it has steps.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let flow = flow_id(call)?;
    let found = call.app.flow_snapshots(&call.who, flow)?;
    let shown = found
        .into_iter()
        .map(|(step, value)| show(flow, &step, value));
    Ok(Document::list(call, shown.collect()).ok())
}

/// Answers one snapshot.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let (flow, step) = (flow_id(call)?, call.param("step_id"));
    let value = call.app.flow_snapshot(&call.who, flow, step)?;
    Ok(Document::one(show(flow, step, value)).ok())
}

/// Makes a snapshot.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let flow = flow_id(call)?;
    // Who may not see the flow is told so before the body is looked at.
    call.app.flow(&call.who, flow)?;
    let input = Input::read(call, |_| false)?;
    let (step, value) = (input.id().unwrap_or_default(), value_in(&input));
    let made = call
        .app
        .create_snapshot(&call.who, flow, step, value.clone());
    moved(made, "step_id", "/data/id")?;
    Ok(Document::one(show(flow, step, value)).created(call))
}

/// Replaces a snapshot.
fn change(call: &mut Call<'_>) -> Result<Reply> {
    let (flow, step) = (flow_id(call)?, call.param("step_id"));
    call.app.flow(&call.who, flow)?;
    let input = Input::read(call, |_| false)?;
    let value = value_in(&input);
    call.app
        .replace_snapshot(&call.who, flow, step, value.clone())?;
    Ok(Document::one(show(flow, step, value)).ok())
}

/// Deletes a snapshot.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let (flow, step) = (flow_id(call)?, call.param("step_id"));
    call.app.delete_snapshot(&call.who, flow, step)?;
    Ok(nothing(204))
}

/// Returns the value in a request, which may be `null`.
fn value_in(input: &Input<'_>) -> Value {
    input.value("snapshot").cloned().unwrap_or(Value::Null)
}

/// Reads the id of the flow in the path.
fn flow_id(call: &Call<'_>) -> Result<FlowId> {
    call.id("flow_id", "flow")
}

/// Returns a snapshot as v2 shows it.
fn show(flow: FlowId, step: &str, value: Value) -> Resource {
    let link = format!(
        "/v2/flows/{flow}/snapshots/{}",
        super::document::escaped(step)
    );
    Resource::new(&SNAPSHOT, step, link).attribute("snapshot", value)
}
