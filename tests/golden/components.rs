//! Components: seed examples 9 and 10, and one descriptor (`v1.md 2.4, 3.2`).

use serde_json::{Value, json};

use super::compare::{Golden, a_text, an_id, base64};
use super::documented::{curl_line, id_of, public_component, repo, user};
use crate::support::TestServer;

/// The documented list; both examples show the same.
const LIST: &str = r#"{
  "components": {
    "component_id": {
        "name": "title"
    }
  }

}"#;

#[test]
fn example_9_retrieve_private_components() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let none = curl_line(&ada, "GET", "/v1/components/mine");
    assert_eq!(none.json(200), json!({ "components": {} }));
    let made = repo(&ada, "title");
    let answer = curl_line(&ada, "GET", "/v1/components/mine");
    let mine = Golden::documented(LIST)
        .hide_keys("/components", an_id)
        .is(&answer, 200);
    assert_eq!(mine["components"][id_of(&made)], json!({ "name": "title" }));
    let bob = user(&server, "bob@example.com");
    assert_eq!(bob.get("/v1/components/mine").json(200), none.json(200));
}

#[test]
fn example_10_retrieve_public_components() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    repo(&ada, "title");
    let answer = curl_line(&ada, "GET", "/v1/components");
    let list = answer.json(200);
    let titles: Vec<String> = list["components"]
        .as_object()
        .expect("a map")
        .values()
        .map(|shown| shown["name"].as_str().expect("a title").to_owned())
        .collect();
    assert!(!titles.contains(&"title".to_owned()), "a private one");
    // Every entry is as the documented one, and there is one for each built-in component.
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/components"));
    let bundled: Vec<Value> = folders
        .expect("the bundled components")
        .map(|folder| descriptor(&folder.expect("a folder").path()))
        .collect();
    assert_eq!(titles.len(), bundled.len());
    let mut documented = serde_json::Map::new();
    for (number, title) in titles.iter().enumerate() {
        documented.insert(number.to_string(), json!({ "name": title }));
    }
    Golden::documented(LIST)
        .with("/components", documented)
        .hide_keys("/components", an_id)
        .is(&answer, 200);
    for component in bundled {
        let title = component["title"].as_str().expect("a title");
        assert!(titles.iter().any(|shown| shown == title), "{title}");
    }
}

#[test]
fn later_retrieve_a_component() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/components/shopware");
    let pushed = descriptor(folder.as_ref());
    let id = public_component(&ada, pushed["title"].as_str().expect("a title"));
    let answer = curl_line(&ada, "GET", &format!("/v1/components/{id}"));
    Golden::documented(r#"{ "repo_id": "", "name": "shopware", "team": "elasticio", "data": {} }"#)
        .with("/repo_id", id)
        .with("/data", pushed)
        .and("/data", "icon", "what the build adds")
        .and("/data", "language", "nodejs")
        .and("/data", "sailor_version", "what the build adds")
        .hide("/data/icon", base64)
        .hide("/data/sailor_version", a_text)
        .is(&answer, 200);
}

#[test]
fn a_component_without_a_build_has_no_descriptor() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let made = repo(&ada, "title");
    let path = format!("/v1/components/{}", id_of(&made));
    assert_eq!(ada.get(&path).status, 404);
}

/// Reads the descriptor in a folder of a bundled component.
fn descriptor(folder: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(folder.join("component.json")).expect("a descriptor");
    serde_json::from_str(&text).expect("a descriptor in JSON")
}
