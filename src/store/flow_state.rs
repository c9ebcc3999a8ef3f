//! Rows that the engine keeps of a flow besides its runs: events, versions, schedules,
//! snapshots, data of steps, logs.

use rusqlite::{Row, params};
use serde_json::Value;

use super::sql::Json;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::flow::event::{FlowEvent, FlowEventKind};
use crate::domain::flow::graph::Graph;
use crate::domain::id::{CredentialId, FlowId, UserId};
use crate::domain::run::part::NewLogEntry;
use crate::domain::run::{LogEntry, LogLevel};

/// The columns that [`log_entry_of`] reads, in its order.
const LOG_COLUMNS: &str = "seq, flow_id, execution, step_id, at, level, message, \
     (SELECT id FROM executions WHERE executions.seq = execution)";

/// Reads a row of [`LOG_COLUMNS`].
fn log_entry_of(row: &Row<'_>) -> rusqlite::Result<LogEntry> {
    Ok(LogEntry {
        seq: row.get(0)?,
        flow: row.get(1)?,
        execution: row.get(2)?,
        step: row.get(3)?,
        at_ms: row.get(4)?,
        level: LogLevel::parse(row.get_ref(5)?.as_str()?).unwrap_or(LogLevel::Info),
        message: row.get(6)?,
        execution_id: row.get(7)?,
    })
}

impl Read<'_> {
    /// Returns up to `limit` events after `after`, in order.
    pub fn flow_events(&self, after: i64, limit: u32) -> Result<Vec<FlowEvent>> {
        self.query_all(
            "SELECT seq, flow_id, kind, object FROM flow_events WHERE seq > ?1
             ORDER BY seq LIMIT ?2",
            params![after, limit],
            |row| {
                Ok(FlowEvent {
                    seq: row.get(0)?,
                    flow: row.get(1)?,
                    kind: match row.get_ref(2)?.as_str()? {
                        "queued" => FlowEventKind::Queued,
                        "cancelled" => FlowEventKind::Cancelled,
                        _ => FlowEventKind::Changed,
                    },
                    object: row.get(3)?,
                })
            },
        )
    }

    /// Returns the seq of the newest event; 0 where there was none.
    pub fn last_flow_event(&self) -> Result<i64> {
        let last = self.query_opt(
            "SELECT seq FROM sqlite_sequence WHERE name = 'flow_events'",
            [],
            |row| row.get(0),
        )?;
        Ok(last.unwrap_or(0))
    }

    /// Returns the graph of a version of a flow.
    pub fn flow_version(&self, flow: FlowId, version: i64) -> Result<Option<Graph>> {
        self.query_opt(
            "SELECT graph FROM flow_versions WHERE flow_id = ?1 AND version = ?2",
            params![flow, version],
            |row| Ok(Graph::stored(&row.get::<_, Json>(0)?.0)),
        )
    }

    /// Returns the graphs of up to `limit` newest versions of a flow.
    pub fn newest_flow_graphs(&self, flow: FlowId, limit: u32) -> Result<Vec<Graph>> {
        self.query_all(
            "SELECT graph FROM flow_versions WHERE flow_id = ?1 ORDER BY version DESC LIMIT ?2",
            params![flow, limit],
            |row| Ok(Graph::stored(&row.get::<_, Json>(0)?.0)),
        )
    }

    /// Returns up to `limit` active flows that are due at `now_ms`, most overdue first.
    pub fn due_flows(&self, now_ms: i64, limit: u32) -> Result<Vec<(FlowId, i64)>> {
        self.query_all(
            "SELECT id, due_at FROM flows WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2",
            params![now_ms, limit],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Returns up to `limit` active flows after `after` that no schedule fires, by id.
    pub fn unscheduled_flows(&self, after: Option<FlowId>, limit: u32) -> Result<Vec<FlowId>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.query_all(
            "SELECT id FROM flows WHERE status = 'active' AND status <> 'inactive'
                 AND due_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2",
            params![after, limit],
            |row| row.get(0),
        )
    }

    /// Returns when the next flow is due.
    pub fn next_due(&self) -> Result<Option<i64>> {
        self.query_one(
            "SELECT min(due_at) FROM flows WHERE due_at IS NOT NULL",
            [],
            |row| row.get(0),
        )
    }

    /// Returns the snapshot of a step.
    pub fn snapshot(&self, flow: FlowId, step: &str) -> Result<Option<Value>> {
        self.query_opt(
            "SELECT value FROM snapshots WHERE flow_id = ?1 AND step_id = ?2",
            params![flow, step],
            |row| Ok(row.get::<_, Json>(0)?.0),
        )
    }

    /// Returns all snapshots of a flow by step: as many as it has nodes at most.
    pub fn snapshots(&self, flow: FlowId) -> Result<Vec<(String, Value)>> {
        self.query_all(
            "SELECT step_id, value FROM snapshots WHERE flow_id = ?1 ORDER BY step_id",
            params![flow],
            |row| Ok((row.get(0)?, row.get::<_, Json>(1)?.0)),
        )
    }

    /// Returns the flows that have processes without messages: active ones that are real-time, and
    /// all of which a step keeps something under `key`.
    pub fn flows_to_attend(&self, key: &str) -> Result<Vec<FlowId>> {
        self.query_all(
            "SELECT id FROM flows WHERE status = 'active' AND type = 'long_running'
             UNION SELECT flow_id FROM step_data WHERE key = ?1",
            params![key],
            |row| row.get(0),
        )
    }

    /// Returns a piece of data that a step keeps.
    pub fn step_datum(&self, flow: FlowId, step: &str, key: &str) -> Result<Option<Value>> {
        self.query_opt(
            "SELECT value FROM step_data WHERE flow_id = ?1 AND step_id = ?2 AND key = ?3",
            params![flow, step, key],
            |row| Ok(row.get::<_, Json>(0)?.0),
        )
    }

    /// Returns up to `limit` log entries of a run after `after`, oldest first.
    pub fn log_of_execution(
        &self,
        execution: i64,
        level: Option<LogLevel>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<LogEntry>> {
        self.query_all(
            &format!(
                "SELECT {LOG_COLUMNS} FROM log_entries
             WHERE execution = ?1 AND seq > ?2 AND (?3 IS NULL OR level = ?3)
             ORDER BY seq LIMIT ?4"
            ),
            params![execution, after, level.map(LogLevel::as_str), limit],
            log_entry_of,
        )
    }

    /// Returns up to `limit` log entries of a run, oldest first, without the first
    /// `offset` ones.
    pub fn log_page(
        &self,
        execution: i64,
        level: Option<LogLevel>,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<LogEntry>> {
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        self.query_all(
            &format!(
                "SELECT {LOG_COLUMNS} FROM log_entries
             WHERE execution = ?1 AND (?2 IS NULL OR level = ?2)
             ORDER BY seq LIMIT ?3 OFFSET ?4"
            ),
            params![execution, level.map(LogLevel::as_str), limit, offset],
            log_entry_of,
        )
    }

    /// Counts the log entries of a run.
    pub fn count_log(&self, execution: i64, level: Option<LogLevel>) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM log_entries
             WHERE execution = ?1 AND (?2 IS NULL OR level = ?2)",
            params![execution, level.map(LogLevel::as_str)],
            |row| row.get(0),
        )
    }

    /// Returns up to `limit` log entries of a flow before `before`, newest first.
    pub fn log_of_flow(
        &self,
        flow: FlowId,
        level: Option<LogLevel>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<LogEntry>> {
        self.query_all(
            &format!(
                "SELECT {LOG_COLUMNS} FROM log_entries
             WHERE flow_id = ?1 AND seq < ?2 AND (?3 IS NULL OR level = ?3)
             ORDER BY seq DESC LIMIT ?4"
            ),
            params![
                flow,
                before.unwrap_or(i64::MAX),
                level.map(LogLevel::as_str),
                limit
            ],
            log_entry_of,
        )
    }

    /// Returns up to `limit` log entries of a flow, newest first, without the first
    /// `offset` ones.
    pub fn log_page_of_flow(
        &self,
        flow: FlowId,
        level: Option<LogLevel>,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<LogEntry>> {
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        self.query_all(
            &format!(
                "SELECT {LOG_COLUMNS} FROM log_entries
             WHERE flow_id = ?1 AND (?2 IS NULL OR level = ?2)
             ORDER BY seq DESC LIMIT ?3 OFFSET ?4"
            ),
            params![flow, level.map(LogLevel::as_str), limit, offset],
            log_entry_of,
        )
    }

    /// Counts the log entries of a flow.
    pub fn count_log_of_flow(&self, flow: FlowId, level: Option<LogLevel>) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM log_entries
             WHERE flow_id = ?1 AND (?2 IS NULL OR level = ?2)",
            params![flow, level.map(LogLevel::as_str)],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Notes an event of a flow.
    pub fn add_flow_event(
        &self,
        flow: FlowId,
        kind: FlowEventKind,
        object: Option<i64>,
        now_ms: i64,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO flow_events (flow_id, kind, at, object) VALUES (?1, ?2, ?3, ?4)",
            params![flow, kind.as_str(), now_ms, object],
        )?;
        Ok(())
    }

    /// Notes that the flows changed which use a credential.
    pub fn note_credential_changed(&self, credential: CredentialId, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT INTO flow_events (flow_id, kind, at)
             SELECT DISTINCT flow_id, 'changed', ?2 FROM flow_steps WHERE credential_id = ?1",
            params![credential, now_ms],
        )?;
        Ok(())
    }

    /// Notes that all flows of a user changed, before they go with the user.
    pub fn note_flows_changed_of(&self, user: UserId, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT INTO flow_events (flow_id, kind, at)
             SELECT id, 'changed', ?2 FROM flows WHERE user_id = ?1",
            params![user, now_ms],
        )?;
        Ok(())
    }

    /// Keeps a version of a flow's graph.
    pub fn insert_flow_version(
        &self,
        flow: FlowId,
        version: i64,
        graph: &Graph,
        now_ms: i64,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO flow_versions (flow_id, version, graph, created_at)
             VALUES (?1, ?2, ?3, ?4)",
            params![flow, version, Json(graph.to_value()), now_ms],
        )?;
        Ok(())
    }

    /// Sets when a flow's schedule fires next.
    pub fn set_due(&self, flow: FlowId, due_at_ms: Option<i64>) -> Result<()> {
        self.execute(
            "UPDATE flows SET due_at = ?2 WHERE id = ?1",
            params![flow, due_at_ms],
        )?;
        Ok(())
    }

    /// Sets how often in a row a component of a flow could not be started; returns that.
    pub fn set_start_failures(&self, flow: FlowId, failures: u32) -> Result<()> {
        self.execute(
            "UPDATE flows SET start_failures = ?2 WHERE id = ?1",
            params![flow, failures],
        )?;
        Ok(())
    }

    /// Sets the snapshot of a step.
    pub fn set_snapshot(&self, flow: FlowId, step: &str, value: &Value, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT INTO snapshots (flow_id, step_id, value, updated_at)
             SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM flows WHERE id = ?1)
             ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            params![flow, step, Json(value.clone()), now_ms],
        )?;
        Ok(())
    }

    /// Deletes the snapshot of a step, or all of a flow; returns how many there were.
    pub fn delete_snapshots(&self, flow: FlowId, step: Option<&str>) -> Result<usize> {
        self.execute(
            "DELETE FROM snapshots WHERE flow_id = ?1 AND (?2 IS NULL OR step_id = ?2)",
            params![flow, step],
        )
    }

    /// Sets or removes a piece of data that a step keeps.
    pub fn keep_step_datum(
        &self,
        flow: FlowId,
        step: &str,
        key: &str,
        value: Option<&Value>,
        now_ms: i64,
    ) -> Result<()> {
        match value {
            Some(value) => self.execute(
                "INSERT INTO step_data (flow_id, step_id, key, value, updated_at)
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM flows WHERE id = ?1)
                 ON CONFLICT DO UPDATE SET value = excluded.value,
                     updated_at = excluded.updated_at",
                params![flow, step, key, Json(value.clone()), now_ms],
            )?,
            None => self.execute(
                "DELETE FROM step_data WHERE flow_id = ?1 AND step_id = ?2 AND key = ?3",
                params![flow, step, key],
            )?,
        };
        Ok(())
    }

    /// Adds an entry to a flow's log.
    pub fn add_log_entry(
        &self,
        flow: FlowId,
        execution: Option<i64>,
        entry: &NewLogEntry,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO log_entries (flow_id, execution, step_id, at, level, message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                flow,
                execution,
                entry.step,
                entry.at_ms,
                entry.level.as_str(),
                entry.message
            ],
        )?;
        Ok(())
    }
}
