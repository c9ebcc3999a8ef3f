//! What a test may turn about a store: the file system, the durability, the limits.
//!
//! The product opens every database with the default, so this is no part of its
//! interface. The power-cut test needs a file system of its own and, to prove that
//! it sees losses, weaker durability; other tests need small limits.

use crate::store::migrate::Plan;

/// The jobs that may wait for the writer. At 7,000 writes a second on a slow disk
/// (`reliability.md 2.1`) a full queue is 0.6 s of work: more would only hide overload.
pub(in crate::store) const QUEUE_JOBS: usize = 4_096;

/// The time that a caller waits for a place in the queue before it is told to come
/// back. Longer than a slow checkpoint (1.7 s, `reliability.md 2.2`).
pub(in crate::store) const QUEUE_WAIT_MS: u64 = 2_000;

/// The time that one read may take. A reader pins the write-ahead log: at full load
/// it grows by 129 MB in the first second (`reliability.md 2.2`).
pub(in crate::store) const READ_LIMIT_MS: u64 = 1_000;

/// The time that one write job may take; all other writers wait for it.
pub(in crate::store) const JOB_LIMIT_MS: u64 = 10_000;

/// When a commit is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// Before the commit returns: nothing answered is ever lost.
    Full,
    /// At the next checkpoint: a power cut loses the last commits.
    Normal,
    /// When the system likes to: a power cut corrupts the file.
    Off,
}

impl Synchronous {
    /// Returns the value of the pragma.
    pub(in crate::store) fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

/// The settings of an opening, for tests alone.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of a registered SQLite VFS; the system's where it is missing.
    pub vfs: Option<String>,
    /// When a commit is on disk.
    pub synchronous: Synchronous,
    /// The schema and its migrations.
    pub plan: Plan,
    /// The jobs that may wait for the writer.
    pub queue_jobs: usize,
    /// The time that a caller waits for a place in that queue.
    pub queue_wait_ms: u64,
    /// The time that one read may take.
    pub read_limit_ms: u64,
    /// The time that one write job may take.
    pub job_limit_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            vfs: None,
            synchronous: Synchronous::Full,
            plan: Plan::of_this_binary(),
            queue_jobs: QUEUE_JOBS,
            queue_wait_ms: QUEUE_WAIT_MS,
            read_limit_ms: READ_LIMIT_MS,
            job_limit_ms: JOB_LIMIT_MS,
        }
    }
}
