//! Rows of tombstones.

use rusqlite::params;

use super::{Read, Write};
use crate::domain::Result;
use crate::domain::audit::ObjectKind;
use crate::domain::id::{TeamId, UserId};
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
                 AND (t.user_id = ?3 OR t.for_admins = 0
                         AND coalesce(t.user_id, t.team_id, t.organization_id) IS NULL
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
            SeenBy::Everyone | SeenBy::Administrators => (None, None, None),
        };
        self.execute(
            "INSERT OR REPLACE INTO tombstones
                 (kind, id, user_id, team_id, deleted_at, organization_id, for_admins)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                stone.kind.as_str(),
                stone.id,
                user,
                team,
                stone.deleted_at_ms,
                organization,
                stone.seen_by == SeenBy::Administrators,
            ],
        )?;
        Ok(())
    }

    /// Notes what goes with a user, before it goes, for tenant administrators: flows,
    /// lookups and data samples.
    pub fn insert_tombstones_of_belongings(&self, user: UserId, now_ms: i64) -> Result<()> {
        for (kind, table) in [
            (ObjectKind::Flow, "flows"),
            (ObjectKind::Lookup, "lookups"),
            (ObjectKind::DataSample, "data_samples"),
        ] {
            let sql = format!(
                "INSERT OR REPLACE INTO tombstones (kind, id, deleted_at, for_admins)
                 SELECT ?2, id, ?3, 1 FROM {table} WHERE user_id = ?1"
            );
            self.execute(&sql, params![user, kind.as_str(), now_ms])?;
        }
        Ok(())
    }

    /// Notes a team that goes with its last member, and its components, before they go:
    /// for tenant administrators, and for everybody where a component is shared.
    pub fn insert_tombstones_of_team(&self, team: TeamId, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO tombstones (kind, id, deleted_at, for_admins)
             SELECT ?2, id, ?4, 1 FROM teams WHERE id = ?1
             UNION ALL SELECT ?3, id, ?4, access = 'team' FROM components WHERE team_id = ?1",
            params![
                team,
                ObjectKind::Team.as_str(),
                ObjectKind::Component.as_str(),
                now_ms
            ],
        )?;
        Ok(())
    }
}
