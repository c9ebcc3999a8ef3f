//! What goes wrong around steps: the disk, components that do not start or hang, messages
//! that are gone.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

use elastane::domain::flow::FlowStatus;
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::store::{OpenMode, Store};
use serde_json::{Value, json};

use super::running::{
    Gate, all_succeed, call, eventually, hook, server, start, started, started_with, states,
};
use crate::support::{Actor, TestServer};

#[test]
fn a_commit_that_fails_is_tried_again_and_its_step_is_not() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    let flow = started(&ada, &[hook(), gate.node("out", "/")], &[("in", "out")]);
    assert_eq!(call(&server, &flow).status, 200);
    eventually("the step works", || gate.calls().len() == 1);
    let app = &server.installation.app;
    let failed = || {
        let stats = app.store_stats();
        stats.failed_commits + stats.failed_jobs
    };
    let before = failed();
    let other = Store::open(&server.installation.database(), OpenMode::Existing).expect("it");
    let (taken, is_taken) = channel();
    let (release, released) = channel();
    let holds = elastane::thread::spawn("holder", None, move || {
        // A job holds the database, as another process would.
        let held = other.write(move |_| {
            taken.send(()).expect("somebody waits");
            released.recv().expect("somebody releases");
            Ok(())
        });
        held.expect("held");
    });
    is_taken.recv().expect("the database is held");
    gate.open();
    eventually("a commit fails", || failed() > before);
    release.send(()).expect("it holds");
    holds.expect("a thread").join().expect("it ended");
    all_succeed(&ada, &flow, 1);
    assert_eq!(gate.calls().len(), 1, "the step was done again");
}

#[test]
fn a_step_that_takes_too_long_fails_and_the_next_message_does_not_wait_for_it() {
    let server = server(|_| {}, |options| options.engine.step_limit_ms = 500);
    let ada = server.user("ada@example.com");
    let (gate, told) = (Gate::shut(), Gate::shut());
    told.open();
    let mut handler = told.node("handler", "/told");
    handler["error"] = json!(true);
    let nodes = [hook(), gate.node("out", "/"), handler];
    let flow = started(&ada, &nodes, &[("in", "out"), ("", "handler")]);
    assert_eq!(call(&server, &flow).status, 200);
    eventually("it hangs", || gate.calls().len() == 1);
    eventually("it failed", || states(&ada, &flow) == ["error"]);
    assert_eq!(told.calls(), ["/told"], "the handler knows");
    assert_eq!(call(&server, &flow).status, 200);
    eventually("the next one hangs too", || gate.calls().len() == 2);
    eventually("it fails too", || states(&ada, &flow) == ["error", "error"]);
    gate.open();
    let runs = ada
        .get(&format!("/v2/flow-executions?filter[flow]={flow}"))
        .json(200);
    let run = runs["data"][1]["id"].as_str().expect("a run");
    let steps = ada
        .get(&format!("/v2/flow-executions/{run}/steps"))
        .json(200);
    let of_step: Vec<&Value> = steps["data"]
        .as_array()
        .expect("steps")
        .iter()
        .filter(|step| step["attributes"]["step_id"] == "out")
        .collect();
    assert_eq!(
        of_step.len(),
        1,
        "what came back late changes nothing: {steps}"
    );
    assert_eq!(of_step[0]["attributes"]["error"]["name"], "Timeout");
    // The workers that hung work again.
    assert_eq!(call(&server, &flow).status, 200);
    eventually("a third one ends well", || {
        states(&ada, &flow)[0] == "success"
    });
}

#[test]
fn two_flows_with_slow_steps_leave_workers_for_a_third_one() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    for name in ["/a", "/b"] {
        let more = json!({ "nodes_config": { "out": { "prefetch": 16 } } });
        let nodes = [hook(), gate.node("out", name)];
        let flow = started_with(&ada, &nodes, &[("in", "out")], &more);
        for _ in 0..16 {
            assert_eq!(call(&server, &flow).status, 200);
        }
    }
    eventually("both are busy", || gate.calls().len() >= 10);
    let code = json!({ "id": "code", "command": "elasticio/code:execute", "fields": { "code":
        "async function run() { await this.emit('httpReply', { statusCode: 201, body: 'me' }); \
         return {}; }" } });
    let third = started(&ada, &[hook(), code], &[("in", "code")]);
    let answer = call(&server, &third);
    assert_eq!((answer.status, answer.text.as_str()), (201, "me"));
    gate.open();
}

#[test]
fn the_error_handler_is_told_of_a_message_that_is_not_kept_any_more() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let (gate, told) = (Gate::shut(), Gate::shut());
    told.open();
    let mut handler = told.node("handler", "/told");
    handler["error"] = json!(true);
    let nodes = [hook(), gate.node("out", "/"), handler];
    let flow = started(&ada, &nodes, &[("in", "out"), ("", "handler")]);
    let operator = Principal::operator(Channel::Cli);
    let id = flow.parse().expect("an id");
    server
        .installation
        .app
        .suspend_flow(&operator, id)
        .expect("suspended");
    // More than are kept in memory.
    for _ in 0..40 {
        assert_eq!(call(&server, &flow).status, 200);
    }
    let store = Store::open(&server.installation.database(), OpenMode::Existing).expect("it");
    store
        .write(|write| {
            let raw = write.raw_for_tests();
            assert_eq!(raw.execute("DELETE FROM execution_messages", [])?, 40);
            Ok(())
        })
        .expect("deleted");
    gate.open();
    start(&ada, &flow);
    eventually("all have ended", || {
        states(&ada, &flow)
            .iter()
            .all(|it| it == "error" || it == "success")
    });
    let states = states(&ada, &flow);
    let failed = states.iter().filter(|it| *it == "error").count();
    assert!(failed > 0, "the oldest one is lost: {states:?}");
    assert_eq!(
        (told.calls().len(), gate.calls().len()),
        (failed, 40 - failed)
    );
}

#[test]
fn a_message_that_can_not_be_read_for_now_waits_and_is_no_error() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let gate = Gate::shut();
    gate.open();
    let flow = started(&ada, &[hook(), gate.node("out", "/")], &[("in", "out")]);
    let id = flow.parse().expect("an id");
    let app = &server.installation.app;
    app.suspend_flow(&operator(), id).expect("suspended");
    // Its body is a file; the others are more than are kept in memory.
    let headers = [("content-type", "application/json")];
    let large = json!({ "big": "x".repeat(1_100_000) }).to_string();
    let nobody = server.anonymous();
    let sent = nobody.send("POST", &format!("/hook/{flow}"), &headers, &large);
    assert_eq!(sent.status, 200, "{}", sent.text);
    for _ in 0..40 {
        assert_eq!(call(&server, &flow).status, 200);
    }
    let file = only_object(&server);
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).expect("moved");
    // The system refuses to read it as a file, as a broken disk does.
    fs::create_dir(&file).expect("made");
    start(&ada, &flow);
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(20));
        assert!(states(&ada, &flow).iter().all(|state| state == "waiting"));
    }
    assert_eq!(gate.calls().len(), 0, "nothing overtakes it");
    fs::remove_dir(&file).expect("gone");
    fs::rename(&aside, &file).expect("moved back");
    all_succeed(&ada, &flow, 41);
    assert_eq!(gate.calls().len(), 41);
}

/// Returns the only file in the folder of objects.
fn only_object(server: &TestServer) -> PathBuf {
    let folder = server.installation.database().with_extension("objects");
    let shards = fs::read_dir(folder).expect("a folder").flatten();
    let files = shards.flat_map(|shard| fs::read_dir(shard.path()).expect("a folder").flatten());
    let files: Vec<PathBuf> = files.map(|file| file.path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Adds a component of a user that nobody has built, with one action.
fn unbuilt(server: &TestServer, ada: &Actor) -> String {
    let app = &server.installation.app;
    let who = Principal::user(
        ada.user.clone().expect("a user"),
        Origin::local(Channel::Api),
    );
    let made = app
        .create_component(&who, None, Some("Broken"))
        .expect("made");
    let descriptor = json!({ "title": "Broken", "actions": { "act": { "title": "Act" } } });
    let store = Store::open(&server.installation.database(), OpenMode::Existing).expect("it");
    let id = made.id.to_string();
    store
        .write(move |write| {
            write.raw_for_tests().execute(
                "INSERT INTO component_versions
                     (component_id, revision, number, title, descriptor, icon, created_at)
                 VALUES (?1, '1', 1, 'Broken', ?2, 'aWNvbg==', 0)",
                [id, descriptor.to_string()],
            )?;
            Ok(())
        })
        .expect("a version");
    format!("{}/broken:act", made.team)
}

#[test]
fn a_component_that_can_not_be_started_five_times_suspends_the_flow_which_keeps_the_message() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let command = unbuilt(&server, &ada);
    let flow = started(&ada, &[hook()], &[]);
    // A started flow whose step can't run any more, which no verb lets happen.
    let store = Store::open(&server.installation.database(), OpenMode::Existing).expect("it");
    let (id, text) = (flow.clone(), command.clone());
    store
        .write(move |write| {
            let graph = json!({ "nodes": [hook(), { "id": "out", "command": text }],
                "edges": [{ "source": "in", "target": "out" }] });
            let raw = write.raw_for_tests();
            raw.execute(
                "UPDATE flows SET graph = ?2 WHERE id = ?1",
                [&id, &graph.to_string()],
            )?;
            raw.execute(
                "INSERT INTO flow_events (flow_id, kind, at) VALUES (?1, 'changed', 0)",
                [&id],
            )?;
            Ok(())
        })
        .expect("changed");
    eventually("the step fails to start", || {
        let _ = call(&server, &flow);
        let failures = server
            .installation
            .app
            .flow_log(&operator(), flow.parse().expect("an id"), None, None, 100)
            .expect("a log");
        !failures.is_empty()
    });
    eventually("it is suspended", || {
        let shown = server
            .installation
            .app
            .flow(&operator(), flow.parse().expect("an id"));
        shown.expect("it").status == FlowStatus::Suspended
    });
    let log = server
        .installation
        .app
        .flow_log(&operator(), flow.parse().expect("an id"), None, None, 100)
        .expect("a log");
    assert_eq!(log.len(), 5, "each failure is told");
    assert!(
        log[0].message.contains("the flow is suspended"),
        "{}",
        log[0].message
    );
    assert_eq!(
        call(&server, &flow).status,
        200,
        "its webhook still accepts"
    );
    let states = states(&ada, &flow);
    assert!(states.len() > 1 && states.iter().all(|it| it == "waiting" || it == "success"));
    // No message was leased for a component that never ran.
    let leases = store
        .read(|read| read.queued_for(flow.parse().expect("an id"), "out", 0, 100))
        .expect("rows");
    assert!(!leases.is_empty() && leases.iter().all(|row| row.leases == 0));
}

#[test]
fn a_start_that_worked_sets_the_count_of_failed_ones_back() {
    let server = server(|_| {}, |_| {});
    let ada = server.user("ada@example.com");
    let flow = started(&ada, &[hook()], &[]);
    let id = flow.parse().expect("an id");
    let app = &server.installation.app;
    let fail = || app.note_start_failure(id, "in", "no").expect("noted");
    let status = || app.flow(&operator(), id).expect("it").status;
    let counts: Vec<u32> = (0..4).map(|_| fail()).collect();
    assert_eq!(counts, [1, 2, 3, 4]);
    app.forget_start_failures(id);
    let counts: Vec<u32> = (0..4).map(|_| fail()).collect();
    assert_eq!(counts, [1, 2, 3, 4]);
    assert_eq!(status(), FlowStatus::Active);
    assert_eq!(fail(), 5);
    assert_eq!(status(), FlowStatus::Suspended);
}

/// Returns the operator.
fn operator() -> Principal {
    Principal::operator(Channel::Cli)
}
