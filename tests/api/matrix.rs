//! Who may call what: every route times every kind of caller.

mod rows;

use std::collections::BTreeMap;

use elastane::api::route::Access;
use elastane::domain::principal::{Channel, Principal};
use elastane::domain::user::UserState;
use elastane::server::ServerOptions;
use elastane::store::{OpenMode, Store};
use serde_json::{Value, json};

use self::rows::{OF_SOMEBODY_ELSE, OF_SOMEBODY_ELSE_V2};
use crate::support::{Actor, Installation, TestServer};

/// A public key that nobody holds the other half of.
const SSH_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICv55RppFul96WlcCxAqGJ1mm2Db7DJzzXQ+yM5NMmd+ ada@laptop";

/// A server with Ada, who has one of everything.
struct House {
    server: TestServer,
    ada: Actor,
    team: String,
    ids: BTreeMap<&'static str, String>,
}

/// Schedules a call of a component, and returns its id.
fn scheduled(ada: &Actor) -> String {
    let sent = json!({
        "execution_type": "verify_credentials", "component": "shopware", "account_data": {},
    });
    let answer = ada.post("/v1/exec/schedule", &sent);
    let location = answer.header("location").expect("where to poll");
    location.rsplit('/').next().expect("an id").to_owned()
}

/// Runs a flow and gives its first step a snapshot.
fn run_of(ada: &Actor, flow: &str) -> [(&'static str, String); 2] {
    let path = format!("/v2/flows/{flow}");
    let run = ada.post(&format!("{path}/run-now"), &json!({})).json(202);
    let run = run["data"]["id"].as_str().expect("an id").to_owned();
    let sent = json!({ "data": {
        "type": "snapshot", "id": "step_1", "attributes": { "snapshot": 1 },
    } });
    let kept = ada.post(&format!("{path}/snapshots"), &sent);
    assert_eq!(kept.status, 201, "{}", kept.text);
    [("execution_id", run), ("step_id", "step_1".to_owned())]
}

impl House {
    fn new() -> Self {
        // The tests are a proxy, so that each request may come from an address of its own:
        // the limit of failed sign-ins is one of an address.
        let options = ServerOptions {
            trusted_proxies: vec![[127, 0, 0, 1].into()],
            ..ServerOptions::default()
        };
        let server = TestServer::over(Installation::new(), options);
        let ada = server.user("ada@example.com");
        let made = |path: &str, body: Value, status| {
            let answer = ada.post(path, &body).json(status);
            answer["id"].as_str().expect("an id").to_owned()
        };
        let team = made("/v1/teams", json!({ "name": "Ada's" }), 201);
        let repo = made("/v1/repos", json!({ "name": "private" }), 201);
        let timer = json!({ "action": "elasticio/timer:timer" });
        let log = json!({ "action": "elasticio/debug:log" });
        let sent = json!({ "data": { "type": "api-key" } });
        let key = ada.post("/v2/api-keys", &sent).json(201);
        let key = key["data"]["id"].as_str().expect("an id").to_owned();
        let mut ids = BTreeMap::from([
            ("api_key_id", key),
            ("team_id", team.clone()),
            ("component_id", repo.clone()),
            ("repo_id", repo),
            ("key_id", made("/v1/sshkey", json!({ "key": SSH_KEY }), 201)),
            (
                "account_id",
                made("/v1/accounts", json!({ "type": "shopware" }), 200),
            ),
            (
                "task_id",
                made(
                    "/v1/tasks",
                    json!({ "name": "t", "nodes": [timer, log] }),
                    200,
                ),
            ),
            ("recipe_id", "53d61965a6b9e9183f000001".to_owned()),
            ("version", "latest".to_owned()),
            (
                "user_id",
                made(
                    "/v1/users",
                    json!({ "first_name": "J", "last_name": "D", "email": "j@example.com", "password": "secret" }),
                    201,
                ),
            ),
        ]);
        ids.insert("credential_id", ids["account_id"].clone());
        ids.insert("flow_id", ids["task_id"].clone());
        ids.extend(organization_of(&server, &ada, &ids["component_id"]));
        ids.insert("exec_id", scheduled(&ada));
        ids.extend(run_of(&ada, &ids["task_id"]));
        Self {
            server,
            ada,
            team,
            ids,
        }
    }

    /// Makes somebody a member of Ada's team; v1 has no call that does.
    fn add_to_team(&self, actor: &Actor) {
        let team = self.team.parse().expect("a team id");
        let user = actor.user.as_ref().expect("a user").id;
        let database = self.server.installation.database();
        let store = Store::open(&database, OpenMode::Existing).expect("the database");
        store
            .write(move |write| write.insert_team_member(team, user, 1))
            .expect("a member");
        store.close();
    }

    /// Returns a route's path with Ada's ids in it.
    fn path(&self, pattern: &str) -> String {
        let mut path = pattern.to_owned();
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        assert!(!path.contains('{'), "no id for {pattern}");
        path
    }

    /// Returns all that Ada sees.
    fn adas(&self) -> Vec<Value> {
        [
            "accounts",
            "repos",
            "sshkey",
            "teams",
            "users",
            "components/mine",
        ]
        .map(|list| self.ada.get(&format!("/v1/{list}")).json(200))
        .to_vec()
    }
}

/// Makes an organization that Ada administers, with an invite, a lookup and a sample.
fn organization_of(
    server: &TestServer,
    ada: &Actor,
    component: &str,
) -> [(&'static str, String); 4] {
    let root = server.admin("first@example.com");
    let make = |who: &Actor, path: &str, data: Value| {
        let made = who.post(path, &json!({ "data": data })).json(201);
        made["data"]["id"].as_str().expect("an id").to_owned()
    };
    let sent = json!({ "type": "organization", "attributes": { "name": "Ada's" } });
    let organization = make(&root, "/v2/organizations", sent);
    let path = format!("/v2/organizations/{organization}");
    let sent = json!({ "type": "member", "id": ada.id(), "attributes": { "role": "admin" } });
    make(&root, &format!("{path}/members"), sent);
    let sent = json!({
        "type": "invite",
        "attributes": { "email": "nina@example.com", "role": "guest" },
    });
    let invite = make(ada, &format!("{path}/invites"), sent);
    let sent = json!({ "type": "lookup", "attributes": { "title": "t", "data": {} } });
    let lookup = make(ada, "/v2/lookups", sent);
    let sent = json!({
        "type": "data-sample",
        "attributes": { "method": "m", "result": {} },
        "relationships": {
            "component": { "data": { "type": "component", "id": component } },
            "component_version": { "data": { "type": "version", "id": "latest" } },
        },
    });
    let sample = make(ada, "/v2/samples", sent);
    [
        ("organization_id", organization),
        ("invite_id", invite),
        ("lookup_id", lookup),
        ("sample_id", sample),
    ]
}

/// Returns the routes that need a user.
fn guarded() -> Vec<(&'static str, &'static str)> {
    elastane::api::routes()
        .into_iter()
        .filter(|route| route.access == Access::User)
        .map(|route| (route.method, route.path))
        .collect()
}

#[test]
fn the_matrix_knows_every_route() {
    let mut routes = guarded();
    routes.sort_by_key(|(method, path)| (*path, *method));
    let v2 = OF_SOMEBODY_ELSE_V2.iter().map(|row| (row.0, row.1));
    let mut known: Vec<_> = OF_SOMEBODY_ELSE
        .iter()
        .map(|row| (row.0, row.1))
        .chain(v2)
        .collect();
    known.sort_by_key(|(method, path)| (*path, *method));
    assert_eq!(routes, known);
}

#[test]
fn whoever_is_not_known_is_challenged_on_every_route() {
    let house = House::new();
    let before = house.adas();
    let carol = house.server.user("carol@example.com");
    let app = &house.server.installation.app;
    let carols_id = carol.user.as_ref().expect("a user").id;
    app.set_user_state(
        &Principal::operator(Channel::Cli),
        carols_id,
        UserState::Disabled,
    )
    .expect("disabled");
    let nobody = house.server.anonymous();
    let wrong = nobody.signing_in("7a00b1ec-a0a8-4cea-84d2-d26052c8b788", "");
    let mut sent: u16 = 0;
    for (method, pattern) in guarded() {
        let path = house.path(pattern);
        for (caller, who) in [(&nobody, "nobody"), (&wrong, "wrong"), (&carol, "carol")] {
            for path in [path.clone(), format!("{path}/")] {
                let [high, low] = sent.to_be_bytes();
                let address = format!("198.18.{high}.{low}");
                sent += 1;
                let from = [("x-forwarded-for", address.as_str())];
                let answer = caller.send(method, &path, &from, "");
                assert_eq!(answer.status, 401, "{who}: {method} {path}");
                assert_eq!(
                    answer.header("www-authenticate"),
                    Some("Basic realm=\"Elastane\", charset=\"UTF-8\""),
                    "{who}: {method} {path}"
                );
            }
        }
    }
    assert_eq!(house.adas(), before);
}

/// Walks the table as callers that `caller` makes, one a route; Ada loses nothing.
fn assert_shut_out(house: &House, mut caller: impl FnMut() -> Actor) {
    let before = house.adas();
    let v2 = OF_SOMEBODY_ELSE_V2
        .iter()
        .map(|(method, pattern, expected, _)| (method, pattern, expected));
    let v1 = OF_SOMEBODY_ELSE
        .iter()
        .map(|(method, pattern, expected)| (method, pattern, expected));
    for (method, pattern, expected) in v1.chain(v2) {
        let path = house.path(pattern);
        let caller = caller();
        for path in [path.clone(), format!("{path}/")] {
            let answer = caller.send(method, &path, &[], "");
            assert_eq!(answer.status, *expected, "{method} {path}: {}", answer.text);
        }
    }
    assert_eq!(house.adas(), before);
    let start = house
        .ada
        .post(&house.path("/v1/tasks/start/{task_id}"), &json!({}));
    assert_eq!(start.status, 200, "Ada's task is still there");
}

#[test]
fn another_user_without_any_team_finds_nothing_of_adas() {
    let house = House::new();
    let mut number = 0;
    // A new one for each route: some of the calls make a team.
    assert_shut_out(&house, || {
        number += 1;
        let user = house.server.user(&format!("dora{number}@example.com"));
        assert_eq!(user.get("/v1/teams").json(200), json!([]));
        user
    });
}

#[test]
fn another_team_finds_nothing_of_adas() {
    let house = House::new();
    let bob = house.server.user("bob@example.com");
    let team = bob.post("/v1/teams", &json!({ "name": "Bob's" }));
    assert_eq!(team.status, 201);
    assert_shut_out(&house, || bob.clone());
}

#[test]
fn an_administrator_finds_nothing_of_adas_in_v1_and_passes_in_v2() {
    let house = House::new();
    let root = house.server.admin("root@example.com");
    let before = house.adas();
    for (method, pattern, expected) in OF_SOMEBODY_ELSE {
        let answer = root.send(method, &house.path(pattern), &[], "");
        assert_eq!(
            answer.status, *expected,
            "{method} {pattern}: {}",
            answer.text
        );
    }
    assert_eq!(house.adas(), before);
    for (method, pattern, _, expected) in OF_SOMEBODY_ELSE_V2 {
        let answer = root.send(method, &house.path(pattern), &[], "");
        assert_eq!(
            answer.status, *expected,
            "{method} {pattern}: {}",
            answer.text
        );
    }
}

#[test]
fn a_second_member_shares_what_is_the_teams_and_nothing_else() {
    let house = House::new();
    let bea = house.server.user("bea@example.com");
    let shared = ["/v1/repos/{repo_id}", "/v1/repos/{repo_id}/env"];
    for pattern in shared {
        assert_eq!(bea.get(&house.path(pattern)).status, 404, "{pattern}");
    }
    house.add_to_team(&bea);
    for pattern in shared {
        let path = house.path(pattern);
        assert_eq!(bea.get(&path).json(200), house.ada.get(&path).json(200));
    }
    for list in ["repos", "teams"] {
        let path = format!("/v1/{list}");
        assert_eq!(bea.get(&path).json(200), house.ada.get(&path).json(200));
    }
    let before = house.adas();
    for (method, pattern) in [
        ("GET", "/v1/accounts/{account_id}"),
        ("PUT", "/v1/accounts/{account_id}"),
        ("DELETE", "/v1/sshkey/{key_id}"),
        ("POST", "/v1/tasks/start/{task_id}"),
        ("POST", "/v1/tasks/stop/{task_id}"),
        ("POST", "/v1/tasks/suspend/{task_id}"),
        ("DELETE", "/v1/tasks/{task_id}"),
        ("DELETE", "/v1/users/{user_id}"),
    ] {
        let answer = bea.send(method, &house.path(pattern), &[], "");
        assert_eq!(answer.status, 404, "{method} {pattern}: {}", answer.text);
    }
    for list in ["accounts", "sshkey"] {
        assert_eq!(bea.get(&format!("/v1/{list}")).json(200), json!([]));
    }
    assert_eq!(house.adas(), before);
    let env = house.path("/v1/repos/{repo_id}/env");
    let set = bea.put(&env, &json!({ "LEVEL": "7" })).json(200);
    assert_eq!(house.ada.get(&env).json(200), set);
}

#[test]
fn no_list_shows_what_is_anothers() {
    let house = House::new();
    let bob = house.server.user("bob@example.com");
    for list in [
        "v1/accounts",
        "v1/repos",
        "v1/sshkey",
        "v1/teams",
        "v1/components/mine",
        "v1/components",
        "v2/api-keys",
        "v2/components",
        "v2/credentials",
        "v2/flows",
        "v2/sshkeys",
        "v2/teams",
    ] {
        let seen = bob.get(&format!("/{list}"));
        assert_eq!(seen.status, 200);
        for id in house.ids.values().filter(|id| *id != "latest") {
            assert!(!seen.text.contains(id.as_str()), "{list} shows {id}");
        }
        assert!(!seen.text.contains(&house.ada.id()), "{list} shows Ada");
    }
}

#[test]
fn every_route_refuses_wrong_methods_and_wrong_types() {
    let house = House::new();
    for (method, pattern) in guarded() {
        for path in [house.path(pattern), format!("{}/", house.path(pattern))] {
            let wrong = house.ada.send("PROPFIND", &path, &[], "");
            assert_eq!(wrong.status, 405, "{path}");
            let allow = wrong.header("allow").expect("Allow");
            assert!(
                allow.split(", ").any(|allowed| allowed == method),
                "{path}: {allow}"
            );
            assert_eq!(
                allow.contains("GET"),
                allow.contains("HEAD"),
                "{path}: {allow}"
            );
            let accept = [("accept", "text/xml")];
            assert_eq!(
                house.ada.send(method, &path, &accept, "").status,
                406,
                "{method} {path}"
            );
        }
    }
}
