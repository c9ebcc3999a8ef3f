//! The open database: [`Store`].
//!
//! Locking: none of ours between reads and writes. One thread writes; each read has
//! its own connection. A store may be cloned and shared; the last clone closes it.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender, bounded};

use crate::domain::error::{Error, Kind, Result};
use crate::store::access::{Read, Write};
use crate::store::backup::{self, IfExists};
use crate::store::check::{self, Check};
use crate::store::connect::{Link, Source};
use crate::store::inside::Mark;
use crate::store::migrate;
use crate::store::options::Options;
use crate::store::reader::{Readers, View, closed};
use crate::store::schema;
use crate::store::sql::RETRY_S;
use crate::store::upkeep::Upkeep;
use crate::store::writer::{Counts, Job, Writer, errand};
use crate::thread;

/// How a database file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Make it if it is missing, bring it up to date if it is old.
    Create,
    /// Bring it up to date if it is old; it must exist.
    Migrate,
    /// Read and write; it must exist and be up to date.
    Existing,
    /// Read only; it must exist and be up to date. Works without permission to write.
    ReadOnly,
}

/// An open database. Clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// What the store did so far, for `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// The jobs that wait for the writer now.
    pub queued: usize,
    /// The jobs that the writer answered; divided by the commits, the mean batch.
    pub jobs: u64,
    /// The jobs of them that failed or panicked by themselves.
    pub failed_jobs: u64,
    /// The commits.
    pub commits: u64,
    /// The transactions that could not be begun or committed.
    pub failed_commits: u64,
    /// The most jobs in one commit.
    pub largest_batch: u64,
    /// The reads.
    pub reads: u64,
    /// The reads of them that ended with an error.
    pub failed_reads: u64,
    /// Whether the writer's thread runs; never true for a store that only reads.
    pub writer_alive: bool,
}

struct Shared {
    source: Source,
    mark: Mark,
    readers: Readers,
    jobs: RwLock<Option<Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<Counts>,
    watcher: Mutex<Option<Link>>,
    read_only: bool,
}

impl Store {
    /// Opens the database at `path`.
    ///
    /// Errors name the path: not found; [`Kind::Invalid`] for a file that is not ours;
    /// [`Kind::Conflict`] for one of a newer binary, or of an older one where `mode`
    /// does not migrate; [`Kind::Unavailable`] where the system refuses.
    pub fn open(path: &Path, mode: OpenMode) -> Result<Self> {
        Self::open_with(path, mode, Options::default())
    }

    /// Opens with the settings of a test.
    #[doc(hidden)]
    pub fn open_with(path: &Path, mode: OpenMode, options: Options) -> Result<Self> {
        let mut source = Source::new(path, options)?;
        if mode == OpenMode::Create {
            source.create_file()?;
        }
        source.require_file()?;
        let mark = Mark::unique();
        if mode == OpenMode::ReadOnly {
            let first = source.first_reader()?;
            migrate::require_current(&source, &first.conn)?;
            return Ok(Self::assemble(source, mark, Some(first)));
        }
        let link = source.writer()?;
        migrate::refuse_strangers(&source, &link.conn)?;
        source.prepare(&link.conn)?;
        match mode {
            OpenMode::Existing | OpenMode::ReadOnly => {
                migrate::require_current(&source, &link.conn)?;
            }
            OpenMode::Create | OpenMode::Migrate => {
                migrate::bring_up_to_date(&source, &link.conn, mode == OpenMode::Create)?;
            }
        }
        let store = Self::assemble(source, mark, None);
        store.start_writer(link)?;
        Ok(store)
    }

    fn assemble(source: Source, mark: Mark, first: Option<Link>) -> Self {
        let read_only = first.is_some();
        let shared = Shared {
            readers: Readers::new(source.clone(), mark, first),
            source,
            mark,
            jobs: RwLock::new(None),
            thread: Mutex::new(None),
            counts: Arc::new(Counts::default()),
            watcher: Mutex::new(None),
            read_only,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    fn start_writer(&self, link: Link) -> Result<()> {
        let shared = &self.shared;
        let options = shared.source.options();
        let (sender, jobs) = bounded(options.queue_jobs);
        let writer = Writer::new(
            link,
            jobs,
            Arc::clone(&shared.counts),
            options.job_limit_ms,
            Upkeep::new(shared.source.wal_path()),
        );
        let mark = shared.mark;
        // Alive from here on, not from the thread's first instruction.
        shared.counts.alive.store(true, Ordering::Relaxed);
        let handle = thread::spawn("store-writer", None, move || writer.run(mark));
        let handle = handle.map_err(|error| {
            Error::unavailable("the system has no threads left", RETRY_S).caused_by(error)
        })?;
        *shared.jobs.write().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        *shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
        Ok(())
    }

    /// Runs `body` in a transaction that sees one moment of the database.
    ///
    /// It sees every write that was answered before. After one second SQLite stops
    /// it with [`Kind::Unavailable`], as does a pool that has no place for two.
    /// Refused inside another transaction of the same store.
    pub fn read<T>(&self, body: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        self.read_within(self.shared.source.options().read_limit_ms, body)
    }

    /// Runs `body` like [`Store::read`], with a time limit of its own for long jobs.
    ///
    /// While it runs the write-ahead log cannot shrink; see [`Store::wal_bytes`].
    pub fn read_within<T>(
        &self,
        limit_ms: u64,
        body: impl FnOnce(&Read<'_>) -> Result<T>,
    ) -> Result<T> {
        self.shared.readers.read(View::Snapshot, limit_ms, body)
    }

    /// Runs `body` like [`Store::read`], but without a transaction around it: for one
    /// statement, which needs none. A second one may see another moment.
    pub fn read_statement<T>(&self, body: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        let limit_ms = self.shared.source.options().read_limit_ms;
        self.shared.readers.read(View::Statement, limit_ms, body)
    }

    /// Runs `work` as a job of the writer and returns when it is on disk.
    ///
    /// An error or a panic of `work` undoes what it did, and nothing else; a panic
    /// becomes [`Kind::Internal`]. [`Kind::Unavailable`] means that nothing was done:
    /// the queue was full for two seconds, the disk is full, the database is locked
    /// or closed. Refused inside another transaction of the same store.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Write<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = &self.shared;
        shared.mark.refuse_nesting()?;
        if shared.read_only {
            return Err(Error::new(
                Kind::Unavailable,
                "the database is open for reading only",
            ));
        }
        let sender = shared
            .jobs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let sender = sender.ok_or_else(closed)?;
        let (job, answer) = errand(work);
        let wait = Duration::from_millis(shared.source.options().queue_wait_ms);
        match sender.send_timeout(job, wait) {
            Ok(()) => {}
            Err(SendTimeoutError::Timeout(_)) => {
                return Err(Error::unavailable("too many writes are waiting", RETRY_S));
            }
            Err(SendTimeoutError::Disconnected(_)) => return Err(closed()),
        }
        // The queue is drained before the writer ends, so only its death loses a job.
        drop(sender);
        let lost = || Error::internal("the writer ended before it answered");
        answer.wait().unwrap_or_else(|| Err(lost()))
    }

    /// Queues `work` without waiting for it: for notes whose loss nobody misses, such
    /// as the time of a last use. A full queue or a closed store drops it.
    pub fn write_later(&self, work: impl FnOnce(&Write<'_>) -> Result<()> + Send + 'static) {
        let sender = self
            .shared
            .jobs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(sender) = sender {
            let (job, _answer) = errand(work);
            // Full or closed: the note is dropped, as promised.
            let _ = sender.try_send(job);
        }
    }

    /// Finishes the queued writes, empties the log and closes all connections.
    ///
    /// Reads and writes that come later are refused. Called twice it does nothing.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Tells whether this store can only read.
    pub fn is_read_only(&self) -> bool {
        self.shared.read_only
    }

    /// Returns the absolute path of the database file.
    pub fn path(&self) -> &Path {
        self.shared.source.path()
    }

    /// Returns a number that changes when anybody commits, also another process.
    ///
    /// Only equality means something. Commits of this store change it too.
    pub fn data_version(&self) -> Result<i64> {
        let mut watcher = self
            .shared
            .watcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let link = match watcher.take() {
            Some(link) => link,
            None => self.shared.source.reader()?,
        };
        let version = link
            .conn
            .pragma_query_value(None, "data_version", |row| row.get(0));
        *watcher = Some(link);
        Ok(version?)
    }

    /// Writes a checked copy to `path`, for its owner alone, while others go on.
    ///
    /// The copy has its name only when it is whole and on disk. Refuses the database
    /// itself and a file that is in use.
    pub fn backup_to(&self, path: &Path, exists: IfExists) -> Result<()> {
        backup::back_up(&self.shared.source, path, exists)
    }

    /// Looks at every page and every reference: about a second for 200 MB.
    pub fn check(&self) -> Result<Check> {
        check::check(&self.shared.source)
    }

    /// Describes the schema of the file, equal for equal schemas.
    pub fn schema(&self) -> Result<String> {
        self.read(|read| schema::describe(read.conn()))
    }

    /// Returns the bytes of the write-ahead log.
    pub fn wal_bytes(&self) -> u64 {
        self.shared.source.wal_bytes()
    }

    /// Returns what the store did so far.
    pub fn stats(&self) -> Stats {
        let counts = &self.shared.counts;
        let jobs = self
            .shared
            .jobs
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let (reads, failed_reads) = self.shared.readers.counts();
        Stats {
            queued: jobs.as_ref().map_or(0, Sender::len),
            jobs: counts.jobs.load(Ordering::Relaxed),
            failed_jobs: counts.failed_jobs.load(Ordering::Relaxed),
            commits: counts.commits.load(Ordering::Relaxed),
            failed_commits: counts.failed_commits.load(Ordering::Relaxed),
            largest_batch: counts.largest_batch.load(Ordering::Relaxed),
            reads,
            failed_reads,
            writer_alive: counts.alive.load(Ordering::Relaxed),
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Closes the readers first, so that the writer's connection is the last one: only
    /// then SQLite removes the companion files.
    fn close(&self) {
        self.readers.close();
        self.watcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.jobs
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let handle = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(handle) = handle else {
            return;
        };
        // A job may hold the last clone of its store; a thread cannot wait for itself.
        if handle.thread().id() != std::thread::current().id() {
            // A panic of the writer is logged where it happened.
            let _panic = handle.join();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}
