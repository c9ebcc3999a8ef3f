//! Rows of environment variables: sealed, never in clear.

use std::fmt;

use rusqlite::params;

use super::{Read, Write};
use crate::domain::Result;
use crate::domain::id::ComponentId;

/// A variable as the database keeps it.
#[derive(Clone)]
pub struct SealedEnvVar {
    /// The name, which is no secret.
    pub name: String,
    /// Which key of the key file sealed the value.
    pub key_version: i64,
    /// The nonce and ciphertext of the value.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for SealedEnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedEnvVar")
            .field("name", &self.name)
            .field("key_version", &self.key_version)
            .finish_non_exhaustive()
    }
}

impl Read<'_> {
    /// Returns up to `limit` variables of a component, by name.
    pub fn env_vars_of(&self, component: ComponentId, limit: usize) -> Result<Vec<SealedEnvVar>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.query_all(
            "SELECT name, key_version, sealed FROM env_vars
             WHERE component_id = ?1 ORDER BY name LIMIT ?2",
            params![component, limit],
            |row| {
                Ok(SealedEnvVar {
                    name: row.get(0)?,
                    key_version: row.get(1)?,
                    sealed: row.get(2)?,
                })
            },
        )
    }
}

impl Write<'_> {
    /// Sets a variable, whether it is there or not.
    pub fn set_env_var(&self, component: ComponentId, variable: &SealedEnvVar) -> Result<()> {
        self.execute(
            "INSERT INTO env_vars (component_id, name, key_version, sealed)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (component_id, name)
             DO UPDATE SET key_version = excluded.key_version, sealed = excluded.sealed",
            params![
                component,
                variable.name,
                variable.key_version,
                variable.sealed
            ],
        )?;
        Ok(())
    }

    /// Removes a variable; tells whether it was there.
    #[must_use = "tells whether the variable was there"]
    pub fn delete_env_var(&self, component: ComponentId, name: &str) -> Result<bool> {
        let deleted = self.execute(
            "DELETE FROM env_vars WHERE component_id = ?1 AND name = ?2",
            params![component, name],
        )?;
        Ok(deleted == 1)
    }
}
