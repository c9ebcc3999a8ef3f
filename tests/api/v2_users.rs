//! Users and API keys on the wire of v2 (`v2.md 4.10, 8`).

use elastane::store::{OpenMode, Store};
use serde_json::{Value, json};

use crate::support::organization::{Organization, document, id_of};
use crate::support::{Actor, TestServer};

/// The documented registration, its quotes repaired.
fn registration(email: &str) -> Value {
    json!({ "data": { "type": "user", "attributes": {
        "first_name": "John",
        "last_name": "Doe",
        "email": email,
        "password": "secret11",
        "company": "Doe & Partners",
    } } })
}

/// Makes a user as an administrator and returns its id.
fn make(admin: &Actor, email: &str) -> String {
    let made = admin.post("/v2/users", &registration(email)).json(201);
    made["data"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn everybody_sees_the_own_user() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let shown = ada.get("/v2/users/me").json(200);
    let path = format!("/v2/users/{}", ada.id());
    assert_eq!(
        shown,
        json!({
            "data": {
                "type": "user",
                "id": ada.id(),
                "attributes": {
                    "first_name": "Test",
                    "last_name": "User",
                    "email": "ada@example.com",
                    "registered": shown["data"]["attributes"]["registered"],
                },
                "links": { "self": path },
            },
            "meta": {},
        })
    );
    assert_eq!(ada.get(&path).json(200)["data"]["id"], ada.id());
}

#[test]
fn an_administrator_makes_a_user_who_makes_a_key_with_the_password() {
    let server = TestServer::start();
    let admin = server.admin("root@example.com");
    let answer = admin.post("/v2/users", &registration("test@example.com"));
    let made = answer.json(201);
    let id = made["data"]["id"].as_str().expect("an id");
    assert!(!answer.text.contains("secret"), "no password and no key");
    let location = format!("{}/v2/users/{id}", server.base);
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let own = server
        .anonymous()
        .signing_in("test@example.com", "secret11");
    assert_eq!(own.get("/v2/users/me").json(200)["data"]["id"], id);
    let sent = json!({ "data": { "type": "api-key", "attributes": {
        "name": "laptop", "expires_at": "2999-01-01T00:00:00Z",
    } } });
    let key = own.post("/v2/api-keys", &sent).json(201);
    let attributes = &key["data"]["attributes"];
    assert_eq!(attributes["name"], "laptop");
    assert_eq!(attributes["expires_at"], "2999-01-01T00:00:00.000Z");
    let secret = attributes["key"].as_str().expect("the key");
    assert_eq!(attributes["prefix"], secret[..8]);
    let by_key = server.anonymous().signing_in(secret, "");
    let listed = by_key.get("/v2/api-keys");
    assert!(!listed.text.contains(secret), "shown once");
    assert_eq!(listed.json(200)["data"][1]["attributes"]["name"], "laptop");
    let path = key["data"]["links"]["self"].as_str().expect("a link");
    assert_eq!(by_key.get(path).status, 200);
    let other = server.user("eve@example.com");
    let rotate = format!("{path}/rotate");
    assert_eq!(other.post(&rotate, &json!({})).status, 404);
    let rotated = own.post(&rotate, &json!({})).json(201);
    let attributes = &rotated["data"]["attributes"];
    assert_eq!(attributes["name"], "laptop");
    assert_eq!(attributes["expires_at"], "2999-01-01T00:00:00.000Z");
    let new = attributes["key"].as_str().expect("the key");
    let by_new = server.anonymous().signing_in(new, "");
    let new_path = rotated["data"]["links"]["self"].as_str().expect("a link");
    assert_eq!(
        by_key.get("/v2/api-keys").status,
        401,
        "the old one is dead"
    );
    assert_eq!(own.get(path).status, 404);
    assert_eq!(by_new.get(new_path).status, 200);
    assert_eq!(own.delete(new_path).status, 204);
    assert_eq!(by_new.get(new_path).status, 401);
}

#[test]
fn bad_keys_and_bad_users_are_told_by_place() {
    let server = TestServer::start();
    let admin = server.admin("root@example.com");
    for (attributes, pointer) in [
        (
            json!({ "expires_at": "tomorrow" }),
            "/data/attributes/expires_at",
        ),
        (
            json!({ "expires_at": "2001-01-01T00:00:00Z" }),
            "/data/attributes/expires_at",
        ),
        (json!({ "name": "" }), "/data/attributes/name"),
    ] {
        let sent = json!({ "data": { "type": "api-key", "attributes": attributes } });
        let answer = admin.post("/v2/api-keys", &sent).json(400);
        assert_eq!(answer["errors"][0]["source"]["pointer"], pointer);
    }
    let none = admin.post("/v2/users", &json!({ "data": { "type": "user" } }));
    let places: Vec<Value> = none.json(400)["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["source"]["pointer"].clone())
        .collect();
    let required = ["first_name", "last_name", "email", "password"];
    assert_eq!(
        places,
        required.map(|name| format!("/data/attributes/{name}"))
    );
    make(&admin, "test@example.com");
    let taken = admin.post("/v2/users", &registration("TEST@example.com"));
    let taken = taken.json(409);
    assert_eq!(
        taken["errors"][0]["source"]["pointer"],
        "/data/attributes/email"
    );
}

#[test]
fn others_than_administrators_are_forbidden_whatever_they_name() {
    let server = TestServer::start();
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let nothing = "5f0000000000000000000abc".to_owned();
    for id in [bob.id(), nothing, "x".to_owned()] {
        let path = format!("/v2/users/{id}");
        assert_eq!(ada.get(&path).status, 403, "{path}");
        assert_eq!(ada.delete(&path).status, 403, "{path}");
    }
    assert_eq!(ada.get("/v2/users/").status, 403);
    assert_eq!(
        ada.post("/v2/users", &registration("x@example.com")).status,
        403
    );
    assert_eq!(ada.post("/v2/users", &json!({})).status, 403);
    let admin = server.admin("root@example.com");
    assert_eq!(admin.get("/v2/users/5f0000000000000000000abc").status, 404);
}

#[test]
fn users_are_listed_in_pages_sorted_and_found_by_address() {
    let server = TestServer::start();
    let admin = server.admin("root@example.com");
    for email in ["zoe@example.com", "Anna@example.com"] {
        make(&admin, email);
    }
    let emails = |query: &str| -> Vec<String> {
        let listed = admin.get(&format!("/v2/users/{query}")).json(200);
        let users = listed["data"].as_array().expect("a list").iter();
        users
            .map(|user| {
                user["attributes"]["email"]
                    .as_str()
                    .expect("a text")
                    .to_owned()
            })
            .collect()
    };
    let (root, zoe, anna) = ("root@example.com", "zoe@example.com", "Anna@example.com");
    assert_eq!(emails(""), [root, zoe, anna], "by id");
    assert_eq!(emails("?sort=email"), [anna, root, zoe]);
    assert_eq!(emails("?sort=-email"), [zoe, root, anna]);
    assert_eq!(emails("?sort=-registered")[2], root);
    assert_eq!(emails("?filter%5Bemail%5D=anna@example.com"), [anna]);
    assert_eq!(
        emails("?filter[email]=nobody@example.com"),
        Vec::<String>::new()
    );
    // Nobody has an identity of OpenID.
    assert_eq!(
        emails("?filter[iss]=https://id.example.com&filter[sub]=1"),
        [""; 0]
    );
    let second = admin
        .get("/v2/users/?page%5Bsize%5D=1&page%5Bnumber%5D=2&sort=email")
        .json(200);
    assert_eq!(second["data"][0]["attributes"]["email"], root);
    assert_eq!(
        second["meta"],
        json!({ "page": 2, "per_page": 1, "total": 3, "total_pages": 3 })
    );
    let next = second["links"]["next"].as_str().expect("a link");
    assert_eq!(
        admin.get(next).json(200)["data"][0]["attributes"]["email"],
        zoe
    );
    assert_eq!(
        admin.get("/v2/users?page[size]=9999").json(200)["meta"]["per_page"],
        500
    );
    assert_eq!(admin.get("/v2/users?sort=company").status, 400);
}

#[test]
fn who_deletes_the_own_user_takes_teams_and_flows_along() {
    let server = TestServer::start();
    let admin = server.admin("root@example.com");
    let ada = server.user("ada@example.com");
    let team = ada.post("/v1/teams", &json!({ "name": "Ada's" })).json(201);
    let repo = ada.post("/v1/repos", &json!({ "name": "own" })).json(201);
    let team_path = format!("/v2/teams/{}", team["id"].as_str().expect("an id"));
    let component = format!("/v2/components/{}", repo["id"].as_str().expect("an id"));
    let sent = document("lookup", &json!({ "title": "t", "data": {} }));
    let lookup = id_of(&ada.post("/v2/lookups", &sent).json(201));
    let at = Organization::new(&server, "Hers");
    at.join(&ada, "admin");
    let user = format!("/v2/users/{}", ada.id());
    let gone = [
        team_path,
        component,
        format!("/v2/lookups/{lookup}"),
        at.path(""),
        user.clone(),
    ];
    for path in &gone {
        assert_eq!(admin.get(path).status, 200, "{path}");
    }
    assert_eq!(ada.delete(&user).status, 204);
    assert_eq!(ada.get("/v2/users/me").status, 401);
    let eve = server.user("eve@example.com");
    for path in &gone {
        assert_eq!(admin.get(path).status, 410, "{path}: who could see it");
        let hidden = if *path == user { 403 } else { 404 };
        assert_eq!(eve.get(path).status, hidden, "{path}");
    }
}

#[test]
fn a_user_whose_shared_component_is_in_anothers_flow_stays() {
    let server = TestServer::start();
    let admin = server.admin("root@example.com");
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let repo = ada
        .post("/v1/repos", &json!({ "name": "shared" }))
        .json(201);
    let id = repo["id"].as_str().expect("an id");
    let sent = json!({ "data": { "type": "component", "attributes": { "access": "tenant" } } });
    let shared = admin
        .patch(&format!("/v2/components/{id}"), &sent)
        .json(200);
    let team = shared["data"]["attributes"]["team_name"]
        .as_str()
        .expect("a text");
    let slug = team.to_lowercase().replace(' ', "-");
    let graph = json!({ "nodes": [{ "id": "step_1", "command": format!("{slug}/shared:f") }] });
    let flow = json!({ "data": { "type": "flow", "attributes": {
        "name": "f", "type": "ordinary", "graph": graph,
    } } });
    let made = bob.post("/v2/flows", &flow).json(201);
    let path = format!("/v2/users/{}", ada.id());
    assert_eq!(admin.delete(&path).status, 409);
    assert_eq!(ada.delete(&path).status, 409);
    let flow_path = made["data"]["links"]["self"].as_str().expect("a link");
    assert_eq!(bob.delete(flow_path).status, 204);
    assert_eq!(admin.delete(&path).status, 204);
    let database = server.installation.database();
    let store = Store::open(&database, OpenMode::Existing).expect("the database");
    assert!(store.check().expect("checked").is_sound());
}
