//! Processes that no message asks for: hooks of triggers, and triggers that stay up
//! (`runtime.md 2.3`).

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::thread::sleep;
use std::time::Duration;

use elastane::app::step_run::ComponentNetwork;
use serde_json::{Value, json};

use super::house::{House, Sailor, restless, wait_for};

/// Adds a component with one trigger.
fn trigger(house: &House, kind: &str, code: &str) -> String {
    let descriptor = json!({ "title": "Trigger", "triggers": {
        "listen": { "title": "Listen", "type": kind, "main": "./listen.js", "metadata": {} },
    } });
    let files = [("listen.js", code)];
    let component = house.component("trigger", Sailor::New, &descriptor, &files);
    format!("{}/{}:listen", component.team, component.slug)
}

/// Makes a flow of one trigger, and does not start it.
fn flow_of(house: &House, kind: &str, command: &str) -> String {
    let node = json!({ "id": "step", "command": command, "fields": { "k": "v" } });
    let sent = json!({ "data": { "type": "flow", "attributes": {
        "name": "Flow", "type": kind, "graph": { "nodes": [node], "edges": [] },
    } } });
    let made = house.ada.post("/v2/flows", &sent).json(201);
    made["data"]["id"].as_str().expect("an id").to_owned()
}

fn act(house: &House, flow: &str, verb: &str) {
    let answer = house
        .ada
        .post(&format!("/v2/flows/{flow}/{verb}"), &json!({}));
    assert_eq!(answer.status, 202, "{}", answer.text);
}

/// Tells how often a text is in a flow's log.
fn logged(house: &House, flow: &str, text: &str) -> usize {
    house.log(flow).matches(text).count()
}

/// A trigger that says what its hooks were given.
const HOOKED: &str = r"
exports.startup = async function (cfg) { console.log('begun with ' + cfg.k); return { id: 7 }; };
exports.shutdown = async function (cfg, data) { console.log('ended ' + cfg.k + data.id); };
exports.process = async function (msg) { return { body: { got: msg.body.n } }; };
";

#[test]
fn hooks_run_when_a_flow_starts_and_when_it_stops() {
    let house = House::new();
    let command = trigger(&house, "webhook", HOOKED);
    let flow = flow_of(&house, "ordinary", &command);
    for nth in 1..=2 {
        act(&house, &flow, "start");
        // No message came yet.
        wait_for("the start-up hook", || {
            logged(&house, &flow, "begun with v") == nth
        });
        act(&house, &flow, "stop");
        wait_for("the shutdown hook", || {
            logged(&house, &flow, "ended v7") == nth
        });
    }
    act(&house, &flow, "start");
    wait_for("the start-up hook", || {
        logged(&house, &flow, "begun with v") == 3
    });
    for n in 0..3 {
        assert_eq!(house.call(&flow, &json!({ "n": n })).status, 200);
    }
    house.ended_runs(&flow, 3);
    assert_eq!(logged(&house, &flow, "begun with v"), 3, "once a start");
    assert_eq!(house.ada.delete(&format!("/v2/flows/{flow}")).status, 204);
}

#[test]
fn the_shutdown_hook_of_a_deleted_flow_runs_too() {
    let house = House::with(|options| options.sailor.network = ComponentNetwork::Any);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let code = "
exports.startup = async function () { console.log('begun'); return { id: 7 }; };
exports.shutdown = async function (cfg, data) {
    await fetch('http://127.0.0.1:PORT/' + cfg.k + data.id).catch(() => {});
};
exports.process = async function () {};
";
    let command = trigger(&house, "webhook", &code.replace("PORT", &port.to_string()));
    let flow = flow_of(&house, "ordinary", &command);
    act(&house, &flow, "start");
    assert_eq!(house.call(&flow, &json!({})).status, 200);
    house.ended_runs(&flow, 1);
    // The server looks at its flows four times a second, and then knows what to undo.
    sleep(Duration::from_secs(1));
    assert_eq!(house.ada.delete(&format!("/v2/flows/{flow}")).status, 204);
    listener.set_nonblocking(true).expect("it waits no more");
    let mut called = None;
    wait_for("a call", || {
        called = listener.accept().ok();
        called.is_some()
    });
    let (called, _) = called.expect("it was waited for");
    called.set_nonblocking(false).expect("it waits");
    let mut lines = BufReader::new(called).lines();
    let first = lines.next().expect("a line").expect("of text");
    assert_eq!(first, "GET /v7 HTTP/1.1");
}

#[test]
fn a_shutdown_hook_that_fails_stops_nothing() {
    let house = House::new();
    let code = r"
exports.startup = async function () { console.log('begun'); };
exports.shutdown = async function () { throw new Error('no such hook'); };
exports.process = async function () {};
";
    let command = trigger(&house, "webhook", code);
    let flow = flow_of(&house, "ordinary", &command);
    act(&house, &flow, "start");
    wait_for("the start-up hook", || logged(&house, &flow, "begun") == 1);
    act(&house, &flow, "stop");
    wait_for("its failure", || {
        logged(&house, &flow, "the shutdown hook failed") == 1
    });
    act(&house, &flow, "start");
    wait_for("the next start", || logged(&house, &flow, "begun") == 2);
}

#[test]
fn a_real_time_trigger_stays_up_and_emits_whenever_it_likes() {
    let house = House::with(|options| {
        options.sailor = restless();
        // Neither the limit of steps nor idleness ends it.
        options.step_limit_ms = 500;
    });
    let code = r"
let n = 0;
exports.process = async function () {
    setInterval(() => this.emit('data', { body: { n: n++, pid: process.pid } }), 100);
    await new Promise(() => {});
};
";
    let command = trigger(&house, "polling", code);
    let flow = flow_of(&house, "long_running", &command);
    act(&house, &flow, "start");
    let path = format!("/v2/flow-executions?filter[flow]={flow}");
    let outputs = || -> Vec<Value> {
        let runs = house.ada.get(&path).json(200);
        let Some(run) = runs["data"].get(0) else {
            return Vec::new();
        };
        house.outputs(run, "step")
    };
    wait_for("many messages", || outputs().len() >= 20);
    let all = outputs();
    for (nth, body) in all.iter().enumerate() {
        assert_eq!(body["n"], nth, "in order, and none twice");
        assert_eq!(body["pid"], all[0]["pid"], "one process");
    }
    act(&house, &flow, "stop");
}

#[test]
fn a_real_time_trigger_without_messages_runs_from_the_start() {
    let house = House::with(|options| options.sailor = restless());
    let code = r"
exports.init = async function () { let n = 0; setInterval(() => console.log('tick ' + n++), 100); };
exports.process = async function () {};
";
    let command = trigger(&house, "webhook", code);
    let flow = flow_of(&house, "long_running", &command);
    act(&house, &flow, "start");
    // Twice as long as an idle process may stay.
    wait_for("ticks", || logged(&house, &flow, "tick 9") == 1);
    assert_eq!(logged(&house, &flow, "tick 0"), 1, "one process");
    act(&house, &flow, "stop");
}
