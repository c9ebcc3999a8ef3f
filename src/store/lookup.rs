//! Rows of lookups.

use rusqlite::{Row, params};
use serde_json::Value;

use super::component::unreadable;
use super::sql::Json;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::{LookupId, OrganizationId, UserId};
use crate::domain::lookup::Lookup;
use crate::domain::organization::Owner;

/// The columns that [`lookup_of`] reads, in its order.
const LOOKUP_COLUMNS: &str = "id, user_id, organization_id, title, data, created_at, updated_at";

/// Reads a lookup from a row of [`LOOKUP_COLUMNS`].
fn lookup_of(row: &Row<'_>) -> rusqlite::Result<Lookup> {
    let Json(Value::Object(data)) = row.get(4)? else {
        return Err(unreadable(4, "a table that is no object"));
    };
    Ok(Lookup {
        id: row.get(0)?,
        owner: Owner {
            user: row.get(1)?,
            organization: row.get(2)?,
        },
        title: row.get(3)?,
        data,
        created_at_ms: row.get(5)?,
        updated_at_ms: row.get(6)?,
    })
}

impl Read<'_> {
    /// Returns the lookup with this id.
    pub fn lookup(&self, id: LookupId) -> Result<Option<Lookup>> {
        let sql = format!("SELECT {LOOKUP_COLUMNS} FROM lookups WHERE id = ?1");
        self.query_opt(&sql, params![id], lookup_of)
    }

    /// Returns up to `limit` lookups of everybody with ids after `after`, by id.
    pub fn all_lookups(&self, after: Option<LookupId>, limit: u32) -> Result<Vec<Lookup>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql =
            format!("SELECT {LOOKUP_COLUMNS} FROM lookups WHERE id > ?1 ORDER BY id LIMIT ?2");
        self.query_all(&sql, params![after, limit], lookup_of)
    }

    /// Returns up to `limit` lookups that are a user's alone, by id.
    pub fn personal_lookups(&self, user: UserId, limit: u32) -> Result<Vec<Lookup>> {
        let sql = format!(
            "SELECT {LOOKUP_COLUMNS} FROM lookups
             WHERE user_id = ?1 AND organization_id IS NULL ORDER BY id LIMIT ?2"
        );
        self.query_all(&sql, params![user, limit], lookup_of)
    }

    /// Returns up to `limit` lookups of an organization, by id.
    pub fn lookups_of(&self, organization: OrganizationId, limit: u32) -> Result<Vec<Lookup>> {
        let sql = format!(
            "SELECT {LOOKUP_COLUMNS} FROM lookups
             WHERE organization_id = ?1 ORDER BY id LIMIT ?2"
        );
        self.query_all(&sql, params![organization, limit], lookup_of)
    }

    /// Returns the oldest lookup of this title that is a user's alone.
    pub fn personal_lookup_by_title(&self, user: UserId, title: &str) -> Result<Option<Lookup>> {
        let sql = format!(
            "SELECT {LOOKUP_COLUMNS} FROM lookups
             WHERE user_id = ?1 AND title = ?2 AND organization_id IS NULL ORDER BY id LIMIT 1"
        );
        self.query_opt(&sql, params![user, title], lookup_of)
    }

    /// Returns the oldest lookup of this title of an organization.
    pub fn lookup_by_title(
        &self,
        organization: OrganizationId,
        title: &str,
    ) -> Result<Option<Lookup>> {
        let sql = format!(
            "SELECT {LOOKUP_COLUMNS} FROM lookups
             WHERE organization_id = ?1 AND title = ?2 ORDER BY id LIMIT 1"
        );
        self.query_opt(&sql, params![organization, title], lookup_of)
    }

    /// Returns the lookup that a flow of this owner calls by id, or by title: its
    /// organization's, else one that is its user's alone, the oldest where two have the title.
    ///
    /// By id, a flow that is a user's alone may also call one of an organization that the
    /// user belongs to.
    pub fn lookup_for(&self, owner: Owner, id_or_title: &str) -> Result<Option<Lookup>> {
        if let Ok(id) = id_or_title.parse::<LookupId>()
            && let Some(lookup) = self.lookup(id)?
            && self.sees_lookup(owner, &lookup)?
        {
            return Ok(Some(lookup));
        }
        if let Some(organization) = owner.organization
            && let Some(lookup) = self.lookup_by_title(organization, id_or_title)?
        {
            return Ok(Some(lookup));
        }
        self.personal_lookup_by_title(owner.user, id_or_title)
    }

    /// Tells whether a flow of this owner may read a lookup.
    fn sees_lookup(&self, owner: Owner, lookup: &Lookup) -> Result<bool> {
        match lookup.owner.organization {
            None => Ok(lookup.owner.user == owner.user),
            Some(_) if owner.organization.is_some() => {
                Ok(owner.organization == lookup.owner.organization)
            }
            Some(organization) => Ok(self.role_in(organization, owner.user)?.is_some()),
        }
    }

    /// Counts the lookups of an owner: of the organization, or the user's alone.
    pub fn count_lookups_of(&self, owner: Owner) -> Result<i64> {
        if let Some(organization) = owner.organization {
            return self.query_one(
                "SELECT count(*) FROM lookups WHERE organization_id = ?1",
                params![organization],
                |row| row.get(0),
            );
        }
        self.query_one(
            "SELECT count(*) FROM lookups WHERE user_id = ?1 AND organization_id IS NULL",
            params![owner.user],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Adds a lookup.
    pub fn insert_lookup(&self, lookup: &Lookup) -> Result<()> {
        self.execute(
            "INSERT INTO lookups (id, user_id, organization_id, title, data, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                lookup.id,
                lookup.owner.user,
                lookup.owner.organization,
                lookup.title,
                Json(Value::Object(lookup.data.clone())),
                lookup.created_at_ms,
                lookup.updated_at_ms,
            ],
        )?;
        Ok(())
    }

    /// Replaces title and table of a lookup; tells whether it is there.
    pub fn update_lookup(&self, lookup: &Lookup) -> Result<bool> {
        let changed = self.execute(
            "UPDATE lookups SET title = ?2, data = ?3, updated_at = ?4 WHERE id = ?1",
            params![
                lookup.id,
                lookup.title,
                Json(Value::Object(lookup.data.clone())),
                lookup.updated_at_ms,
            ],
        )?;
        Ok(changed == 1)
    }

    /// Deletes a lookup; tells whether it was there.
    #[must_use = "tells whether the lookup was there"]
    pub fn delete_lookup(&self, id: LookupId) -> Result<bool> {
        Ok(self.execute("DELETE FROM lookups WHERE id = ?1", params![id])? == 1)
    }
}
