//! Components (`v1.md 2.4, 3.2`): lists in two shapes, and one descriptor.

use serde_json::{Map, Value, json};

use crate::api::call::{Call, Compat, Reply};
use crate::api::pages::every;
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, Shape};
use crate::app::component::BuiltComponent;
use crate::domain::Result;
use crate::domain::component::{ComponentTitle, ComponentVersion};

/// A list of components: a map by id, or a list for clients of the later documents.
const COMPONENTS: &[Attribute] = &[Attribute::required("components", Shape::Any)];

/// A component with its newest descriptor.
const COMPONENT: &[Attribute] = &[
    Attribute::required("repo_id", Shape::Text),
    Attribute::required("name", Shape::Text),
    Attribute::required("team", Shape::Text),
    Attribute::required("data", Shape::Object),
];

/// The routes of this resource; a literal path wins over a parameter.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v1/components", "lists the public components", public)
        .answering(200, Answers::Object(COMPONENTS)),
    Route::get(
        "/v1/components/public",
        "lists the public components",
        public,
    )
    .answering(200, Answers::Object(COMPONENTS)),
    Route::get(
        "/v1/components/mine",
        "lists the components of the own teams",
        mine,
    )
    .answering(200, Answers::Object(COMPONENTS)),
    Route::get(
        "/v1/components/{component_id}",
        "returns the descriptor of a component",
        one,
    )
    .answering(200, Answers::Object(COMPONENT)),
];

/// Answers the components that everyone may use.
fn public(call: &mut Call<'_>) -> Result<Reply> {
    Ok(match call.compat {
        Compat::Seed => by_id(&every(|last: Option<&ComponentTitle>, limit| {
            call.app
                .shared_components(&call.who, last.map(|last| &last.component), limit)
        })?),
        Compat::Later => with_descriptors(&every(|last: Option<&BuiltComponent>, limit| {
            call.app
                .built_shared_components(&call.who, last.map(|last| &last.0.component), limit)
        })?),
    })
}

/// Answers the components of the caller's teams, built or not.
fn mine(call: &mut Call<'_>) -> Result<Reply> {
    let user = call.who.require_user()?.id;
    Ok(match call.compat {
        Compat::Seed => by_id(&every(|last: Option<&ComponentTitle>, limit| {
            let last = last.map(|last| &last.component);
            call.app.components_of(&call.who, user, last, limit)
        })?),
        Compat::Later => with_descriptors(&every(|last: Option<&BuiltComponent>, limit| {
            let last = last.map(|last| &last.0.component);
            call.app.built_components_of(&call.who, user, last, limit)
        })?),
    })
}

/// Answers one component with its newest descriptor.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id("component_id", "component")?;
    let (component, version) = call.app.built_component(&call.who, id)?;
    Ok(Reply::ok(json!({
        "repo_id": component.id.to_string(),
        "name": component.name,
        "team": component.team_name,
        "data": data(&version),
    })))
}

/// Returns the first documents' shape: a map from id to name, and nothing beside it.
fn by_id(components: &[ComponentTitle]) -> Reply {
    let map: Map<String, Value> = components
        .iter()
        .map(|titled| {
            let name = json!({ "name": titled.title });
            (titled.component.id.to_string(), name)
        })
        .collect();
    Reply::ok(json!({ "components": map }))
}

/// Returns the later shape: a list with descriptors.
///
/// A component without a build has none; it gets its name and empty groups of
/// functions, so that clients may walk every entry alike.
fn with_descriptors(components: &[BuiltComponent]) -> Reply {
    let list: Vec<Value> = components
        .iter()
        .map(|(titled, version)| {
            let data = version.as_ref().map_or_else(
                || json!({ "title": titled.title, "triggers": {}, "actions": {} }),
                data,
            );
            json!({ "repo_id": titled.component.id.to_string(), "data": data })
        })
        .collect();
    Reply::ok(json!({ "components": list }))
}

/// Returns a build's descriptor with its icon.
fn data(version: &ComponentVersion) -> Value {
    let mut data = version.descriptor.clone();
    if let (Some(members), Some(icon)) = (data.as_object_mut(), &version.icon) {
        members.insert("icon".to_owned(), json!(icon));
    }
    data
}
