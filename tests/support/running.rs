//! Flows that run on a real server, and what becomes of their runs.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Actor, Answer, TestServer};

/// Looks at something before a test gives up on it, and how long apart.
const LOOKS: u32 = 1_500;
const PAUSE: Duration = Duration::from_millis(20);

/// How a JSON body is announced.
pub const JSON: (&str, &str) = ("content-type", "application/json");

/// Looks again and again until there is something to see.
#[track_caller]
pub fn seen<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("never seen: {what}");
}

/// Makes a flow of API v2, starts it and returns its id.
#[track_caller]
pub fn started(who: &Actor, nodes: &Value, edges: &Value) -> String {
    let flow = json!({ "data": { "type": "flow", "attributes": {
        "name": "A flow", "type": "ordinary", "default_mapper_type": "jsonata",
        "graph": { "nodes": nodes, "edges": edges },
    } } });
    let made = who.post("/v2/flows", &flow).json(201);
    let id = made["data"]["id"].as_str().expect("an id").to_owned();
    let start = who.send("POST", &format!("/v2/flows/{id}/start"), &[], "");
    assert_eq!(start.status, 202, "{}", start.text);
    id
}

/// Calls a webhook with JSON, as somebody without credentials.
pub fn call(server: &TestServer, flow: &str, body: &Value) -> Answer {
    call_at(&server.base, flow, body)
}

/// Calls a webhook of the server at an address.
pub fn call_at(base: &str, flow: &str, body: &Value) -> Answer {
    let nobody = Actor::anonymous(base);
    nobody.send("POST", &format!("/hook/{flow}"), &[JSON], &body.to_string())
}

/// Returns the runs of a flow, newest first.
pub fn runs_of(who: &Actor, flow: &str) -> Vec<Value> {
    let path = format!("/v2/flow-executions?filter[flow]={flow}&page[size]=100");
    let runs = who.get(&path).json(200);
    runs["data"].as_array().expect("a list").clone()
}

/// Returns the id of a run.
#[track_caller]
pub fn id_of(run: &Value) -> String {
    run["id"].as_str().expect("an id").to_owned()
}

/// Waits until a run has ended; returns its attributes.
#[track_caller]
pub fn ended(who: &Actor, run: &str) -> Value {
    seen("the end of a run", || {
        let shown = who.get(&format!("/v2/flow-executions/{run}")).json(200);
        let attributes = shown["data"]["attributes"].clone();
        (!attributes["finished_at"].is_null()).then_some(attributes)
    })
}

/// Returns the attributes of the steps of a run.
pub fn steps_of(who: &Actor, run: &str) -> Vec<Value> {
    let steps = who
        .get(&format!("/v2/flow-executions/{run}/steps"))
        .json(200);
    let steps = steps["data"].as_array().expect("a list").iter();
    steps.map(|step| step["attributes"].clone()).collect()
}

/// Returns the ids of the steps of a run, in the order of their start.
pub fn step_ids(who: &Actor, run: &str) -> Vec<String> {
    let steps = steps_of(who, run);
    let ids = steps.iter().map(|step| step["step_id"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}
