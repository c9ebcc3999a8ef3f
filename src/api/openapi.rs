//! The OpenAPI 3.1 document of all versions, made of the routes that the router has.
//!
//! Nothing is written down twice: paths, parameters, bodies and answers come from
//! [`Route`] and from what the versions declare in [`super::shape`].

pub mod examples;
mod parameters;
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
                     is served with and without its final slash, and GET serves HEAD too.";

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
                "hook-error": error("What is wrong.", "hook-error", &[JSON_TYPE]),
                // Git shows text to people; what comes before it is JSON.
                "git-error": {
                    "description": "What is wrong.",
                    "content": {
                        "text/plain": { "schema": { "type": "string" } },
                        JSON_TYPE: { "schema": schema::reference("error") },
                    },
                },
                "v2-unauthenticated": challenge("v2-error", &[JSON_TYPE, JSON_API]),
                "unauthenticated": challenge("error", &[JSON_TYPE]),
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
        "parameters": parameters::of(route),
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
        Access::User | Access::Git | Access::Step => json!([{ "basic": [] }]),
        Access::Token => json!([{}, { "basic": [] }]),
        Access::Metrics => json!([{}, { "metrics": [] }]),
    }
}

/// Returns the body that an operation takes; none where it reads none.
fn request_body(route: &Route, id: &str, schemas: &mut Map<String, Value>) -> Option<Value> {
    let writes = matches!(route.method, "POST" | "PUT" | "PATCH");
    if let Some(input) = route.takes {
        let name = format!("{id}_body");
        schemas.insert(name.clone(), schema::of_input(input));
        let mut content = content(&[JSON_TYPE, JSON_API], &schema::reference(&name));
        if let Some(example) = examples::of(route.method, route.path) {
            content[JSON_TYPE]["example"] = example;
        }
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
        let schema = schema::of_members(route.takes_members?);
        return Some(json!({ "content": content(&[JSON_TYPE], &schema) }));
    }
    writes.then(|| json!({ "content": { "*/*": {} } }))
}

/// Returns the answers of an operation.
fn responses(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let error = match () {
        () if is_v2(route) => "v2-error",
        () if route.path.starts_with("/hook/") => "hook-error",
        () if route.path.starts_with("/git/") => "git-error",
        () => "error",
    };
    let mut all = Map::new();
    let status = match route.answers {
        // A flow decides what its webhook answers, and an upload has a status of its own.
        Answers::Unsaid => "2XX".to_owned(),
        _ => route.status.to_string(),
    };
    all.insert(status, success(route, route.status, route.answers, schemas));
    if let Some((status, answers)) = route.also {
        let shown = success(route, status, answers, schemas);
        all.insert(status.to_string(), shown);
    }
    if route.access == Access::User {
        let name = if is_v2(route) {
            "v2-unauthenticated"
        } else {
            "unauthenticated"
        };
        all.insert("401".to_owned(), schema::response(name));
    }
    all.insert("default".to_owned(), schema::response(error));
    Value::Object(all)
}

/// Returns one answer that means success.
fn success(
    route: &Route,
    status: u16,
    answers: Answers,
    schemas: &mut Map<String, Value>,
) -> Value {
    let types: &[&str] = if is_v2(route) {
        &[JSON_TYPE, JSON_API]
    } else {
        &[JSON_TYPE]
    };
    let (what, content) = match answers {
        Answers::Unsaid => ("All is well.", Some(content(&["*/*"], &json!({})))),
        Answers::Nothing => ("All is well; no content.", None),
        Answers::Plain => ("All is well.", Some(content(types, &json!({})))),
        Answers::Object(members) => {
            let schema = schema::of_members(members);
            ("The object.", Some(content(types, &schema)))
        }
        Answers::Objects(members) => {
            let schema = json!({ "type": "array", "items": schema::of_members(members) });
            ("The objects.", Some(content(types, &schema)))
        }
        Answers::Map => {
            let schema = json!({ "type": "object" });
            (
                "An object whose names are data.",
                Some(content(types, &schema)),
            )
        }
        Answers::Meta => {
            let schema = schema::reference("meta-only");
            ("All is well.", Some(content(types, &schema)))
        }
        Answers::One(kind) => {
            let name = schema::add_document(schemas, kind, false);
            let content = content(types, &schema::reference(&name));
            ("The resource.", Some(content))
        }
        Answers::Many(kind) => {
            let name = schema::add_document(schemas, kind, true);
            let content = content(types, &schema::reference(&name));
            ("The resources.", Some(content))
        }
    };
    let mut shown = json!({ "description": what });
    if let Some(content) = content {
        shown["content"] = content;
    }
    // What was made or accepted has a place (`v2.md 2.4`).
    let is_made = is_v2(route) && matches!(answers, Answers::One(_)) && status > 200;
    let mut headers = Map::new();
    if is_made || status == 303 {
        headers.extend(header("Location", "Where it is."));
    }
    if route.is_tagged {
        headers.extend(header("ETag", "The state of it, for `If-Match`."));
    }
    if !headers.is_empty() {
        shown["headers"] = headers.into();
    }
    shown
}

/// Returns the answer to callers who did not say who they are.
fn challenge(name: &str, types: &[&str]) -> Value {
    let mut shown = error("The credentials are missing or wrong.", name, types);
    shown["headers"] = header("WWW-Authenticate", "How to sign in.").into();
    shown
}

/// Returns a header that is always sent.
fn header(name: &str, what: &str) -> Map<String, Value> {
    let shown = json!({ "required": true, "description": what, "schema": { "type": "string" } });
    Map::from_iter([(name.to_owned(), shown)])
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
