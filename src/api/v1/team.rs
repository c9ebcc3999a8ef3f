//! Teams (`v1.md 2.7`).

use serde_json::{Value, json};

use crate::api::body::Members;
use crate::api::call::{Call, Reply};
use crate::api::pages::every;
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, SLUG_NAME, Shape};
use crate::domain::Result;
use crate::domain::team::Team;

/// A team as v1 shows it.
const TEAM: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::required("name", Shape::Text),
    Attribute::required("members", Shape::Texts),
];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v1/teams", "lists the own teams", list).answering(200, Answers::Objects(TEAM)),
    Route::post("/v1/teams", "makes a team", create)
        .taking_members(&[Attribute::new("name", SLUG_NAME)])
        .answering(201, Answers::Object(TEAM)),
];

/// Answers the teams of the caller.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let user = call.who.require_user()?.id;
    let teams = every(|last: Option<&Team>, limit| {
        call.app
            .teams_of(&call.who, user, last.map(|team| team.id), limit)
    })?;
    Ok(Reply::ok(teams.iter().map(show).collect()))
}

/// Makes a team whose only member is the caller.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let mut members = Members::new(&call.body);
    let name = members.text("name");
    members.check()?;
    let user = call.who.require_user()?.id;
    let team = call.app.create_team(&call.who, user, name)?;
    Ok(Reply::json(201, show(&team)))
}

/// Returns a team as v1 shows it.
fn show(team: &Team) -> Value {
    let members: Vec<String> = team.members.iter().map(ToString::to_string).collect();
    json!({
        "id": team.id.to_string(),
        "name": team.name,
        "members": members,
    })
}
