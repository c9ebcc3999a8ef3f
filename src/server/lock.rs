//! One server a database: a lock on a file beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::domain::{Error, Kind, Result};

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
            .open(&path)
            .map_err(|error| {
                Error::new(
                    Kind::Unavailable,
                    format!("can't open the lock file {}", path.display()),
                )
                .caused_by(error)
            })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Kind::Conflict,
                format!("another server serves {} already", database.display()),
            )),
            Err(TryLockError::Error(error)) => Err(Error::internal(error)),
        }
    }
}

/// Returns the path of the lock file.
fn path_of(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_os_string();
    name.push(".lock");
    database.with_file_name(name)
}
