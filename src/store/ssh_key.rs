//! Rows of SSH public keys.

use rusqlite::{Row, params};

use super::component::unreadable;
use super::sql::or_taken;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::{SshKeyId, UserId};
use crate::domain::ssh_key::{KeyAlgorithm, SshKey};

/// The columns that [`ssh_key_of`] reads, in its order.
const SSH_KEY_COLUMNS: &str = "id, user_id, title, algorithm, bits, line, fingerprint, \
     fingerprint_md5, is_weak, created_at, last_used_at";

/// Reads a key from a row of [`SSH_KEY_COLUMNS`].
fn ssh_key_of(row: &Row<'_>) -> rusqlite::Result<SshKey> {
    let name: String = row.get(3)?;
    Ok(SshKey {
        id: row.get(0)?,
        user_id: row.get(1)?,
        title: row.get(2)?,
        algorithm: KeyAlgorithm::of_name(&name, row.get(4)?)
            .ok_or_else(|| unreadable(3, "an unknown kind of key"))?,
        line: row.get(5)?,
        fingerprint: row.get(6)?,
        fingerprint_md5: row.get(7)?,
        is_weak: row.get(8)?,
        created_at_ms: row.get(9)?,
        last_used_at_ms: row.get(10)?,
    })
}

impl Read<'_> {
    /// Returns the key with this id.
    pub fn ssh_key(&self, id: SshKeyId) -> Result<Option<SshKey>> {
        let sql = format!("SELECT {SSH_KEY_COLUMNS} FROM ssh_keys WHERE id = ?1");
        self.query_opt(&sql, params![id], ssh_key_of)
    }

    /// Returns up to `limit` keys of a user with ids after `after`, by id.
    pub fn ssh_keys_of(
        &self,
        user: UserId,
        after: Option<SshKeyId>,
        limit: u32,
    ) -> Result<Vec<SshKey>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {SSH_KEY_COLUMNS} FROM ssh_keys WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
        );
        self.query_all(&sql, params![user, after, limit], ssh_key_of)
    }

    /// Counts the keys of a user.
    pub fn count_ssh_keys_of(&self, user: UserId) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM ssh_keys WHERE user_id = ?1",
            params![user],
            |row| row.get(0),
        )
    }

    /// Returns up to `limit` keys of users who may sign in, with ids after `after`, by id.
    pub fn keys_that_sign_in(&self, after: Option<SshKeyId>, limit: u32) -> Result<Vec<SshKey>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {SSH_KEY_COLUMNS} FROM ssh_keys k WHERE k.id > ?1 AND EXISTS
                 (SELECT 1 FROM users u WHERE u.id = k.user_id AND u.state = 'active')
             ORDER BY k.id LIMIT ?2"
        );
        self.query_all(&sql, params![after, limit], ssh_key_of)
    }

    /// Returns the key with this fingerprint, in the form that `ssh-keygen -lf` prints.
    pub fn ssh_key_of_fingerprint(&self, fingerprint: &str) -> Result<Option<SshKey>> {
        let sql = format!("SELECT {SSH_KEY_COLUMNS} FROM ssh_keys WHERE fingerprint = ?1");
        self.query_opt(&sql, params![fingerprint], ssh_key_of)
    }
}

impl Write<'_> {
    /// Notes that a key was accepted.
    pub fn touch_ssh_key(&self, id: SshKeyId, now_ms: i64) -> Result<()> {
        self.execute(
            "UPDATE ssh_keys SET last_used_at = ?2 WHERE id = ?1",
            params![id, now_ms],
        )?;
        Ok(())
    }

    /// Adds a key; one that is on the installation already is a conflict of `key`.
    pub fn insert_ssh_key(&self, key: &SshKey, blob_sha256: &[u8; 32]) -> Result<()> {
        let inserted = self.execute(
            "INSERT INTO ssh_keys (id, user_id, title, algorithm, bits, line, blob_sha256,
                 fingerprint, fingerprint_md5, is_weak, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                key.id,
                key.user_id,
                key.title,
                key.algorithm.name(),
                key.algorithm.bits(),
                key.line,
                blob_sha256,
                key.fingerprint,
                key.fingerprint_md5,
                key.is_weak,
                key.created_at_ms,
            ],
        );
        or_taken(inserted, "key", "is registered already")?;
        Ok(())
    }

    /// Deletes a key; tells whether it was there.
    #[must_use = "tells whether the key was there"]
    pub fn delete_ssh_key(&self, id: SshKeyId) -> Result<bool> {
        Ok(self.execute("DELETE FROM ssh_keys WHERE id = ?1", params![id])? == 1)
    }
}
