//! SSH keys: seed examples 6 to 8 (`v1.md 2.3`).

use serde_json::{Value, json};

use super::compare::{Golden, an_id};
use super::documented::{Labelled, RSA_KEY, RSA_MD5, RSA_SHA256, curl_data, curl_line, user};
use crate::support::{Actor, TestServer};

/// The documented body, character by character: its first text has no end.
const LITERAL: &str = r#"
   {
       "key": "ssh-rsa YOUR KEY GOES HERE,
       "title": "My Key"
   }"#;

/// The documented body with the quote that it lacks.
const REPAIRED: &str = r#"
   {
       "key": "ssh-rsa YOUR KEY GOES HERE",
       "title": "My Key"
   }"#;

/// The documented key object; the list and the creation show the same.
const KEY: &str = r#"{
    "id": "54982ee6bdf2a2030000000f",
    "title": "My Key",
    "fingerprint": "fingerprint",
    "user_id": "user_id",
    "key": "ssh_key"
}"#;

#[test]
fn example_6_retrieve_all_keys() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let none = curl_line(&ada, "GET", "/v1/sshkey/");
    assert_eq!(none.json(200), json!([]));
    let added = add(&ada);
    let answer = curl_line(&ada, "GET", "/v1/sshkey/");
    let list = Golden::documented(&format!("[{KEY}]"))
        .with("/0/fingerprint", RSA_SHA256)
        .and("/0", "fingerprint_md5", RSA_MD5)
        .with("/0/user_id", ada.id())
        .hide("/*/id", an_id)
        .hide("/*/key", the_rsa_key)
        .is(&answer, 200);
    assert_eq!(list, json!([added]));
}

#[test]
fn example_7_add_a_new_key() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let literal = curl_data(&ada, "/v1/sshkey/", Labelled::Json, LITERAL);
    assert!(literal.json(400)["message"].is_string(), "not JSON");
    let placeholder = curl_data(&ada, "/v1/sshkey/", Labelled::Json, REPAIRED).json(400);
    assert_eq!(placeholder["errors"][0]["field"], "key", "not a key");
    assert_eq!(ada.get("/v1/sshkey/").json(200), json!([]));
    add(&ada);
}

#[test]
fn example_8_delete_a_key() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let added = add(&ada);
    let path = format!("/v1/sshkey/{}", added["id"].as_str().expect("an id"));
    Golden::documented("{}").is(&curl_line(&ada, "DELETE", &path), 200);
    assert_eq!(ada.get("/v1/sshkey/").json(200), json!([]));
}

/// Adds a real key by the documented request, and asserts the documented answer.
#[track_caller]
fn add(actor: &Actor) -> Value {
    let body = REPAIRED.replace("ssh-rsa YOUR KEY GOES HERE", RSA_KEY);
    let answer = curl_data(actor, "/v1/sshkey/", Labelled::Json, &body);
    Golden::documented(KEY)
        .with("/fingerprint", RSA_SHA256)
        .and("", "fingerprint_md5", RSA_MD5)
        .with("/user_id", actor.id())
        .hide("/id", an_id)
        .hide("/key", the_rsa_key)
        .is(&answer, 201)
}

/// Whether a value is the key in one line, with or without its comment.
fn the_rsa_key(value: &Value) -> bool {
    let words =
        |line: &str| -> Vec<String> { line.split(' ').take(2).map(str::to_owned).collect() };
    value
        .as_str()
        .is_some_and(|line| words(line) == words(RSA_KEY) && !line.contains('\n'))
}
