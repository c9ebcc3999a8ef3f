//! Schedules of a running engine, with a clock of ours: what was missed while no server
//! ran, and no tick over a step that is busy.

use elastane::app::App;
use elastane::app::flow::FlowChange;
use elastane::clock::Clock;
use elastane::domain::flow::options::Missed;
use elastane::domain::flow::{Cron, chain};
use elastane::domain::id::FlowId;
use elastane::domain::principal::Principal;
use elastane::server::ServerOptions;
use serde_json::json;

use crate::support::history::flow;
use crate::support::running::{ended, id_of, runs_of, seen};
use crate::support::{Actor, Installation, TestServer};

/// A time 40 seconds before a full minute.
const START_MS: i64 = 1_700_000_000_000;

const MINUTE_MS: i64 = 60_000;

/// Makes a flow that fires each minute, with one step of code as its trigger, and starts it.
fn each_minute(app: &App, who: &Principal, missed: Missed, code: &str) -> FlowId {
    let trigger = json!({ "action": "elasticio/code:executeTrigger", "config": { "code": code } });
    let log = json!({ "action": "elasticio/debug:log" });
    let graph = chain::parse(&[trigger, log]).expect("a chain");
    let cron = Some(Cron::parse("cron", "* * * * *").expect("a schedule"));
    let id = app
        .create_chain_flow(who, "Each minute", graph, cron)
        .expect("a flow")
        .id;
    let change = FlowChange {
        missed: Some(missed),
        ..FlowChange::default()
    };
    app.change_flow(who, id, change).expect("changed");
    app.start_flow(who, id).expect("started");
    id
}

/// An installation with a clock of ours, and somebody in it.
fn installation() -> (Installation, Clock, Principal, String) {
    let clock = Clock::fixed(START_MS);
    let at = Installation::with(|options| options.clock = clock.clone());
    let (user, key) = at.register("ada@example.com", elastane::app::user::Role::Member);
    let origin =
        elastane::domain::principal::Origin::local(elastane::domain::principal::Channel::Api);
    (at, clock, Principal::user(user, origin), key)
}

/// Waits until the schedule of a flow has looked beyond now.
fn looked(app: &App, who: &Principal, flow: FlowId) {
    seen("a schedule that was looked at", || {
        let due_at_ms = app.flow(who, flow).expect("the flow").due_at_ms;
        due_at_ms.filter(|due| *due > app.now_ms())
    });
}

#[test]
fn what_was_missed_while_no_server_ran_is_skipped_made_up_for_once_or_all() {
    let (at, clock, who, key) = installation();
    let code = "async function run() { return { n: 1 }; }";
    let flows = [(Missed::Skip, 0), (Missed::Once, 1), (Missed::All, 10)]
        .map(|(missed, runs)| (each_minute(&at.app, &who, missed, code), runs));
    // Ten full minutes go by.
    clock.advance(10 * MINUTE_MS);
    let server = TestServer::over(at, ServerOptions::default());
    let ada = server.anonymous().signing_in(&key, "");
    for (flow, expected) in flows {
        looked(&server.installation.app, &who, flow);
        let runs = runs_of(&ada, &flow.to_string());
        assert_eq!(runs.len(), expected);
        for run in runs {
            assert_eq!(run["attributes"]["trigger"], "schedule");
            assert_eq!(ended(&ada, &id_of(&run))["status"], "success");
        }
    }
    // From now on each fires as it should.
    clock.advance(MINUTE_MS);
    wake(&server.installation.app, &who);
    for (flow, before) in flows {
        looked(&server.installation.app, &who, flow);
        assert_eq!(runs_of(&ada, &flow.to_string()).len(), before + 1);
    }
}

#[test]
fn a_tick_over_a_step_that_is_busy_is_noted_and_skipped() {
    let (at, clock, who, key) = installation();
    let code = "async function run() { await this.emit('rebound', 'busy'); }";
    let busy = each_minute(&at.app, &who, Missed::Once, code);
    let server = TestServer::over(at, ServerOptions::default());
    let app = &server.installation.app;
    let ada = server.anonymous().signing_in(&key, "");
    let skipped = |ada: &Actor| {
        let log = ada
            .get(&format!("/v2/flows/{busy}/logs?filter[level]=warn"))
            .json(200);
        let entries = log["data"].as_array().expect("a list").clone();
        let text = |entry: &serde_json::Value| entry["attributes"]["message"].to_string();
        entries
            .iter()
            .filter(|it| text(it).contains("skipped"))
            .count()
    };
    clock.advance(MINUTE_MS);
    wake(app, &who);
    looked(app, &who, busy);
    assert_eq!(runs_of(&ada, &busy.to_string()).len(), 1);
    assert_eq!(skipped(&ada), 0);
    for ticks in 1..=2 {
        clock.advance(MINUTE_MS);
        wake(app, &who);
        looked(app, &who, busy);
        assert_eq!(runs_of(&ada, &busy.to_string()).len(), 1, "no overlap");
        assert_eq!(skipped(&ada), ticks);
    }
    let run = id_of(&runs_of(&ada, &busy.to_string())[0]);
    app.cancel_execution(&who, run.parse().expect("an id"))
        .expect("cancelled");
    clock.advance(MINUTE_MS);
    wake(app, &who);
    looked(app, &who, busy);
    assert_eq!(
        runs_of(&ada, &busy.to_string()).len(),
        2,
        "it is free again"
    );
}

/// Wakes the schedule, whose thread sleeps by the machine's clock: a started flow does.
fn wake(app: &App, who: &Principal) {
    let other = flow(app, who).id;
    app.start_flow(who, other).expect("started");
}
