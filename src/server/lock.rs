//! One server a database: a lock on a file beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::domain::{Error, Kind, Result};

/// The mode of a new lock file: with write access others could hold the lock for ever.
const LOCK_FILE_MODE: u32 = 0o600;

/// Holds a database for one server. The system frees it when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a database; a conflict where another server has it.
    pub fn take(database: &Path) -> Result<Self> {
        let path = path_of(database);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(LOCK_FILE_MODE)
            .open(&path)
            .map_err(|error| unopened(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Kind::Conflict,
                format!("another server serves {} already", database.display()),
            )),
            Err(TryLockError::Error(error)) => Err(Error::internal(error)),
        }
    }

    /// Refuses a database that a server holds; makes no file, and holds nothing.
    ///
    /// For a look before long work; [`Lock::take`] decides.
    pub fn require_free(database: &Path) -> Result<()> {
        if path_of(database).exists() {
            Self::take(database)?;
        }
        Ok(())
    }
}

/// Makes the error about a lock file that the system refuses.
fn unopened(path: &Path, error: io::Error) -> Error {
    let told = format!(
        "can't open the lock file {}: {}",
        path.display(),
        error.kind()
    );
    Error::new(Kind::Unavailable, told).caused_by(error)
}

/// Returns the path of the lock file: beside the file itself, also where a link leads to it.
fn path_of(database: &Path) -> PathBuf {
    let database = &database
        .canonicalize()
        .unwrap_or_else(|_| database.to_owned());
    let mut name = database.file_name().unwrap_or_default().to_os_string();
    name.push(".lock");
    database.with_file_name(name)
}
