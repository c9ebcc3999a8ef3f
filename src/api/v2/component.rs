//! Components with their builds and variables (`v2.md 4.1`).

use serde_json::{Map, Value, json};

use super::document::{Document, Resource, below, meta_only, nothing};
use super::input::{Input, place_of};
use super::query::bad_parameter;
use super::version::{descriptor_of, shown_version};
use crate::api::call::{Call, Compat, Reply};
use crate::api::pages::every;
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, BASE64, IdRule, QueryRules, Relationship, ResourceInput, ResourceType,
    SLUG_NAME, Shape,
};
use crate::app::component::{SeenComponent, SeenVersion};
use crate::app::env_var::EnvVars;
use crate::app::step_run::ComponentNetwork;
use crate::domain::component::{Access, Reach};
use crate::domain::env_var::parse_change;
use crate::domain::id::ComponentId;
use crate::domain::{Error, Result};

/// The type.
pub(super) const COMPONENT: ResourceType = ResourceType {
    name: "component",
    attributes: &[
        Attribute::new("name", Shape::Text),
        Attribute::new("team_name", Shape::Text),
        Attribute::new("icon", Shape::Text),
        Attribute::new("access", Shape::OneOf(&["team", "tenant", "global"])),
        Attribute::new("network", Shape::OneOf(&["none", "https", "any"])),
    ],
    relationships: &[
        Relationship::many("versions", "version"),
        Relationship::one("latest_version", "version"),
        Relationship::one("team", "team"),
    ],
};

/// The type of a component's variables; their id is the component's.
pub(super) const ENV: ResourceType = ResourceType {
    name: "component-env",
    attributes: &[Attribute::new("vars", Shape::Object)],
    relationships: &[],
};

/// A new component.
const NEW: ResourceInput = ResourceInput {
    types: &["component"],
    attributes: &[
        Attribute::required("name", SLUG_NAME),
        Attribute::new("icon", BASE64),
    ],
    relationships: &[Relationship::required("team", "team")],
    ..ResourceInput::NEW
};

/// The word that takes a component's own network away again.
const INSTALLATIONS: &str = "default";

/// A change of a component; the sample lacks the id.
const CHANGE: ResourceInput = ResourceInput {
    types: &["component"],
    id: IdRule::MayBeInPath("component_id"),
    attributes: &[
        Attribute::new("access", Shape::OneOf(&["team", "tenant", "global"])),
        Attribute::new(
            "network",
            Shape::OneOf(&["none", "https", "any", INSTALLATIONS]),
        ),
    ],
    ..ResourceInput::NEW
};

/// All variables of a component.
const NEW_ENV: ResourceInput = ResourceInput {
    types: &["component-env"],
    id: IdRule::MayBeInPath("component_id"),
    attributes: &[Attribute::required("vars", Shape::Object)],
    ..ResourceInput::NEW
};

/// What is included without being asked for may be asked for, too.
const INCLUDES: &[&str] = &["latest_version", "latest_version.descriptor"];

/// The list may be narrowed by access.
const LIST: QueryRules = QueryRules {
    filters: &[Attribute::new(
        "access",
        Shape::OneOf(&["all", "private", "public"]),
    )],
    includes: INCLUDES,
    ..QueryRules::LIST
};

/// One component.
const ONE: QueryRules = QueryRules {
    includes: INCLUDES,
    ..QueryRules::ONE
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/v2/components",
        "lists the components that the caller may use",
        list,
    )
    .asking(&LIST)
    .answering(200, Answers::Many(&COMPONENT)),
    Route::post("/v2/components", "makes a component in a team", create)
        .taking(&NEW)
        .answering(201, Answers::One(&COMPONENT)),
    Route::get("/v2/components/{component_id}", "returns a component", one)
        .asking(&ONE)
        .answering(200, Answers::One(&COMPONENT)),
    Route::patch(
        "/v2/components/{component_id}",
        "shares a component with everyone, for administrators",
        change,
    )
    .taking(&CHANGE)
    .answering(200, Answers::One(&COMPONENT)),
    Route::delete(
        "/v2/components/{component_id}",
        "deletes a component that no flow uses",
        delete,
    )
    .answering(200, Answers::Meta),
    Route::get(
        "/v2/components/{component_id}/env",
        "returns the environment variables of a component",
        env,
    )
    .answering(200, Answers::One(&ENV)),
    Route::put(
        "/v2/components/{component_id}/env",
        "replaces the environment variables of a component",
        replace_env,
    )
    .taking(&NEW_ENV)
    .answering(200, Answers::One(&ENV)),
];

/// Answers the components within reach, their newest builds included.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let reach = match call.asked.filter("access") {
        None | Some("all") => Reach::All,
        Some("private") => Reach::Private,
        Some("public") => Reach::Public,
        Some(_) => {
            let message = "must be private, public or all";
            return Err(bad_parameter("filter[access]", message));
        }
    };
    let mut components = every(|last: Option<&SeenComponent>, limit| {
        let last = last.map(|last| last.component.id);
        call.app
            .accessible_components(&call.who, reach, last, limit)
    })?;
    let total = components.len() as u64;
    let page = call.asked.page;
    if let Some(page) = page {
        let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let shown = components.into_iter().skip(offset);
        components = shown.take(page.size as usize).collect();
    }
    let shown = components.iter().map(show).collect();
    let document = match page {
        Some(page) => Document::page(call, page, shown, total),
        None => Document::many(shown),
    };
    Ok(document
        .including(components.iter().flat_map(included))
        .ok())
}

/// Answers one component.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let seen = call.app.component(&call.who, component_id(call)?)?;
    Ok(answer(&seen))
}

/// Makes a component without a build in the named team.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.component(&call.who, id).is_ok())
    })?;
    let team = input.related("team").unwrap_or_default();
    let team = team.parse().map_err(|_| Error::not_found("team"))?;
    let (name, icon) = (input.text("name"), input.text("icon"));
    let made = call
        .app
        .create_component_with_icon(&call.who, Some(team), name, icon)?;
    let seen = call.app.component(&call.who, made.id)?;
    Ok(Document::one(show(&seen)).created(call))
}

/// Shares a component, and sets what of the network it may reach; other attributes are
/// ignored.
fn change(call: &mut Call<'_>) -> Result<Reply> {
    if !call.who.is_tenant_admin() {
        return Err(Error::forbidden("this is for tenant administrators"));
    }
    let id = component_id(call)?;
    let before = call.app.component(&call.who, id)?;
    let input = Input::read(call, |_| false)?;
    let seen = match input.text("access").and_then(Access::parse) {
        Some(access) => call.app.share_component(&call.who, id, access)?,
        None => before,
    };
    let Some(word) = input.text("network") else {
        return Ok(answer(&seen));
    };
    let network = ComponentNetwork::parse(word);
    call.app.set_component_network(&call.who, id, network)?;
    let seen = call.app.component(&call.who, id)?;
    Ok(answer(&seen))
}

/// Deletes a component.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app.delete_component(&call.who, component_id(call)?)?;
    Ok(match call.compat {
        Compat::Seed => meta_only(200),
        Compat::Later => nothing(204),
    })
}

/// Answers all variables of a component.
fn env(call: &mut Call<'_>) -> Result<Reply> {
    let id = component_id(call)?;
    let variables = call.app.env_vars(&call.who, id)?;
    Ok(Document::one(show_env(id, &variables)).ok())
}

/// Replaces all variables of a component.
fn replace_env(call: &mut Call<'_>) -> Result<Reply> {
    let id = component_id(call)?;
    // Who may not see the component is told so before the body is looked at.
    call.app.component(&call.who, id)?;
    let input = Input::read(call, |_| false)?;
    let in_place = |error| below("/data/attributes/vars", error);
    let none = Map::new();
    let sent = input.object("vars").unwrap_or(&none);
    let change = parse_change(sent).map_err(in_place)?;
    let replaced = call.app.replace_env_vars(&call.who, id, change);
    let variables = replaced.map_err(in_place)?;
    Ok(Document::one(show_env(id, &variables)).ok())
}

/// Reads the id in the path.
pub(super) fn component_id(call: &Call<'_>) -> Result<ComponentId> {
    call.id("component_id", "component")
}

/// Returns the own path of a component.
pub(super) fn link_of(id: ComponentId) -> String {
    format!("/v2/components/{id}")
}

/// Reads the component that a body names; one that can't be is a fault of the body.
pub(super) fn named_component(input: &Input<'_>) -> Result<ComponentId> {
    let named = input.related("component").unwrap_or_default();
    let nothing = |_| Error::invalid(place_of("component"), "names nothing that you can see");
    named.parse().map_err(nothing)
}

/// Answers one component with its newest build.
fn answer(seen: &SeenComponent) -> Reply {
    Document::one(show(seen)).including(included(seen)).ok()
}

/// Returns the newest build of a component and its descriptor.
fn included(seen: &SeenComponent) -> Vec<Resource> {
    let Some(version) = &seen.version else {
        return Vec::new();
    };
    let version = SeenVersion {
        component: seen.component.clone(),
        version: version.clone(),
        is_latest: true,
    };
    vec![shown_version(&version), descriptor_of(&version)]
}

/// Returns a component as v2 shows it.
fn show(seen: &SeenComponent) -> Resource {
    let component = &seen.component;
    let link = link_of(component.id);
    let icon = seen
        .version
        .as_ref()
        .and_then(|version| version.icon.as_deref())
        .or(seen.icon.as_deref());
    let shown = Resource::new(&COMPONENT, component.id, link.as_str())
        .attribute("name", component.name.as_str())
        .attribute("team_name", component.team_name.as_str())
        .maybe("icon", icon)
        .attribute("access", component.access.as_str())
        .maybe("network", seen.network.map(ComponentNetwork::as_str))
        .related("versions", format!("{link}/versions"));
    let shown = match &seen.version {
        Some(version) => shown.to_one(
            "latest_version",
            "version",
            version.revision.as_str(),
            format!("{link}/versions/{}", version.revision),
        ),
        None => shown,
    };
    if seen.sees_team {
        let team = component.team_id;
        shown.to_one("team", "team", team, format!("/v2/teams/{team}"))
    } else {
        shown
    }
}

/// Returns variables as v2 shows them.
fn show_env(id: ComponentId, variables: &EnvVars) -> Resource {
    let map: Map<String, Value> = variables
        .iter()
        .map(|(name, value)| (name.clone(), json!(value.expose())))
        .collect();
    Resource::new(&ENV, id, format!("{}/env", link_of(id))).attribute("vars", map)
}
