//! Rows of API keys: hashes, never keys.

use rusqlite::{Row, params};

use super::organization::{MEMBERSHIPS, memberships_of};
use super::user::{USER_COLUMNS, user_of};
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::api_key::ApiKey;
use crate::domain::id::{ApiKeyId, UserId};
use crate::domain::organization::Scope;
use crate::domain::user::User;

/// The columns that [`api_key_of`] reads, in its order.
const API_KEY_COLUMNS: &str =
    "id, user_id, name, prefix, created_at, last_used_at, expires_at, organization_id";

/// Reads a key from a row of [`API_KEY_COLUMNS`].
fn api_key_of(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        prefix: row.get(3)?,
        created_at_ms: row.get(4)?,
        last_used_at_ms: row.get(5)?,
        expires_at_ms: row.get(6)?,
        organization_id: row.get(7)?,
    })
}

/// What a presented key was found to be.
#[derive(Debug)]
pub struct FoundKey {
    /// Whom it signs in.
    pub user: User,
    /// The id of the key.
    pub key_id: ApiKeyId,
    /// When it last signed in.
    pub last_used_at_ms: Option<i64>,
    /// When it ends.
    pub expires_at_ms: Option<i64>,
    /// For whom it acts.
    pub scope: Scope,
}

impl Read<'_> {
    /// Returns the user of the key with this hash. One indexed look-up a request.
    pub fn user_by_key_hash(&self, hash: &[u8; 32]) -> Result<Option<FoundKey>> {
        let sql = user_by_key_sql();
        self.query_opt(sql, params![hash], |row| {
            Ok(FoundKey {
                user: user_of(row)?,
                key_id: row.get(11)?,
                last_used_at_ms: row.get(12)?,
                expires_at_ms: row.get(13)?,
                scope: Scope::decide(row.get(14)?, &memberships_of(row, 15)?),
            })
        })
    }

    /// Returns the key with this id.
    pub fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        let sql = format!("SELECT {API_KEY_COLUMNS} FROM api_keys WHERE id = ?1");
        self.query_opt(&sql, params![id], api_key_of)
    }

    /// Returns up to `limit` keys of a user with ids after `after`, by id.
    pub fn api_keys_of(
        &self,
        user: UserId,
        after: Option<ApiKeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKey>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {API_KEY_COLUMNS} FROM api_keys WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
        );
        self.query_all(&sql, params![user, after, limit], api_key_of)
    }

    /// Counts the keys of a user.
    pub fn count_api_keys_of(&self, user: UserId) -> Result<i64> {
        let count = self.query_opt(
            "SELECT count(*) FROM api_keys WHERE user_id = ?1",
            params![user],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }
}

/// Returns the statement that signs a key in, made once.
fn user_by_key_sql() -> &'static str {
    static SQL: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    SQL.get_or_init(|| {
        format!(
            "SELECT {USER_COLUMNS}, k.id, k.last_used_at, k.expires_at, k.organization_id,
                 {MEMBERSHIPS}
             FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.hash = ?1"
        )
    })
}

impl Write<'_> {
    /// Adds a key by its hash.
    pub fn insert_api_key(&self, key: &ApiKey, hash: &[u8; 32]) -> Result<()> {
        self.execute(
            "INSERT INTO api_keys (id, user_id, name, prefix, hash, created_at, expires_at,
                 organization_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                key.id,
                key.user_id,
                key.name,
                key.prefix,
                hash,
                key.created_at_ms,
                key.expires_at_ms,
                key.organization_id,
            ],
        )?;
        Ok(())
    }

    /// Notes that a key signed in.
    pub fn touch_api_key(&self, id: ApiKeyId, now_ms: i64) -> Result<()> {
        self.execute(
            "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1",
            params![id, now_ms],
        )?;
        Ok(())
    }

    /// Lets a key end at a time; tells whether it was there.
    #[must_use = "tells whether the key was there"]
    pub fn end_api_key(&self, id: ApiKeyId, end_ms: i64) -> Result<bool> {
        let changed = self.execute(
            "UPDATE api_keys SET expires_at = ?2 WHERE id = ?1",
            params![id, end_ms],
        )?;
        Ok(changed == 1)
    }

    /// Revokes a key; tells whether it was there.
    #[must_use = "tells whether the key was there"]
    pub fn delete_api_key(&self, id: ApiKeyId) -> Result<bool> {
        Ok(self.execute("DELETE FROM api_keys WHERE id = ?1", params![id])? == 1)
    }
}
