//! Rows of the object storage; the files are the application's.

use rusqlite::{Row, params};

use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::{ObjectId, UserId};
use crate::domain::object::StoredObject;
use crate::domain::run::part::BodyFile;

/// A row with the hashes of its tokens.
pub struct ObjectRow {
    /// The object.
    pub object: StoredObject,
    /// SHA-256 of the token that uploads; none for what the server made itself.
    pub put_sha256: Option<Vec<u8>>,
    /// SHA-256 of the token that downloads.
    pub get_sha256: Vec<u8>,
}

/// Reads a row of the columns that [`Read::object`] names.
fn row_of(row: &Row<'_>) -> rusqlite::Result<ObjectRow> {
    Ok(ObjectRow {
        object: StoredObject {
            id: row.get(0)?,
            content_type: row.get(1)?,
            bytes: row
                .get::<_, Option<i64>>(2)?
                .and_then(|bytes| u64::try_from(bytes).ok()),
            expires_at_ms: row.get(3)?,
        },
        put_sha256: row.get(4)?,
        get_sha256: row.get(5)?,
    })
}

impl Read<'_> {
    /// Returns an object with the hashes of its tokens.
    pub fn object(&self, id: ObjectId) -> Result<Option<ObjectRow>> {
        self.query_opt(
            "SELECT id, content_type, bytes, expires_at, put_sha256, get_sha256
             FROM objects WHERE id = ?1",
            params![id],
            row_of,
        )
    }

    /// Returns whose an object is; none where it is gone, or the server's own.
    pub fn object_owner(&self, id: ObjectId) -> Result<Option<UserId>> {
        let owner = self.query_opt(
            "SELECT user_id FROM objects WHERE id = ?1",
            params![id],
            |row| row.get::<_, Option<UserId>>(0),
        )?;
        Ok(owner.flatten())
    }

    /// Returns how many objects a user has that have not been swept.
    pub fn count_objects_of(&self, user: UserId) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM objects WHERE user_id = ?1",
            params![user],
            |row| row.get(0),
        )
    }

    /// Returns up to `limit` objects that have expired, the oldest first.
    pub fn expired_objects(&self, now_ms: i64, limit: u32) -> Result<Vec<ObjectId>> {
        self.query_all(
            "SELECT id FROM objects WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2",
            params![now_ms, limit],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Adds an object.
    pub fn insert_object(&self, row: &ObjectRow, user: Option<UserId>, now_ms: i64) -> Result<()> {
        let bytes = row.object.bytes.map(u64::cast_signed);
        self.execute(
            "INSERT INTO objects
                 (id, user_id, content_type, bytes, put_sha256, get_sha256, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row.object.id,
                user,
                row.object.content_type,
                bytes,
                row.put_sha256,
                row.get_sha256,
                now_ms,
                row.object.expires_at_ms,
            ],
        )?;
        Ok(())
    }

    /// Adds the body of a message of a part, by the part's key: it goes with the messages
    /// of the part, and nobody downloads it.
    pub(super) fn insert_body_file(&self, part: i64, file: BodyFile, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT INTO objects (id, bytes, get_sha256, created_at, expires_at, part)
             VALUES (?1, ?2, x'', ?3, ?4, ?5)",
            params![file.id, file.bytes.cast_signed(), now_ms, i64::MAX, part],
        )?;
        Ok(())
    }

    /// Lets the bodies of the messages of parts go, by the first and the last key; the
    /// next sweep removes them.
    pub(super) fn expire_body_files(&self, (from, to): (i64, i64)) -> Result<()> {
        self.execute(
            "UPDATE objects SET expires_at = 0 WHERE part BETWEEN ?1 AND ?2",
            params![from, to],
        )?;
        Ok(())
    }

    /// Notes that an object was uploaded; false where it was already, or has gone.
    #[must_use = "a second upload must not replace the first"]
    pub fn set_object_uploaded(
        &self,
        id: ObjectId,
        content_type: Option<&str>,
        bytes: u64,
        now_ms: i64,
    ) -> Result<bool> {
        let changed = self.execute(
            "UPDATE objects SET content_type = ?2, bytes = ?3
             WHERE id = ?1 AND bytes IS NULL AND expires_at > ?4",
            params![id, content_type, bytes.cast_signed(), now_ms],
        )?;
        Ok(changed > 0)
    }

    /// Removes the row of an object.
    pub fn delete_object(&self, id: ObjectId) -> Result<()> {
        self.execute("DELETE FROM objects WHERE id = ?1", params![id])?;
        Ok(())
    }
}
