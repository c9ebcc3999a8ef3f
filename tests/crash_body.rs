//! kill -9 while a large body waits: it is on the disk before its call is answered.

use std::thread;
use std::time::Duration;

use elastane::app::user::Role;
use serde_json::{Value, json};

use crate::support::{Actor, Installation, Served};

/// Letters of the body: more than a database row takes, and several bodies fit an answer.
const LETTERS: usize = 1_200_000;

/// How often the run is looked at until it has ended, and how long in between.
const LOOKS: usize = 600;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Sends an order to a task and expects that it is obeyed.
fn order(who: &Actor, verb: &str, task: &str) {
    let answer = who.send("POST", &format!("/v1/tasks/{verb}/{task}"), &[], "");
    assert_eq!(answer.status, 200, "{verb}: {}", answer.text);
}

#[test]
fn a_large_body_that_was_accepted_survives_kill_9_and_is_worked_on() {
    let installation = Installation::new();
    let database = installation.database();
    let (user, key) = installation.register("ada@example.com", Role::Member);
    installation.app.close();
    let mut served = Served::start(&database);
    let ada = Actor::of(&served.base, user.clone(), &key);
    let code = "async function run(msg) { return { letters: msg.body.text.length }; }";
    let task = json!({ "name": "Large", "nodes": [
        { "action": "elasticio/webhook:receive" },
        { "action": "elasticio/code:execute", "config": { "code": code } },
        { "action": "elasticio/debug:log" },
    ] });
    let made = ada.post("/v1/tasks", &task).json(200);
    let task = made["id"].as_str().expect("an id").to_owned();
    order(&ada, "start", &task);
    order(&ada, "suspend", &task);
    let body = json!({ "text": "x".repeat(LETTERS) }).to_string();
    let typed = [("content-type", "application/json")];
    let called = ada.send("POST", &format!("/hook/{task}"), &typed, &body);
    assert_eq!(called.status, 200, "{}", called.text);
    served.kill();
    drop(served);
    let folder = database.with_extension("objects");
    let shards = std::fs::read_dir(folder).expect("the folder").flatten();
    let files = shards.map(|shard| std::fs::read_dir(shard.path()).expect("a shard").count());
    assert_eq!(files.sum::<usize>(), 1, "the body is a file");
    let served = Served::start(&database);
    let ada = Actor::of(&served.base, user, &key);
    order(&ada, "start", &task);
    let listed = format!("/v2/flow-executions?filter[flow]={task}");
    let run = (0..LOOKS).find_map(|_| {
        let runs = ada.get(&listed).json(200);
        assert_eq!(runs["meta"]["total"], 1);
        let run = runs["data"][0].clone();
        let is_over = !run["attributes"]["finished_at"].is_null();
        if !is_over {
            thread::sleep(LOOK_EVERY);
        }
        is_over.then_some(run)
    });
    let run = run.expect("the run ends");
    assert_eq!(run["attributes"]["status"], "success", "{run}");
    let id = run["id"].as_str().expect("an id");
    let steps = ada
        .get(&format!("/v2/flow-executions/{id}/steps"))
        .json(200);
    let shown =
        |step: usize, member: &str| -> Value { steps["data"][step]["attributes"][member].clone() };
    let text = shown(0, "input")["body"]["text"].as_str().map(str::len);
    assert_eq!(text, Some(LETTERS), "a person sees it");
    assert_eq!(shown(2, "input")["body"], json!({ "letters": LETTERS }));
}
