//! The one clock: wall time for rows, monotonic time for deadlines.
//!
//! Everything that needs the time gets it from here, so that a test can set it
//! and so that a database can be built again byte by byte.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells the wall time in milliseconds since 1970, UTC.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The time of a test's clock; the system's time where it is missing.
    fixed_ms: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// Returns the clock of the machine.
    pub fn system() -> Self {
        Self { fixed_ms: None }
    }

    /// Returns a clock that stands at `now_ms` until [`Clock::advance`] moves it.
    pub fn fixed(now_ms: i64) -> Self {
        Self {
            fixed_ms: Some(Arc::new(AtomicI64::new(now_ms))),
        }
    }

    /// Moves a fixed clock, and every clone of it, forward by `by_ms`.
    pub fn advance(&self, by_ms: i64) {
        if let Some(fixed) = &self.fixed_ms {
            fixed.fetch_add(by_ms, Ordering::SeqCst);
        }
    }

    /// Returns the milliseconds since 1970, UTC.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reader of the wall clock"
    )]
    pub fn now_ms(&self) -> i64 {
        if let Some(fixed) = &self.fixed_ms {
            return fixed.load(Ordering::SeqCst);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |passed| {
            i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
        })
    }
}

/// Returns the milliseconds since the first call: never goes back, survives a
/// change of the wall clock, means nothing to another process.
pub fn monotonic_ms() -> u64 {
    u64::try_from(since_start().as_millis()).unwrap_or(u64::MAX)
}

/// Returns the microseconds since the first call, for measuring durations.
pub fn monotonic_us() -> u64 {
    u64::try_from(since_start().as_micros()).unwrap_or(u64::MAX)
}

/// Returns the time since the first call of any function of this module.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the monotonic clock"
)]
fn since_start() -> std::time::Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
