//! SSH keys (`v1.md 2.3`); the path is singular.

use serde_json::{Value, json};

use crate::api::body::Members;
use crate::api::call::{Call, Reply};
use crate::api::pages::every;
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, Shape};
use crate::domain::Result;
use crate::domain::ssh_key::SshKey;

/// A key as v1 shows it.
const SSH_KEY: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::required("title", Shape::Text),
    Attribute::required("fingerprint", Shape::Text),
    Attribute::required("fingerprint_md5", Shape::Text),
    Attribute::required("user_id", Shape::Text),
    Attribute::required("key", Shape::Text),
];

/// A new key.
const NEW: &[Attribute] = &[
    Attribute::required("key", Shape::Text),
    Attribute::new("title", Shape::Text),
];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v1/sshkey", "lists the own SSH keys", list)
        .answering(200, Answers::Objects(SSH_KEY)),
    Route::post("/v1/sshkey", "adds an SSH key", add)
        .taking_members(NEW)
        .answering(201, Answers::Object(SSH_KEY)),
    Route::delete("/v1/sshkey/{key_id}", "removes an own SSH key", delete)
        .answering(200, Answers::Object(&[])),
];

/// Answers the keys of the caller.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let user = call.who.require_user()?.id;
    let keys = every(|last: Option<&SshKey>, limit| {
        call.app
            .ssh_keys_of(&call.who, user, last.map(|key| key.id), limit)
    })?;
    Ok(Reply::ok(keys.iter().map(show).collect()))
}

/// Adds a key to the caller's.
fn add(call: &mut Call<'_>) -> Result<Reply> {
    let mut members = Members::new(&call.body);
    let key = members.required_text("key").unwrap_or_default();
    let title = members.text("title");
    members.check()?;
    let user = call.who.require_user()?.id;
    let added = call.app.add_ssh_key(&call.who, user, title, key)?;
    Ok(Reply::json(201, show(&added)))
}

/// Removes a key of the caller.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app
        .delete_ssh_key(&call.who, call.id("key_id", "SSH key")?)?;
    Ok(Reply::ok(json!({})))
}

/// Returns a key as v1 shows it, with the fingerprint in both forms.
fn show(key: &SshKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "title": key.title,
        "fingerprint": key.fingerprint,
        "fingerprint_md5": key.fingerprint_md5,
        "user_id": key.user_id.to_string(),
        "key": key.line,
    })
}
