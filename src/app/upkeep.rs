//! What a server asks of its database besides its verbs.

use std::path::Path;

use serde_json::Value;

use super::App;
use crate::domain::Result;
use crate::store::Stats;

/// The setting that holds what clients are told during maintenance; null while it is off.
pub(super) const MAINTENANCE: &str = "maintenance";

/// A day in milliseconds.
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Entries that one transaction prunes: a few milliseconds of the writer's time.
const PRUNE_BATCH: u32 = 1_000;

impl App {
    /// Returns the path of the database file.
    pub fn database(&self) -> &Path {
        self.inner.store.path()
    }

    /// Returns what clients are told during maintenance; none while it is off.
    pub fn maintenance(&self) -> Result<Option<String>> {
        let stored = self.read(|read| read.setting(MAINTENANCE))?;
        Ok(stored.as_ref().and_then(Value::as_str).map(str::to_owned))
    }

    /// Returns what the store counted, for the metrics.
    pub fn store_stats(&self) -> Stats {
        self.inner.store.stats()
    }

    /// Returns the size of the write-ahead log in bytes, for the metrics.
    pub fn wal_bytes(&self) -> u64 {
        self.inner.store.wal_bytes()
    }

    /// Returns a number that changes when another process writes.
    pub fn data_version(&self) -> Result<i64> {
        self.inner.store.data_version()
    }

    /// Deletes some audit entries older than `days` in one small transaction; tells
    /// whether there may be more.
    pub fn prune_audit(&self, days: u32) -> Result<bool> {
        let before_ms = self.now_ms() - i64::from(days) * DAY_MS;
        let pruned = self
            .inner
            .store
            .write(move |write| write.prune_audit(before_ms, PRUNE_BATCH))?;
        Ok(pruned >= PRUNE_BATCH as usize)
    }
}
