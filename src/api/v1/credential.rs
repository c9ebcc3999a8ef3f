//! Accounts, which the domain calls credentials (`v1.md 3.1`).

use serde_json::{Value, json};

use crate::api::body::Members;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, NAME, Shape};
use crate::app::credential::{CredentialChange, NewCredential};
use crate::domain::credential::OpenCredential;
use crate::domain::{Error, Kind, Result};

/// An account as v1 shows it.
const ACCOUNT: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::new("name", Shape::Text),
    Attribute::new("type", Shape::Text),
    Attribute::required("keys", Shape::Object),
];

/// What of an account can be set.
const CHANGE: &[Attribute] = &[
    Attribute::new("name", NAME),
    Attribute::new("type", NAME),
    Attribute::new("keys", Shape::Object),
];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v1/accounts", "lists the own accounts", list)
        .answering(200, Answers::Objects(ACCOUNT)),
    Route::get("/v1/accounts/{account_id}", "returns an own account", one)
        .answering(200, Answers::Object(ACCOUNT)),
    Route::post("/v1/accounts", "makes an account", create)
        .taking_members(CHANGE)
        .answering(200, Answers::Object(ACCOUNT)),
    Route::put(
        "/v1/accounts/{account_id}",
        "changes an own account in part",
        change,
    )
    .also_for_steps()
    .taking_members(CHANGE)
    .answering(200, Answers::Object(ACCOUNT)),
];

/// Answers the caller's accounts with their keys.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let accounts = call.app.own_credentials(&call.who)?;
    Ok(Reply::ok(accounts.iter().map(show).collect()))
}

/// Answers one account.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let account = call
        .app
        .own_credential(&call.who, call.id("account_id", "account")?)
        .map_err(as_account)?;
    Ok(Reply::ok(show(&account)))
}

/// Makes an account; the later documents say 200, not 201.
fn create(call: &mut Call<'_>) -> Result<Reply> {
    let change = read_change(call)?;
    let new = NewCredential {
        name: change.name,
        component_name: change.component_name,
        component_id: None,
        keys: change.keys.unwrap_or_default(),
    };
    Ok(Reply::ok(show(
        &call.app.create_credential(&call.who, new)?,
    )))
}

/// Changes an account: what the body does not name stays, despite PUT.
fn change(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id("account_id", "account")?;
    let change = read_change(call)?;
    if let Some(step) = &call.step {
        // `updateKeys`: the process reads nothing of the answer, so it gets no keys.
        let keys = change.keys.unwrap_or_default();
        call.app.update_step_keys(&call.who, step, id, keys)?;
        return Ok(Reply::ok(json!({ "id": id.to_string() })));
    }
    let account = call
        .app
        .change_credential(&call.who, id, change)
        .map_err(as_account)?;
    Ok(Reply::ok(show(&account)))
}

/// Reads the members of a body, all of which may be missing.
fn read_change(call: &Call<'_>) -> Result<CredentialChange> {
    let mut members = Members::new(&call.body);
    let change = CredentialChange {
        name: members.text("name").map(str::to_owned),
        component_name: members.text("type").map(str::to_owned),
        keys: members.object("keys").cloned(),
    };
    members.check()?;
    Ok(change)
}

/// Names the object as v1 does in the errors that say that it is not there.
fn as_account(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => Error::not_found("account"),
        Kind::Gone => Error::gone("account"),
        _ => error,
    }
}

/// Returns an account as v1 shows it, keys in clear.
fn show(account: &OpenCredential) -> Value {
    json!({
        "id": account.credential.id.to_string(),
        "name": account.credential.name,
        "type": account.credential.component_name,
        "keys": account.keys,
    })
}
