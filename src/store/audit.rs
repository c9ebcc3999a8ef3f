//! Rows of the audit log: added and pruned, never changed.

use rusqlite::{Row, params};
use serde_json::Value;

use super::{Read, Write};
use crate::domain::Result;
use crate::domain::audit::{AuditEntry, NewAuditEntry};
use crate::domain::principal::{Actor, Principal};

/// The columns that [`entry_of`] reads, in its order.
const AUDIT_COLUMNS: &str = "id, at, actor_kind, actor_id, channel, address, request_id, action, \
     object_kind, object_id, detail";

/// Reads an entry from a row of [`AUDIT_COLUMNS`].
fn entry_of(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let detail: Option<String> = row.get(10)?;
    Ok(AuditEntry {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        actor_kind: row.get(2)?,
        actor_id: row.get(3)?,
        channel: row.get(4)?,
        address: row.get(5)?,
        request_id: row.get(6)?,
        action: row.get(7)?,
        object_kind: row.get(8)?,
        object_id: row.get(9)?,
        detail: detail.and_then(|text| serde_json::from_str::<Value>(&text).ok()),
    })
}

impl Read<'_> {
    /// Returns up to `limit` entries older than `before`, newest first.
    pub fn audit_entries(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>> {
        let sql = format!(
            "SELECT {AUDIT_COLUMNS} FROM audit_log WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
        );
        self.query_all(&sql, params![before.unwrap_or(i64::MAX), limit], entry_of)
    }
}

impl Write<'_> {
    /// Adds an entry, in the transaction of the act that it tells of.
    pub fn audit(&self, who: &Principal, entry: &NewAuditEntry, now_ms: i64) -> Result<()> {
        let (actor_kind, actor_id) = match &who.actor {
            Actor::User(user) => ("user", Some(user.id)),
            Actor::Operator => ("operator", None),
            Actor::System => ("system", None),
            Actor::Anonymous => ("anonymous", None),
        };
        let (object_kind, object_id) = match &entry.object {
            Some((kind, id)) => (Some(kind.as_str()), Some(id.as_str())),
            None => (None, None),
        };
        self.execute(
            "INSERT INTO audit_log (at, actor_kind, actor_id, channel, address, request_id,
                 action, object_kind, object_id, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                now_ms,
                actor_kind,
                actor_id,
                who.origin.channel.as_str(),
                who.origin.address.map(|address| address.to_string()),
                who.origin.request_id,
                entry.action,
                object_kind,
                object_id,
                entry.detail.as_ref().map(Value::to_string),
            ],
        )?;
        Ok(())
    }

    /// Deletes up to `limit` entries older than `before_ms`; returns how many.
    pub fn prune_audit(&self, before_ms: i64, limit: u32) -> Result<usize> {
        self.execute(
            "DELETE FROM audit_log WHERE id IN
                 (SELECT id FROM audit_log WHERE at < ?1 ORDER BY id LIMIT ?2)",
            params![before_ms, limit],
        )
    }
}
