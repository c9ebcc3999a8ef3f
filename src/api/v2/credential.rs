//! Credentials (`v2.md 4.2, 6.3`): keys in clear, to their owner alone.

use super::component::{link_of, named_component};
use super::document::{Document, Resource, nothing};
use super::input::{Input, named, place_of};
use super::scope;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, IdRule, QueryRules, Relationship, ResourceInput, ResourceType, Shape,
};
use crate::app::credential::{CredentialChange, SeenCredential};
use crate::domain::Result;
use crate::domain::id::CredentialId;

/// The type.
pub(super) const CREDENTIAL: ResourceType = ResourceType {
    name: "credential",
    attributes: &[
        Attribute::new("name", Shape::Text),
        Attribute::new("keys", Shape::Object),
    ],
    relationships: &[
        Relationship::one("user", "user"),
        Relationship::one("component", "component"),
        Relationship::one("organization", "organization"),
    ],
};

/// A new credential.
const NEW: ResourceInput = ResourceInput {
    types: &["credential"],
    attributes: &[
        Attribute::new("name", Shape::Text),
        Attribute::new("keys", Shape::Object),
    ],
    relationships: &[
        Relationship::required("component", "component"),
        scope::ORGANIZATION,
        scope::LATER_WORKSPACE,
    ],
    ..ResourceInput::NEW
};

/// A change of a credential; its component stays.
const CHANGE: ResourceInput = ResourceInput {
    types: &["credential"],
    id: IdRule::InPath("credential_id"),
    attributes: &[
        Attribute::new("name", Shape::Text),
        Attribute::new("keys", Shape::Object),
    ],
    ..ResourceInput::NEW
};

/// The list may be narrowed to one component.
const LIST: QueryRules = QueryRules {
    filters: &[Attribute::new("component", Shape::Text)],
    others: scope::PARAMETERS,
    ..QueryRules::LIST
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v2/credentials", "lists the own credentials", list)
        .asking(&LIST)
        .answering(200, Answers::Many(&CREDENTIAL)),
    Route::post(
        "/v2/credentials",
        "makes a credential for a component",
        create,
    )
    .taking(&NEW)
    .answering(201, Answers::One(&CREDENTIAL)),
    Route::get(
        "/v2/credentials/{credential_id}",
        "returns an own credential",
        one,
    )
    .answering(200, Answers::One(&CREDENTIAL)),
    Route::patch(
        "/v2/credentials/{credential_id}",
        "changes name or keys of an own credential",
        change,
    )
    .taking(&CHANGE)
    .answering(200, Answers::One(&CREDENTIAL)),
    Route::delete(
        "/v2/credentials/{credential_id}",
        "deletes an own credential that no active flow uses",
        delete,
    )
    .answering(204, Answers::Nothing),
];

/// Answers the caller's credentials with their keys.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let mut credentials = call.app.seen_credentials(&scope::reader(call)?)?;
    if let Some(component) = call.asked.filter("component") {
        credentials.retain(|seen| {
            let id = seen.credential.component_id;
            id.is_some_and(|id| id.to_string() == component)
        });
    }
    let shown = credentials.iter().map(show).collect();
    Ok(Document::list(call, shown).ok())
}

/// Answers one credential.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let credential = call.app.seen_credential(&call.who, credential_id(call)?)?;
    Ok(Document::one(show(&credential)).ok())
}

/// Makes a credential.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.seen_credential(&call.who, id).is_ok())
    })?;
    let component = named_component(&input)?;
    let made = call.app.create_component_credential(
        &scope::maker(call, &input)?,
        component,
        input.text("name").map(str::to_owned),
        input.object("keys").cloned().unwrap_or_default(),
    );
    let credential = named(made, &place_of("component"))?.into();
    Ok(Document::one(show(&credential)).created(call))
}

/// Changes a credential in part; its keys are replaced as a whole.
fn change(call: &mut Call<'_>) -> Result<Reply> {
    let id = credential_id(call)?;
    let before = call.app.seen_credential(&call.who, id)?;
    let input = Input::read(call, |_| false)?;
    let change = CredentialChange {
        name: input.text("name").map(str::to_owned),
        component_name: None,
        keys: input.object("keys").cloned(),
    };
    let is_change = change.name.is_some() || change.keys.is_some();
    let credential = if is_change {
        call.app.change_credential(&call.who, id, change)?.into()
    } else {
        before
    };
    Ok(Document::one(show(&credential)).ok())
}

/// Deletes a credential.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app
        .delete_credential(&call.who, credential_id(call)?)?;
    Ok(nothing(204))
}

/// Reads the id in the path.
fn credential_id(call: &Call<'_>) -> Result<CredentialId> {
    call.id("credential_id", "credential")
}

/// Returns a credential as v2 shows it. One that v1 made may name no component.
fn show(seen: &SeenCredential) -> Resource {
    let credential = &seen.credential;
    let user = credential.user_id;
    let link = format!("/v2/credentials/{}", credential.id);
    let shown = Resource::new(&CREDENTIAL, credential.id, link)
        .attribute("name", credential.name.as_str())
        .maybe("keys", seen.keys.clone())
        .to_one("user", "user", user, format!("/v2/users/{user}"))
        .of_organization(credential.organization_id);
    match credential.component_id {
        Some(component) => shown.to_one("component", "component", component, link_of(component)),
        None => shown,
    }
}
