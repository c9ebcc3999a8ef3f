//! Rows of tombstones.

use rusqlite::params;

use super::{Read, Write};
use crate::domain::Result;
use crate::domain::audit::ObjectKind;
use crate::domain::id::UserId;
use crate::domain::tombstone::{SeenBy, Tombstone};

impl Read<'_> {
    /// Tells whether an object was deleted, whoever could see it.
    pub fn was_deleted(&self, kind: ObjectKind, id: &str) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM tombstones WHERE kind = ?1 AND id = ?2",
            params![kind.as_str(), id],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Tells whether an object was deleted that `user` could see: as its owner, as a
    /// member of the team or organization that it belonged to, or because everyone could.
    pub fn has_seen_deleted(&self, kind: ObjectKind, id: &str, user: UserId) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM tombstones t WHERE t.kind = ?1 AND t.id = ?2
                 AND (t.user_id = ?3 OR coalesce(t.user_id, t.team_id, t.organization_id) IS NULL
                     OR EXISTS (SELECT 1 FROM team_members m
                         WHERE m.team_id = t.team_id AND m.user_id = ?3)
                     OR EXISTS (SELECT 1 FROM organization_members m
                         WHERE m.organization_id = t.organization_id AND m.user_id = ?3))",
            params![kind.as_str(), id, user],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }
}

impl Write<'_> {
    /// Forgets that an object was deleted: it is there again.
    pub fn delete_tombstone(&self, kind: ObjectKind, id: &str) -> Result<()> {
        self.execute(
            "DELETE FROM tombstones WHERE kind = ?1 AND id = ?2",
            params![kind.as_str(), id],
        )?;
        Ok(())
    }

    /// Notes that an object was deleted, and who could see it.
    pub fn insert_tombstone(&self, stone: &Tombstone) -> Result<()> {
        let (user, team, organization) = match stone.seen_by {
            SeenBy::User(user) => (Some(user), None, None),
            SeenBy::Team(team) => (None, Some(team), None),
            SeenBy::Organization(organization) => (None, None, Some(organization)),
            SeenBy::Everyone => (None, None, None),
        };
        self.execute(
            "INSERT OR REPLACE INTO tombstones (kind, id, user_id, team_id, deleted_at, organization_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                stone.kind.as_str(),
                stone.id,
                user,
                team,
                stone.deleted_at_ms,
                organization,
            ],
        )?;
        Ok(())
    }
}
