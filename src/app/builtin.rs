//! The built-in components, embedded in the binary.

use super::App;
use crate::domain::Result;

impl App {
    /// Brings the built-in components of the database to those of this binary.
    pub(super) fn renew_builtin_components(&self) -> Result<()> {
        let _ = self;
        Ok(())
    }
}
