//! The housekeeping that the writer does between jobs.
//!
//! SQLite copies its write-ahead log into the file after 1,000 pages by itself, but it
//! never shortens the log, never gives free pages back and never looks at its
//! statistics. All of that waits here until nobody writes, in steps that are short,
//! so that a job that comes meanwhile hardly waits.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock;
use crate::domain::error::Result;
use crate::store::connect::Link;

/// The pause after which the writer counts as idle.
const IDLE_MS: u64 = 200;

/// The idle time after which the log is emptied; emptying it after every pause would
/// only make it grow again.
const TRUNCATE_AFTER_MS: u64 = 1_000;

/// The log from which an idle writer copies at once: what SQLite leaves by itself.
const PASSIVE_BYTES: u64 = 4 * 1024 * 1024;

/// The log that is worth a warning: only a pinned reader makes it so large
/// (`reliability.md 2.2`).
const ALARM_BYTES: u64 = 256 * 1024 * 1024;

/// The time between two looks at the log under load.
const LOOK_MS: u64 = 1_000;

/// The time between two runs of `PRAGMA optimize`, and the idle time before one.
const OPTIMIZE_EVERY_MS: u64 = 24 * 3_600 * 1_000;
const OPTIMIZE_AFTER_MS: u64 = 10_000;

/// The free pages that a file may keep for its next rows: 16 MiB.
const FREE_PAGES: i64 = 4_096;

/// The pages given back at a time: 1 MiB, some milliseconds.
const FREE_STEP: i64 = 256;

/// The wait when nothing is left to do, between looks at the daily work.
const RESTING_MS: u64 = 60_000;

/// The state of the housekeeping.
pub(in crate::store) struct Upkeep {
    wal: PathBuf,
    last_job_ms: u64,
    last_look_ms: u64,
    optimized_ms: Option<u64>,
    alarmed: bool,
    resting: bool,
}

impl Upkeep {
    /// Begins with the log at `wal`.
    pub(in crate::store) fn new(wal: PathBuf) -> Self {
        let now = clock::monotonic_ms();
        Self {
            wal,
            last_job_ms: now,
            last_look_ms: now,
            optimized_ms: None,
            alarmed: false,
            resting: false,
        }
    }

    /// Returns how long the writer may sleep before the next housekeeping.
    pub(in crate::store) fn next_wait(&self) -> Duration {
        Duration::from_millis(if self.resting { RESTING_MS } else { IDLE_MS })
    }

    /// Notes that there was work, and looks at the log now and then.
    pub(in crate::store) fn after_batch(&mut self) {
        let now = clock::monotonic_ms();
        self.last_job_ms = now;
        self.resting = false;
        if now - self.last_look_ms >= LOOK_MS {
            self.last_look_ms = now;
            self.watch_log();
        }
    }

    /// Does one short step; a failure is logged and tried again later.
    pub(in crate::store) fn while_idle(&mut self, link: &Link) {
        self.watch_log();
        if let Err(error) = self.step(link) {
            tracing::warn!(error = %error, causes = %error.causes(), "housekeeping failed");
            self.resting = true;
        }
    }

    /// Empties the log before the connection is closed.
    pub(in crate::store) fn at_the_end(link: &Link) {
        if let Err(error) = checkpoint(link, "TRUNCATE") {
            tracing::warn!(error = %error, causes = %error.causes(), "the last checkpoint failed");
        }
    }

    fn step(&mut self, link: &Link) -> Result<()> {
        let now = clock::monotonic_ms();
        let idle_ms = now - self.last_job_ms;
        if idle_ms < TRUNCATE_AFTER_MS {
            if self.wal_bytes() > PASSIVE_BYTES {
                checkpoint(link, "PASSIVE")?;
            }
            return Ok(());
        }
        if give_back(link)? {
            return Ok(());
        }
        if self.wal_bytes() > 0 {
            checkpoint(link, "PASSIVE")?;
            checkpoint(link, "TRUNCATE")?;
        }
        let due = self
            .optimized_ms
            .is_none_or(|at| now - at >= OPTIMIZE_EVERY_MS);
        if due && idle_ms >= OPTIMIZE_AFTER_MS {
            link.conn.execute_batch("PRAGMA optimize")?;
            self.optimized_ms = Some(now);
        }
        self.resting = self.wal_bytes() == 0 && self.optimized_ms.is_some();
        Ok(())
    }

    /// Warns once when the log is too large, and tells when it is not any more.
    fn watch_log(&mut self) {
        let bytes = self.wal_bytes();
        if bytes > ALARM_BYTES && !self.alarmed {
            tracing::warn!(
                bytes,
                "the write-ahead log is large: something reads for too long"
            );
        } else if bytes <= ALARM_BYTES && self.alarmed {
            tracing::info!(bytes, "the write-ahead log is of normal size again");
        }
        self.alarmed = bytes > ALARM_BYTES;
    }

    fn wal_bytes(&self) -> u64 {
        std::fs::metadata(&self.wal).map_or(0, |file| file.len())
    }
}

/// Copies the log into the file; does not wait for anybody who reads it.
fn checkpoint(link: &Link, mode: &str) -> Result<()> {
    let before = link
        .conn
        .pragma_query_value(None, "busy_timeout", |row| row.get::<_, i64>(0))?;
    link.conn.busy_timeout(Duration::ZERO)?;
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let done = link.conn.query_row(&sql, [], |_| Ok(()));
    let back = Duration::from_millis(u64::try_from(before).unwrap_or(0));
    link.conn.busy_timeout(back)?;
    Ok(done?)
}

/// Gives a few free pages back to the system; returns whether there were too many.
fn give_back(link: &Link) -> Result<bool> {
    let free: i64 = link
        .conn
        .pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    if free <= FREE_PAGES {
        return Ok(false);
    }
    // The statement frees a page a step, so it has to be walked to its end.
    let mut statement = link
        .conn
        .prepare(&format!("PRAGMA incremental_vacuum({FREE_STEP})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    let after: i64 = link
        .conn
        .pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    // A file that was made without `auto_vacuum` cannot give anything back.
    Ok(after < free)
}
