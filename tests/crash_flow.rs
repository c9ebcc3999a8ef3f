//! kill -9 while flows run: every accepted webhook call has one run, which ends, and in
//! which no step is counted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use elastane::app::user::Role;
use serde_json::{Value, json};

use crate::support::{Actor, Installation, Served};

/// Rounds of calling and killing.
const ROUNDS: u64 = 3;

/// Callers at once.
const CALLERS: u64 = 4;

/// How long a round lasts before the server is killed.
const ROUND: Duration = Duration::from_millis(600);

/// How often the runs are looked at until all have ended, and how long in between.
const LOOKS: usize = 600;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The messages that a script makes of one: more than a hundred, from which on the next call
/// is begun while what came of the one before is committed.
const MADE: u64 = 150;

#[test]
fn every_accepted_call_has_one_run_after_kill_9() {
    let code = "async function run(msg) { return { n: msg.body.n }; }";
    kill_and_count(code, "elasticio/debug:log", 3);
}

#[test]
fn every_accepted_call_has_one_run_after_kill_9_in_overlapping_commits() {
    let code = format!(
        "async function run(msg) {{
            for (let i = 0; i < {MADE}; i++)
                await emitter.emit('data', messages.newMessageWithBody({{ n: msg.body.n, i }}));
        }}"
    );
    kill_and_count(&code, "elasticio/filter:filter", 2 + MADE);
}

/// Calls a flow of a webhook, a script and a last step, kills its server and counts the steps
/// of each run.
fn kill_and_count(code: &str, last: &str, steps: u64) {
    let installation = Installation::new();
    let database = installation.database();
    let (user, key) = installation.register("ada@example.com", Role::Member);
    installation.app.close();
    let accepted = Mutex::new(BTreeSet::new());
    let mut flow = String::new();
    for round in 0..ROUNDS {
        let mut served = Served::start(&database);
        let ada = Actor::of(&served.base, user.clone(), &key);
        if flow.is_empty() {
            flow = start_flow(&ada, code, last);
        }
        let base = served.base.clone();
        thread::scope(|scope| {
            for caller in 0..CALLERS {
                let (base, flow, accepted) = (&base, &flow, &accepted);
                scope.spawn(move || call_until_killed(base, flow, round, caller, accepted));
            }
            thread::sleep(ROUND);
            served.kill();
        });
    }
    let served = Served::start(&database);
    let ada = Actor::of(&served.base, user, &key);
    let runs = ended_runs(&ada, &flow);
    let accepted = accepted.into_inner().expect("the ids");
    assert!(accepted.len() > 20, "only {} calls", accepted.len());
    for id in &accepted {
        assert_eq!(runs.get(id).map(Vec::len), Some(1), "{id}");
    }
    for (id, of_request) in &runs {
        for run in of_request {
            let counted = (&run["status"], &run["steps_total"], &run["errors_total"]);
            assert_eq!(
                counted,
                (&json!("success"), &json!(steps), &json!(0)),
                "{id}"
            );
        }
    }
}

/// Makes and starts a flow with a step whose input is durable first.
fn start_flow(ada: &Actor, code: &str, last: &str) -> String {
    let task = json!({ "name": "Calls", "nodes": [
        { "action": "elasticio/webhook:receive" },
        { "action": "elasticio/code:execute",
          "config": { "code": code } },
        { "action": last, "config": { "condition": "true" } },
    ] });
    let made = ada.post("/v1/tasks", &task).json(200);
    let id = made["id"].as_str().expect("an id").to_owned();
    let started = ada.send("POST", &format!("/v1/tasks/start/{id}"), &[], "");
    assert_eq!(started.status, 200, "{}", started.text);
    id
}

/// Calls until the server is gone; an id is accepted once its 200 was read.
fn call_until_killed(
    base: &str,
    flow: &str,
    round: u64,
    caller: u64,
    accepted: &Mutex<BTreeSet<String>>,
) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let agent = ureq::Agent::new_with_defaults();
    loop {
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let id = format!("r{round}-c{caller}-{number}");
        let sent = agent
            .post(format!("{base}/hook/{flow}"))
            .header("content-type", "application/json")
            .header("x-request-id", &id)
            .send(json!({ "n": number }).to_string());
        match sent {
            Ok(answer) if answer.status() == 200 => {
                accepted.lock().expect("the ids").insert(id);
            }
            _ => return,
        }
    }
}

/// Waits until all runs have ended, and returns them by the id of their request.
fn ended_runs(ada: &Actor, flow: &str) -> BTreeMap<String, Vec<Value>> {
    for _ in 0..LOOKS {
        let mut runs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut open = 0;
        for page in 1.. {
            let path = format!(
                "/v2/flow-executions?filter[flow]={flow}&page[size]=500&page[number]={page}"
            );
            let listed = ada.get(&path).json(200);
            let listed = listed["data"].as_array().expect("a list").clone();
            if listed.is_empty() {
                break;
            }
            for run in listed {
                let attributes = run["attributes"].clone();
                open += usize::from(attributes["finished_at"].is_null());
                let id = attributes["request_id"].as_str().expect("an id").to_owned();
                runs.entry(id).or_default().push(attributes);
            }
        }
        if open == 0 {
            return runs;
        }
        thread::sleep(LOOK_EVERY);
    }
    panic!("some runs never end");
}
