//! Invites to organizations (`v2.md 4.6, 8`).

use super::document::{Document, Resource, nothing, time};
use super::input::Input;
use super::organization::{MEMBER, ROLES, organization_id, role, show_member};
use super::scope::organization_path;
use crate::api::call::{Call, Reply};
use crate::api::route::{Access, Route};
use crate::api::shape::{
    Answers, Attribute, EMAIL, QueryRules, ROLE, ResourceInput, ResourceType, Shape,
};
use crate::app::SecretText;
use crate::app::invite::Newcomer;
use crate::domain::Result;
use crate::domain::id::InviteId;
use crate::domain::organization::{Invite, NewInvite};
use crate::domain::text::Email;

/// The type: one for what the documents call `invite` and `organization-invite`.
pub(super) const INVITE: ResourceType = ResourceType {
    name: "organization-invite",
    attributes: &[
        Attribute::new("email", Shape::Text),
        Attribute::new("role", Shape::OneOf(ROLES)),
        Attribute::new("created_at", Shape::Time),
        Attribute::new("expires_at", Shape::Time),
        // Once, to who made it, where no mail is sent.
        Attribute::new("accept_link", Shape::Text),
        // To who holds the token, and may not see the organization yet.
        Attribute::new("organization_id", Shape::Text),
        Attribute::new("organization_name", Shape::Text),
    ],
    relationships: &[],
};

/// A new invite.
const NEW: ResourceInput = ResourceInput {
    types: &["invite", "organization-invite"],
    attributes: &[
        Attribute::required("email", EMAIL),
        Attribute::required("role", ROLE),
    ],
    ..ResourceInput::NEW
};

/// The answer to an invite: empty by somebody signed in, with a name and a password by
/// somebody new.
const ANSWER: ResourceInput = ResourceInput {
    types: &["organization-invite", "invite", "user", "member"],
    may_be_bare: true,
    may_lack_type: true,
    attributes: &[
        Attribute::new("first_name", Shape::Text),
        Attribute::new("last_name", Shape::Text),
        Attribute::new("password", Shape::Text),
    ],
    ..ResourceInput::NEW
};

/// The routes of this resource. The documents have two paths for the list and two for
/// making one; all are served.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/v2/organizations/{organization_id}/invites",
        "lists the invites of an organization",
        list,
    )
    .asking(&QueryRules::LIST)
    .answering(200, Answers::Many(&INVITE)),
    Route::get(
        "/v2/organizations/{organization_id}/members/pending",
        "lists the invites of an organization",
        list,
    )
    .asking(&QueryRules::LIST)
    .answering(200, Answers::Many(&INVITE)),
    Route::post(
        "/v2/organizations/{organization_id}/invites",
        "invites somebody to an organization",
        create,
    )
    .taking(&NEW)
    .answering(201, Answers::One(&INVITE)),
    Route::post(
        "/v2/organizations/{organization_id}/members/invite",
        "invites somebody to an organization",
        create,
    )
    .taking(&NEW)
    .answering(201, Answers::One(&INVITE)),
    Route::get(
        "/v2/organizations/{organization_id}/invites/{invite_id}",
        "returns an invite of an organization",
        one,
    )
    .answering(200, Answers::One(&INVITE)),
    Route::delete(
        "/v2/organizations/{organization_id}/invites/{invite_id}",
        "takes an invite to an organization back",
        withdraw,
    )
    .answering(204, Answers::Nothing),
    Route::get("/v2/invites/{token}", "returns the invite of a token", peek)
        .with_access(Access::Token)
        .answering(200, Answers::One(&INVITE)),
    Route::post(
        "/v2/invites/{token}",
        "accepts the invite of a token",
        accept,
    )
    .with_access(Access::Token)
    .taking(&ANSWER)
    .answering(201, Answers::One(&MEMBER)),
];

/// Answers the invites of an organization.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let invites = call.app.invites(&call.who, organization_id(call)?)?;
    Ok(Document::list(call, invites.iter().map(show).collect()).ok())
}

/// Answers one invite.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let (organization, id) = (organization_id(call)?, invite_id(call)?);
    let invite = call.app.invite(&call.who, organization, id)?;
    Ok(Document::one(show(&invite)).ok())
}

/// Invites somebody.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let organization = organization_id(call)?;
    call.app.organization(&call.who, organization)?;
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.invite(&call.who, organization, id).is_ok())
    })?;
    let new = NewInvite {
        email: Email::parse("email", input.required_text("email"))?,
        role: role(&input)?,
    };
    let public_url = call.shared.options.public_url.as_ref();
    let accept_url = public_url.map(|url| format!("{url}/v2/invites/"));
    let made = call
        .app
        .invite_member(&call.who, organization, new, accept_url.as_deref())?;
    let link = made
        .token
        .map(|token| format!("{}/v2/invites/{}", call.base_url(), token.expose()));
    let shown = show(&made.invite).maybe("accept_link", link);
    Ok(Document::one(shown).created(call))
}

/// Takes an invite back.
fn withdraw(call: &mut Call<'_>) -> Result<Reply> {
    let (organization, id) = (organization_id(call)?, invite_id(call)?);
    call.app.withdraw_invite(&call.who, organization, id)?;
    Ok(nothing(204))
}

/// Answers what an invite is to who holds its token.
fn peek(call: &mut Call<'_>) -> Result<Reply> {
    let token = call.param("token");
    let (invite, organization) = call.app.invite_of_token(token)?;
    let shown = described(&invite, format!("/v2/invites/{token}"))
        .attribute("organization_id", organization.id.to_string())
        .attribute("organization_name", organization.name);
    Ok(Document::one(shown).ok())
}

/// Accepts an invite: as the signed-in user, else as somebody new.
fn accept(call: &mut Call<'_>) -> Result<Reply> {
    let token = call.param("token");
    call.app.invite_of_token(token)?;
    let input = Input::read(call, |_| false)?;
    let member = if call.who.user_id().is_some() {
        call.app.accept_invite(&call.who, token)?
    } else {
        let newcomer = Newcomer {
            first_name: input.text("first_name").map(str::to_owned),
            last_name: input.text("last_name").map(str::to_owned),
            password: input.text("password").map(SecretText::new),
        };
        call.app
            .accept_invite_as_newcomer(&call.who, token, newcomer)?
    };
    Ok(Document::one(show_member(&member)).created(call))
}

/// Reads the invite in the path.
fn invite_id(call: &Call<'_>) -> Result<InviteId> {
    call.id("invite_id", "invite")
}

/// Returns an invite as the organization's people see it.
pub(super) fn show(invite: &Invite) -> Resource {
    let path = organization_path(invite.organization);
    described(invite, format!("{path}/invites/{}", invite.id))
}

/// Returns what everybody sees of an invite, under a path.
fn described(invite: &Invite, link: String) -> Resource {
    Resource::new(&INVITE, invite.id, link)
        .attribute("email", invite.email.as_str())
        .attribute("role", invite.role.as_str())
        .attribute("created_at", time(invite.created_at_ms))
        .attribute("expires_at", time(invite.expires_at_ms))
}
