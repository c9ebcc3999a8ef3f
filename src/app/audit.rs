//! Reading the audit log; every verb writes its own entry.

use super::user::require_admin;
use super::{App, PAGE_MAX};
use crate::domain::Result;
use crate::domain::audit::AuditEntry;
use crate::domain::principal::Principal;

impl App {
    /// Returns up to `limit` entries older than the entry `before`, newest first; for
    /// tenant administrators.
    pub fn audit_entries(
        &self,
        who: &Principal,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>> {
        require_admin(who)?;
        self.read(|read| read.audit_entries(before, limit.min(PAGE_MAX)))
    }
}
