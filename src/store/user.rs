//! Rows of users.

use rusqlite::{Row, params};

use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::{FlowId, UserId};
use crate::domain::page::OrderBy;
use crate::domain::text::Email;
use crate::domain::user::{User, UserKey, UserState};

/// The columns that [`user_of`] reads, in its order.
pub(super) const USER_COLUMNS: &str = "u.id, u.email, u.first_name, u.last_name, u.company, \
     u.is_tenant_admin, u.state, u.created_by, u.created_at, u.updated_at, u.last_login_at";

/// Reads a user from a row that begins with [`USER_COLUMNS`].
pub(super) fn user_of(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        email: Email::stored(row.get(1)?),
        first_name: row.get(2)?,
        last_name: row.get(3)?,
        company: row.get(4)?,
        is_tenant_admin: row.get(5)?,
        state: if row.get_ref(6)?.as_str()? == "active" {
            UserState::Active
        } else {
            UserState::Disabled
        },
        created_by: row.get(7)?,
        created_at_ms: row.get(8)?,
        updated_at_ms: row.get(9)?,
        last_login_at_ms: row.get(10)?,
    })
}

/// How much is a user's own, and goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belongings {
    /// API keys.
    pub api_keys: i64,
    /// SSH keys.
    pub ssh_keys: i64,
    /// Credentials.
    pub credentials: i64,
    /// Flows.
    pub flows: i64,
}

impl Read<'_> {
    /// Counts what is a user's own.
    pub fn belongings_of(&self, user: UserId) -> Result<Belongings> {
        self.query_one(
            "SELECT (SELECT count(*) FROM api_keys WHERE user_id = ?1),
                    (SELECT count(*) FROM ssh_keys WHERE user_id = ?1),
                    (SELECT count(*) FROM credentials WHERE user_id = ?1),
                    (SELECT count(*) FROM flows WHERE user_id = ?1)",
            params![user],
            |row| {
                Ok(Belongings {
                    api_keys: row.get(0)?,
                    ssh_keys: row.get(1)?,
                    credentials: row.get(2)?,
                    flows: row.get(3)?,
                })
            },
        )
    }

    /// Returns the flows of a user that run: they stop when the user is deleted.
    pub fn active_flows_of(&self, user: UserId) -> Result<Vec<FlowId>> {
        self.query_all(
            "SELECT id FROM flows WHERE user_id = ?1 AND status = 'active' ORDER BY id",
            params![user],
            |row| row.get(0),
        )
    }

    /// Returns the user with this id.
    pub fn user(&self, id: UserId) -> Result<Option<User>> {
        let sql = format!("SELECT {USER_COLUMNS} FROM users u WHERE u.id = ?1");
        self.query_opt(&sql, params![id], user_of)
    }

    /// Returns the user whose address has this key, with the hash of the password.
    pub fn user_by_email(&self, email_key: &str) -> Result<Option<(User, String)>> {
        let sql =
            format!("SELECT {USER_COLUMNS}, u.password_hash FROM users u WHERE u.email_key = ?1");
        self.query_opt(&sql, params![email_key], |row| {
            Ok((user_of(row)?, row.get(11)?))
        })
    }

    /// Returns up to `limit` users with ids after `after`, by id.
    pub fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql =
            format!("SELECT {USER_COLUMNS} FROM users u WHERE u.id > ?1 ORDER BY u.id LIMIT ?2");
        self.query_all(&sql, params![after, limit], user_of)
    }

    /// Returns up to `limit` users after the first `offset`, in an order; the id decides
    /// among equals.
    pub fn user_part(
        &self,
        order: &[OrderBy<UserKey>],
        offset: u64,
        limit: u32,
    ) -> Result<Vec<User>> {
        let keys = order.iter().map(|key| {
            let column = match key.key {
                UserKey::Email => "u.email_key",
                UserKey::Registered => "u.created_at",
            };
            let direction = if key.is_descending { " DESC" } else { "" };
            format!("{column}{direction}, ")
        });
        let keys: String = keys.collect();
        let sql =
            format!("SELECT {USER_COLUMNS} FROM users u ORDER BY {keys}u.id LIMIT ?1 OFFSET ?2");
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        self.query_all(&sql, params![limit, offset], user_of)
    }

    /// Counts the users.
    pub fn count_users(&self) -> Result<u64> {
        let count: i64 =
            self.query_one("SELECT count(*) FROM users", params![], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Counts the active tenant administrators other than `user`.
    pub fn other_tenant_admins(&self, user: UserId) -> Result<i64> {
        let count = self.query_opt(
            "SELECT count(*) FROM users WHERE is_tenant_admin = 1 AND state = 'active' AND id <> ?1",
            params![user],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }
}

impl Write<'_> {
    /// Adds a user; an address that is taken is a conflict.
    pub fn insert_user(&self, user: &User, password_hash: &str) -> Result<()> {
        self.execute(
            "INSERT INTO users (id, email, email_key, first_name, last_name, company,
                 password_hash, is_tenant_admin, state, created_by, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)",
            params![
                user.id,
                user.email.as_str(),
                user.email.key(),
                user.first_name,
                user.last_name,
                user.company,
                password_hash,
                user.is_tenant_admin,
                user.state.as_str(),
                user.created_by,
                user.created_at_ms,
            ],
        )?;
        Ok(())
    }

    /// Sets whether a user may sign in; tells whether the user is there.
    pub fn set_user_state(&self, id: UserId, state: UserState, now_ms: i64) -> Result<bool> {
        let changed = self.execute(
            "UPDATE users SET state = ?2, updated_at = ?3 WHERE id = ?1",
            params![id, state.as_str(), now_ms],
        )?;
        Ok(changed == 1)
    }

    /// Sets the hash of a user's password; tells whether the user is there.
    pub fn set_password_hash(&self, id: UserId, hash: &str, now_ms: i64) -> Result<bool> {
        let changed = self.execute(
            "UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1",
            params![id, hash, now_ms],
        )?;
        Ok(changed == 1)
    }

    /// Replaces a hash by a stronger one of the same password, unless it changed meanwhile.
    pub fn renew_password_hash(&self, id: UserId, old: &str, new: &str, now_ms: i64) -> Result<()> {
        self.execute(
            "UPDATE users SET password_hash = ?3, updated_at = ?4
             WHERE id = ?1 AND password_hash = ?2",
            params![id, old, new, now_ms],
        )?;
        Ok(())
    }

    /// Notes that a user signed in.
    pub fn touch_login(&self, id: UserId, now_ms: i64) -> Result<()> {
        self.execute(
            "UPDATE users SET last_login_at = ?2 WHERE id = ?1",
            params![id, now_ms],
        )?;
        Ok(())
    }

    /// Deletes a user and, by cascade, keys, SSH keys, credentials, flows and memberships.
    #[must_use = "tells whether the user was there"]
    pub fn delete_user(&self, id: UserId) -> Result<bool> {
        Ok(self.execute("DELETE FROM users WHERE id = ?1", params![id])? == 1)
    }
}
