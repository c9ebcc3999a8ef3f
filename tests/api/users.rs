//! Users over the wire (`v1.md 2.1, 3.7`).

use serde_json::json;

use crate::support::TestServer;
use crate::support::installation::PASSWORD;

/// A registration as the documents show it.
fn john() -> serde_json::Value {
    json!({
        "first_name": "John",
        "last_name": "Doe",
        "email": "test@example.com",
        "password": "secret",
        "company": "Doe & Partners",
    })
}

#[test]
fn the_three_ways_to_send_a_key_are_one() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let expected = json!({
        "id": ada.id(), "first_name": "Test", "last_name": "User", "email": "ada@example.com",
    });
    let ways = [
        ada.signing_in(&ada.key, ""),
        ada.signing_in(&ada.key, "anything"),
        ada.signing_in("ADA@example.com", &ada.key),
        ada.signing_in("ada@example.com", PASSWORD),
    ];
    for way in ways {
        assert_eq!(way.get("/v1/users").json(200), expected);
        assert_eq!(way.get("/v1/users/").json(200), expected);
    }
}

#[test]
fn a_registered_user_gets_a_key_that_works() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let made = ada.post("/v1/users", &john()).json(201);
    let key = made["api_secret"].as_str().expect("a key");
    assert_eq!(made["company"], "Doe & Partners");
    assert_eq!(made["id"].as_str().map(str::len), Some(24));
    let john = ada.signing_in(key, "").get("/v1/users").json(200);
    assert_eq!(john["id"], made["id"]);
    assert!(john.get("api_secret").is_none(), "shown once only");
    assert!(john.get("password").is_none());
}

#[test]
fn every_missing_field_is_named_and_nothing_changes() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let answer = ada
        .post("/v1/users", &json!({ "password": "secret" }))
        .json(400);
    let named: Vec<&str> = answer["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|fault| fault["field"].as_str())
        .collect();
    assert_eq!(named, ["email", "first_name", "last_name"]);
    let again = ada.post("/v1/users", &john()).json(201);
    let taken = ada.post("/v1/users", &john()).json(400);
    assert_eq!(taken["errors"][0]["field"], "email");
    assert_ne!(again["id"], taken["id"]);
}

#[test]
fn only_the_creator_deletes_a_user_and_sees_that_it_is_gone() {
    let server = TestServer::start();
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let made = ada.post("/v1/users", &john()).json(201);
    let path = format!("/v1/users/{}", made["id"].as_str().expect("an id"));
    assert_eq!(bob.delete(&path).status, 404);
    assert_eq!(ada.delete(&format!("/v1/users/{}", ada.id())).status, 403);
    let told = ada.delete(&path).json(200);
    assert!(
        told["message"]
            .as_str()
            .is_some_and(|text| text.contains(made["id"].as_str().expect("an id")))
    );
    assert_eq!(ada.delete(&path).status, 410);
    assert_eq!(bob.delete(&path).status, 404);
    let key = made["api_secret"].as_str().expect("a key");
    assert_eq!(ada.signing_in(key, "").get("/v1/users").status, 401);
}
