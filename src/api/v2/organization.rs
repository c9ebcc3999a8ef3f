//! Organizations and their members (`v2.md 4.6`).

use super::document::{Document, Resource, nothing};
use super::input::Input;
use super::invite::{self, INVITE};
use super::scope::organization_path;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, IdRule, NAME, QueryRules, ROLE, Relationship, ResourceInput, ResourceType,
    Shape,
};
use crate::domain::id::{OrganizationId, UserId};
use crate::domain::organization::{Member, Organization, Role};
use crate::domain::{Error, Result};

/// The type of organizations.
pub(super) const ORGANIZATION: ResourceType = ResourceType {
    name: "organization",
    attributes: &[Attribute::new("name", Shape::Text)],
    relationships: &[
        Relationship::many("members", "member"),
        Relationship::many("invites", "organization-invite"),
    ],
};

/// The type of members; the id is the user's.
pub(super) const MEMBER: ResourceType = ResourceType {
    name: "member",
    attributes: &[
        Attribute::new("first_name", Shape::Text),
        Attribute::new("last_name", Shape::Text),
        Attribute::new("email", Shape::Text),
        Attribute::new("role", Shape::OneOf(ROLES)),
    ],
    relationships: &[],
};

/// The roles, as documents show them.
pub(super) const ROLES: &[&str] = &["admin", "integrator", "guest"];

/// A new organization.
const NEW: ResourceInput = ResourceInput {
    types: &["organization"],
    attributes: &[Attribute::required("name", NAME)],
    ..ResourceInput::NEW
};

/// A new member: the id is that of a user.
const NEW_MEMBER: ResourceInput = ResourceInput {
    types: &["member"],
    id: IdRule::Named,
    attributes: &[Attribute::required("role", ROLE)],
    ..ResourceInput::NEW
};

/// A change of a member.
const MEMBER_CHANGE: ResourceInput = ResourceInput {
    types: &["member"],
    id: IdRule::InPath("user_id"),
    attributes: &[Attribute::required("role", ROLE)],
    ..ResourceInput::NEW
};

/// What can be included with one organization.
const WITH_PEOPLE: QueryRules = QueryRules {
    includes: &["members", "invites"],
    ..QueryRules::ONE
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::post("/v2/organizations", "makes an organization", create)
        .taking(&NEW)
        .answering(201, Answers::One(&ORGANIZATION)),
    Route::get(
        "/v2/organizations/{organization_id}",
        "returns an organization",
        one,
    )
    .asking(&WITH_PEOPLE)
    .answering(200, Answers::One(&ORGANIZATION)),
    Route::get(
        "/v2/organizations/{organization_id}/members",
        "lists the members of an organization",
        members,
    )
    .asking(&QueryRules::LIST)
    .answering(200, Answers::Many(&MEMBER)),
    Route::post(
        "/v2/organizations/{organization_id}/members",
        "makes a user a member of an organization at once",
        add_member,
    )
    .taking(&NEW_MEMBER)
    .answering(201, Answers::One(&MEMBER)),
    Route::get(
        "/v2/organizations/{organization_id}/members/{user_id}",
        "returns a member of an organization",
        member,
    )
    .answering(200, Answers::One(&MEMBER)),
    Route::patch(
        "/v2/organizations/{organization_id}/members/{user_id}",
        "sets the role of a member of an organization",
        change_member,
    )
    .taking(&MEMBER_CHANGE)
    .answering(200, Answers::One(&MEMBER)),
    Route::delete(
        "/v2/organizations/{organization_id}/members/{user_id}",
        "removes a member of an organization, whose things pass to the caller",
        remove_member,
    )
    .answering(204, Answers::Nothing),
];

/// Reads the organization in the path.
pub(super) fn organization_id(call: &Call<'_>) -> Result<OrganizationId> {
    call.id("organization_id", "organization")
}

/// Makes an organization.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    call.who.require_tenant_admin()?;
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.organization(&call.who, id).is_ok())
    })?;
    let made = call
        .app
        .create_organization(&call.who, input.required_text("name"))?;
    Ok(Document::one(show(call, &made)?.0).created(call))
}

/// Answers one organization, with its people where they are asked for.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let organization = call.app.organization(&call.who, organization_id(call)?)?;
    let (shown, people) = show(call, &organization)?;
    Ok(Document::one(shown).including(people).ok())
}

/// Answers the members.
fn members(call: &mut Call<'_>) -> Result<Reply> {
    let members = call.app.members(&call.who, organization_id(call)?)?;
    Ok(Document::list(call, members.iter().map(show_member).collect()).ok())
}

/// Answers one member.
fn member(call: &mut Call<'_>) -> Result<Reply> {
    let (organization, user) = (organization_id(call)?, user_id(call)?);
    let member = call.app.member(&call.who, organization, user)?;
    Ok(Document::one(show_member(&member)).ok())
}

/// Makes a user a member.
fn add_member(call: &mut Call<'_>) -> Result<Reply> {
    call.who.require_tenant_admin()?;
    let organization = organization_id(call)?;
    call.app.organization(&call.who, organization)?;
    let input = Input::read(call, |_| false)?;
    let role = role(&input)?;
    let user = input
        .id()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Error::not_found("user"))?;
    let member = call.app.add_member(&call.who, organization, user, role)?;
    Ok(Document::one(show_member(&member)).created(call))
}

/// Sets the role of a member.
fn change_member(call: &mut Call<'_>) -> Result<Reply> {
    let (organization, user) = (organization_id(call)?, user_id(call)?);
    call.app.member(&call.who, organization, user)?;
    let role = role(&Input::read(call, |_| false)?)?;
    let member = call
        .app
        .set_member_role(&call.who, organization, user, role)?;
    Ok(Document::one(show_member(&member)).ok())
}

/// Removes a member.
fn remove_member(call: &mut Call<'_>) -> Result<Reply> {
    call.who.require_tenant_admin()?;
    let (organization, user) = (organization_id(call)?, user_id(call)?);
    call.app.remove_member(&call.who, organization, user)?;
    Ok(nothing(204))
}

/// Reads the user in the path.
fn user_id(call: &Call<'_>) -> Result<UserId> {
    call.id("user_id", "member")
}

/// Reads the role that a request gives.
pub(super) fn role(input: &Input<'_>) -> Result<Role> {
    Role::parse("role", input.required_text("role"))
}

/// Returns an organization as v2 shows it, and those of its people whom the query asks
/// for.
fn show(call: &Call<'_>, organization: &Organization) -> Result<(Resource, Vec<Resource>)> {
    let members = call.app.members(&call.who, organization.id)?;
    let invites = call.app.invites(&call.who, organization.id)?;
    let path = organization_path(organization.id);
    let shown = Resource::new(&ORGANIZATION, organization.id, path.as_str())
        .attribute("name", organization.name.as_str())
        .to_many(
            "members",
            MEMBER.name,
            members.iter().map(|member| member.user),
            Some(format!("{path}/members")),
        )
        .to_many(
            "invites",
            INVITE.name,
            invites.iter().map(|invite| invite.id),
            Some(format!("{path}/invites")),
        );
    let mut people = Vec::new();
    if call.asked.includes("members") {
        people.extend(members.iter().map(show_member));
    }
    if call.asked.includes("invites") {
        people.extend(invites.iter().map(invite::show));
    }
    Ok((shown, people))
}

/// Returns a member as v2 shows it.
pub(super) fn show_member(member: &Member) -> Resource {
    let path = organization_path(member.organization);
    Resource::new(
        &MEMBER,
        member.user,
        format!("{path}/members/{}", member.user),
    )
    .attribute("first_name", member.first_name.as_str())
    .attribute("last_name", member.last_name.as_str())
    .attribute("email", member.email.as_str())
    .attribute("role", member.role.as_str())
}
