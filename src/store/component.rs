//! Rows of components and of their builds.

use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::sql::{Json, or_taken};
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::component::{Access, Component, ComponentTitle, ComponentVersion, Reach};
use crate::domain::id::{ComponentId, TeamId, UserId};
use crate::domain::slug::Slug;

/// The columns that [`component_of`] reads, in its order, of `components c` and `teams t`.
const COMPONENT_COLUMNS: &str =
    "c.id, c.team_id, t.slug, t.name, c.name, c.slug, c.access, c.is_builtin, c.created_at";

/// The title of a component in lists: the column after [`COMPONENT_COLUMNS`].
const TITLE: &str = "coalesce((SELECT v.title FROM component_versions v
     WHERE v.component_id = c.id ORDER BY v.number DESC LIMIT 1), c.name)";

/// The columns that [`version_of`] reads, in its order.
const VERSION_COLUMNS: &str = "component_id, revision, number, title, descriptor, icon, created_at";

/// Reads a component from a row that begins with [`COMPONENT_COLUMNS`].
fn component_of(row: &Row<'_>) -> rusqlite::Result<Component> {
    let access: String = row.get(6)?;
    Ok(Component {
        id: row.get(0)?,
        team_id: row.get(1)?,
        team: Slug::stored(row.get(2)?),
        team_name: row.get(3)?,
        name: row.get(4)?,
        slug: Slug::stored(row.get(5)?),
        access: Access::parse(&access).ok_or_else(|| unreadable(6, "an unknown access"))?,
        is_builtin: row.get(7)?,
        created_at_ms: row.get(8)?,
    })
}

/// Reads a component and its title from a row of [`COMPONENT_COLUMNS`] and [`TITLE`].
fn title_of(row: &Row<'_>) -> rusqlite::Result<ComponentTitle> {
    Ok(ComponentTitle {
        component: component_of(row)?,
        title: row.get(9)?,
    })
}

/// Reads a build from a row of [`VERSION_COLUMNS`].
fn version_of(row: &Row<'_>) -> rusqlite::Result<ComponentVersion> {
    let Json(descriptor) = row.get(4)?;
    Ok(ComponentVersion {
        component_id: row.get(0)?,
        revision: row.get(1)?,
        number: row.get(2)?,
        title: row.get(3)?,
        descriptor,
        icon: row.get(5)?,
        created_at_ms: row.get(6)?,
    })
}

/// Returns the error of a column whose value nothing of ours wrote.
pub(super) fn unreadable(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}

impl Read<'_> {
    /// Returns the component with this id.
    pub fn component(&self, id: ComponentId) -> Result<Option<Component>> {
        let sql = format!(
            "SELECT {COMPONENT_COLUMNS} FROM components c JOIN teams t ON t.id = c.team_id
             WHERE c.id = ?1"
        );
        self.query_opt(&sql, params![id], component_of)
    }

    /// Returns the logo that a component was made with.
    pub fn component_icon(&self, id: ComponentId) -> Result<Option<String>> {
        let sql = "SELECT icon FROM components WHERE id = ?1";
        Ok(self
            .query_opt(sql, params![id], |row| row.get(0))?
            .flatten())
    }

    /// Returns the component that commands call `team/slug`.
    pub fn component_by_slug(&self, team: &Slug, slug: &Slug) -> Result<Option<Component>> {
        let sql = format!(
            "SELECT {COMPONENT_COLUMNS} FROM teams t JOIN components c ON c.team_id = t.id
             WHERE t.slug = ?1 AND c.slug = ?2"
        );
        self.query_opt(&sql, params![team.as_str(), slug.as_str()], component_of)
    }

    /// Returns up to `limit` components of the installation with ids after `after`, by id.
    pub fn components(
        &self,
        after: Option<ComponentId>,
        limit: u32,
    ) -> Result<Vec<ComponentTitle>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {COMPONENT_COLUMNS}, {TITLE}
             FROM components c JOIN teams t ON t.id = c.team_id
             WHERE c.id > ?1 ORDER BY c.id LIMIT ?2"
        );
        self.query_all(&sql, params![after, limit], title_of)
    }

    /// Returns up to `limit` components of the teams of a user, and of those of the user's
    /// organizations, after `after`, team by team,
    /// in each by id: so a page reads little more than its own rows.
    pub fn components_of(
        &self,
        user: UserId,
        after: Option<&Component>,
        limit: u32,
    ) -> Result<Vec<ComponentTitle>> {
        let (team, id) = after.map_or_else(Default::default, |component| {
            (component.team_id.to_string(), component.id.to_string())
        });
        let sql = format!(
            "SELECT {COMPONENT_COLUMNS}, {TITLE}
             FROM (SELECT team_id FROM team_members WHERE user_id = ?1
                   UNION SELECT o.id FROM organization_members om
                       JOIN teams o ON o.organization_id = om.organization_id
                       WHERE om.user_id = ?1) m
             CROSS JOIN teams t ON t.id = m.team_id
             CROSS JOIN components c ON c.team_id = m.team_id
             WHERE m.team_id >= ?2 AND (m.team_id > ?2 OR c.id > ?3)
             ORDER BY m.team_id, c.id LIMIT ?4"
        );
        self.query_all(&sql, params![user, team, id, limit], title_of)
    }

    /// Returns up to `limit` components within a user's reach with ids after `after`, by
    /// id, built or not.
    pub fn components_within(
        &self,
        user: UserId,
        reach: Reach,
        after: Option<ComponentId>,
        limit: u32,
    ) -> Result<Vec<Component>> {
        let own = "SELECT o.id FROM team_members m JOIN components o ON o.team_id = m.team_id
             WHERE m.user_id = ?1
             UNION SELECT o.id FROM organization_members om
                 JOIN teams ot ON ot.organization_id = om.organization_id
                 JOIN components o ON o.team_id = ot.id WHERE om.user_id = ?1";
        let shared = "SELECT s.id FROM components s WHERE s.access <> 'team'";
        let ids = match reach {
            Reach::Private => own.to_owned(),
            Reach::Public => format!("{shared} EXCEPT SELECT id FROM ({own})"),
            Reach::All => format!("{shared} UNION {own}"),
        };
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {COMPONENT_COLUMNS} FROM components c JOIN teams t ON t.id = c.team_id
             WHERE c.id > ?2 AND c.id IN ({ids}) ORDER BY c.id LIMIT ?3"
        );
        self.query_all(&sql, params![user, after, limit], component_of)
    }

    /// Returns up to `limit` ids of a team's components, by id.
    pub fn component_ids_of_team(&self, team: TeamId, limit: u32) -> Result<Vec<ComponentId>> {
        self.query_all(
            "SELECT id FROM components WHERE team_id = ?1 ORDER BY id LIMIT ?2",
            params![team, limit],
            |row| row.get(0),
        )
    }

    /// Returns up to `limit` built components that are shared beyond their team, after
    /// `after`, by access and id, which is the order of their index.
    pub fn shared_components(
        &self,
        after: Option<&Component>,
        limit: u32,
    ) -> Result<Vec<ComponentTitle>> {
        let (access, id) = after.map_or(("", String::new()), |component| {
            (component.access.as_str(), component.id.to_string())
        });
        let sql = format!(
            "SELECT {COMPONENT_COLUMNS}, {TITLE}
             FROM components c CROSS JOIN teams t ON t.id = c.team_id
             WHERE c.access <> 'team' AND (c.access, c.id) > (?1, ?2) AND EXISTS
                 (SELECT 1 FROM component_versions v WHERE v.component_id = c.id)
             ORDER BY c.access, c.id LIMIT ?3"
        );
        self.query_all(&sql, params![access, id, limit], title_of)
    }

    /// Counts the components of a team.
    pub fn count_components_of_team(&self, team: TeamId) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM components WHERE team_id = ?1",
            params![team],
            |row| row.get(0),
        )
    }

    /// Returns the word for what of the network a component may reach, where it is set.
    pub fn component_network(&self, id: ComponentId) -> Result<Option<String>> {
        let found = self.query_opt(
            "SELECT network FROM components WHERE id = ?1",
            params![id],
            |row| row.get(0),
        )?;
        Ok(found.flatten())
    }

    /// Tells whether a team has a component that others may use.
    pub fn has_shared_component(&self, team: TeamId) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM components WHERE team_id = ?1 AND access <> 'team' LIMIT 1",
            params![team],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Tells whether a flow, whosever it is, has a step of this component.
    pub fn is_component_in_use(&self, component: &Component) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM flow_steps WHERE team = ?1 AND component = ?2 LIMIT 1",
            params![component.team.as_str(), component.slug.as_str()],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Returns the newest build of a component.
    pub fn latest_version(&self, component: ComponentId) -> Result<Option<ComponentVersion>> {
        let sql = format!(
            "SELECT {VERSION_COLUMNS} FROM component_versions
             WHERE component_id = ?1 ORDER BY number DESC LIMIT 1"
        );
        self.query_opt(&sql, params![component], version_of)
    }

    /// Returns all builds of a component, the newest first.
    pub fn component_versions(&self, component: ComponentId) -> Result<Vec<ComponentVersion>> {
        let sql = format!(
            "SELECT {VERSION_COLUMNS} FROM component_versions
             WHERE component_id = ?1 ORDER BY number DESC"
        );
        self.query_all(&sql, params![component], version_of)
    }

    /// Returns the build of this revision.
    pub fn component_version(
        &self,
        component: ComponentId,
        revision: &str,
    ) -> Result<Option<ComponentVersion>> {
        let sql = format!(
            "SELECT {VERSION_COLUMNS} FROM component_versions
             WHERE component_id = ?1 AND revision = ?2"
        );
        self.query_opt(&sql, params![component, revision], version_of)
    }

    /// Tells whether a flow, whosever it is, has a step with this build: one that pins
    /// it, and where it is the latest, one that pins none.
    pub fn is_version_in_use(
        &self,
        component: &Component,
        revision: &str,
        is_latest: bool,
    ) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM flow_steps s JOIN flows f ON f.id = s.flow_id,
                 json_each(f.graph, '$.nodes') n
             WHERE s.team = ?1 AND s.component = ?2
                 AND n.value ->> '$.command' LIKE ?1 || '/' || ?2 || ':%'
                 AND CASE WHEN instr(n.value ->> '$.command', '@') = 0
                          OR n.value ->> '$.command' LIKE '%@latest'
                     THEN ?4 ELSE n.value ->> '$.command' LIKE '%@' || ?3 END
             LIMIT 1",
            params![
                component.team.as_str(),
                component.slug.as_str(),
                revision,
                is_latest
            ],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Returns up to `limit` repositories called `slug` of the teams that a user belongs to.
    pub fn components_called(
        &self,
        user: UserId,
        slug: &Slug,
        limit: u32,
    ) -> Result<Vec<Component>> {
        let sql = format!(
            "SELECT {COMPONENT_COLUMNS} FROM components c JOIN teams t ON t.id = c.team_id
             WHERE c.slug = ?2 AND c.team_id IN (
                 SELECT team_id FROM team_members WHERE user_id = ?1
                 UNION SELECT o.id FROM organization_members om
                     JOIN teams o ON o.organization_id = om.organization_id
                     WHERE om.user_id = ?1)
             ORDER BY t.slug LIMIT ?3"
        );
        self.query_all(&sql, params![user, slug.as_str(), limit], component_of)
    }

    /// Returns the built-in components, which are as many as a binary holds.
    pub fn builtin_components(&self) -> Result<Vec<Component>> {
        let sql = format!(
            "SELECT {COMPONENT_COLUMNS} FROM components c JOIN teams t ON t.id = c.team_id
             WHERE c.access <> 'team' AND c.is_builtin = 1 ORDER BY c.slug"
        );
        self.query_all(&sql, params![], component_of)
    }
}

impl Write<'_> {
    /// Adds a component; a slug that is taken in the team is a conflict of `name`.
    pub fn insert_component(&self, component: &Component) -> Result<()> {
        let inserted = self.execute(
            "INSERT INTO components (id, team_id, name, slug, access, is_builtin, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                component.id,
                component.team_id,
                component.name,
                component.slug.as_str(),
                component.access.as_str(),
                component.is_builtin,
                component.created_at_ms,
            ],
        );
        or_taken(
            inserted,
            "name",
            "is taken by another repository of the team",
        )?;
        Ok(())
    }

    /// Sets the logo that a component shows until a build brings one.
    pub fn set_component_icon(&self, id: ComponentId, icon: &str) -> Result<()> {
        self.execute(
            "UPDATE components SET icon = ?2 WHERE id = ?1",
            params![id, icon],
        )?;
        Ok(())
    }

    /// Deletes a component with its builds and variables; tells whether it was there.
    #[must_use = "tells whether the component was there"]
    pub fn delete_component(&self, id: ComponentId) -> Result<bool> {
        Ok(self.execute("DELETE FROM components WHERE id = ?1", params![id])? == 1)
    }

    /// Sets who may use a component.
    pub fn set_component_access(&self, id: ComponentId, access: Access) -> Result<()> {
        self.execute(
            "UPDATE components SET access = ?2 WHERE id = ?1",
            params![id, access.as_str()],
        )?;
        Ok(())
    }

    /// Sets what of the network a component may reach.
    pub fn set_component_network(&self, id: ComponentId, word: Option<&str>) -> Result<()> {
        self.execute(
            "UPDATE components SET network = ?2 WHERE id = ?1",
            params![id, word],
        )?;
        Ok(())
    }

    /// Adds a build.
    pub fn insert_component_version(&self, version: &ComponentVersion) -> Result<()> {
        self.execute(
            "INSERT INTO component_versions
                 (component_id, revision, number, title, descriptor, icon, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                version.component_id,
                version.revision,
                version.number,
                version.title,
                version.descriptor.to_string(),
                version.icon,
                version.created_at_ms,
            ],
        )?;
        Ok(())
    }

    /// Deletes one build; tells whether it was there.
    #[must_use = "tells whether the build was there"]
    pub fn delete_component_version(&self, component: ComponentId, revision: &str) -> Result<bool> {
        let gone = self.execute(
            "DELETE FROM component_versions WHERE component_id = ?1 AND revision = ?2",
            params![component, revision],
        )?;
        Ok(gone == 1)
    }

    /// Deletes all builds of a component.
    pub fn delete_component_versions(&self, component: ComponentId) -> Result<()> {
        self.execute(
            "DELETE FROM component_versions WHERE component_id = ?1",
            params![component],
        )?;
        Ok(())
    }
}
