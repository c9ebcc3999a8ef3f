//! Flows (`v2.md 4.4, 6.4`).

use std::mem;

use super::document::{Document, Resource, nothing, time};
use super::input::Input;
use super::query::bad_parameter;
use super::scope;
use crate::api::call::{Call, Compat, Reply};
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, IdRule, QueryRules, Relationship, ResourceInput, ResourceType, Shape,
};
use crate::app::flow::FlowChange;
use crate::domain::flow::graph::Graph;
use crate::domain::flow::options::{FlowOptions, MapperKind, Missed};
use crate::domain::flow::{
    Cron, Flow, FlowKey, FlowQuery, FlowStatus, FlowType, NewFlow, ShownFlow,
};
use crate::domain::id::FlowId;
use crate::domain::{Kind, Result};

/// The version of the API that a flow's graph belongs to.
const API_VERSION: &str = "2.0";

/// How a flow is set off.
const TYPES: Shape = Shape::OneOf(&["ordinary", "long_running"]);

/// The type.
pub(super) const FLOW: ResourceType = ResourceType {
    name: "flow",
    attributes: &[
        Attribute::new("name", Shape::Text),
        Attribute::new("description", Shape::Text),
        Attribute::new("status", Shape::OneOf(&["active", "inactive"])),
        Attribute::new(
            "current_status",
            Shape::OneOf(&["active", "inactive", "suspended"]),
        ),
        Attribute::new("type", TYPES),
        Attribute::new("graph", Shape::Object),
        Attribute::new("cron", Shape::Text),
        Attribute::new("api_version", Shape::Text),
        Attribute::new("created_at", Shape::Time),
        Attribute::new("updated_at", Shape::Time),
        Attribute::new("last_start_time", Shape::Time),
        Attribute::new("due_execution", Shape::Time),
        Attribute::new("time_zone", Shape::Text),
        Attribute::new("missed", MISSED),
        Attribute::new("variables", Shape::Object),
        Attribute::new("default_mapper_type", MAPPERS),
        Attribute::new("nodes_config", Shape::Object),
    ],
    relationships: &[
        Relationship::one("user", "user"),
        Relationship::one("organization", "organization"),
    ],
};

/// What becomes of runs that were missed.
const MISSED: Shape = Shape::OneOf(&["skip", "once", "all"]);

/// The languages of mappers.
const MAPPERS: Shape = Shape::OneOf(&["jsonata", "handlebars"]);

/// A new flow.
const NEW: ResourceInput = ResourceInput {
    types: &["flow"],
    attributes: &[
        Attribute::required("name", Shape::Text),
        Attribute::required("type", TYPES),
        Attribute::required("graph", Shape::Object),
        Attribute::new("cron", Shape::Text),
        Attribute::new("description", Shape::Text),
        Attribute::new("time_zone", Shape::Text),
        Attribute::new("missed", MISSED),
        Attribute::new("variables", Shape::Object),
        Attribute::new("default_mapper_type", MAPPERS),
        Attribute::new("nodes_config", Shape::Object),
    ],
    relationships: &[scope::ORGANIZATION, scope::LATER_WORKSPACE],
    ..ResourceInput::NEW
};

/// A change of a flow; what is missing stays.
const CHANGE: ResourceInput = ResourceInput {
    types: &["flow"],
    id: IdRule::InPath("flow_id"),
    attributes: &[
        Attribute::new("name", Shape::Text),
        Attribute::new("type", TYPES),
        Attribute::new("graph", Shape::Object),
        Attribute::new("cron", Shape::Text),
        Attribute::new("description", Shape::Text),
        Attribute::new("time_zone", Shape::Text),
        Attribute::new("missed", MISSED),
        Attribute::new("variables", Shape::Object),
        Attribute::new("default_mapper_type", MAPPERS),
        Attribute::new("nodes_config", Shape::Object),
    ],
    ..ResourceInput::NEW
};

/// The list has pages, filters, an order and a search.
const LIST: QueryRules = QueryRules {
    filters: &[
        Attribute::new("has_draft", Shape::Boolean),
        Attribute::new("status", Shape::OneOf(&["active", "inactive"])),
        Attribute::new("type", TYPES),
        Attribute::new("user", Shape::Text),
    ],
    sorts: &["name", "created_at", "updated_at"],
    others: &["search", "workspace_id", "contract_id"],
    ..QueryRules::PAGED
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v2/flows", "lists the flows", list)
        .asking(&LIST)
        .answering(200, Answers::Many(&FLOW)),
    Route::post("/v2/flows", "makes a flow", create)
        .taking(&NEW)
        .answering(201, Answers::One(&FLOW))
        .tagged(),
    Route::get("/v2/flows/{flow_id}", "returns a flow", one)
        .answering(200, Answers::One(&FLOW))
        .tagged(),
    Route::patch(
        "/v2/flows/{flow_id}",
        "changes a flow in part; with If-Match, only as it was read",
        change,
    )
    .taking(&CHANGE)
    .answering(200, Answers::One(&FLOW))
    .tagged(),
    Route::delete(
        "/v2/flows/{flow_id}",
        "deletes a flow, stopped first where it runs",
        delete,
    )
    .answering(204, Answers::Nothing),
    Route::post("/v2/flows/{flow_id}/start", "starts a flow", start)
        .answering(202, Answers::Nothing),
    Route::post("/v2/flows/{flow_id}/stop", "stops a flow", stop).answering(202, Answers::Nothing),
];

/// Answers a page of the flows that are asked for.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let page = call.asked.page();
    let who = scope::reader(call)?;
    let Some(query) = read_query(call)? else {
        return Ok(Document::page(call, page, Vec::new(), 0).ok());
    };
    let write = |list: &mut Vec<u8>, flow: &ShownFlow<'_>| {
        *list = shown(flow, mem::take(list)).into_json();
    };
    let part = call.app.flow_part(&who, &query, page.slice(), write)?;
    Ok(Document::page_of(call, page, &part.text, part.total).ok())
}

/// Reads which flows are asked for; none where no flow can be meant.
fn read_query(call: &Call<'_>) -> Result<Option<FlowQuery>> {
    let asked = &call.asked;
    let wrong = |name: &str, message: &str| bad_parameter(&format!("filter[{name}]"), message);
    let is_active = match asked.filter("status") {
        None => None,
        Some("active") => Some(true),
        Some("inactive") => Some(false),
        Some(_) => return Err(wrong("status", "must be active or inactive")),
    };
    let flow_type = match asked.filter("type") {
        None => None,
        Some(word) => Some(
            FlowType::parse(word)
                .ok_or_else(|| wrong("type", "must be ordinary or long_running"))?,
        ),
    };
    let has_draft = match asked.filter("has_draft") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(wrong("has_draft", "must be true or false")),
    };
    let user = match asked.filter("user") {
        None => None,
        Some(id) => match id.parse() {
            Ok(id) => Some(id),
            Err(_) => return Ok(None),
        },
    };
    // No flow has a draft beside itself.
    if has_draft == Some(true) {
        return Ok(None);
    }
    Ok(Some(FlowQuery {
        is_active,
        flow_type,
        user,
        search: asked
            .other("search")
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        order: asked.order(|name| match name {
            "name" => Some(FlowKey::Name),
            "created_at" => Some(FlowKey::CreatedAt),
            "updated_at" => Some(FlowKey::UpdatedAt),
            _ => None,
        }),
    }))
}

/// Answers one flow.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let flow = call.app.flow(&call.who, flow_id(call)?)?;
    Ok(tagged(&flow, Document::one(show(&flow)).ok()))
}

/// Makes an inactive flow.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.flow(&call.who, id).is_ok())
    })?;
    let read = read_change(&input)?;
    let new = NewFlow {
        name: read.name.unwrap_or_default(),
        description: read.description.flatten(),
        flow_type: read.flow_type.unwrap_or(FlowType::Ordinary),
        graph: read.graph.unwrap_or_default(),
        cron: read.cron.flatten(),
        recipe_id: None,
        options: FlowOptions {
            time_zone: read.time_zone.flatten(),
            missed: read.missed.unwrap_or_default(),
            variables: read.variables.unwrap_or_default(),
            default_mapper_type: read.default_mapper_type.flatten(),
            nodes_config: read.nodes_config.unwrap_or_default(),
        },
    };
    let flow = call.app.create_flow(&scope::maker(call, &input)?, new)?;
    Ok(tagged(&flow, Document::one(show(&flow)).created(call)))
}

/// Changes a flow.
fn change(call: &mut Call<'_>) -> Result<Reply> {
    let id = flow_id(call)?;
    // Who may not see the flow is told so before the body is looked at.
    call.app.flow(&call.who, id)?;
    let input = Input::read(call, |_| false)?;
    let change = FlowChange {
        only_of: call.if_match.and_then(states_of),
        ..read_change(&input)?
    };
    let flow = call.app.change_flow(&call.who, id, change)?;
    Ok(tagged(&flow, Document::one(show(&flow)).ok()))
}

/// Names the state of a flow, so that a client can ask that nobody changed it meanwhile.
fn tagged(flow: &Flow, reply: Reply) -> Reply {
    reply.with_header("ETag", format!("\"{}\"", flow.updated_at_ms))
}

/// Reads the states of `If-Match`; none where any will do. A tag that none of ours looks
/// like is that of no state.
fn states_of(tags: &str) -> Option<Vec<i64>> {
    let tags = tags.split(',').map(str::trim);
    let state = |tag: &str| {
        let inside = tag.strip_prefix('"')?.strip_suffix('"')?;
        inside.parse().ok()
    };
    let mut tags = tags.peekable();
    (tags.peek() != Some(&"*")).then(|| tags.filter_map(state).collect())
}

/// Reads the attributes of a flow. `null` clears those that may be missing.
fn read_change(input: &Input<'_>) -> Result<FlowChange> {
    let text = |name: &str| match input.text(name) {
        Some(text) => Some(Some(text.to_owned())),
        None => input.is_null(name).then_some(None),
    };
    let cron = match text("cron") {
        Some(Some(sent)) => Some(Some(Cron::parse("cron", &sent)?)),
        other => other.map(|_| None),
    };
    let mapper = text("default_mapper_type");
    Ok(FlowChange {
        only_of: None,
        name: input.text("name").map(str::to_owned),
        description: text("description"),
        flow_type: input.text("type").and_then(FlowType::parse),
        graph: input.value("graph").map(Graph::parse).transpose()?,
        cron,
        time_zone: text("time_zone"),
        missed: input.text("missed").and_then(Missed::parse),
        variables: input.object("variables").cloned(),
        default_mapper_type: mapper.map(|word| word.as_deref().and_then(MapperKind::parse)),
        nodes_config: input.object("nodes_config").cloned(),
    })
}

/// Deletes a flow.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app.delete_flow(&call.who, flow_id(call)?)?;
    Ok(nothing(204))
}

/// Starts a flow: nothing is answered, or the flow where a client wants it (`v2.md 2.6`).
fn start(call: &mut Call<'_>) -> Result<Reply> {
    let started = call.app.start_flow(&call.who, flow_id(call)?);
    let flow = started.map_err(|error| match error.kind() {
        // The fields are steps of the flow, and no place in this request.
        Kind::Conflict => error.with_fields(|step| format!("#{step}")),
        _ => error,
    })?;
    let wants_it = call.prefer.is_some_and(|prefer| {
        let mut parts = prefer.split([',', ';']).map(str::trim);
        parts.any(|part| part.eq_ignore_ascii_case("return=representation"))
    });
    Ok(if wants_it || call.compat == Compat::Later {
        Document::one(show(&flow)).reply(202)
    } else {
        nothing(202)
    })
}

/// Stops a flow.
fn stop(call: &mut Call<'_>) -> Result<Reply> {
    call.app.stop_flow(&call.who, flow_id(call)?)?;
    Ok(match call.compat {
        Compat::Seed => nothing(202),
        Compat::Later => Reply::json(202, serde_json::json!({ "data": {}, "meta": {} })),
    })
}

/// Reads the id in the path.
fn flow_id(call: &Call<'_>) -> Result<FlowId> {
    call.id("flow_id", "flow")
}

/// Returns a flow as v2 shows it.
fn show(flow: &Flow) -> Resource {
    shown(&ShownFlow::from(flow), Vec::new())
}

/// Returns a flow as v2 shows it, behind others of a list: one that v1 suspended is inactive
/// (`v2.md 9`, 11).
fn shown(flow: &ShownFlow<'_>, list: Vec<u8>) -> Resource {
    let status = match flow.status {
        FlowStatus::Active => "active",
        FlowStatus::Inactive | FlowStatus::Suspended => "inactive",
    };
    let mapper = flow.default_mapper_type.map(MapperKind::as_str);
    let (id, user) = (&*flow.id, &*flow.user_id);
    Resource::behind(list, &FLOW, id, ["/v2/flows/", id].concat())
        .attribute("name", &flow.name)
        .maybe("description", flow.description.as_ref())
        .attribute("status", status)
        .attribute("current_status", flow.status.as_str())
        .attribute("type", flow.flow_type.as_str())
        .written("graph", &flow.graph)
        .maybe("cron", flow.cron.as_ref())
        .attribute("api_version", API_VERSION)
        .attribute("created_at", time(flow.created_at_ms))
        .attribute("updated_at", time(flow.updated_at_ms))
        .maybe("last_start_time", flow.last_started_at_ms.map(time))
        .maybe("due_execution", flow.due_at_ms.map(time))
        .maybe("time_zone", flow.time_zone.as_ref())
        .attribute("missed", flow.missed.as_str())
        .written("variables", &flow.variables)
        .maybe("default_mapper_type", mapper)
        .written("nodes_config", &flow.nodes_config)
        .to_one("user", "user", user, ["/v2/users/", user].concat())
        .of_organization(flow.organization_id)
}
