//! Organizations, members and invites on the wire of v2 (`v2.md 4.6, 8`).

use serde_json::{Value, json};

use crate::support::organization::{Organization, document, id_of};
use crate::support::{Actor, TestServer};

/// Invites somebody and returns the invite's document.
fn invite(who: &Actor, at: &Organization, email: &str, role: &str) -> Value {
    let sent = document("invite", &json!({ "email": email, "role": role }));
    who.post(&at.path("/invites/"), &sent).json(201)
}

/// Returns the path of an accept link.
fn link_of(made: &Value) -> String {
    let link = made["data"]["attributes"]["accept_link"].as_str();
    let link = link.expect("a link, since no mail is sent");
    link[link.find("/v2/").expect("a path")..].to_owned()
}

#[test]
fn an_organization_begins_empty_and_its_maker_is_no_member() {
    let server = TestServer::start();
    let root = server.admin("root@example.com");
    let sent = document("organization", &json!({ "name": "The Company" }));
    let answer = root.post("/v2/organizations", &sent);
    let made = answer.json(201);
    let id = id_of(&made);
    let path = format!("/v2/organizations/{id}");
    assert_eq!(
        made,
        json!({
            "data": {
                "type": "organization",
                "id": id,
                "attributes": { "name": "The Company" },
                "relationships": {
                    "members": { "data": [], "links": { "self": format!("{path}/members") } },
                    "invites": { "data": [], "links": { "self": format!("{path}/invites") } },
                },
                "links": { "self": path },
            },
            "meta": {},
        })
    );
    let location = format!("{}{path}", server.base);
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(root.get(&path).json(200), made);
    let ada = server.user("ada@example.com");
    assert_eq!(ada.post("/v2/organizations", &sent).status, 403);
    assert_eq!(ada.get(&path).status, 404);
    let unnamed = document("organization", &json!({ "name": " " }));
    let refused = root.post("/v2/organizations", &unnamed).json(400);
    assert_eq!(
        refused["errors"][0]["source"]["pointer"],
        "/data/attributes/name"
    );
}

#[test]
fn people_are_included_where_they_are_asked_for() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "admin");
    let invited = id_of(&invite(&ada, &at, "bob@example.com", "integrator"));
    let plain = ada.get(&at.path("")).json(200);
    assert!(plain.get("included").is_none());
    let relationships = &plain["data"]["relationships"];
    assert_eq!(
        relationships["members"]["data"],
        json!([{ "type": "member", "id": ada.id() }])
    );
    assert_eq!(
        relationships["invites"]["data"],
        json!([{ "type": "organization-invite", "id": invited }])
    );
    let full = ada.get(&at.path("?include=members,invites")).json(200);
    let member = json!({
        "type": "member",
        "id": ada.id(),
        "attributes": {
            "first_name": "Test",
            "last_name": "User",
            "email": "ada@example.com",
            "role": "admin",
        },
        "links": { "self": at.path(&format!("/members/{}", ada.id())) },
    });
    assert_eq!(full["included"][0], member);
    assert_eq!(
        full["included"][1]["attributes"]["email"],
        "bob@example.com"
    );
    assert_eq!(full["included"][1]["attributes"]["role"], "integrator");
    assert_eq!(full["included"].as_array().map(Vec::len), Some(2));
    let bad = ada.get(&at.path("?include=flows")).json(400);
    assert_eq!(bad["errors"][0]["source"]["parameter"], "include");
    for path in [
        at.path("/members"),
        at.path("/invites"),
        at.path("/members/pending"),
        at.path(&format!("/members/{}", ada.id())),
        at.path(&format!("/invites/{invited}")),
    ] {
        assert_eq!(ada.get(&path).status, 200, "{path}");
        assert_eq!(at.root.get(&path).status, 200, "{path}");
    }
    let listed = ada.get(&at.path("/members/")).json(200);
    assert_eq!(listed, json!({ "data": [member], "meta": {} }));
}

#[test]
fn nobody_deletes_an_organization_by_the_path_of_a_lookup() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let answer = at.root.delete(&at.path(""));
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    assert_eq!(at.root.get(&at.path("")).status, 200);
}

#[test]
fn administrators_of_the_installation_add_members_at_once() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "Admin");
    let bob = server.user("bob@example.com");
    let mut sent = document("member", &json!({ "role": "integrator" }));
    sent["data"]["id"] = bob.id().into();
    let members = at.path("/members");
    assert_eq!(ada.post(&members, &sent).status, 403);
    let made = at.root.post(&members, &sent).json(201);
    assert_eq!(made["data"]["attributes"]["role"], "integrator");
    assert_eq!(at.root.post(&members, &sent).status, 409);
    sent["data"]["id"] = "5f0000000000000000000abc".into();
    assert_eq!(at.root.post(&members, &sent).status, 404);
    sent["data"]["attributes"]["role"] = "owner".into();
    let bad = at.root.post(&members, &sent).json(400);
    assert_eq!(
        bad["errors"][0]["source"]["pointer"],
        "/data/attributes/role"
    );
    sent["data"]["type"] = "user".into();
    assert_eq!(at.root.post(&members, &sent).status, 409);
}

#[test]
fn roles_are_set_by_administrators_and_the_last_of_them_stays() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "admin");
    let bob = at.member(&server, "bob@example.com", "integrator");
    let change = |role: &str, id: &str| {
        let mut sent = document("member", &json!({ "role": role }));
        sent["data"]["id"] = id.into();
        sent
    };
    let path_of = |actor: &Actor| at.path(&format!("/members/{}/", actor.id()));
    let down = change("guest", &ada.id());
    assert_eq!(bob.patch(&path_of(&ada), &down).status, 403);
    assert_eq!(ada.patch(&path_of(&ada), &down).status, 409);
    assert_eq!(at.root.patch(&path_of(&ada), &down).status, 409);
    assert_eq!(ada.patch(&path_of(&bob), &down).status, 409, "another id");
    let up = change("ADMIN", &bob.id());
    let raised = ada.patch(&path_of(&bob), &up).json(200);
    assert_eq!(raised["data"]["attributes"]["role"], "admin");
    let lowered = bob.patch(&path_of(&ada), &down).json(200);
    assert_eq!(lowered["data"]["attributes"]["role"], "guest");
    assert_eq!(
        ada.patch(&path_of(&ada), &change("admin", &ada.id()))
            .status,
        403
    );
    let unsaid = json!({ "data": { "type": "member", "attributes": { "role": "guest" } } });
    assert_eq!(bob.patch(&path_of(&ada), &unsaid).status, 400);
}

#[test]
fn an_invite_is_accepted_once_by_who_is_signed_in() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "admin");
    let made = invite(&ada, &at, "Bob@Example.com", "Integrator");
    assert_eq!(made["data"]["type"], "organization-invite");
    assert_eq!(made["data"]["attributes"]["role"], "integrator");
    let own = made["data"]["links"]["self"]
        .as_str()
        .expect("a link")
        .to_owned();
    let link = link_of(&made);
    let seen = ada.get(&own);
    assert_eq!(seen.status, 200);
    let token = link.rsplit('/').next().expect("a token");
    assert!(!seen.text.contains(token), "the token is shown once");
    let bob = server.user("bob@example.com");
    assert_eq!(bob.get(&own).status, 404);
    let peeked = server.anonymous().get(&link).json(200);
    assert_eq!(peeked["data"]["attributes"]["organization_name"], "Company");
    assert_eq!(peeked["data"]["attributes"]["email"], "Bob@Example.com");
    let joined = bob.post(&link, &json!({})).json(201);
    assert_eq!(joined["data"]["type"], "member");
    assert_eq!(joined["data"]["id"], bob.id().as_str());
    assert_eq!(joined["data"]["attributes"]["role"], "integrator");
    assert_eq!(bob.get(&link).status, 404);
    assert_eq!(bob.post(&link, &json!({})).status, 404);
    assert_eq!(bob.get(&own).status, 410);
    assert_eq!(bob.get(&at.path("/invites")).json(200)["data"], json!([]));
}

#[test]
fn an_invite_makes_a_user_of_somebody_new() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "admin");
    let link = link_of(&invite(&ada, &at, "nina@example.com", "guest"));
    let nina = server.anonymous();
    let bad = document("user", &json!({ "first_name": "Nina", "password": "abc" }));
    let refused = nina.post(&link, &bad).json(400);
    let pointers: Vec<&str> = refused["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|error| error["source"]["pointer"].as_str())
        .collect();
    assert_eq!(
        pointers,
        ["/data/attributes/last_name", "/data/attributes/password"]
    );
    let good = document(
        "user",
        &json!({ "first_name": "Nina", "last_name": "Nilsson", "password": "correct horse" }),
    );
    let joined = nina.post(&link, &good).json(201);
    assert_eq!(joined["data"]["attributes"]["email"], "nina@example.com");
    let nina = nina.signing_in("nina@example.com", "correct horse");
    let members = nina.get(&at.path("/members")).json(200);
    assert_eq!(members["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(server.anonymous().post(&link, &good).status, 404);
}

#[test]
fn a_newcomer_can_not_take_the_address_of_a_user() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "admin");
    let bob = server.user("bob@example.com");
    let link = link_of(&invite(&ada, &at, "bob@example.com", "guest"));
    let sent = document(
        "user",
        &json!({ "first_name": "B", "last_name": "B", "password": "correct horse" }),
    );
    assert_eq!(server.anonymous().post(&link, &sent).status, 409);
    let wrong = bob.signing_in("bob@example.com", "no password of bob");
    assert_eq!(wrong.post(&link, &sent).status, 401);
    assert_eq!(bob.post(&link, &sent).status, 201);
}

#[test]
fn invites_are_for_administrators_and_one_an_address() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "admin");
    let bob = at.member(&server, "bob@example.com", "integrator");
    let sent = document(
        "invite",
        &json!({ "email": "n@example.com", "role": "guest" }),
    );
    assert_eq!(bob.post(&at.path("/invites"), &sent).status, 403);
    assert_eq!(ada.post(&at.path("/members/invite"), &sent).status, 201);
    assert_eq!(at.root.post(&at.path("/invites"), &sent).status, 409);
    let member = document(
        "invite",
        &json!({ "email": "BOB@example.com", "role": "guest" }),
    );
    assert_eq!(ada.post(&at.path("/invites"), &member).status, 409);
    for (attributes, pointer) in [
        (json!({ "role": "guest" }), "/data/attributes/email"),
        (
            json!({ "email": "x", "role": "guest" }),
            "/data/attributes/email",
        ),
        (
            json!({ "email": "x@example.com", "role": "boss" }),
            "/data/attributes/role",
        ),
    ] {
        let answer = ada.post(&at.path("/invites"), &document("invite", &attributes));
        let refused = answer.json(400);
        assert_eq!(refused["errors"][0]["source"]["pointer"], pointer);
    }
    let listed = bob.get(&at.path("/invites")).json(200);
    let own = listed["data"][0]["links"]["self"].as_str().expect("a link");
    assert_eq!(bob.delete(own).status, 403);
    assert_eq!(ada.delete(own).status, 204);
    assert_eq!(ada.get(own).status, 410);
    assert_eq!(ada.post(&at.path("/invites"), &sent).status, 201);
}

#[test]
fn what_a_removed_member_had_passes_to_who_removes_it() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "admin");
    let bob = at.member(&server, "bob@example.com", "integrator");
    let sent = document("lookup", &json!({ "title": "t", "data": { "a": 1 } }));
    let lookup = id_of(&bob.post("/v2/lookups", &sent).json(201));
    let lookup = format!("/v2/lookups/{lookup}");
    let account = bob
        .post("/v1/accounts", &json!({ "keys": { "k": "v" } }))
        .json(200);
    let account = format!("/v1/accounts/{}", account["id"].as_str().expect("an id"));
    let member = at.path(&format!("/members/{}", bob.id()));
    assert_eq!(ada.delete(&member).status, 403);
    assert_eq!(at.root.delete(&member).status, 204);
    let kept = ada.get(&lookup).json(200);
    assert_eq!(
        kept["data"]["relationships"]["user"]["data"]["id"],
        at.root.id().as_str()
    );
    assert_eq!(
        kept["data"]["relationships"]["organization"]["data"]["id"],
        at.id.as_str()
    );
    assert_eq!(bob.get(&lookup).status, 404);
    assert_eq!(bob.get(&account).status, 404);
    assert_eq!(at.root.get(&account).json(200)["keys"], json!({ "k": "v" }));
    assert_eq!(ada.get(&member).status, 410);
    assert_eq!(bob.get(&member).status, 404);
    let last = at.path(&format!("/members/{}", ada.id()));
    let carl = at.member(&server, "carl@example.com", "guest");
    assert_eq!(at.root.delete(&last).status, 409, "the last administrator");
    let path = at.path(&format!("/members/{}", carl.id()));
    assert_eq!(at.root.delete(&path).status, 204);
    assert_eq!(at.root.delete(&last).status, 204, "the last member");
    assert_eq!(at.root.delete(&last).status, 410);
    at.join(&bob, "guest");
    assert_eq!(bob.get(&member).status, 200, "back again");
}

#[test]
fn an_administrator_who_removes_the_own_membership_hands_over_like_others() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    at.join(&at.root, "admin");
    let ada = at.member(&server, "ada@example.com", "guest");
    let own = at.path(&format!("/members/{}", at.root.id()));
    assert_eq!(at.root.delete(&own).status, 409, "the last administrator");
    let bob = at.member(&server, "bob@example.com", "admin");
    let sent = document("lookup", &json!({ "title": "t", "data": { "a": 1 } }));
    let lookup = id_of(&at.root.post("/v2/lookups", &sent).json(201));
    let sent = json!({ "keys": { "k": "v" } });
    let account = at.root.post("/v1/accounts", &sent).json(200);
    let account = format!("/v1/accounts/{}", account["id"].as_str().expect("an id"));
    assert_eq!(at.root.delete(&own).status, 204);
    let kept = ada.get(&format!("/v2/lookups/{lookup}")).json(200);
    let user = &kept["data"]["relationships"]["user"]["data"]["id"];
    assert_eq!(user, bob.id().as_str(), "the other administrator");
    assert_eq!(bob.get(&account).json(200)["keys"], json!({ "k": "v" }));
    assert_eq!(at.root.get(&account).status, 404);
    at.join(&at.root, "integrator");
    let path = at.path(&format!("/members/{}", ada.id()));
    assert_eq!(at.root.delete(&path).status, 204);
    let path = at.path(&format!("/members/{}", bob.id()));
    assert_eq!(at.root.delete(&path).status, 409, "the last administrator");
}
