//! Users (`v1.md 2.1, 3.7`).

use serde_json::{Value, json};

use crate::api::body::Members;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, Shape};
use crate::app::SecretText;
use crate::app::user::Role;
use crate::domain::Result;
use crate::domain::user::{NewUser, User};

/// A user as v1 shows it; its key only where it was just registered.
const USER: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::required("first_name", Shape::Text),
    Attribute::required("last_name", Shape::Text),
    Attribute::required("email", Shape::Text),
    Attribute::new("company", Shape::Text),
    Attribute::new("api_secret", Shape::Text),
];

/// A new user.
const NEW: &[Attribute] = &[
    Attribute::required("first_name", Shape::Text),
    Attribute::required("last_name", Shape::Text),
    Attribute::required("email", Shape::Text),
    Attribute::required("password", Shape::Text),
    Attribute::new("company", Shape::Text),
    Attribute::new("callback", Shape::Text),
    Attribute::new("callback_url", Shape::Text),
];

/// What is told where nothing is shown.
const MESSAGE: &[Attribute] = &[Attribute::required("message", Shape::Text)];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v1/users", "returns the own user", own_user).answering(200, Answers::Object(USER)),
    Route::post("/v1/users", "registers a user", register)
        .taking_members(NEW)
        .answering(201, Answers::Object(USER))
        .or_answering(202, Answers::Object(MESSAGE)),
    Route::delete(
        "/v1/users/{user_id}",
        "deletes a user that the caller created",
        delete,
    )
    .answering(200, Answers::Object(MESSAGE)),
];

/// Answers the caller's own user: a collection path that returns one object.
fn own_user(call: &mut Call<'_>) -> Result<Reply> {
    Ok(Reply::ok(show(call.who.require_user()?)))
}

/// Registers a user; with `callback` the answer is 202 and the user is posted there.
fn register(call: &mut Call<'_>) -> Result<Reply> {
    let mut members = Members::new(&call.body);
    let email = members.text("email");
    let first_name = members.text("first_name");
    let last_name = members.text("last_name");
    let company = members.text("company");
    let password = members.required_text("password").unwrap_or_default();
    // The documents call the parameter both names (`v1.md 5 #16`).
    let callback = ["callback", "callback_url"]
        .into_iter()
        .find_map(|name| members.text(name).map(|url| (name, url)));
    let new = members.and_check(NewUser::parse(email, first_name, last_name, company))?;
    let password = SecretText::new(password);
    let target = callback
        .map(|(name, url)| call.app.callback_target(name, url))
        .transpose()?;
    let made = call
        .app
        .register_user(&call.who, new, &password, Role::Member)?;
    let mut shown = show(&made.user);
    shown["api_secret"] = json!(made.api_secret.expose());
    match target {
        None => Ok(Reply::json(201, shown)),
        Some(target) => {
            call.app.post_later(target, shown);
            Ok(Reply::json(202, json!({ "message": "accepted" })))
        }
    }
}

/// Deletes a user.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let user = call
        .app
        .delete_user(&call.who, call.id("user_id", "user")?)?;
    Ok(Reply::ok(
        json!({ "message": format!("User {} has been deleted", user.id) }),
    ))
}

/// Returns a user as v1 shows it: `company` only where there is one.
fn show(user: &User) -> Value {
    let mut shown = json!({
        "id": user.id.to_string(),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email.as_str(),
    });
    if let Some(company) = &user.company {
        shown["company"] = json!(company);
    }
    shown
}
