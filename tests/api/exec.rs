//! Scheduled executions of v1: schedule, poll, read once.

use std::net::TcpListener;
use std::thread::sleep;
use std::time::Duration;

use elastane::clock::Clock;
use elastane::server::ServerOptions;
use elastane::store::{OpenMode, Store};
use serde_json::{Value, json};

use crate::support::{Actor, Installation, TestServer};

/// What the clock of these tests shows at first.
const NOW_MS: i64 = 1_700_000_000_000;

/// A server whose clock stands, and which may call this machine.
pub(super) fn start() -> (TestServer, Clock) {
    let clock = Clock::fixed(NOW_MS);
    let installation = Installation::with(|options| {
        options.clock = clock.clone();
        options.rules.allow_private_networks = true;
    });
    let server = TestServer::over(installation, ServerOptions::default());
    (server, clock)
}

/// Returns the path that a `Location` of the server names.
#[track_caller]
pub(super) fn location(server: &TestServer, header: Option<&str>) -> String {
    let location = header.expect("a Location");
    let path = location.strip_prefix(&server.base);
    path.expect("an absolute URL without quotes").to_owned()
}

/// Schedules a call, and returns where to poll.
#[track_caller]
fn schedule(server: &TestServer, actor: &Actor, body: &Value) -> String {
    let answer = actor.post("/v1/exec/schedule", body);
    assert_eq!(answer.json(202), json!({ "message": "ok" }));
    location(server, answer.header("location"))
}

/// Polls until it is over, and returns where the result is.
#[track_caller]
pub(super) fn ready(server: &TestServer, actor: &Actor, poll: &str) -> String {
    for _ in 0..500 {
        let answer = actor.get(poll);
        if answer.status == 303 {
            return location(server, answer.header("location"));
        }
        assert_eq!(answer.status, 200, "{}", answer.text);
        sleep(Duration::from_millis(20));
    }
    panic!("it never ended");
}

/// Keys that the shop accepts.
fn keys() -> Value {
    json!({ "baseUrl": "http://shop.example", "user": "u", "password": "p" })
}

/// A check of keys.
fn check(keys: &Value) -> Value {
    json!({ "execution_type": "verify_credentials", "component": "shopware", "account_data": keys })
}

/// A check of a mail server that accepts a connection and says nothing.
pub(super) fn silent_mail_server() -> (TcpListener, Value) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (
        listener,
        json!({ "smtp": { "host": "127.0.0.1", "port": port, "security": "none" } }),
    )
}

/// Returns a URL without its token.
fn bare(url: &str) -> &str {
    url.split_once('?').expect("a token").0
}

#[test]
fn a_result_is_read_once_by_the_token_alone() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let poll = schedule(&server, &ada, &check(&keys()));
    let result = ready(&server, &ada, &poll);
    assert_eq!(ada.get(&poll).json(303), json!({ "message": "Ready." }));
    let nobody = server.anonymous();
    assert_eq!(nobody.get(&result).status, 404, "a new token replaced it");
    let result = ready(&server, &ada, &poll);
    assert_eq!(nobody.get(bare(&result)).status, 401);
    let wrong = format!("{}?token=0", bare(&result));
    assert_eq!(nobody.get(&wrong).status, 404);
    assert_eq!(nobody.send("HEAD", &result, &[], "").status, 200);
    let read = nobody.get(&result).json(200);
    assert_eq!(read, json!({ "data": { "verified": true } }));
    let gone = json!({ "message": "Result does not exist." });
    assert_eq!(nobody.get(&result).json(404), gone);
    assert_eq!(ada.get(&poll).json(404), gone);
}

#[test]
fn the_owner_needs_no_token_and_others_find_nothing() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let bob = server.user("bob@example.com");
    let root = server.admin("root@example.com");
    let mut wrong = keys();
    wrong["user"] = "invalid".into();
    let poll = schedule(&server, &ada, &check(&wrong));
    let result = ready(&server, &ada, &poll);
    let result = bare(&result);
    let gone = json!({ "message": "Result does not exist." });
    for other in [&bob, &root] {
        assert_eq!(other.get(&poll).json(404), gone);
        assert_eq!(other.get(result).json(404), gone);
    }
    let read = ada.get(result).json(200);
    assert_eq!(read["data"]["verified"], false);
    assert!(read["data"]["reason"].is_string(), "{read}");
}

#[test]
fn what_a_component_lacks_ends_as_rejected() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let repo = ada.post("/v1/repos", &json!({ "name": "mine" })).json(201);
    let model = |component: &Value, kind: &str| {
        json!({
            "execution_type": kind, "component": component, "action_or_trigger": "map",
            "model_method": "nothing", "cfg": {},
        })
    };
    for (body, reason) in [
        (
            model(&json!("mapper"), "get_meta_model"),
            "Method \"getMetaModel\" is not found in \"map\" action or trigger",
        ),
        (
            model(&json!("elasticio/mapper"), "select_model"),
            "Method \"nothing\" is not found in \"map\" action or trigger",
        ),
        (
            model(&repo["id"], "get_meta_model"),
            "team-1/mine has no build",
        ),
    ] {
        let poll = schedule(&server, &ada, &body);
        let read = ada.get(&ready(&server, &ada, &poll)).json(400);
        assert_eq!(read["message"], "Rejected.");
        let said = read["reason"]["message"].as_str().expect("a reason");
        assert!(said.ends_with(reason), "{said}");
    }
}

#[test]
fn one_that_takes_too_long_has_failed_and_one_that_is_old_has_expired() {
    let (server, clock) = start();
    let ada = server.user("ada@example.com");
    let (_listener, keys) = silent_mail_server();
    let mut slow = check(&keys);
    slow["component"] = "email".into();
    let poll = schedule(&server, &ada, &slow);
    let result = poll.replace("poll", "result");
    let pending = json!({ "message": "Result is not ready yet" });
    assert_eq!(ada.get(&poll).json(200), pending);
    let gone = json!({ "message": "Result does not exist." });
    assert_eq!(ada.get(&result).json(404), gone);
    clock.advance(60_001);
    let token = ready(&server, &ada, &poll);
    clock.advance(60_001);
    assert_eq!(
        server.anonymous().get(&token).json(404),
        gone,
        "a late token"
    );
    clock.advance(3_600_000 - 2 * 60_001 - 1);
    assert_eq!(ada.get(&poll).json(303), json!({ "message": "Ready." }));
    clock.advance(1);
    assert_eq!(ada.get(&poll).json(404), json!({ "message": "Expired." }));
    let app = &server.installation.app;
    app.sweep_executions().expect("a sweep");
    assert_eq!(ada.get(&result).json(404), json!({ "message": "Expired." }));
    clock.advance(24 * 3_600_000);
    app.sweep_executions().expect("a sweep");
    assert_eq!(ada.get(&poll).json(404), gone);
}

#[test]
fn bad_input_names_its_field_and_nothing_is_scheduled() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let valid = check(&keys());
    for (name, value, status) in [
        ("execution_type", json!(null), 400),
        ("execution_type", json!("run"), 400),
        ("component", json!(null), 400),
        ("component", json!(7), 400),
        ("component", json!("nowhere"), 404),
        ("component", json!("0123456789abcdef01234567"), 404),
        ("account_data", json!(null), 400),
        ("account_data", json!("x"), 400),
    ] {
        let mut body = valid.clone();
        body[name] = value;
        let answer = ada.post("/v1/exec/schedule", &body).json(status);
        if status == 400 {
            assert_eq!(answer["errors"][0]["field"], name, "{body}");
        }
    }
    let mut body = json!({ "execution_type": "select_model", "component": "shopware" });
    let answer = ada.post("/v1/exec/schedule", &body).json(400);
    let named = [0, 1].map(|at| answer["errors"][at]["field"].clone());
    assert_eq!(named, ["action_or_trigger", "model_method"]);
    body["action_or_trigger"] = "getProducts".into();
    body["model_method"] = "m".into();
    let answer = ada.post("/v1/exec/schedule", &body).json(400);
    assert_eq!(answer["errors"][0]["field"], "account_id");
    body["account_id"] = "0123456789abcdef01234567".into();
    assert_eq!(ada.post("/v1/exec/schedule", &body).status, 404);
    assert_eq!(ada.get("/v1/exec/poll/x").status, 404);
}

#[test]
fn what_a_stopped_server_left_pending_has_failed() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let (_listener, keys) = silent_mail_server();
    let mut slow = check(&keys);
    slow["component"] = "email".into();
    let poll = schedule(&server, &ada, &slow);
    let mut options = crate::support::installation::options_in(server.installation.database());
    options.clock = Clock::fixed(NOW_MS);
    let app = elastane::app::App::open(&options, elastane::app::Opening::Serve).expect("opens");
    let read = ada.get(&ready(&server, &ada, &poll)).json(400);
    let said = read["reason"]["message"].as_str().expect("a reason");
    assert!(said.contains("restarted"), "{said}");
    app.close();
}

#[test]
fn a_full_queue_is_told_and_the_refused_call_leaves_nothing() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let (_listener, keys) = silent_mail_server();
    let mut slow = check(&keys);
    slow["component"] = "email".into();
    let mut accepted = 0;
    let refused = loop {
        let answer = ada.post("/v1/exec/schedule", &slow);
        if answer.status != 202 {
            break answer;
        }
        accepted += 1;
        assert!(accepted < 100, "the queue has an end");
    };
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert!(refused.text.contains("waiting"), "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    // Four are with a thread at most, the rest waits.
    assert!((64..=68).contains(&accepted), "{accepted}");
    let store = Store::open(&server.installation.database(), OpenMode::Existing).expect("a store");
    let user = ada.user.as_ref().expect("a user").id;
    let kept = store.read(|read| read.count_scheduled_executions_of(user, NOW_MS));
    assert_eq!(kept.expect("a count"), accepted);
    store.close();
}
