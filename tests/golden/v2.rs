//! The documented requests of API v2, with broken quotes repaired, each with its status
//! (`v2.md 4`); every answer is held against the rules of JSON:API as it comes.
//!
//! The samples stand as the documents print them: final slashes, missing types and ids,
//! missing `data`, both names of a path. What is a placeholder there is an id here.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::documented::RSA_KEY;
use super::transcript;
use crate::support::organization::id_of;
use crate::support::{Actor, TestServer};

/// Sends a documented request, and returns the answer that has to have a status.
#[track_caller]
fn ask(actor: &Actor, line: &str, body: &str, status: u16) -> Value {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let headers = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
    ];
    let answer = actor.send(method, path, &headers, body);
    assert_eq!(answer.status, status, "{line}: {}", answer.text);
    transcript::note(line, &answer);
    if answer.text.is_empty() {
        assert!(matches!(status, 202 | 204), "{line} has no body");
        return Value::Null;
    }
    serde_json::from_str(&answer.text).expect("JSON")
}

/// Ids that a test has at hand.
struct Place {
    server: TestServer,
    root: Actor,
    ada: Actor,
}

impl Place {
    /// Starts a server with an administrator and a user.
    fn new() -> Self {
        let server = TestServer::start();
        let root = server.admin("root@example.com");
        let ada = server.user("ada@example.com");
        Self { server, root, ada }
    }

    /// Returns the id of a built-in component.
    fn built_in(&self, name: &str) -> String {
        let listed = self.ada.get("/v2/components?filter[access]=public");
        let listed = listed.json(200);
        let mut all = listed["data"].as_array().expect("a list").iter();
        let found = all.find(|one| one["attributes"]["name"] == name);
        found.expect("a component")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }
}

/// Returns the one attribute of a document.
fn attribute<'a>(document: &'a Value, name: &str) -> &'a Value {
    &document["data"]["attributes"][name]
}

#[test]
fn components() {
    let place = Place::new();
    let (ada, root) = (&place.ada, &place.root);
    let team = id_of(&ask(ada, "POST /v2/teams", r#"{"data":{}}"#, 201));
    let new = json!({ "data": {
        "type": "component", "attributes": { "name": "test-component" },
        "relationships": { "team": { "data": { "type": "team", "id": team } } },
    } });
    let made = ask(ada, "POST /v2/components", &new.to_string(), 201);
    assert!(
        made["data"]["relationships"]
            .get("latest_version")
            .is_none()
    );
    let id = id_of(&made);
    for access in ["private", "public", "all"] {
        ask(
            ada,
            &format!("GET /v2/components?filter[access]={access}"),
            "",
            200,
        );
    }
    ask(ada, "GET /v2/components", "", 200);
    ask(ada, &format!("GET /v2/components/{id}"), "", 200);
    ask(
        ada,
        &format!("GET /v2/components/{id}/versions/latest/descriptor"),
        "",
        404,
    );
    let built = place.built_in("timer");
    let versions = ask(
        ada,
        &format!("GET /v2/components/{built}/versions"),
        "",
        200,
    );
    let revision = versions["data"][0]["id"].as_str().expect("a revision");
    ask(
        ada,
        &format!("GET /v2/components/{built}/versions/{revision}"),
        "",
        200,
    );
    // The sample has no id.
    let share = r#"{"data":{"type":"component","attributes":{"access":"tenant"}}}"#;
    ask(ada, &format!("PATCH /v2/components/{id}"), share, 403);
    let shared = ask(root, &format!("PATCH /v2/components/{id}"), share, 200);
    assert_eq!(attribute(&shared, "access"), "tenant");
    let env =
        r#"{"data":{"type":"component-env","attributes":{"vars":{"key1":"val1","key2":"val2"}}}}"#;
    let path = format!("/v2/components/{id}/env");
    ask(ada, &format!("PUT {path}"), env, 200);
    let vars = ask(ada, &format!("GET {path}"), "", 200);
    assert_eq!(
        *attribute(&vars, "vars"),
        json!({ "key1": "val1", "key2": "val2" })
    );
    let deleted = ask(ada, &format!("DELETE /v2/components/{id}"), "", 200);
    assert_eq!(deleted, json!({ "meta": {} }));
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn both_names_of_the_newest_descriptor_give_the_same_document() {
    let place = Place::new();
    let timer = place.built_in("timer");
    let [first, second] = ["versions", "version"].map(|word| {
        let line = format!("GET /v2/components/{timer}/{word}/latest/descriptor");
        ask(&place.ada, &line, "", 200)
    });
    assert_eq!(first, second);
    let link = first["data"]["links"]["self"].as_str().expect("a link");
    assert!(
        link.contains("/versions/") && !link.contains("latest"),
        "{link}"
    );
}

#[test]
fn credentials() {
    let place = Place::new();
    let ada = &place.ada;
    let component = place.built_in("timer");
    let new = json!({ "data": {
        "type": "credential",
        "attributes": { "name": "Test", "keys": { "id": "{{OAUTH_CLIENT_ID}}" } },
        "relationships": { "component": { "data": { "id": component, "type": "component" } } },
    } });
    let made = ask(ada, "POST /v2/credentials/", &new.to_string(), 201);
    let id = id_of(&made);
    let change = json!({ "data": {
        "id": id, "type": "credential",
        "attributes": { "name": "Test", "keys": { "username": "username", "password": "secret" } },
    } });
    let path = format!("/v2/credentials/{id}/");
    let changed = ask(ada, &format!("PATCH {path}"), &change.to_string(), 200);
    assert!(attribute(&changed, "keys").get("id").is_none(), "replaced");
    ask(ada, "GET /v2/credentials/", "", 200);
    ask(ada, &format!("GET {path}"), "", 200);
    let listed = ask(
        ada,
        &format!("GET /v2/credentials?filter%5Bcomponent%5D={component}"),
        "",
        200,
    );
    assert_eq!(listed["data"][0]["id"], id.as_str());
    let stranger = place.server.user("bob@example.com");
    ask(&stranger, &format!("GET {path}"), "", 404);
    ask(ada, &format!("DELETE {path}"), "", 204);
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn data_samples() {
    let place = Place::new();
    let component = place.built_in("timer");
    let new = json!({ "data": {
        "type": "data-sample",
        "attributes": { "method": "timer", "result": { "foo": "bar" } },
        "relationships": {
            "component": { "data": { "id": component, "type": "component" } },
            "component_version": { "data": { "id": "latest", "type": "version" } },
        },
    } });
    for prefix in ["samples", "data-samples"] {
        let made = ask(
            &place.ada,
            &format!("POST /v2/{prefix}/"),
            &new.to_string(),
            201,
        );
        let link = made["data"]["links"]["self"].as_str().expect("a link");
        assert!(link.starts_with(&format!("/v2/{prefix}/")), "{link}");
        let version = &made["data"]["relationships"]["component_version"]["data"];
        assert_eq!(version["id"], "latest");
        ask(&place.ada, &format!("GET {link}"), "", 200);
    }
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn flows() {
    let place = Place::new();
    let ada = &place.ada;
    let graph = json!({
        "nodes": [
            { "id": "step_1", "command": "elasticio/timer:timer" },
            { "id": "step_2", "command": "elasticio/email:send" },
        ],
        "edges": [{
            "source": "step_1", "target": "step_2",
            "config": { "mapper": {
                "to": "info@acme.org", "subject": "Test", "textBody": "{{fireTime}}",
            } },
        }],
    });
    let new = json!({ "data": {
        "type": "flow",
        "attributes": { "name": "Timer to E-Mail Test", "type": "ordinary", "graph": graph },
    } });
    let made = ask(ada, "POST /v2/flows/", &new.to_string(), 201);
    assert_eq!(attribute(&made, "status"), "inactive");
    assert_eq!(attribute(&made, "api_version"), "2.0");
    assert_eq!(*attribute(&made, "graph"), graph);
    let id = id_of(&made);
    let change = json!({ "data": {
        "type": "flow", "id": id,
        "attributes": {
            "name": "Timer to E-Mail Test", "type": "ordinary", "cron": "*/2 * * * *",
            "graph": graph,
        },
    } });
    ask(
        ada,
        &format!("PATCH /v2/flows/{id}"),
        &change.to_string(),
        200,
    );
    ask(ada, "POST /v2/flows/", &new.to_string(), 201);
    let page = ask(
        ada,
        "GET /v2/flows/?page%5Bsize%5D=1&page%5Bnumber%5D=2",
        "",
        200,
    );
    assert_eq!(
        page["meta"],
        json!({ "page": 2, "per_page": 1, "total": 2, "total_pages": 2 })
    );
    ask(ada, &format!("GET /v2/flows/{id}"), "", 200);
    // The samples send the type of a body, and no body.
    let started = ask(ada, &format!("POST /v2/flows/{id}/start"), "", 202);
    assert_eq!(started, Value::Null);
    let later = ask(
        ada,
        &format!("POST /v2/flows/{id}/start?compat=later"),
        "",
        202,
    );
    assert_eq!(later["data"]["id"], id.as_str());
    ask(ada, &format!("POST /v2/flows/{id}/stop"), "", 202);
    ask(ada, &format!("DELETE /v2/flows/{id}"), "", 204);
    let team = r#"{"data":{"type":"team","attributes":{"name":"a"}}}"#;
    ask(ada, "POST /v2/flows", team, 409);
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn lookups() {
    let place = Place::new();
    let ada = &place.ada;
    let new = r#"{"data":{"type":"lookup","attributes":{"title":"Countries","data":{"de":"Germany","us":"USA"}}}}"#;
    let made = ask(ada, "POST /v2/lookups", new, 201);
    assert_eq!(attribute(&made, "title"), "Countries");
    let id = id_of(&made);
    ask(ada, "GET /v2/lookups", "", 200);
    let change = json!({ "data": {
        "type": "lookup", "id": id,
        "attributes": { "title": "Lands", "data": { "de": "Deutschland" } },
    } });
    // The request line has no id, and the sample has one.
    for path in ["/v2/lookups".to_owned(), format!("/v2/lookups/{id}")] {
        let changed = ask(ada, &format!("PUT {path}"), &change.to_string(), 200);
        assert_eq!(*attribute(&changed, "data"), json!({ "de": "Deutschland" }));
    }
    // The sample of the deletion names another resource, which must stay.
    let refused = ada.send("DELETE", &format!("/v2/organizations/{id}"), &[], "");
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("GET, HEAD"))
    );
    ask(ada, &format!("GET /v2/lookups/{id}"), "", 200);
    ask(ada, &format!("DELETE /v2/lookups/{id}"), "", 204);
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn organizations() {
    let place = Place::new();
    let (root, ada) = (&place.root, &place.ada);
    let new = r#"{"data":{"type":"organization","attributes":{"name":"Test Organization"}}}"#;
    ask(ada, "POST /v2/organizations", new, 403);
    let id = id_of(&ask(root, "POST /v2/organizations", new, 201));
    let base = format!("/v2/organizations/{id}");
    let member = |actor: &Actor, role: &str| {
        json!({ "data": { "id": actor.id(), "type": "member", "attributes": { "role": role } } })
            .to_string()
    };
    let join = format!("POST {base}/members");
    ask(root, &join, &member(ada, "admin"), 201);
    let bob = place.server.user("bob@example.com");
    ask(root, &join, &member(&bob, "integrator"), 201);
    ask(ada, &format!("GET {base}?include=members,invites"), "", 200);
    ask(ada, &format!("GET {base}/members/"), "", 200);
    for (path, kind, email) in [
        ("/invites/", "invite", "one@example.com"),
        ("/members/invite", "organization-invite", "two@example.com"),
    ] {
        let invite = json!({ "data": {
            "type": kind, "attributes": { "email": email, "role": "guest" },
        } });
        let made = ask(ada, &format!("POST {base}{path}"), &invite.to_string(), 201);
        assert_eq!(made["data"]["type"], "organization-invite");
    }
    let invites = ask(ada, &format!("GET {base}/invites/"), "", 200);
    let pending = ask(ada, &format!("GET {base}/members/pending"), "", 200);
    assert_eq!(invites["data"], pending["data"]);
    assert_eq!(invites["data"].as_array().map(Vec::len), Some(2));
    let path = format!("{base}/members/{}/", bob.id());
    let demoted = ask(ada, &format!("PATCH {path}"), &member(&bob, "Guest"), 200);
    assert_eq!(attribute(&demoted, "role"), "guest");
    ask(root, &format!("DELETE {path}"), "", 204);
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn scheduled_executions() {
    let place = Place::new();
    let ada = &place.ada;
    let base = format!("/v2/components/{}/versions/latest", place.built_in("timer"));
    // Without a credential the wrapped and the bare relationship are missing both.
    for (call, kind, attributes) in [
        (
            "verify-credential",
            "verify-credential",
            json!({ "fields": { "a": "b" } }),
        ),
        (
            "verify-credential",
            "verify-credential",
            json!({ "module": "timer", "keys": {} }),
        ),
        (
            "dynamic-metadata",
            "dynamic-metadata",
            json!({ "module": "timer", "fields": {} }),
        ),
        (
            "select-model",
            "dynamic-metadata",
            json!({ "module": "timer", "method": "options", "fields": {} }),
        ),
    ] {
        let sent = json!({ "data": { "type": kind, "attributes": attributes } });
        let told = ask(ada, &format!("POST {base}/{call}"), &sent.to_string(), 202);
        assert_eq!(told["data"]["type"], "execution-result");
        assert_eq!(
            *attribute(&told, "status"),
            json!("Pending request, waiting other process")
        );
    }
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn ssh_keys() {
    let place = Place::new();
    let ada = &place.ada;
    // The sample has neither `data` nor, as it is printed, its last quote.
    let broken = format!(r#"{{"type":"sshkey","attributes":{{"title":"a","key":"{RSA_KEY}}}}}"#);
    ask(ada, "POST /v2/sshkeys/", &broken, 400);
    let new = format!(r#"{{"type":"sshkey","attributes":{{"title":"a","key":"{RSA_KEY}"}}}}"#);
    let made = ask(ada, "POST /v2/sshkeys/", &new, 201);
    assert_eq!(*attribute(&made, "user_id"), json!(ada.id()));
    let listed = ask(ada, "GET /v2/sshkeys/", "", 200);
    assert_eq!(listed["data"][0], made["data"]);
    ask(
        ada,
        &format!("DELETE /v2/sshkeys/{}", id_of(&made)),
        "",
        204,
    );
    let wrapped = format!(r#"{{"data":{new}}}"#);
    ask(ada, "POST /v2/sshkeys/", &wrapped, 201);
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn teams() {
    let place = Place::new();
    let ada = &place.ada;
    let bob = place.server.user("bob@example.com");
    let made = ask(
        ada,
        "POST /v2/teams",
        r#"{"data":{"attributes":{"name":"mynewteam"}}}"#,
        201,
    );
    assert!(made["data"].is_object(), "one, where the sample has a list");
    let path = format!("/v2/teams/{}", id_of(&made));
    ask(ada, "GET /v2/teams/", "", 200);
    let member = json!({ "data": { "type": "user", "id": bob.id() } }).to_string();
    for (method, members) in [("POST", 2), ("DELETE", 1)] {
        let line = format!("{method} {path}/relationships/members");
        let team = ask(ada, &line, &member, 200);
        let users = team["data"]["relationships"]["users"]["data"].as_array();
        assert_eq!(users.map(Vec::len), Some(members), "{method}");
    }
    let deleted = ask(ada, &format!("DELETE {path}"), "", 200);
    assert_eq!(deleted, json!({ "meta": {} }));
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn users() {
    let place = Place::new();
    let (root, ada) = (&place.root, &place.ada);
    let me = ask(ada, "GET /v2/users/me", "", 200);
    assert_eq!(id_of(&me), ada.id());
    let new = r#"{"data":{"type":"user","attributes":{"first_name":"John","last_name":"Doe","email":"john@example.com","password":"secret","company":"Acme"}}}"#;
    ask(ada, "POST /v2/users", new, 403);
    let made = ask(root, "POST /v2/users", new, 201);
    let path = format!("/v2/users/{}", id_of(&made));
    ask(root, &format!("GET {path}"), "", 200);
    let page = ask(root, "GET /v2/users/?page[size]=2", "", 200);
    assert_eq!(
        page["meta"],
        json!({ "page": 1, "per_page": 2, "total": 3, "total_pages": 2 })
    );
    ask(ada, "GET /v2/users/", "", 403);
    ask(ada, &format!("DELETE {path}"), "", 403);
    ask(root, &format!("DELETE {path}"), "", 204);
    insta::assert_snapshot!(transcript::told());
}

#[test]
fn every_point_of_the_checklist_names_tests_that_are_there() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let list = fs::read_to_string(tests.join("golden/v2_checklist.txt")).expect("the checklist");
    let (mut points, mut proofs) = (0, 0);
    let mut is_proven = true;
    for line in list.lines() {
        if line.starts_with("- ") {
            assert!(is_proven, "the point before {line:?} has no proof");
            points += 1;
            is_proven = false;
        } else if let Some((file, name)) = line.trim().split_once(".rs ") {
            let source = fs::read_to_string(tests.join(format!("{file}.rs")))
                .unwrap_or_else(|error| panic!("{file}.rs: {error}"));
            let head = format!("#[test]\nfn {name}() {{");
            assert!(source.contains(&head), "{file}.rs has no test {name}");
            is_proven = true;
            proofs += 1;
        }
    }
    assert!(is_proven, "the last point has no proof");
    assert_eq!(
        points, 10,
        "the points of the contract; its first is two here"
    );
    assert!(proofs > points);
}
