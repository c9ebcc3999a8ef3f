//! Runs, snapshots and queues on the wire of v2 (`v2.md 6.2, 8`).

use elastane::domain::flow::Flow;
use elastane::domain::id::{ExecutionId, FlowId};
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::domain::run::Failure;
use elastane::domain::run::part::RunKey;
use serde_json::{Value, json};

use crate::support::history::{
    FIRST, SECOND, begun, commit, finished, flow, flow_with, made, part, waiting,
};
use crate::support::{Actor, TestServer};

/// A server, Ada, and a flow of hers.
struct House {
    server: TestServer,
    ada: Actor,
    flow: Flow,
}

impl House {
    fn new() -> Self {
        let server = TestServer::start();
        let ada = server.user("ada@example.com");
        let user = ada.user.clone().expect("a user");
        let who = Principal::user(user, Origin::local(Channel::Api));
        let flow = flow(&server.installation.app, &who);
        Self { server, ada, flow }
    }

    /// Makes a run that is over.
    fn run(&self, error: Option<Failure>) -> ExecutionId {
        let app = &self.server.installation.app;
        finished(app, &self.flow, json!({ "password": "x", "n": 1 }), error)
    }

    fn path(&self, end: &str) -> String {
        format!("/v2/flows/{}{end}", self.flow.id)
    }
}

fn of_run(id: ExecutionId, end: &str) -> String {
    format!("/v2/flow-executions/{id}{end}")
}

fn retry(attributes: &Value) -> Value {
    json!({ "data": { "type": "execution-retry", "attributes": attributes } })
}

#[test]
fn a_run_begins_by_hand() {
    let house = House::new();
    let answer = house.ada.post(&house.path("/run-now"), &json!({}));
    let begun = answer.json(202);
    let id = begun["data"]["id"].as_str().expect("an id");
    let path = format!("/v2/flow-executions/{id}");
    let location = format!("{}{path}", house.server.base);
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let shown = house.ada.get(&path).json(200);
    for answered in [&begun, &shown] {
        let attributes = &answered["data"]["attributes"];
        assert_eq!(attributes["trigger"], "manual");
        assert_eq!(attributes["flow_version"], 1);
        assert!(attributes["request_id"].is_string());
    }
}

#[test]
fn a_run_that_waits_is_shown_and_cancelled() {
    let house = House::new();
    let app = &house.server.installation.app;
    let new = begun(app, &house.flow);
    let id = new.id;
    let mut waits = part(RunKey::New(new), &[], &[made(None, json!({}))]);
    let mut queued = waiting(FIRST, 0, 1);
    // The engine of this server leaves it alone until then.
    queued.due_at_ms = app.now_ms() + 24 * 60 * 60 * 1_000;
    waits.queued = vec![queued];
    commit(app, &house.flow, &[waits], &[]);
    let path = of_run(id, "");
    let shown = house.ada.get(&path).json(200);
    let started = &shown["data"]["attributes"]["started_at"];
    assert_eq!(
        shown,
        json!({
            "data": {
                "type": "flow-execution",
                "id": id.to_string(),
                "attributes": {
                    "status": "waiting", "trigger": "manual", "started_at": started,
                    "finished_at": null, "duration_ms": null, "flow_version": 1,
                    "steps_total": 0, "errors_total": 0,
                },
                "relationships": { "flow": {
                    "data": { "type": "flow", "id": house.flow.id.to_string() },
                    "links": { "self": house.path("") },
                } },
                "links": { "self": path },
            },
            "meta": {},
        })
    );
    let steps = house.ada.get(&format!("{path}/steps")).json(200);
    assert_eq!(steps["data"][0]["attributes"]["status"], "waiting");
    let stats = format!("/v2/stats/queues/{}", house.flow.id);
    let stats = house.ada.get(&stats).json(200);
    assert_eq!(
        stats["data"]["attributes"]["stats"],
        json!([
            { "step_id": FIRST, "total": 1, "ready": 1, "unacked": 0, "rebounds": 0 },
            { "step_id": SECOND, "total": 0, "ready": 0, "unacked": 0, "rebounds": 0 },
        ])
    );
    for _ in 0..2 {
        let cancelled = house.ada.post(&format!("{path}/cancel"), &json!({}));
        assert_eq!((cancelled.status, cancelled.text.as_str()), (202, ""));
    }
    let over = house.ada.get(&path).json(200);
    assert_eq!(over["data"]["attributes"]["status"], "cancelled");
}

#[test]
fn a_flow_that_can_not_run_is_refused_with_its_steps() {
    let house = House::new();
    let who = Principal::user(
        house.ada.user.clone().expect("a user"),
        Origin::local(Channel::Api),
    );
    let app = &house.server.installation.app;
    let shop = json!({ "action": "elasticio/shopware:createOrder" });
    let flow = flow_with(app, &who, &shop);
    let path = format!("/v2/flows/{}/run-now", flow.id);
    let refused = house.ada.post(&path, &json!({})).json(409);
    let detail = refused["errors"][0]["detail"].as_str().expect("a reason");
    assert!(detail.contains(SECOND), "{detail}");
}

#[test]
fn runs_are_listed_in_pages_and_filtered() {
    let house = House::new();
    let first = house.run(None);
    let second = house.run(Some(Failure::new("broken")));
    let list = |query: &str| {
        let path = format!("/v2/flow-executions{query}");
        house.ada.get(&path).json(200)
    };
    let ids = |answer: &Value| -> Vec<String> {
        let data = answer["data"].as_array().expect("a list");
        data.iter()
            .map(|one| one["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let (first, second) = (first.to_string(), second.to_string());
    let all_ids = [second, first];
    let all = list("");
    assert_eq!(ids(&all), all_ids);
    assert_eq!(all["meta"]["total"], 2);
    let page = list("?page[size]=1&page[number]=2&filter[status]=success");
    assert_eq!(page["meta"]["total_pages"], 1);
    assert_eq!(ids(&list("?page[size]=1&page[number]=2"))[..], all_ids[1..]);
    assert_eq!(ids(&list("?filter[status]=error"))[..], all_ids[..1]);
    let of_flow = format!("?filter[flow]={}", house.flow.id);
    assert_eq!(ids(&list(&of_flow)), all_ids);
    for none in [
        "?filter[flow]=nothing",
        "?filter[flow]=5f0000000000000000000abc",
        "?filter[since]=2100-01-01T00:00:00Z",
        "?filter[until]=2000-01-01T00:00:00Z",
    ] {
        assert_eq!(list(none)["data"], json!([]), "{none}");
    }
    for (query, parameter) in [
        ("filter[status]=done", "filter[status]"),
        ("filter[since]=yesterday", "filter[since]"),
        ("filter[flow]=nothing&filter[until]=1", "filter[until]"),
        ("filter[until]=1", "filter[until]"),
        ("filter[user]=1", "filter[user]"),
    ] {
        let refused = house
            .ada
            .get(&format!("/v2/flow-executions?{query}"))
            .json(400);
        assert_eq!(refused["errors"][0]["source"]["parameter"], parameter);
    }
    let eve = house.server.user("eve@example.com");
    assert_eq!(eve.get("/v2/flow-executions").json(200)["data"], json!([]));
}

#[test]
fn steps_and_logs_are_shown_without_secrets() {
    let house = House::new();
    let mut failure = Failure::named("TypeError", "no");
    failure.stack = Some("at line 1".to_owned());
    let id = house.run(Some(failure));
    let steps = house.ada.get(&of_run(id, "/steps")).json(200);
    let shown = &steps["data"][1];
    let started = &shown["attributes"]["started_at"];
    assert_eq!(
        shown["attributes"],
        json!({
            "step_id": SECOND, "command": "elasticio/debug:log", "status": "error",
            "attempts": 1, "started_at": started, "duration_ms": 2,
            "input": { "body": { "password": "***", "n": 1 }, "headers": {} },
            "outputs": [],
            "error": { "name": "TypeError", "message": "no", "stack": "at line 1" },
            "input_bytes": 10, "output_bytes": 0, "truncated": false,
        })
    );
    assert_eq!(steps["data"][0]["attributes"]["error"], Value::Null);
    assert_eq!(steps["meta"]["total"], 2);
    let page = house
        .ada
        .get(&of_run(id, "/steps?page[size]=1&page[number]=2"))
        .json(200);
    assert_eq!(page["data"][0]["id"], shown["id"]);
    let app = &house.server.installation.app;
    let new = begun(app, &house.flow);
    let logged = new.id;
    let logs = part(RunKey::New(new), &[], &[]);
    commit(app, &house.flow, &[logs], &["one", "two"]);
    let log = house
        .ada
        .get(&of_run(logged, "/logs?page[size]=1"))
        .json(200);
    assert_eq!(log["meta"]["total"], 2);
    let entry = &log["data"][0]["attributes"];
    assert_eq!(
        entry,
        &json!({ "at": entry["at"], "level": "info", "step_id": SECOND, "message": "one" })
    );
    let warned = house
        .ada
        .get(&of_run(logged, "/logs?filter[level]=warn"))
        .json(200);
    assert_eq!(warned["data"], json!([]));
    let refused = house
        .ada
        .get(&of_run(logged, "/logs?filter[level]=loud"))
        .json(400);
    assert_eq!(refused["errors"][0]["source"]["parameter"], "filter[level]");
}

#[test]
fn the_log_of_a_flow_comes_in_pages_newest_first_and_names_its_runs() {
    let house = House::new();
    let app = &house.server.installation.app;
    let new = begun(app, &house.flow);
    let run = new.id;
    commit(
        app,
        &house.flow,
        &[part(RunKey::New(new), &[], &[])],
        &["one", "two"],
    );
    commit(app, &house.flow, &[], &["outside of runs"]);
    let path = house.path("/logs");
    let log = house.ada.get(&path).json(200);
    let said = |log: &Value| -> Vec<Value> {
        let entries = log["data"].as_array().expect("a list");
        entries
            .iter()
            .map(|one| one["attributes"]["message"].clone())
            .collect()
    };
    assert_eq!(said(&log), ["outside of runs", "two", "one"]);
    assert_eq!(log["meta"]["total"], 3);
    assert_eq!(log["data"][0].get("relationships"), None);
    let entry = &log["data"][1];
    assert_eq!(
        entry,
        &json!({
            "type": "log-entry", "id": entry["id"],
            "attributes": {
                "at": entry["attributes"]["at"], "level": "info", "step_id": SECOND,
                "message": "two",
            },
            "relationships": { "execution": {
                "data": { "type": "flow-execution", "id": run.to_string() },
                "links": { "self": of_run(run, "") },
            } },
            "links": { "self": path },
        })
    );
    let second = house
        .ada
        .get(&format!("{path}?page[size]=1&page[number]=2"))
        .json(200);
    assert_eq!(said(&second), ["two"]);
    let infos = house
        .ada
        .get(&format!("{path}?filter[level]=info"))
        .json(200);
    assert_eq!(infos["meta"]["total"], 3);
    let none = house
        .ada
        .get(&format!("{path}?filter[level]=fatal"))
        .json(200);
    assert_eq!(
        (&none["data"], &none["meta"]["total"]),
        (&json!([]), &json!(0))
    );
    let refused = house
        .ada
        .get(&format!("{path}?filter[level]=loud"))
        .json(400);
    assert_eq!(refused["errors"][0]["source"]["parameter"], "filter[level]");
    let eve = house.server.user("eve@example.com");
    assert_eq!(eve.get(&path).status, 404);
}

#[test]
fn a_retry_is_a_run_of_its_own() {
    let house = House::new();
    let id = house.run(Some(Failure::new("broken")));
    let path = of_run(id, "/retry");
    let step = json!({ "mode": "step", "step_id": SECOND });
    let refused = house.ada.post(&path, &retry(&step)).json(409);
    let detail = refused["errors"][0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("stopped flow"), "{detail}");
    let started = house.ada.post(&house.path("/start"), &json!({}));
    assert_eq!(started.status, 202);
    for attributes in [
        json!({ "mode": "step", "step_id": SECOND }),
        json!({ "mode": "from-step", "step_id": SECOND, "input": { "body": { "n": 2 } } }),
        json!({ "mode": "run" }),
    ] {
        let answer = house.ada.post(&path, &retry(&attributes));
        let begun = answer.json(202);
        let new = begun["data"]["id"].as_str().expect("an id");
        let location = format!("{}/v2/flow-executions/{new}", house.server.base);
        assert_eq!(answer.header("location"), Some(location.as_str()));
        assert_eq!(begun["data"]["attributes"]["trigger"], "retry");
        let of = &begun["data"]["relationships"]["retry_of"]["data"];
        assert_eq!(
            of,
            &json!({ "type": "flow-execution", "id": id.to_string() })
        );
    }
    for (attributes, status, pointer) in [
        (json!({}), 400, "/data/attributes/mode"),
        (json!({ "mode": "all" }), 400, "/data/attributes/mode"),
        (json!({ "mode": "step" }), 400, "/data/attributes/step_id"),
        (
            json!({ "mode": "run", "step_id": FIRST }),
            400,
            "/data/attributes/step_id",
        ),
        (
            json!({ "mode": "run", "input": [] }),
            400,
            "/data/attributes/input",
        ),
    ] {
        let refused = house.ada.post(&path, &retry(&attributes)).json(status);
        assert_eq!(
            refused["errors"][0]["source"]["pointer"], pointer,
            "{attributes}"
        );
    }
    let gone = retry(&json!({ "mode": "step", "step_id": "step_9" }));
    let refused = house.ada.post(&path, &gone).json(409);
    let detail = refused["errors"][0]["detail"].as_str().expect("a reason");
    assert!(detail.contains("no such step"), "{detail}");
    let total = house.ada.get("/v2/flow-executions").json(200)["meta"]["total"].clone();
    assert_eq!(total, 4);
}

#[test]
fn an_administrator_looks_at_anybodys_run() {
    let house = House::new();
    let id = house.run(None);
    let (root, eve) = (
        house.server.admin("root@example.com"),
        house.server.user("eve@example.com"),
    );
    for end in ["", "/steps", "/logs"] {
        assert_eq!(root.get(&of_run(id, end)).status, 200, "{end}");
        assert_eq!(eve.get(&of_run(id, end)).status, 404, "{end}");
    }
    let of_flow = format!("/v2/flow-executions?filter[flow]={}", house.flow.id);
    assert_eq!(root.get(&of_flow).json(200)["meta"]["total"], 1);
    assert_eq!(eve.get(&of_flow).json(200)["meta"]["total"], 0);
    assert_eq!(eve.get("/v2/flow-executions/nothing").status, 404);
}

/// Returns a snapshot as it is sent.
fn snapshot(id: &str, value: &Value) -> Value {
    json!({ "data": { "type": "snapshot", "id": id, "attributes": { "snapshot": value } } })
}

/// Returns a snapshot as it is answered.
fn shown(flow: FlowId, step: &str, value: &Value) -> Value {
    json!({
        "type": "snapshot",
        "id": step,
        "attributes": { "snapshot": value },
        "links": { "self": format!("/v2/flows/{flow}/snapshots/{step}") },
    })
}

#[test]
fn a_snapshot_is_made_once_replaced_and_deleted() {
    let house = House::new();
    let (list, one) = (
        house.path("/snapshots"),
        house.path(&format!("/snapshots/{SECOND}")),
    );
    assert_eq!(
        house.ada.get(&list).json(200),
        json!({ "data": [], "meta": {} })
    );
    let value = json!({ "since": "2026-01-01" });
    let answer = house
        .ada
        .post(&format!("{list}/"), &snapshot(SECOND, &value));
    let made = answer.json(201);
    let expected = shown(house.flow.id, SECOND, &value);
    assert_eq!(made, json!({ "data": expected, "meta": {} }));
    let location = format!("{}{one}", house.server.base);
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(house.ada.get(&one).json(200), made);
    assert_eq!(house.ada.get(&list).json(200)["data"], json!([expected]));
    let again = house.ada.post(&list, &snapshot(SECOND, &value)).json(409);
    assert_eq!(again["errors"][0]["source"]["pointer"], "/data/id");
    for other in [json!(null), json!([1, "a"]), json!(7)] {
        let sent = snapshot(SECOND, &other);
        let changed = house.ada.send(
            "PATCH",
            &one,
            &[("content-type", "application/json")],
            &sent.to_string(),
        );
        assert_eq!(changed.json(200)["data"]["attributes"]["snapshot"], other);
    }
    for (sent, status, pointer) in [
        (snapshot("step_9", &value), 400, "/data/id"),
        (
            json!({ "data": { "type": "snapshot", "attributes": { "snapshot": 1 } } }),
            400,
            "/data/id",
        ),
        (
            json!({ "data": { "type": "snapshot", "id": FIRST } }),
            400,
            "/data/attributes/snapshot",
        ),
        (
            snapshot(FIRST, &json!("x".repeat(5_121))),
            400,
            "/data/attributes/snapshot",
        ),
    ] {
        let refused = house.ada.post(&list, &sent).json(status);
        assert_eq!(refused["errors"][0]["source"]["pointer"], pointer);
    }
    let missing = house.path(&format!("/snapshots/{FIRST}"));
    let json = [("content-type", "application/json")];
    let sent = snapshot(FIRST, &value).to_string();
    assert_eq!(house.ada.send("PATCH", &missing, &json, &sent).status, 404);
    assert_eq!(house.ada.delete(&missing).status, 404);
    assert_eq!(house.ada.get(&missing).status, 404);
    let eve = house.server.user("eve@example.com");
    assert_eq!(eve.get(&list).status, 404);
    assert_eq!(eve.delete(&one).status, 404);
    assert_eq!(house.ada.delete(&one).status, 204);
    assert_eq!(house.ada.get(&list).json(200)["data"], json!([]));
}
