//! What processes of steps ask (`v1.md 4`): with a key of their own, about their own step
//! alone.

use std::io::{ErrorKind, Read};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::call::{Call, Content, Reply};
use crate::api::dispatch::body_error;
use crate::api::route::{Access, Route};
use crate::api::shape::{Answers, Attribute, Shape};
use crate::app::step_run::StepRun;
use crate::domain::{Error, Kind, Result};
use crate::http::Request;

/// The path of what a start-up hook returned; it has no version (`v1.md 4`).
const STARTUP: &str = "/sailor-support/hooks/task/{task_id}/startup/data";

/// The largest body of start-up data: more than is kept, so that the refusal names that.
const STARTUP_BODY_MAX_BYTES: u64 = 256 * 1024;

/// What a process reads when it starts.
const STEP: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::required("comp_id", Shape::Text),
    Attribute::required("function", Shape::Text),
    Attribute::required("config", Shape::Object),
    Attribute::required("snapshot", Shape::Any),
    Attribute::required("is_passthrough", Shape::Boolean),
    Attribute::required("variables", Shape::Object),
];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/v1/tasks/{task_id}/steps/{step_id}",
        "returns what the process of a step has to know",
        info,
    )
    .with_access(Access::Step)
    .answering(200, Answers::Object(STEP)),
    Route::post(
        "/sailor-support/result",
        "takes the result of a scheduled execution",
        result,
    )
    .with_access(Access::Step)
    .answering(200, Answers::Map),
    Route::get(STARTUP, "returns what the start-up hook returned", startup)
        .with_access(Access::Step)
        .answering(200, Answers::Map),
    Route::post(STARTUP, "keeps what the start-up hook returned", never)
        .with_access(Access::Step)
        .streaming(keep_startup)
        .answering(201, Answers::Map),
    Route::delete(
        STARTUP,
        "forgets what the start-up hook returned",
        drop_startup,
    )
    .with_access(Access::Step)
    .answering(204, Answers::Nothing),
];

/// Returns the caller's step, where the path names its flow.
fn own(call: &Call<'_>) -> Result<Arc<StepRun>> {
    let step = call.step()?;
    if call.param("task_id") == step.flow.to_string() {
        Ok(step)
    } else {
        Err(Error::not_found("task"))
    }
}

/// Answers the configuration and the snapshot of a step.
fn info(call: &mut Call<'_>) -> Result<Reply> {
    let step = own(call)?;
    if call.param("step_id") != step.step {
        return Err(Error::not_found("step"));
    }
    call.app.step_info(&step).map(Reply::ok)
}

/// Takes the result of a call outside of flows; the sailor wants 200 exactly.
fn result(call: &mut Call<'_>) -> Result<Reply> {
    let step = call.step()?;
    let waits = step.result.as_ref();
    let waits = waits.ok_or_else(|| Error::not_found("scheduled execution"))?;
    // A second result, and one that nobody waits for any more, is dropped.
    let _heard = waits.try_send(Value::Object(call.body.clone()));
    Ok(Reply::ok(json!({})))
}

/// Answers what was kept.
fn startup(call: &mut Call<'_>) -> Result<Reply> {
    let found = own(call).and_then(|step| call.app.startup_data_of(&step));
    let found = found.and_then(|data| data.ok_or_else(|| Error::not_found("startup data")));
    found.map(Reply::ok).or_else(told)
}

/// Keeps the body, whatever JSON it is; a conflict makes the sailor delete what is there,
/// and send it again.
fn keep_startup(call: &mut Call<'_>, request: &mut Request<'_>) -> Result<Reply> {
    let mut text = Vec::new();
    let mut body = request
        .body_stream(STARTUP_BODY_MAX_BYTES)
        .map_err(body_error)?;
    let read = body.read_to_end(&mut text);
    read.map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => Error::new(Kind::TooLarge, "the body is too large"),
        _ => Error::new(Kind::Invalid, "the body did not arrive as a whole"),
    })?;
    // A hook that returned nothing leaves an empty object.
    let data = if text.is_empty() {
        json!({})
    } else {
        let read = serde_json::from_slice(&text);
        read.map_err(|_| Error::new(Kind::Invalid, "the body is not JSON"))?
    };
    let kept = own(call).and_then(|step| call.app.keep_startup_data(&step, Value::clone(&data)));
    kept.map(|()| Reply::json(201, data)).or_else(told)
}

/// Stands where a route has a stream.
fn never(_call: &mut Call<'_>) -> Result<Reply> {
    Err(Error::internal("start-up data was read as an object"))
}

/// Forgets what was kept.
fn drop_startup(call: &mut Call<'_>) -> Result<Reply> {
    let dropped = own(call).and_then(|step| call.app.drop_startup_data(&step));
    let done = |()| Reply {
        status: 204,
        headers: Vec::new(),
        content: Content::Empty,
    };
    dropped.map(done).or_else(told)
}

/// Shapes a refusal as sailors read it, who throw the text under `error`; what else goes
/// wrong has the shape of all errors, and is tried again.
fn told(error: Error) -> Result<Reply> {
    let status = match error.kind() {
        Kind::NotFound => 404,
        Kind::Conflict => 409,
        Kind::TooLarge => 413,
        _ => return Err(error),
    };
    let text = error.message();
    Ok(Reply::json(
        status,
        json!({ "error": text, "message": text }),
    ))
}
