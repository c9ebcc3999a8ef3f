//! Counts and times for charts, each within a bound.

use rusqlite::params;

use super::execution_list::Timed;
use super::{Read, Store};
use crate::domain::Result;
use crate::domain::figures::{
    DatabaseFigures, QueueFigures, RUN_MINUTES, RunMinute, RunMinutes, UserFigures, UserTies,
};
use crate::domain::id::{FlowId, UserId};
use crate::domain::listing::Counted;
use crate::domain::run::part::PARTS_MAX;

/// A minute in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// The most runs that a chart counts: 28 a second for an hour, and some 25 ms.
const RUNS_MAX: u32 = 100_000;

/// The most messages that are counted.
const QUEUE_MAX: u32 = 100_000;

/// The newest runs of a flow whose steps are looked at: enough for a 95th percentile.
const RECENT_RUNS: u32 = 200;

/// The most parts of them, and the most steps: a run may have a million parts.
const RECENT_PARTS: u32 = 500;
const RECENT_STEPS: u32 = 5_000;

/// One time that a step ran.
pub struct StepTime {
    /// The step.
    pub step: String,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Whether it failed.
    pub failed: bool,
}

impl Read<'_> {
    /// Counts the users by state.
    pub fn user_figures(&self) -> Result<UserFigures> {
        self.query_one(
            "SELECT coalesce(sum(state = 'active'), 0), coalesce(sum(state <> 'active'), 0)
             FROM users",
            [],
            |row| {
                Ok(UserFigures {
                    active: row.get::<_, i64>(0)?.unsigned_abs(),
                    disabled: row.get::<_, i64>(1)?.unsigned_abs(),
                })
            },
        )
    }

    /// Counts the teams.
    pub fn count_teams(&self) -> Result<u64> {
        let teams: i64 = self.query_one("SELECT count(*) FROM teams", [], |row| row.get(0))?;
        Ok(teams.unsigned_abs())
    }

    /// Counts the runs of the last hour by minute: of one flow, or of all.
    pub fn run_minutes(&self, flow: Option<FlowId>, now_ms: i64) -> Result<RunMinutes> {
        let last = now_ms.div_euclid(MINUTE_MS);
        let first = last - i64::try_from(RUN_MINUTES).unwrap_or(0) + 1;
        let from = self.first_since(Timed::EXECUTIONS, first * MINUTE_MS)?;
        let whose = if flow.is_some() {
            "flow_id = ?1"
        } else {
            "?1 IS NULL"
        };
        let sql = format!(
            "SELECT started_at / 60000, sum(finished_at IS NULL),
                 sum(finished_at IS NOT NULL AND status = 'success'), count(*)
             FROM (SELECT started_at, finished_at, status FROM executions
                   WHERE {whose} AND seq >= ?2 ORDER BY seq DESC LIMIT ?3)
             GROUP BY 1"
        );
        let mut minutes = vec![RunMinute::default(); RUN_MINUTES];
        let mut seen = 0;
        let rows = self.query_all(&sql, params![flow, from, RUNS_MAX], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?.unsigned_abs(),
                row.get::<_, i64>(2)?.unsigned_abs(),
                row.get::<_, i64>(3)?.unsigned_abs(),
            ))
        })?;
        for (minute, open, ok, all) in rows {
            seen += all;
            let place = usize::try_from(minute - first).ok();
            if let Some(at) = place.and_then(|place| minutes.get_mut(place)) {
                *at = RunMinute {
                    ok,
                    open,
                    failed: all - ok - open,
                };
            }
        }
        Ok(RunMinutes {
            minutes,
            is_complete: seen < u64::from(RUNS_MAX),
        })
    }

    /// Returns how the steps of a flow ran lately, newest first.
    pub fn recent_step_times(&self, flow: FlowId) -> Result<Vec<StepTime>> {
        self.query_all(
            "SELECT s.value ->> '$.s', s.value ->> '$.d', s.value ->> '$.r'
             FROM (SELECT p.steps FROM
                       (SELECT seq FROM executions WHERE flow_id = ?1
                        ORDER BY seq DESC LIMIT ?2) e
                   CROSS JOIN execution_parts p
                       ON p.key >= e.seq * ?3 AND p.key < (e.seq + 1) * ?3
                   LIMIT ?4) r
             CROSS JOIN json_each(r.steps) s
             WHERE coalesce(s.value ->> '$.a', 0) > 0 LIMIT ?5",
            params![flow, RECENT_RUNS, PARTS_MAX, RECENT_PARTS, RECENT_STEPS],
            |row| {
                Ok(StepTime {
                    step: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                    took_us: row.get::<_, Option<i64>>(1)?.unwrap_or(0).unsigned_abs(),
                    failed: row.get_ref(2)?.as_str_or_null()? == Some("error"),
                })
            },
        )
    }

    /// Returns what waits in all queues.
    pub fn queue_figures(&self) -> Result<QueueFigures> {
        let (n, oldest_at_ms): (i64, Option<i64>) = self.query_one(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM queue LIMIT ?1)),
                 (SELECT queued_at FROM queue ORDER BY seq LIMIT 1)",
            [QUEUE_MAX + 1],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let most = u64::from(QUEUE_MAX);
        Ok(QueueFigures {
            messages: Counted {
                n: n.unsigned_abs().min(most),
                is_exact: n.unsigned_abs() <= most,
            },
            oldest_at_ms,
        })
    }

    /// Returns what is a user's own.
    pub fn user_ties(&self, user: UserId) -> Result<UserTies> {
        let own = self.belongings_of(user)?;
        let (active, teams, organizations): (i64, i64, i64) = self.query_one(
            "SELECT (SELECT count(*) FROM flows WHERE user_id = ?1 AND status = 'active'),
                 (SELECT count(*) FROM team_members WHERE user_id = ?1),
                 (SELECT count(*) FROM organization_members WHERE user_id = ?1)",
            params![user],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let mut own_teams = Vec::new();
        for team in self.sole_member_teams(user)? {
            own_teams.extend(self.team(team)?.map(|team| team.name));
        }
        Ok(UserTies {
            api_keys: own.api_keys.unsigned_abs(),
            ssh_keys: own.ssh_keys.unsigned_abs(),
            credentials: own.credentials.unsigned_abs(),
            flows: own.flows.unsigned_abs(),
            active_flows: active.unsigned_abs(),
            teams: teams.unsigned_abs(),
            own_teams,
            organizations: organizations.unsigned_abs(),
        })
    }

    /// Returns the bytes of the file and those that hold nothing.
    fn page_bytes(&self) -> Result<(u64, u64)> {
        let number = |name: &str| -> Result<i64> {
            let read = self.conn().pragma_query_value(None, name, |row| row.get(0));
            Ok(read?)
        };
        let size = number("page_size")?.unsigned_abs();
        let all = number("page_count")?.unsigned_abs();
        let free = number("freelist_count")?.unsigned_abs();
        Ok((all * size, free * size))
    }
}

impl Store {
    /// Returns how large the database is.
    pub fn database_figures(&self) -> Result<DatabaseFigures> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the path of a method is not general enough over the reader's lifetime"
        )]
        let (bytes, free_bytes) = self.read(|read| read.page_bytes())?;
        Ok(DatabaseFigures {
            bytes,
            free_bytes,
            wal_bytes: self.wal_bytes(),
        })
    }
}
