//! Tasks, which the domain calls flows (`v1.md 2.6, 3.6`).

use serde_json::json;

use crate::api::body::Members;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, Shape};
use crate::domain::flow::{Cron, Flow, chain};
use crate::domain::id::FlowId;
use crate::domain::{Error, Kind, Result};

/// A task after a change of its status.
const STATUS: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::required(
        "status",
        Shape::OneOf(&["active", "inactive", "suspended", "deleted"]),
    ),
];

/// A node of a chain: a function, its fields, and the account whose keys it gets.
const NODE: &[Attribute] = &[
    Attribute::new("action", Shape::Text),
    Attribute::new("function", Shape::Text),
    Attribute::new("config", Shape::Object),
    Attribute::new("account", Shape::Text),
];

/// A new task.
const NEW: &[Attribute] = &[
    Attribute::required("name", Shape::Text),
    Attribute::required("nodes", Shape::Objects(NODE)),
    Attribute::new("cron", Shape::Text),
];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::post("/v1/tasks", "makes a task", create)
        .taking_members(NEW)
        .answering(
            200,
            Answers::Object(&[Attribute::required("id", Shape::Text)]),
        ),
    Route::post("/v1/tasks/start/{task_id}", "starts a task", start)
        .answering(200, Answers::Object(STATUS)),
    Route::post("/v1/tasks/stop/{task_id}", "stops a task", stop)
        .answering(200, Answers::Object(STATUS)),
    Route::post("/v1/tasks/suspend/{task_id}", "suspends a task", suspend)
        .answering(200, Answers::Object(STATUS)),
    Route::delete("/v1/tasks/{task_id}", "deletes a task", delete)
        .answering(200, Answers::Object(STATUS)),
];

/// Makes an inactive task; the later documents say 200, not 201.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let mut members = Members::new(&call.body);
    let name = members.required_text("name");
    let nodes = members.list("nodes");
    if members.value("nodes").is_none() {
        members.fault("nodes", "is required");
    }
    let cron = members.text("cron");
    members.check()?;
    let cron = cron.map(|text| Cron::parse("cron", text)).transpose()?;
    let graph = chain::parse(nodes.map_or(&[], Vec::as_slice))?;
    let flow = call
        .app
        .create_chain_flow(&call.who, name.unwrap_or_default(), graph, cron)?;
    Ok(Reply::ok(json!({ "id": flow.id.to_string() })))
}

/// Starts a task.
fn start(call: &mut Call<'_>) -> Result<Reply> {
    let flow = call.app.start_flow(&call.who, task_id(call)?);
    Ok(show(&flow.map_err(as_task)?))
}

/// Stops a task.
fn stop(call: &mut Call<'_>) -> Result<Reply> {
    let flow = call.app.stop_flow(&call.who, task_id(call)?);
    Ok(show(&flow.map_err(as_task)?))
}

/// Suspends a task.
fn suspend(call: &mut Call<'_>) -> Result<Reply> {
    let flow = call.app.suspend_flow(&call.who, task_id(call)?);
    Ok(show(&flow.map_err(as_task)?))
}

/// Deletes a task.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let flow = call.app.delete_flow(&call.who, task_id(call)?);
    let id = flow.map_err(as_task)?.id.to_string();
    Ok(Reply::ok(json!({ "id": id, "status": "deleted" })))
}

/// Reads the id in the path.
fn task_id(call: &Call<'_>) -> Result<FlowId> {
    call.id("task_id", "task")
}

/// Names the object as v1 does in the errors that say that it is not there.
fn as_task(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => Error::not_found("task"),
        Kind::Gone => Error::gone("task"),
        _ => error,
    }
}

/// Returns a task as v1 shows it after a change of its status.
fn show(flow: &Flow) -> Reply {
    Reply::ok(json!({ "id": flow.id.to_string(), "status": flow.status.as_str() }))
}
