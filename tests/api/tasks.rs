//! Tasks on the wire (`v1.md 2.6, 3.6`).

use serde_json::{Value, json};

use crate::support::{Actor, TestServer};

/// A task that can run.
fn task() -> Value {
    json!({ "name": "Beat", "cron": "*/5 * * * *", "nodes": [
        { "action": "elasticio/timer:timer" },
        { "function": "elasticio/debug:log" },
    ] })
}

/// Makes a task and returns its id.
fn make(who: &Actor) -> String {
    let made = who.post("/v1/tasks", &task()).json(200);
    assert_eq!(made.as_object().map(serde_json::Map::len), Some(1));
    made["id"].as_str().expect("an id").to_owned()
}

/// Sends a POST without a body, as curl does.
fn tell(who: &Actor, verb: &str, id: &str) -> (u16, Value) {
    let answer = who.send("POST", &format!("/v1/tasks/{verb}/{id}"), &[], "");
    (answer.status, answer.json(answer.status))
}

#[test]
fn a_task_goes_through_its_statuses_and_is_gone_in_the_end() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let eve = server.user("eve@example.com");
    let id = make(&ada);
    for (verb, status) in [
        ("start", "active"),
        ("start", "active"),
        ("suspend", "suspended"),
        ("start", "active"),
        ("stop", "inactive"),
        ("stop", "inactive"),
    ] {
        let answer = tell(&ada, verb, &id);
        assert_eq!(answer, (200, json!({ "id": id, "status": status })));
    }
    let path = format!("/v1/tasks/{id}");
    let missing = json!({ "message": "there is no such task" });
    assert_eq!(tell(&eve, "start", &id), (404, missing.clone()));
    assert_eq!(eve.delete(&path).json(404), missing);
    assert_eq!(
        ada.delete(&path).json(200),
        json!({ "id": id, "status": "deleted" })
    );
    let gone = json!({ "message": "this task has been deleted" });
    assert_eq!(tell(&ada, "start", &id), (410, gone.clone()));
    assert_eq!(ada.delete(&path).json(410), gone);
    assert_eq!(tell(&eve, "stop", &id), (404, missing.clone()));
    assert_eq!(tell(&ada, "stop", "not-an-id"), (404, missing));
}

#[test]
fn a_bad_task_is_400_and_names_its_fields() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let fields_of = |body: &Value| {
        let answer = ada.post("/v1/tasks", body).json(400);
        let faults = answer["errors"].as_array().unwrap().clone();
        let fields: Vec<String> = faults
            .iter()
            .map(|fault| fault["field"].as_str().unwrap().to_owned())
            .collect();
        fields.join(" ")
    };
    let broken = |name: &str, value: Value| {
        let mut body = task();
        body[name] = value;
        fields_of(&body)
    };
    assert_eq!(fields_of(&json!({})), "name nodes");
    assert_eq!(broken("name", json!("")), "name");
    assert_eq!(broken("nodes", json!([])), "nodes");
    assert_eq!(broken("nodes", json!({})), "nodes");
    assert_eq!(broken("cron", json!("soon")), "cron");
    assert_eq!(
        broken("nodes", json!([{ "action": "nobody/nothing:run" }])),
        "nodes.0.action"
    );
}

#[test]
fn a_task_that_can_not_run_is_400_and_lists_its_steps() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let nodes = json!([
        { "action": "elasticio/shopware:getProducts" },
        { "action": "elasticio/mapper:map" },
        { "action": "elasticio/amazonmws:submitProductFeed" },
    ]);
    let body = json!({ "name": "Sync", "nodes": nodes });
    let id = ada.post("/v1/tasks", &body).json(200)["id"].clone();
    let (status, answer) = tell(&ada, "start", id.as_str().unwrap());
    assert_eq!(status, 400);
    assert_eq!(answer["errors"][0]["field"], "step_1");
    assert_eq!(answer["errors"][1]["field"], "step_3");
}
