//! Lookups on the wire of v2 (`v2.md 4.5`), and the scope of keys (`v2.md 2.1`).

use elastane::app::SecretText;
use elastane::domain::id::OrganizationId;
use elastane::domain::principal::{Channel, Principal};
use serde_json::{Value, json};

use crate::support::organization::{Organization, document, id_of};
use crate::support::{Actor, TestServer};

/// Returns a lookup's request.
fn lookup(title: &str) -> Value {
    document(
        "lookup",
        &json!({ "title": title, "data": { "DE": "Germany" } }),
    )
}

/// Returns the titles of a list.
fn titles(actor: &Actor, query: &str) -> Vec<String> {
    let listed = actor.get(&format!("/v2/lookups{query}")).json(200);
    let listed = listed["data"].as_array().expect("a list").clone();
    listed
        .iter()
        .map(|one| {
            one["attributes"]["title"]
                .as_str()
                .expect("a title")
                .to_owned()
        })
        .collect()
}

#[test]
fn a_lookup_is_made_read_replaced_and_deleted() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let made = ada.post("/v2/lookups", &lookup("Countries")).json(201);
    let id = id_of(&made);
    let path = format!("/v2/lookups/{id}");
    assert_eq!(
        made,
        json!({
            "data": {
                "type": "lookup",
                "id": id,
                "attributes": { "title": "Countries", "data": { "DE": "Germany" } },
                "relationships": { "user": {
                    "data": { "type": "user", "id": ada.id() },
                    "links": { "self": format!("/v2/users/{}", ada.id()) },
                } },
                "links": { "self": path },
            },
            "meta": {},
        })
    );
    assert_eq!(ada.get(&path).json(200), made);
    let listed = json!({ "data": [made["data"]], "meta": {} });
    assert_eq!(ada.get("/v2/lookups/").json(200), listed);
    let mut other = document(
        "lookup",
        &json!({ "title": "Cities", "data": { "B": [1] } }),
    );
    let replaced = ada.put(&path, &other).json(200);
    assert_eq!(replaced["data"]["attributes"], other["data"]["attributes"]);
    assert_eq!(ada.put("/v2/lookups", &other).status, 400, "no id at all");
    other["data"]["id"] = id.as_str().into();
    other["data"]["attributes"]["title"] = "Towns".into();
    let replaced = ada.put("/v2/lookups", &other).json(200);
    assert_eq!(replaced["data"]["attributes"]["title"], "Towns");
    let part = document("lookup", &json!({ "title": "Places" }));
    assert_eq!(ada.put(&path, &part).status, 400, "PUT wants both");
    let changed = ada.patch(&path, &part).json(200);
    assert_eq!(
        changed["data"]["attributes"],
        json!({ "title": "Places", "data": { "B": [1] } })
    );
    assert_eq!(ada.delete(&path).status, 204);
    assert_eq!(ada.get(&path).status, 410);
    assert_eq!(ada.put("/v2/lookups", &other).status, 410);
    assert_eq!(server.user("bob@example.com").get(&path).status, 404);
}

#[test]
fn faults_of_a_lookup_are_told_with_their_place() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for (attributes, pointer) in [
        (json!({ "data": {} }), "/data/attributes/title"),
        (
            json!({ "title": " ", "data": {} }),
            "/data/attributes/title",
        ),
        (json!({ "title": "t" }), "/data/attributes/data"),
        (json!({ "title": "t", "data": [] }), "/data/attributes/data"),
        (
            json!({ "title": "t", "data": { "a": "x".repeat(300_000) } }),
            "/data/attributes/data",
        ),
    ] {
        let answer = ada.post("/v2/lookups", &document("lookup", &attributes));
        let refused = answer.json(400);
        assert_eq!(refused["errors"][0]["source"]["pointer"], pointer);
    }
    assert_eq!(
        ada.post("/v2/lookups", &document("team", &json!({})))
            .status,
        409
    );
    assert_eq!(titles(&ada, ""), [""; 0]);
}

/// Makes a key that carries an organization, and who signs in with it.
fn carrying(server: &TestServer, actor: &Actor, organization: &str) -> Actor {
    let user = actor.user.as_ref().expect("a user").id;
    let id: OrganizationId = organization.parse().expect("an id");
    let operator = Principal::operator(Channel::Cli);
    let made = server
        .installation
        .app
        .create_api_key(&operator, user, "carrying", None, Some(id))
        .expect("a key");
    let secret: &SecretText = &made.secret;
    actor.signing_in(secret.expose(), "")
}

#[test]
fn a_key_decides_whose_lookups_are_listed_and_made() {
    let server = TestServer::start();
    let (one, two) = (
        Organization::new(&server, "One"),
        Organization::new(&server, "Two"),
    );
    let ada = server.user("ada@example.com");
    assert_eq!(ada.post("/v2/lookups", &lookup("before")).status, 201);
    one.join(&ada, "integrator");
    assert_eq!(titles(&ada, ""), [""; 0], "the only membership is used");
    assert_eq!(ada.post("/v2/lookups", &lookup("of one")).status, 201);
    assert_eq!(titles(&ada, ""), ["of one"]);
    two.join(&ada, "integrator");
    assert_eq!(titles(&ada, ""), ["before"], "several mean oneself");
    let in_two = carrying(&server, &ada, &two.id);
    assert_eq!(in_two.post("/v2/lookups", &lookup("of two")).status, 201);
    assert_eq!(titles(&in_two, ""), ["of two"]);
    let of_one = format!("?workspace_id={}", one.id);
    assert_eq!(titles(&in_two, &of_one), ["of one"]);
    let later = format!("{of_one}&contract_id=anything");
    assert_eq!(titles(&ada, &later), ["of one"]);
    for id in ["5f0000000000000000000abc", "nonsense"] {
        let path = format!("/v2/lookups?workspace_id={id}");
        assert_eq!(ada.get(&path).status, 403, "{path}");
    }
    let mut named = lookup("named");
    named["data"]["relationships"] =
        json!({ "workspace": { "data": { "type": "workspace", "id": one.id } } });
    assert_eq!(in_two.post("/v2/lookups", &named).status, 201);
    assert_eq!(titles(&ada, &of_one), ["of one", "named"]);
    let bob = server.user("bob@example.com");
    assert_eq!(bob.post("/v2/lookups", &named).status, 404);
    let removed = two.path(&format!("/members/{}", ada.id()));
    assert_eq!(two.root.delete(&removed).status, 204);
    assert_eq!(
        titles(&in_two, ""),
        ["before"],
        "a key of an organization that was left is never turned to another one"
    );
}
