//! Rows of credentials; their keys are sealed before they come here.

use rusqlite::{Row, params};

use super::{Read, Write};
use crate::domain::Result;
use crate::domain::credential::Credential;
use crate::domain::id::{ComponentId, CredentialId, OrganizationId, UserId};
use crate::domain::slug::Slug;

/// The columns that [`credential_of`] reads, in its order.
const CREDENTIAL_COLUMNS: &str =
    "id, user_id, name, type, component_id, created_at, updated_at, organization_id";

/// Reads a credential from a row that begins with [`CREDENTIAL_COLUMNS`].
fn credential_of(row: &Row<'_>) -> rusqlite::Result<Credential> {
    Ok(Credential {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        component_name: row.get(3)?,
        component_id: row.get(4)?,
        created_at_ms: row.get(5)?,
        updated_at_ms: row.get(6)?,
        organization_id: row.get(7)?,
    })
}

/// A credential with its sealed keys, as they stand in the row.
#[derive(Debug)]
pub struct SealedCredential {
    /// The credential.
    pub credential: Credential,
    /// Which key of the key file sealed the keys.
    pub key_version: i64,
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
}

/// Keys that a credential had, sealed: it got others since, or is gone.
#[derive(Debug)]
pub struct SupersededKeys {
    /// The credential.
    pub credential: CredentialId,
    /// Which key of the key file sealed them.
    pub key_version: i64,
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
}

/// Reads a credential and its sealed keys.
fn sealed_credential_of(row: &Row<'_>) -> rusqlite::Result<SealedCredential> {
    Ok(SealedCredential {
        credential: credential_of(row)?,
        key_version: row.get(8)?,
        sealed: row.get(9)?,
    })
}

impl Read<'_> {
    /// Returns the credential with this id, without its keys.
    pub fn credential(&self, id: CredentialId) -> Result<Option<Credential>> {
        let sql = format!("SELECT {CREDENTIAL_COLUMNS} FROM credentials WHERE id = ?1");
        self.query_opt(&sql, params![id], credential_of)
    }

    /// Returns the credential with this id and its sealed keys.
    pub fn sealed_credential(&self, id: CredentialId) -> Result<Option<SealedCredential>> {
        let sql = format!(
            "SELECT {CREDENTIAL_COLUMNS}, key_version, sealed FROM credentials WHERE id = ?1"
        );
        self.query_opt(&sql, params![id], sealed_credential_of)
    }

    /// Returns up to `limit` sealed keys that the credential with this id had before,
    /// newest first, as far as they are kept.
    pub fn superseded_keys(&self, id: CredentialId, limit: u32) -> Result<Vec<SupersededKeys>> {
        self.query_all(
            "SELECT credential_id, key_version, sealed FROM superseded_keys
             WHERE credential_id = ?1 ORDER BY seq DESC LIMIT ?2",
            params![id, limit],
            |row| {
                Ok(SupersededKeys {
                    credential: row.get(0)?,
                    key_version: row.get(1)?,
                    sealed: row.get(2)?,
                })
            },
        )
    }

    /// Returns up to `limit` credentials of a user with ids after `after`, by id, with
    /// their sealed keys.
    pub fn sealed_credentials_of(
        &self,
        user: UserId,
        after: Option<CredentialId>,
        limit: u32,
    ) -> Result<Vec<SealedCredential>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {CREDENTIAL_COLUMNS}, key_version, sealed FROM credentials
             WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
        );
        self.query_all(&sql, params![user, after, limit], sealed_credential_of)
    }

    /// Returns up to `limit` credentials of everybody with ids after `after`, by id,
    /// without their keys.
    pub fn credentials(&self, after: Option<CredentialId>, limit: u32) -> Result<Vec<Credential>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {CREDENTIAL_COLUMNS} FROM credentials WHERE id > ?1 ORDER BY id LIMIT ?2"
        );
        self.query_all(&sql, params![after, limit], credential_of)
    }

    /// Counts the credentials of a user.
    pub fn count_credentials_of(&self, user: UserId) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM credentials WHERE user_id = ?1",
            params![user],
            |row| row.get(0),
        )
    }

    /// Returns up to `limit` credentials that are a user's alone, by id, with their
    /// sealed keys.
    pub fn personal_sealed_credentials(
        &self,
        user: UserId,
        limit: u32,
    ) -> Result<Vec<SealedCredential>> {
        let sql = format!(
            "SELECT {CREDENTIAL_COLUMNS}, key_version, sealed FROM credentials
             WHERE user_id = ?1 AND organization_id IS NULL ORDER BY id LIMIT ?2"
        );
        self.query_all(&sql, params![user, limit], sealed_credential_of)
    }

    /// Returns up to `limit` credentials of an organization, by id, with their sealed keys.
    pub fn sealed_credentials_in(
        &self,
        organization: OrganizationId,
        limit: u32,
    ) -> Result<Vec<SealedCredential>> {
        let sql = format!(
            "SELECT {CREDENTIAL_COLUMNS}, key_version, sealed FROM credentials
             WHERE organization_id = ?1 ORDER BY id LIMIT ?2"
        );
        self.query_all(&sql, params![organization, limit], sealed_credential_of)
    }

    /// Tells whether an active flow has a step with this credential.
    pub fn is_credential_in_active_use(&self, id: CredentialId) -> Result<bool> {
        let found = self.query_opt(
            "SELECT 1 FROM flow_steps s JOIN flows f ON f.id = s.flow_id AND f.status = 'active'
             WHERE s.credential_id = ?1 LIMIT 1",
            params![id],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Returns the oldest component of this name of a user's own teams.
    pub fn own_component(&self, user: UserId, component: &Slug) -> Result<Option<ComponentId>> {
        self.query_opt(
            "SELECT c.id FROM team_members m
             JOIN components c ON c.team_id = m.team_id AND c.slug = ?2
             WHERE m.user_id = ?1 ORDER BY c.id LIMIT 1",
            params![user, component.as_str()],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Adds a credential with its sealed keys.
    pub fn insert_credential(&self, row: &SealedCredential) -> Result<()> {
        let credential = &row.credential;
        self.execute(
            "INSERT INTO credentials (id, user_id, name, type, component_id, key_version,
                 sealed, created_at, updated_at, organization_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                credential.id,
                credential.user_id,
                credential.name,
                credential.component_name,
                credential.component_id,
                row.key_version,
                row.sealed,
                credential.created_at_ms,
                credential.updated_at_ms,
                credential.organization_id,
            ],
        )?;
        Ok(())
    }

    /// Deletes a credential; steps that had it have none. Tells whether it was there.
    #[must_use = "tells whether the credential was there"]
    pub fn delete_credential(&self, id: CredentialId) -> Result<bool> {
        Ok(self.execute("DELETE FROM credentials WHERE id = ?1", params![id])? == 1)
    }

    /// Replaces a credential and its sealed keys; tells whether it is there.
    pub fn update_credential(&self, row: &SealedCredential) -> Result<bool> {
        let credential = &row.credential;
        let changed = self.execute(
            "UPDATE credentials SET name = ?2, type = ?3, component_id = ?4, key_version = ?5,
                 sealed = ?6, updated_at = ?7 WHERE id = ?1",
            params![
                credential.id,
                credential.name,
                credential.component_name,
                credential.component_id,
                row.key_version,
                row.sealed,
                credential.updated_at_ms,
            ],
        )?;
        Ok(changed == 1)
    }

    /// Says of superseded keys that nobody looked at yet that they are it since now, and
    /// deletes up to `limit` that are it since before a time; returns how many.
    pub fn prune_superseded_keys(&self, now_ms: i64, before_ms: i64, limit: u32) -> Result<usize> {
        self.execute(
            "UPDATE superseded_keys SET superseded_at = ?1 WHERE superseded_at IS NULL",
            params![now_ms],
        )?;
        self.execute(
            "DELETE FROM superseded_keys WHERE seq IN
                 (SELECT seq FROM superseded_keys WHERE superseded_at < ?1 LIMIT ?2)",
            params![before_ms, limit],
        )
    }
}
