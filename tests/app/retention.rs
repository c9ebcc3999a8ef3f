//! What goes by itself, and what stays.

use std::time::Duration;

use elastane::app::{App, Pruning};
use elastane::clock::{Clock, monotonic_ms};
use elastane::domain::id::ExecutionId;
use elastane::domain::principal::Principal;
use elastane::domain::run::Failure;
use elastane::domain::run::part::RunKey;
use elastane::domain::run::retention::Retention;
use serde_json::json;

use super::given::count;
use crate::support::Installation;
use crate::support::history::{FIRST, begun, commit, finished, flow, made, part, waiting};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How much is kept in these tests.
const KEPT: Retention = Retention {
    execution_days: 30,
    log_days: 14,
    error_body_days: 5,
    errors_per_flow: 3,
    bodies_per_flow: 2,
};

fn installation() -> (Installation, Clock) {
    let clock = Clock::fixed(1_700_000_000_000);
    let at = Installation::with(|options| {
        options.clock = clock.clone();
        options.rules.retention = KEPT;
    });
    (at, clock)
}

/// Prunes a whole round.
fn prune(app: &App) {
    let mut round = Pruning::default();
    let mut steps = 0;
    while app.prune_runs(&mut round).unwrap() {
        steps += 1;
        assert!(steps < 10_000, "a round ends");
    }
}

/// Tells whether the messages of a run are shown.
fn has_bodies(at: &Installation, who: &Principal, id: ExecutionId) -> bool {
    let (steps, _) = at.app.execution_steps(who, id, 0, 10).unwrap();
    assert_eq!(steps.len(), 2, "the steps stay");
    steps.iter().all(|step| !step.truncated)
}

#[test]
fn old_runs_and_logs_go_and_open_runs_stay() {
    let (at, clock) = installation();
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    let old = finished(&at.app, &flow, json!({}), None);
    let new = begun(&at.app, &flow);
    let open = new.id;
    let mut waits = part(RunKey::New(new), &[], &[made(None, json!({}))]);
    waits.queued = vec![waiting(FIRST, 0, 1)];
    commit(&at.app, &flow, &[waits], &["of the open run"]);
    commit(&at.app, &flow, &[], &["of the flow"]);
    clock.advance(14 * DAY_MS);
    prune(&at.app);
    assert_eq!(count(&at, "SELECT count(*) FROM log_entries"), 2);
    clock.advance(1);
    prune(&at.app);
    assert_eq!(count(&at, "SELECT count(*) FROM log_entries"), 0);
    clock.advance(16 * DAY_MS - 1);
    prune(&at.app);
    assert!(
        at.app.execution(&ada, old).is_ok(),
        "30 days old, and no more"
    );
    let recent = finished(&at.app, &flow, json!({}), None);
    clock.advance(1);
    prune(&at.app);
    assert!(at.app.execution(&ada, old).is_err());
    assert!(at.app.execution(&ada, open).is_ok());
    assert!(has_bodies(&at, &ada, recent));
    assert_eq!(count(&at, "SELECT count(*) FROM executions"), 2);
    assert_eq!(count(&at, "SELECT count(*) FROM execution_parts"), 2);
    assert_eq!(count(&at, "SELECT count(*) FROM execution_messages"), 2);
    assert_eq!(count(&at, "SELECT count(*) FROM queue"), 1);
}

#[test]
fn messages_go_before_their_runs() {
    let (at, clock) = installation();
    let ada = at.principal("ada@example.com");
    let (one, two) = (flow(&at.app, &ada), flow(&at.app, &ada));
    let lonely = finished(&at.app, &two, json!({}), None);
    let failed = finished(&at.app, &one, json!({}), Some(Failure::new("broken")));
    let good: Vec<_> = (0..4)
        .map(|_| finished(&at.app, &one, json!({}), None))
        .collect();
    prune(&at.app);
    let kept: Vec<_> = good.iter().map(|run| has_bodies(&at, &ada, *run)).collect();
    assert_eq!(kept, [false, false, true, true]);
    assert!(has_bodies(&at, &ada, failed));
    assert!(has_bodies(&at, &ada, lonely));
    clock.advance(5 * DAY_MS + 1);
    prune(&at.app);
    assert!(!has_bodies(&at, &ada, failed));
    assert!(has_bodies(&at, &ada, good[3]), "newest runs keep theirs");
}

#[test]
fn the_newest_failures_of_each_flow_stay() {
    let (at, _) = installation();
    let ada = at.principal("ada@example.com");
    let (one, two) = (flow(&at.app, &ada), flow(&at.app, &ada));
    let other = finished(&at.app, &two, json!({}), Some(Failure::new("broken")));
    let good = finished(&at.app, &one, json!({}), None);
    let failed: Vec<_> = (0..5)
        .map(|_| finished(&at.app, &one, json!({}), Some(Failure::new("broken"))))
        .collect();
    prune(&at.app);
    let left: Vec<_> = failed
        .iter()
        .map(|run| at.app.execution(&ada, *run).is_ok())
        .collect();
    assert_eq!(left, [false, false, true, true, true]);
    assert!(at.app.execution(&ada, other).is_ok());
    assert!(at.app.execution(&ada, good).is_ok());
}

#[test]
fn nothing_stays_of_a_flow_that_is_gone() {
    let (at, clock) = installation();
    let ada = at.principal("ada@example.com");
    let (gone, kept) = (flow(&at.app, &ada), flow(&at.app, &ada));
    for flow in [&gone, &kept] {
        finished(&at.app, flow, json!({}), None);
        commit(&at.app, flow, &[], &["a line"]);
    }
    at.app.delete_flow(&ada, gone.id).unwrap();
    prune(&at.app);
    for table in [
        "executions",
        "execution_parts",
        "execution_messages",
        "log_entries",
    ] {
        let left = count(&at, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(left, 1, "{table}");
    }
    assert!(count(&at, "SELECT count(*) FROM flow_events") > 0);
    clock.advance(60 * 60 * 1_000 + 1);
    prune(&at.app);
    assert_eq!(count(&at, "SELECT count(*) FROM flow_events"), 0);
}

#[test]
fn a_run_of_many_parts_goes_in_small_steps() {
    let (at, clock) = installation();
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    let first = part(RunKey::New(begun(&at.app, &flow)), &[], &[]);
    let seq = commit(&at.app, &flow, &[first], &[])[0].seq;
    let more = || part(RunKey::Stored(seq), &[], &[made(None, json!({}))]);
    let parts: Vec<_> = std::iter::repeat_with(more).take(1_300).collect();
    commit(&at.app, &flow, &parts, &[]);
    clock.advance(31 * DAY_MS);
    let mut round = Pruning::default();
    at.app.prune_runs(&mut round).unwrap();
    assert_eq!(count(&at, "SELECT count(*) FROM execution_messages"), 801);
    while at.app.prune_runs(&mut round).unwrap() {}
    assert_eq!(count(&at, "SELECT count(*) FROM execution_parts"), 0);
    assert_eq!(count(&at, "SELECT count(*) FROM executions"), 0);
}

#[test]
fn the_file_shrinks_when_old_runs_go() {
    let (at, clock) = installation();
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    for _ in 0..60 {
        finished(
            &at.app,
            &flow,
            json!({ "large": "x".repeat(500_000) }),
            None,
        );
    }
    let size = || std::fs::metadata(at.database()).unwrap().len();
    let until = monotonic_ms() + 60_000;
    let mut full = 0;
    while full < 25_000_000 && monotonic_ms() < until {
        std::thread::sleep(Duration::from_millis(50));
        full = size();
    }
    assert!(full >= 25_000_000, "the runs are in the file: {full}");
    clock.advance(31 * DAY_MS);
    prune(&at.app);
    // An idle writer gives pages back but for 16 MiB, which the next rows take.
    while size() > 18_000_000 && monotonic_ms() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(size() <= 18_000_000, "the file is smaller: {}", size());
}
