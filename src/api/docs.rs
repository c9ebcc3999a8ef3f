//! Pages for people: the front page, and the OpenAPI document made readable.
//!
//! They come from files of the binary and show no data. No page runs a script or loads
//! anything from elsewhere, and the policy sent along forbids both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::Value;

use super::call::{Call, Reply};
use super::openapi;
use super::route::{Access, Route};
use crate::domain::Result;

/// The routes of the pages.
pub const ROUTES: &[Route] = &[
    Route::get("/", "shows a page that leads to the reference", home).with_access(Access::Public),
    Route::get("/docs", "shows the reference of the API", reference).with_access(Access::Public),
    Route::get("/docs/style.css", "returns the style of the pages", style)
        .with_access(Access::Public),
];

/// The front page.
const HOME: &str = include_str!("../../assets/docs/home.html");

/// The frame of the reference.
const FRAME: &str = include_str!("../../assets/docs/reference.html");

/// The style of both.
const STYLE: &str = include_str!("../../assets/docs/style.css");

/// What a page may do: use the style of this server, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The media type of the pages.
const HTML: &str = "text/html; charset=utf-8";

/// The reference as it is sent: anybody may ask for it, so it is written once.
static REFERENCE: LazyLock<String> = LazyLock::new(|| render(&openapi::document()));

/// Answers the front page.
#[expect(clippy::unnecessary_wraps, reason = "a handler is a handler")]
fn home(_: &mut Call<'_>) -> Result<Reply> {
    Ok(page(HTML, HOME.to_owned()))
}

/// Answers the reference.
#[expect(clippy::unnecessary_wraps, reason = "a handler is a handler")]
fn reference(_: &mut Call<'_>) -> Result<Reply> {
    Ok(page(HTML, REFERENCE.clone()))
}

/// Answers the style.
#[expect(clippy::unnecessary_wraps, reason = "a handler is a handler")]
fn style(_: &mut Call<'_>) -> Result<Reply> {
    Ok(page("text/css; charset=utf-8", STYLE.to_owned()))
}

/// Makes the reply of a page.
fn page(media_type: &'static str, text: String) -> Reply {
    Reply::text(200, media_type, text)
        .with_header("Content-Security-Policy", POLICY)
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Referrer-Policy", "no-referrer")
}

/// Returns an OpenAPI document as a page.
fn render(document: &Value) -> String {
    let mut tags: BTreeMap<&str, String> = BTreeMap::new();
    for (path, operations) in members(&document["paths"]) {
        for (method, operation) in members(operations) {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            write_operation(tags.entry(tag).or_default(), path, method, operation);
        }
    }
    let mut operations = String::new();
    for (tag, shown) in tags {
        // Writing to a String can't fail, here and below.
        let _ = write!(operations, "<h2>{}</h2>\n{shown}", escaped(tag));
    }
    let mut schemas = String::new();
    for (name, schema) in members(&document["components"]["schemas"]) {
        let name = escaped(name);
        let _ = writeln!(schemas, "<h3 id=\"schema-{name}\">{name}</h3>");
        write_schema(&mut schemas, schema);
    }
    let about = escaped(document["info"]["description"].as_str().unwrap_or_default());
    let version = escaped(document["info"]["version"].as_str().unwrap_or_default());
    FRAME
        .replace("{{about}}", &about)
        .replace("{{version}}", &version)
        .replace("{{operations}}", &operations)
        .replace("{{schemas}}", &schemas)
}

/// Writes one operation, folded.
fn write_operation(page: &mut String, path: &str, method: &str, operation: &Value) {
    let text = |name: &str| escaped(operation[name].as_str().unwrap_or_default());
    let _ = writeln!(
        page,
        "<details id=\"{}\"><summary><b>{}</b> <code>{}</code> {}</summary>",
        text("operationId"),
        method.to_ascii_uppercase(),
        escaped(path),
        text("summary"),
    );
    let who = match operation["security"].as_array() {
        Some(ways) if ways.iter().any(|way| way.get("metrics").is_some()) => {
            "this machine, or whoever has the token of the metrics"
        }
        Some(ways) if ways.len() > 1 => "whoever has the token in the path",
        Some(ways) if ways.len() == 1 => "signed-in users",
        _ => "anybody; no credentials",
    };
    let _ = writeln!(page, "<p>For {who}.</p>");
    let parameters = operation["parameters"].as_array();
    if let Some(parameters) = parameters.filter(|all| !all.is_empty()) {
        page.push_str("<table><tr><th>parameter</th><th>in</th><th>what it does</th></tr>\n");
        for parameter in parameters {
            let text = |name: &str| escaped(parameter[name].as_str().unwrap_or_default());
            let _ = writeln!(
                page,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                text("name"),
                text("in"),
                text("description"),
            );
        }
        page.push_str("</table>\n");
    }
    if let Some(content) = operation["requestBody"].get("content") {
        page.push_str("<p>Body:</p>\n");
        write_content(page, content);
    }
    for (status, response) in members(&operation["responses"]) {
        let Some(what) = response["description"].as_str() else {
            continue;
        };
        let _ = writeln!(page, "<p>Answer {}: {}</p>", escaped(status), escaped(what));
        if let Some(content) = response.get("content") {
            write_content(page, content);
        }
    }
    page.push_str("</details>\n");
}

/// Writes the schema of a body; all its media types have the same.
fn write_content(page: &mut String, content: &Value) {
    if let Some((_, media)) = members(content).next() {
        write_schema(page, &media["schema"]);
    }
}

/// Writes a schema as a list of its members, deep.
fn write_schema(page: &mut String, schema: &Value) {
    let _ = writeln!(page, "<p class=\"type\">{}</p>", kind_of(schema));
    for way in schema["anyOf"].as_array().into_iter().flatten() {
        write_schema(page, way);
    }
    if schema["items"].get("properties").is_some() {
        write_schema(page, &schema["items"]);
    }
    let required = schema["required"].as_array();
    let mut properties = members(&schema["properties"]).peekable();
    if properties.peek().is_none() {
        return;
    }
    page.push_str("<ul>\n");
    for (name, property) in properties {
        let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
        let mark = if is_required { " (required)" } else { "" };
        let _ = write!(page, "<li><code>{}</code>{mark} ", escaped(name));
        write_schema(page, property);
        page.push_str("</li>\n");
    }
    page.push_str("</ul>\n");
}

/// Returns the kind of a schema in words, as HTML.
fn kind_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = escaped(name.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind_of(items));
    }
    let words = |values: &Vec<Value>| {
        let words: Vec<String> = values
            .iter()
            .map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            })
            .collect();
        escaped(&words.join(" or "))
    };
    match (&schema["type"], &schema["enum"], &schema["const"]) {
        (Value::String(name), _, _) => escaped(name),
        (Value::Array(names), _, _) => words(names),
        (_, Value::Array(values), _) => words(values),
        (_, _, Value::String(value)) => escaped(value),
        _ if schema.get("anyOf").is_some() => "one of".to_owned(),
        _ => "any value".to_owned(),
    }
}

/// Iterates over the members of an object; over nothing where it is none.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Returns a text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
