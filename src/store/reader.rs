//! The pool of connections that read.
//!
//! Nothing of ours stands between readers and the writer: each reader has its own
//! connection and sees the last commit before its transaction. The pool bounds how
//! many read at once, since readers beyond the cores only take time from the writer:
//! 8 readers on 2 cores cost it five sixths of its rate (`reliability.md 2.2`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::domain::error::{Error, Result};
use crate::store::access::Read;
use crate::store::connect::{Link, Source};
use crate::store::inside::Mark;
use crate::store::sql::RETRY_S;

/// The fewest connections: one slow read must not stop all others.
const FEWEST: usize = 2;

/// The most connections: each holds a page cache and a slot of the shared memory.
const MOST: usize = 8;

/// The time that a read waits for a connection before its caller is told to come back.
const WAIT_MS: u64 = 2_000;

/// The connections that read.
pub(in crate::store) struct Readers {
    source: Source,
    mark: Mark,
    places: Mutex<Places>,
    returned: Condvar,
    size: usize,
    reads: AtomicU64,
    failed: AtomicU64,
}

/// The connections at rest and the number of all.
struct Places {
    idle: Vec<Link>,
    open: usize,
    closed: bool,
}

impl Readers {
    /// Makes a pool; connections are opened when they are needed.
    pub(in crate::store) fn new(source: Source, mark: Mark, first: Option<Link>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let idle: Vec<Link> = first.into_iter().collect();
        let places = Places {
            open: idle.len(),
            idle,
            closed: false,
        };
        Self {
            source,
            mark,
            places: Mutex::new(places),
            returned: Condvar::new(),
            size: (cores * 2).clamp(FEWEST, MOST),
            reads: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Runs `body` with a view of the database, for `limit_ms` at most.
    ///
    /// A panic in `body` passes to the caller; its connection is closed, not reused.
    pub(in crate::store) fn read<T>(
        &self,
        view: View,
        limit_ms: u64,
        body: impl FnOnce(&Read<'_>) -> Result<T>,
    ) -> Result<T> {
        self.mark.refuse_nesting()?;
        let mut lease = self.lease()?;
        let _inside = self.mark.enter();
        self.reads.fetch_add(1, Ordering::Relaxed);
        let answer = lease.run(view, limit_ms, body);
        if answer.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    /// Returns the number of reads so far, and of those that failed.
    pub(in crate::store) fn counts(&self) -> (u64, u64) {
        (
            self.reads.load(Ordering::Relaxed),
            self.failed.load(Ordering::Relaxed),
        )
    }

    /// Closes what is at rest; what is at work is closed when it returns.
    pub(in crate::store) fn close(&self) {
        let mut places = self.places();
        places.closed = true;
        places.open -= places.idle.len();
        places.idle.clear();
        self.returned.notify_all();
    }

    /// Takes a connection: one at rest, else a new one, else waits.
    ///
    /// Where no new one can be opened, for want of descriptors mostly, it waits for one of
    /// the others as it does where the pool is full.
    fn lease(&self) -> Result<Lease<'_>> {
        let give_up = clock::monotonic_ms() + WAIT_MS;
        let mut refused = None;
        let mut places = self.places();
        loop {
            if places.closed {
                return Err(closed());
            }
            if let Some(link) = places.idle.pop() {
                return Ok(self.lent(Some(link)));
            }
            if refused.is_none() && places.open < self.size {
                places.open += 1;
                drop(places);
                // The lease comes first, so that a failure to open gives the place back.
                let mut lease = self.lent(None);
                match self.source.whole_reader() {
                    Ok(link) => {
                        lease.link = Some(link);
                        return Ok(lease);
                    }
                    Err(error) => refused = Some(error),
                }
                drop(lease);
                places = self.places();
                continue;
            }
            let left = give_up.saturating_sub(clock::monotonic_ms());
            if left == 0 || places.open == 0 {
                return Err(refused.unwrap_or_else(|| {
                    Error::unavailable("all readers of the database are busy", RETRY_S)
                }));
            }
            let waited = self
                .returned
                .wait_timeout(places, Duration::from_millis(left));
            places = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lends a place of the pool out, with its connection where there is one yet.
    fn lent(&self, link: Option<Link>) -> Lease<'_> {
        Lease {
            pool: self,
            link,
            clean: false,
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a store that has been closed.
pub(in crate::store) fn closed() -> Error {
    Error::unavailable("the database is being closed", RETRY_S)
}

/// What the statements of a read see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum View {
    /// All of them the same moment.
    Snapshot,
    /// Each its own moment: enough for one, and a third cheaper.
    Statement,
}

/// A connection on loan; returned, or closed when it is not known to be clean.
struct Lease<'p> {
    pool: &'p Readers,
    link: Option<Link>,
    clean: bool,
}

impl Lease<'_> {
    fn run<T>(
        &mut self,
        view: View,
        limit_ms: u64,
        body: impl FnOnce(&Read<'_>) -> Result<T>,
    ) -> Result<T> {
        let link = self
            .link
            .as_ref()
            .expect("a lease has its link until it is dropped");
        let began = clock::monotonic_ms();
        link.deadline.set(limit_ms);
        if view == View::Snapshot {
            link.conn.prepare_cached("BEGIN")?.execute([])?;
        }
        let answer = body(&Read::new(link));
        link.deadline.clear();
        if view == View::Snapshot {
            link.conn.prepare_cached("ROLLBACK")?.execute([])?;
        }
        self.clean = true;
        let took_ms = clock::monotonic_ms() - began;
        if took_ms > limit_ms {
            tracing::warn!(took_ms, limit_ms, "a read held its snapshot for too long");
        }
        answer
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let link = self.link.take();
        let mut places = self.pool.places();
        match link {
            Some(link) if self.clean && !places.closed => places.idle.push(link),
            dirty => {
                // After a close, this connection is one that the close did not count.
                places.open = places.open.saturating_sub(1);
                drop(places);
                drop(dirty);
            }
        }
        self.pool.returned.notify_one();
    }
}
