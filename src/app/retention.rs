//! What is pruned of runs, their messages and logs, in small transactions.

use super::App;
use super::upkeep::DAY_MS;
use crate::domain::Result;
use crate::domain::id::FlowId;
use crate::store::{OldBodies, OldRuns, Read};

/// How long the events of flows are kept: an engine that is an hour behind reads all
/// queues anew anyway.
const EVENTS_KEPT_MS: i64 = 60 * 60 * 1_000;

/// Rows that one transaction deletes: a few milliseconds of the writer's time.
const PRUNE_BATCH: u32 = 500;

/// Flows that one step looks at, without holding the writer up.
const FLOWS_BATCH: usize = 200;

/// Where a round of pruning stands; a new one begins a round.
#[derive(Debug, Default)]
pub struct Pruning {
    stage: Stage,
}

/// What a round looks at, in order.
#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    #[default]
    Runs,
    ErrorBodies,
    Log,
    Events,
    Keys,
    /// The flows after this one that have runs.
    Flows(Option<FlowId>),
    /// The flows after this one that have a log.
    Logs(Option<FlowId>),
    Done,
}

/// What is to be deleted of a flow.
enum Work {
    Runs(Vec<i64>),
    Bodies(Vec<i64>),
}

impl App {
    /// Does one small step of a round that prunes runs, messages, logs, events
    /// and old keys; tells
    /// whether there is more to do in this round.
    pub fn prune_runs(&self, round: &mut Pruning) -> Result<bool> {
        let rules = self.rules().retention;
        let before = |days: u32| self.now_ms() - i64::from(days) * DAY_MS;
        round.stage = match round.stage {
            Stage::Runs => {
                let old = OldRuns::Before(before(rules.execution_days));
                let runs = self.read(|read| read.old_runs(&old, PRUNE_BATCH))?;
                self.after(
                    runs.is_empty(),
                    Stage::ErrorBodies,
                    Stage::Runs,
                    runs,
                    Work::Runs,
                )?
            }
            Stage::ErrorBodies => {
                let old = OldBodies::FailedBefore(before(rules.error_body_days));
                let runs = self.read(|read| read.old_bodies(&old, PRUNE_BATCH))?;
                let here = Stage::ErrorBodies;
                self.after(runs.is_empty(), Stage::Log, here, runs, Work::Bodies)?
            }
            Stage::Log => {
                let before_ms = before(rules.log_days);
                let store = &self.inner.store;
                let gone = store.write(move |write| write.prune_log(before_ms, PRUNE_BATCH))?;
                next_if(gone < PRUNE_BATCH as usize, Stage::Events, Stage::Log)
            }
            Stage::Events => {
                let before_ms = self.now_ms() - EVENTS_KEPT_MS;
                let store = &self.inner.store;
                let gone =
                    store.write(move |write| write.prune_flow_events(before_ms, PRUNE_BATCH))?;
                next_if(gone < PRUNE_BATCH as usize, Stage::Keys, Stage::Events)
            }
            Stage::Keys => {
                // What they mask is kept no longer than that.
                let before_ms = before(rules.execution_days.max(rules.log_days));
                let now_ms = self.now_ms();
                let gone = self.inner.store.write(move |write| {
                    write.prune_superseded_keys(now_ms, before_ms, PRUNE_BATCH)
                })?;
                let next = Stage::Flows(None);
                next_if(gone < PRUNE_BATCH as usize, next, Stage::Keys)
            }
            Stage::Flows(after) => self.prune_flows(after)?,
            Stage::Logs(after) => self.prune_logs_of_gone(after)?,
            Stage::Done => Stage::Done,
        };
        Ok(!matches!(round.stage, Stage::Done))
    }

    /// Deletes some messages of runs of a flow that had no error, but for those of the
    /// newest runs; tells whether there are more. For whoever makes many runs quickly and
    /// can't wait for a round.
    pub fn prune_bodies_of(&self, flow: FlowId) -> Result<bool> {
        let old = OldBodies::Of(flow, self.rules().retention.bodies_per_flow);
        let runs = self.read(|read| read.old_bodies(&old, PRUNE_BATCH))?;
        let all = runs.len() >= PRUNE_BATCH as usize;
        Ok(!self.do_work(Work::Bodies(runs))? || all)
    }

    /// Does the work of a stage where there is some; returns the stage that comes then.
    fn after(
        &self,
        is_done: bool,
        next: Stage,
        here: Stage,
        runs: Vec<i64>,
        work: impl FnOnce(Vec<i64>) -> Work,
    ) -> Result<Stage> {
        if is_done {
            return Ok(next);
        }
        self.do_work(work(runs))?;
        Ok(here)
    }

    /// Looks at some flows after `after`, up to the first that has something to delete.
    fn prune_flows(&self, after: Option<FlowId>) -> Result<Stage> {
        let mut last = after;
        for _ in 0..FLOWS_BATCH {
            let found = self.read(|read| {
                let Some(flow) = read.next_flow_with_runs(last)? else {
                    return Ok(None);
                };
                Ok(Some((flow, self.work_of(read, flow)?)))
            })?;
            match found {
                None => return Ok(Stage::Logs(None)),
                Some((flow, None)) => last = Some(flow),
                Some((_, Some(work))) => {
                    self.do_work(work)?;
                    return Ok(Stage::Flows(last));
                }
            }
        }
        Ok(Stage::Flows(last))
    }

    /// Returns what is to be deleted of a flow, where there is something.
    fn work_of(&self, read: &Read<'_>, flow: FlowId) -> Result<Option<Work>> {
        let rules = self.rules().retention;
        let old = if read.has_flow(flow)? {
            OldRuns::FailedOf(flow, rules.errors_per_flow)
        } else {
            OldRuns::AllOf(flow)
        };
        let runs = read.old_runs(&old, PRUNE_BATCH)?;
        if !runs.is_empty() {
            return Ok(Some(Work::Runs(runs)));
        }
        let old = OldBodies::Of(flow, rules.bodies_per_flow);
        let runs = read.old_bodies(&old, PRUNE_BATCH)?;
        Ok((!runs.is_empty()).then_some(Work::Bodies(runs)))
    }

    /// Looks at the logs of some flows after `after`, up to the first that is gone.
    fn prune_logs_of_gone(&self, after: Option<FlowId>) -> Result<Stage> {
        let mut last = after;
        for _ in 0..FLOWS_BATCH {
            let found = self.read(|read| {
                let Some(flow) = read.next_flow_with_log(last)? else {
                    return Ok(None);
                };
                Ok(Some((flow, read.has_flow(flow)?)))
            })?;
            match found {
                None => return Ok(Stage::Done),
                Some((flow, true)) => last = Some(flow),
                Some((flow, false)) => {
                    let store = &self.inner.store;
                    store.write(move |write| write.delete_log_of(flow, PRUNE_BATCH))?;
                    return Ok(Stage::Logs(last));
                }
            }
        }
        Ok(Stage::Logs(last))
    }

    /// Deletes in one transaction; tells whether all of it is gone.
    fn do_work(&self, work: Work) -> Result<bool> {
        let limit = PRUNE_BATCH as usize;
        let store = &self.inner.store;
        match work {
            Work::Runs(runs) if !runs.is_empty() => {
                store.write(move |write| write.delete_runs(&runs, limit))
            }
            Work::Bodies(runs) if !runs.is_empty() => {
                store.write(move |write| write.delete_bodies(&runs, limit))
            }
            Work::Runs(_) | Work::Bodies(_) => Ok(true),
        }
    }
}

/// Returns the next stage where this one is done.
fn next_if(is_done: bool, next: Stage, here: Stage) -> Stage {
    if is_done { next } else { here }
}
