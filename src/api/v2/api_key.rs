//! API keys (`v2.md 8`): made with the password or another key, shown once.

use super::document::{Document, Resource, nothing, time};
use super::input::Input;
use crate::api::call::{Call, Reply};
use crate::api::pages::every;
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, NAME, QueryRules, Relationship, ResourceInput, ResourceType, Shape,
};
use crate::domain::api_key::ApiKey;
use crate::domain::{Error, Result};

/// The type; `key` is there in the answer to a creation alone.
pub(super) const API_KEY: ResourceType = ResourceType {
    name: "api-key",
    attributes: &[
        Attribute::new("name", Shape::Text),
        Attribute::new("prefix", Shape::Text),
        Attribute::new("created_at", Shape::Time),
        Attribute::new("last_used_at", Shape::Time),
        Attribute::new("expires_at", Shape::Time),
        Attribute::new("key", Shape::Text),
    ],
    relationships: &[Relationship::one("organization", "organization")],
};

/// A new key.
const NEW: ResourceInput = ResourceInput {
    types: &["api-key"],
    attributes: &[
        Attribute::new("name", NAME),
        Attribute::new("expires_at", Shape::Time),
    ],
    relationships: &[Relationship::one("organization", "organization")],
    ..ResourceInput::NEW
};

/// What a key is called that is given no name.
const UNNAMED: &str = "API key";

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/v2/api-keys",
        "lists the own API keys, never the keys themselves",
        list,
    )
    .asking(&QueryRules::LIST)
    .answering(200, Answers::Many(&API_KEY)),
    Route::post(
        "/v2/api-keys",
        "makes an API key, which is shown only now",
        create,
    )
    .taking(&NEW)
    .answering(201, Answers::One(&API_KEY)),
    Route::get(
        "/v2/api-keys/{api_key_id}",
        "returns what is known of an own API key",
        one,
    )
    .answering(200, Answers::One(&API_KEY)),
    Route::delete(
        "/v2/api-keys/{api_key_id}",
        "revokes an own API key at once",
        revoke,
    )
    .answering(204, Answers::Nothing),
    Route::post(
        "/v2/api-keys/{api_key_id}/rotate",
        "makes an API key in the place of an own one, which is dead at once; it is shown only now",
        rotate,
    )
    .answering(201, Answers::One(&API_KEY)),
];

/// Answers the caller's keys.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let user = call.who.require_user()?.id;
    let keys = every(|last: Option<&ApiKey>, limit| {
        call.app
            .api_keys_of(&call.who, user, last.map(|key| key.id), limit)
    })?;
    Ok(Document::list(call, keys.iter().map(show).collect()).ok())
}

/// Answers one key.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let key = call
        .app
        .api_key(&call.who, call.id("api_key_id", "API key")?)?;
    Ok(Document::one(show(&key)).ok())
}

/// Makes a key of the caller.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.api_key(&call.who, id).is_ok())
    })?;
    let name = input.text("name").unwrap_or(UNNAMED);
    let expires_at_ms = input.text("expires_at").map(parse_time).transpose()?;
    let organization = input.related("organization");
    // The organization is what the key is made in: not found, and no fault of the body
    // (`v2.md 9`, item 7).
    let organization = organization
        .map(|id| id.parse().map_err(|_| Error::not_found("organization")))
        .transpose()?;
    let user = call.who.require_user()?.id;
    let made = call
        .app
        .create_api_key(&call.who, user, name, expires_at_ms, organization)?;
    let shown = show_with(&made.key, Some(made.secret.expose()));
    Ok(Document::one(shown).created(call))
}

/// Revokes a key of the caller.
fn revoke(call: &mut Call<'_>) -> Result<Reply> {
    call.app
        .revoke_api_key(&call.who, call.id("api_key_id", "API key")?)?;
    Ok(nothing(204))
}

/// Makes a key in the place of one of the caller's.
fn rotate(call: &mut Call<'_>) -> Result<Reply> {
    let made = call
        .app
        .rotate_api_key(&call.who, call.id("api_key_id", "API key")?, None)?;
    let shown = show(&made.key).attribute("key", made.secret.expose());
    Ok(Document::one(shown).created(call))
}

/// Reads a time.
fn parse_time(text: &str) -> Result<i64> {
    let parsed: std::result::Result<jiff::Timestamp, _> = text.parse();
    parsed
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|_| Error::invalid("expires_at", "must be a time such as 2030-01-31T12:00:00Z"))
}

/// Returns a key as v2 shows it, without the key itself.
fn show(key: &ApiKey) -> Resource {
    show_with(key, None)
}

/// Returns a key as v2 shows it, with the key itself where it was made just now.
fn show_with(key: &ApiKey, secret: Option<&str>) -> Resource {
    Resource::new(&API_KEY, key.id, format!("/v2/api-keys/{}", key.id))
        .attribute("name", key.name.as_str())
        .attribute("prefix", key.prefix.as_str())
        .attribute("created_at", time(key.created_at_ms))
        .maybe("last_used_at", key.last_used_at_ms.map(time))
        .maybe("expires_at", key.expires_at_ms.map(time))
        .maybe("key", secret)
        .of_organization(key.organization_id)
}
