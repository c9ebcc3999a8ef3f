//! A process that is killed loses nothing that it answered.
//!
//! The parent runs this very binary as a child with one test, which writes and says
//! what is done; the parent kills it without warning, opens the file again and looks.
//! What a power cut loses is another question: the page cache survives a kill.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use elastane::clock;
use elastane::store::{OpenMode, Store};
use tempfile::TempDir;

use super::support::{count, options, put_pair};

/// Where the child writes; absent in an ordinary run, where the child's test is empty.
const DIR: &str = "ELASTANE_CRASH_DIR";

/// The kills; each is at another moment. A nightly run may do more.
const ROUNDS: u64 = 10;

/// The threads that write in the child.
const PRODUCERS: usize = 16;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the parent has no other way to talk to this process"
)]
fn child_writer() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let path = Path::new(&dir).join("elastane.db");
    let store = Store::open_with(&path, OpenMode::Create, options()).unwrap();
    let first = store
        .read(|read| count(read, "SELECT coalesce(max(job), 0) + 1 FROM pairs"))
        .unwrap();
    let next = AtomicI64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..PRODUCERS {
            scope.spawn(|| {
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    store.write(move |write| put_pair(write, job)).unwrap();
                    // One call, so that no line is torn by another thread's.
                    let line = format!("\nack {job} end\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Runs the child for `ms`, kills it, and returns what it said was done.
fn killed_after(dir: &Path, ms: u64) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::crash::child_writer", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acks = Vec::new();
    let mut line = String::new();
    let mut kill_at = u64::MAX;
    while lines.read_line(&mut line).unwrap() > 0 {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["ack", job, "end"] = words[..] {
            acks.push(job.parse().unwrap());
            // The time counts from the first write, not from the start of a process.
            kill_at = kill_at.min(clock::monotonic_ms() + ms);
        }
        line.clear();
        if clock::monotonic_ms() > kill_at {
            child.kill().unwrap();
            kill_at = u64::MAX - ms;
        }
    }
    child.wait().unwrap();
    acks
}

#[test]
fn a_killed_writer_loses_nothing_that_it_answered() {
    let dir = TempDir::new().unwrap();
    let mut all = Vec::new();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..ROUNDS {
        // xorshift: spreads the moments, and the same ones each run.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let acks = killed_after(dir.path(), 30 + seed % 220);
        assert!(!acks.is_empty(), "the child wrote nothing");
        all.extend(acks);
        let path = dir.path().join("elastane.db");
        let store = Store::open_with(&path, OpenMode::Existing, options()).unwrap();
        assert!(store.check().unwrap().is_sound());
        let (half, present) = store
            .read_within(
                Duration::from_secs(30).as_millis().try_into().unwrap(),
                |read| {
                    let half = "SELECT count(*) FROM (
                                SELECT 1 FROM pairs GROUP BY job HAVING count(*) <> 2)";
                    let half = count(read, half)?;
                    let mut statement = read
                        .raw_for_tests()
                        .prepare("SELECT DISTINCT job FROM pairs")?;
                    let jobs = statement.query_map([], |row| row.get::<_, i64>(0))?;
                    let jobs: std::collections::HashSet<i64> =
                        jobs.collect::<rusqlite::Result<_>>()?;
                    Ok((half, jobs))
                },
            )
            .unwrap();
        assert_eq!(half, 0, "half a job survived");
        let lost: Vec<_> = all.iter().filter(|job| !present.contains(*job)).collect();
        assert!(lost.is_empty(), "lost {lost:?}");
    }
}
