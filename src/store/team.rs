//! Rows of teams and of their members.

use rusqlite::{Row, params};

use super::sql::or_taken;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::{TeamId, UserId};
use crate::domain::slug::Slug;
use crate::domain::team::Team;

/// The columns that [`team_of`] reads, in its order, of `teams t`.
const TEAM_COLUMNS: &str = "t.id, t.name, t.slug, t.created_at, t.organization_id";

/// Reads a team from a row of [`TEAM_COLUMNS`]; its members are not in it.
fn team_of(row: &Row<'_>) -> rusqlite::Result<Team> {
    Ok(Team {
        id: row.get(0)?,
        name: row.get(1)?,
        slug: Slug::stored(row.get(2)?),
        created_at_ms: row.get(3)?,
        organization_id: row.get(4)?,
        members: Vec::new(),
    })
}

impl Read<'_> {
    /// Returns the team with this id and its members.
    pub fn team(&self, id: TeamId) -> Result<Option<Team>> {
        let sql = format!("SELECT {TEAM_COLUMNS} FROM teams t WHERE t.id = ?1");
        let team = self.query_opt(&sql, params![id], team_of)?;
        team.map(|team| self.with_members(team)).transpose()
    }

    /// Returns the team with this slug and its members.
    pub fn team_by_slug(&self, slug: &Slug) -> Result<Option<Team>> {
        let sql = format!("SELECT {TEAM_COLUMNS} FROM teams t WHERE t.slug = ?1");
        let team = self.query_opt(&sql, params![slug.as_str()], team_of)?;
        team.map(|team| self.with_members(team)).transpose()
    }

    /// Returns up to `limit` teams with ids after `after`, by id.
    pub fn teams(&self, after: Option<TeamId>, limit: u32) -> Result<Vec<Team>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql =
            format!("SELECT {TEAM_COLUMNS} FROM teams t WHERE t.id > ?1 ORDER BY t.id LIMIT ?2");
        let teams = self.query_all(&sql, params![after, limit], team_of)?;
        teams
            .into_iter()
            .map(|team| self.with_members(team))
            .collect()
    }

    /// Returns up to `limit` teams of a user with ids after `after`, by id.
    pub fn teams_of(&self, user: UserId, after: Option<TeamId>, limit: u32) -> Result<Vec<Team>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {TEAM_COLUMNS}
             FROM team_members m JOIN teams t ON t.id = m.team_id
             WHERE m.user_id = ?1 AND m.team_id > ?2 ORDER BY m.team_id LIMIT ?3"
        );
        let teams = self.query_all(&sql, params![user, after, limit], team_of)?;
        teams
            .into_iter()
            .map(|team| self.with_members(team))
            .collect()
    }

    /// Counts the teams of a user.
    pub fn count_teams_of(&self, user: UserId) -> Result<i64> {
        let count = self.query_opt(
            "SELECT count(*) FROM team_members WHERE user_id = ?1",
            params![user],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Tells whether a user belongs to a team.
    pub fn is_member(&self, team: TeamId, user: UserId) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM team_members WHERE team_id = ?1 AND user_id = ?2",
            params![team, user],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Returns the teams that a user alone belongs to.
    pub fn sole_member_teams(&self, user: UserId) -> Result<Vec<TeamId>> {
        self.query_all(
            "SELECT m.team_id FROM team_members m WHERE m.user_id = ?1 AND NOT EXISTS
                 (SELECT 1 FROM team_members o WHERE o.team_id = m.team_id AND o.user_id <> ?1)",
            params![user],
            |row| row.get(0),
        )
    }

    /// Returns a shared component of the teams that a user alone belongs to, as
    /// `team/component`, that a flow of somebody else uses.
    pub fn shared_component_in_use_of_others(&self, user: UserId) -> Result<Option<String>> {
        self.query_opt(
            "SELECT t.slug || '/' || c.slug
             FROM team_members m
             JOIN teams t ON t.id = m.team_id
             JOIN components c ON c.team_id = t.id AND c.access <> 'team'
             JOIN flow_steps s ON s.team = t.slug AND s.component = c.slug
             JOIN flows f ON f.id = s.flow_id AND f.user_id <> ?1
             WHERE m.user_id = ?1 AND NOT EXISTS
                 (SELECT 1 FROM team_members o WHERE o.team_id = m.team_id AND o.user_id <> ?1)
             LIMIT 1",
            params![user],
            |row| row.get(0),
        )
    }

    /// Adds the members to a team.
    fn with_members(&self, mut team: Team) -> Result<Team> {
        team.members = self.query_all(
            "SELECT user_id FROM team_members WHERE team_id = ?1 ORDER BY added_at, user_id",
            params![team.id],
            |row| row.get(0),
        )?;
        Ok(team)
    }
}

impl Write<'_> {
    /// Adds a team with its members; a taken slug is a conflict of `name`.
    pub fn insert_team(&self, team: &Team) -> Result<()> {
        let inserted = self.execute(
            "INSERT INTO teams (id, name, slug, created_at, organization_id)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                team.id,
                team.name,
                team.slug.as_str(),
                team.created_at_ms,
                team.organization_id,
            ],
        );
        or_taken(inserted, "name", "is taken by another team")?;
        for user in &team.members {
            self.insert_team_member(team.id, *user, team.created_at_ms)?;
        }
        Ok(())
    }

    /// Adds a member; one who is there already stays as it is.
    pub fn insert_team_member(&self, team: TeamId, user: UserId, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT INTO team_members (team_id, user_id, added_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (team_id, user_id) DO NOTHING",
            params![team, user, now_ms],
        )?;
        Ok(())
    }

    /// Takes a member out; tells whether it was in.
    #[must_use = "tells whether the member was there"]
    pub fn delete_team_member(&self, team: TeamId, user: UserId) -> Result<bool> {
        let changed = self.execute(
            "DELETE FROM team_members WHERE team_id = ?1 AND user_id = ?2",
            params![team, user],
        )?;
        Ok(changed == 1)
    }

    /// Sets the name of a team; its slug stays.
    pub fn set_team_name(&self, team: TeamId, name: &str) -> Result<()> {
        self.execute(
            "UPDATE teams SET name = ?2 WHERE id = ?1",
            params![team, name],
        )?;
        Ok(())
    }

    /// Deletes a team with its components, their builds and variables.
    pub fn delete_team_with_components(&self, team: TeamId) -> Result<()> {
        self.execute("DELETE FROM components WHERE team_id = ?1", params![team])?;
        self.execute("DELETE FROM teams WHERE id = ?1", params![team])?;
        Ok(())
    }
}
