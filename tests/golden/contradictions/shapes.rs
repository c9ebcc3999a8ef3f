//! Numbers 3, 9, 11, 12, 20, 21, 22: what is answered, and how.

use serde_json::{Value, json};

use crate::golden::compare::an_id;
use crate::golden::documented::{
    ACTIVATION, NOTHING, RSA_KEY, id_of, public_component, repo, task,
};
use crate::support::TestServer;

#[test]
fn number_3_component_lists_are_maps_unless_the_later_shape_is_asked_for() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let made = id_of(&repo(&ada, "mine"));
    let later = [("x-elastane-compat", "later")];
    for path in [
        "/v1/components",
        "/v1/components/public",
        "/v1/components/mine",
    ] {
        let map = ada.get(path).json(200);
        let by_query = ada.get(&format!("{path}?compat=later"));
        let by_header = ada.send("GET", path, &later, "");
        assert_eq!(by_query.text, by_header.text, "{path}");
        let list = by_query.json(200);
        assert_eq!(members(&map), ["components"]);
        assert_eq!(members(&list), ["components"]);
        let map = map["components"].as_object().expect("a map");
        let list = list["components"].as_array().expect("an array");
        assert!(!map.is_empty());
        assert_eq!(map.len(), list.len(), "{path}");
        for component in list {
            assert_eq!(members(component), ["data", "repo_id"]);
            let id = component["repo_id"].as_str().expect("an id");
            assert_eq!(map[id]["name"], component["data"]["title"], "{path}");
            assert_eq!(members(&map[id]), ["name"], "never fattened");
        }
        for other in ["?compat=seed", "?compat=", "?compat=LATER", "?later=1"] {
            let answer = ada.get(&format!("{path}{other}")).json(200);
            assert!(answer["components"].is_object(), "{other}");
        }
    }
    let mine = ada.get("/v1/components/mine").json(200);
    assert_eq!(mine["components"][made.as_str()], json!({ "name": "mine" }));
}

#[test]
fn number_3_a_descriptor_has_what_the_later_documents_show() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let list = ada.get("/v1/components?compat=later").json(200);
    for component in list["components"].as_array().expect("an array") {
        let data = &component["data"];
        for name in ["title", "description", "icon", "language", "sailor_version"] {
            assert!(data[name].is_string(), "{name} of {}", data["title"]);
        }
        assert!(data["triggers"].is_object() && data["actions"].is_object());
        let id = component["repo_id"].as_str().expect("an id");
        let one = ada.get(&format!("/v1/components/{id}")).json(200);
        assert_eq!(&one["data"], data);
    }
}

#[test]
fn number_9_creations_are_201_except_accounts_and_tasks() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let john = json!({
        "first_name": "John", "last_name": "Doe", "email": "j@example.com", "password": "secret",
    });
    let nodes = json!([
        { "action": "elasticio/timer:timer" }, { "action": "elasticio/debug:log" },
    ]);
    let recipe = serde_json::from_str(ACTIVATION).expect("documented JSON");
    for (path, body, status) in [
        ("/v1/users", john, 201),
        ("/v1/sshkey", json!({ "key": RSA_KEY }), 201),
        ("/v1/repos", json!({}), 201),
        ("/v1/teams", json!({}), 201),
        ("/v1/accounts", json!({}), 200),
        ("/v1/tasks", json!({ "name": "x", "nodes": nodes }), 200),
        ("/v1/recipes", recipe, 200),
    ] {
        let answer = ada.post(path, &body);
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(answer.header("location").is_none(), "{path}");
    }
}

#[test]
fn number_11_members_that_only_some_samples_have_may_always_be_there() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let account = ada.post("/v1/accounts/", &json!({ "name": "x" })).json(200);
    let path = format!("/v1/accounts/{}/", id_of(&account));
    let listed = &ada.get("/v1/accounts/").json(200)[0];
    for shown in [&account, &ada.get(&path).json(200), listed] {
        assert_eq!(members(shown), ["id", "keys", "name", "type"]);
    }
    assert!(repo(&ada, "x")["is_public"].is_boolean());
    let team = ada.post("/v1/teams", &json!({})).json(201);
    assert_eq!(team["members"], json!([ada.id()]));
}

#[test]
fn number_12_variables_are_merged_and_all_of_them_answered() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let path = format!("/v1/repos/{}/env", id_of(&repo(&ada, "x")));
    for (change, all) in [
        (json!({ "A": "1", "B": "2" }), json!({ "A": "1", "B": "2" })),
        (json!({ "B": "3" }), json!({ "A": "1", "B": "3" })),
        (json!({ "A": null, "C": "" }), json!({ "B": "3", "C": "" })),
        (json!({ "NEVER": null }), json!({ "B": "3", "C": "" })),
        (json!({}), json!({ "B": "3", "C": "" })),
    ] {
        assert_eq!(ada.put(&path, &change).json(200), all, "{change}");
        assert_eq!(ada.get(&path).json(200), all, "{change}");
    }
}

#[test]
fn number_20_errors_of_v1_say_message() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let repo = format!("/v1/repos/{}", id_of(&repo(&ada, "x")));
    assert_eq!(ada.delete(&repo).status, 200);
    let own = format!("/v1/users/{}", ada.id());
    let xml = [("accept", "text/xml")];
    for (answer, status) in [
        (ada.post("/v1/repos", &json!({ "name": 7 })), 400),
        (server.anonymous().get("/v1/users"), 401),
        (ada.delete(&own), 403),
        (ada.get(&format!("/v1/repos/{NOTHING}")), 404),
        (ada.get("/v1/nowhere"), 404),
        (ada.send("PATCH", "/v1/repos", &[], ""), 405),
        (ada.send("GET", "/v1/users", &xml, ""), 406),
        (ada.get(&repo), 410),
        (ada.send("BREW", "/v1/users", &[], ""), 418),
    ] {
        let body = answer.json(status);
        assert!(
            body["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{body}"
        );
        let unknown = members(&body)
            .into_iter()
            .find(|name| !["errors", "message"].contains(&name.as_str()));
        assert_eq!(unknown, None, "{status}");
    }
}

#[test]
fn number_21_the_examples_decide_and_not_the_words_below_them() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    repo(&ada, "x");
    task(&ada);
    let components = ada.get("/v1/components/mine").json(200);
    assert_eq!(members(&components), ["components"]);
    let teams = ada.get("/v1/teams").json(200);
    assert_eq!(members(&teams[0]), ["id", "members", "name"]);
    let repos = ada.get("/v1/repos").json(200);
    assert_eq!(members(&repos[0]), ["id", "is_public", "name", "team_id"]);
    let id = public_component(&ada, "Timer");
    let one = ada.get(&format!("/v1/components/{id}")).json(200);
    assert_eq!(members(&one), ["data", "name", "repo_id", "team"]);
}

#[test]
fn number_22_the_literal_ssh_key_sample_is_refused_and_the_list_is_an_array() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let literal = "{\n  \"key\": \"ssh-rsa YOUR KEY GOES HERE,\n  \"title\": \"My Key\"\n}";
    let json_type = [("content-type", "application/json")];
    let refused = ada.send("POST", "/v1/sshkey/", &json_type, literal);
    assert_eq!(refused.status, 400);
    assert_eq!(ada.get("/v1/sshkey/").json(200), json!([]));
    let key = ada
        .post("/v1/sshkey/", &json!({ "key": RSA_KEY }))
        .json(201);
    assert_eq!(key["title"], "john@example.com", "the comment of the key");
    assert!(an_id(&key["id"]));
    assert_eq!(ada.get("/v1/sshkey/").json(200), json!([key]));
}

/// Returns the names of an object's members, sorted.
#[track_caller]
fn members(object: &Value) -> Vec<String> {
    let mut names: Vec<String> = object
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    names.sort();
    names
}
