//! Users over the wire (`v1.md 2.1, 3.7`).

use serde_json::json;

use elastane::server::ServerOptions;

use crate::support::installation::PASSWORD;
use crate::support::{Installation, TestServer};

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
    let answer = ada.post("/v1/users", &json!({ "company": 7 })).json(400);
    let named: Vec<&str> = answer["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|fault| fault["field"].as_str())
        .collect();
    assert_eq!(
        named,
        ["company", "password", "email", "first_name", "last_name"]
    );
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

#[test]
fn a_callback_hears_of_the_user_and_private_targets_are_refused_by_their_own_name() {
    let closed = TestServer::start();
    for name in ["callback", "callback_url"] {
        let mut body = john();
        body[name] = json!("http://127.0.0.1:9/told");
        let refused = closed.user(&format!("{name}@example.com"));
        let answer = refused.post("/v1/users", &body).json(400);
        assert_eq!(answer["errors"][0]["field"], name);
    }

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = format!("http://{}/told", listener.local_addr().expect("an address"));
    let told = std::thread::scope(|scope| {
        let heard = scope.spawn(|| hear_one_post(&listener));
        let open = TestServer::over(
            Installation::with(|options| options.rules.allow_private_networks = true),
            ServerOptions::default(),
        );
        let ada = open.user("ada@example.com");
        let mut body = john();
        body["callback"] = json!(target);
        let answer = ada.post("/v1/users", &body).json(202);
        assert_eq!(answer, json!({ "message": "accepted" }));
        let told = heard.join().expect("a callback");
        let key = told["api_secret"].as_str().expect("a key");
        let john = ada.signing_in(key, "").get("/v1/users").json(200);
        assert_eq!(john["id"], told["id"]);
        told
    });
    assert_eq!(told["email"], "test@example.com");
}

/// Accepts one POST, answers it, and returns its JSON body.
fn hear_one_post(listener: &std::net::TcpListener) -> serde_json::Value {
    use std::io::{BufRead, BufReader, Read, Write};
    let (stream, _) = listener.accept().expect("a caller");
    let mut reader = BufReader::new(&stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (&stream)
        .write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        .expect("an answer");
    serde_json::from_slice(&body).expect("JSON")
}
