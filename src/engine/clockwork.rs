//! The threads that keep time: one fires schedules, one watches what other processes do.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use super::workers;

/// How long the schedule sleeps at most: a wall clock that was set forward is noticed.
const SLEEP_MAX_MS: i64 = 30_000;

/// How often another process's changes are looked for: a person at the console sees
/// them act within the blink of an eye.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long the schedule waits after a failure.
const FAILED_MS: i64 = 1_000;

/// Fires schedules until the engine ends.
pub(super) fn keep_schedule(shared: &Arc<Shared>) {
    while !shared.is_stopped() {
        let wait_ms = match fire(shared) {
            Ok(wait_ms) => wait_ms,
            Err(error) => {
                tracing::warn!(causes = %error.causes(), "can't fire schedules: {error}");
                FAILED_MS
            }
        };
        if wait_ms > 0 {
            let wait = u64::try_from(wait_ms.min(SLEEP_MAX_MS)).unwrap_or(0);
            shared.wait_for_alarm(Duration::from_millis(wait));
        }
    }
}

/// Fires what is due; returns how long nothing more is.
fn fire(shared: &Shared) -> crate::domain::Result<i64> {
    let fired = shared.app.fire_due()?;
    let now_ms = shared.app.now_ms();
    if !fired.queued.is_empty() {
        shared.with_board(|board| {
            for message in fired.queued {
                board.push(message, now_ms);
            }
        });
        shared.wake();
    }
    if fired.has_more {
        return Ok(0);
    }
    Ok(fired
        .next_due_ms
        .map_or(SLEEP_MAX_MS, |due| (due - now_ms).max(1)))
}

/// Takes over what other processes did until the engine ends.
pub(super) fn watch(shared: &Arc<Shared>) {
    let mut seen = None;
    while !shared.is_stopped() {
        std::thread::sleep(LOOK_EVERY);
        prune(shared);
        workers::end_overdue(shared);
        let looked = shared.app.data_version().and_then(|version| {
            if seen != Some(version) {
                // Only what was taken over is seen: a failure is tried again.
                shared.take_events()?;
                seen = Some(version);
            }
            Ok(())
        });
        if let Err(error) = looked {
            tracing::warn!(causes = %error.causes(), "can't watch the database: {error}");
        }
    }
}

/// Has the oldest bodies of busy flows pruned; a failure is tried again with the next runs.
fn prune(shared: &Shared) {
    for flow in shared.take_prunable() {
        if let Err(error) = shared.app.prune_bodies_of(flow) {
            tracing::warn!(causes = %error.causes(), "can't prune bodies: {error}");
        }
    }
}

/// How often processes of components are looked at.
const LOOK_AFTER_EVERY: Duration = Duration::from_millis(250);

/// Ends processes that are idle, stuck or late, until the engine ends.
pub(super) fn look_after_processes(shared: &Arc<Shared>) {
    while !shared.is_stopped() {
        std::thread::sleep(LOOK_AFTER_EVERY);
        shared.fleet.look_after(shared);
    }
}
