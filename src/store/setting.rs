//! Rows of facts (`meta`) and of settings that change while the server runs.

use rusqlite::params;
use serde_json::Value;

use super::{Read, Write};
use crate::domain::Result;

impl Read<'_> {
    /// Returns a fact of the installation.
    pub fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.query_opt(
            "SELECT value FROM meta WHERE key = ?1",
            params![key],
            |row| Ok(row.get_ref(0)?.as_bytes()?.to_vec()),
        )
    }

    /// Returns a setting.
    pub fn setting(&self, key: &str) -> Result<Option<Value>> {
        let text: Option<String> = self.query_opt(
            "SELECT value FROM settings WHERE key = ?1",
            params![key],
            |row| row.get(0),
        )?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

impl Write<'_> {
    /// Sets a fact of the installation.
    pub fn set_meta(&self, key: &str, value: &[u8]) -> Result<()> {
        self.execute(
            "INSERT INTO meta (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![key, value],
        )?;
        Ok(())
    }

    /// Sets a setting.
    pub fn set_setting(&self, key: &str, value: &Value, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT INTO settings (key, value, changed_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
            params![key, value.to_string(), now_ms],
        )?;
        Ok(())
    }
}
