//! Lists of runs, newest first: always a walk along an index.

use rusqlite::params;

use super::Read;
use super::execution::{EXECUTION_COLUMNS, execution_of};
use crate::domain::Result;
use crate::domain::id::FlowId;
use crate::domain::organization::Owner;
use crate::domain::run::{Execution, ExecutionFilter, RunStatus};

/// How far the order of runs may differ from that of their beginnings: a run is numbered
/// when its first part is stored, and the clock of a machine may be set.
pub(super) const DISORDER_MS: i64 = 60 * 60 * 1_000;

/// Whose runs a list shows.
#[derive(Clone, Copy, Debug)]
pub enum ExecutionsOf {
    /// Everybody's.
    All,
    /// Those of the flows of an organization, or of a user alone.
    Owner(Owner),
    /// Those of a flow.
    Flow(FlowId),
}

impl ExecutionsOf {
    /// Returns the condition on `?1`, and its value.
    fn condition(self) -> (&'static str, Option<String>) {
        match self {
            Self::All => ("?1 IS NULL", None),
            Self::Owner(owner) => {
                let id = owner.organization.map(|id| id.to_string());
                let id = id.unwrap_or_else(|| owner.user.to_string());
                ("owner_id = ?1", Some(id))
            }
            Self::Flow(flow) => ("flow_id = ?1", Some(flow.to_string())),
        }
    }
}

/// Returns the condition of a status on `?2`; what it adds lets a smaller index be used.
fn status_condition(status: Option<RunStatus>) -> &'static str {
    match status {
        None => "?2 IS NULL",
        Some(RunStatus::Error) => "status = ?2 AND errors_total > 0",
        Some(RunStatus::Running | RunStatus::Waiting) => "status = ?2 AND finished_at IS NULL",
        Some(_) => "status = ?2",
    }
}

impl Read<'_> {
    /// Returns up to `limit` runs, newest first unless the filter says otherwise: those
    /// before the run `before`, without the first `offset` ones.
    pub fn executions(
        &self,
        of: ExecutionsOf,
        filter: &ExecutionFilter,
        before: Option<i64>,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Execution>> {
        let (scope, id) = of.condition();
        let status = status_condition(filter.status);
        let (from, to) = self.bounds(filter)?;
        let order = if filter.oldest_first { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {EXECUTION_COLUMNS} FROM executions WHERE seq IN
                 (SELECT seq FROM executions WHERE {scope} AND {status}
                      AND seq >= ?3 AND seq < ?4
                      AND (?5 IS NULL OR started_at >= ?5) AND (?6 IS NULL OR started_at < ?6)
                  ORDER BY seq {order} LIMIT ?7 OFFSET ?8)
             ORDER BY seq {order}"
        );
        self.query_all(
            &sql,
            params![
                id,
                filter.status.map(RunStatus::as_str),
                from,
                before.map_or(to, |before| to.min(before)),
                filter.since_ms,
                filter.until_ms,
                limit,
                i64::try_from(offset).unwrap_or(i64::MAX),
            ],
            execution_of,
        )
    }

    /// Counts the runs of a list.
    pub fn count_executions(&self, of: ExecutionsOf, filter: &ExecutionFilter) -> Result<i64> {
        let (scope, id) = of.condition();
        let status = status_condition(filter.status);
        let (from, to) = self.bounds(filter)?;
        // Without these the index alone answers, and rows are not read.
        let times = match (filter.since_ms, filter.until_ms) {
            (None, None) => "?5 IS NULL AND ?6 IS NULL",
            _ => "(?5 IS NULL OR started_at >= ?5) AND (?6 IS NULL OR started_at < ?6)",
        };
        let sql = format!(
            "SELECT count(*) FROM executions WHERE {scope} AND {status}
                 AND seq >= ?3 AND seq < ?4 AND {times}"
        );
        self.query_one(
            &sql,
            params![
                id,
                filter.status.map(RunStatus::as_str),
                from,
                to,
                filter.since_ms,
                filter.until_ms,
            ],
            |row| row.get(0),
        )
    }

    /// Returns between which runs the times of a filter lie, a little widened.
    fn bounds(&self, filter: &ExecutionFilter) -> Result<(i64, i64)> {
        let from = match filter.since_ms {
            Some(at_ms) => self.first_since(Timed::EXECUTIONS, at_ms.saturating_sub(DISORDER_MS)),
            None => Ok(0),
        };
        let to = match filter.until_ms {
            Some(at_ms) => self.first_since(Timed::EXECUTIONS, at_ms.saturating_add(DISORDER_MS)),
            None => Ok(i64::MAX),
        };
        Ok((from?, to?))
    }

    /// Returns the seq from which on the rows of a table are of `at_ms` or later, as far
    /// as seqs and times grow together: by halves, some twenty looks in a million rows.
    pub(super) fn first_since(&self, table: Timed, at_ms: i64) -> Result<i64> {
        let Timed { name, key, time } = table;
        // Both ends by one `min` and `max` would be a look at every row.
        let ends = format!(
            "SELECT coalesce((SELECT min({key}) FROM {name}), 0),
                 coalesce((SELECT max({key}) FROM {name}), 0) + 1"
        );
        let (mut low, mut high): (i64, i64) =
            self.query_one(&ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let look =
            format!("SELECT {key}, {time} FROM {name} WHERE {key} >= ?1 ORDER BY {key} LIMIT 1");
        while low < high {
            let middle = low + (high - low) / 2;
            let found: Option<(i64, i64)> =
                self.query_opt(&look, params![middle], |row| Ok((row.get(0)?, row.get(1)?)))?;
            match found {
                Some((seq, time)) if time < at_ms => low = seq + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}

/// A table whose rows have a seq and a time.
#[derive(Clone, Copy)]
pub(super) struct Timed {
    name: &'static str,
    key: &'static str,
    time: &'static str,
}

impl Timed {
    /// The runs, by their beginning.
    pub(super) const EXECUTIONS: Self = Self {
        name: "executions",
        key: "seq",
        time: "started_at",
    };

    /// The logs.
    pub(super) const LOG: Self = Self {
        name: "log_entries",
        key: "seq",
        time: "at",
    };

    /// The events of flows.
    pub(super) const EVENTS: Self = Self {
        name: "flow_events",
        key: "seq",
        time: "at",
    };

    /// The audit log.
    pub(super) const AUDIT: Self = Self {
        name: "audit_log",
        key: "id",
        time: "at",
    };
}
