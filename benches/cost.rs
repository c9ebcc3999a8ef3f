//! What runs cost besides time: bytes on disk, flows that only wait, and the weight of
//! what ran before.

use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::ours::{Ours, map_flow};
use super::{DURATION, ROUNDS, Side, cpu, map_request, median, requests_per_s, side};

/// The active flows that only wait for their time.
const IDLE_FLOWS: u32 = 10_000;

/// How long a server may settle after its start, before it counts as idle.
const SETTLE: Duration = Duration::from_secs(5);

/// How long an idle server is watched.
const WATCHED: Duration = Duration::from_secs(20);

/// The past runs of the small and of the large installation.
const PAST: [u32; 2] = [1_000, 1_000_000];

/// Measures the bytes that a run leaves on the disk once its bodies are pruned: all but
/// the table of messages, which pruning empties, over the runs of some seconds.
pub(crate) fn disk() {
    let ours = Ours::start(&[map_flow()]);
    requests_per_s(ours.address, &map_request(&ours.hook_path(0)), DURATION);
    let database = ours.database();
    let runs: f64 = one(&database, "SELECT CAST(count(*) AS REAL) FROM executions");
    let of = |names: &str| -> f64 {
        let sql = format!(
            "SELECT CAST(coalesce(sum(pgsize), 0) AS REAL) FROM dbstat WHERE aggregate = 1 AND {names}"
        );
        one(&database, &sql) / runs
    };
    let records = of("name LIKE '%execution%' AND name <> 'execution_messages'");
    let steps = of("name = 'execution_parts'");
    let bodies = of("name = 'execution_messages'");
    println!(
        "a run of two steps: {records:.0} bytes on disk after its bodies are pruned \
         ({steps:.0} of them its steps; goal at most 2048), {bodies:.0} more before; \
         {runs:.0} runs"
    );
}

/// Measures what thousands of active flows cost that wait for their time.
pub(crate) fn idle() {
    let ours = Ours::start_with(&[waiting_flow()], |database, flows| {
        let copies = format!(
            "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {})
             INSERT INTO flows (id, user_id, name, status, graph, cron, created_at, updated_at,
                 last_started_at, due_at)
             SELECT printf('5e%022x', n), user_id, name || n, status, graph, cron, created_at,
                 updated_at, last_started_at, due_at FROM flows, n WHERE id = ?1",
            IDLE_FLOWS - 1
        );
        database.execute(&copies, [&flows[0]]).expect("flows");
    });
    thread::sleep(SETTLE);
    let (before, began) = (cpu::cpu_s(ours.process()), Instant::now());
    thread::sleep(WATCHED);
    let share = (cpu::cpu_s(ours.process()) - before) / began.elapsed().as_secs_f64();
    println!(
        "{IDLE_FLOWS} active flows that wait: {:.2} % of a core (goal under 3)",
        share * 100.0
    );
}

/// Measures a call with few and with many runs before it, in turns.
pub(crate) fn depth() {
    let sides = PAST.map(|past| {
        Ours::start_with(&[map_flow()], |database, flows| {
            add_past(database, &flows[0], past);
        })
    });
    let mut costs: [Vec<Side>; 2] = [vec![], vec![]];
    for _ in 0..=ROUNDS {
        for (ours, costs) in sides.iter().zip(&mut costs) {
            let request = map_request(&ours.hook_path(0));
            costs.push(side(ours.address, ours.process(), &request));
        }
    }
    let [few, many] = costs.map(|sides| {
        // The first round warms up.
        let sides = &sides[1..];
        let cores = sides.iter().map(|side| side.cpu_us).collect();
        let wall = sides.iter().map(|side| 1.0 / side.per_s).collect();
        (median::median(cores), median::median(wall))
    });
    println!(
        "a call after {} runs: {:.0} us of a core; after {}: {:.0} us: {:.2} times, and {:.2} \
         on the wall (goal at most 1.3)",
        PAST[0],
        few.0,
        PAST[1],
        many.0,
        many.0 / few.0,
        many.1 / few.1
    );
}

/// Adds runs that ended, a second apart, with their steps and without their bodies.
fn add_past(database: &Connection, flow: &str, past: u32) {
    let fill = format!(
        "BEGIN;
         CREATE TEMP TABLE past AS
             WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {past})
             SELECT n, unixepoch() * 1000 - {past} + n AS at FROM n;
         INSERT INTO executions (id, flow_id, flow_version, trigger, status, started_at,
             finished_at, parts, steps_total, errors_total, queued, has_bodies, request_id,
             owner_id)
         SELECT printf('5e%022x', n), '{flow}', 1, 'webhook', 'success', at, at + 2, 1, 2, 0, 0,
             0, printf('%032x', n), (SELECT user_id FROM flows WHERE id = '{flow}') FROM past;
         INSERT INTO execution_parts (key, count, steps)
         SELECT seq << 20, 2, '{}' FROM executions;
         COMMIT;",
        steps()
    );
    database.execute_batch(&fill).expect("past runs");
}

/// The steps of such a run, as the engine writes them.
fn steps() -> Value {
    let step = |name: &str, input: u32| {
        json!({
            "s": name, "r": "success", "a": 1, "t": 1_772_600_767_089_u64, "d": 12, "i": input,
            "n": 700, "o": [input + 1], "m": 700,
        })
    };
    json!([step("step_1", 0), step("step_2", 2)])
}

/// A flow whose time comes once a year.
fn waiting_flow() -> Value {
    json!({
        "name": "Wait", "type": "ordinary", "cron": "0 0 1 1 *",
        "graph": {
            "nodes": [
                { "id": "step_1", "command": "elasticio/timer:timer" },
                { "id": "step_2", "command": "elasticio/debug:log" },
            ],
            "edges": [{ "source": "step_1", "target": "step_2" }],
        },
    })
}

/// Returns the one number that a query finds.
fn one(database: &Connection, sql: &str) -> f64 {
    database
        .query_row(sql, [], |row| row.get::<_, f64>(0))
        .expect("a number")
}
