//! Flows behind webhooks, from the call to the end of the run: time limits, suspension,
//! routers, error handlers.

use elastane::engine::EngineOptions;
use elastane::server::ServerOptions;
use serde_json::{Value, json};

use crate::support::running::{call, ended, id_of, runs_of, seen, started, step_ids, steps_of};
use crate::support::{Installation, TestServer};

/// A webhook, and a step of code behind it.
fn with_code(code: &str) -> (Value, Value) {
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "code", "command": "elasticio/code:execute", "fields": { "code": code } },
    ]);
    (nodes, json!([{ "source": "in", "target": "code" }]))
}

#[test]
fn a_flow_that_does_not_reply_in_time_is_504_and_goes_on() {
    let options = ServerOptions {
        engine: EngineOptions {
            reply_timeout_ms: 50,
            ..EngineOptions::default()
        },
        ..ServerOptions::default()
    };
    let server = TestServer::over(Installation::new(), options);
    let ada = server.user("ada@example.com");
    let code = "async function run() { if (false) this.emit('httpReply', {}); \
                await this.emit('rebound', 'not yet'); }";
    let (nodes, edges) = with_code(code);
    let flow = started(&ada, &nodes, &edges);
    let answer = call(&server, &flow, &json!({}));
    assert_eq!(
        answer.json(504),
        json!({ "error": "the flow did not reply in time" })
    );
    let run = answer.header("x-execution-id").expect("the run").to_owned();
    let shown = ada.get(&format!("/v2/flow-executions/{run}")).json(200);
    assert_eq!(shown["data"]["attributes"]["finished_at"], Value::Null);
    let step = seen("the second attempt", || {
        let steps = steps_of(&ada, &run);
        let step = steps.get(1)?;
        (step["status"] == "waiting" && !step["error"].is_null()).then(|| step.clone())
    });
    assert_eq!(step["error"]["message"], "not yet");
}

#[test]
fn a_suspended_flow_keeps_what_comes_and_goes_on_with_it_when_it_is_started() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "out", "command": "elasticio/request-reply:reply" },
    ]);
    let mapper = json!({ "responseBody": "{\"n\": n}" });
    let edges = json!([{ "source": "in", "target": "out", "config": { "mapper": mapper } }]);
    let flow = started(&ada, &nodes, &edges);
    assert_eq!(call(&server, &flow, &json!({ "n": 0 })).json(200)["n"], 0);
    let suspended = ada.send("POST", &format!("/v1/tasks/suspend/{flow}"), &[], "");
    assert_eq!(suspended.status, 200, "{}", suspended.text);
    for n in 1..=3 {
        // Nobody replies now, so the caller is not kept waiting.
        let answer = call(&server, &flow, &json!({ "n": n }));
        assert_eq!(answer.json(200)["message"], "thank you");
    }
    let runs = runs_of(&ada, &flow);
    assert_eq!(runs.len(), 4);
    for run in &runs[..3] {
        assert_eq!(run["attributes"]["status"], "waiting");
    }
    let stats = ada.get(&format!("/v2/stats/queues/{flow}")).json(200);
    assert_eq!(stats["data"]["attributes"]["stats"][0]["total"], 3);
    let start = ada.send("POST", &format!("/v2/flows/{flow}/start"), &[], "");
    assert_eq!(start.status, 202, "{}", start.text);
    for (run, n) in runs[..3].iter().zip([3, 2, 1]) {
        let run = id_of(run);
        assert_eq!(ended(&ada, &run)["status"], "success");
        assert_eq!(steps_of(&ada, &run)[0]["input"]["body"]["n"], n);
        assert_eq!(step_ids(&ada, &run), ["in", "out"]);
    }
    assert_eq!(call(&server, &flow, &json!({ "n": 4 })).json(200)["n"], 4);
}

#[test]
fn a_router_sends_a_copy_along_every_true_edge_and_else_along_the_default() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let step = |id: &str| json!({ "id": id, "command": "elasticio/debug:log" });
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "router", "command": "elasticio/router:route" },
        step("more"), step("much more"), step("else"),
    ]);
    let when = |target: &str, condition: &str| json!({ "source": "router", "target": target, "config": { "condition": condition } });
    let edges = json!([
        { "source": "in", "target": "router" },
        when("more", "$number(test) > 10"),
        when("much more", "$number(test) > 20"),
        { "source": "router", "target": "else" },
    ]);
    let flow = started(&ada, &nodes, &edges);
    for (test, reached) in [
        ("12345", &["more", "much more"][..]),
        ("15", &["more"]),
        ("5", &["else"]),
    ] {
        assert_eq!(call(&server, &flow, &json!({ "test": test })).status, 200);
        let run = id_of(&runs_of(&ada, &flow)[0]);
        assert_eq!(ended(&ada, &run)["status"], "success");
        let ids = step_ids(&ada, &run);
        assert_eq!(ids[..2], ["in", "router"], "{test}");
        assert_eq!(ids[2..], *reached, "{test}");
    }
    // What is no number is the router's error, and nobody gets the message.
    assert_eq!(call(&server, &flow, &json!({ "test": "x" })).status, 200);
    let run = id_of(&runs_of(&ada, &flow)[0]);
    assert_eq!(ended(&ada, &run)["status"], "error");
    assert_eq!(step_ids(&ada, &run), ["in", "router"]);
}

#[test]
fn an_error_handler_gets_every_error_with_its_input_and_may_reply() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow_with = |handler: &str| {
        let (mut nodes, edges) = with_code("async function run() { throw new TypeError('no'); }");
        let handler = json!({ "id": "handler", "command": "elasticio/code:execute",
            "error": true, "fields": { "code": handler } });
        nodes.as_array_mut().expect("a list").push(handler);
        started(&ada, &nodes, &edges)
    };
    let flow = flow_with(
        "async function run(msg) { const { error, errorInput } = msg.body; \
         await this.emit('httpReply', { statusCode: 422, headers: {}, \
         body: { name: error.name, why: error.message, n: errorInput.body.n } }); return {}; }",
    );
    let answer = call(&server, &flow, &json!({ "n": 7 }));
    assert_eq!(
        answer.json(422),
        json!({ "name": "TypeError", "why": "no", "n": 7 })
    );
    let run = id_of(&runs_of(&ada, &flow)[0]);
    let over = ended(&ada, &run);
    assert_eq!(
        (&over["status"], &over["errors_total"]),
        (&json!("error"), &json!(1))
    );
    let steps = steps_of(&ada, &run);
    let last = steps.last().expect("a step");
    assert_eq!(
        (&last["step_id"], &last["status"]),
        (&json!("handler"), &json!("success"))
    );
    assert_eq!(last["input"]["headers"]["stepId"], "code");
    // Its own error goes to nobody: it would come back to it.
    let flow = flow_with("async function run() { throw new Error('me too'); }");
    assert_eq!(call(&server, &flow, &json!({})).status, 200);
    let run = id_of(&runs_of(&ada, &flow)[0]);
    assert_eq!(ended(&ada, &run)["errors_total"], 2);
    assert_eq!(step_ids(&ada, &run), ["in", "code", "handler"]);
}

#[test]
fn what_an_error_handler_gets_is_mapped_along_its_edge() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow_with = |mapper: Value| {
        let (mut nodes, mut edges) = with_code("async function run() { throw new Error('no'); }");
        let handler = json!({ "id": "handler", "command": "elasticio/debug:log", "error": true });
        nodes.as_array_mut().expect("a list").push(handler);
        let edge = json!({ "target": "handler",
            "config": { "mapper_type": "jsonata", "mapper": mapper } });
        edges.as_array_mut().expect("a list").push(edge);
        started(&ada, &nodes, &edges)
    };
    let flow = flow_with(json!({ "why": "error.message", "n": "errorInput.body.n" }));
    assert_eq!(call(&server, &flow, &json!({ "n": 7 })).status, 200);
    let run = id_of(&runs_of(&ada, &flow)[0]);
    assert_eq!(ended(&ada, &run)["errors_total"], 1);
    let steps = steps_of(&ada, &run);
    let last = steps.last().expect("a step");
    assert_eq!(last["step_id"], "handler");
    assert_eq!(last["input"]["body"], json!({ "why": "no", "n": 7 }));
    assert_eq!(last["input"]["headers"]["stepId"], "code");
    // A mapping that fails is the handler's error, and goes to nobody.
    let flow = flow_with(json!({ "why": "$error('unmapped')" }));
    assert_eq!(call(&server, &flow, &json!({})).status, 200);
    let run = id_of(&runs_of(&ada, &flow)[0]);
    assert_eq!(ended(&ada, &run)["errors_total"], 2);
    assert_eq!(step_ids(&ada, &run), ["in", "code", "handler"]);
}

#[test]
fn a_failed_run_whose_handler_does_not_answer_is_500_and_an_error_may_name_the_status() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow_with = |code: &str, handler: Option<Value>| {
        let mut nodes = vec![
            json!({ "id": "in", "command": "elasticio/webhook:receive" }),
            json!({ "id": "code", "command": "elasticio/code:execute", "fields": { "code": code } }),
            json!({ "id": "out", "command": "elasticio/request-reply:reply" }),
        ];
        nodes.extend(handler);
        let edges = json!([{ "source": "in", "target": "code" },
            { "source": "code", "target": "out" }]);
        started(&ada, &json!(nodes), &edges)
    };
    let handler = json!({ "id": "handler", "command": "elasticio/debug:log", "error": true });
    let flow = flow_with(
        "async function run() { throw new Error('no'); }",
        Some(handler),
    );
    let answer = call(&server, &flow, &json!({}));
    assert_eq!(answer.status, 500, "{}", answer.text);
    let run = answer.header("x-execution-id").expect("the run").to_owned();
    assert_eq!(ended(&ada, &run)["status"], "error");
    let named =
        "async function run() { throw Object.assign(new Error('no'), { statusCode: 422 }); }";
    let answer = call(&server, &flow_with(named, None), &json!({}));
    assert_eq!(answer.status, 422, "{}", answer.text);
    for odd in ["200", "'422'", "{}"] {
        let code = format!(
            "async function run() {{ throw Object.assign(new Error('no'), {{ status: {odd} }}); }}"
        );
        assert_eq!(
            call(&server, &flow_with(&code, None), &json!({})).status,
            500,
            "{odd}"
        );
    }
}

#[test]
fn a_suspended_flow_keeps_its_steps_and_is_not_run_by_hand() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "out", "command": "elasticio/debug:log" },
    ]);
    let flow = started(&ada, &nodes, &json!([{ "source": "in", "target": "out" }]));
    let path = format!("/v2/flows/{flow}");
    let change = |nodes: Value, edges: Value| {
        let graph = json!({ "nodes": nodes, "edges": edges });
        let body = json!({ "data": { "type": "flow", "id": flow,
            "attributes": { "graph": graph } } });
        ada.patch(&path, &body)
    };
    let suspended = ada.send("POST", &format!("/v1/tasks/suspend/{flow}"), &[], "");
    assert_eq!(suspended.status, 200, "{}", suspended.text);
    let renamed = json!([nodes[0], { "id": "other", "command": "elasticio/debug:log" }]);
    let refused = change(
        renamed.clone(),
        json!([{ "source": "in", "target": "other" }]),
    );
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("suspended"), "{}", refused.text);
    let config = json!({ "mapper_type": "jsonata", "mapper": { "n": "1" } });
    let mapped = json!([{ "source": "in", "target": "out", "config": config }]);
    assert_eq!(
        change(nodes.clone(), mapped).status,
        200,
        "a mapping may change"
    );
    let run = ada.send("POST", &format!("{path}/run-now"), &[], "");
    assert_eq!(run.status, 409, "{}", run.text);
    // Stopped, it may be changed.
    let stop = ada.send("POST", &format!("{path}/stop"), &[], "");
    assert_eq!(stop.status, 202, "{}", stop.text);
    let changed = change(renamed, json!([{ "source": "in", "target": "other" }]));
    assert_eq!(changed.status, 200, "{}", changed.text);
}

#[test]
fn a_message_whose_step_is_gone_is_an_error_with_its_input() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let slow = "async function run() { await this.emit('rebound', 'not yet'); }";
    let (nodes, edges) = with_code(slow);
    let flow = started(&ada, &nodes, &edges);
    assert_eq!(call(&server, &flow, &json!({ "n": 7 })).status, 200);
    let run = id_of(&runs_of(&ada, &flow)[0]);
    seen("the rebound", || {
        let steps = steps_of(&ada, &run);
        (steps.get(1)?["status"] == "waiting").then_some(())
    });
    let graph = json!({ "nodes": [nodes[0], { "id": "other", "command": "elasticio/debug:log" }],
        "edges": [{ "source": "in", "target": "other" }] });
    let body = json!({ "data": { "type": "flow", "id": flow, "attributes": { "graph": graph } } });
    assert_eq!(ada.patch(&format!("/v2/flows/{flow}"), &body).status, 200);
    let over = ended(&ada, &run);
    assert_eq!(over["status"], "error", "{over}");
    let steps = steps_of(&ada, &run);
    let last = steps.last().expect("a step");
    assert_eq!(last["step_id"], "code");
    assert_eq!(
        last["error"]["message"],
        "the flow has no step code any more"
    );
    assert_eq!(last["input"]["body"]["n"], 7, "its input is there");
}

#[test]
fn a_snapshot_that_grows_too_large_by_merging_is_refused() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let code = "async function run(msg) {         await this.emit('updateSnapshot', { [msg.body.key]: 'y'.repeat(3000) }); return {}; }";
    let (nodes, edges) = with_code(code);
    let flow = started(&ada, &nodes, &edges);
    for (key, status) in [("a", "success"), ("b", "error")] {
        assert_eq!(call(&server, &flow, &json!({ "key": key })).status, 200);
        let run = id_of(&runs_of(&ada, &flow)[0]);
        assert_eq!(ended(&ada, &run)["status"], status, "{key}");
    }
    let kept = ada
        .get(&format!("/v2/flows/{flow}/snapshots/code"))
        .json(200);
    let text = kept.to_string();
    assert!(
        text.contains("yyy") && text.len() < 4_000,
        "the first one is kept"
    );
}

#[test]
fn two_files_of_one_name_are_both_kept() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = started(
        &ada,
        &json!([{ "id": "in", "command": "elasticio/webhook:receive" }]),
        &json!([]),
    );
    let file = |text: &str| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\r\n{text}\r\n"
        )
    };
    let body = format!("{}{}--B--\r\n", file("one"), file("three"));
    let headers = [("content-type", "multipart/form-data; boundary=B")];
    let nobody = server.anonymous();
    let sent = nobody.send("POST", &format!("/hook/{flow}"), &headers, &body);
    assert_eq!(sent.status, 200, "{}", sent.text);
    let run = id_of(&runs_of(&ada, &flow)[0]);
    ended(&ada, &run);
    let files = steps_of(&ada, &run)[0]["outputs"][0]["attachments"].clone();
    assert_eq!(files["x.txt"]["size"], 3, "{files}");
    assert_eq!(files["x.txt_2"]["size"], 5, "{files}");
    assert_eq!(files["x.txt"]["content-type"], "application/octet-stream");
}

#[test]
fn runs_are_sorted_by_their_begin_both_ways() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = started(
        &ada,
        &json!([{ "id": "in", "command": "elasticio/webhook:receive" }]),
        &json!([]),
    );
    for _ in 0..3 {
        assert_eq!(call(&server, &flow, &json!({})).status, 200);
    }
    let ids = |sort: &str| -> Vec<String> {
        let path = format!("/v2/flow-executions?filter[flow]={flow}{sort}");
        let runs = ada.get(&path).json(200);
        runs["data"]
            .as_array()
            .expect("runs")
            .iter()
            .map(id_of)
            .collect()
    };
    let newest = ids("");
    assert_eq!(ids("&sort=-started_at"), newest);
    let oldest: Vec<String> = newest.into_iter().rev().collect();
    assert_eq!(ids("&sort=started_at"), oldest);
    assert_eq!(ada.get("/v2/flow-executions?sort=status").status, 400);
}
