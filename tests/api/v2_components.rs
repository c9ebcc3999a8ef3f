//! Components, builds, variables and credentials on the wire of v2 (`v2.md 4.1, 4.2`).

use elastane::server::ServerOptions;
use serde_json::{Value, json};

use crate::support::{Actor, Installation, TestServer};

/// Makes a team and a component in it, and returns the component's path.
fn make(actor: &Actor, name: &str) -> String {
    let team = json!({ "data": { "type": "team", "attributes": { "name": name } } });
    let team = actor.post("/v2/teams", &team).json(201);
    let made = actor.post("/v2/components/", &new(name, &team["data"]["id"]));
    let made = made.json(201);
    assert!(
        made["data"]["relationships"]
            .get("latest_version")
            .is_none()
    );
    made["data"]["links"]["self"]
        .as_str()
        .expect("a link")
        .to_owned()
}

/// The documented creation.
fn new(name: &str, team: &Value) -> Value {
    json!({ "data": {
        "type": "component",
        "attributes": { "name": name },
        "relationships": { "team": { "data": { "type": "team", "id": team } } },
    } })
}

/// Finds a built-in component by its name.
fn built_in(actor: &Actor, name: &str) -> Value {
    let listed = actor.get("/v2/components?filter[access]=public").json(200);
    let mut components = listed["data"].as_array().expect("a list").iter();
    let found = components.find(|component| component["attributes"]["name"] == name);
    found.expect("a built-in component").clone()
}

#[test]
fn built_in_components_are_shown_with_their_newest_build() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let timer = built_in(&ada, "timer");
    assert_eq!(timer["attributes"]["access"], "global");
    assert_eq!(timer["attributes"]["team_name"], "elasticio");
    assert!(
        timer["relationships"].get("team").is_none(),
        "the team is not Ada's"
    );
    let path = timer["links"]["self"].as_str().expect("a link");
    let one = ada.get(path).json(200);
    assert_eq!(one["data"], timer);
    let kinds: Vec<&Value> = one["included"]
        .as_array()
        .expect("included")
        .iter()
        .map(|resource| &resource["type"])
        .collect();
    assert_eq!(kinds, ["version", "descriptor"]);
    let versions = ada.get(&format!("{path}/versions")).json(200);
    assert_eq!(versions["data"][0], one["included"][0]);
    let version = &versions["data"][0];
    assert_eq!(version["attributes"]["versionNumber"], 1);
    assert_eq!(version["attributes"]["version_number"], 1);
    assert!(version["attributes"]["date"].is_i64());
    let latest = ada.get(&format!("{path}/versions/latest")).json(200);
    assert_eq!(latest["data"], *version);
    let descriptor = ada
        .get(&format!("{path}/versions/latest/descriptor"))
        .json(200);
    assert_eq!(latest["included"], json!([descriptor["data"]]));
    let aliased = ada
        .get(&format!("{path}/version/latest/descriptor"))
        .json(200);
    assert_eq!(aliased, descriptor);
    let link = descriptor["data"]["links"]["self"]
        .as_str()
        .expect("a link");
    assert!(link.ends_with(&format!(
        "/versions/{}/descriptor",
        version["id"].as_str().unwrap()
    )));
    assert_eq!(ada.get(link).json(200), descriptor);
    let attributes = &descriptor["data"]["attributes"];
    assert!(attributes["triggers"]["timer"].is_object());
    assert_eq!(attributes["is_latest"], true);
    assert_eq!(attributes["short_revision"].as_str().map(str::len), Some(7));
    assert_eq!(ada.get(&format!("{path}/versions/nothing")).status, 404);
    assert_eq!(ada.delete(path).status, 403);
    assert_eq!(ada.get(&format!("{path}/env")).status, 403);
}

#[test]
fn lists_are_narrowed_by_access_and_read_in_pages() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let own = make(&ada, "mine");
    let links = |query: &str| -> Vec<String> {
        let listed = ada.get(&format!("/v2/components{query}")).json(200);
        let list = listed["data"].as_array().expect("a list").iter();
        list.map(|one| one["links"]["self"].as_str().expect("a link").to_owned())
            .collect()
    };
    assert_eq!(links("?filter%5Baccess%5D=private"), [own.as_str()]);
    let public = links("?filter[access]=public");
    assert!(public.len() > 5 && !public.contains(&own));
    let all = links("?filter[access]=all");
    assert_eq!(all.len(), public.len() + 1);
    assert_eq!(links(""), all);
    assert_eq!(links("?page[size]=2&page[number]=2"), all[2..4]);
    let wrong = ada.get("/v2/components?filter[access]=mine").json(400);
    assert_eq!(wrong["errors"][0]["source"]["parameter"], "filter[access]");
}

#[test]
fn a_component_belongs_to_a_team_of_the_caller() {
    let server = TestServer::start();
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let path = make(&ada, "mine");
    let shown = ada.get(&path).json(200);
    let team = &shown["data"]["relationships"]["team"]["data"]["id"];
    assert_eq!(shown["data"]["attributes"]["access"], "team");
    assert_eq!(eve.get(&path).status, 404);
    assert_eq!(eve.post("/v2/components", &new("x", team)).status, 404);
    assert_eq!(ada.post("/v2/components", &new("mine", team)).status, 409);
    let nowhere = ada.post(
        "/v2/components",
        &new("x", &json!("5f0000000000000000000abc")),
    );
    assert_eq!(nowhere.status, 404);
    for (sent, pointer) in [
        (new("", team), "/data/attributes/name"),
        (
            json!({ "data": { "type": "component", "attributes": { "name": "x" } } }),
            "/data/relationships/team",
        ),
        (
            json!({ "data": { "type": "component", "attributes": { "name": "x" },
                "relationships": { "team": { "data": { "type": "user", "id": "x" } } } } }),
            "/data/relationships/team/data/type",
        ),
    ] {
        let answer = ada.post("/v2/components", &sent).json(400);
        assert_eq!(answer["errors"][0]["source"]["pointer"], pointer);
    }
    assert_eq!(ada.delete(&format!("{path}?compat=later")).status, 204);
    assert_eq!(ada.get(&path).status, 410);
}

#[test]
fn an_administrator_shares_a_component_once_and_for_all() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let (eve, admin) = (
        server.user("eve@example.com"),
        server.admin("root@example.com"),
    );
    let path = make(&ada, "mine");
    let to = |access: &str| json!({ "data": { "type": "component", "attributes": { "access": access } } });
    assert_eq!(ada.patch(&path, &to("tenant")).status, 403);
    assert_eq!(ada.patch("/v2/components/x", &to("tenant")).status, 403);
    for (access, status, is_now) in [
        ("global", 403, "team"),
        ("public", 400, "team"),
        ("team", 200, "team"),
        ("tenant", 200, "tenant"),
        ("tenant", 200, "tenant"),
        ("team", 403, "tenant"),
    ] {
        assert_eq!(admin.patch(&path, &to(access)).status, status, "{access}");
        let shown = ada.get(&path).json(200);
        assert_eq!(shown["data"]["attributes"]["access"], is_now, "{access}");
    }
    let seen = eve.get(&path).json(200);
    assert!(seen["data"]["relationships"].get("team").is_none());
    assert_eq!(eve.get(&format!("{path}/env")).status, 403);
    assert_eq!(eve.delete(&path).status, 403);
}

#[test]
fn variables_are_replaced_as_a_whole() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let path = format!("{}/env", make(&ada, "mine"));
    let vars = |vars: Value| json!({ "data": { "type": "component-env", "attributes": { "vars": vars } } });
    let first = ada
        .put(&path, &vars(json!({ "A": "1", "B": "2" })))
        .json(200);
    assert_eq!(
        first["data"]["attributes"]["vars"],
        json!({ "A": "1", "B": "2" })
    );
    assert_eq!(first["data"]["links"]["self"], path);
    let second = ada
        .put(&path, &vars(json!({ "B": 3, "C": true })))
        .json(200);
    assert_eq!(
        second["data"]["attributes"]["vars"],
        json!({ "B": "3", "C": "true" })
    );
    for (sent, pointer) in [
        (vars(json!({ "A": null })), "/data/attributes/vars/A"),
        (vars(json!({ "a/b": "x" })), "/data/attributes/vars/a~1b"),
        (vars(json!([])), "/data/attributes/vars"),
        (vars(Value::Null), "/data/attributes/vars"),
    ] {
        let answer = ada.put(&path, &sent).json(400);
        assert_eq!(answer["errors"][0]["source"]["pointer"], pointer);
    }
    assert_eq!(ada.get(&path).json(200), second);
}

#[test]
fn a_credential_is_made_for_a_component_and_its_owners_alone() {
    let server = TestServer::start();
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let component = built_in(&ada, "timer")["id"].clone();
    let sent = json!({ "data": {
        "type": "credential",
        "attributes": { "name": "Spreadsheet", "keys": { "oauth": { "key": "secret1" } } },
        "relationships": { "component": { "data": { "id": component, "type": "component" } } },
    } });
    let made = ada.post("/v2/credentials/", &sent).json(201);
    let path = made["data"]["links"]["self"].as_str().expect("a link");
    let component_id = component.as_str().expect("an id");
    assert_eq!(
        made["data"],
        json!({
            "type": "credential",
            "id": path.rsplit('/').next(),
            "attributes": { "name": "Spreadsheet", "keys": { "oauth": { "key": "secret1" } } },
            "relationships": {
                "user": {
                    "data": { "type": "user", "id": ada.id() },
                    "links": { "self": format!("/v2/users/{}", ada.id()) },
                },
                "component": {
                    "data": { "type": "component", "id": component },
                    "links": { "self": format!("/v2/components/{component_id}") },
                },
            },
            "links": { "self": path },
        })
    );
    let filtered = format!("/v2/credentials/?filter%5Bcomponent%5D={component_id}");
    assert_eq!(ada.get(&filtered).json(200)["data"], json!([made["data"]]));
    let none = ada.get("/v2/credentials?filter[component]=x").json(200);
    assert_eq!(none["data"], json!([]));
    let change = |attributes: Value| {
        json!({ "data": {
        "type": "credential", "id": made["data"]["id"], "attributes": attributes,
    } })
    };
    let changed = ada.patch(path, &change(json!({ "keys": { "key1": "new" } })));
    let changed = changed.json(200);
    assert_eq!(
        changed["data"]["attributes"],
        json!({ "name": "Spreadsheet", "keys": { "key1": "new" } })
    );
    assert_eq!(ada.patch(path, &change(json!({}))).json(200), changed);
    for other in [eve, server.admin("root@example.com")] {
        assert_eq!(other.get(path).status, 404);
        assert_eq!(other.patch(path, &change(json!({}))).status, 404);
        assert_eq!(other.delete(path).status, 404);
    }
    assert_eq!(ada.delete(path).status, 204);
    assert_eq!(ada.get(path).status, 410);
}

#[test]
fn a_credential_of_no_component_is_refused_by_place() {
    let server = TestServer::start();
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let private = make(&eve, "hers");
    let private = private.rsplit('/').next().expect("an id");
    let of = |component: Value| {
        json!({ "data": {
        "type": "credential", "relationships": { "component": component },
    } })
    };
    for (component, pointer) in [
        (Value::Null, "/data/relationships/component"),
        (
            json!({ "data": { "type": "component", "id": private } }),
            "/data/relationships/component/data/id",
        ),
        (
            json!({ "data": { "type": "component", "id": "x" } }),
            "/data/relationships/component/data/id",
        ),
    ] {
        let answer = ada.post("/v2/credentials", &of(component)).json(400);
        assert_eq!(answer["errors"][0]["source"]["pointer"], pointer);
    }
    let timer = built_in(&ada, "timer")["id"].clone();
    let bare = of(json!({ "type": "component", "id": timer }));
    let made = ada.post("/v2/credentials", &bare).json(201);
    assert_eq!(made["data"]["attributes"]["name"], "timer account");
    assert_eq!(made["data"]["attributes"]["keys"], json!({}));
}

#[test]
fn a_component_shows_the_logo_that_it_was_made_with() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let path = make(&ada, "plain");
    let shown = ada.get(&path).json(200);
    assert!(shown["data"]["attributes"].get("icon").is_none());
    let team = &shown["data"]["relationships"]["team"]["data"]["id"];
    let with_icon = |icon: Value| {
        let mut sent = new("drawn", team);
        sent["data"]["attributes"]["icon"] = icon;
        ada.post("/v2/components", &sent)
    };
    for wrong in [
        json!("a logo?"),
        json!(""),
        json!("A".repeat(350_004)),
        json!(1),
    ] {
        let answer = with_icon(wrong).json(400);
        let pointer = &answer["errors"][0]["source"]["pointer"];
        assert_eq!(pointer, "/data/attributes/icon");
    }
    let made = with_icon(json!("aWNvbg==")).json(201);
    assert_eq!(made["data"]["attributes"]["icon"], "aWNvbg==");
    let path = made["data"]["links"]["self"].as_str().expect("a link");
    assert_eq!(ada.get(path).json(200), made);
    assert!(made.get("included").is_none(), "there is no build");
}

#[test]
fn variables_are_read_by_everyone_where_the_operator_wants_it() {
    for is_open in [false, true] {
        let installation =
            Installation::with(|options| options.rules.env_readable_by_users = is_open);
        let server = TestServer::over(installation, ServerOptions::default());
        let (root, ada, eve) = (
            server.admin("root@example.com"),
            server.user("ada@example.com"),
            server.user("eve@example.com"),
        );
        let (path, private) = (make(&ada, "shared"), make(&ada, "hers"));
        let env = format!("{path}/env");
        let sent = json!({ "data": {
            "type": "component-env", "attributes": { "vars": { "A": "1" } },
        } });
        let stored = ada.put(&env, &sent).json(200);
        let shared = json!({ "data": {
            "type": "component", "attributes": { "access": "tenant" },
        } });
        assert_eq!(root.patch(&path, &shared).status, 200);
        if is_open {
            assert_eq!(eve.get(&env).json(200), stored);
        } else {
            assert_eq!(eve.get(&env).status, 403);
        }
        assert_eq!(eve.put(&env, &sent).status, 403);
        assert_eq!(eve.get(&format!("{private}/env")).status, 404);
    }
}
