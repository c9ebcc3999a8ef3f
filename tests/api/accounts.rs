//! Accounts on the wire (`v1.md 3.1`).

use serde_json::json;

use crate::support::TestServer;

#[test]
fn an_account_is_made_read_and_changed_in_part() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    assert_eq!(ada.get("/v1/accounts/").json(200), json!([]));
    let sent = json!({ "name": "Box", "type": "dropbox", "keys": { "a": 1, "b": 2 } });
    let mut made = ada.post("/v1/accounts/", &sent).json(200);
    let path = format!("/v1/accounts/{}", made["id"].as_str().unwrap());
    assert_eq!(ada.get(&path).json(200), made);
    assert_eq!(ada.get("/v1/accounts").json(200), json!([made]));
    let changed = ada.put(&format!("{path}/"), &json!({ "keys": { "b": 3 } }));
    made["keys"] = json!({ "b": 3 });
    assert_eq!(changed.json(200), made);
    assert_eq!(ada.get(&path).json(200), made);
    made.as_object_mut().unwrap().remove("id");
    assert_eq!(
        made,
        json!({ "name": "Box", "type": "dropbox", "keys": { "b": 3 } })
    );
}

#[test]
fn an_account_may_be_made_of_nothing_and_always_has_a_type() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let made = ada.send("POST", "/v1/accounts/", &[], "").json(200);
    assert_eq!(made["name"], "generic account");
    assert_eq!(made["type"], "generic");
    assert_eq!(made["keys"], json!({}));
}

#[test]
fn wrong_types_are_named_and_anothers_account_is_not_there() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let eve = server.user("eve@example.com");
    let wrong = json!({ "name": 1, "type": [], "keys": "s3cret" });
    let answer = ada.post("/v1/accounts", &wrong);
    let fields: Vec<_> = answer.json(400)["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["field"].clone())
        .collect();
    assert_eq!(fields, ["name", "type", "keys"]);
    assert!(!answer.text.contains("s3cret"));
    let made = ada.post("/v1/accounts", &json!({})).json(200);
    let path = format!("/v1/accounts/{}", made["id"].as_str().unwrap());
    let missing = json!({ "message": "there is no such account" });
    assert_eq!(eve.get(&path).json(404), missing);
    assert_eq!(eve.put(&path, &json!({ "name": "x" })).json(404), missing);
    assert_eq!(ada.get("/v1/accounts/x").json(404), missing);
    assert_eq!(ada.delete(&path).status, 405);
}
