//! Rows of messages that wait for a step.

use rusqlite::{Row, params};

use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::FlowId;
use crate::domain::run::part::{MessageRef, NewQueued, Queued};

/// The columns that [`queued_of`] reads, in its order.
const QUEUE_COLUMNS: &str = "seq, flow_id, step_id, execution, part, message, bytes, attempt, \
     due_at, leases, queued_at, fault, \
     (SELECT flow_version FROM executions WHERE executions.seq = execution AND trigger = 'retry')";

/// Reads a row of [`QUEUE_COLUMNS`].
fn queued_of(row: &Row<'_>) -> rusqlite::Result<Queued> {
    Ok(Queued {
        seq: row.get(0)?,
        flow: row.get(1)?,
        step: row.get(2)?,
        execution: row.get(3)?,
        part: row.get(4)?,
        index: row.get(5)?,
        bytes: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
        attempt: row.get(7)?,
        due_at_ms: row.get(8)?,
        leases: row.get(9)?,
        queued_at_ms: row.get(10)?,
        fault: row.get(11)?,
        graph_version: row.get(12)?,
    })
}

/// How much waits for a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSize {
    /// The flow.
    pub flow: FlowId,
    /// The step.
    pub step: String,
    /// The messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Read<'_> {
    /// Returns how much waits for each step of each flow.
    pub fn queue_sizes(&self) -> Result<Vec<QueueSize>> {
        self.query_all(
            "SELECT flow_id, step_id, count(*), sum(bytes) FROM queue GROUP BY flow_id, step_id",
            [],
            |row| {
                Ok(QueueSize {
                    flow: row.get(0)?,
                    step: row.get(1)?,
                    messages: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                    bytes: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
                })
            },
        )
    }

    /// Returns how much waits for each step of a flow.
    pub fn queue_sizes_of(&self, flow: FlowId) -> Result<Vec<QueueSize>> {
        self.query_all(
            "SELECT step_id, count(*), sum(bytes) FROM queue WHERE flow_id = ?1 GROUP BY step_id",
            params![flow],
            |row| {
                Ok(QueueSize {
                    flow,
                    step: row.get(0)?,
                    messages: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
                    bytes: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                })
            },
        )
    }

    /// Tells how much waits for a step: messages, and their bytes. No more than `limit`
    /// messages are counted.
    pub fn queue_size(&self, flow: FlowId, step: &str, limit: u64) -> Result<(u64, u64)> {
        let (messages, bytes): (i64, i64) = self.query_one(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM (
                 SELECT bytes FROM queue WHERE flow_id = ?1 AND step_id = ?2 LIMIT ?3)",
            params![flow, step, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let unsigned = |count: i64| u64::try_from(count).unwrap_or(0);
        Ok((unsigned(messages), unsigned(bytes)))
    }

    /// Returns up to `limit` messages that wait for a step after `after`, oldest first.
    pub fn queued_for(
        &self,
        flow: FlowId,
        step: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Queued>> {
        let sql = format!(
            "SELECT {QUEUE_COLUMNS} FROM queue WHERE flow_id = ?1 AND step_id = ?2 AND seq > ?3
             ORDER BY seq LIMIT ?4"
        );
        self.query_all(&sql, params![flow, step, after, limit], queued_of)
    }

    /// Returns one row.
    pub fn queued(&self, seq: i64) -> Result<Option<Queued>> {
        let sql = format!("SELECT {QUEUE_COLUMNS} FROM queue WHERE seq = ?1");
        self.query_opt(&sql, params![seq], queued_of)
    }

    /// Tells whether a step may begin with a message: it waits still, and its flow is not
    /// suspended.
    pub fn may_begin(&self, seq: i64) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM queue JOIN flows ON flows.id = queue.flow_id
             WHERE queue.seq = ?1 AND flows.status <> 'suspended'",
            params![seq],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Returns up to `limit` messages of a run that wait, oldest first.
    pub fn queued_of_execution(&self, execution: i64, limit: u32) -> Result<Vec<Queued>> {
        let sql =
            format!("SELECT {QUEUE_COLUMNS} FROM queue WHERE execution = ?1 ORDER BY seq LIMIT ?2");
        self.query_all(&sql, params![execution, limit], queued_of)
    }
}

/// What the queue of a step holds (`v2.md 6.2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueStats {
    /// The step.
    pub step: String,
    /// All messages.
    pub total: i64,
    /// Those that are being worked on.
    pub unacked: i64,
    /// Those that wait for another attempt.
    pub rebounds: i64,
}

impl Read<'_> {
    /// Returns what the queues of a flow hold, by step; empty ones are left out.
    pub fn queue_stats(&self, flow: FlowId) -> Result<Vec<QueueStats>> {
        self.query_all(
            "SELECT step_id, count(*), sum(leases > 0), sum(leases = 0 AND attempt > 1)
             FROM queue WHERE flow_id = ?1 GROUP BY step_id",
            params![flow],
            |row| {
                Ok(QueueStats {
                    step: row.get(0)?,
                    total: row.get(1)?,
                    unacked: row.get(2)?,
                    rebounds: row.get(3)?,
                })
            },
        )
    }

    /// Returns up to `limit` messages of a run that wait, oldest first, without the first
    /// `offset` ones.
    pub fn queued_page(&self, execution: i64, offset: u64, limit: u32) -> Result<Vec<Queued>> {
        let sql = format!(
            "SELECT {QUEUE_COLUMNS} FROM queue WHERE execution = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3"
        );
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        self.query_all(&sql, params![execution, limit, offset], queued_of)
    }

    /// Counts the messages of a run that wait.
    pub fn count_queued(&self, execution: i64) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM queue WHERE execution = ?1",
            params![execution],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Adds messages of a part to queues; returns their seqs in order.
    pub(super) fn insert_queued(
        &self,
        flow: FlowId,
        execution: i64,
        part: u32,
        queued: &[NewQueued],
        now_ms: i64,
    ) -> Result<Vec<i64>> {
        let mut seqs = Vec::with_capacity(queued.len());
        for new in queued {
            let MessageRef::Stored { part, index } = new.message.stored_in(part) else {
                continue;
            };
            self.execute(
                "INSERT INTO queue (flow_id, step_id, execution, part, message, bytes, attempt,
                     due_at, fault, queued_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    flow,
                    new.step,
                    execution,
                    part,
                    index,
                    i64::try_from(new.bytes).unwrap_or(i64::MAX),
                    new.attempt,
                    new.due_at_ms,
                    new.fault,
                    now_ms,
                ],
            )?;
            seqs.push(self.conn().last_insert_rowid());
        }
        Ok(seqs)
    }

    /// Removes rows that are done with; returns how many were still there.
    pub(super) fn settle(&self, seqs: &[i64]) -> Result<i64> {
        let mut settled = 0;
        for seq in seqs {
            settled += self.execute("DELETE FROM queue WHERE seq = ?1", params![seq])?;
        }
        Ok(i64::try_from(settled).unwrap_or(i64::MAX))
    }

    /// Notes that a server took a message, and that its run runs.
    pub fn lease(&self, seq: i64) -> Result<()> {
        self.execute(
            "UPDATE queue SET leases = leases + 1 WHERE seq = ?1",
            params![seq],
        )?;
        self.execute(
            "UPDATE executions SET status = 'running' WHERE finished_at IS NULL
                 AND seq = (SELECT execution FROM queue WHERE seq = ?1)",
            params![seq],
        )?;
        Ok(())
    }

    /// Takes one lease of a message back: it could not be ended, and waits as before.
    pub fn unlease(&self, seq: i64) -> Result<()> {
        self.execute(
            "UPDATE queue SET leases = max(leases - 1, 0) WHERE seq = ?1",
            params![seq],
        )?;
        self.execute(
            "UPDATE executions SET status = 'waiting' WHERE finished_at IS NULL
                 AND seq = (SELECT execution FROM queue WHERE seq = ?1)",
            params![seq],
        )?;
        Ok(())
    }

    /// Sets the leases of a message back: the server that took it ended in order.
    pub fn release(&self, seq: i64) -> Result<()> {
        self.execute("UPDATE queue SET leases = 0 WHERE seq = ?1", params![seq])?;
        Ok(())
    }
}
