//! Repositories and their environment variables (`v1.md 2.5, 3.4`).

use serde_json::{Map, Value, json};

use crate::api::body::Members;
use crate::api::call::{Call, Reply};
use crate::api::pages::every;
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, SLUG_NAME, Shape};
use crate::app::env_var::EnvVars;
use crate::domain::component::{Component, ComponentTitle};
use crate::domain::env_var::parse_change;
use crate::domain::{Error, Result};

/// A repository as v1 shows it.
const REPO: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::required("name", Shape::Text),
    Attribute::required("team_id", Shape::Text),
    Attribute::required("is_public", Shape::Boolean),
];

/// A new repository.
const NEW: &[Attribute] = &[
    Attribute::new("name", SLUG_NAME),
    Attribute::new("team_id", Shape::Text),
];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v1/repos", "lists the repositories of the own teams", list)
        .answering(200, Answers::Objects(REPO)),
    Route::post("/v1/repos", "makes a repository", create)
        .taking_members(NEW)
        .answering(201, Answers::Object(REPO)),
    Route::get("/v1/repos/{repo_id}", "returns a repository", one)
        .answering(200, Answers::Object(REPO)),
    Route::delete("/v1/repos/{repo_id}", "deletes a repository", delete)
        .answering(200, Answers::Object(&[])),
    Route::get(
        "/v1/repos/{repo_id}/env",
        "returns the environment variables of a repository",
        env,
    )
    .answering(200, Answers::Map),
    Route::put(
        "/v1/repos/{repo_id}/env",
        "merges into the environment variables of a repository",
        merge_env,
    )
    .taking_members(&[])
    .answering(200, Answers::Map),
];

/// Answers the repositories of all teams of the caller.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let user = call.who.require_user()?.id;
    let repositories = every(|last: Option<&ComponentTitle>, limit| {
        call.app
            .components_of(&call.who, user, last.map(|last| &last.component), limit)
    })?;
    let shown = repositories.iter().map(|titled| show(&titled.component));
    Ok(Reply::ok(shown.collect()))
}

/// Answers one repository.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id("repo_id", "repository")?;
    Ok(Reply::ok(show(&call.app.repository(&call.who, id)?)))
}

/// Makes a repository in the named team, else in the caller's first.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let mut members = Members::new(&call.body);
    let name = members.text("name");
    let team = members.text("team_id");
    members.check()?;
    let team = team
        .map(|id| id.parse().map_err(|_| Error::not_found("team")))
        .transpose()?;
    let made = call.app.create_component(&call.who, team, name)?;
    Ok(Reply::json(201, show(&made)))
}

/// Deletes a repository.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app
        .delete_component(&call.who, call.id("repo_id", "repository")?)?;
    Ok(Reply::ok(json!({})))
}

/// Answers all variables as a map.
fn env(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id("repo_id", "repository")?;
    Ok(Reply::ok(show_env(&call.app.env_vars(&call.who, id)?)))
}

/// Sets the given variables, removes those given as `null`, answers all of them.
fn merge_env(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id("repo_id", "repository")?;
    let change = parse_change(&call.body)?;
    let all = call.app.merge_env_vars(&call.who, id, change)?;
    Ok(Reply::ok(show_env(&all)))
}

/// Returns a repository as v1 shows it.
fn show(component: &Component) -> Value {
    json!({
        "id": component.id.to_string(),
        "name": component.name,
        "team_id": component.team_id.to_string(),
        "is_public": component.access.is_shared(),
    })
}

/// Returns variables as v1 shows them: a map whose keys are data, nothing beside it.
fn show_env(variables: &EnvVars) -> Value {
    let map: Map<String, Value> = variables
        .iter()
        .map(|(name, value)| (name.clone(), json!(value.expose())))
        .collect();
    Value::Object(map)
}
