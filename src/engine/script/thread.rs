//! The thread that a script runs on: its stack is known, and it can be left behind.
//!
//! QuickJS asks now and then whether it has to stop, but not inside its own long
//! loops: a script that calls such functions again and again can outlive its time by
//! far. Nothing can end a thread from outside. So the caller waits a moment longer than
//! the script may take, gives the run up, and the thread ends whenever it can; while
//! too many of them are about, no new script begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, unbounded};

use crate::clock::monotonic_ms;
use crate::thread::spawn;

use super::{STACK_BYTES_MAX, ScriptError};

/// The stack of the thread: what a script may use, and room for the frames of ours
/// below it, which are large in a debug build.
const THREAD_STACK_BYTES: usize = STACK_BYTES_MAX + 1024 * 1024;

/// How much longer than its own limit a run is waited for: an interrupt that comes
/// right on time arrives well within it.
const GRACE_MS: u64 = 1_000;

/// How many threads may be left behind at once: each may hold a core and the memory
/// of one script.
const LEFT_BEHIND_MAX: usize = 4;

/// How many threads are left behind now.
static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);

/// The states of a run: it runs, it was left behind, it has ended.
const RUNS: usize = 0;
const LEFT: usize = 1;
const ENDED: usize = 2;

/// Runs `body` on a thread of its own for at most `time_ms` and a moment, and hands
/// what it sends to `take`, on this thread.
///
/// A panic of `body` ends it without another word: what `take` got is all there is.
pub(super) fn watch<T: Send + 'static>(
    time_ms: u64,
    body: impl FnOnce(&Sender<T>) + Send + 'static,
    take: &mut dyn FnMut(T),
) -> Result<(), ScriptError> {
    if LEFT_BEHIND.load(Ordering::SeqCst) >= LEFT_BEHIND_MAX {
        let message = "too many scripts that can't be interrupted are still running";
        return Err(ScriptError::ours("Error", message));
    }
    let state = Arc::new(AtomicUsize::new(RUNS));
    let ending = Ending(Arc::clone(&state));
    // What is sent is bounded by the limits of the run.
    let (sender, receiver) = unbounded();
    let started = spawn("script", Some(THREAD_STACK_BYTES), move || {
        let _ending = ending;
        body(&sender);
    });
    if let Err(error) = started {
        let message = format!("there is no thread for a script: {error}");
        return Err(ScriptError::ours("Error", message));
    }
    let deadline_ms = monotonic_ms().saturating_add(time_ms.saturating_add(GRACE_MS));
    loop {
        let left_ms = deadline_ms.saturating_sub(monotonic_ms());
        match receiver.recv_timeout(Duration::from_millis(left_ms)) {
            Ok(sent) => take(sent),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                leave(&state);
                let message = format!("the script ran longer than {time_ms} ms");
                return Err(ScriptError::ours("TimeoutError", message));
            }
        }
    }
}

/// Notes that a thread is left behind, unless it has just ended.
fn leave(state: &AtomicUsize) {
    LEFT_BEHIND.fetch_add(1, Ordering::SeqCst);
    let left = state.compare_exchange(RUNS, LEFT, Ordering::SeqCst, Ordering::SeqCst);
    if left.is_err() {
        LEFT_BEHIND.fetch_sub(1, Ordering::SeqCst);
    } else {
        tracing::warn!("a script can't be interrupted; its thread is left behind");
    }
}

/// Notes that a thread has ended, however it does.
struct Ending(Arc<AtomicUsize>);

impl Drop for Ending {
    fn drop(&mut self) {
        if self.0.swap(ENDED, Ordering::SeqCst) == LEFT {
            LEFT_BEHIND.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
