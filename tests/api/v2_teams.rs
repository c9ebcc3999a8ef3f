//! Teams on the wire of v2 (`v2.md 4.9`).

use serde_json::{Value, json};

use crate::support::{Actor, TestServer};

/// Makes a team and returns its path.
fn make(actor: &Actor, name: &str) -> String {
    // The documented request lacks the type.
    let sent = json!({ "data": { "attributes": { "name": name } } });
    let made = actor.post("/v2/teams", &sent).json(201);
    made["data"]["links"]["self"]
        .as_str()
        .expect("a link")
        .to_owned()
}

/// Returns who is in a team.
fn users_of(document: &Value) -> Vec<&str> {
    let users = document["data"]["relationships"]["users"]["data"].as_array();
    users
        .expect("users")
        .iter()
        .map(|user| user["id"].as_str().expect("an id"))
        .collect()
}

/// Names a user.
fn named(actor: &Actor) -> Value {
    json!({ "type": "user", "id": actor.id() })
}

#[test]
fn a_team_is_made_listed_renamed_and_deleted() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let path = make(&ada, "myteam");
    let id = path.rsplit('/').next().expect("an id");
    let shown = ada.get(&path).json(200);
    assert_eq!(
        shown,
        json!({
            "data": {
                "type": "team",
                "id": id,
                "attributes": { "name": "myteam" },
                "relationships": {
                    "users": {
                        "data": [{ "type": "user", "id": ada.id() }],
                        "links": { "self": format!("{path}/relationships/members") },
                    },
                    "components": { "data": [] },
                },
                "links": { "self": path },
            },
            "meta": {},
        })
    );
    let listed = json!({ "data": [shown["data"]], "meta": {} });
    assert_eq!(ada.get("/v2/teams/").json(200), listed);
    let unnamed = ada.post("/v2/teams", &json!({ "data": { "type": "team" } }));
    assert_eq!(unnamed.json(201)["data"]["attributes"]["name"], "Team 1");
    let wrong = ada.post("/v2/teams", &json!({ "data": { "type": "user" } }));
    assert_eq!(wrong.status, 409);
    let change = json!({ "data": { "type": "team", "id": id, "attributes": { "name": "Mine" } } });
    let renamed = ada.patch(&path, &change).json(200);
    assert_eq!(renamed["data"]["attributes"]["name"], "Mine");
    let without_id = json!({ "data": { "type": "team", "attributes": { "name": "x" } } });
    assert_eq!(ada.patch(&path, &without_id).status, 400);
    assert_eq!(ada.delete(&path).json(200), json!({ "meta": {} }));
    assert_eq!(ada.delete(&path).status, 410);
    let other = make(&ada, "other");
    assert_eq!(ada.delete(&format!("{other}?compat=later")).status, 204);
}

#[test]
fn members_come_and_go_by_one_and_by_several() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let (bea, cyd) = (
        server.user("bea@example.com"),
        server.user("cyd@example.com"),
    );
    let team = make(&ada, "crew");
    let members = format!("{team}/relationships/members");
    let one = json!({ "data": named(&bea) });
    assert_eq!(bea.get(&team).status, 404);
    for _ in 0..2 {
        let added = ada.post(&members, &one).json(200);
        assert_eq!(users_of(&added), [ada.id(), bea.id()], "added once");
    }
    let two = json!({ "data": [named(&bea), named(&cyd)] });
    let added = bea.post(&members, &two).json(200);
    assert_eq!(users_of(&added), [ada.id(), bea.id(), cyd.id()]);
    let told = cyd.get(&members).json(200);
    assert_eq!(told["data"], json!([named(&ada), named(&bea), named(&cyd)]));
    let body = one.to_string();
    let json_type = [("content-type", "application/json")];
    for _ in 0..2 {
        let left = ada.send("DELETE", &members, &json_type, &body).json(200);
        assert_eq!(users_of(&left), [ada.id(), cyd.id()]);
    }
    let later = format!("{members}?compat=later");
    let cyds = json!({ "data": [named(&cyd)] }).to_string();
    assert_eq!(ada.send("DELETE", &later, &json_type, &cyds).status, 204);
    let last = json!({ "data": named(&ada) }).to_string();
    assert_eq!(ada.send("DELETE", &members, &json_type, &last).status, 409);
    assert_eq!(cyd.get(&team).status, 404);
}

#[test]
fn who_is_nobody_is_named_by_place() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let members = format!("{}/relationships/members", make(&ada, "crew"));
    let nobody = json!({ "type": "user", "id": "5f0000000000000000000abc" });
    for (data, status, pointer) in [
        (nobody.clone(), 400, "/data/id"),
        (json!([named(&ada), nobody]), 400, "/data/1/id"),
        (json!([{ "type": "user", "id": "x" }]), 400, "/data/0/id"),
        (json!({ "type": "team", "id": ada.id() }), 409, "/data/type"),
        (json!({ "id": ada.id() }), 400, "/data/type"),
        (json!({ "type": "user" }), 400, "/data/id"),
        (json!([]), 400, "/data"),
        (Value::Null, 400, "/data"),
    ] {
        let answer = ada.post(&members, &json!({ "data": data })).json(status);
        assert_eq!(answer["errors"][0]["source"]["pointer"], pointer, "{data}");
    }
}

#[test]
fn a_team_with_components_stays_and_the_built_in_one_always() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let admin = server.admin("root@example.com");
    let team = make(&ada, "crew");
    let id = team.rsplit('/').next().expect("an id");
    let repo = json!({ "name": "r", "team_id": id });
    let repo = ada.post("/v1/repos", &repo).json(201);
    let shown = ada.get(&team).json(200);
    assert_eq!(
        shown["data"]["relationships"]["components"]["data"],
        json!([{ "type": "component", "id": repo["id"] }])
    );
    assert_eq!(ada.delete(&team).status, 409);
    let component = format!("/v2/components/{}", repo["id"].as_str().expect("an id"));
    assert_eq!(ada.delete(&component).json(200), json!({ "meta": {} }));
    assert_eq!(ada.delete(&team).status, 200);
    let listed = admin.get("/v2/components").json(200);
    let built_in = listed["data"][0]["relationships"]["team"]["links"]["self"].clone();
    let built_in = built_in.as_str().expect("an administrator sees the team");
    assert_eq!(admin.get(built_in).status, 200);
    assert_eq!(admin.delete(built_in).status, 403);
}
