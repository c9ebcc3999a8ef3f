//! The OpenAPI 3.1 document of all versions, made of the routes that the router has.
//!
//! Nothing is written down twice: paths, parameters, bodies and answers come from
//! [`Route`] and from what v2 declares in [`super::shape`]. v1 declares no bodies, so the
//! document leaves them open.

mod schema;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::call::{Call, Reply};
use super::route::{Access, Route};
use super::shape::Answers;
use super::v2;
use super::version::{JSON, JSON_API};
use crate::domain::Result;

/// The route of the document.
pub const ROUTES: &[Route] =
    &[Route::get("/openapi.json", "returns this document", serve).with_access(Access::Public)];

/// The document as it is sent: anybody may ask for it, so it is written once.
static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// What the document says of itself.
const ABOUT: &str = "The REST API of Elastane: v1, and v2 in the form of JSON:API. Every path \
                     is served with and without its final slash, and GET serves HEAD too. The \
                     bodies of v1 are described by its own documents and left open here.";

/// Returns the document.
pub fn document() -> Value {
    let mut schemas = schema::common();
    for kind in v2::TYPES {
        schemas.insert(kind.name.to_owned(), schema::of_type(kind));
    }
    let mut paths: Map<String, Value> = Map::new();
    for route in super::routes() {
        let method = route.method.to_ascii_lowercase();
        let shown = operation(&route, &mut schemas);
        let path = paths.entry(template(route.path)).or_insert(json!({}));
        path[method.as_str()] = shown;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Elastane",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "error": error("What is wrong, and with which fields.", "error", &[JSON_TYPE]),
                "v2-error": error(
                    "What is wrong, with a pointer or a parameter.",
                    "v2-error",
                    &[JSON_TYPE, JSON_API],
                ),
            },
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "An API key as user name with an empty password, e-mail and \
                                    key, or e-mail and login password.",
                },
                "metrics": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

/// The media type of JSON, without parameters.
const JSON_TYPE: &str = "application/json";

/// Answers the document.
#[expect(clippy::unnecessary_wraps, reason = "a handler is a handler")]
fn serve(_: &mut Call<'_>) -> Result<Reply> {
    Ok(Reply::text(200, JSON, TEXT.clone()))
}

/// Returns a pattern as a path template: OpenAPI knows no parameter of several segments.
fn template(pattern: &str) -> String {
    pattern.replace("{*", "{")
}

/// Returns the names of the parameters of a pattern.
fn path_names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.trim_start_matches('*'))
    })
}

/// Tells whether a route is one of v2.
fn is_v2(route: &Route) -> bool {
    route.path.starts_with("/v2/")
}

/// Tells whether a route is one of v1.
fn is_v1(route: &Route) -> bool {
    route.path.starts_with("/v1/")
}

/// Returns one operation; schemas that it needs are added.
fn operation(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let id = operation_id(route);
    let tag = match route.path.split('/').nth(1) {
        Some(version @ ("v1" | "v2")) => format!("{version} {}", route.group()),
        _ => "server".to_owned(),
    };
    let mut shown = json!({
        "operationId": id,
        "summary": route.summary,
        "tags": [tag],
        "security": security(route.access),
        "parameters": parameters(route),
        "responses": responses(route, schemas),
    });
    if let Some(body) = request_body(route, &id, schemas) {
        shown["requestBody"] = body;
    }
    shown
}

/// Returns a name of an operation that no other has.
fn operation_id(route: &Route) -> String {
    let words = route
        .path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut id = route.method.to_ascii_lowercase();
    for word in words {
        id.push('_');
        id.push_str(word);
    }
    id
}

/// Returns what a caller must show; an empty object is nothing.
fn security(access: Access) -> Value {
    match access {
        Access::Public => json!([]),
        Access::User | Access::Git => json!([{ "basic": [] }]),
        Access::Token => json!([{}, { "basic": [] }]),
        Access::Metrics => json!([{}, { "metrics": [] }]),
    }
}

/// Returns the parameters of the path and of the query.
fn parameters(route: &Route) -> Vec<Value> {
    let mut found: Vec<Value> = path_names(route.path)
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true, "schema": { "type": "string" },
            })
        })
        .collect();
    let mut add = |name: &str, schema: Value, what: &str| {
        found.push(json!({ "name": name, "in": "query", "schema": schema, "description": what }));
    };
    let text = || json!({ "type": "string" });
    if is_v1(route) || is_v2(route) {
        let schema = json!({ "enum": ["later"] });
        add(
            "compat",
            schema,
            "Asks for the form of the later documents.",
        );
    }
    if !is_v2(route) {
        return found;
    }
    let rules = route.query;
    if rules.is_list {
        let mut size = json!({ "type": "integer", "minimum": 1 });
        if let Some(default) = rules.page_size {
            size["default"] = default.into();
        }
        add("page[size]", size, "The most resources on the page.");
        let number = json!({ "type": "integer", "minimum": 1, "default": 1 });
        add("page[number]", number, "The number of the page, from 1.");
    }
    for name in rules.filters {
        add(&format!("filter[{name}]"), text(), "Lists only what fits.");
    }
    for name in rules.others {
        add(name, text(), "Narrows the answer.");
    }
    if !rules.includes.is_empty() {
        let what = format!(
            "Comma-separated paths to include: {}.",
            rules.includes.join(", ")
        );
        add("include", text(), &what);
    }
    if !rules.sorts.is_empty() {
        let what = format!(
            "Comma-separated keys, descending with `-` in front: {}.",
            rules.sorts.join(", ")
        );
        add("sort", text(), &what);
    }
    if let Answers::One(kind) | Answers::Many(kind) = route.answers {
        let name = format!("fields[{}]", kind.name);
        add(
            &name,
            text(),
            "Comma-separated fields to show; all if not sent.",
        );
    }
    found
}

/// Returns the body that an operation takes; none where it reads none.
fn request_body(route: &Route, id: &str, schemas: &mut Map<String, Value>) -> Option<Value> {
    let writes = matches!(route.method, "POST" | "PUT" | "PATCH");
    if let Some(input) = route.takes {
        let name = format!("{id}_body");
        schemas.insert(name.clone(), schema::of_input(input));
        let content = content(&[JSON_TYPE, JSON_API], &schema::reference(&name));
        return Some(json!({ "required": true, "content": content }));
    }
    if is_v2(route) {
        // Members are named by identifiers, which no resource declares (`v2.md 4.9`).
        return (route.path.contains("/relationships/") && route.method != "GET").then(|| {
            let content = content(&[JSON_TYPE, JSON_API], &schema::reference("identifiers"));
            json!({ "required": true, "content": content })
        });
    }
    if is_v1(route) {
        return writes
            .then(|| json!({ "content": content(&[JSON_TYPE], &json!({ "type": "object" })) }));
    }
    writes.then(|| json!({ "content": { "*/*": {} } }))
}

/// Returns the answers of an operation.
fn responses(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let types = [JSON_TYPE, JSON_API];
    let (what, content) = match route.answers {
        // Several statuses may mean success there: 200, 201 and 202 in v1, a flow's own
        // in webhooks.
        Answers::Unsaid => {
            let types: &[&str] = if is_v1(route) { &[JSON_TYPE] } else { &["*/*"] };
            let success = json!({
                "description": "All is well.",
                "content": content(types, &json!({})),
            });
            let failure = schema::response("error");
            return json!({ "2XX": success, "default": failure });
        }
        Answers::Nothing => ("All is well; no content.", None),
        Answers::Plain => ("All is well.", Some(content(&types, &json!({})))),
        Answers::Meta => {
            let schema = schema::reference("meta-only");
            ("All is well.", Some(content(&types, &schema)))
        }
        Answers::One(kind) => {
            let name = schema::add_document(schemas, kind, false);
            (
                "The resource.",
                Some(content(&types, &schema::reference(&name))),
            )
        }
        Answers::Many(kind) => {
            let name = schema::add_document(schemas, kind, true);
            (
                "The resources.",
                Some(content(&types, &schema::reference(&name))),
            )
        }
    };
    let mut success = json!({ "description": what });
    if let Some(content) = content {
        success["content"] = content;
    }
    let failure = schema::response("v2-error");
    json!({ route.status.to_string(): success, "default": failure })
}

/// Returns a body of one schema in several media types.
fn content(types: &[&str], schema: &Value) -> Value {
    types
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "schema": schema })))
        .collect::<Map<_, _>>()
        .into()
}

/// Returns the answer of every failure.
fn error(what: &str, name: &str, types: &[&str]) -> Value {
    json!({ "description": what, "content": content(types, &schema::reference(name)) })
}
