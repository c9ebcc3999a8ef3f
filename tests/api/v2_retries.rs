//! Which version of a flow a retry runs, and what it survives, over real sockets
//! (`v2.md 8`, `settled.md`).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::running::{call, ended, id_of, runs_of, started, steps_of};
use crate::support::{Actor, TestServer};

/// Looks at a run before the test gives up on it, and how long apart.
const LOOKS: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(20);

/// The graph of a flow whose mappings say a word; the second step fails where it is told.
fn graph(word: &str, fails: bool) -> Value {
    let code = "async function run(msg) { if (msg.body.fails) throw new Error('told to'); \
                return msg.body; }";
    let step = |id: &str| json!({ "id": id, "command": "elasticio/code:execute", "fields": { "code": code } });
    let edge = |source: &str, target: &str| {
        let mapper = json!({ "word": format!("\"{word}\""), "fails": fails.to_string() });
        let only_word = json!({ "word": format!("\"{word} in {target}\"") });
        let mapper = if target == "a" { mapper } else { only_word };
        json!({ "source": source, "target": target,
            "config": { "mapper_type": "jsonata", "mapper": mapper } })
    };
    json!({
        "nodes": [
            { "id": "in", "command": "elasticio/webhook:receive" },
            step("a"),
            step("b"),
        ],
        "edges": [edge("in", "a"), edge("a", "b")],
    })
}

/// Returns a run once it is over.
fn over(who: &Actor, id: &str) -> Value {
    for _ in 0..LOOKS {
        let run = who.get(&format!("/v2/flow-executions/{id}")).json(200);
        let status = run["data"]["attributes"]["status"].clone();
        if status != "running" && status != "waiting" {
            return run;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("the run {id} never ended");
}

/// Returns the inputs that a step of a run was given.
fn inputs(who: &Actor, id: &str, step: &str) -> Vec<Value> {
    let steps = who
        .get(&format!("/v2/flow-executions/{id}/steps"))
        .json(200);
    let steps = steps["data"].as_array().expect("steps").iter();
    steps
        .filter(|one| one["attributes"]["step_id"] == step)
        .map(|one| one["attributes"]["input"]["body"].clone())
        .collect()
}

#[test]
fn a_step_runs_again_in_the_version_of_its_run_and_everything_else_in_the_present_one() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = json!({ "data": { "type": "flow", "attributes": {
        "name": "Changed", "type": "ordinary", "graph": graph("old", true),
    } } });
    let made = ada.post("/v2/flows", &flow).json(201);
    let flow = made["data"]["id"].as_str().expect("an id").to_owned();
    let tell = |verb: &str| {
        let told = ada.send("POST", &format!("/v2/flows/{flow}/{verb}"), &[], "");
        assert_eq!(told.status, 202, "{}", told.text);
    };
    tell("start");
    let called = server
        .anonymous()
        .send("GET", &format!("/hook/{flow}"), &[], "");
    assert_eq!(called.status, 200, "{}", called.text);
    let listed = format!("/v2/flow-executions?filter[flow]={flow}");
    let first = ada.get(&listed).json(200)["data"][0]["id"].clone();
    let first = first.as_str().expect("an id").to_owned();
    let failed = over(&ada, &first);
    assert_eq!(failed["data"]["attributes"]["status"], "error", "{failed}");
    tell("stop");
    let changed = json!({ "data": { "type": "flow", "id": flow, "attributes": {
        "graph": graph("new", false),
    } } });
    ada.patch(&format!("/v2/flows/{flow}"), &changed).json(200);
    tell("start");
    let again = |attributes: &Value| {
        let sent = json!({ "data": { "type": "execution-retry", "attributes": attributes } });
        let path = format!("/v2/flow-executions/{first}/retry");
        let begun = ada.post(&path, &sent).json(202);
        let id = begun["data"]["id"].as_str().expect("an id").to_owned();
        let run = over(&ada, &id);
        assert_eq!(run["data"]["attributes"]["status"], "success", "{run}");
        let version = run["data"]["attributes"]["flow_version"].clone();
        (version, inputs(&ada, &id, "a"), inputs(&ada, &id, "b"))
    };
    let harmless = json!({ "body": { "word": "mine" } });
    let (version, a, b) = again(&json!({ "mode": "step", "step_id": "a", "input": harmless }));
    assert_eq!((version, a), (json!(1), vec![json!({ "word": "mine" })]));
    assert_eq!(b, [json!({ "word": "old in b" })]);
    let (version, a, b) = again(&json!({ "mode": "from-step", "step_id": "a", "input": harmless }));
    assert_eq!((version, a), (json!(2), vec![json!({ "word": "mine" })]));
    assert_eq!(b, [json!({ "word": "new in b" })]);
    let (version, a, b) = again(&json!({ "mode": "run" }));
    assert_eq!(version, 2);
    assert_eq!(a, [json!({ "word": "new", "fails": false })]);
    assert_eq!(b, [json!({ "word": "new in b" })]);
}

#[test]
fn a_mapping_that_panics_fails_its_retry_and_no_worker() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "out", "command": "elasticio/debug:log" },
    ]);
    // The crate counts the numbers of this range with an i64.
    let mapper = json!({ "all": "n = 0 ? $error('no') : [-1..n]" });
    let edges = json!([{ "source": "in", "target": "out", "config": { "mapper": mapper } }]);
    let flow = started(&ada, &nodes, &edges);
    let runs = || runs_of(&ada, &flow);
    let called = call(&server, &flow, &json!({ "n": 0 }));
    assert_eq!(called.status, 200, "{}", called.text);
    let first = id_of(&runs()[0]);
    assert_eq!(ended(&ada, &first)["status"], "error");
    let again = json!({ "data": { "type": "execution-retry", "attributes": {
        "mode": "from-step", "step_id": "out", "input": { "body": { "n": i64::MAX } },
    } } });
    let path = format!("/v2/flow-executions/{first}/retry");
    let retry = ada.post(&path, &again);
    assert!(retry.status < 300, "{}", retry.text);
    let second = id_of(&runs()[0]);
    assert_ne!(first, second);
    assert_eq!(ended(&ada, &second)["status"], "error");
    let steps = steps_of(&ada, &second);
    assert_eq!(steps[0]["error"]["name"], "InternalError", "{steps:?}");
    // Whoever worked on it works on.
    assert_eq!(call(&server, &flow, &json!({ "n": 1 })).status, 200);
    let third = id_of(&runs()[0]);
    assert_eq!(ended(&ada, &third)["status"], "success");
}

#[test]
fn a_whole_run_begins_again_with_its_own_first_message_after_a_retry_behind_the_error_handler() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let code = |id: &str, code: &str| {
        let code = format!("async function run(msg) {{ {code} }}");
        json!({ "id": id, "command": "elasticio/code:execute", "fields": { "code": code } })
    };
    let flow = json!({ "data": { "type": "flow", "attributes": {
        "name": "Handled", "type": "ordinary", "graph": {
            "nodes": [
                { "id": "in", "command": "elasticio/webhook:receive" },
                code("fails", "throw new Error('no');"),
                code("handler", "return msg.body;"),
                code("after", "return msg.body;"),
            ],
            "edges": [
                { "source": "in", "target": "fails" },
                { "target": "handler" },
                { "source": "handler", "target": "after" },
            ],
        },
    } } });
    let made = ada.post("/v2/flows", &flow).json(201);
    let flow = made["data"]["id"].as_str().expect("an id").to_owned();
    let told = ada.send("POST", &format!("/v2/flows/{flow}/start"), &[], "");
    assert_eq!(told.status, 202, "{}", told.text);
    let called = ada.post(&format!("/hook/{flow}"), &json!({ "word": "first" }));
    assert_eq!(called.status, 200, "{}", called.text);
    let listed = format!("/v2/flow-executions?filter[flow]={flow}");
    let first = ada.get(&listed).json(200)["data"][0]["id"].clone();
    let mut run = first.as_str().expect("an id").to_owned();
    for retry in [
        json!({ "mode": "step", "step_id": "after" }),
        json!({ "mode": "step", "step_id": "after" }),
        json!({ "mode": "run" }),
    ] {
        over(&ada, &run);
        let sent = json!({ "data": { "type": "execution-retry", "attributes": retry } });
        let path = format!("/v2/flow-executions/{run}/retry");
        let begun = ada.post(&path, &sent).json(202);
        run = begun["data"]["id"].as_str().expect("an id").to_owned();
    }
    over(&ada, &run);
    let given = inputs(&ada, &run, "in");
    assert_eq!(given.len(), 1);
    assert_eq!(given[0]["word"], "first", "{}", given[0]);
}
