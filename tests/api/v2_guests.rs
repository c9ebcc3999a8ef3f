//! A guest reads and nothing else, everywhere (`v2.md 9`, item 1).

use serde_json::{Value, json};

use crate::support::organization::{Organization, document, id_of};
use crate::support::{Actor, TestServer};

/// A key that nobody holds the other half of.
const SSH_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICv55RppFul96WlcCxAqGJ1mm2Db7DJzzXQ+yM5NMmd+ a@b";

/// What an integrator of the organization made.
struct Things {
    task: String,
    account: String,
    repo: String,
    lookup: String,
    sample: String,
}

impl Things {
    /// Makes one of everything.
    fn of(actor: &Actor) -> Self {
        let id = |answer: Value| answer["id"].as_str().expect("an id").to_owned();
        let chain = json!({ "name": "t", "nodes": [
            { "action": "elasticio/timer:timer" }, { "action": "elasticio/debug:log" },
        ] });
        let repo = id(actor
            .post("/v1/repos", &json!({ "name": "Shop" }))
            .json(201));
        let lookup = document("lookup", &json!({ "title": "t", "data": {} }));
        Self {
            task: id(actor.post("/v1/tasks", &chain).json(200)),
            account: id(actor.post("/v1/accounts", &json!({})).json(200)),
            lookup: id_of(&actor.post("/v2/lookups", &lookup).json(201)),
            sample: id_of(&actor.post("/v2/samples", &sample(&repo)).json(201)),
            repo,
        }
    }
}

/// Returns the request of a flow.
fn flow() -> Value {
    let graph = json!({
        "nodes": [
            { "id": "step_1", "command": "elasticio/timer:timer" },
            { "id": "step_2", "command": "elasticio/debug:log" },
        ],
        "edges": [{ "source": "step_1", "target": "step_2" }],
    });
    document(
        "flow",
        &json!({ "name": "f", "type": "ordinary", "graph": graph }),
    )
}

/// Returns the request of a sample.
fn sample(component: &str) -> Value {
    json!({ "data": {
        "type": "data-sample",
        "attributes": { "method": "m", "result": 1 },
        "relationships": {
            "component": { "data": { "type": "component", "id": component } },
            "component_version": { "data": { "type": "version", "id": "latest" } },
        },
    } })
}

/// Returns every call by which something is made or changed, and its well-formed body.
fn writes(things: &Things) -> Vec<(&'static str, String, Value)> {
    let mut writes = writes_of_v1(things);
    writes.extend(writes_of_v2(things));
    writes
}

/// Returns those of v2.
fn writes_of_v2(things: &Things) -> Vec<(&'static str, String, Value)> {
    let lookup = document("lookup", &json!({ "title": "x", "data": {} }));
    let mut change = document("data-sample", &json!({ "method": "x" }));
    change["data"]["id"] = things.sample.as_str().into();
    let none = json!({});
    let Things { task, repo, .. } = things;
    vec![
        ("POST", "/v2/lookups".to_owned(), lookup.clone()),
        (
            "PUT",
            format!("/v2/lookups/{}", things.lookup),
            lookup.clone(),
        ),
        ("PATCH", format!("/v2/lookups/{}", things.lookup), lookup),
        (
            "DELETE",
            format!("/v2/lookups/{}", things.lookup),
            none.clone(),
        ),
        ("POST", "/v2/samples".to_owned(), sample(repo)),
        ("PATCH", format!("/v2/samples/{}", things.sample), change),
        (
            "POST",
            "/v2/teams".to_owned(),
            document("team", &json!({ "name": format!("T {task}") })),
        ),
        ("POST", "/v2/flows".to_owned(), flow()),
        ("POST", format!("/v2/flows/{task}/start"), none.clone()),
        ("POST", format!("/v2/flows/{task}/stop"), none.clone()),
        ("PATCH", format!("/v2/flows/{task}"), {
            let mut sent = document("flow", &json!({ "name": "other" }));
            sent["data"]["id"] = task.as_str().into();
            sent
        }),
        ("POST", "/v2/credentials".to_owned(), {
            let mut sent = document("credential", &json!({ "keys": {} }));
            sent["data"]["relationships"] =
                json!({ "component": { "data": { "type": "component", "id": repo } } });
            sent
        }),
        (
            "PUT",
            format!("/v2/components/{repo}/env"),
            document("component-env", &json!({ "vars": { "A": "b" } })),
        ),
        ("GET", format!("/v2/components/{repo}/env"), none.clone()),
        ("DELETE", format!("/v2/flows/{task}"), none.clone()),
        ("DELETE", format!("/v2/components/{repo}"), none.clone()),
        ("POST", "/v2/resources/storage/signed-url".to_owned(), none),
    ]
}

/// Returns those of v1.
fn writes_of_v1(things: &Things) -> Vec<(&'static str, String, Value)> {
    let chain = json!({ "name": "t", "nodes": [
        { "action": "elasticio/timer:timer" }, { "action": "elasticio/debug:log" },
    ] });
    let none = json!({});
    let Things {
        task,
        account,
        repo,
        ..
    } = things;
    vec![
        ("POST", "/v1/tasks".to_owned(), chain),
        ("POST", format!("/v1/tasks/start/{task}"), none.clone()),
        ("POST", format!("/v1/tasks/stop/{task}"), none.clone()),
        ("POST", format!("/v1/tasks/suspend/{task}"), none.clone()),
        ("DELETE", format!("/v1/tasks/{task}"), none.clone()),
        ("POST", "/v1/accounts".to_owned(), none.clone()),
        ("POST", "/v1/teams".to_owned(), none.clone()),
        ("POST", "/v1/repos".to_owned(), none.clone()),
        ("DELETE", format!("/v1/repos/{repo}"), none.clone()),
        ("PUT", format!("/v1/repos/{repo}/env"), json!({ "A": "b" })),
        ("GET", format!("/v1/repos/{repo}/env"), none.clone()),
        (
            "POST",
            "/v1/recipes/timer_heartbeat".to_owned(),
            json!({ "accounts": {} }),
        ),
        // An account is its owner's to change, whatever the role of others.
        ("PUT", format!("/v1/accounts/{account}"), none),
    ]
}

#[test]
fn a_guest_makes_and_changes_nothing() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "integrator");
    let guest = at.member(&server, "guest@example.com", "guest");
    let things = Things::of(&ada);
    for (method, path, body) in writes(&things) {
        let json = [("content-type", "application/json")];
        let answer = guest.send(method, &path, &json, &body.to_string());
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
    }
    for path in [
        format!("/v1/repos/{}", things.repo),
        format!("/v2/components/{}", things.repo),
        format!("/v2/flows/{}", things.task),
        "/v2/flows".to_owned(),
        "/v2/credentials".to_owned(),
        format!("/v2/lookups/{}", things.lookup),
        format!("/v2/samples/{}", things.sample),
        "/v2/lookups".to_owned(),
        at.path("?include=members,invites"),
    ] {
        assert_eq!(guest.get(&path).status, 200, "{path}");
    }
}

#[test]
fn an_integrator_passes_where_a_guest_does_not() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "integrator");
    let bea = at.member(&server, "bea@example.com", "integrator");
    let things = Things::of(&ada);
    for (method, path, body) in writes(&things) {
        let json = [("content-type", "application/json")];
        let is_gone = method == "DELETE";
        if is_gone || path.ends_with(&things.account) {
            continue;
        }
        let answer = bea.send(method, &path, &json, &body.to_string());
        assert!(answer.status < 300, "{method} {path}: {}", answer.text);
    }
    // One of each pair of paths to the same object.
    for (method, path, _) in writes(&things) {
        if method == "DELETE" && !path.starts_with("/v1/") {
            let answer = bea.send(method, &path, &[], "");
            assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        }
    }
}

#[test]
fn what_is_a_guests_own_key_stays_its_own() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let guest = at.member(&server, "guest@example.com", "guest");
    let made = guest
        .post("/v1/sshkey", &json!({ "key": SSH_KEY }))
        .json(201);
    let path = format!("/v1/sshkey/{}", made["id"].as_str().expect("an id"));
    assert_eq!(guest.delete(&path).status, 200);
}

#[test]
fn outsiders_find_nothing_of_an_organization() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "integrator");
    let eve = server.user("eve@example.com");
    let things = Things::of(&ada);
    for (method, path, body) in writes(&things) {
        let makes = method == "POST" && !path.contains(&things.task);
        if makes {
            continue;
        }
        let json = [("content-type", "application/json")];
        let answer = eve.send(method, &path, &json, &body.to_string());
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
    }
}
