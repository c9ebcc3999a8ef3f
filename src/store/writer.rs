//! The one thread that writes, and its group commit.
//!
//! It takes a job, runs it and what is queued behind it, each so that it can be undone
//! alone, commits once, and then answers them all: an answer means "on disk". It never waits
//! for more work, so a lone write is as fast as without it. Measured reasons stand in
//! `reliability.md 2.1`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::clock;
use crate::domain::error::{Error, Result};
use crate::store::access::Write;
use crate::store::connect::Link;
use crate::store::inside::Mark;
use crate::store::reply::{Answer, Answerer, reply};
use crate::store::sql::{self, RETRY_S};
use crate::store::upkeep::Upkeep;

/// The jobs of one commit. Gains fade after 64; 256 bounds what one failure undoes.
const BATCH_JOBS: usize = 256;

/// The time after which a batch takes no further job, so that slow ones do not make
/// the first caller wait for the sum of them all.
const BATCH_MS: u64 = 50;

/// A unit of work whose result waits for the commit.
pub(in crate::store) trait Job: Send {
    /// Does the work; returns whether its changes are to be kept.
    fn run(&mut self, write: &Write<'_>) -> bool;

    /// Answers the caller: with `fate` if the changes were lost, else with the result.
    fn answer(self: Box<Self>, fate: Option<Error>);
}

/// What the writer did so far, for `/metrics`.
#[derive(Debug, Default)]
pub(in crate::store) struct Counts {
    pub(in crate::store) jobs: AtomicU64,
    pub(in crate::store) failed_jobs: AtomicU64,
    pub(in crate::store) commits: AtomicU64,
    pub(in crate::store) failed_commits: AtomicU64,
    pub(in crate::store) largest_batch: AtomicU64,
    pub(in crate::store) alive: AtomicBool,
}

/// A job of the caller's closure.
struct Errand<F, T> {
    work: Option<F>,
    result: Option<Result<T>>,
    reply: Answerer<Result<T>>,
}

/// Wraps `work` as a job; the answer is its result after the commit.
pub(in crate::store) fn errand<F, T>(work: F) -> (Box<dyn Job>, Answer<Result<T>>)
where
    F: FnOnce(&Write<'_>) -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    let (reply, answer) = reply();
    let job = Errand {
        work: Some(work),
        result: None,
        reply,
    };
    (Box::new(job), answer)
}

impl<F, T> Job for Errand<F, T>
where
    F: FnOnce(&Write<'_>) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, write: &Write<'_>) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let result = catch_unwind(AssertUnwindSafe(|| work(write)));
        let result = result.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let kept = result.is_ok();
        self.result = Some(result);
        kept
    }

    fn answer(self: Box<Self>, fate: Option<Error>) {
        let result = match (self.result, fate) {
            // The job's own error says more than the fate of its batch.
            (Some(Err(own)), _) => Err(own),
            (_, Some(fate)) => Err(fate),
            (Some(result), None) => result,
            (None, None) => Err(Error::internal("a write job was answered before it ran")),
        };
        // A caller that is gone does not undo what is on disk.
        self.reply.answer(result);
    }
}

/// Makes an error of a panic; its text is for the log.
fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::internal(format!(
        "a write job panicked: {}",
        text.unwrap_or("no text")
    ))
}

/// The writer's own side: its connection, its queue, its counts.
pub(in crate::store) struct Writer {
    link: Link,
    jobs: Receiver<Box<dyn Job>>,
    counts: Arc<Counts>,
    job_limit_ms: u64,
    upkeep: Upkeep,
}

impl Writer {
    /// Makes a writer; [`Writer::run`] is the body of its thread.
    pub(in crate::store) fn new(
        link: Link,
        jobs: Receiver<Box<dyn Job>>,
        counts: Arc<Counts>,
        job_limit_ms: u64,
        upkeep: Upkeep,
    ) -> Self {
        Self {
            link,
            jobs,
            counts,
            job_limit_ms,
            upkeep,
        }
    }

    /// Serves jobs until every sender is gone and the queue is empty.
    pub(in crate::store) fn run(mut self, mark: Mark) {
        let _inside = mark.enter();
        let _alive = Alive::begin(&self.counts);
        loop {
            match self.jobs.recv_timeout(self.upkeep.next_wait()) {
                Ok(job) => {
                    self.batch(job);
                    self.upkeep.after_batch();
                }
                Err(RecvTimeoutError::Timeout) => self.upkeep.while_idle(&self.link),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Upkeep::at_the_end(&self.link);
    }

    /// Runs a job and what is queued behind it in one transaction.
    fn batch(&mut self, first: Box<dyn Job>) {
        let mut done = Vec::new();
        if let Err(error) = self.statement("BEGIN IMMEDIATE") {
            // Whoever waits now would wait for the same lock as long again.
            done.push(first);
            done.extend(self.jobs.try_iter().take(BATCH_JOBS));
            return self.fail(done, error);
        }
        let began = clock::monotonic_ms();
        let mut next = Some(first);
        while let Some(mut job) = next {
            let ran = if done.is_empty() {
                self.run_first(job.as_mut())
            } else {
                self.run_later(job.as_mut())
            };
            done.push(job);
            if let Err(error) = ran {
                return self.fail(done, error);
            }
            let room = done.len() < BATCH_JOBS && clock::monotonic_ms() - began < BATCH_MS;
            next = if room {
                self.jobs.try_recv().ok()
            } else {
                None
            };
        }
        match self.statement("COMMIT") {
            Ok(()) => self.succeed(done),
            Err(error) => self.fail(done, error),
        }
    }

    /// Runs the first job of a transaction, which is all that there is to undo: a
    /// savepoint would copy every page that it changes. The error is one that took the
    /// whole transaction.
    fn run_first(&self, job: &mut dyn Job) -> rusqlite::Result<()> {
        if self.is_kept(job)? {
            return Ok(());
        }
        self.statement("ROLLBACK")?;
        self.statement("BEGIN IMMEDIATE")
    }

    /// Runs a job behind others in its savepoint; the error is one that took the whole
    /// transaction.
    fn run_later(&self, job: &mut dyn Job) -> rusqlite::Result<()> {
        self.statement("SAVEPOINT job")?;
        if !self.is_kept(job)? {
            self.statement("ROLLBACK TO job")?;
        }
        self.statement("RELEASE job")
    }

    /// Runs a job and tells whether its changes are to be kept; the error is one that took
    /// the whole transaction.
    fn is_kept(&self, job: &mut dyn Job) -> rusqlite::Result<bool> {
        self.link.deadline.set(self.job_limit_ms);
        let kept = job.run(&Write::new(&self.link));
        self.link.deadline.clear();
        if self.link.conn.is_autocommit() {
            // SQLite ends the transaction itself on a full disk, failed I/O, an
            // interrupt: what the jobs before this one did is gone too.
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
                None,
            ));
        }
        if !kept {
            self.counts.failed_jobs.fetch_add(1, Ordering::Relaxed);
        }
        Ok(kept)
    }

    fn statement(&self, sql: &str) -> rusqlite::Result<()> {
        self.link.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn succeed(&self, jobs: Vec<Box<dyn Job>>) {
        self.count(jobs.len());
        self.counts.commits.fetch_add(1, Ordering::Relaxed);
        for job in jobs {
            job.answer(None);
        }
    }

    /// Undoes the transaction and answers every job of it with the failure.
    fn fail(&self, jobs: Vec<Box<dyn Job>>, error: rusqlite::Error) {
        tracing::error!(jobs = jobs.len(), error = %error, "a commit failed; its jobs are undone");
        if !self.link.conn.is_autocommit()
            && let Err(error) = self.statement("ROLLBACK")
        {
            tracing::error!(error = %error, "a failed commit could not be undone");
        }
        self.count(jobs.len());
        self.counts.failed_commits.fetch_add(1, Ordering::Relaxed);
        let lost = is_abort(&error);
        let shape = sql::shape(&error);
        let cause = Arc::new(error);
        for job in jobs {
            let fate = if lost { undone() } else { sql::dress(shape) };
            job.answer(Some(fate.caused_by(Arc::clone(&cause))));
        }
    }

    fn count(&self, jobs: usize) {
        let jobs = u64::try_from(jobs).unwrap_or(u64::MAX);
        self.counts.jobs.fetch_add(jobs, Ordering::Relaxed);
        self.counts.largest_batch.fetch_max(jobs, Ordering::Relaxed);
    }
}

/// Tells whether SQLite ended the transaction under a job.
fn is_abort(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|cause| cause.extended_code);
    code == Some(rusqlite::ffi::SQLITE_ABORT_ROLLBACK)
}

/// The error of a job that was undone for the fault of another one.
fn undone() -> Error {
    Error::unavailable(
        "the change was undone together with a failed one; try again",
        RETRY_S,
    )
}

/// Shows that the writer's thread lives; a panic in it ends this too.
struct Alive(Arc<Counts>);

impl Alive {
    fn begin(counts: &Arc<Counts>) -> Self {
        counts.alive.store(true, Ordering::Relaxed);
        Self(Arc::clone(counts))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.store(false, Ordering::Relaxed);
    }
}
