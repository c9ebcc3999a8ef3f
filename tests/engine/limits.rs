//! Limits of queues and messages, reached and left again.

use serde_json::json;

use super::running::{Gate, all_succeed, call, eventually, hook, server, started, states};

#[test]
fn a_webhook_whose_steps_have_full_queues_answers_429_until_there_is_room() {
    let server = server(|app| app.rules.limits.queue_messages = 2, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    let flow = started(&ada, &[hook(), gate.node("out", "/")], &[("in", "out")]);
    assert_eq!(call(&server, &flow).status, 200);
    assert_eq!(call(&server, &flow).status, 200);
    let full = call(&server, &flow);
    assert_eq!(full.status, 429, "{}", full.text);
    assert_eq!(full.header("retry-after"), Some("5"));
    assert_eq!(states(&ada, &flow).len(), 2, "nothing of it is kept");
    gate.open();
    all_succeed(&ada, &flow, 2);
    eventually("there is room again", || call(&server, &flow).status == 200);
    all_succeed(&ada, &flow, 3);
}

#[test]
fn a_step_whose_follower_is_full_waits_and_nothing_is_lost() {
    let server = server(|app| app.rules.limits.queue_messages = 2, |_| {});
    let ada = server.user("ada@example.com");
    let (fast, slow) = (Gate::shut(), Gate::shut());
    fast.open();
    let nodes = [hook(), fast.node("a", "/"), slow.node("b", "/")];
    let flow = started(&ada, &nodes, &[("in", "a"), ("a", "b")]);
    let mut accepted = 0;
    // Two wait for each step; what follows is refused.
    eventually("both queues are full", || {
        let answer = call(&server, &flow);
        accepted += usize::from(answer.status == 200);
        let sizes = ada.get(&format!("/v2/flows/{flow}/queues"));
        assert!(accepted <= 8, "the limit does not hold: {}", sizes.text);
        fast.calls().len() == 2 && accepted == 4 && answer.status == 429
    });
    assert_eq!(
        fast.calls().len(),
        2,
        "the third one waits for its follower"
    );
    slow.open();
    all_succeed(&ada, &flow, 4);
    assert_eq!((fast.calls().len(), slow.calls().len()), (4, 4));
}

#[test]
fn a_run_by_hand_is_refused_while_the_first_queue_is_full() {
    let server = server(|app| app.rules.limits.queue_messages = 1, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    let trigger = json!({ "id": "in", "command": "elasticio/timer:timer",
        "fields": { "interval": "minute" } });
    let flow = started(&ada, &[trigger, gate.node("out", "/")], &[("in", "out")]);
    let run = || ada.send("POST", &format!("/v2/flows/{flow}/run-now"), &[], "");
    assert_eq!(run().status, 202);
    eventually("the first one is in work", || gate.calls().len() == 1);
    eventually("the second one waits for it", || run().status == 202);
    let refused = run();
    assert_eq!(refused.status, 429, "{}", refused.text);
    gate.open();
    all_succeed(&ada, &flow, 2);
}

#[test]
fn a_retry_is_refused_while_the_queue_of_its_step_is_full() {
    let server = server(|app| app.rules.limits.queue_messages = 1, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    let code = json!({ "id": "code", "command": "elasticio/code:execute", "fields": {
        "code": "async function run(msg) { if (msg.body.fails) throw new Error('no'); return {}; }"
    } });
    let nodes = [hook(), code, gate.node("out", "/")];
    let flow = started(&ada, &nodes, &[("in", "code"), ("code", "out")]);
    let send = |body: &str| {
        let headers = [("content-type", "application/json")];
        let nobody = server.anonymous();
        nobody.send("POST", &format!("/hook/{flow}"), &headers, body)
    };
    assert_eq!(send("{\"fails\":true}").status, 200);
    eventually("it failed", || states(&ada, &flow) == ["error"]);
    let runs = ada
        .get(&format!("/v2/flow-executions?filter[flow]={flow}"))
        .json(200);
    let failed = runs["data"][0]["id"].as_str().expect("an id").to_owned();
    let mut accepted = 0;
    eventually("the queue of the step is full", || {
        let status = send("{}").status;
        accepted += usize::from(status == 200);
        status == 429 && accepted == 2
    });
    let retry = || {
        let body = json!({ "data": { "type": "execution-retry", "attributes": { "mode": "step", "step_id": "code" } } });
        ada.post(&format!("/v2/flow-executions/{failed}/retry"), &body)
    };
    let refused = retry();
    assert_eq!(refused.status, 429, "{}", refused.text);
    gate.open();
    eventually("there is room again", || retry().status == 202);
}

#[test]
fn a_message_over_the_limit_is_the_error_of_its_step_and_413_at_the_webhook() {
    let server = server(|app| app.rules.limits.message_bytes = 2_000, |_| {});
    let ada = server.user("ada@example.com");
    let code = json!({ "id": "code", "command": "elasticio/code:execute", "fields": {
        "code": "async function run() { return { big: 'x'.repeat(3000) }; }" } });
    let flow = started(&ada, &[hook(), code], &[("in", "code")]);
    assert_eq!(call(&server, &flow).status, 200);
    eventually("it failed", || states(&ada, &flow) == ["error"]);
    let nobody = server.anonymous();
    let headers = [("content-type", "application/json")];
    let large = json!({ "big": "x".repeat(3_000) }).to_string();
    let refused = nobody.send("POST", &format!("/hook/{flow}"), &headers, &large);
    assert_eq!(refused.status, 413, "{}", refused.text);
    // Nor may a mapping make a larger one.
    let debug = json!({ "id": "log", "command": "elasticio/debug:log" });
    let mapper = json!({ "big": "$pad(\"x\", 3000, \"x\")" });
    let flow = json!({ "data": { "type": "flow", "attributes": {
        "name": "Maps", "type": "ordinary", "default_mapper_type": "jsonata",
        "graph": { "nodes": [hook(), debug], "edges": [
            { "source": "in", "target": "log", "config": { "mapper": mapper } } ] },
    } } });
    let made = ada.post("/v2/flows", &flow).json(201);
    let flow = made["data"]["id"].as_str().expect("an id").to_owned();
    super::running::start(&ada, &flow);
    assert_eq!(call(&server, &flow).status, 200);
    eventually("its mapping failed", || states(&ada, &flow) == ["error"]);
}

#[test]
fn a_step_with_a_delay_rests_before_each_message() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    gate.open();
    let mut slow = gate.node("out", "/");
    slow["fields"]["delay"] = json!("1");
    let flow = started(&ada, &[hook(), slow], &[("in", "out")]);
    assert_eq!(call(&server, &flow).status, 200);
    assert_eq!(call(&server, &flow).status, 200);
    all_succeed(&ada, &flow, 2);
    let runs = ada
        .get(&format!("/v2/flow-executions?filter[flow]={flow}"))
        .json(200);
    for run in runs["data"].as_array().expect("runs") {
        let id = run["id"].as_str().expect("an id");
        let steps = ada
            .get(&format!("/v2/flow-executions/{id}/steps"))
            .json(200);
        let began: Vec<jiff::Timestamp> = steps["data"]
            .as_array()
            .expect("steps")
            .iter()
            .map(|step| {
                let at = step["attributes"]["started_at"].as_str().expect("a time");
                at.parse().expect("a time")
            })
            .collect();
        let rest_ms = began[1].duration_since(began[0]).as_millis();
        assert!(rest_ms >= 1_000, "it began after {rest_ms} ms");
    }
}
