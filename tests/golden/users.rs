//! Users: seed examples 1 and 2, and the later ones (`v1.md 2.1, 3.7`).

use serde_json::json;

use super::compare::{Golden, a_text, a_uuid, an_id};
use super::documented::{Labelled, curl_data, curl_line, id_of, user};
use crate::support::{Actor, TestServer};

/// The documented registration, character by character.
const REGISTRATION: &str = r#"
   {
      "first_name": "John",
      "last_name": "Doe",
      "email": "test@example.com",
      "password": "secret",
      "company": "Doe & Partners"
   }"#;

#[test]
fn example_1_retrieve_your_user() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let without_company = REGISTRATION.replace(",\n      \"company\": \"Doe & Partners\"", "");
    let john = registered(&ada, &without_company);
    let shown = Golden::documented(
        r#"{
          "id": "54f4be3fe7d5224f91000001",
          "first_name": "John",
          "last_name": "Doe",
          "email": "test@example.com"
        }"#,
    )
    .hide("/id", an_id)
    .is(&curl_line(&john, "GET", "/v1/users"), 200);
    assert_eq!(
        john.get("/v1/users/").json(200),
        shown,
        "as the client asks"
    );
}

#[test]
fn example_2_create_a_user() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let answer = curl_data(&ada, "/v1/users", Labelled::Json, REGISTRATION);
    let made = Golden::documented(
        r#"{
          "id": "54f4be3fe7d5224f91000001",
          "first_name": "John",
          "last_name": "Doe",
          "email": "test@example.com",
          "company": "Doe & Partners",
          "api_secret": "7a00b1ec-a0a8-4cea-84d2-d26052c8b788"
        }"#,
    )
    .hide("/id", an_id)
    .hide("/api_secret", a_uuid)
    .is(&answer, 201);
    let john = ada.signing_in(made["api_secret"].as_str().expect("a key"), "");
    let own = curl_line(&john, "GET", "/v1/users").json(200);
    assert_eq!(
        own,
        json!({
            "id": made["id"], "first_name": "John", "last_name": "Doe",
            "email": "test@example.com", "company": "Doe & Partners",
        })
    );
}

#[test]
fn id_and_api_secret_are_made_by_the_server_whatever_is_sent() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let sent = json!({
        "id": "54f4be3fe7d5224f91000001",
        "api_secret": "7a00b1ec-a0a8-4cea-84d2-d26052c8b788",
        "first_name": "John", "last_name": "Doe", "email": "j@example.com", "password": "secret",
    });
    let made = ada.post("/v1/users", &sent).json(201);
    assert_ne!(made["id"], sent["id"]);
    assert_ne!(made["api_secret"], sent["api_secret"]);
    assert!(made.get("company").is_none(), "left out when not given");
}

#[test]
fn later_delete_a_user() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let made = curl_data(&ada, "/v1/users", Labelled::Json, REGISTRATION).json(201);
    let id = id_of(&made);
    let answer = curl_line(&ada, "DELETE", &format!("/v1/users/{id}"));
    let told = Golden::documented(r#"{ "message": "a text with the id" }"#)
        .hide("/message", a_text)
        .is(&answer, 200);
    assert!(
        told["message"]
            .as_str()
            .is_some_and(|text| text.contains(&id))
    );
}

/// Registers a user by its documented request, and returns who it is.
fn registered(by: &Actor, body: &str) -> Actor {
    let made = curl_data(by, "/v1/users", Labelled::Json, body).json(201);
    let key = made["api_secret"].as_str().expect("a key").to_owned();
    by.signing_in(&key, "a password")
}
