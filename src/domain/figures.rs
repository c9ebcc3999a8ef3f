//! Figures about an installation and its flows, as the console's charts show them.

use super::listing::Counted;

/// How many users there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserFigures {
    /// Those who may sign in.
    pub active: u64,
    /// Those who may not.
    pub disabled: u64,
}

/// How many flows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowFigures {
    /// Those that run.
    pub active: u64,
    /// Those that do not.
    pub inactive: u64,
    /// Those that do not for now.
    pub suspended: u64,
}

/// The runs that began within one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunMinute {
    /// Those that ended well.
    pub ok: u64,
    /// Those with a step that failed, and those that were ended by others.
    pub failed: u64,
    /// Those that are not over.
    pub open: u64,
}

/// The minutes that [`RunMinutes`] looks back: an hour, as a line of a terminal is wide.
pub const RUN_MINUTES: usize = 60;

/// The runs of the last hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMinutes {
    /// One entry a minute, [`RUN_MINUTES`] of them, the present minute last.
    pub minutes: Vec<RunMinute>,
    /// Whether all runs of the hour were counted; otherwise the newest ones were, and the
    /// minutes before them are empty.
    pub is_complete: bool,
}

/// What waits in the queues of all steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFigures {
    /// The messages.
    pub messages: Counted,
    /// Since when the oldest of them waits, in milliseconds since 1970.
    pub oldest_at_ms: Option<i64>,
}

/// How large the database is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseFigures {
    /// The bytes of the file.
    pub bytes: u64,
    /// Those of them that hold nothing.
    pub free_bytes: u64,
    /// The bytes of the write-ahead log.
    pub wal_bytes: u64,
}

/// How much a server is asked, as it last noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestFigures {
    /// When it noted this, in milliseconds since 1970.
    pub at_ms: i64,
    /// The milliseconds that the count is of.
    pub within_ms: u64,
    /// The requests that were answered within them.
    pub answered: u64,
    /// Those of them that were answered with a 5xx.
    pub failed: u64,
}

impl RequestFigures {
    /// Returns the requests a second, times a thousand.
    pub fn per_1000_s(&self) -> u64 {
        let within_ms = self.within_ms.max(1);
        self.answered.saturating_mul(1_000_000) / within_ms
    }
}

/// The figures of an installation.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The users.
    pub users: UserFigures,
    /// The developer teams.
    pub teams: u64,
    /// The flows.
    pub flows: FlowFigures,
    /// The runs of the last hour.
    pub runs: RunMinutes,
    /// What waits.
    pub queue: QueueFigures,
    /// The database.
    pub database: DatabaseFigures,
    /// How much a server is asked; none where no server was asked anything lately.
    pub requests: Option<RequestFigures>,
}

/// How a step of a flow did lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFigures {
    /// The id of the step.
    pub step: String,
    /// The times that it ran among the newest records of the flow.
    pub ran: u64,
    /// Those that failed.
    pub failed: u64,
    /// The time that half of them stayed within, in microseconds; none where it did not run.
    pub p50_us: Option<u64>,
    /// The time that nineteen of twenty stayed within, in microseconds.
    pub p95_us: Option<u64>,
}

impl StepFigures {
    /// Makes the figures of a step from how long it took each time, in microseconds.
    pub fn of(step: &str, mut took_us: Vec<u64>, failed: u64) -> Self {
        took_us.sort_unstable();
        let at = |percent: usize| {
            // The smallest time that so many of a hundred stayed within.
            let place = (took_us.len() * percent).div_ceil(100);
            took_us.get(place.saturating_sub(1)).copied()
        };
        Self {
            step: step.to_owned(),
            ran: took_us.len() as u64,
            failed,
            p50_us: at(50),
            p95_us: at(95),
        }
    }
}

/// What is a user's own, and what becomes of it when the user is deleted or disabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserTies {
    /// API keys, which end with the user.
    pub api_keys: u64,
    /// SSH keys, which end with the user.
    pub ssh_keys: u64,
    /// Credentials, which are deleted with the user.
    pub credentials: u64,
    /// Flows, which are deleted with the user.
    pub flows: u64,
    /// Those of the flows that run, and stop.
    pub active_flows: u64,
    /// The teams that the user belongs to.
    pub teams: u64,
    /// The names of those that nobody else belongs to, which are deleted with the user.
    pub own_teams: Vec<String>,
    /// The organizations that the user belongs to.
    pub organizations: u64,
}
