//! Rows of runs and of their parts.

use rusqlite::{Row, params};

use super::component::unreadable;
use super::{Read, Write};
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::run::part::{CommittedRun, NewExecution, PARTS_MAX, RunKey, RunPart};
use crate::domain::run::{Execution, RunStatus, RunTrigger};
use crate::domain::{Error, Kind, Result};

/// The columns that [`execution_of`] reads, in its order.
pub(super) const EXECUTION_COLUMNS: &str = "seq, id, flow_id, flow_version, trigger, status, started_at, \
     finished_at, steps_total, errors_total, queued, request_id, retry_of";

/// Reads a run from a row of [`EXECUTION_COLUMNS`].
pub(super) fn execution_of(row: &Row<'_>) -> rusqlite::Result<Execution> {
    Ok(Execution {
        seq: row.get(0)?,
        id: row.get(1)?,
        flow_id: row.get(2)?,
        flow_version: row.get(3)?,
        trigger: RunTrigger::parse(row.get_ref(4)?.as_str()?)
            .ok_or_else(|| unreadable(4, "an unknown trigger"))?,
        status: RunStatus::parse(row.get_ref(5)?.as_str()?)
            .ok_or_else(|| unreadable(5, "an unknown status"))?,
        started_at_ms: row.get(6)?,
        finished_at_ms: row.get(7)?,
        steps_total: row.get(8)?,
        errors_total: row.get(9)?,
        queued: row.get(10)?,
        request_id: row.get(11)?,
        retry_of: row.get(12)?,
    })
}

/// The steps of a part, as they are stored.
#[derive(Clone, Debug)]
pub struct StoredPart {
    /// The number of the part.
    pub part: u32,
    /// The steps, as a JSON list.
    pub steps: String,
}

/// Returns the key of a part: parts of later runs come later in both tables.
pub(super) fn key_of(execution: i64, part: u32) -> i64 {
    execution * i64::from(PARTS_MAX) + i64::from(part)
}

/// Returns the number of the part in a key.
fn part_of(key: i64) -> u32 {
    u32::try_from(key % i64::from(PARTS_MAX)).unwrap_or(0)
}

impl Read<'_> {
    /// Returns the run with this id.
    pub fn execution(&self, id: ExecutionId) -> Result<Option<Execution>> {
        let sql = format!("SELECT {EXECUTION_COLUMNS} FROM executions WHERE id = ?1");
        self.query_opt(&sql, params![id], execution_of)
    }

    /// Returns the run with this seq.
    pub fn execution_by_seq(&self, seq: i64) -> Result<Option<Execution>> {
        let sql = format!("SELECT {EXECUTION_COLUMNS} FROM executions WHERE seq = ?1");
        self.query_opt(&sql, params![seq], execution_of)
    }

    /// Returns the parts of a run from the part `from` on, at most `limit`.
    pub fn execution_parts(
        &self,
        execution: i64,
        from: u32,
        limit: u32,
    ) -> Result<Vec<StoredPart>> {
        self.query_all(
            "SELECT key, steps FROM execution_parts WHERE key BETWEEN ?1 AND ?2
             ORDER BY key LIMIT ?3",
            params![
                key_of(execution, from),
                key_of(execution, PARTS_MAX - 1),
                limit
            ],
            |row| {
                Ok(StoredPart {
                    part: part_of(row.get(0)?),
                    steps: row.get(1)?,
                })
            },
        )
    }

    /// Returns up to `limit` parts of a run before the part `before` that may have a record
    /// of a step, newest first.
    pub fn parts_with_step(
        &self,
        execution: i64,
        step: &str,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Vec<StoredPart>> {
        // The text of a record, as it is written; a step of the same text in an error
        // message is sorted out by whoever reads the records.
        let written = serde_json::Value::from(step).to_string();
        self.query_all(
            "SELECT key, steps FROM execution_parts WHERE key >= ?1 AND key < ?2
                 AND instr(steps, ?3) > 0 ORDER BY key DESC LIMIT ?4",
            params![
                key_of(execution, 0),
                key_of(execution, before.unwrap_or(PARTS_MAX)),
                written,
                limit
            ],
            |row| {
                Ok(StoredPart {
                    part: part_of(row.get(0)?),
                    steps: row.get(1)?,
                })
            },
        )
    }

    /// Returns the part of a run that holds its step number `at`, counted from 0, and
    /// how many steps come before that part.
    pub fn part_of_step(&self, execution: i64, at: i64) -> Result<Option<(u32, i64)>> {
        self.query_opt(
            "SELECT key, before FROM (
                 SELECT key, count, sum(count) OVER (ORDER BY key) - count AS before
                 FROM execution_parts WHERE key BETWEEN ?1 AND ?2)
             WHERE before <= ?3 AND before + count > ?3",
            params![key_of(execution, 0), key_of(execution, PARTS_MAX - 1), at],
            |row| Ok((part_of(row.get(0)?), row.get(1)?)),
        )
    }

    /// Returns the messages of a part as a JSON list; none where they are not kept.
    pub fn part_messages(&self, execution: i64, part: u32) -> Result<Option<String>> {
        self.query_opt(
            "SELECT messages FROM execution_messages WHERE key = ?1",
            params![key_of(execution, part)],
            |row| row.get(0),
        )
    }

    /// Returns the bytes of the messages of a part; none where they are not kept.
    pub fn part_messages_bytes(&self, execution: i64, part: u32) -> Result<Option<i64>> {
        self.query_opt(
            "SELECT octet_length(messages) FROM execution_messages WHERE key = ?1",
            params![key_of(execution, part)],
            |row| row.get(0),
        )
    }

    /// Returns the steps of a part as a JSON list.
    pub fn part_steps(&self, execution: i64, part: u32) -> Result<Option<String>> {
        self.query_opt(
            "SELECT steps FROM execution_parts WHERE key = ?1",
            params![key_of(execution, part)],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Moves all runs in time, with their steps and the entries of logs. Their order stays.
    pub fn move_runs(&self, by_ms: i64) -> Result<()> {
        for sql in [
            "UPDATE executions SET started_at = started_at + ?1, finished_at = finished_at + ?1",
            "UPDATE execution_parts SET steps = (SELECT json_group_array(
                 json_set(value, '$.t', json_extract(value, '$.t') + ?1)) FROM json_each(steps))",
            "UPDATE log_entries SET at = at + ?1",
        ] {
            self.execute(sql, params![by_ms])?;
        }
        Ok(())
    }

    /// Adds a part to a run, which it begins where it is new, and settles the run's
    /// queue rows. A run that is over takes its record, and nothing is queued for it.
    pub fn add_run_part(&self, flow: FlowId, part: &RunPart, now_ms: i64) -> Result<CommittedRun> {
        let settled = self.settle(&part.settled)?;
        let expected = i64::try_from(part.settled.len()).unwrap_or(i64::MAX);
        if let RunKey::Stored(seq) = part.run
            && settled != expected
            && !self.is_over(seq)?
        {
            // Somebody else did this work: doing it twice would count it twice.
            return Err(Error::new(
                Kind::Conflict,
                "the message is done with already",
            ));
        }
        let queued = i64::try_from(part.queued.len()).unwrap_or(i64::MAX);
        let mut done = match &part.run {
            RunKey::New(new) => self.insert_execution(flow, new, part, queued, now_ms)?,
            RunKey::Stored(seq) => self.extend_execution(*seq, part, queued - settled, now_ms)?,
        };
        let key = key_of(done.seq, done.part);
        if !adds_nothing(part) {
            self.execute(
                "INSERT INTO execution_parts (key, count, steps) VALUES (?1, ?2, ?3)",
                params![key, part.steps_count, part.steps],
            )?;
            self.execute(
                "INSERT INTO execution_messages (key, messages) VALUES (?1, ?2)",
                params![key, part.messages],
            )?;
        }
        for file in &part.body_files {
            self.insert_body_file(key, *file, now_ms)?;
        }
        if !done.status.is_over() {
            done.queued = self.insert_queued(flow, done.seq, done.part, &part.queued, now_ms)?;
        }
        Ok(done)
    }

    /// Tells whether a run is over, or gone.
    fn is_over(&self, seq: i64) -> Result<bool> {
        let open = self.query_opt(
            "SELECT 1 FROM executions WHERE seq = ?1 AND finished_at IS NULL",
            params![seq],
            |_| Ok(()),
        )?;
        Ok(open.is_none())
    }

    /// Adds a run with its first part's numbers.
    fn insert_execution(
        &self,
        flow: FlowId,
        new: &NewExecution,
        part: &RunPart,
        queued: i64,
        now_ms: i64,
    ) -> Result<CommittedRun> {
        let status = status_after(queued, part.errors_count.into(), part.interrupted, false);
        self.execute(
            "INSERT INTO executions (id, flow_id, flow_version, trigger, status, started_at,
                 finished_at, parts, steps_total, errors_total, queued, has_bodies, request_id,
                 retry_of, owner_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, 1, ?11, ?12,
                 (SELECT coalesce(organization_id, user_id) FROM flows WHERE id = ?2))",
            params![
                new.id,
                flow,
                new.flow_version,
                new.trigger.as_str(),
                status.as_str(),
                new.started_at_ms,
                status.is_over().then_some(now_ms),
                part.steps_count,
                part.errors_count,
                queued,
                new.request_id,
                new.retry_of,
            ],
        )?;
        Ok(CommittedRun {
            id: new.id,
            seq: self.conn().last_insert_rowid(),
            part: 0,
            status,
            errors_total: part.errors_count.into(),
            queued: Vec::new(),
        })
    }

    /// Adds a part's numbers to a run.
    fn extend_execution(
        &self,
        seq: i64,
        part: &RunPart,
        more_queued: i64,
        now_ms: i64,
    ) -> Result<CommittedRun> {
        let (id, (number, errors, queued, was_over, status)) = self.query_one(
            "UPDATE executions SET parts = parts + ?6, steps_total = steps_total + ?2,
                     errors_total = errors_total + ?3, has_bodies = 1,
                     queued = CASE WHEN finished_at IS NULL
                             OR (?5 AND status IN ('success', 'error'))
                         THEN queued + ?4 ELSE 0 END
                 WHERE seq = ?1
                 RETURNING parts - ?6, errors_total, queued,
                     finished_at IS NOT NULL AND NOT (?5 AND status IN ('success', 'error')),
                     status, id",
            params![
                seq,
                part.steps_count,
                part.errors_count,
                more_queued,
                part.reopens,
                i64::from(!adds_nothing(part)),
            ],
            |row| {
                let numbers: (u32, i64, i64, bool, String) = (
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                );
                Ok((row.get(5)?, numbers))
            },
        )?;
        let status = if was_over {
            RunStatus::parse(&status).unwrap_or(RunStatus::Cancelled)
        } else {
            let full = number >= PARTS_MAX - 1;
            let status = status_after(queued, errors, part.interrupted, full);
            self.execute(
                "UPDATE executions SET status = ?2, finished_at = ?3 WHERE seq = ?1",
                params![seq, status.as_str(), status.is_over().then_some(now_ms)],
            )?;
            status
        };
        Ok(CommittedRun {
            id,
            seq,
            part: number,
            status,
            errors_total: errors,
            queued: Vec::new(),
        })
    }

    /// Ends a run that is not over; tells whether it was. Its queue rows go.
    pub fn end_execution(&self, seq: i64, status: RunStatus, now_ms: i64) -> Result<bool> {
        let ended = self.execute(
            "UPDATE executions SET status = ?2, finished_at = ?3, queued = 0
             WHERE seq = ?1 AND finished_at IS NULL",
            params![seq, status.as_str(), now_ms],
        )?;
        self.execute("DELETE FROM queue WHERE execution = ?1", params![seq])?;
        Ok(ended == 1)
    }

    /// Ends all runs of a flow that are not over and empties its queues.
    pub fn end_executions_of(&self, flow: FlowId, status: RunStatus, now_ms: i64) -> Result<usize> {
        self.execute("DELETE FROM queue WHERE flow_id = ?1", params![flow])?;
        self.execute(
            "UPDATE executions SET status = ?2, finished_at = ?3, queued = 0
             WHERE flow_id = ?1 AND finished_at IS NULL",
            params![flow, status.as_str(), now_ms],
        )
    }

    /// Ends runs that are not over though nothing of them waits: what a server left
    /// behind that ended in the middle. Returns how many.
    pub fn end_orphans(&self, now_ms: i64) -> Result<usize> {
        self.execute(
            "UPDATE executions SET status = 'interrupted', finished_at = ?1, queued = 0
             WHERE finished_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.execution = executions.seq)",
            params![now_ms],
        )
    }
}

/// Tells whether a part of a run that is there adds nothing to its history: rows of queues
/// are done with alone.
fn adds_nothing(part: &RunPart) -> bool {
    matches!(part.run, RunKey::Stored(_)) && part.steps == "[]" && part.messages == "[]"
}

/// Returns how a run stands once `queued` messages of it wait. One that is interrupted goes
/// on with the others, unless it is `full`: no more parts can be added to it.
fn status_after(queued: i64, errors: i64, interrupted: bool, full: bool) -> RunStatus {
    if full {
        RunStatus::Interrupted
    } else if queued > 0 {
        RunStatus::Waiting
    } else if interrupted {
        RunStatus::Interrupted
    } else if errors > 0 {
        RunStatus::Error
    } else {
        RunStatus::Success
    }
}
