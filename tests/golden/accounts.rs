//! Accounts: all examples are later ones (`v1.md 3.1`).

use serde_json::json;

use super::compare::{Golden, a_text, an_id};
use super::documented::{curl_line, id_of, user};
use crate::support::TestServer;

/// An account as the contract shows it.
const ACCOUNT: &str = r#"{
    "id": "5538bc1c9c0f0522391900d4",
    "name": "My box",
    "type": "dropbox",
    "keys": { "oauth": { "access_token": "abc" }, "n": 1 }
}"#;

#[test]
fn later_create_list_and_retrieve_an_account() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    assert_eq!(curl_line(&ada, "GET", "/v1/accounts/").json(200), json!([]));
    let sent = json!({
        "name": "My box", "type": "dropbox",
        "keys": { "oauth": { "access_token": "abc" }, "n": 1 },
    });
    let made = Golden::documented(ACCOUNT)
        .hide("/id", an_id)
        .is(&ada.post("/v1/accounts/", &sent), 200);
    let id = id_of(&made);
    Golden::documented(&format!("[{ACCOUNT}]"))
        .with("/0/id", id.as_str())
        .is(&curl_line(&ada, "GET", "/v1/accounts/"), 200);
    let path = format!("/v1/accounts/{id}/");
    Golden::documented(ACCOUNT)
        .with("/id", id.as_str())
        .is(&curl_line(&ada, "GET", &path), 200);
    let bob = user(&server, "bob@example.com");
    assert_eq!(bob.get(&path).status, 404);
    assert_eq!(bob.put(&path, &json!({ "name": "x" })).status, 404);
}

#[test]
fn later_update_an_account() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let sent = json!({ "name": "My box", "type": "dropbox", "keys": { "a": 1, "b": 2 } });
    let id = id_of(&ada.post("/v1/accounts/", &sent).json(200));
    let path = format!("/v1/accounts/{id}/");
    Golden::documented(ACCOUNT)
        .with("/id", id.as_str())
        .with("/keys", json!({ "a": 1, "b": 2 }))
        .with("/name", "Renamed")
        .is(&ada.put(&path, &json!({ "name": "Renamed" })), 200);
    let replaced = Golden::documented(ACCOUNT)
        .with("/id", id.as_str())
        .with("/keys", json!({ "c": 3 }))
        .with("/name", "Renamed")
        .is(&ada.put(&path, &json!({ "keys": { "c": 3 } })), 200);
    for (wrong, field) in [
        (json!({ "keys": "abc" }), "keys"),
        (json!({ "keys": [1] }), "keys"),
        (json!({ "name": 7 }), "name"),
        (json!({ "type": {}, "keys": {} }), "type"),
    ] {
        let told = ada.put(&path, &wrong).json(400);
        assert_eq!(told["errors"][0]["field"], field, "{told}");
    }
    assert_eq!(ada.get(&path).json(200), replaced, "nothing has changed");
    assert_eq!(ada.delete(&path).status, 405, "no DELETE in v1");
}

#[test]
fn later_everything_in_a_new_account_is_optional() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let made = ada.post("/v1/accounts/", &json!({}));
    let shown = made.json(200);
    assert!(an_id(&shown["id"]) && a_text(&shown["name"]), "{shown}");
    assert_eq!(shown["keys"], json!({}));
    assert!(shown.get("type").is_some(), "always there: {shown}");
    assert_eq!(shown.as_object().map(serde_json::Map::len), Some(4));
}
