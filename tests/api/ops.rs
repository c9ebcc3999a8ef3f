//! What operators rely on: who reads the metrics, maintenance, limits by rate.

use std::thread;
use std::time::Duration;

use elastane::api::shared::ApiOptions;
use elastane::app::{App, Opening};
use elastane::clock::Clock;
use elastane::domain::principal::{Channel, Principal};
use elastane::server::ServerOptions;
use serde_json::{Value, json};

use crate::support::installation::{PASSWORD, options_in};
use crate::support::{Actor, Answer, Installation, TestServer};

/// The token of the metrics.
const TOKEN: &str = "s3cret-of-the-scraper";

/// A key that nobody has.
const WRONG_KEY: &str = "7a00b1ec-a0a8-4cea-84d2-d26052c8b788";

/// Any moment; the clock stands still, so that no token comes back meanwhile.
const NOW_MS: i64 = 1_700_000_000_000;

/// Starts a server that believes the tests where a request comes from.
fn behind_a_proxy(installation: Installation, metrics_token: Option<&str>) -> TestServer {
    let options = ServerOptions {
        trusted_proxies: vec![[127, 0, 0, 1].into()],
        api: ApiOptions {
            metrics_token: metrics_token.map(str::to_owned),
            ..ApiOptions::default()
        },
        ..ServerOptions::default()
    };
    TestServer::over(installation, options)
}

/// Starts a server whose clock stands still, with or without limits of requests.
fn at_one_moment(request_limits: bool) -> TestServer {
    let installation = Installation::with(|options| {
        options.clock = Clock::fixed(NOW_MS);
        options.rules.request_limits = request_limits;
    });
    behind_a_proxy(installation, None)
}

/// Sends GET from an address.
fn get_from(actor: &Actor, path: &str, address: &str) -> Answer {
    actor.send("GET", path, &[("x-forwarded-for", address)], "")
}

/// Returns the same actor with any `Authorization`.
fn with_authorization(actor: &Actor, authorization: Option<&str>) -> Actor {
    let mut actor = actor.clone();
    actor.authorization = authorization.map(str::to_owned);
    actor
}

/// Asserts a 429 and that it says when to come back.
#[track_caller]
fn assert_too_many(answer: &Answer) {
    assert_eq!(answer.status, 429, "{}", answer.text);
    let wait = answer.header("retry-after").expect("Retry-After");
    assert!(wait.parse::<u32>().expect("seconds") > 0, "{wait}");
}

#[test]
fn metrics_are_for_this_machine_and_for_holders_of_the_token() {
    let server = behind_a_proxy(Installation::new(), Some(TOKEN));
    let nobody = server.anonymous();
    assert_eq!(nobody.get("/metrics").status, 200);
    // What a proxy forwards comes from anywhere, whatever address it names.
    assert_eq!(get_from(&nobody, "/metrics", "127.0.0.1").status, 403);
    let root = server.admin("root@example.com");
    for address in ["203.0.113.9", "10.0.0.9", "2001:db8::9"] {
        let status = |authorization: Option<&str>| {
            let actor = with_authorization(&nobody, authorization);
            get_from(&actor, "/metrics", address).status
        };
        assert_eq!(status(None), 403, "{address}");
        assert_eq!(status(Some(&format!("Bearer {TOKEN}"))), 200, "{address}");
        for wrong in ["Bearer wrong", "Bearer ", "Bearer", "Basic czNjcmV0", TOKEN] {
            assert_eq!(status(Some(wrong)), 403, "{address}: {wrong}");
        }
        assert_eq!(get_from(&root, "/metrics", address).status, 403);
    }
    let refused = get_from(&nobody, "/metrics", "203.0.113.9");
    assert!(!refused.text.contains("elastane_requests_total"));
}

#[test]
fn without_a_token_no_bearer_reads_the_metrics_from_elsewhere() {
    let server = behind_a_proxy(Installation::new(), None);
    for sent in ["Bearer ", "Bearer anything"] {
        let actor = with_authorization(&server.anonymous(), Some(sent));
        assert_eq!(get_from(&actor, "/metrics", "203.0.113.9").status, 403);
        assert_eq!(actor.get("/metrics").status, 200);
    }
}

/// Asks until the status is `expected`, for at most 3 s.
fn wait_for_status(actor: &Actor, expected: u16) -> Answer {
    let mut answer = actor.get("/v1/users");
    for _ in 0..60 {
        if answer.status == expected {
            break;
        }
        thread::sleep(Duration::from_millis(50));
        answer = actor.get("/v1/users");
    }
    assert_eq!(answer.status, expected, "{}", answer.text);
    answer
}

#[test]
fn maintenance_set_by_another_process_is_obeyed_and_health_stays_up() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let nobody = server.anonymous();
    let options = options_in(server.installation.database());
    let elsewhere = App::open(&options, Opening::Use).expect("the same database");
    let operator = Principal::operator(Channel::Cli);
    assert_eq!(ada.get("/v1/users").status, 200);
    for round in 0..2 {
        elsewhere
            .set_maintenance(&operator, Some("back at noon"))
            .expect("on");
        let told = wait_for_status(&ada, 503);
        assert!(told.text.contains("back at noon"), "{}", told.text);
        let wait = told.header("retry-after").expect("Retry-After");
        assert!(wait.parse::<u32>().expect("seconds") > 0, "{wait}");
        let made = ada.post("/v1/teams", &json!({ "name": format!("Team {round}") }));
        assert_eq!(made.status, 503);
        assert_eq!(nobody.get("/v1/users").status, 503, "before who asks");
        assert_eq!(nobody.get("/healthz").status, 200);
        assert_eq!(nobody.get("/readyz").json(200)["maintenance"], true);
        assert_eq!(nobody.get("/metrics").status, 200);
        elsewhere.set_maintenance(&operator, None).expect("off");
        let _back = wait_for_status(&ada, 200);
        assert_eq!(nobody.get("/readyz").json(200)["maintenance"], false);
        assert_eq!(ada.get("/v1/teams").json(200), json!([]), "none was made");
    }
    elsewhere.close();
}

#[test]
fn a_burst_of_one_account_ends_in_429_and_others_go_on() {
    let server = at_one_moment(true);
    let ada = server.user("ada@example.com");
    let bob = server.user("bob@example.com");
    // A bucket holds 200; elsewhere the account is the same.
    for number in 0..200 {
        assert_eq!(ada.get("/v1/teams").status, 200, "request {number}");
    }
    assert_too_many(&ada.get("/v1/teams"));
    assert_too_many(&get_from(&ada, "/v1/teams", "203.0.113.9"));
    assert_eq!(bob.get("/v1/teams").status, 200);
    assert_eq!(ada.get("/healthz").status, 200);
    assert_eq!(ada.get("/readyz").status, 200);
}

#[test]
fn a_burst_of_one_address_ends_in_429_and_other_addresses_go_on() {
    let server = at_one_moment(true);
    let nobody = server.anonymous();
    let ada = server.user("ada@example.com");
    for number in 0..800 {
        assert_eq!(nobody.get("/v1/teams").status, 401, "request {number}");
    }
    assert_too_many(&nobody.get("/v1/teams"));
    assert_too_many(&ada.get("/v1/teams"));
    assert_eq!(get_from(&ada, "/v1/teams", "203.0.113.9").status, 200);
    assert_eq!(nobody.get("/healthz").status, 200);
}

#[test]
fn wrong_passwords_end_in_429_and_right_keys_still_pass() {
    // `--no-rate-limit` never lifts the limits of sign-ins.
    let server = at_one_moment(false);
    let ada = server.user("ada@example.com");
    let bob = server.user("bob@example.com");
    let nobody = server.anonymous();
    let try_from = |email: &str, password: &str, address: &str| {
        get_from(&nobody.signing_in(email, password), "/v1/users", address)
    };
    let (first, second) = ("203.0.113.1", "203.0.113.2");
    for _ in 0..5 {
        let refused = try_from("ada@example.com", "wrong", first);
        assert_eq!(refused.status, 401, "{}", refused.text);
    }
    // Her account is over its limit, from everywhere and for the right password too.
    assert_too_many(&try_from("ada@example.com", "wrong", first));
    assert_too_many(&try_from("ada@example.com", PASSWORD, second));
    // An account that nobody has is limited alike.
    for _ in 0..5 {
        assert_eq!(try_from("who@example.com", "wrong", first).status, 401);
    }
    // Now the address is over its own, for every account and for keys.
    assert_too_many(&try_from("bob@example.com", PASSWORD, first));
    let wrong_key = nobody.signing_in(WRONG_KEY, "");
    assert_too_many(&get_from(&wrong_key, "/v1/users", first));
    assert_eq!(get_from(&wrong_key, "/v1/users", second).status, 401);
    assert_eq!(try_from("bob@example.com", PASSWORD, second).status, 200);
    for right in [&ada, &bob] {
        assert_eq!(get_from(right, "/v1/users", first).status, 200);
    }
    let by_key = try_from("ada@example.com", &ada.key, first);
    assert_eq!(by_key.status, 200, "{}", by_key.text);
}

#[test]
fn a_repository_in_another_team_is_not_made() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let bob = server.user("bob@example.com");
    let team = |actor: &Actor, name: &str| -> Value {
        actor.post("/v1/teams", &json!({ "name": name })).json(201)["id"].clone()
    };
    let (adas, bobs) = (team(&ada, "Ada's"), team(&bob, "Bob's"));
    let root = server.admin("root@example.com");
    for caller in [&bob, &root] {
        let repo = json!({ "name": "intruder", "team_id": adas });
        let refused = caller.post("/v1/repos", &repo);
        let unknown = json!({ "name": "intruder", "team_id": "000000000000000000000000" });
        let missing = caller.post("/v1/repos", &unknown);
        assert_eq!(refused.json(404), missing.json(404), "told apart");
        assert_eq!(caller.get("/v1/repos").json(200), json!([]));
    }
    assert_eq!(ada.get("/v1/repos").json(200), json!([]));
    let own = bob.post("/v1/repos", &json!({ "name": "own", "team_id": bobs }));
    assert_eq!(own.json(201)["team_id"], bobs);
}
