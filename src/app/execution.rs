//! Verbs about runs: what was done, with what, and what is done about it (`v2.md 8`).

mod retry;
mod secrets;
mod steps;

use serde_json::json;

use super::{App, PAGE_MAX, missing, owned};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::flow::Flow;
use crate::domain::flow::event::FlowEventKind;
use crate::domain::flow::graph::Graph;
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::organization::Owner;
use crate::domain::principal::Principal;
use crate::domain::run::part::ends_of_queue;
use crate::domain::run::{Execution, ExecutionFilter, LogEntry, LogLevel, RunStatus};
use crate::domain::{Error, Result};
use crate::store::{ExecutionsOf, QueueStats, Read};

use secrets::Secrets;

pub use retry::NewRetry;
pub use steps::ExecutionStep;

/// What errors call a run.
const WHAT: &str = "flow execution";

/// The newest versions of a flow whose secrets are masked in its log: more than are made
/// in the days that a log is kept, but for somebody who is just building the flow.
const LOGGED_VERSIONS: u32 = 20;

impl App {
    /// Returns up to `limit` runs before the run with the seq `before`, newest first: of
    /// the flow of the filter, else of the scope of `who`, else everybody's for the
    /// operator.
    pub fn executions(
        &self,
        who: &Principal,
        filter: &ExecutionFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Execution>> {
        self.read(|read| match shown_to(read, who, filter)? {
            Some(of) => read.executions(of, filter, before, 0, limit.min(PAGE_MAX)),
            None => Ok(Vec::new()),
        })
    }

    /// Returns up to `limit` runs without the newest `offset` ones, newest first, and how
    /// many there are; of whom says [`App::executions`].
    pub fn execution_page(
        &self,
        who: &Principal,
        filter: &ExecutionFilter,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<Execution>, u64)> {
        self.read(|read| {
            let Some(of) = shown_to(read, who, filter)? else {
                return Ok((Vec::new(), 0));
            };
            let total = read.count_executions(of, filter)?;
            let runs = read.executions(of, filter, None, offset, limit.min(PAGE_MAX))?;
            Ok((runs, unsigned(total)))
        })
    }

    /// Returns a run of a flow that `who` may see.
    pub fn execution(&self, who: &Principal, id: ExecutionId) -> Result<Execution> {
        self.read(|read| Ok(load(read, who, id)?.0))
    }

    /// Returns up to `limit` entries of the log of a run, oldest first, without the first
    /// `offset` ones, and how many there are; of one level where it is given. Secrets are
    /// masked.
    pub fn execution_log(
        &self,
        who: &Principal,
        id: ExecutionId,
        level: Option<LogLevel>,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<LogEntry>, u64)> {
        let (mut entries, total, secrets) = self.read(|read| {
            let (run, flow) = load(read, who, id)?;
            let entries = read.log_page(run.seq, level, offset, limit.min(PAGE_MAX))?;
            let graphs = graphs_of(read, &run, flow.as_ref())?;
            let total = unsigned(read.count_log(run.seq, level)?);
            Ok((entries, total, Secrets::of(read, &graphs)?))
        })?;
        self.mask_log(secrets, &mut entries)?;
        Ok((entries, total))
    }

    /// Returns up to `limit` entries of the log of a flow before the entry `before`,
    /// newest first; of one level where it is given. Secrets are masked.
    pub fn flow_log(
        &self,
        who: &Principal,
        id: FlowId,
        level: Option<LogLevel>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<LogEntry>> {
        let (mut entries, secrets) = self.read(|read| {
            let flow = super::flow::load(read, who, id)?;
            let entries = read.log_of_flow(id, level, before, limit.min(PAGE_MAX))?;
            Ok((entries, Secrets::of(read, &graphs_of_log(read, flow)?)?))
        })?;
        self.mask_log(secrets, &mut entries)?;
        Ok(entries)
    }

    /// Returns up to `limit` entries of the log of a flow, newest first, without the first
    /// `offset` ones, and how many there are; of one level where it is given. Secrets are
    /// masked.
    pub fn flow_log_page(
        &self,
        who: &Principal,
        id: FlowId,
        level: Option<LogLevel>,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<LogEntry>, u64)> {
        let (mut entries, total, secrets) = self.read(|read| {
            let flow = super::flow::load(read, who, id)?;
            let entries = read.log_page_of_flow(id, level, offset, limit.min(PAGE_MAX))?;
            let total = unsigned(read.count_log_of_flow(id, level)?);
            Ok((
                entries,
                total,
                Secrets::of(read, &graphs_of_log(read, flow)?)?,
            ))
        })?;
        self.mask_log(secrets, &mut entries)?;
        Ok((entries, total))
    }

    /// Ends a run that is not over: what waits of it is dropped, and what is being worked
    /// on ends without effect on it. One that is over stays as it is.
    pub fn cancel_execution(&self, who: &Principal, id: ExecutionId) -> Result<Execution> {
        let run = self.act(who, move |act| {
            let run = load_to_change(act, act.who, id)?.0;
            if !act.end_execution(run.seq, RunStatus::Cancelled, act.now_ms)? {
                return Ok(run);
            }
            act.add_flow_event(
                run.flow_id,
                FlowEventKind::Cancelled,
                Some(run.seq),
                act.now_ms,
            )?;
            act.audit(
                &NewAuditEntry::of("execution.cancel", ObjectKind::Execution, id)
                    .with(json!({ "flow": run.flow_id.to_string() })),
            )?;
            Ok(Execution {
                status: RunStatus::Cancelled,
                finished_at_ms: Some(act.now_ms),
                queued: 0,
                ..run
            })
        })?;
        self.tell_runtime(run.flow_id);
        Ok(run)
    }

    /// Moves all runs in time so that the newest began just now; for the demo, whose history
    /// is as old as the release, and would be pruned before anybody saw it.
    pub fn renew_history(&self, who: &Principal) -> Result<()> {
        super::flow::require_operator(who)?;
        let newest = self.executions(who, &ExecutionFilter::default(), None, 1)?;
        let Some(run) = newest.first() else {
            return Ok(());
        };
        let by_ms = self.now_ms().saturating_sub(run.started_at_ms);
        self.inner.store.write(move |write| write.move_runs(by_ms))
    }

    /// Returns what the queue of each step of a flow holds, in the order of its graph.
    pub fn queue_stats(&self, who: &Principal, id: FlowId) -> Result<Vec<QueueStats>> {
        self.read(|read| {
            let flow = super::flow::load(read, who, id)?;
            let held = read.queue_stats(id)?;
            let nodes = flow.graph.nodes.iter();
            Ok(nodes.map(|node| stats_of(&node.id, &held)).collect())
        })
    }

    /// Masks the secrets in entries of a log.
    fn mask_log(&self, secrets: Secrets, entries: &mut [LogEntry]) -> Result<()> {
        let mask = self.mask(secrets)?;
        for entry in entries {
            mask.text(&mut entry.message);
        }
        Ok(())
    }
}

/// Sums up the queues of one step, that of messages which are to be mapped among them.
fn stats_of(step: &str, held: &[QueueStats]) -> QueueStats {
    let mut all = QueueStats {
        step: step.to_owned(),
        total: 0,
        unacked: 0,
        rebounds: 0,
    };
    let leads_here = |queue: &str| {
        queue == step || ends_of_queue(queue).is_some_and(|(_, target)| target == step)
    };
    for one in held.iter().filter(|one| leads_here(&one.step)) {
        all.total += one.total;
        all.unacked += one.unacked;
        all.rebounds += one.rebounds;
    }
    all
}

/// Returns whose runs a list shows, if there can be any.
fn shown_to(
    read: &Read<'_>,
    who: &Principal,
    filter: &ExecutionFilter,
) -> Result<Option<ExecutionsOf>> {
    if let Some(id) = filter.flow {
        if who.is_operator() {
            return Ok(Some(ExecutionsOf::Flow(id)));
        }
        let Some(flow) = read.flow(id)? else {
            return Ok(None);
        };
        let standing = owned::standing(read, who, flow.owner())?;
        let sees = standing > owned::Standing::Outsider;
        return Ok(sees.then_some(ExecutionsOf::Flow(id)));
    }
    if who.is_operator() {
        return Ok(Some(ExecutionsOf::All));
    }
    Ok(Some(ExecutionsOf::Owner(Owner {
        user: who.require_user()?.id,
        organization: who.organization(),
    })))
}

/// Returns a run that `who` may see, and its flow; the operator alone sees those whose
/// flow is gone.
fn load(read: &Read<'_>, who: &Principal, id: ExecutionId) -> Result<(Execution, Option<Flow>)> {
    let Some(run) = read.execution(id)? else {
        return Err(Error::not_found(WHAT));
    };
    let Some(flow) = read.flow(run.flow_id)? else {
        if who.is_operator() {
            return Ok((run, None));
        }
        // Whoever could see the flow is told that it is gone.
        let flow = run.flow_id.to_string();
        return Err(missing(read, who, ObjectKind::Flow, &flow, WHAT)?);
    };
    if owned::standing(read, who, flow.owner())? == owned::Standing::Outsider {
        return Err(Error::not_found(WHAT));
    }
    Ok((run, Some(flow)))
}

/// Returns a run that `who` may do something about, and its flow.
fn load_to_change(
    read: &Read<'_>,
    who: &Principal,
    id: ExecutionId,
) -> Result<(Execution, Option<Flow>)> {
    let (run, flow) = load(read, who, id)?;
    if let Some(flow) = &flow
        && owned::standing(read, who, flow.owner())? < owned::Standing::Writer
    {
        return Err(owned::guests_read());
    }
    Ok((run, flow))
}

/// Returns the graphs that say which credentials a run may have seen: that of its version
/// first, then the present one.
fn graphs_of(read: &Read<'_>, run: &Execution, flow: Option<&Flow>) -> Result<Vec<Graph>> {
    let mut graphs = Vec::new();
    if let Some(flow) = flow {
        if flow.version != run.flow_version {
            graphs.extend(read.flow_version(flow.id, run.flow_version)?);
        }
        graphs.push(flow.graph.clone());
    }
    Ok(graphs)
}

/// Returns the graphs that say what entries of a flow's log may show: the present one and
/// those of the versions before it.
fn graphs_of_log(read: &Read<'_>, flow: Flow) -> Result<Vec<Graph>> {
    let mut graphs = read.newest_flow_graphs(flow.id, LOGGED_VERSIONS)?;
    graphs.push(flow.graph);
    Ok(graphs)
}

/// Returns a count of rows.
fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
