//! The only place that opens connections, so that each has the same settings.
//!
//! Most pragmas belong to a connection, not to the file: one that is forgotten on one
//! connection is a constraint that sometimes holds. There is no `mmap_size`: a failed
//! read of a mapped page kills the process instead of returning an error.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::clock;
use crate::domain::error::{Error, Kind, Result};
use crate::store::like;
use crate::store::options::Options;
use crate::store::sql::{Shape, shape};

/// The oldest SQLite without the bug that resets a write-ahead log in use and so
/// corrupts the file (3.7.0 to 3.51.2, `reliability.md 2.2`).
const OLDEST_SQLITE: i32 = 3_051_003;

/// The time that SQLite waits for a lock of another process. Commits take
/// milliseconds; only a checkpoint of a large log comes near.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The writer's page cache, negative for KiB: 4 MiB hold the inner pages of the indexes
/// of millions of rows. It is taken page by page, so an idle server does not have it.
const WRITER_CACHE: i64 = -4 * 1024;

/// The size to which the log is cut after a checkpoint; larger ones are the trace of
/// a pinned reader and would stay for ever.
const JOURNAL_SIZE_LIMIT: i64 = 64 * 1024 * 1024;

/// The prepared statements that a connection keeps. The default of 16 is less than
/// one busy request path; 256 is more than all statements of this room.
const STATEMENTS: usize = 256;

/// The machine instructions of SQLite between two looks at the clock: about 0.1 ms.
const OPS_PER_LOOK: i32 = 4_096;

/// Who may read and write a new database file: its owner.
const FILE_MODE: u32 = 0o600;

/// A connection with the time at which SQLite stops what runs on it.
pub(in crate::store) struct Link {
    /// The connection.
    pub(in crate::store) conn: Connection,
    /// The deadline that its progress handler watches.
    pub(in crate::store) deadline: Deadline,
}

/// The moment after which a connection refuses to go on.
#[derive(Clone, Debug)]
pub(in crate::store) struct Deadline(Arc<AtomicU64>);

impl Deadline {
    /// Returns a deadline that never comes.
    fn never() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }

    /// Sets the deadline to `limit_ms` from now.
    pub(in crate::store) fn set(&self, limit_ms: u64) {
        let at = clock::monotonic_ms().saturating_add(limit_ms);
        self.0.store(at, Ordering::Relaxed);
    }

    /// Removes the deadline.
    pub(in crate::store) fn clear(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }

    /// Tells whether the deadline is over.
    pub(in crate::store) fn passed(&self) -> bool {
        clock::monotonic_ms() > self.0.load(Ordering::Relaxed)
    }
}

/// A database file and how to open it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Source {
    path: PathBuf,
    options: Options,
    frozen: bool,
}

/// The shortest look at a database: it opens all of its files.
const LOOK: &str = "SELECT count(*) FROM sqlite_schema";

impl Source {
    /// Describes the database at `path`, which need not exist.
    ///
    /// The path becomes absolute, since SQLite reads a relative one that begins with
    /// `file:` as an address.
    pub(in crate::store) fn new(path: &Path, options: Options) -> Result<Self> {
        let version = rusqlite::version_number();
        if version < OLDEST_SQLITE {
            let message = format!("SQLite {} corrupts databases", rusqlite::version());
            return Err(Error::new(Kind::Internal, message));
        }
        let path = std::path::absolute(path).map_err(|error| unusable(path, error))?;
        Ok(Self {
            path,
            options,
            frozen: false,
        })
    }

    /// Returns the absolute path of the file.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the settings.
    pub(in crate::store) fn options(&self) -> &Options {
        &self.options
    }

    /// Returns the path of the write-ahead log.
    pub(in crate::store) fn wal_path(&self) -> PathBuf {
        beside(&self.path, "-wal")
    }

    /// Returns the bytes of the write-ahead log; 0 where there is none.
    pub(in crate::store) fn wal_bytes(&self) -> u64 {
        fs::metadata(self.wal_path()).map_or(0, |file| file.len())
    }

    /// Makes an empty file that only its owner may read, if there is none.
    pub(in crate::store) fn create_file(&self) -> Result<()> {
        match create_private(&self.path) {
            Ok(_) => sync_directory(&self.path).map_err(|error| unusable(&self.path, error)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(unusable(&self.path, error)),
        }
    }

    /// Refuses a file that is missing or that the system does not let us open.
    pub(in crate::store) fn require_file(&self) -> Result<()> {
        match fs::File::open(&self.path) {
            Ok(_) => Ok(()),
            Err(error) => Err(unusable(&self.path, error)),
        }
    }

    /// Opens the one connection that writes; [`Source::prepare`] comes next.
    pub(in crate::store) fn writer(&self) -> Result<Link> {
        self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Sets what only a writer needs and what the file itself keeps.
    ///
    /// It changes the file, so it comes after the look that refuses strangers' files.
    pub(in crate::store) fn prepare(&self, conn: &Connection) -> Result<()> {
        // While the file is made there is a rollback journal. With less than this, a power
        // cut may bring back the deleted journal, which then undoes what came after it.
        conn.pragma_update(None, "synchronous", "EXTRA")?;
        // Only possible before the first table, and before the log writes page one.
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        self.start_log(conn)?;
        conn.pragma_update(None, "synchronous", self.options.synchronous.pragma())?;
        conn.pragma_update(None, "journal_size_limit", JOURNAL_SIZE_LIMIT)?;
        conn.pragma_update(None, "cache_size", WRITER_CACHE)?;
        // A batch has a savepoint a job; their undo pages are not worth a file.
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(())
    }

    /// Opens a connection that cannot write.
    pub(in crate::store) fn reader(&self) -> Result<Link> {
        let link = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        link.conn.pragma_update(None, "query_only", true)?;
        Ok(link)
    }

    /// Opens a connection that only reads, with all the files that it needs.
    ///
    /// SQLite opens the log at the first look: whoever has no descriptor left for it
    /// hears so now, and not in the middle of a read.
    pub(in crate::store) fn whole_reader(&self) -> Result<Link> {
        let link = self.reader()?;
        link.conn.query_row(LOOK, [], |_| Ok(()))?;
        Ok(link)
    }

    /// Opens the first connection of a store that only reads, and decides how.
    ///
    /// A database with a write-ahead log needs its companion files, also to be read.
    /// Where they are missing and cannot be made, as on a read-only disk, and where no
    /// log says that somebody writes, the file is read as one that never changes.
    pub(in crate::store) fn first_reader(&mut self) -> Result<Link> {
        // Before the attempt, which may leave an empty log behind.
        let logged = self.wal_path().exists() || beside(&self.path, "-journal").exists();
        let link = self.reader()?;
        match link.conn.query_row(LOOK, [], |_| Ok(())) {
            Ok(()) => Ok(link),
            Err(error) if !logged && shape(&error) == Shape::Closed => {
                self.frozen = true;
                self.reader()
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Switches the file to a write-ahead log.
    ///
    /// SQLite does not wait for locks here, so two processes that open a new file
    /// together need our patience.
    fn start_log(&self, conn: &Connection) -> Result<()> {
        let give_up = clock::monotonic_ms() + 5_000;
        loop {
            let mode = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| {
                row.get::<_, String>(0)
            });
            match mode {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(_) => {
                    let message = format!(
                        "{}: this file system cannot hold a write-ahead log",
                        self.path.display()
                    );
                    return Err(Error::new(Kind::Invalid, message));
                }
                Err(error) if shape(&error) == Shape::Busy && clock::monotonic_ms() < give_up => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => return Err(self.explain(error)),
            }
        }
    }

    /// Opens a connection and sets what all connections have.
    fn open(&self, access: OpenFlags) -> Result<Link> {
        let mut conn = self
            .open_bare(access)
            .map_err(|error| self.explain(error))?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        // A file from a stranger must not call functions from its schema, and a typed
        // column name must not become a string.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // Without this, a cached statement is planned anew for each bound value: that took
        // four fifths of the time of a look-up by key.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        conn.pragma_update(None, "trusted_schema", false)?;
        conn.pragma_update(None, "foreign_keys", true)?;
        // A damaged page is an error when it is read, not a wrong answer later.
        conn.pragma_update(None, "cell_size_check", true)?;
        like::teach(&conn)?;
        let deadline = Deadline::never();
        let watched = deadline.clone();
        conn.progress_handler(OPS_PER_LOOK, Some(move || watched.passed()))?;
        Ok(Link { conn, deadline })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that opens connections"
    )]
    fn open_bare(&self, access: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        if self.frozen {
            let address = frozen_address(&self.path);
            return Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_URI);
        }
        match &self.options.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str()),
            None => Connection::open_with_flags(&self.path, flags),
        }
    }

    /// Adds the path to an error of opening; the person at the shell needs it.
    pub(in crate::store) fn explain(&self, error: rusqlite::Error) -> Error {
        let code = error.sqlite_error().map(|cause| cause.extended_code & 0xff);
        let path = self.path.display();
        match code {
            Some(rusqlite::ffi::SQLITE_NOTADB) => {
                let message = format!("{path} is not an SQLite database");
                Error::new(Kind::Invalid, message).caused_by(error)
            }
            Some(rusqlite::ffi::SQLITE_CANTOPEN | rusqlite::ffi::SQLITE_READONLY) => {
                let message = format!("{path} cannot be opened");
                Error::new(Kind::Unavailable, message).caused_by(error)
            }
            _ => error.into(),
        }
    }
}

/// Makes an error about a file that the system refuses.
pub(in crate::store) fn unusable(path: &Path, error: io::Error) -> Error {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => Error::new(Kind::NotFound, format!("{path} does not exist")),
        io::ErrorKind::AlreadyExists => {
            Error::new(Kind::Conflict, format!("{path} exists already"))
        }
        kind => Error::new(Kind::Unavailable, format!("{path} cannot be used: {kind}")),
    }
    .caused_by(error)
}

/// Creates an empty file for its owner alone; refuses one that exists.
pub(in crate::store) fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
}

/// Writes the directory of `path` to disk, so that a new name survives a power cut.
pub(in crate::store) fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) => fs::File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// Returns `path` with `suffix` after its last letter.
pub(in crate::store) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Returns the address under which SQLite reads a file that never changes.
fn frozen_address(path: &Path) -> String {
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            address.push(char::from(*byte));
        } else {
            write!(address, "%{byte:02x}").expect("a String takes all that is written");
        }
    }
    address.push_str("?immutable=1");
    address
}
