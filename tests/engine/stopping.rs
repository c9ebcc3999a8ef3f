//! Flows that are stopped and runs that are cancelled while steps wait and calls hang.

use elastane::app::{App, Opening};
use elastane::domain::principal::{Channel, Principal};
use serde_json::json;

use super::running::{Gate, call, eventually, hook, server, start, started, states};
use crate::support::installation::options_in;

#[test]
fn a_call_that_waits_is_told_that_its_run_was_ended_and_not_that_it_went_well() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let reply = json!({ "id": "reply", "command": "elasticio/request-reply:reply",
        "fields": { "responseBody": "\"well\"" } });
    for (how, wanted) in [
        ("stop", "the flow was stopped"),
        (
            "suspend",
            "the flow was suspended; the message waits for its start",
        ),
        ("cancel", "the run was cancelled"),
        ("delete", "the flow was deleted"),
    ] {
        let gate = Gate::shut();
        let nodes = [hook(), gate.node("slow", "/"), reply.clone()];
        let flow = started(&ada, &nodes, &[("in", "slow"), ("slow", "reply")]);
        let told = std::thread::scope(|scope| {
            let waits = scope.spawn(|| call(&server, &flow));
            eventually("its step works", || gate.calls().len() == 1);
            let ended = match how {
                "stop" => ada.send("POST", &format!("/v2/flows/{flow}/stop"), &[], ""),
                "suspend" => {
                    let id = flow.parse().expect("an id");
                    let operator = Principal::operator(Channel::Cli);
                    server
                        .installation
                        .app
                        .suspend_flow(&operator, id)
                        .expect("suspended");
                    ada.get("/v2/flows")
                }
                "cancel" => {
                    let path = format!("/v2/flow-executions?filter[flow]={flow}");
                    let runs = ada.get(&path).json(200);
                    let run = runs["data"][0]["id"].as_str().expect("a run").to_owned();
                    ada.send(
                        "POST",
                        &format!("/v2/flow-executions/{run}/cancel"),
                        &[],
                        "",
                    )
                }
                _ => ada.delete(&format!("/v2/flows/{flow}")),
            };
            assert!(ended.status < 300, "{how}: {}", ended.text);
            waits.join().expect("an answer")
        });
        assert_eq!(told.json(503), json!({ "error": wanted }), "{how}");
        assert!(told.header("x-execution-id").is_some(), "{how}");
        gate.open();
    }
}

#[test]
fn no_step_begins_after_its_flow_was_stopped_by_another_process() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    let flow = started(&ada, &[hook(), gate.node("out", "/")], &[("in", "out")]);
    for _ in 0..4 {
        assert_eq!(call(&server, &flow).status, 200);
    }
    eventually("the first one is in work", || gate.calls().len() == 1);
    // Nobody tells the engine: it looks for what others did from time to time.
    let options = options_in(server.installation.database());
    let elsewhere = App::open(&options, Opening::Use).expect("the same database");
    let operator = Principal::operator(Channel::Cli);
    let id = flow.parse().expect("an id");
    elsewhere.stop_flow(&operator, id).expect("stopped");
    gate.open();
    let runs = ada
        .get(&format!("/v2/flow-executions?filter[flow]={flow}"))
        .json(200);
    let first = runs["data"][3]["id"].as_str().expect("a run").to_owned();
    eventually("the one in work has ended", || {
        let path = format!("/v2/flow-executions/{first}/steps");
        let steps = ada.get(&path).json(200);
        steps["data"][1]["attributes"]["status"] == "success"
    });
    assert_eq!(states(&ada, &flow), ["cancelled"; 4]);
    // Whoever began the second one by now would be at the gate.
    assert_eq!(gate.calls().len(), 1, "what was stopped has begun");
    start(&ada, &flow);
    assert_eq!(call(&server, &flow).status, 200);
    eventually("what comes later runs", || {
        states(&ada, &flow)[0] == "success"
    });
    assert_eq!(gate.calls().len(), 2, "what was stopped has begun");
}

#[test]
fn what_waits_for_a_suspended_flow_begins_when_it_is_started() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    let flow = started(&ada, &[hook(), gate.node("out", "/")], &[("in", "out")]);
    for _ in 0..3 {
        assert_eq!(call(&server, &flow).status, 200);
    }
    eventually("the first one is in work", || gate.calls().len() == 1);
    let options = options_in(server.installation.database());
    let elsewhere = App::open(&options, Opening::Use).expect("the same database");
    let operator = Principal::operator(Channel::Cli);
    let id = flow.parse().expect("an id");
    elsewhere.suspend_flow(&operator, id).expect("suspended");
    gate.open();
    eventually("the one in work ends", || {
        states(&ada, &flow).contains(&"success".to_owned())
    });
    // One more is accepted, and taken up by nobody, as the others.
    assert_eq!(call(&server, &flow).status, 200);
    assert_eq!(gate.calls().len(), 1, "a step has begun");
    start(&ada, &flow);
    super::running::all_succeed(&ada, &flow, 4);
    assert_eq!(gate.calls().len(), 4);
}
