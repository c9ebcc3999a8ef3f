//! Figures for charts: what is counted, within which bounds, and for whom.

use elastane::domain::Kind;
use elastane::domain::figures::{RUN_MINUTES, StepFigures};
use elastane::domain::id::UserId;
use elastane::domain::principal::{Channel, Principal};
use rusqlite::params;
use serde_json::json;

use super::given::{id_of, operator, rows};
use crate::support::Installation;
use crate::support::history::flow;

/// A minute in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// Adds a run of a flow that began so long ago and stands so; returns its seq.
fn add_run(at: &Installation, flow: &str, ago_ms: i64, status: &str) -> i64 {
    let rows = rows(at);
    let began = at.app.now_ms() - ago_ms;
    let is_over = !matches!(status, "running" | "waiting");
    rows.execute(
        "INSERT INTO executions (id, flow_id, flow_version, trigger, status, started_at,
             finished_at, parts, steps_total, errors_total, queued, has_bodies)
         VALUES (hex(randomblob(12)), ?1, 1, 'manual', ?2, ?3, ?4, 1, 1, ?5, 0, 0)",
        params![
            flow,
            status,
            began,
            is_over.then_some(began),
            status == "error"
        ],
    )
    .unwrap();
    rows.last_insert_rowid()
}

#[test]
fn runs_are_counted_by_minute_and_by_how_they_ended() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let mine = flow(&at.app, &ada).id;
    let id = mine.to_string();
    for (ago_ms, status) in [
        (90 * MINUTE_MS, "success"),
        (10 * MINUTE_MS, "success"),
        (10 * MINUTE_MS, "error"),
        (0, "success"),
        (0, "interrupted"),
        (0, "running"),
    ] {
        add_run(&at, &id, ago_ms, status);
    }
    add_run(&at, "ac0000000000000000000001", 0, "success");
    let all = at.app.run_minutes(&operator(), None).unwrap();
    assert_eq!(all.minutes.len(), RUN_MINUTES);
    assert!(all.is_complete);
    let sum = |of: fn(&elastane::domain::figures::RunMinute) -> u64| {
        all.minutes.iter().map(of).sum::<u64>()
    };
    assert_eq!(
        (sum(|it| it.ok), sum(|it| it.failed), sum(|it| it.open)),
        (3, 2, 1)
    );
    // A minute may have ended since the runs were added.
    let newest = &all.minutes[RUN_MINUTES - 2..];
    assert_eq!(newest.iter().map(|it| it.ok).sum::<u64>(), 2);
    let of_flow = at.app.run_minutes(&operator(), Some(mine)).unwrap();
    assert_eq!(of_flow.minutes.iter().map(|it| it.ok).sum::<u64>(), 2);
    assert_eq!(at.app.figures(&operator()).unwrap().runs, all);
}

#[test]
fn steps_are_measured_by_their_newest_records() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let mine = flow(&at.app, &ada).id;
    for took in 1..=20 {
        let seq = add_run(&at, &mine.to_string(), 0, "success");
        let status = if took == 20 { "error" } else { "success" };
        let steps = json!([
            { "s": "step_1", "r": "success", "a": 0, "t": 1, "d": 999, "i": 0 },
            { "s": "step_2", "r": status, "a": 1, "t": 1, "d": took * 1_000, "i": 0 },
        ]);
        rows(&at)
            .execute(
                "INSERT INTO execution_parts (key, count, steps) VALUES (?1 << 20, 2, ?2)",
                params![seq, steps.to_string()],
            )
            .unwrap();
    }
    rows(&at)
        .execute(
            "INSERT INTO queue (flow_id, step_id, execution, part, message, bytes, attempt, due_at,
                 queued_at)
             VALUES (?1, 'step_2', 1, 0, 0, 1, 1, 0, 77), (?1, 'step_1>step_2', 1, 0, 0, 1, 1, 0, 78)",
            [mine.to_string()],
        )
        .unwrap();
    let [first, second] = &at.app.step_figures(&operator(), mine).unwrap()[..] else {
        panic!("two steps");
    };
    assert_eq!(first, &StepFigures::of("step_1", Vec::new(), 0));
    assert_eq!((first.ran, first.p50_us), (0, None));
    assert_eq!((second.ran, second.failed), (20, 1));
    let queues = at.app.queue_stats(&operator(), mine).unwrap();
    assert_eq!((queues[0].total, queues[1].total), (0, 2));
    assert_eq!(second.p50_us, Some(10_000));
    assert_eq!(second.p95_us, Some(19_000));
    let queue = at.app.figures(&operator()).unwrap().queue;
    assert_eq!((queue.messages.n, queue.messages.is_exact), (2, true));
    assert_eq!(queue.oldest_at_ms, Some(77));
}

#[test]
fn the_installation_is_counted_and_measured() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    flow(&at.app, &ada);
    let before = at.app.figures(&operator()).unwrap();
    at.principal("eve@example.com");
    let after = at.app.figures(&operator()).unwrap();
    assert_eq!(after.users.active, before.users.active + 1);
    assert_eq!(after.users.disabled, 0);
    assert_eq!((after.flows.active, after.flows.inactive), (0, 1));
    assert!(after.teams > 0, "{after:?}");
    assert!(after.database.bytes > 100_000, "{after:?}");
    assert!(after.database.free_bytes < after.database.bytes);
    assert_eq!(after.requests, None);
}

#[test]
fn a_server_tells_other_processes_how_much_it_is_asked() {
    let at = Installation::new();
    at.app.note_requests(10_000, 250, 3);
    // Notes are written in their order, so an answered write comes after them.
    at.app.prove_writable().unwrap();
    let noted = at
        .app
        .figures(&operator())
        .unwrap()
        .requests
        .expect("a note");
    assert_eq!(
        (noted.answered, noted.failed, noted.within_ms),
        (250, 3, 10_000)
    );
    assert_eq!(noted.per_1000_s(), 25_000);
    rows(&at)
        .execute(
            "UPDATE meta SET value = CAST(json_set(CAST(value AS TEXT), '$.at', 1) AS BLOB)
             WHERE key = 'requests'",
            [],
        )
        .unwrap();
    assert_eq!(at.app.figures(&operator()).unwrap().requests, None);
}

#[test]
fn what_goes_with_a_user_is_told_before() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let eve = at.principal("eve@example.com");
    let user = id_of(&ada);
    flow(&at.app, &ada);
    let started = flow(&at.app, &ada).id;
    rows(&at)
        .execute(
            "UPDATE flows SET status = 'active' WHERE id = ?1",
            [started.to_string()],
        )
        .unwrap();
    at.app.create_team(&ada, user, Some("Her own")).unwrap();
    let shared = at.app.create_team(&ada, user, Some("Shared")).unwrap();
    at.app
        .add_team_members(&ada, shared.id, vec![id_of(&eve)])
        .unwrap();
    let ties = at.app.user_ties(&operator(), user).unwrap();
    assert_eq!((ties.flows, ties.active_flows), (2, 1));
    assert_eq!((ties.api_keys, ties.ssh_keys, ties.credentials), (1, 0, 0));
    assert_eq!(ties.teams, 2);
    assert_eq!(ties.own_teams, ["Her own"]);
    let nobody: UserId = "aa0000000000000000000001".parse().unwrap();
    let error = at.app.user_ties(&operator(), nobody).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn figures_are_for_the_operator() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let mine = flow(&at.app, &ada).id;
    let refused = [
        at.app.figures(&ada).map(drop),
        at.app.run_minutes(&ada, None).map(drop),
        at.app.step_figures(&ada, mine).map(drop),
        at.app.user_ties(&ada, id_of(&ada)).map(drop),
    ];
    for refused in refused {
        assert_eq!(refused.unwrap_err().kind(), Kind::Forbidden);
    }
    let console = Principal::operator(Channel::Console);
    assert!(at.app.figures(&console).is_ok());
}
