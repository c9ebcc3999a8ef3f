//! The thread that looks after a serving database: what other processes changed, and
//! what is old enough to go.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::api::shared::{Counter, Shared};
use crate::app::figures::REQUESTS_EVERY_MS;
use crate::app::{App, Pruning};
use crate::clock::monotonic_ms;
use crate::domain::{Error, Result};

/// How often it looks whether another process wrote: maintenance is obeyed within a second.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// How often it prunes.
const PRUNE_EVERY_MS: u64 = 60 * 60 * 1_000;

/// Steps of a round that prunes what runs left behind, at each look: enough to keep up with
/// a busy engine, each short enough for whoever else writes.
const PRUNE_STEPS: u32 = 20;

/// How often results of components that have expired go: soon, as they may hold secrets.
const SWEEP_EVERY_MS: u64 = 60 * 1_000;

/// How long audit entries are kept unless the operator says otherwise: a year, so that
/// whoever asks after an audit still finds them.
pub(super) const AUDIT_DAYS: u32 = 365;

/// The running thread.
pub(super) struct Housekeeper {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Housekeeper {
    /// Starts it.
    pub(super) fn start(app: App, shared: Arc<Shared>, audit_days: u32) -> Result<Self> {
        let (stop, stopped) = bounded(1);
        let thread = crate::thread::spawn("housekeeper", None, move || {
            keep_house(&app, &shared, audit_days, &stopped);
        })
        .map_err(Error::internal)?;
        Ok(Self { stop, thread })
    }

    /// Ends it and waits until it has.
    pub(super) fn stop(self) {
        // Either it hears of this or it has ended already.
        let _ = self.stop.try_send(());
        drop(self.stop);
        let _ = self.thread.join();
    }
}

/// Removes what the object storage keeps too long, a little at each look; a pass over
/// all of it begins once an hour.
#[derive(Default)]
struct Sweep {
    /// The shard of the files that is looked at next; none between two passes.
    shard: Option<u16>,
    began_at_ms: Option<u64>,
}

impl Sweep {
    /// Does the next step.
    fn step(&mut self, app: &App, now_ms: u64) -> Result<()> {
        if self
            .began_at_ms
            .is_none_or(|at_ms| now_ms - at_ms >= PRUNE_EVERY_MS)
        {
            self.began_at_ms = Some(now_ms);
            self.shard = Some(0);
        }
        let Some(shard) = self.shard else {
            return Ok(());
        };
        // Whatever fails is left to the next pass.
        self.shard = None;
        self.shard = if app.sweep_objects()? {
            Some(shard)
        } else {
            app.sweep_leftovers(shard)?
        };
        Ok(())
    }
}

/// Looks and prunes until it is stopped. A failure is logged and tried again.
fn keep_house(app: &App, shared: &Shared, audit_days: u32, stopped: &Receiver<()>) {
    let mut seen = None;
    let mut pruned_at_ms = None;
    let mut swept_at_ms = None;
    let mut sweep = Sweep::default();
    let mut runs = Runs::default();
    let mut traffic = Traffic::new();
    while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        if let Err(error) = look(app, shared, &mut seen) {
            tracing::warn!(causes = %error.causes(), "can't read the settings: {error}");
        }
        let now_ms = monotonic_ms();
        if let Err(error) = sweep.step(app, now_ms) {
            tracing::warn!(causes = %error.causes(), "can't sweep the object storage: {error}");
        }
        if swept_at_ms.is_none_or(|at: u64| now_ms - at >= SWEEP_EVERY_MS) {
            swept_at_ms = Some(now_ms);
            if let Err(error) = app.sweep_executions() {
                tracing::warn!(causes = %error.causes(), "can't sweep results: {error}");
            }
        }
        if pruned_at_ms.is_none_or(|at: u64| now_ms - at >= PRUNE_EVERY_MS) {
            // A batch a look: a long backlog must not keep others from the writer.
            match prune(app, audit_days) {
                Ok(true) => {}
                Ok(false) => pruned_at_ms = Some(now_ms),
                Err(error) => {
                    pruned_at_ms = Some(now_ms);
                    tracing::warn!(causes = %error.causes(), "can't prune what is old: {error}");
                }
            }
        }
        runs.prune(app, now_ms);
        traffic.note(app, shared, now_ms);
    }
}

/// Removes some of what is old but for runs; tells whether there may be more.
fn prune(app: &App, audit_days: u32) -> Result<bool> {
    let (audit, invites) = (app.prune_audit(audit_days)?, app.prune_invites()?);
    Ok(audit || invites)
}

/// How much the server was asked when that was last noted.
struct Traffic {
    at_ms: u64,
    answered: u64,
    failed: u64,
}

impl Traffic {
    /// Begins to count.
    fn new() -> Self {
        Self {
            at_ms: monotonic_ms(),
            answered: 0,
            failed: 0,
        }
    }

    /// Notes for other processes how much was asked since the last time, where it was
    /// anything: a server that nobody asks writes nothing.
    fn note(&mut self, app: &App, shared: &Shared, now_ms: u64) {
        let within_ms = now_ms - self.at_ms;
        if within_ms < REQUESTS_EVERY_MS {
            return;
        }
        let classes = &shared.metrics.by_class;
        let answered: u64 = classes.iter().map(Counter::get).sum();
        let failed = classes[5].get();
        if answered > self.answered {
            app.note_requests(within_ms, answered - self.answered, failed - self.failed);
        }
        *self = Self {
            at_ms: now_ms,
            answered,
            failed,
        };
    }
}

/// The rounds that prune what runs left behind.
#[derive(Default)]
struct Runs {
    round: Option<Pruning>,
    ended_at_ms: Option<u64>,
}

impl Runs {
    /// Does a few steps of a round, or begins one where it is time.
    fn prune(&mut self, app: &App, now_ms: u64) {
        let is_due = |at: u64| now_ms - at >= PRUNE_EVERY_MS;
        if self.round.is_none() && self.ended_at_ms.is_none_or(is_due) {
            self.round = Some(Pruning::default());
        }
        let Some(round) = &mut self.round else { return };
        for _ in 0..PRUNE_STEPS {
            match app.prune_runs(round) {
                Ok(true) => {}
                Ok(false) => return self.end(now_ms),
                Err(error) => {
                    tracing::warn!(causes = %error.causes(), "can't prune old runs: {error}");
                    return self.end(now_ms);
                }
            }
        }
    }

    /// Ends a round.
    fn end(&mut self, now_ms: u64) {
        self.round = None;
        self.ended_at_ms = Some(now_ms);
    }
}

/// Takes over what another process changed.
fn look(app: &App, shared: &Shared, seen: &mut Option<i64>) -> Result<()> {
    let version = app.data_version()?;
    if *seen != Some(version) {
        *seen = Some(version);
        shared.set_maintenance(app.maintenance()?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::shared::ApiOptions;
    use crate::app::AppOptions;
    use crate::domain::principal::{Channel, Principal};

    #[test]
    fn requests_are_noted_while_there_are_any() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = AppOptions::new(folder.path().join("elastane.db"));
        let app = App::init(&options).expect("an installation");
        let shared = Shared::new(ApiOptions::default());
        let noted = || {
            // What was queued before is written when this is.
            app.prove_writable().expect("written");
            let operator = Principal::operator(Channel::Console);
            app.figures(&operator).expect("figures").requests
        };
        let mut traffic = Traffic::new();
        let began_ms = traffic.at_ms;
        shared.metrics.answered(200, 1);
        shared.metrics.answered(503, 1);
        traffic.note(&app, &shared, began_ms + REQUESTS_EVERY_MS - 1);
        assert_eq!(noted(), None, "it is too early");
        traffic.note(&app, &shared, began_ms + REQUESTS_EVERY_MS);
        let first = noted().expect("a note");
        assert_eq!((first.answered, first.failed), (2, 1));
        traffic.note(&app, &shared, began_ms + 2 * REQUESTS_EVERY_MS);
        assert_eq!(noted(), Some(first), "nothing was asked since");
        shared.metrics.answered(404, 1);
        traffic.note(&app, &shared, began_ms + 3 * REQUESTS_EVERY_MS);
        let last = noted().expect("a note");
        assert_eq!((last.answered, last.failed), (1, 0));
    }
}
