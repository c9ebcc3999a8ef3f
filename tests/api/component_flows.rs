//! A flow of each built-in component, from a call of its webhook or a start by hand to the
//! end of its run (`builtin-components.md`). Mail is in `tests/mail/flow.rs`, the router in
//! `hook_flows.rs`.

use serde_json::{Value, json};

use crate::engine::components::server::{Server, json_answer};
use crate::support::running::{call, ended, id_of, runs_of, seen, started, steps_of};
use crate::support::{Actor, Installation, TestServer};

/// What a step made, without what the steps before it made.
const MADE: &str = "$sift($, function($value, $name) { $name != \"elasticio\" })";

/// A server whose steps may call this machine, and somebody who has flows there.
fn house() -> (TestServer, Actor) {
    let at = Installation::with(|options| options.rules.allow_private_networks = true);
    let server = TestServer::over(at, elastane::server::ServerOptions::default());
    let ada = server.user("ada@example.com");
    (server, ada)
}

/// Makes a credential and returns its id.
fn account(who: &Actor, component: &str, keys: &Value) -> Value {
    let sent = json!({ "name": component, "type": component, "keys": keys });
    who.post("/v1/accounts", &sent).json(200)["id"].clone()
}

/// Makes a flow that hands the member `given` of a call to a step, and replies with what
/// the step makes.
fn around(who: &Actor, command: &str, fields: &Value, credential: &Value) -> String {
    let mut step =
        json!({ "id": "x", "command": format!("elasticio/{command}"), "fields": fields });
    if !credential.is_null() {
        step["credentials_id"] = credential.clone();
    }
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        step,
        { "id": "out", "command": "elasticio/request-reply:reply" },
    ]);
    let edges = json!([
        { "source": "in", "target": "x", "config": { "mapper": "given" } },
        { "source": "x", "target": "out", "config": { "mapper": { "responseBody": MADE } } },
    ]);
    started(who, &nodes, &edges)
}

/// Runs a step with an input, over HTTP, and returns what it made.
#[track_caller]
fn made(house: &(TestServer, Actor), command: &str, fields: &Value, input: &Value) -> Value {
    let flow = around(&house.1, command, fields, &Value::Null);
    call(&house.0, &flow, &json!({ "given": input })).json(200)
}

/// A step, its fields, its input, and what it makes.
type Case = (&'static str, Value, Value, Value);

#[track_caller]
fn check(house: &(TestServer, Actor), cases: &[Case]) {
    for (command, fields, input, expected) in cases {
        assert_eq!(made(house, command, fields, input), *expected, "{command}");
    }
}

#[test]
fn steps_that_map_filter_and_split_answer_a_call() {
    let by_template = json!({ "mapper": { "n": "{{a}}" } });
    let by_expression = json!({ "mapper": { "n": "a + 1" } });
    let (a, list) = (json!({ "a": 1 }), json!({ "list": [{ "n": 1 }] }));
    let group = json!({ "groupId": "g", "groupSize": 1, "messageId": "m", "messageData": 5 });
    let gathered = json!({ "groupSize": 1, "groupId": "g", "messageData": { "m": 5 } });
    check(
        &house(),
        &[
            ("mapper:map", by_template, a.clone(), json!({ "n": "1" })),
            (
                "mapper:jsonataMap",
                by_expression,
                a.clone(),
                json!({ "n": 2 }),
            ),
            (
                "filter:SimpleJSONataFilter",
                json!({ "expression": "a = 1" }),
                a.clone(),
                a.clone(),
            ),
            (
                "filter:filter",
                json!({ "condition": "a = 1" }),
                a.clone(),
                a,
            ),
            (
                "splitter:split",
                json!({ "splitter": "list" }),
                list.clone(),
                json!({ "n": 1 }),
            ),
            (
                "splitter:splitOnJsonataExpression",
                json!({ "expression": "list" }),
                list,
                json!({ "n": 1 }),
            ),
            (
                "splitter:reassemble",
                json!({ "mode": "groupSize" }),
                group,
                gathered,
            ),
        ],
    );
}

#[test]
fn steps_that_compute_look_up_and_note_answer_a_call() {
    let house = house();
    let table = json!({ "title": "Words", "data": { "a": "b" } });
    let table = json!({ "data": { "type": "lookup", "attributes": table } });
    let table = house.1.post("/v2/lookups", &table).json(201)["data"]["id"].clone();
    let code = "async function run(msg) { return { sum: msg.body.a + msg.body.b }; }";
    let hi = json!({ "a": "hi" });
    check(
        &house,
        &[
            (
                "code:execute",
                json!({ "code": code }),
                json!({ "a": 2, "b": 3 }),
                json!({ "sum": 5 }),
            ),
            (
                "lookup:lookup",
                json!({ "lookup": table }),
                json!({ "input": "a" }),
                json!({ "result": "b" }),
            ),
            (
                "configuration:emitConfig",
                json!({ "configData": "{\"a\":[1]}" }),
                json!({}),
                json!({ "a": [1] }),
            ),
            (
                "debug:log",
                json!({ "level": "info", "message": "a" }),
                hi.clone(),
                hi,
            ),
        ],
    );
}

#[test]
fn a_filter_that_is_not_passed_ends_the_run_or_fails_it() {
    let (server, ada) = house();
    for (fields, status) in [
        (json!({ "expression": "a = 1" }), "success"),
        (json!({ "expression": "a = 1", "assertion": true }), "error"),
    ] {
        let flow = around(&ada, "filter:SimpleJSONataFilter", &fields, &Value::Null);
        let answer = call(&server, &flow, &json!({ "given": { "a": 2 } }));
        let expected = if status == "error" { 500 } else { 200 };
        assert_eq!(answer.status, expected, "{}", answer.text);
        let run = id_of(&runs_of(&ada, &flow)[0]);
        assert_eq!(ended(&ada, &run)["status"], status);
        assert_eq!(steps_of(&ada, &run).len(), 2, "the reply is not reached");
    }
}

#[test]
fn steps_that_call_others_reach_a_server_on_this_machine() {
    let house = house();
    let other = Server::start(vec![json_answer("{\"ok\":1}"), json_answer("{\"ok\":2}")]);
    let reader = json!({ "method": "POST", "url": format!("\"{}/\" & id", other.url("")),
        "headers": [], "body": { "contentType": "application/json", "raw": MADE } });
    let fields = json!({ "reader": reader });
    let input = json!({ "id": 7 });
    let answer = made(&house, "rest-api:httpRequestAction", &fields, &input);
    assert_eq!(answer, json!({ "ok": 1 }));
    let sent = other.sent();
    assert!(sent.head.starts_with("post /7 "), "{}", sent.head);
    assert_eq!(sent.body, "{\"id\":7}");
    let fields = json!({ "uri": other.url("/hook"), "method": "POST", "secret": "s3cret" });
    assert_eq!(
        made(&house, "webhook:post", &fields, &input),
        json!({ "ok": 2 })
    );
    let sent = other.sent();
    assert!(sent.head.contains("x-api-secret: s3cret"), "{}", sent.head);
    assert_eq!(sent.body, "{\"id\":7}");
}

#[test]
fn the_simulated_connectors_take_what_a_call_brings() {
    let (server, ada) = house();
    let shop = json!({ "baseUrl": "https://shop.example", "user": "ada", "password": "x" });
    let shop = account(&ada, "shopware", &shop);
    let market = json!({ "sellerId": "A1", "marketplace": "us", "mwsAuthToken": "amzn.mws.1" });
    let market = account(&ada, "amazonmws", &market);
    let flow = around(&ada, "shopware:createOrder", &json!({}), &shop);
    let orders = json!({ "orders": [{ "externalId": "1" }, { "externalId": 2 }] });
    let answer = call(&server, &flow, &json!({ "given": orders })).json(200);
    assert_eq!(answer, json!({ "created": 2 }));
    let flow = around(&ada, "amazonmws:submitProductFeed", &json!({}), &market);
    let products = json!({ "products": [{ "title": "Mug", "sku": "a",
        "standardProductIDType": "EAN", "standardProductIDValue": "2000000000015" }] });
    let answer = call(&server, &flow, &json!({ "given": products })).json(200);
    assert!(answer["feedSubmissionId"].is_string(), "{answer}");
}

#[test]
fn a_file_is_the_reply() {
    let (server, ada) = house();
    let app = &server.installation.app;
    let stored = app
        .put_object(b"a file", Some("text/plain"), 60_000)
        .expect("stored");
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "out", "command": "elasticio/request-reply:replyWithAttachment" },
    ]);
    let flow = started(&ada, &nodes, &json!([{ "source": "in", "target": "out" }]));
    let url = format!("{}{}", server.base, stored.get_path);
    let sent = json!({ "responseUrl": url, "statusCode": 203, "contentType": "text/csv" });
    let answer = call(&server, &flow, &sent);
    assert_eq!((answer.status, answer.text.as_str()), (203, "a file"));
    assert_eq!(answer.header("content-type"), Some("text/csv"));
}

#[test]
fn triggers_that_poll_begin_runs_by_hand() {
    let (_server, ada) = house();
    let other = Server::start(vec![json_answer("{\"n\":1}")]);
    let shop = json!({ "baseUrl": "https://shop.example", "user": "ada", "password": "x" });
    let shop = account(&ada, "shopware", &shop);
    let market = json!({ "sellerId": "A1", "marketplace": "us", "mwsAuthToken": "amzn.mws.1" });
    let market = account(&ada, "amazonmws", &market);
    let code = "async function run() { return { made: 1 }; }";
    let reader = json!({ "reader": { "method": "GET", "url": other.url("/x") } });
    for (command, fields, credential, member) in [
        (
            "timer:timer",
            json!({ "interval": "day" }),
            &Value::Null,
            "fireTime",
        ),
        ("simple-trigger:timer", json!({}), &Value::Null, "lastPoll"),
        (
            "code:executeTrigger",
            json!({ "code": code }),
            &Value::Null,
            "made",
        ),
        ("rest-api:httpRequestTrigger", reader, &Value::Null, "n"),
        ("shopware:getProducts", json!({}), &shop, "product"),
        ("amazonmws:getOrders", json!({}), &market, "orders"),
    ] {
        let mut trigger =
            json!({ "id": "x", "command": format!("elasticio/{command}"), "fields": fields });
        if !credential.is_null() {
            trigger["credentials_id"] = credential.clone();
        }
        let nodes = json!([trigger, { "id": "log", "command": "elasticio/debug:log" }]);
        let flow = started(&ada, &nodes, &json!([{ "source": "x", "target": "log" }]));
        let begun = ada
            .post(&format!("/v2/flows/{flow}/run-now"), &json!({}))
            .json(202);
        let run = begun["data"]["id"].as_str().expect("an id");
        assert_eq!(ended(&ada, run)["status"], "success", "{command}");
        let made = seen("what the trigger made", || {
            steps_of(&ada, run)
                .get(1)
                .map(|step| step["input"]["body"].clone())
        });
        assert!(!made[member].is_null(), "{command}: {made}");
        let stopped = ada.send("POST", &format!("/v2/flows/{flow}/stop"), &[], "");
        assert_eq!(stopped.status, 202, "{}", stopped.text);
    }
}
