//! A temporary folder that only its owner can look into.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::domain::{Error, Kind, Result};

/// The names that are tried: other demos of the same process number may have left some.
const TRIES: u32 = 1_000;

/// A folder that is removed with all it holds when dropped.
pub(in crate::cli) struct PrivateFolder {
    path: PathBuf,
}

impl PrivateFolder {
    /// Makes one in the system's folder for temporary files.
    pub(in crate::cli) fn create() -> Result<Self> {
        let base = std::env::temp_dir();
        let process = std::process::id();
        for number in 0..TRIES {
            let path = base.join(format!("elastane-{process}-{number}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(no_folder(&base).caused_by(error)),
            }
        }
        Err(no_folder(&base))
    }

    /// Returns its path.
    pub(in crate::cli) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What can't be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The answer where there can be no folder.
fn no_folder(base: &Path) -> Error {
    let told = format!("no temporary folder can be made in {}", base.display());
    Error::new(Kind::Unavailable, told)
}
