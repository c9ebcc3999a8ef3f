//! Scheduled executions: what components with dynamic parts are asked (`v2.md 4.7`).

use serde_json::{Map, Value, json};

use super::component::component_id;
use super::document::{Document, Resource, moved};
use super::input::{Input, place_of};
use crate::api::call::{Call, Compat, Reply};
use crate::api::route::{Access, Route};
use crate::api::shape::{
    Answers, Attribute, QueryRules, Relationship, ResourceInput, ResourceType, Shape,
};
use crate::app::component::SeenVersion;
use crate::app::scheduled_execution::{NewScheduledExecution, Polled, Question, Reading};
use crate::domain::id::ScheduledExecutionId;
use crate::domain::scheduled_execution::Outcome;
use crate::domain::{Error, Kind, Result};

/// The type.
pub(super) const EXECUTION_RESULT: ResourceType = ResourceType {
    name: "execution-result",
    attributes: &[
        Attribute::new("result", Shape::Any),
        Attribute::new("status", Shape::Text),
    ],
    relationships: &[],
};

/// What one that is not over says of itself (`v2.md 4.7`).
const PENDING: &str = "Pending request, waiting other process";

/// Keys to verify; documents name them both ways.
const VERIFY: ResourceInput = ResourceInput {
    types: &["verify-credential"],
    attributes: &[
        Attribute::new("fields", Shape::Object),
        Attribute::new("keys", Shape::Object),
    ],
    ..ResourceInput::NEW
};

/// The credential whose keys the component gets.
const CREDENTIAL: &[Relationship] = &[Relationship::one("credential", "credential")];

/// What metadata is asked for.
const METADATA: ResourceInput = ResourceInput {
    types: &["dynamic-metadata"],
    attributes: &[
        Attribute::required("module", Shape::Text),
        Attribute::required("fields", Shape::Object),
    ],
    relationships: CREDENTIAL,
    ..ResourceInput::NEW
};

/// Which options are asked for; the sample has the type of metadata.
const SELECT: ResourceInput = ResourceInput {
    types: &["select-model", "dynamic-metadata"],
    attributes: &[
        Attribute::required("module", Shape::Text),
        Attribute::required("fields", Shape::Object),
        Attribute::new("method", Shape::Text),
    ],
    relationships: CREDENTIAL,
    ..ResourceInput::NEW
};

/// A result may be read by the token of the redirect.
const RESULT: QueryRules = QueryRules {
    others: &["token"],
    ..QueryRules::ONE
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::post(
        "/v2/components/{component_id}/versions/{version}/verify-credential",
        "schedules a check of the keys of a credential",
        verify,
    )
    .taking(&VERIFY)
    .answering(202, Answers::One(&EXECUTION_RESULT)),
    Route::post(
        "/v2/components/{component_id}/versions/{version}/dynamic-metadata",
        "schedules the making of metadata",
        metadata,
    )
    .taking(&METADATA)
    .answering(202, Answers::One(&EXECUTION_RESULT)),
    Route::post(
        "/v2/components/{component_id}/versions/{version}/select-model",
        "schedules the making of the options of a field",
        select,
    )
    .taking(&SELECT)
    .answering(202, Answers::One(&EXECUTION_RESULT)),
    Route::get(
        "/v2/exec/poll/{exec_id}",
        "tells whether a scheduled execution is over",
        poll,
    )
    .answering(200, Answers::One(&EXECUTION_RESULT))
    .or_answering(303, Answers::Meta),
    Route::get(
        "/v2/exec/result/{exec_id}",
        "returns the result of a scheduled execution",
        result,
    )
    .with_access(Access::Token)
    .asking(&RESULT)
    .answering(200, Answers::One(&EXECUTION_RESULT)),
];

/// Schedules a check of keys.
fn verify(call: &mut Call<'_>) -> Result<Reply> {
    let version = version_of(call)?;
    let input = read(call)?;
    let keys = input.object("fields").or_else(|| input.object("keys"));
    let keys = keys.ok_or_else(|| Error::invalid("/data/attributes/fields", "is required"))?;
    schedule(call, &version, Question::VerifyCredentials, keys, None)
}

/// Schedules the making of metadata.
fn metadata(call: &mut Call<'_>) -> Result<Reply> {
    let version = version_of(call)?;
    let input = read(call)?;
    let function = input.required_text("module").to_owned();
    ask(call, &version, &input, Question::MetaModel { function })
}

/// Schedules the making of options.
fn select(call: &mut Call<'_>) -> Result<Reply> {
    let version = version_of(call)?;
    let input = read(call)?;
    let function = input.required_text("module").to_owned();
    let method = match input.text("method") {
        Some(method) => method.to_owned(),
        None => only_method(&version.version.descriptor, &function).ok_or_else(|| {
            let message = "is required: the module has no single field with a model of its own";
            Error::invalid("/data/attributes/method", message)
        })?,
    };
    let question = Question::SelectModel { function, method };
    ask(call, &version, &input, question)
}

/// Answers whether it is over.
fn poll(call: &mut Call<'_>) -> Result<Reply> {
    let id = id_of(call)?;
    match call.app.poll_execution(&call.who, id)? {
        Polled::Pending => Ok(pending(id).ok()),
        Polled::Ready { token } => {
            let location = format!("{}{}?token={token}", call.base_url(), link_of(id));
            let reply = Reply::json(303, json!({ "data": {}, "meta": {} }));
            Ok(reply.with_header("Location", location))
        }
    }
}

/// Answers a result.
fn result(call: &mut Call<'_>) -> Result<Reply> {
    let id = id_of(call)?;
    let token = call.query.iter().find(|(name, _)| name == "token");
    let token = token.map(|(_, token)| token.as_str());
    let value = match call
        .app
        .execution_result(&call.who, id, token, Reading::Again)?
    {
        Outcome::Done(value) => value,
        Outcome::Failed(reason) => return Ok(rejected(&reason)),
    };
    let shown = match call.compat {
        Compat::Seed => value,
        Compat::Later => json!({ "data": value }),
    };
    let resource = Resource::new(&EXECUTION_RESULT, id, link_of(id));
    Ok(Document::one(resource.attribute("result", shown)).ok())
}

/// Finds the build in the path, before the body is looked at; guests ask nothing.
fn version_of(call: &Call<'_>) -> Result<SeenVersion> {
    let id = component_id(call)?;
    let version = call
        .app
        .component_version(&call.who, id, call.param("version"))?;
    call.who.refuse_guest()?;
    Ok(version)
}

/// Reads the body.
fn read<'a>(call: &'a Call<'_>) -> Result<Input<'a>> {
    Input::read(call, |_| false)
}

/// Schedules a question with the fields and the credential of a body.
fn ask(
    call: &Call<'_>,
    version: &SeenVersion,
    input: &Input<'_>,
    question: Question,
) -> Result<Reply> {
    let none = Map::new();
    let fields = input.object("fields").unwrap_or(&none);
    schedule(call, version, question, fields, input.related("credential"))
}

/// Schedules a question.
fn schedule(
    call: &Call<'_>,
    version: &SeenVersion,
    question: Question,
    fields: &Map<String, Value>,
    credential: Option<&str>,
) -> Result<Reply> {
    let credential = credential
        .map(|id| id.parse().map_err(|_| Error::not_found("credential")))
        .transpose()?;
    let new = NewScheduledExecution {
        component: version.component.id,
        question,
        fields: fields.clone(),
        credential,
    };
    let scheduled = call.app.schedule_execution(&call.who, new);
    let id = moved(scheduled, "account_id", &place_of("credential"))?;
    let location = format!("{}/v2/exec/poll/{id}", call.base_url());
    Ok(pending(id).reply(202).with_header("Location", location))
}

/// Returns the only method that makes options of a field of a function.
fn only_method(descriptor: &Value, function: &str) -> Option<String> {
    let found = ["triggers", "actions"]
        .into_iter()
        .find_map(|group| descriptor.get(group)?.get(function))?;
    let fields = found.get("fields")?.as_object()?;
    let mut methods = fields
        .values()
        .filter_map(|field| field.get("model")?.as_str());
    let only = methods.next()?;
    methods.next().is_none().then(|| only.to_owned())
}

/// Returns the document of one that is not over.
fn pending(id: ScheduledExecutionId) -> Document {
    Document::one(
        Resource::new(&EXECUTION_RESULT, id, link_of(id))
            .attribute("result", json!({}))
            .attribute("status", PENDING),
    )
}

/// Answers that the component failed, with its reason.
fn rejected(reason: &Value) -> Reply {
    let detail = reason.get("message").and_then(Value::as_str);
    Reply::json(
        400,
        json!({
            "errors": [{
                "status": "400",
                "code": "rejected",
                "title": "Rejected",
                "detail": detail.unwrap_or("the component failed"),
            }],
            "meta": { "reason": reason },
        }),
    )
}

/// Returns the path of a result.
fn link_of(id: ScheduledExecutionId) -> String {
    format!("/v2/exec/result/{id}")
}

/// Reads the id in the path.
fn id_of(call: &Call<'_>) -> Result<ScheduledExecutionId> {
    let none = |_| Error::new(Kind::NotFound, "Result does not exist.");
    call.param("exec_id").parse().map_err(none)
}
