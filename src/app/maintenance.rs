//! Care for an installation: maintenance mode, a look at its health, copies of it.
//!
//! The checks and copies work on files, not on an open application: they are wanted
//! most when it can't be opened.

mod folders;
mod restore;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub use restore::{PreparedRestore, prepare_restore};
use serde_json::{Value, json};

use super::upkeep::MAINTENANCE;
use super::user::require_admin;
use super::{App, AppOptions};
use crate::app::open::Opening;
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result, text};
use crate::store::{Check, IfExists, OpenMode, Store};

/// The bits of a mode that let the group or others in.
const MODE_OF_OTHERS: u32 = 0o077;

/// The bit that lets everybody change the files of a directory.
const MODE_ALL_WRITE: u32 = 0o002;

/// The bit by which such a directory still keeps each one's files apart.
const MODE_STICKY: u32 = 0o1000;

/// Under this many free bytes the next checkpoint may find no room.
const FREE_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// A log larger than this is not emptied: it is cut to 64 MiB after each checkpoint.
const WAL_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// With more than a quarter of free pages a copy would be noticeably smaller.
const FREE_PAGES_SHARE: i64 = 4;

/// A file smaller than this many pages is too small for its free pages to matter.
const FREE_PAGES_FROM: i64 = 2_560;

/// The findings of one kind that are told in full; the first ones say what is wrong.
const TOLD_MAX: usize = 5;

impl App {
    /// Sets what clients are told while the API answers 503; none ends it.
    ///
    /// A server of the same database obeys within a second; health stays up.
    pub fn set_maintenance(&self, who: &Principal, message: Option<&str>) -> Result<()> {
        require_admin(who)?;
        let message = message
            .map(|told| text::name("message", told))
            .transpose()?;
        self.act(who, move |act| {
            let action = match message {
                Some(_) => "maintenance.on",
                None => "maintenance.off",
            };
            let value = message.map_or(Value::Null, Value::from);
            act.set_setting(MAINTENANCE, &value, act.now_ms)?;
            act.audit(
                &NewAuditEntry::of(action, ObjectKind::Setting, MAINTENANCE)
                    .with(json!({ "message": value })),
            )
        })
    }
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, and should be looked at.
    Warning,
    /// Does not work, or will not.
    Error,
}

impl Level {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that a look at an installation found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How serious it is.
    pub level: Level,
    /// What was looked at.
    pub topic: &'static str,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub cure: Option<String>,
}

impl Finding {
    /// Makes a good one.
    fn ok(topic: &'static str, message: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            topic,
            message: message.into(),
            cure: None,
        }
    }

    /// Makes one with its cure.
    fn bad(level: Level, topic: &'static str, message: String, cure: impl Into<String>) -> Self {
        Self {
            level,
            topic,
            message,
            cure: Some(cure.into()),
        }
    }
}

/// Looks at everything that an installation stands on; changes nothing.
///
/// It goes on after a fault as far as it can. It reads every page: about a second for
/// 200 MB.
pub fn check(options: &AppOptions) -> Vec<Finding> {
    let database = &options.database;
    if !database.exists() {
        let told = format!("{} does not exist", database.display());
        let cure = "name the file with --db, or make one with `elastane init`";
        return vec![Finding::bad(Level::Error, "database", told, cure)];
    }
    let mut findings = vec![
        check_mode("database permissions", database, Level::Warning),
        check_directory(database),
    ];
    findings.push(check_space(database));
    match Store::open(database, OpenMode::ReadOnly) {
        Ok(store) => {
            check_content(&store, &mut findings);
            findings.extend(check_key(options));
        }
        Err(error) => findings.push(unopened(&error)),
    }
    findings
}

/// Says why a database can't be opened.
fn unopened(error: &Error) -> Finding {
    let (topic, cure) = match error.kind() {
        Kind::Conflict => (
            "schema",
            "an older schema: run `elastane serve` once; a newer one: use the newer elastane",
        ),
        Kind::Unavailable => (
            "database",
            "look at the owner and the mode of the file and its directory",
        ),
        _ => (
            "database",
            "name the right file with --db, or restore a backup with `elastane restore`",
        ),
    };
    Finding::bad(Level::Error, topic, told_in_full(error), cure)
}

/// Returns the message of an error, with its causes where the message says nothing.
fn told_in_full(error: &Error) -> String {
    match error.kind() {
        Kind::Internal => error.causes(),
        _ => error.message().to_owned(),
    }
}

/// Looks whether others than the owner may use a file.
fn check_mode(topic: &'static str, path: &Path, level: Level) -> Finding {
    match fs::metadata(path) {
        Ok(found) if found.permissions().mode() & MODE_OF_OTHERS == 0 => {
            Finding::ok(topic, format!("only the owner may use {}", path.display()))
        }
        Ok(found) => Finding::bad(
            level,
            topic,
            format!(
                "{} is open to other users of this machine (mode {:o})",
                path.display(),
                found.permissions().mode() & 0o7777
            ),
            format!("run `chmod 600 {}`", path.display()),
        ),
        Err(error) => Finding::bad(
            Level::Error,
            topic,
            format!("{} can't be looked at: {}", path.display(), error.kind()),
            "look at the owner and the mode of its directory",
        ),
    }
}

/// Looks whether anybody may replace the database's files.
fn check_directory(database: &Path) -> Finding {
    let directory = directory_of(database);
    let shown = directory.display();
    match fs::metadata(directory) {
        Ok(found) => {
            let mode = found.permissions().mode();
            if mode & MODE_ALL_WRITE != 0 && mode & MODE_STICKY == 0 {
                let told = format!("everybody on this machine may replace files in {shown}");
                let cure = format!("run `chmod o-w {shown}`");
                return Finding::bad(Level::Error, "directory permissions", told, cure);
            }
            Finding::ok(
                "directory permissions",
                format!("{shown} is not open to everybody"),
            )
        }
        Err(error) => Finding::bad(
            Level::Error,
            "directory permissions",
            format!("{shown} can't be looked at: {}", error.kind()),
            "look at its owner and mode",
        ),
    }
}

/// Looks whether the disk has room for the log and for a backup.
fn check_space(database: &Path) -> Finding {
    let topic = "free space";
    let size = fs::metadata(database).map_or(0, |found| found.len());
    let Ok(disk) = rustix::fs::statvfs(directory_of(database)) else {
        return Finding::bad(
            Level::Warning,
            topic,
            "the free space of the disk can't be read".to_owned(),
            "look at it with `df`",
        );
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let told = format!(
        "{} MiB free, the database has {} KiB",
        mib(free),
        size / 1024
    );
    if free < FREE_BYTES_MIN {
        let cure = "make room on the disk: writes will be refused";
        return Finding::bad(Level::Error, topic, told, cure);
    }
    if free < size {
        let cure = "make room on the disk: a backup beside the database would not fit";
        return Finding::bad(Level::Warning, topic, told, cure);
    }
    Finding::ok(topic, told)
}

/// Looks at the pages, the references, the schema and the log.
fn check_content(store: &Store, findings: &mut Vec<Finding>) {
    match store.check() {
        Ok(check) => {
            findings.push(Finding::ok(
                "schema",
                format!("version {}, the one of this elastane", check.user_version),
            ));
            findings.push(integrity_of(&check));
            findings.push(references_of(&check));
            findings.push(free_pages_of(&check));
            findings.push(log_of(&check));
        }
        Err(error) => findings.push(Finding::bad(
            Level::Error,
            "integrity",
            told_in_full(&error),
            "restore the last backup with `elastane restore`",
        )),
    }
}

/// Says what is wrong with the pages and indexes.
fn integrity_of(check: &Check) -> Finding {
    if check.integrity.is_empty() {
        return Finding::ok("integrity", "every page and index is sound");
    }
    Finding::bad(
        Level::Error,
        "integrity",
        some_of(check.integrity.iter().cloned()),
        "stop the server, keep a copy of the files, and restore the last backup with \
         `elastane restore`",
    )
}

/// Says which rows refer to nothing.
fn references_of(check: &Check) -> Finding {
    if check.orphans.is_empty() {
        return Finding::ok("references", "every reference leads to a row");
    }
    let told = check.orphans.iter().map(|orphan| match orphan.rowid {
        Some(row) => format!("{} row {row} needs {}", orphan.table, orphan.parent),
        None => format!("a row of {} needs {}", orphan.table, orphan.parent),
    });
    Finding::bad(
        Level::Error,
        "references",
        some_of(told),
        "restore the last backup with `elastane restore`",
    )
}

/// Says how much of the file is empty.
fn free_pages_of(check: &Check) -> Finding {
    let told = format!(
        "{} of {} pages are free",
        check.freelist_count, check.page_count
    );
    let is_loose = check.page_count >= FREE_PAGES_FROM
        && check.freelist_count.saturating_mul(FREE_PAGES_SHARE) > check.page_count;
    if is_loose {
        let cure = "none needed; `elastane backup` and `elastane restore` make the file smaller";
        return Finding::bad(Level::Warning, "free pages", told, cure);
    }
    Finding::ok("free pages", told)
}

/// Says how large the write-ahead log is.
fn log_of(check: &Check) -> Finding {
    let told = format!("the write-ahead log has {} MiB", mib(check.wal_bytes));
    if check.wal_bytes > WAL_BYTES_MAX {
        let cure = "end programs that hold the database open; a restart of the server empties it";
        return Finding::bad(Level::Warning, "log", told, cure);
    }
    Finding::ok("log", told)
}

/// Looks whether the key file is there, private, and the one of the database.
fn check_key(options: &AppOptions) -> Vec<Finding> {
    let path = options.key_path();
    let mut findings = Vec::new();
    if path.exists() {
        let mode = check_mode("key permissions", &path, Level::Error);
        let is_open = mode.level == Level::Error;
        findings.push(mode);
        if is_open {
            // It is not read before that is cured, so nothing more can be said of it.
            return findings;
        }
    }
    let opened = App::open(options, Opening::Look);
    findings.push(match opened {
        Ok(app) => {
            app.close();
            Finding::ok("key", format!("{} opens the secrets", path.display()))
        }
        Err(error) => Finding::bad(
            Level::Error,
            "key",
            told_in_full(&error),
            format!("put the copy of the key file back as {}", path.display()),
        ),
    });
    findings
}

/// Returns the first of several facts, and how many there are.
fn some_of(facts: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = facts.collect();
    let told = all[..all.len().min(TOLD_MAX)].join("; ");
    match all.len().checked_sub(TOLD_MAX) {
        Some(more @ 1..) => format!("{told}; and {more} more"),
        _ => told,
    }
}

/// Returns whole mebibytes.
fn mib(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}

/// Writes a checked copy of the database to `target`, while others go on working.
///
/// The folders beside the database are copied beside it, and their names returned. The key
/// file is not in it. `replace` says whether what is there gives way.
pub fn back_up(options: &AppOptions, target: &Path, replace: bool) -> Result<Vec<PathBuf>> {
    let real = fs::canonicalize(target);
    if real.is_ok_and(|real| fs::canonicalize(options.key_path()).is_ok_and(|key| key == real)) {
        let told = format!("{} is the key file", target.display());
        return Err(Error::new(Kind::Conflict, told));
    }
    let store = Store::open(&options.database, OpenMode::ReadOnly)?;
    let exists = if replace {
        IfExists::Replace
    } else {
        IfExists::Refuse
    };
    let done = folders::refuse_target(&options.database, target, replace)
        .and_then(|()| store.backup_to(target, exists));
    store.close();
    done?;
    folders::back_up(&options.database, target)
}

/// Makes the names in a directory durable.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Returns the directory of a file.
fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Returns a path with more at the end of its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes an error about a file that the system refuses.
fn unusable(path: &Path, error: io::Error) -> Error {
    let (kind, told) = match error.kind() {
        io::ErrorKind::NotFound => (Kind::NotFound, "does not exist".to_owned()),
        io::ErrorKind::AlreadyExists => (Kind::Conflict, "exists already".to_owned()),
        other => (Kind::Unavailable, format!("can't be used: {other}")),
    };
    Error::new(kind, format!("{} {told}", path.display())).caused_by(error)
}
