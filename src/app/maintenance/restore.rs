//! A backup in the place of the database.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::folders::Prepared;
use super::{directory_of, sync, unusable, with_suffix};
use crate::app::open::Opening;
use crate::app::{App, AppOptions};
use crate::domain::{Error, Kind, Result};
use crate::store::{OpenMode, Store};

/// A backup that is copied and found good, but not yet the database.
#[derive(Debug)]
pub struct PreparedRestore {
    database: PathBuf,
    partial: Partial,
    folders: Prepared,
    now_ms: i64,
}

/// Copies a backup beside the database and judges the copy; moves nothing.
///
/// The copy is brought up to date, checked and, unless `without_key`, opened with the
/// key file. A refused backup leaves nothing behind.
pub fn prepare_restore(
    options: &AppOptions,
    backup: &Path,
    without_key: bool,
) -> Result<PreparedRestore> {
    let database = &options.database;
    refuse_backup(database, backup)?;
    let directory = directory_of(database);
    if !directory.is_dir() {
        let told = format!("the directory {} does not exist", directory.display());
        return Err(Error::new(Kind::NotFound, told));
    }
    let partial = Partial(with_suffix(
        database,
        &format!(".{}.restoring", std::process::id()),
    ));
    copy_private(backup, &partial.0)?;
    let store = Store::open(&partial.0, OpenMode::Migrate)
        .map_err(|error| told_of_backup(error, &partial.0, backup))?;
    let found = store.check();
    store.close();
    if !found?.is_sound() {
        let told = format!(
            "{} is damaged: `elastane check` tells more",
            backup.display()
        );
        return Err(Error::new(Kind::Invalid, told));
    }
    if !without_key {
        let copy = AppOptions {
            database: partial.0.clone(),
            key_file: Some(options.key_path()),
            ..options.clone()
        };
        App::open(&copy, Opening::Use)?.close();
    }
    Ok(PreparedRestore {
        folders: Prepared::copy(backup, database)?,
        database: database.clone(),
        partial,
        now_ms: options.clock.now_ms(),
    })
}

impl PreparedRestore {
    /// Puts the copy in the place of the database; returns where the present one lies
    /// now, if there was one.
    ///
    /// The caller holds the lock of the database, so that no server uses it.
    pub fn put_in_place(self) -> Result<Option<PathBuf>> {
        let database = &self.database;
        let aside = aside_of(database, self.now_ms);
        let is_kept = set_aside(database, &aside)?;
        self.folders.put_in_place(database, &aside)?;
        let moved =
            fs::rename(&self.partial.0, database).and_then(|()| sync(directory_of(database)));
        moved.map_err(|error| unusable(database, error))?;
        Ok(is_kept.then_some(aside))
    }
}

/// Names the backup in an error about its copy, of which nobody knows.
fn told_of_backup(error: Error, copy: &Path, backup: &Path) -> Error {
    // The store makes its paths absolute.
    let copy = std::path::absolute(copy).unwrap_or_else(|_| copy.to_path_buf());
    let shown = copy.display().to_string();
    if !error.message().contains(&shown) {
        return error;
    }
    let told = error
        .message()
        .replace(&shown, &backup.display().to_string());
    Error::new(error.kind(), told).caused_by(error)
}

/// Refuses a backup that is missing, the database itself, no file, or in use.
fn refuse_backup(database: &Path, backup: &Path) -> Result<()> {
    let real = fs::canonicalize(backup).map_err(|error| unusable(backup, error))?;
    if fs::canonicalize(database).is_ok_and(|own| own == real) {
        let told = format!("{} is the database itself", backup.display());
        return Err(Error::new(Kind::Conflict, told));
    }
    if !real.is_file() {
        let told = format!("{} is not a file", backup.display());
        return Err(Error::new(Kind::Invalid, told));
    }
    let log = with_suffix(backup, "-wal");
    if fs::metadata(log).is_ok_and(|found| found.len() > 0) {
        let told = format!(
            "{} is a database in use: it has a write-ahead log; make a backup of it",
            backup.display()
        );
        return Err(Error::new(Kind::Conflict, told));
    }
    Ok(())
}

/// Returns where the database before a restore lies: the name tells when it was moved.
fn aside_of(database: &Path, now_ms: i64) -> PathBuf {
    let when = jiff::Timestamp::from_millisecond(now_ms).map_or_else(
        |_| now_ms.to_string(),
        |at| at.strftime("%Y%m%dT%H%M%SZ").to_string(),
    );
    let first = with_suffix(database, &format!(".before-restore-{when}"));
    let mut free = first.clone();
    // Two in a second are rare, and both are kept.
    for next in 2.. {
        if !free.exists() {
            break;
        }
        free = with_suffix(&first, &format!("-{next}"));
    }
    free
}

/// Moves the present database aside, with its log; tells whether there was one.
fn set_aside(database: &Path, aside: &Path) -> Result<bool> {
    if !database.exists() {
        return Ok(false);
    }
    // The log first: without it the old file is as it was at its last checkpoint, and
    // with a foreign one the new file would be damaged.
    let log = with_suffix(database, "-wal");
    if log.exists() {
        fs::rename(&log, with_suffix(aside, "-wal")).map_err(|error| unusable(&log, error))?;
    }
    // Its content is of no use to anybody without the process that wrote it.
    let _ = fs::remove_file(with_suffix(database, "-shm"));
    fs::rename(database, aside).map_err(|error| unusable(database, error))?;
    Ok(true)
}

/// A copy that has no name yet; removed unless it gets one.
#[derive(Debug)]
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // Gone already where the copy was moved.
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(with_suffix(&self.0, suffix));
        }
    }
}

/// Copies a file to a new one that its owner alone may read, and to the disk.
fn copy_private(from: &Path, to: &Path) -> Result<()> {
    let mut source = File::open(from).map_err(|error| unusable(from, error))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let copied = options.open(to).and_then(|mut target| {
        io::copy(&mut source, &mut target)?;
        target.sync_all()
    });
    copied.map_err(|error| unusable(to, error))
}
