//! Databases of one test each, with tables that only these tests need.

use std::path::{Path, PathBuf};
use std::time::Duration;

use elastane::clock;
use elastane::domain::error::Result;
use elastane::store::options::Options;
use elastane::store::{Migration, OpenMode, Plan, Read, Store, Write};
use rusqlite::Connection;
use tempfile::TempDir;

/// Pairs are written two rows a job, so that half a job shows.
pub(super) const PLAN: Plan = Plan {
    schema: PAIRS,
    migrations: &[Migration {
        name: "pairs",
        sql: PAIRS,
    }],
};

const PAIRS: &str = "
    CREATE TABLE pairs (
        job INTEGER NOT NULL,
        half INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (job, half)
    ) STRICT;
    CREATE TABLE owners (id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE owned (
        id INTEGER PRIMARY KEY,
        owner INTEGER REFERENCES owners (id) DEFERRABLE INITIALLY DEFERRED
    ) STRICT;";

/// A directory with one database, removed at the end.
pub(super) struct Place {
    dir: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.path().join("elastane.db")
    }

    pub(super) fn store(&self) -> Store {
        self.open(OpenMode::Create).unwrap()
    }

    pub(super) fn open(&self, mode: OpenMode) -> Result<Store> {
        Store::open_with(&self.path(), mode, options())
    }

    /// Opens the file as another program would.
    pub(super) fn stranger(&self) -> Connection {
        stranger(&self.path())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests look at files as another program would"
)]
pub(super) fn stranger(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

pub(super) fn options() -> Options {
    Options {
        plan: PLAN,
        ..Options::default()
    }
}

/// Writes both rows of a job.
pub(super) fn put_pair(write: &Write<'_>, job: i64) -> Result<()> {
    for half in 0..2 {
        write
            .raw_for_tests()
            .prepare_cached("INSERT INTO pairs VALUES (?1, ?2, 'text')")?
            .execute([job, half])?;
    }
    Ok(())
}

pub(super) fn count(read: &Read<'_>, sql: &str) -> Result<i64> {
    Ok(read.raw_for_tests().query_row(sql, [], |row| row.get(0))?)
}

pub(super) fn pairs(store: &Store) -> i64 {
    store
        .read(|read| count(read, "SELECT count(*) FROM pairs"))
        .unwrap()
}

/// Waits until `done`; gives up after a time in which it must have happened.
pub(super) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let give_up = clock::monotonic_ms() + 30_000;
    while !done() {
        assert!(clock::monotonic_ms() < give_up, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Keeps the writer at work until the result is dropped.
pub(super) struct Held {
    release: crossbeam_channel::Sender<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Held {
    pub(super) fn new(store: &Store) -> Self {
        let (release, wait) = crossbeam_channel::bounded::<()>(0);
        let (started, seen) = crossbeam_channel::bounded(1);
        let store = store.clone();
        let thread = elastane::thread::spawn("holder", None, move || {
            let done = store.write(move |_| {
                started.send(()).unwrap();
                let _released = wait.recv();
                Ok(())
            });
            done.unwrap();
        });
        seen.recv().unwrap();
        Self {
            release,
            thread: Some(thread.unwrap()),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (unused, _) = crossbeam_channel::bounded(0);
        drop(std::mem::replace(&mut self.release, unused));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
