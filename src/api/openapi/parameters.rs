//! The parameters of operations, as the router and the reader of queries know them.

use serde_json::{Value, json};

use super::{is_v1, is_v2, schema};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, Shape};

/// What an id is: 24 lower-case hex digits.
const ID: &str = "^[0-9a-f]{24}$";

/// What the name of a recipe is: an id, or a slug.
const RECIPE_ID: &str = "^[0-9a-z_]{1,100}$";

/// What else may be a segment: no slash, no control character, and no dot at its beginning,
/// since clients resolve `.` and `..` themselves.
const SEGMENT: &str = "^[^\\x00-\\x20\\x7f-\\x9f/.][^\\x00-\\x1f\\x7f-\\x9f/]*$";

/// What a text in a query is: NUL is refused wherever it stands.
const TEXT: &str = "^[^\\x00]*$";

/// What `If-Match` is: any state, or a list of entity tags (RFC 9110, 13.1.1).
const TAGS: &str = r#"^(\*|"[0-9]+"(, ?"[0-9]+")*)$"#;

/// Returns the parameters of the path, of the query and of the head.
pub(super) fn of(route: &Route) -> Vec<Value> {
    let mut found: Vec<Value> = path_names(route.path).map(in_path).collect();
    if is_v1(route) || is_v2(route) {
        // Any other text is ignored, so only the type is said here.
        let what = "`later` asks for the form of the later documents.";
        found.push(in_query("compat", &text(), what));
    }
    if is_v2(route) {
        add_query(route, &mut found);
    }
    if route.is_tagged && route.method == "PATCH" {
        let schema = json!({ "type": "string", "pattern": TAGS });
        let what = "The states that may be changed, as `ETag` told them; 412 for another.";
        found.push(json!({
            "name": "If-Match", "in": "header", "schema": schema, "description": what,
        }));
    }
    found
}

/// Adds what v2 reads of the query.
fn add_query(route: &Route, found: &mut Vec<Value>) {
    let rules = route.query;
    if rules.is_list {
        let mut size = json!({ "type": "integer", "minimum": 1 });
        if let Some(default) = rules.page_size {
            size["default"] = default.into();
        }
        found.push(in_query(
            "page[size]",
            &size,
            "The most resources on the page.",
        ));
        let number = json!({ "type": "integer", "minimum": 1, "default": 1 });
        let what = "The number of the page, from 1.";
        found.push(in_query("page[number]", &number, what));
    }
    found.extend(rules.filters.iter().map(filter));
    for name in rules.others {
        found.push(in_query(name, &text(), "Narrows the answer."));
    }
    if !rules.includes.is_empty() {
        let what = format!(
            "Comma-separated paths to include: {}.",
            rules.includes.join(", ")
        );
        found.push(list("include", rules.includes, &what));
    }
    if !rules.sorts.is_empty() {
        let what = format!(
            "Comma-separated keys, descending with `-` in front: {}.",
            rules.sorts.join(", ")
        );
        let down: Vec<String> = rules.sorts.iter().map(|key| format!("-{key}")).collect();
        let up = rules.sorts.iter().copied();
        let both: Vec<&str> = up.chain(down.iter().map(String::as_str)).collect();
        found.push(list("sort", &both, &what));
    }
    if let Answers::One(kind) | Answers::Many(kind) = route.answers {
        let attributes = kind.attributes.iter().map(|field| field.name);
        let relationships = kind.relationships.iter().map(|field| field.name);
        let what = "Comma-separated fields to show; all if not sent.";
        let name = format!("fields[{}]", kind.name);
        let fields: Vec<&str> = attributes.chain(relationships).collect();
        found.push(list(&name, &fields, what));
    }
}

/// Returns the names of the parameters of a pattern.
fn path_names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.trim_start_matches('*'))
    })
}

/// Returns a parameter of the path. What is no id is the id of nothing: 404.
fn in_path(name: &str) -> Value {
    let pattern = match name {
        "recipe_id" => RECIPE_ID,
        // The steps of a flow have names of its author.
        "step_id" => SEGMENT,
        name if name.ends_with("_id") => ID,
        _ => SEGMENT,
    };
    let schema = json!({ "type": "string", "pattern": pattern });
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

/// Returns a filter.
fn filter(rule: &Attribute) -> Value {
    let name = format!("filter[{}]", rule.name);
    let what = "Lists only what fits.";
    let schema = match rule.shape {
        Shape::Text => text(),
        Shape::Texts => json!({ "type": "array", "items": text() }),
        shape => schema::of_shape(shape, false),
    };
    let mut shown = in_query(&name, &schema, what);
    if rule.shape == Shape::Texts {
        shown["explode"] = false.into();
    }
    if rule.is_required {
        shown["required"] = true.into();
    }
    shown
}

/// Returns the schema of a text in a query.
fn text() -> Value {
    json!({ "type": "string", "pattern": TEXT })
}

/// Returns a parameter with a list of names between commas.
fn list(name: &str, names: &[&str], what: &str) -> Value {
    let schema = json!({ "type": "array", "items": { "enum": names } });
    let mut shown = in_query(name, &schema, what);
    shown["explode"] = false.into();
    shown
}

/// Returns a parameter of the query.
fn in_query(name: &str, schema: &Value, what: &str) -> Value {
    json!({ "name": name, "in": "query", "schema": schema, "description": what })
}
