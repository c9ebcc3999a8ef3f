//! Recipes (`v1.md 2.2`).

use serde_json::{Value, json};

use crate::api::body::Members;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, Shape};
use crate::domain::recipe::RecipeId;
use crate::domain::{Error, Result};

/// A recipe in the list.
const TITLED: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::required("title", Shape::Text),
];

/// A recipe.
const RECIPE: &[Attribute] = &[
    Attribute::required("id", Shape::Text),
    Attribute::required("title", Shape::Text),
    Attribute::new("description", Shape::Text),
    Attribute::required("accounts", Shape::Object),
];

/// The tasks of an activated recipe.
const TASKS: &[Attribute] = &[Attribute::required("tasks", Shape::Objects(TITLED))];

/// An activation.
const ACTIVATION: &[Attribute] = &[
    Attribute::required("recipeId", Shape::Text),
    Attribute::new("accounts", Shape::Object),
];

/// An activation of the recipe in the path.
const ACTIVATION_HERE: &[Attribute] = &[
    Attribute::new("recipeId", Shape::Text),
    Attribute::new("accounts", Shape::Object),
];

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v1/recipes", "lists the recipes", list).answering(200, Answers::Objects(TITLED)),
    Route::get("/v1/recipes/{recipe_id}", "returns a recipe", one)
        .answering(200, Answers::Object(RECIPE)),
    Route::post("/v1/recipes", "activates a recipe", activate)
        .taking_members(ACTIVATION)
        .answering(200, Answers::Object(TASKS)),
    Route::post(
        "/v1/recipes/{recipe_id}",
        "activates a recipe, named by the path",
        activate,
    )
    .taking_members(ACTIVATION_HERE)
    .answering(200, Answers::Object(TASKS)),
];

/// Answers ids and titles, and nothing else.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let recipes = call.app.recipes(&call.who)?;
    let shown: Vec<Value> = recipes
        .iter()
        .map(|recipe| json!({ "id": recipe.id.as_str(), "title": recipe.title }))
        .collect();
    Ok(Reply::ok(shown.into()))
}

/// Answers one recipe.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let id = known(call.param("recipe_id"))?;
    let recipe = call.app.recipe(&call.who, &id)?;
    Ok(Reply::ok(json!({
        "id": recipe.id.as_str(),
        "title": recipe.title,
        "description": recipe.description,
        "accounts": recipe.accounts.unwrap_or_default(),
    })))
}

/// Makes the tasks of a recipe. Its id stands in the path, else in `recipeId`.
fn activate(call: &mut Call<'_>) -> Result<Reply> {
    let mut members = Members::new(&call.body);
    let in_path = Some(call.param("recipe_id")).filter(|id| !id.is_empty());
    let in_body = if in_path.is_some() {
        members.text("recipeId")
    } else {
        members.required_text("recipeId")
    };
    // A recipe that needs no account is activated without the member, too.
    let accounts = members.object("accounts").cloned().unwrap_or_default();
    if let (Some(in_path), Some(in_body)) = (in_path, in_body)
        && in_path != in_body
    {
        members.fault("recipeId", "is not the recipe that the path names");
    }
    let id = in_path.or(in_body).unwrap_or_default().to_owned();
    members.check()?;
    let flows = call
        .app
        .activate_recipe(&call.who, &known(&id)?, accounts)?;
    let tasks: Vec<Value> = flows
        .iter()
        .map(|flow| json!({ "id": flow.id.to_string(), "title": flow.name }))
        .collect();
    Ok(Reply::ok(json!({ "tasks": tasks })))
}

/// Reads an id; one that can't be a recipe's is the id of nothing.
fn known(id: &str) -> Result<RecipeId> {
    RecipeId::parse(id).ok_or_else(|| Error::not_found("recipe"))
}
