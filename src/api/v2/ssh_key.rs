//! SSH keys (`v2.md 4.8`).

use super::document::{Document, Resource, nothing};
use super::input::Input;
use crate::api::call::{Call, Reply};
use crate::api::pages::every;
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, QueryRules, Relationship, ResourceInput, ResourceType, Shape,
};
use crate::domain::Result;
use crate::domain::ssh_key::SshKey;

/// The type; the owner is an attribute and a relationship, as both documents have it.
pub(super) const SSH_KEY: ResourceType = ResourceType {
    name: "sshkey",
    attributes: &[
        Attribute::new("title", Shape::Text),
        Attribute::new("fingerprint", Shape::Text),
        Attribute::new("fingerprint_md5", Shape::Text),
        Attribute::new("key", Shape::Text),
        Attribute::new("user_id", Shape::Text),
    ],
    relationships: &[Relationship::one("user", "user")],
};

/// A new key; the sample sends it without `data`.
const NEW: ResourceInput = ResourceInput {
    types: &["sshkey"],
    may_be_bare: true,
    attributes: &[
        Attribute::required("key", Shape::Text),
        Attribute::new("title", Shape::Text),
    ],
    ..ResourceInput::NEW
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v2/sshkeys", "lists the own SSH keys", list)
        .asking(&QueryRules::LIST)
        .answering(200, Answers::Many(&SSH_KEY)),
    Route::post("/v2/sshkeys", "adds an SSH key", add)
        .taking(&NEW)
        .answering(201, Answers::One(&SSH_KEY)),
    Route::get("/v2/sshkeys/{key_id}", "returns an own SSH key", one)
        .answering(200, Answers::One(&SSH_KEY)),
    Route::delete("/v2/sshkeys/{key_id}", "removes an own SSH key", delete)
        .answering(204, Answers::Nothing),
];

/// Answers the keys of the caller.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let user = call.who.require_user()?.id;
    let keys = every(|last: Option<&SshKey>, limit| {
        call.app
            .ssh_keys_of(&call.who, user, last.map(|key| key.id), limit)
    })?;
    Ok(Document::list(call, keys.iter().map(show).collect()).ok())
}

/// Answers one key.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let key = call.app.ssh_key(&call.who, call.id("key_id", "SSH key")?)?;
    Ok(Document::one(show(&key)).ok())
}

/// Adds a key to the caller's.
fn add(call: &mut Call<'_>) -> Result<Reply> {
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.ssh_key(&call.who, id).is_ok())
    })?;
    let user = call.who.require_user()?.id;
    let key = call.app.add_ssh_key(
        &call.who,
        user,
        input.text("title"),
        input.required_text("key"),
    )?;
    Ok(Document::one(show(&key)).created(call))
}

/// Removes a key of the caller.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app
        .delete_ssh_key(&call.who, call.id("key_id", "SSH key")?)?;
    Ok(nothing(204))
}

/// Returns a key as v2 shows it.
fn show(key: &SshKey) -> Resource {
    let user = key.user_id.to_string();
    Resource::new(&SSH_KEY, key.id, format!("/v2/sshkeys/{}", key.id))
        .attribute("title", key.title.as_str())
        .attribute("fingerprint", key.fingerprint.as_str())
        .attribute("fingerprint_md5", key.fingerprint_md5.as_str())
        .attribute("key", key.line.as_str())
        .attribute("user_id", user.as_str())
        .to_one("user", "user", user.as_str(), format!("/v2/users/{user}"))
}
