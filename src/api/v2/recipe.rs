//! Recipes, to be read (`v2.md 8`): those of v1 under the names of the newest documents.

use serde_json::{Value, json};

use super::document::{Document, Resource};
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, QueryRules, ResourceType, Shape};
use crate::domain::recipe::{FlowTemplate, Recipe, RecipeId, RecipeOrigin};
use crate::domain::{Error, Result};

/// The type; the visibility is an attribute, since JSON:API allows it nowhere else.
pub(super) const RECIPE: ResourceType = ResourceType {
    name: "recipe",
    attributes: &[
        Attribute::new("declarations", Shape::Object),
        Attribute::new("info", Shape::Object),
        Attribute::new("flow_templates", Shape::List),
        Attribute::new("visibility", Shape::OneOf(&["global", "tenant"])),
    ],
    relationships: &[],
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/v2/recipes", "lists the recipes", list)
        .asking(&QueryRules::PAGED)
        .answering(200, Answers::Many(&RECIPE)),
    Route::get("/v2/recipes/{recipe_id}", "returns a recipe", one)
        .answering(200, Answers::One(&RECIPE)),
];

/// Answers a page of the recipes.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let titles = call.app.recipes(&call.who)?;
    let page = call.asked.page();
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let mut shown = Vec::new();
    for title in titles.iter().skip(offset).take(page.size as usize) {
        shown.push(show(&call.app.recipe(&call.who, &title.id)?));
    }
    Ok(Document::page(call, page, shown, titles.len() as u64).ok())
}

/// Answers one recipe.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let id = RecipeId::parse(call.param("recipe_id"));
    let id = id.ok_or_else(|| Error::not_found("recipe"))?;
    Ok(Document::one(show(&call.app.recipe(&call.who, &id)?)).ok())
}

/// Returns a recipe as v2 shows it.
fn show(recipe: &Recipe) -> Resource {
    let accounts = recipe.accounts.iter().flat_map(|accounts| accounts.keys());
    let credentials: Vec<Value> = accounts.map(|name| json!({ "id": name })).collect();
    let templates: Vec<Value> = recipe.flows.iter().map(template_of).collect();
    let visibility = match recipe.origin {
        RecipeOrigin::Bundled => "global",
        RecipeOrigin::Imported => "tenant",
    };
    let link = format!("/v2/recipes/{}", recipe.id);
    Resource::new(&RECIPE, recipe.id.as_str(), link)
        .attribute(
            "declarations",
            json!({ "credentials": credentials, "variables": [] }),
        )
        .attribute(
            "info",
            json!({ "title": recipe.title, "description": recipe.description }),
        )
        .attribute("flow_templates", templates)
        .attribute("visibility", visibility)
}

/// Returns a flow of a recipe as v2 shows it.
fn template_of(flow: &FlowTemplate) -> Value {
    let mut shown = json!({ "title": flow.title, "graph": flow.graph.to_value() });
    if let Some(description) = &flow.description {
        shown["description"] = json!(description);
    }
    if let Some(cron) = &flow.cron {
        shown["cron"] = json!(cron);
    }
    shown
}
