//! Scheduled executions (`v1.md 3.3`).

use serde_json::{Map, Value, json};

use crate::api::call::{Call, Reply};
use crate::api::route::{Access, Route};
use crate::api::shape::{Answers, Attribute, Shape};
use crate::app::scheduled_execution::{NewScheduledExecution, Polled, Question, Reading};
use crate::domain::id::ScheduledExecutionId;
use crate::domain::scheduled_execution::Outcome;
use crate::domain::{Error, FieldError, Kind, Result};
use crate::http::Request;

/// What can be asked.
const TYPES: &str = "must be one of verify_credentials, get_meta_model, select_model";

/// What is asked of a component; which members are needed goes by the first.
const ASKED: &[Attribute] = &[
    Attribute::required(
        "execution_type",
        Shape::OneOf(&["verify_credentials", "get_meta_model", "select_model"]),
    ),
    Attribute::required("component", Shape::Text),
    Attribute::new("account_data", Shape::Object),
    Attribute::new("action_or_trigger", Shape::Text),
    Attribute::new("account_id", Shape::Text),
    Attribute::new("model_method", Shape::Text),
    Attribute::new("cfg", Shape::Object),
];

/// How a scheduled execution stands.
const MESSAGE: &[Attribute] = &[Attribute::required("message", Shape::Text)];

/// A result.
const RESULT: &[Attribute] = &[Attribute::required("data", Shape::Any)];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::post(
        "/v1/exec/schedule",
        "verifies keys, or asks a component for metadata or options",
        schedule,
    )
    .taking_members(ASKED)
    .answering(202, Answers::Object(MESSAGE)),
    Route::get(
        "/v1/exec/poll/{exec_id}",
        "tells whether a scheduled execution is over",
        poll,
    )
    .answering(200, Answers::Object(MESSAGE))
    .or_answering(303, Answers::Object(MESSAGE)),
    Route::get(
        "/v1/exec/result/{exec_id}",
        "returns the result of a scheduled execution, once",
        never,
    )
    .with_access(Access::Token)
    .answering(200, Answers::Object(RESULT))
    .streaming(result),
];

/// Schedules a call of a component.
fn schedule(call: &mut Call<'_>) -> Result<Reply> {
    call.who.require_writer()?;
    let mut body = Body {
        members: &call.body,
        faults: Vec::new(),
    };
    let kind = body.required_text("execution_type");
    let component = body.required_text("component");
    // A member of the wrong type is a fault where it is not needed, too.
    for name in ["action_or_trigger", "model_method", "account_id"] {
        body.text(name);
    }
    for name in ["account_data", "cfg"] {
        body.object(name, false);
    }
    let mut credential = None;
    let (question, fields) = match kind.as_str() {
        "verify_credentials" => {
            let keys = body.object("account_data", true);
            (Question::VerifyCredentials, keys)
        }
        "get_meta_model" | "select_model" => {
            let function = body.required_text("action_or_trigger");
            let question = if kind == "select_model" {
                let method = body.required_text("model_method");
                Question::SelectModel { function, method }
            } else {
                Question::MetaModel { function }
            };
            credential = body.text("account_id");
            (question, body.object("cfg", false))
        }
        "" => (Question::VerifyCredentials, Map::new()),
        _ => {
            body.fault("execution_type", TYPES);
            (Question::VerifyCredentials, Map::new())
        }
    };
    if !body.faults.is_empty() {
        return Err(Error::invalid_fields(body.faults));
    }
    let component = call.app.component_named(&call.who, &component)?;
    let credential = credential
        .map(|id| id.parse().map_err(|_| Error::not_found("account")))
        .transpose()?;
    let id = call.app.schedule_execution(
        &call.who,
        NewScheduledExecution {
            component,
            question,
            fields,
            credential,
        },
    )?;
    let location = format!("{}/v1/exec/poll/{id}", call.base_url());
    Ok(Reply::json(202, json!({ "message": "ok" })).with_header("Location", location))
}

/// Answers whether it is over: clients go by the redirect alone, so no result is here.
fn poll(call: &mut Call<'_>) -> Result<Reply> {
    let id = id_of(call)?;
    match call.app.poll_execution(&call.who, id)? {
        Polled::Pending => Ok(Reply::ok(json!({ "message": "Result is not ready yet" }))),
        Polled::Ready { token } => {
            let location = format!("{}/v1/exec/result/{id}?token={token}", call.base_url());
            let reply = Reply::json(303, json!({ "message": "Ready." }));
            Ok(reply.with_header("Location", location))
        }
    }
}

/// Answers a result, which is gone then; a HEAD leaves it.
fn result(call: &mut Call<'_>, request: &mut Request<'_>) -> Result<Reply> {
    let id = id_of(call)?;
    let reading = if request.method() == "HEAD" {
        Reading::Head
    } else {
        Reading::Once
    };
    let token = request.query_value("token");
    let read = call.app.execution_result(&call.who, id, token, reading);
    match read {
        Ok(Outcome::Done(value)) => Ok(Reply::ok(json!({ "data": value }))),
        Ok(Outcome::Failed(reason)) => Ok(Reply::json(
            400,
            json!({ "message": "Rejected.", "reason": reason }),
        )),
        // v1 has no status for what is not ready.
        Err(error) if error.kind() == Kind::Conflict => Err(no_result()),
        Err(error) => Err(error),
    }
}

/// Stands where a route has a stream.
fn never(_call: &mut Call<'_>) -> Result<Reply> {
    Err(Error::internal("a result was read without its request"))
}

/// Reads the id in the path.
fn id_of(call: &Call<'_>) -> Result<ScheduledExecutionId> {
    call.param("exec_id").parse().map_err(|_| no_result())
}

/// The answer for a result that is not there.
fn no_result() -> Error {
    Error::new(Kind::NotFound, "Result does not exist.")
}

/// The members of a body, and what is wrong with them.
struct Body<'a> {
    members: &'a Map<String, Value>,
    faults: Vec<FieldError>,
}

impl Body<'_> {
    /// Notes a fault.
    fn fault(&mut self, field: &str, message: &str) {
        if self.faults.iter().any(|known| known.field == field) {
            return;
        }
        self.faults.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    }

    /// Returns a text, where it is there.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.members.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.fault(name, "must be a string");
                Some(String::new())
            }
        }
    }

    /// Returns a text that has to be there.
    fn required_text(&mut self, name: &str) -> String {
        let text = self.text(name);
        if text.is_none() {
            self.fault(name, "is required");
        }
        text.unwrap_or_default()
    }

    /// Returns an object; an empty one where it may be missing.
    fn object(&mut self, name: &str, is_required: bool) -> Map<String, Value> {
        match self.members.get(name) {
            Some(Value::Object(members)) => return members.clone(),
            None | Some(Value::Null) if !is_required => {}
            None | Some(Value::Null) => self.fault(name, "is required"),
            Some(_) => self.fault(name, "must be an object"),
        }
        Map::new()
    }
}
