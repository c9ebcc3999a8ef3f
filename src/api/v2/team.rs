//! Teams and their members (`v2.md 4.9, 6.3`).

use super::document::{Document, Resource, meta_only, nothing};
use super::input::{Input, identifiers};
use super::scope;
use crate::api::call::{Call, Compat, Reply};
use crate::api::pages::every;
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, IdRule, QueryRules, Relationship, ResourceInput, ResourceType, SLUG_NAME,
    Shape,
};
use crate::domain::id::{TeamId, UserId};
use crate::domain::team::Team;
use crate::domain::{Error, Kind, Result};

/// The type.
pub(super) const TEAM: ResourceType = ResourceType {
    name: "team",
    attributes: &[Attribute::new("name", Shape::Text)],
    relationships: &[
        Relationship::many("users", "user"),
        Relationship::many("components", "component"),
        Relationship::one("organization", "organization"),
    ],
};

/// A new team; its sample lacks the type.
const NEW: ResourceInput = ResourceInput {
    types: &["team"],
    may_lack_type: true,
    attributes: &[Attribute::new("name", SLUG_NAME)],
    relationships: &[scope::ORGANIZATION, scope::LATER_WORKSPACE],
    ..ResourceInput::NEW
};

/// A change of a team.
const CHANGE: ResourceInput = ResourceInput {
    types: &["team"],
    id: IdRule::InPath("team_id"),
    attributes: &[Attribute::new("name", SLUG_NAME)],
    ..ResourceInput::NEW
};

/// The list, which later clients ask for by workspace.
const LIST: QueryRules = QueryRules {
    others: scope::PARAMETERS,
    ..QueryRules::LIST
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v2/teams", "lists the own teams", list)
        .asking(&LIST)
        .answering(200, Answers::Many(&TEAM)),
    Route::post("/v2/teams", "makes a team", create)
        .taking(&NEW)
        .answering(201, Answers::One(&TEAM)),
    Route::get("/v2/teams/{team_id}", "returns a team", one).answering(200, Answers::One(&TEAM)),
    Route::patch("/v2/teams/{team_id}", "changes the name of a team", change)
        .taking(&CHANGE)
        .answering(200, Answers::One(&TEAM)),
    Route::delete(
        "/v2/teams/{team_id}",
        "deletes a team without components",
        delete,
    )
    .answering(200, Answers::Meta),
    Route::get(
        "/v2/teams/{team_id}/relationships/members",
        "lists who is in a team",
        members,
    )
    .asking(&QueryRules::LIST)
    .answering(200, Answers::Plain),
    Route::post(
        "/v2/teams/{team_id}/relationships/members",
        "adds members to a team",
        add_members,
    )
    .answering(200, Answers::One(&TEAM)),
    Route::delete(
        "/v2/teams/{team_id}/relationships/members",
        "takes members out of a team",
        remove_members,
    )
    .answering(200, Answers::One(&TEAM)),
];

/// Answers the teams of the caller: all of them, whatever the key carries, or those of
/// the organization that the query names.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let user = call.who.require_user()?.id;
    let organization = scope::named(call)?;
    let mut teams = every(|last: Option<&Team>, limit| {
        call.app
            .teams_of(&call.who, user, last.map(|team| team.id), limit)
    })?;
    teams.retain(|team| organization.is_none() || team.organization_id == organization);
    let shown = teams.iter().map(|team| show(call, team));
    let shown = shown.collect::<Result<Vec<_>>>()?;
    Ok(Document::list(call, shown).ok())
}

/// Answers one team.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    answer(call, &call.app.team(&call.who, team_id(call)?)?)
}

/// Makes a team whose only member is the caller.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.team(&call.who, id).is_ok())
    })?;
    let user = call.who.require_user()?.id;
    let who = scope::maker(call, &input)?;
    let team = call.app.create_team(&who, user, input.text("name"))?;
    Ok(Document::one(show(call, &team)?).created(call))
}

/// Gives a team another name.
fn change(call: &mut Call<'_>) -> Result<Reply> {
    let id = team_id(call)?;
    let before = call.app.team(&call.who, id)?;
    let input = Input::read(call, |_| false)?;
    let team = match input.text("name") {
        Some(name) => call.app.rename_team(&call.who, id, name)?,
        None => before,
    };
    answer(call, &team)
}

/// Deletes a team.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app.delete_team(&call.who, team_id(call)?)?;
    Ok(match call.compat {
        Compat::Seed => meta_only(200),
        Compat::Later => nothing(204),
    })
}

/// Answers who is in a team.
fn members(call: &mut Call<'_>) -> Result<Reply> {
    let team = call.app.team(&call.who, team_id(call)?)?;
    Ok(Document::identifiers("user", team.members.iter().copied(), members_link(&team)).ok())
}

/// Adds members.
fn add_members(call: &mut Call<'_>) -> Result<Reply> {
    let id = team_id(call)?;
    call.app.team(&call.who, id)?;
    let sent = identifiers(call, "user")?;
    let users = sent.iter().enumerate().map(|(at, id)| {
        let nobody = |_| Error::invalid(place(call, at), "is no user");
        id.parse::<UserId>().map_err(nobody)
    });
    let users = users.collect::<Result<Vec<_>>>()?;
    let team = call.app.add_team_members(&call.who, id, users);
    let team = team.map_err(|error| match error.kind() {
        Kind::Invalid => error.with_fields(|field| {
            let at = field.rsplit('.').next().and_then(|at| at.parse().ok());
            place(call, at.unwrap_or(0))
        }),
        _ => error,
    })?;
    answer(call, &team)
}

/// Takes members out; an id of nobody is nobody's in the team.
fn remove_members(call: &mut Call<'_>) -> Result<Reply> {
    let id = team_id(call)?;
    call.app.team(&call.who, id)?;
    let sent = identifiers(call, "user")?;
    let users = sent.iter().filter_map(|id| id.parse().ok()).collect();
    let team = call.app.remove_team_members(&call.who, id, users)?;
    match call.compat {
        Compat::Seed => answer(call, &team),
        Compat::Later => Ok(nothing(204)),
    }
}

/// Returns the place of the id of a member in the body.
fn place(call: &Call<'_>, at: usize) -> String {
    match call.body.get("data") {
        Some(serde_json::Value::Array(_)) => format!("/data/{at}/id"),
        _ => "/data/id".to_owned(),
    }
}

/// Answers a team that was read or changed. Who took itself out sees it no more, but is
/// told how it is now.
fn answer(call: &Call<'_>, team: &Team) -> Result<Reply> {
    Ok(Document::one(show(call, team)?).ok())
}

/// Reads the id in the path.
fn team_id(call: &Call<'_>) -> Result<TeamId> {
    call.id("team_id", "team")
}

/// Returns the path of the members of a team.
fn members_link(team: &Team) -> String {
    format!("/v2/teams/{}/relationships/members", team.id)
}

/// Returns a team as v2 shows it.
fn show(call: &Call<'_>, team: &Team) -> Result<Resource> {
    let components = match call.app.team_components(&call.who, team.id) {
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Gone) => Vec::new(),
        other => other?,
    };
    Ok(
        Resource::new(&TEAM, team.id, format!("/v2/teams/{}", team.id))
            .attribute("name", team.name.as_str())
            .to_many(
                "users",
                "user",
                team.members.iter().copied(),
                Some(members_link(team)),
            )
            .to_many("components", "component", components, None)
            .of_organization(team.organization_id),
    )
}
