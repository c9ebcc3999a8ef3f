//! Recipes, to be read (`v2.md 8`): those of v1 under the names of the newest documents.

use serde_json::{Map, Value, json};

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
    let templates: Vec<Value> = recipe
        .flows
        .iter()
        .map(|flow| template_of(recipe, flow))
        .collect();
    let visibility = match recipe.origin {
        RecipeOrigin::Bundled => "global",
        RecipeOrigin::Imported => "tenant",
    };
    let link = format!("/v2/recipes/{}", recipe.id);
    Resource::new(&RECIPE, recipe.id.as_str(), link)
        .attribute("declarations", declarations_of(recipe))
        .attribute("info", info_of(recipe))
        .attribute("flow_templates", templates)
        .attribute("visibility", visibility)
}

/// Returns what a recipe declares: as it came where it is one of API v2, the ids of its
/// accounts otherwise.
fn declarations_of(recipe: &Recipe) -> Map<String, Value> {
    let declared = recipe.declared.as_ref();
    let mut shown = declared.map_or_else(Map::new, |declared| declared.declarations.clone());
    let accounts = recipe.accounts.iter().flat_map(|accounts| accounts.keys());
    let credentials = || accounts.map(|name| json!({ "id": name })).collect();
    shown
        .entry("credentials")
        .or_insert_with(|| Value::Array(credentials()));
    shown.entry("variables").or_insert_with(|| json!([]));
    shown
}

/// Returns what a recipe says of itself, its title and description in any case.
fn info_of(recipe: &Recipe) -> Map<String, Value> {
    let declared = recipe.declared.as_ref();
    let mut shown = declared.map_or_else(Map::new, |declared| declared.info.clone());
    shown.insert("title".to_owned(), recipe.title.as_str().into());
    shown
        .entry("description")
        .or_insert_with(|| recipe.description.as_str().into());
    shown
}

/// Returns a flow of a recipe as v2 shows it: where credentials are declared, its nodes
/// name theirs.
fn template_of(recipe: &Recipe, flow: &FlowTemplate) -> Value {
    let mut graph = flow.graph.to_value();
    if recipe.declared.is_some() {
        let nodes = graph.get_mut("nodes").and_then(Value::as_array_mut);
        for node in nodes.into_iter().flatten() {
            let account = node["id"].as_str().and_then(|id| flow.accounts.get(id));
            if let Some(account) = account.cloned() {
                node["credentials_id"] = account.into();
            }
        }
    }
    let mut shown = json!({ "title": flow.title, "graph": graph });
    if let Some(description) = &flow.description {
        shown["description"] = json!(description);
    }
    if let Some(cron) = &flow.cron {
        shown["cron"] = json!(cron);
    }
    shown
}
