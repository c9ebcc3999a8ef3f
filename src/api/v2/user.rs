//! Users (`v2.md 4.10`).

use super::document::{Document, Resource, nothing, time};
use super::input::Input;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, QueryRules, ResourceInput, ResourceType, Shape};
use crate::app::SecretText;
use crate::app::user::UserQuery;
use crate::domain::id::UserId;
use crate::domain::user::{NewUser, User, UserKey};
use crate::domain::{Error, Result};

/// The type.
pub(super) const USER: ResourceType = ResourceType {
    name: "user",
    attributes: &[
        Attribute::new("first_name", Shape::Text),
        Attribute::new("last_name", Shape::Text),
        Attribute::new("email", Shape::Text),
        Attribute::new("company", Shape::Text),
        Attribute::new("registered", Shape::Time),
        Attribute::new("last_login", Shape::Time),
    ],
    relationships: &[],
};

/// A new user.
const NEW: ResourceInput = ResourceInput {
    types: &["user"],
    attributes: &[
        Attribute::required("first_name", Shape::Text),
        Attribute::required("last_name", Shape::Text),
        Attribute::required("email", Shape::Text),
        Attribute::required("password", Shape::Text),
        Attribute::new("company", Shape::Text),
    ],
    ..ResourceInput::NEW
};

/// The list has pages, an order and a filter.
const LIST: QueryRules = QueryRules {
    filters: &[
        Attribute::new("email", Shape::Text),
        Attribute::new("iss", Shape::Text),
        Attribute::new("sub", Shape::Text),
    ],
    sorts: &["email", "registered"],
    ..QueryRules::PAGED
};

/// The routes of this resource; a literal path wins over a parameter.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v2/users", "lists the users, for administrators", list)
        .asking(&LIST)
        .answering(200, Answers::Many(&USER)),
    Route::post("/v2/users", "makes a user, for administrators", create)
        .taking(&NEW)
        .answering(201, Answers::One(&USER)),
    Route::get("/v2/users/me", "returns the own user", own_user)
        .answering(200, Answers::One(&USER)),
    Route::get(
        "/v2/users/{user_id}",
        "returns a user: the own one, or any for administrators",
        one,
    )
    .answering(200, Answers::One(&USER)),
    Route::delete(
        "/v2/users/{user_id}",
        "deletes a user: the own one, or any for administrators",
        delete,
    )
    .answering(204, Answers::Nothing),
];

/// Answers a page of all users.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let page = call.asked.page();
    // Nobody has an identity of OpenID here, so these filters fit nobody (`v2.md 6.4`).
    let by_identity = ["iss", "sub"]
        .iter()
        .any(|name| call.asked.filter(name).is_some());
    let query = UserQuery {
        email: call.asked.filter("email").map(str::to_owned),
        order: call.asked.order(|name| match name {
            "email" => Some(UserKey::Email),
            "registered" => Some(UserKey::Registered),
            _ => None,
        }),
    };
    let part = call.app.user_part(&call.who, &query, page.slice())?;
    if by_identity {
        return Ok(Document::page(call, page, Vec::new(), 0).ok());
    }
    let shown = part.items.iter().map(show).collect();
    Ok(Document::page(call, page, shown, part.total).ok())
}

/// Answers the caller's own user.
fn own_user(call: &mut Call<'_>) -> Result<Reply> {
    Ok(Document::one(show(call.who.require_user()?)).ok())
}

/// Answers one user.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let user = call.app.user(&call.who, user_id(call)?)?;
    Ok(Document::one(show(&user)).ok())
}

/// Makes a user, who gets a key by the password (`v2.md 8`).
fn create(call: &mut Call<'_>) -> Result<Reply> {
    refuse_all_but_admins(call)?;
    let input = Input::read(call, |id| {
        id.parse()
            .is_ok_and(|id| call.app.user(&call.who, id).is_ok())
    })?;
    let new = NewUser::parse(
        input.text("email"),
        input.text("first_name"),
        input.text("last_name"),
        input.text("company"),
    )?;
    let password = SecretText::new(input.required_text("password"));
    let user = call.app.create_user(&call.who, new, &password)?;
    Ok(Document::one(show(&user)).created(call))
}

/// Deletes a user with all that is the user's alone.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    call.app.remove_user(&call.who, user_id(call)?)?;
    Ok(nothing(204))
}

/// Reads the id in the path. Others than administrators are told that it is forbidden,
/// whatever stands there.
fn user_id(call: &Call<'_>) -> Result<UserId> {
    let id = call.id("user_id", "user");
    if id.is_err() {
        refuse_all_but_admins(call)?;
    }
    id
}

/// Refuses everyone but tenant administrators, before anything else is looked at.
fn refuse_all_but_admins(call: &Call<'_>) -> Result<()> {
    if call.who.is_tenant_admin() {
        Ok(())
    } else {
        Err(Error::forbidden("this is for tenant administrators"))
    }
}

/// Returns a user as v2 shows it.
fn show(user: &User) -> Resource {
    Resource::new(&USER, user.id, format!("/v2/users/{}", user.id))
        .attribute("first_name", user.first_name.as_str())
        .attribute("last_name", user.last_name.as_str())
        .attribute("email", user.email.as_str())
        .maybe("company", user.company.as_deref())
        .attribute("registered", time(user.created_at_ms))
        .maybe("last_login", user.last_login_at_ms.map(time))
}
