//! Deletes what runs left behind and nobody keeps any longer, a few rows at a time.

use rusqlite::params;

use super::execution::key_of;
use super::execution_list::Timed;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::FlowId;
use crate::domain::run::part::PARTS_MAX;

/// Runs that some rule lets go.
pub enum OldRuns {
    /// Those that began before this time, in milliseconds since 1970.
    Before(i64),
    /// Those of a flow that failed, but for the newest ones: so many of them.
    FailedOf(FlowId, u32),
    /// All of a flow that is gone.
    AllOf(FlowId),
}

/// Runs whose messages some rule lets go.
pub enum OldBodies {
    /// Those that failed and began before this time, in milliseconds since 1970.
    FailedBefore(i64),
    /// Those of a flow without an error, but for the newest ones: so many of them.
    Of(FlowId, u32),
}

impl Read<'_> {
    /// Returns up to `limit` runs that go and are over, oldest first.
    pub fn old_runs(&self, which: &OldRuns, limit: u32) -> Result<Vec<i64>> {
        match *which {
            OldRuns::Before(at_ms) => {
                let to = self.first_since(Timed::EXECUTIONS, at_ms)?;
                self.query_all(
                    "SELECT seq FROM executions
                     WHERE seq < ?1 AND started_at < ?2 AND finished_at IS NOT NULL
                     ORDER BY seq LIMIT ?3",
                    params![to, at_ms, limit],
                    |row| row.get(0),
                )
            }
            OldRuns::FailedOf(flow, newest) => self.query_all(
                "SELECT seq FROM executions WHERE flow_id = ?1 AND errors_total > 0
                     AND finished_at IS NOT NULL AND seq <= (
                         SELECT seq FROM executions WHERE flow_id = ?1 AND errors_total > 0
                         ORDER BY seq DESC LIMIT 1 OFFSET ?2)
                 ORDER BY seq LIMIT ?3",
                params![flow, newest, limit],
                |row| row.get(0),
            ),
            OldRuns::AllOf(flow) => self.query_all(
                "SELECT seq FROM executions WHERE flow_id = ?1 ORDER BY seq LIMIT ?2",
                params![flow, limit],
                |row| row.get(0),
            ),
        }
    }

    /// Returns up to `limit` runs whose messages go and which are over, oldest first.
    pub fn old_bodies(&self, which: &OldBodies, limit: u32) -> Result<Vec<i64>> {
        match *which {
            OldBodies::FailedBefore(at_ms) => {
                let to = self.first_since(Timed::EXECUTIONS, at_ms)?;
                self.query_all(
                    "SELECT seq FROM executions WHERE has_bodies = 1 AND errors_total > 0
                         AND seq < ?1 AND started_at < ?2 AND finished_at IS NOT NULL
                     ORDER BY seq LIMIT ?3",
                    params![to, at_ms, limit],
                    |row| row.get(0),
                )
            }
            OldBodies::Of(flow, newest) => self.query_all(
                "SELECT seq FROM executions WHERE flow_id = ?1 AND has_bodies = 1
                     AND errors_total = 0 AND finished_at IS NOT NULL AND seq <= (
                         SELECT seq FROM executions WHERE flow_id = ?1 AND has_bodies = 1
                             AND errors_total = 0 ORDER BY seq DESC LIMIT 1 OFFSET ?2)
                 ORDER BY seq LIMIT ?3",
                params![flow, newest, limit],
                |row| row.get(0),
            ),
        }
    }

    /// Returns the next flow after `after` that has runs, by id; it may be gone.
    pub fn next_flow_with_runs(&self, after: Option<FlowId>) -> Result<Option<FlowId>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.query_opt(
            "SELECT flow_id FROM executions WHERE flow_id > ?1 ORDER BY flow_id LIMIT 1",
            params![after],
            |row| row.get(0),
        )
    }

    /// Returns the next flow after `after` that has a log, by id; it may be gone.
    pub fn next_flow_with_log(&self, after: Option<FlowId>) -> Result<Option<FlowId>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.query_opt(
            "SELECT flow_id FROM log_entries WHERE flow_id > ?1 ORDER BY flow_id LIMIT 1",
            params![after],
            |row| row.get(0),
        )
    }

    /// Tells whether a flow is there.
    pub fn has_flow(&self, id: FlowId) -> Result<bool> {
        let found = self.query_opt("SELECT 1 FROM flows WHERE id = ?1", params![id], |_| Ok(()))?;
        Ok(found.is_some())
    }
}

impl Write<'_> {
    /// Deletes runs with all that belongs to them, at most `limit` rows; tells whether all
    /// of them are gone.
    pub fn delete_runs(&self, seqs: &[i64], limit: usize) -> Result<bool> {
        let mut left = limit;
        for &seq in seqs {
            left = self.delete_messages(seq, left)?;
            left = self.delete_some("execution_parts", "key", keys_of(seq), left)?;
            left = self.delete_log(seq, left)?;
            if left == 0 {
                return Ok(false);
            }
            self.execute("DELETE FROM queue WHERE execution = ?1", params![seq])?;
            self.execute("DELETE FROM executions WHERE seq = ?1", params![seq])?;
            left -= 1;
        }
        Ok(true)
    }

    /// Deletes the messages of runs, at most `limit` rows; tells whether all are gone.
    pub fn delete_bodies(&self, seqs: &[i64], limit: usize) -> Result<bool> {
        let mut left = limit;
        for &seq in seqs {
            left = self.delete_messages(seq, left)?;
            if left == 0 {
                return Ok(false);
            }
            self.execute(
                "UPDATE executions SET has_bodies = 0 WHERE seq = ?1",
                params![seq],
            )?;
        }
        Ok(true)
    }

    /// Deletes up to `limit` log entries before a time; returns how many.
    pub fn prune_log(&self, before_ms: i64, limit: u32) -> Result<usize> {
        let to = self.first_since(Timed::LOG, before_ms)?;
        self.execute(
            "DELETE FROM log_entries WHERE seq IN
                 (SELECT seq FROM log_entries WHERE seq < ?1 AND at < ?2 ORDER BY seq LIMIT ?3)",
            params![to, before_ms, limit],
        )
    }

    /// Deletes up to `limit` entries of the log of a flow; returns how many.
    pub fn delete_log_of(&self, flow: FlowId, limit: u32) -> Result<usize> {
        self.execute(
            "DELETE FROM log_entries WHERE seq IN
                 (SELECT seq FROM log_entries WHERE flow_id = ?1 ORDER BY seq LIMIT ?2)",
            params![flow, limit],
        )
    }

    /// Deletes up to `limit` events of flows before a time; returns how many.
    pub fn prune_flow_events(&self, before_ms: i64, limit: u32) -> Result<usize> {
        let to = self.first_since(Timed::EVENTS, before_ms)?;
        self.execute(
            "DELETE FROM flow_events WHERE seq IN
                 (SELECT seq FROM flow_events WHERE seq < ?1 AND at < ?2 ORDER BY seq LIMIT ?3)",
            params![to, before_ms, limit],
        )
    }

    /// Deletes messages of a run; returns what is left of `limit`.
    fn delete_messages(&self, seq: i64, limit: usize) -> Result<usize> {
        self.expire_body_files(keys_of(seq))?;
        self.delete_some("execution_messages", "key", keys_of(seq), limit)
    }

    /// Deletes log entries of a run; returns what is left of `limit`.
    fn delete_log(&self, seq: i64, limit: usize) -> Result<usize> {
        let gone = self.execute(
            "DELETE FROM log_entries WHERE seq IN
                 (SELECT seq FROM log_entries WHERE execution = ?1 LIMIT ?2)",
            params![seq, count(limit)],
        )?;
        Ok(limit - gone.min(limit))
    }

    /// Deletes up to `limit` rows of a table between two keys; returns what is left of it.
    fn delete_some(
        &self,
        table: &str,
        key: &str,
        (from, to): (i64, i64),
        limit: usize,
    ) -> Result<usize> {
        let sql = format!(
            "DELETE FROM {table} WHERE {key} IN
                 (SELECT {key} FROM {table} WHERE {key} BETWEEN ?1 AND ?2 LIMIT ?3)"
        );
        let gone = self.execute(&sql, params![from, to, count(limit)])?;
        Ok(limit - gone.min(limit))
    }
}

/// Returns the first and the last key that parts of a run can have.
fn keys_of(seq: i64) -> (i64, i64) {
    (key_of(seq, 0), key_of(seq, PARTS_MAX - 1))
}

/// Returns a number of rows as SQL takes it.
fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
