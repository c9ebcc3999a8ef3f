//! The OpenAPI document and the pages for people.

use std::collections::{BTreeMap, BTreeSet};

use elastane::api::openapi::examples::{self, EXAMPLES};
use elastane::api::v2;
use serde_json::Value;

use crate::support::TestServer;

/// Returns the document as anybody gets it.
fn document() -> Value {
    let server = TestServer::start();
    server.anonymous().get("/openapi.json").json(200)
}

/// Returns every operation with its method and path.
fn operations(document: &Value) -> Vec<(String, &String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods
                .iter()
                .map(move |(method, shown)| (method.to_ascii_uppercase(), path, shown))
        })
        .collect()
}

/// Collects every reference of a document.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(target) if name == "$ref" => {
                        found.insert(target);
                    }
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_route_is_in_the_document_and_nothing_else() {
    let document = document();
    let shown: BTreeSet<(String, String)> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| (method, path.clone()))
        .collect();
    let routes = elastane::api::routes();
    let served: BTreeSet<(String, String)> = routes
        .iter()
        .map(|route| (route.method.to_owned(), route.path.replace("{*", "{")))
        .collect();
    assert_eq!(served.len(), routes.len(), "two routes share a template");
    assert_eq!(shown, served);
}

#[test]
fn the_document_is_sound_in_itself() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > v2::TYPES.len());
    for target in found {
        let pointer = target.strip_prefix('#').expect("a reference inside");
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
    for kind in v2::TYPES {
        let schema = &document["components"]["schemas"][kind.name];
        assert_eq!(schema["properties"]["type"]["const"], kind.name);
        for attribute in kind.attributes {
            let shown = &schema["properties"]["attributes"]["properties"][attribute.name];
            assert!(shown.is_object(), "{} {}", kind.name, attribute.name);
        }
    }
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].to_string()), "{path}");
        let declared: Vec<String> = operation["parameters"]
            .as_array()
            .expect("parameters")
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().expect("a name")))
            .collect();
        let named: Vec<&str> = path.split('/').filter(|one| one.starts_with('{')).collect();
        assert_eq!(declared, named, "{method} {path}");
    }
}

#[test]
fn start_and_stop_are_accepted_without_content() {
    let document = document();
    for verb in ["start", "stop"] {
        let path = format!("/v2/flows/{{flow_id}}/{verb}");
        let responses = &document["paths"][&path]["post"]["responses"];
        assert!(responses["202"].is_object(), "{path}");
        assert!(responses["202"].get("content").is_none(), "{path}");
    }
}

#[test]
fn a_change_of_a_flow_says_what_it_takes() {
    let document = document();
    let body = &document["components"]["schemas"]["patch_v2_flows_flow_id_body"];
    let data = &body["properties"]["data"];
    assert_eq!(data["required"], serde_json::json!(["type", "id"]));
    let attributes = &data["properties"]["attributes"]["properties"];
    assert_eq!(attributes["missed"]["enum"][0], "skip");
}

#[test]
fn where_a_state_is_named_and_asked_for_is_in_the_document() {
    let document = document();
    let asks = |operation: &Value| {
        let parameters = operation["parameters"].as_array().expect("parameters");
        parameters
            .iter()
            .any(|parameter| parameter["in"] == "header")
    };
    let operations = operations(&document);
    let asking = operations.iter().filter(|(_, _, shown)| asks(shown));
    let asking: Vec<_> = asking
        .map(|(method, path, _)| (method.as_str(), path.as_str()))
        .collect();
    assert_eq!(asking, [("PATCH", "/v2/flows/{flow_id}")]);
    let flow = &document["paths"]["/v2/flows/{flow_id}"];
    for method in ["get", "patch"] {
        let headers = &flow[method]["responses"]["200"]["headers"];
        assert_eq!(headers["ETag"]["required"], true, "{method}");
    }
    let made = &document["paths"]["/v2/flows"]["post"]["responses"]["201"]["headers"];
    assert!(made["ETag"].is_object() && made["Location"].is_object());
}

#[test]
fn the_bodies_and_answers_of_v1_are_described() {
    let document = document();
    let task = &document["paths"]["/v1/tasks"]["post"];
    let body = &task["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], serde_json::json!(["name", "nodes"]));
    let node = &body["properties"]["nodes"]["items"]["properties"];
    assert!(node["action"].is_object() && node["account"].is_object());
    assert!(task["responses"]["200"].is_object());
    for (method, path, operation) in operations(&document) {
        if path.starts_with("/v1/") {
            let open = operation["responses"].get("2XX");
            assert!(open.is_none(), "{method} {path} says what it answers");
        }
    }
}

#[test]
fn the_pages_need_no_credentials_and_nothing_from_elsewhere() {
    let server = TestServer::start();
    let nobody = server.anonymous();
    for path in ["/", "/docs", "/docs/", "/docs/style.css"] {
        let answer = nobody.send("GET", path, &[("accept", "text/html,*/*;q=0.8")], "");
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"));
        assert!(!policy.contains("unsafe"), "{policy}");
        for foreign in [
            "http:", "https:", "src=", "<script", "style=", "url(", "@import",
        ] {
            assert!(!answer.text.contains(foreign), "{path}: {foreign}");
        }
    }
    let home = nobody.get("/");
    assert!(home.text.contains("href=\"/docs\""));
    assert!(home.text.contains("href=\"/openapi.json\""));
}

#[test]
fn the_reference_shows_every_operation_and_leads_nowhere_wrong() {
    let server = TestServer::start();
    let document = server.anonymous().get("/openapi.json").json(200);
    let page = server.anonymous().get("/docs").text;
    for (_, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(page.contains(&format!("<details id=\"{id}\">")), "{id}");
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
    }
    for link in page.split("href=\"#").skip(1) {
        let target = link.split('"').next().expect("a target");
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
    assert!(!page.contains("{{"), "a place was not filled");
}

/// Puts ids in the place of the parameters of a path.
fn filled(path: &str, id_of: impl Fn(&str) -> String) -> String {
    let parts = path.split('/').map(|part| {
        let name = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        match name {
            None => part.to_owned(),
            Some("step_id") => "step_1".to_owned(),
            Some("version") => "latest".to_owned(),
            Some("sample_id") => id_of("data-sample"),
            Some(name) => id_of(name.trim_end_matches("_id")),
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_example_of_a_body_is_accepted() {
    let server = TestServer::start();
    let root = server.admin("root@example.com");
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let listed = root.get("/v2/components").json(200);
    let mut components = listed["data"].as_array().expect("a list").iter();
    let timer = components.find(|one| one["attributes"]["name"] == "timer");
    let timer = timer.expect("a timer")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for (method, path, resource) in EXAMPLES {
        if path.contains("{version}") || path.ends_with("/credentials") || path.ends_with("samples")
        {
            // The component that was made has no build.
            ids.insert("component".to_owned(), timer.clone());
        }
        let id_of = |kind: &str| {
            let none = || "5559edd38968ec0736000003".to_owned();
            ids.get(kind).cloned().unwrap_or_else(none)
        };
        let sent = examples::body(resource, id_of);
        let headers = [("content-type", "application/json")];
        let at = filled(path, id_of);
        let answer = root.send(method, &at, &headers, &sent.to_string());
        // No flow ran here, so none can run again.
        let is_fine = match answer.status {
            404 => path.ends_with("/retry"),
            status => status / 100 == 2,
        };
        assert!(
            is_fine,
            "{method} {at} {sent}: {} {}",
            answer.status, answer.text
        );
        let Ok(document) = serde_json::from_str::<Value>(&answer.text) else {
            continue;
        };
        let data = &document["data"];
        if let (Some(kind), Some(id)) = (data["type"].as_str(), data["id"].as_str()) {
            ids.insert(kind.to_owned(), id.to_owned());
        }
        if let Some(link) = data["attributes"]["accept_link"].as_str() {
            let (_, token) = link.rsplit_once('/').expect("a path");
            ids.insert("token".to_owned(), token.to_owned());
        }
    }
}

#[test]
fn every_resource_that_is_sent_has_an_example() {
    let document = document();
    let mut examples = 0;
    for route in elastane::api::routes() {
        if route.takes.is_none() || !route.path.starts_with("/v2/") {
            continue;
        }
        let method = route.method.to_ascii_lowercase();
        let body = &document["paths"][route.path][&method]["requestBody"]["content"];
        let example = &body["application/json"]["example"]["data"];
        assert!(example["type"].is_string(), "{method} {}", route.path);
        examples += 1;
    }
    assert_eq!(examples, EXAMPLES.len(), "an example of no route");
}
