//! Tasks: seed examples 15 and 16, and the later ones (`v1.md 2.6, 3.6`).

use serde_json::json;

use super::compare::{Golden, a_text, an_id};
use super::documented::{ACTIVATION, Labelled, NOTHING, curl_data, curl_line, id_of, task, user};
use crate::support::{Actor, TestServer};

#[test]
fn example_15_start_a_task() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    for id in [task(&ada), activated(&ada)] {
        for time in ["first", "again"] {
            let answer = no_options(&ada, &format!("/v1/tasks/start/{id}"));
            let told = Golden::documented(
                r#"{
                  "id": "5538bd9646208d02b3000005",
                  "status":"active"
                }"#,
            )
            .with("/id", id.as_str())
            .may_have("/message", a_text)
            .is(&answer, 200);
            assert!(an_id(&told["id"]), "{time}");
        }
    }
    let path = format!("/v1/tasks/start/{NOTHING}");
    assert_eq!(no_options(&ada, &path).status, 404);
}

#[test]
fn example_16_stop_a_task() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let id = task(&ada);
    let started = no_options(&ada, &format!("/v1/tasks/start/{id}"));
    assert_eq!(started.status, 200);
    for time in ["first", "again"] {
        let answer = no_options(&ada, &format!("/v1/tasks/stop/{id}"));
        let told = Golden::documented(
            r#"{
              "id": "5538bd9646208d02b3000005",
              "status":"inactive"
            }"#,
        )
        .with("/id", id.as_str())
        .may_have("/message", a_text)
        .is(&answer, 200);
        assert!(an_id(&told["id"]), "{time}");
    }
    let bob = user(&server, "bob@example.com");
    for verb in ["start", "stop", "suspend"] {
        let path = format!("/v1/tasks/{verb}/{id}");
        assert_eq!(no_options(&bob, &path).status, 404, "{verb}");
    }
}

#[test]
fn a_task_without_a_credential_that_it_needs_does_not_start() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let body = json!({ "name": "Orders", "nodes": [
        { "action": "elasticio/amazonmws:getOrders" },
        { "action": "elasticio/debug:log" },
    ]});
    let id = id_of(&ada.post("/v1/tasks", &body).json(200));
    let told = no_options(&ada, &format!("/v1/tasks/start/{id}")).json(400);
    assert!(told["message"].is_string());
    let stopped = no_options(&ada, &format!("/v1/tasks/stop/{id}")).json(200);
    assert_eq!(stopped["status"], "inactive", "nothing has changed");
}

#[test]
fn later_create_a_task() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let account = json!({ "name": "MWS", "type": "amazonmws", "keys": {
        "sellerId": "A1", "marketplace": "us",
    }});
    let account = id_of(&ada.post("/v1/accounts", &account).json(200));
    let body = json!({
        "name": "Orders to the log",
        "cron": "*/5 * * * *",
        "nodes": [
            {
                "action": "elasticio/amazonmws:getOrders",
                "config": { "pageSize": "10" },
                "account": account,
            },
            {
                "action": "elasticio/mapper:map",
                "config": { "mapper": { "text": "{{orders[0].sku}}" }, "lookup_tables": {} },
            },
            { "action": "elasticio/debug:log" },
        ],
    });
    let answer = ada.post("/v1/tasks", &body);
    let made = Golden::documented(r#"{ "id": "5538bd9646208d02b3000005" }"#)
        .hide("/id", an_id)
        .is(&answer, 200);
    let started = no_options(&ada, &format!("/v1/tasks/start/{}", id_of(&made)));
    assert_eq!(started.json(200)["status"], "active");
    let bob = user(&server, "bob@example.com");
    assert_eq!(bob.post("/v1/tasks", &body).status, 400, "Ada's account");
}

#[test]
fn later_a_wrong_task_is_refused_by_field() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let timer = json!({ "action": "elasticio/timer:timer" });
    let log = json!({ "action": "elasticio/debug:log" });
    let cases = [
        (json!({ "nodes": [timer, log] }), "name"),
        (json!({ "name": "x" }), "nodes"),
        (json!({ "name": "x", "nodes": [] }), "nodes"),
        (json!({ "name": "x", "nodes": {} }), "nodes"),
        (
            json!({ "name": "x", "nodes": [timer, { "action": "elastcio/debug:log" }] }),
            "nodes",
        ),
        (json!({ "name": "x", "nodes": [timer, {}] }), "action"),
        (
            json!({ "name": "x", "nodes": [timer, log], "cron": "now" }),
            "cron",
        ),
    ];
    for (body, field) in cases {
        let told = ada.post("/v1/tasks", &body).json(400);
        let first = told["errors"][0]["field"].as_str();
        assert!(
            first.is_some_and(|named| named.contains(field)),
            "{field}: {told}"
        );
    }
}

#[test]
fn later_delete_a_task() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let bob = user(&server, "bob@example.com");
    let id = task(&ada);
    let path = format!("/v1/tasks/{id}");
    let started = no_options(&ada, &format!("/v1/tasks/start/{id}"));
    assert_eq!(started.status, 200, "an active task is stopped first");
    assert_eq!(bob.delete(&path).status, 404);
    Golden::documented(r#"{ "id": "", "status": "deleted" }"#)
        .with("/id", id.as_str())
        .is(&curl_line(&ada, "DELETE", &path), 200);
    assert_eq!(ada.delete(&path).status, 410);
    assert_eq!(
        no_options(&ada, &format!("/v1/tasks/start/{id}")).status,
        410
    );
    assert_eq!(bob.delete(&path).status, 404);
}

#[test]
fn later_suspend_a_task() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let id = task(&ada);
    let change = |verb: &str| no_options(&ada, &format!("/v1/tasks/{verb}/{id}"));
    assert_eq!(change("start").json(200)["status"], "active");
    Golden::documented(r#"{ "id": "", "status": "suspended" }"#)
        .with("/id", id.as_str())
        .may_have("/message", a_text)
        .is(&change("suspend"), 200);
    assert_eq!(change("start").json(200)["status"], "active", "it resumes");
}

/// Sends the documented curl line: POST, credentials, nothing else.
fn no_options(actor: &Actor, path: &str) -> crate::support::Answer {
    actor.send("POST", path, &[], "")
}

/// Activates the documented recipe, and returns the id of its first task.
fn activated(actor: &Actor) -> String {
    let made = curl_data(actor, "/v1/recipes", Labelled::Json, ACTIVATION).json(200);
    id_of(&made["tasks"][0])
}
