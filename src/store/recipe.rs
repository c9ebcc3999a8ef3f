//! Rows of recipes.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::component::unreadable;
use super::sql::Json;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::flow::graph::Graph;
use crate::domain::recipe::{Declared, FlowTemplate, Recipe, RecipeId, RecipeOrigin, RecipeTitle};

/// Reads a recipe from a row of `id, title, description, accounts, flows, origin`.
fn recipe_of(row: &Row<'_>) -> rusqlite::Result<Recipe> {
    let Json(flows) = row.get(4)?;
    let Json(accounts) = row.get(3)?;
    // A recipe that declares nothing is the bare list of its flows.
    let templates = match &flows {
        Value::Object(members) => members.get("flow_templates").unwrap_or(&Value::Null),
        list => list,
    };
    let templates = templates
        .as_array()
        .ok_or_else(|| unreadable(4, "flows that are no list"))?;
    Ok(Recipe {
        id: RecipeId::stored(row.get(0)?),
        title: row.get(1)?,
        description: row.get(2)?,
        accounts: accounts.as_object().cloned(),
        flows: templates.iter().map(template_of).collect(),
        declared: flows.is_object().then(|| declared_of(&flows)),
        origin: origin_of(row, 5)?,
    })
}

/// Reads where a recipe comes from.
fn origin_of(row: &Row<'_>, at: usize) -> rusqlite::Result<RecipeOrigin> {
    let word: String = row.get(at)?;
    RecipeOrigin::parse(&word).ok_or_else(|| unreadable(at, "an unknown origin"))
}

/// Reads what a recipe declares.
fn declared_of(flows: &Value) -> Declared {
    let object = |name: &str| flows[name].as_object().cloned().unwrap_or_default();
    Declared {
        declarations: object("declarations"),
        info: object("info"),
    }
}

/// Returns the flows of a recipe, with what it declares, as its row keeps them.
fn flows_value(recipe: &Recipe) -> Value {
    let flows: Vec<Value> = recipe.flows.iter().map(template_value).collect();
    match &recipe.declared {
        None => flows.into(),
        Some(declared) => json!({
            "declarations": declared.declarations,
            "info": declared.info,
            "flow_templates": flows,
        }),
    }
}

/// Reads a flow of a recipe, as [`template_value`] wrote it.
fn template_of(value: &Value) -> FlowTemplate {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    FlowTemplate {
        title: text("title").unwrap_or_default(),
        description: text("description"),
        cron: text("cron"),
        graph: Graph::stored(&value["graph"]),
        accounts: accounts_of(&value["accounts"]),
    }
}

/// Reads what the steps of a flow call their accounts.
fn accounts_of(value: &Value) -> BTreeMap<String, String> {
    let members = value.as_object().into_iter().flatten();
    let texts = members.filter_map(|(step, name)| Some((step.clone(), name.as_str()?.to_owned())));
    texts.collect()
}

/// Returns a flow of a recipe as its row keeps it.
fn template_value(flow: &FlowTemplate) -> Value {
    json!({
        "title": flow.title,
        "description": flow.description,
        "cron": flow.cron,
        "graph": flow.graph.to_value(),
        "accounts": flow.accounts,
    })
}

impl Read<'_> {
    /// Returns the recipe with this id.
    pub fn recipe(&self, id: &RecipeId) -> Result<Option<Recipe>> {
        self.query_opt(
            "SELECT id, title, description, accounts, flows, origin FROM recipes WHERE id = ?1",
            params![id.as_str()],
            recipe_of,
        )
    }

    /// Returns up to `limit` titles of recipes with ids after `after`, by id.
    pub fn recipe_titles(&self, after: Option<&RecipeId>, limit: u32) -> Result<Vec<RecipeTitle>> {
        self.query_all(
            "SELECT id, title, origin FROM recipes WHERE id > ?1 ORDER BY id LIMIT ?2",
            params![after.map_or("", RecipeId::as_str), limit],
            |row| {
                Ok(RecipeTitle {
                    id: RecipeId::stored(row.get(0)?),
                    title: row.get(1)?,
                    origin: origin_of(row, 2)?,
                })
            },
        )
    }

    /// Counts the recipes.
    pub fn count_recipes(&self) -> Result<i64> {
        self.query_one("SELECT count(*) FROM recipes", params![], |row| row.get(0))
    }
}

impl Write<'_> {
    /// Adds a recipe, or replaces the one with its id, which keeps the time of its making.
    pub fn put_recipe(&self, recipe: &Recipe, now_ms: i64) -> Result<()> {
        let accounts = recipe.accounts.clone().map_or(Value::Null, Value::Object);
        self.execute(
            "INSERT INTO recipes (id, title, description, accounts, flows, origin, created_at,
                 updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
             ON CONFLICT (id) DO UPDATE SET title = ?2, description = ?3, accounts = ?4,
                 flows = ?5, origin = ?6, updated_at = ?7",
            params![
                recipe.id.as_str(),
                recipe.title,
                recipe.description,
                Json(accounts),
                Json(flows_value(recipe)),
                recipe.origin.as_str(),
                now_ms,
            ],
        )?;
        Ok(())
    }

    /// Deletes a recipe; the flows that were made from it stay. Tells whether it was there.
    pub fn delete_recipe(&self, id: &RecipeId) -> Result<bool> {
        let changed = self.execute("DELETE FROM recipes WHERE id = ?1", params![id.as_str()])?;
        Ok(changed == 1)
    }
}
