//! Figures for charts and for the questions before a deletion; for the operator.

use serde_json::{Value, json};

use super::App;
use super::flow::require_operator;
use crate::domain::figures::{
    Figures, FlowFigures, QueueFigures, RequestFigures, RunMinutes, StepFigures, UserTies,
};
use crate::domain::id::{FlowId, UserId};
use crate::domain::principal::Principal;
use crate::domain::{Error, Result};

/// The fact that holds how much a server is asked, so that other processes can read it.
const META_REQUESTS: &str = "requests";

/// How often a server notes how much it is asked, while it is: a console looks every two
/// seconds, and each note is a commit.
pub const REQUESTS_EVERY_MS: u64 = 10_000;

/// How old a note may be: two of them, and the time that a busy writer takes.
const REQUESTS_FOR_MS: i64 = 25_000;

impl App {
    /// Returns the figures of the installation.
    pub fn figures(&self, who: &Principal) -> Result<Figures> {
        require_operator(who)?;
        let database = self.inner.store.database_figures()?;
        let now_ms = self.now_ms();
        self.read(|read| {
            let flows = read.flow_counts()?;
            let requests = read.meta(META_REQUESTS)?;
            Ok(Figures {
                users: read.user_figures()?,
                teams: read.count_teams()?,
                flows: FlowFigures {
                    active: flows.active.unsigned_abs(),
                    inactive: flows.inactive.unsigned_abs(),
                    suspended: flows.suspended.unsigned_abs(),
                },
                runs: read.run_minutes(None, now_ms)?,
                queue: read.queue_figures()?,
                database,
                requests: requests.and_then(|noted| requests_of(&noted, now_ms)),
            })
        })
    }

    /// Returns the runs of the last hour: of a flow, or of all.
    pub fn run_minutes(&self, who: &Principal, flow: Option<FlowId>) -> Result<RunMinutes> {
        require_operator(who)?;
        let now_ms = self.now_ms();
        self.read(|read| read.run_minutes(flow, now_ms))
    }

    /// Returns the runs of the last hour and what waits, in all flows.
    pub fn hour_figures(&self, who: &Principal) -> Result<(RunMinutes, QueueFigures)> {
        require_operator(who)?;
        let now_ms = self.now_ms();
        self.read(|read| Ok((read.run_minutes(None, now_ms)?, read.queue_figures()?)))
    }

    /// Returns how each step of a flow did lately, in the order of its graph; what waits for
    /// it is told by [`queue_stats`](Self::queue_stats). Steps that are no longer in the
    /// graph are left out.
    pub fn step_figures(&self, who: &Principal, flow: FlowId) -> Result<Vec<StepFigures>> {
        require_operator(who)?;
        let (graph, times) = self.read(|read| {
            let found = read.flow(flow)?.ok_or_else(|| Error::not_found("flow"))?;
            Ok((found.graph, read.recent_step_times(flow)?))
        })?;
        let figures = graph.nodes.iter().map(|node| {
            let own = times.iter().filter(|time| time.step == node.id);
            let failed = own.clone().filter(|time| time.failed).count() as u64;
            let took_us = own.map(|time| time.took_us).collect();
            StepFigures::of(&node.id, took_us, failed)
        });
        Ok(figures.collect())
    }

    /// Returns what is a user's own, and goes with the user.
    pub fn user_ties(&self, who: &Principal, user: UserId) -> Result<UserTies> {
        require_operator(who)?;
        self.read(|read| {
            read.user(user)?.ok_or_else(|| Error::not_found("user"))?;
            read.user_ties(user)
        })
    }

    /// Notes how many requests a server answered of late, `failed` of them with a 5xx, for
    /// whoever looks at the file. It does not wait, and a note that is lost is no loss.
    pub fn note_requests(&self, within_ms: u64, answered: u64, failed: u64) {
        let noted = json!({
            "at": self.now_ms(),
            "within": within_ms,
            "answered": answered,
            "failed": failed,
        });
        self.inner
            .store
            .write_later(move |write| write.set_meta(META_REQUESTS, noted.to_string().as_bytes()));
    }
}

/// Reads what a server noted; none where it is too old to be of now.
fn requests_of(noted: &[u8], now_ms: i64) -> Option<RequestFigures> {
    let noted: Value = serde_json::from_slice(noted).ok()?;
    let figures = RequestFigures {
        at_ms: noted["at"].as_i64()?,
        within_ms: noted["within"].as_u64()?,
        answered: noted["answered"].as_u64()?,
        failed: noted["failed"].as_u64()?,
    };
    (now_ms - figures.at_ms < REQUESTS_FOR_MS).then_some(figures)
}
