//! Rows of calls of components outside of flows.

use rusqlite::{Row, params};
use serde_json::Value;

use super::{Read, Write};
use crate::domain::id::{ScheduledExecutionId, UserId};
use crate::domain::scheduled_execution::{Outcome, ScheduledExecution};
use crate::domain::{Error, Result};

/// A row with the hash of its token.
pub struct ScheduledExecutionRow {
    /// The call.
    pub execution: ScheduledExecution,
    /// SHA-256 of the one-time token, where there is one.
    pub token_sha256: Option<Vec<u8>>,
    /// When that token ends, in milliseconds since 1970.
    pub token_expires_at_ms: i64,
}

/// Reads a row of the columns that [`Read::scheduled_execution`] names.
fn row_of(row: &Row<'_>) -> rusqlite::Result<ScheduledExecutionRow> {
    let state: String = row.get(2)?;
    let result: Option<String> = row.get(3)?;
    let result = result.and_then(|text| serde_json::from_str(&text).ok());
    let outcome = match state.as_str() {
        "done" => Some(Outcome::Done(result.unwrap_or(Value::Null))),
        "failed" => Some(Outcome::Failed(result.unwrap_or(Value::Null))),
        _ => None,
    };
    Ok(ScheduledExecutionRow {
        execution: ScheduledExecution {
            id: row.get(0)?,
            user_id: row.get(1)?,
            outcome,
            created_at_ms: row.get(4)?,
            expires_at_ms: row.get(5)?,
        },
        token_sha256: row.get(6)?,
        token_expires_at_ms: row.get::<_, Option<i64>>(7)?.unwrap_or_default(),
    })
}

/// Returns an outcome as the columns `state` and `result` hold it.
fn columns_of(outcome: &Outcome) -> Result<(&'static str, String)> {
    let (state, value) = match outcome {
        Outcome::Done(value) => ("done", value),
        Outcome::Failed(reason) => ("failed", reason),
    };
    Ok((
        state,
        serde_json::to_string(value).map_err(Error::internal)?,
    ))
}

impl Read<'_> {
    /// Returns a scheduled execution with the hash of its token.
    pub fn scheduled_execution(
        &self,
        id: ScheduledExecutionId,
    ) -> Result<Option<ScheduledExecutionRow>> {
        self.query_opt(
            "SELECT id, user_id, state, result, created_at, expires_at,
                    token_sha256, token_expires_at
             FROM scheduled_executions WHERE id = ?1",
            params![id],
            row_of,
        )
    }

    /// Returns how many scheduled executions of a user have not expired.
    pub fn count_scheduled_executions_of(&self, user: UserId, now_ms: i64) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM scheduled_executions WHERE user_id = ?1 AND expires_at > ?2",
            params![user, now_ms],
            |row| row.get(0),
        )
    }

    /// Tells whether a sweep would find a result that expired before `now_ms`, or a row
    /// that did before `before_ms`.
    pub fn has_old_scheduled_executions(&self, now_ms: i64, before_ms: i64) -> Result<bool> {
        self.query_one(
            "SELECT EXISTS (
                 SELECT 1 FROM scheduled_executions
                 WHERE expires_at <= ?1 AND (result IS NOT NULL OR expires_at <= ?2))",
            params![now_ms, before_ms],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Adds a scheduled execution that is pending.
    pub fn insert_scheduled_execution(&self, new: &ScheduledExecution) -> Result<()> {
        self.execute(
            "INSERT INTO scheduled_executions (id, user_id, state, created_at, expires_at)
             VALUES (?1, ?2, 'pending', ?3, ?4)",
            params![new.id, new.user_id, new.created_at_ms, new.expires_at_ms],
        )?;
        Ok(())
    }

    /// Notes what came of a scheduled execution, unless that is known already.
    pub fn finish_scheduled_execution(
        &self,
        id: ScheduledExecutionId,
        outcome: &Outcome,
    ) -> Result<()> {
        let (state, result) = columns_of(outcome)?;
        self.execute(
            "UPDATE scheduled_executions SET state = ?2, result = ?3
             WHERE id = ?1 AND state = 'pending'",
            params![id, state, result],
        )?;
        Ok(())
    }

    /// Ends all pending ones alike.
    pub fn finish_pending_executions(&self, outcome: &Outcome) -> Result<()> {
        let (state, result) = columns_of(outcome)?;
        self.execute(
            "UPDATE scheduled_executions SET state = ?1, result = ?2 WHERE state = 'pending'",
            params![state, result],
        )?;
        Ok(())
    }

    /// Puts a token in place of the one that reads a result, or takes it away.
    pub fn set_execution_token(
        &self,
        id: ScheduledExecutionId,
        token: Option<(&[u8], i64)>,
    ) -> Result<()> {
        let (hash, expires_at_ms) = token.unzip();
        self.execute(
            "UPDATE scheduled_executions SET token_sha256 = ?2, token_expires_at = ?3
             WHERE id = ?1",
            params![id, hash, expires_at_ms],
        )?;
        Ok(())
    }

    /// Removes a scheduled execution with its result.
    pub fn delete_scheduled_execution(&self, id: ScheduledExecutionId) -> Result<()> {
        self.execute(
            "DELETE FROM scheduled_executions WHERE id = ?1",
            params![id],
        )?;
        Ok(())
    }

    /// Removes the results that expired before `now_ms`, and the rows that did before
    /// `before_ms`.
    pub fn sweep_scheduled_executions(&self, now_ms: i64, before_ms: i64) -> Result<()> {
        self.execute(
            "UPDATE scheduled_executions SET result = NULL, token_sha256 = NULL
             WHERE expires_at <= ?1 AND result IS NOT NULL",
            params![now_ms],
        )?;
        self.execute(
            "DELETE FROM scheduled_executions WHERE expires_at <= ?1",
            params![before_ms],
        )?;
        Ok(())
    }
}
