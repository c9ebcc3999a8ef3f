//! Durable writes a second: group commit against a commit a request.
//!
//! Both run here, one after the other, on the same disk; only their ratio means
//! something elsewhere. The goal is 5 at 64 writers; the slower the disk, the more.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports to a person"
)]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use elastane::clock;
use elastane::domain::error::Result;
use elastane::store::options::Options;
use elastane::store::{Migration, OpenMode, Plan, Store};
use rusqlite::Connection;

/// The time of one measurement: long enough for some checkpoints.
const RUN_MS: u64 = 3_000;

const WRITERS: u64 = 64;

const GOAL: f64 = 5.0;

const SCHEMA: &str = "CREATE TABLE rows (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX rows_at ON rows (at);";

const INSERT: &str = "INSERT INTO rows (name, at, body) VALUES (?1, ?2, ?3)";

const PLAN: Plan = Plan {
    schema: SCHEMA,
    migrations: &[Migration {
        name: "rows",
        sql: SCHEMA,
    }],
};

/// A rate and the latencies of its writes, in microseconds.
struct Measured {
    rate: f64,
    p50_us: u64,
    p99_us: u64,
    max_us: u64,
}

/// Calls `write` with a fresh number from `threads` threads for the time of a run.
fn measure(threads: u64, write: impl Fn(u64) + Sync) -> Measured {
    let (next, all) = (AtomicU64::new(1), Mutex::new(Vec::new()));
    let began = clock::monotonic_ms();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut took = Vec::new();
                while clock::monotonic_ms() - began < RUN_MS {
                    let before = clock::monotonic_us();
                    write(next.fetch_add(1, Ordering::Relaxed));
                    took.push(clock::monotonic_us() - before);
                }
                all.lock().unwrap().extend(took);
            });
        }
    });
    let seconds = f64::from(u32::try_from(clock::monotonic_ms() - began).unwrap()) / 1_000.0;
    let mut took = all.into_inner().unwrap();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    Measured {
        rate: f64::from(u32::try_from(took.len()).unwrap()) / seconds,
        p50_us: at(50),
        p99_us: at(99),
        max_us: at(100),
    }
}

fn report(name: &str, measured: &Measured) {
    println!(
        "{name:<44} {:>8.0}/s  p50 {:>6} us  p99 {:>7} us  max {:>8} us",
        measured.rate, measured.p50_us, measured.p99_us, measured.max_us
    );
}

fn insert(conn: &Connection, number: u64) -> Result<()> {
    let number = i64::try_from(number).unwrap();
    let body = "x".repeat(200);
    conn.prepare_cached(INSERT)?
        .execute((format!("row {number}"), number, body))?;
    Ok(())
}

fn open(path: &Path) -> Store {
    let options = Options {
        plan: PLAN,
        ..Options::default()
    };
    Store::open_with(path, OpenMode::Create, options).unwrap()
}

/// Measures the store as it is.
fn grouped(dir: &Path, threads: u64) -> Measured {
    let store = open(&dir.join(format!("grouped-{threads}.db")));
    let measured = measure(threads, |number| {
        store
            .write(move |write| insert(write.raw_for_tests(), number))
            .unwrap();
    });
    let stats = store.stats();
    println!(
        "  mean batch {}, largest {}",
        stats.jobs / stats.commits.max(1),
        stats.largest_batch
    );
    measured
}

/// Measures what one would write first: a connection in a lock, a commit a request.
#[expect(clippy::disallowed_methods, reason = "the rival is not the store")]
fn one_by_one(dir: &Path, threads: u64) -> Measured {
    let path = dir.join(format!("single-{threads}.db"));
    open(&path).close();
    let conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "synchronous", "FULL").unwrap();
    let conn = Mutex::new(conn);
    measure(threads, |number| {
        insert(&conn.lock().unwrap(), number).unwrap();
    })
}

/// Measures small reads, each in its own snapshot.
fn reads(dir: &Path) {
    let store = open(&dir.join("reads.db"));
    for number in 1..1_000 {
        store
            .write(move |write| insert(write.raw_for_tests(), number))
            .unwrap();
    }
    let sql = "SELECT body FROM rows WHERE id = ?1";
    let look = |conn: &Connection, number: u64| -> Result<String> {
        let id = i64::try_from(number % 900 + 1).unwrap();
        Ok(conn
            .prepare_cached(sql)?
            .query_row([id], |row| row.get(0))?)
    };
    let measured = measure(1, |number| {
        store
            .read(|read| look(read.raw_for_tests(), number))
            .unwrap();
    });
    report("point reads, store.read, 1 thread", &measured);
}

fn main() {
    let dir = tempfile::tempdir_in(".").unwrap();
    let single = one_by_one(dir.path(), WRITERS);
    report("64 writers, one connection, a commit each", &single);
    let group = grouped(dir.path(), WRITERS);
    report("64 writers, store.write", &group);
    report("1 writer, store.write", &grouped(dir.path(), 1));
    reads(dir.path());
    let ratio = group.rate / single.rate;
    println!("group commit gives {ratio:.1} times the rate; the goal is {GOAL}");
}
