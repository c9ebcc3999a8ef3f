//! v1 and v2 are views of the same rows, and every link that v2 shows is served
//! (`v2.md 7`).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::json_api::links_of;
use crate::support::{Actor, TestServer};

/// A public key that nobody holds the other half of.
const SSH_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICv55RppFul96WlcCxAqGJ1mm2Db7DJzzXQ+yM5NMmd+ ada@laptop";

/// A chain of v1.
fn nodes() -> Value {
    json!([
        { "action": "elasticio/timer:timer", "config": { "interval": "minute" } },
        { "action": "elasticio/debug:log" },
    ])
}

/// Something made through v1: its call, and what v2 shows of it.
struct Pair {
    /// The path and body of the creation in v1, and its status.
    made: (&'static str, Value, u16),
    /// The path of its list in v2.
    list: &'static str,
    /// Its type in v2.
    kind: &'static str,
    /// Names of v1 and the attributes of v2 with the same values.
    same: &'static [(&'static str, &'static str)],
}

/// Every kind of object that both versions show.
fn pairs() -> Vec<Pair> {
    vec![
        Pair {
            made: ("/v1/teams", json!({ "name": "Crew" }), 201),
            list: "/v2/teams",
            kind: "team",
            same: &[("name", "name")],
        },
        Pair {
            made: ("/v1/repos", json!({ "name": "repo" }), 201),
            list: "/v2/components?filter[access]=private",
            kind: "component",
            same: &[("name", "name")],
        },
        Pair {
            made: ("/v1/sshkey", json!({ "title": "t", "key": SSH_KEY }), 201),
            list: "/v2/sshkeys",
            kind: "sshkey",
            same: &[
                ("title", "title"),
                ("key", "key"),
                ("fingerprint", "fingerprint"),
                ("user_id", "user_id"),
            ],
        },
        Pair {
            made: (
                "/v1/accounts",
                json!({ "name": "n", "type": "timer", "keys": { "a": 1 } }),
                200,
            ),
            list: "/v2/credentials",
            kind: "credential",
            same: &[("name", "name"), ("keys", "keys")],
        },
        Pair {
            made: ("/v1/tasks", json!({ "name": "n", "nodes": nodes() }), 200),
            list: "/v2/flows",
            kind: "flow",
            same: &[],
        },
    ]
}

#[test]
fn what_v1_made_v2_shows_and_what_v2_deleted_is_gone_in_v1() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let me = ada.get("/v1/users").json(200);
    let shown = ada.get("/v2/users/me").json(200);
    for name in ["first_name", "last_name", "email"] {
        assert_eq!(me[name], shown["data"]["attributes"][name], "{name}");
    }
    let mut made = Vec::new();
    for pair in pairs() {
        let (path, body, status) = &pair.made;
        let old = ada.post(path, body).json(*status);
        let listed = ada.get(pair.list).json(200);
        let mut resources = listed["data"].as_array().expect("a list").iter();
        let new = resources.find(|one| one["id"] == old["id"]);
        let new = new.unwrap_or_else(|| panic!("{path} is not in {}", pair.list));
        assert_eq!(new["type"], pair.kind);
        for (old_name, new_name) in pair.same {
            assert_eq!(
                old[old_name], new["attributes"][new_name],
                "{path} {old_name}"
            );
        }
        made.push(new["links"]["self"].as_str().expect("a link").to_owned());
    }
    // The team has a component: the order is the other way round.
    for path in made.iter().rev() {
        let deleted = ada.delete(path);
        assert!(
            matches!(deleted.status, 200 | 204),
            "{path}: {}",
            deleted.text
        );
    }
    for list in ["teams", "repos", "sshkey", "accounts"] {
        assert_eq!(
            ada.get(&format!("/v1/{list}")).json(200),
            json!([]),
            "{list}"
        );
    }
}

#[test]
fn what_v2_made_v1_shows() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let team = json!({ "data": { "attributes": { "name": "Crew" } } });
    let team = ada.post("/v2/teams", &team).json(201);
    let component = json!({ "data": {
        "type": "component",
        "attributes": { "name": "repo" },
        "relationships": { "team": { "data": { "type": "team", "id": team["data"]["id"] } } },
    } });
    let component = ada.post("/v2/components", &component).json(201);
    let old = ada.get("/v1/teams").json(200);
    assert_eq!(old[0]["id"], team["data"]["id"]);
    assert_eq!(old[0]["members"], json!([ada.id()]));
    let old = ada.get("/v1/repos").json(200);
    assert_eq!(old[0]["id"], component["data"]["id"]);
    assert_eq!(old[0]["team_id"], team["data"]["id"]);
    let credential = json!({ "data": {
        "type": "credential",
        "attributes": { "keys": { "a": 1 } },
        "relationships": { "component": {
            "data": { "type": "component", "id": component["data"]["id"] },
        } },
    } });
    let credential = ada.post("/v2/credentials", &credential).json(201);
    let old = ada.get("/v1/accounts").json(200);
    assert_eq!(old[0]["id"], credential["data"]["id"]);
    assert_eq!(old[0]["type"], "crew/repo");
    assert_eq!(old[0]["keys"], json!({ "a": 1 }));
    let flow = json!({ "data": { "type": "flow", "attributes": {
        "name": "f", "type": "ordinary",
        "graph": { "nodes": [{ "id": "a", "command": "elasticio/timer:timer" }] },
    } } });
    let flow = ada.post("/v2/flows", &flow).json(201);
    let id = flow["data"]["id"].as_str().expect("an id");
    let started = ada
        .post(&format!("/v1/tasks/start/{id}"), &json!({}))
        .json(200);
    assert_eq!(started["status"], "active");
    let shown = ada.get(&format!("/v2/flows/{id}")).json(200);
    assert_eq!(shown["data"]["attributes"]["status"], "active");
}

/// Reads a path and all that its links lead to; each is there, or for others alone.
fn follow(actor: &Actor, path: &str, seen: &mut BTreeSet<String>) {
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = actor.get(&path);
        assert!(
            matches!(answer.status, 200 | 403),
            "{path}: {} {}",
            answer.status,
            answer.text
        );
        let document: Value = serde_json::from_str(&answer.text).expect("JSON");
        waiting.extend(links_of(&document));
    }
}

#[test]
fn every_link_leads_somewhere() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let admin = server.admin("root@example.com");
    for pair in pairs() {
        let (path, body, status) = &pair.made;
        assert_eq!(ada.post(path, body).status, *status);
    }
    let key = json!({ "data": { "type": "api-key" } });
    assert_eq!(ada.post("/v2/api-keys", &key).status, 201);
    let routes = elastane::api::v2::routes();
    let lists = routes
        .iter()
        .filter(|route| route.method == "GET" && !route.path.contains('{'))
        // Samples are listed by their ids alone.
        .filter(|route| !route.path.ends_with("samples"))
        .map(|route| route.path);
    let mut seen = BTreeSet::new();
    for list in lists.clone() {
        let path = if list == "/v2/flows" {
            "/v2/flows?page[size]=1"
        } else {
            list
        };
        follow(&ada, path, &mut seen);
    }
    assert!(seen.len() > 40, "{} links", seen.len());
    assert!(seen.iter().any(|path| path.ends_with("/descriptor")));
    assert!(
        seen.iter()
            .any(|path| path.ends_with("/relationships/members"))
    );
    let mut seen = BTreeSet::new();
    for list in lists {
        follow(&admin, list, &mut seen);
    }
}

/// Makes one object of every kind through v1, and returns their ids: of a team, a
/// repository, an SSH key, an account and a task.
#[track_caller]
pub(super) fn make_one_of_each(actor: &Actor) -> [String; 5] {
    let ids: Vec<String> = pairs()
        .iter()
        .map(|pair| {
            let (path, body, status) = &pair.made;
            let made = actor.post(path, body).json(*status);
            made["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    ids.try_into().expect("five kinds")
}
