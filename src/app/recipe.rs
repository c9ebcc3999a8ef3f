//! Verbs about recipes (`v1.md 2.2`).

use super::App;
use crate::domain::Result;

impl App {
    /// Imports the recipes that are embedded in the binary.
    pub(super) fn import_bundled_recipes(&self) -> Result<()> {
        let _ = self;
        Ok(())
    }
}
