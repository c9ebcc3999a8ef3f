//! `elasticio/lookup:lookup`: values translated through a lookup table (`v2.md 4.5`).

use serde_json::{Map, Value, json};

use super::answer;
use super::fields::{self, Fields};
use crate::domain::lookup::Lookup;
use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Tools, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "lookup",
    functions: &[Function::new("lookup", Nature::Pure, look_up)
        .checked_by(check)
        .needing(needs)
        .with_models(&[("getLookups", tables)])
        .with_meta_model(meta_model)],
    verify: None,
};

/// Emits the value of a key.
fn look_up(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let body = fields::members(&work.message.body)?;
    let input = match body.get("input") {
        None | Some(Value::Null) => return Err(Failure::new("`input` is required")),
        Some(input) => fields::shown(input),
    };
    let table = chosen(work.cfg, work.tools)?;
    match table.data.get(input.as_ref()) {
        Some(value) => emitter.body(json!({ "result": value })),
        None if fields::is_on(work.cfg, "emitEmptyObject") => emitter.body(json!({})),
        None => Err(Failure::new("Value does not exist in table selected")),
    }
}

/// Returns the chosen table.
fn chosen(cfg: &Fields, tools: &Tools<'_>) -> Result<Lookup, Failure> {
    let name = fields::text(cfg, "lookup").ok_or_else(|| Failure::new("`lookup` is required"))?;
    let found = tools.app.lookup_for(tools.owner, name);
    found
        .map_err(answer::refused)?
        .ok_or_else(|| Failure::new(format!("There is no lookup table `{name}`")))
}

/// Returns the tables of the flow's owner: id to title.
fn tables(_: &Fields, tools: &Tools<'_>) -> Result<Value, Failure> {
    let found = tools
        .app
        .lookups_for(tools.owner)
        .map_err(answer::refused)?;
    let titles: Map<String, Value> = found
        .into_iter()
        .map(|lookup| (lookup.id.to_string(), Value::from(lookup.title)))
        .collect();
    Ok(Value::Object(titles))
}

/// Describes what goes in and out: the keys of the chosen table are the choices.
fn meta_model(cfg: &Fields, tools: &Tools<'_>) -> Result<Value, Failure> {
    let keys: Vec<String> = chosen(cfg, tools)?.data.keys().cloned().collect();
    Ok(json!({
        "in": {
            "type": "object",
            "properties": {
                "input": { "type": "string", "title": "Key", "required": true, "enum": keys },
            },
        },
        "out": {
            "type": "object",
            "properties": {
                "result": { "type": "string", "title": "Value", "required": true },
            },
        },
    }))
}

/// Checks that a table is chosen.
fn check(cfg: &Fields) -> Vec<String> {
    match fields::text(cfg, "lookup") {
        Some(_) => Vec::new(),
        None => vec!["has no `lookup`".to_owned()],
    }
}

/// Checks that the chosen table is there.
fn needs(cfg: &Fields, tools: &Tools<'_>) -> Vec<String> {
    let name = fields::text(cfg, "lookup").unwrap_or_default();
    match tools.app.lookup_for(tools.owner, name) {
        Ok(None) => vec![format!(
            "names the lookup table `{name}`, which is not there"
        )],
        // What can't be read for now may be read when a message comes.
        _ => Vec::new(),
    }
}
