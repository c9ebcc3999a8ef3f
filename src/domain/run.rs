//! Runs: one thread of messages through a flow, from a trigger's emission to its last
//! step. API v2 calls one a flow execution (`v2.md 8`).

pub mod limits;
pub mod mask;
pub mod message;
pub mod part;
pub mod retention;

use std::fmt;

use serde_json::{Map, Value, json};

use super::id::{ExecutionId, FlowId};

pub use message::Message;

/// How a run stands, and how a step of it does (`v2.md 8`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// Something of it is being worked on.
    Running,
    /// It waits: in a queue, or for the time of its next attempt.
    Waiting,
    /// It ended without an error.
    Success,
    /// It ended, and at least one step failed.
    Error,
    /// The server ended in the middle too often.
    Interrupted,
    /// Somebody ended it.
    Cancelled,
}

impl RunStatus {
    /// All of them, in the order of the documents.
    pub const ALL: [Self; 6] = [
        Self::Running,
        Self::Waiting,
        Self::Success,
        Self::Error,
        Self::Interrupted,
        Self::Cancelled,
    ];

    /// Returns the word that the database and API v2 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Success => "success",
            Self::Error => "error",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Tells whether nothing more happens.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Running | Self::Waiting)
    }
}

/// What set a run off (`v2.md 8`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunTrigger {
    /// The schedule.
    Schedule,
    /// A call to the webhook.
    Webhook,
    /// A person: run now.
    Manual,
    /// A retry of an earlier run.
    Retry,
}

impl RunTrigger {
    /// Returns the word that the database and API v2 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Webhook => "webhook",
            Self::Manual => "manual",
            Self::Retry => "retry",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Schedule, Self::Webhook, Self::Manual, Self::Retry]
            .into_iter()
            .find(|trigger| trigger.as_str() == word)
    }
}

/// A run.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The id.
    pub id: ExecutionId,
    /// Its place in the order of all runs: smaller is older.
    pub seq: i64,
    /// The flow.
    pub flow_id: FlowId,
    /// The version of the flow's graph that it runs.
    pub flow_version: i64,
    /// What set it off.
    pub trigger: RunTrigger,
    /// How it stands.
    pub status: RunStatus,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// When it ended, in milliseconds since 1970.
    pub finished_at_ms: Option<i64>,
    /// The steps that were recorded.
    pub steps_total: i64,
    /// Those of them that failed.
    pub errors_total: i64,
    /// The messages that wait in queues.
    pub queued: i64,
    /// The request that began it, where a webhook did.
    pub request_id: Option<String>,
    /// The run that it repeats.
    pub retry_of: Option<ExecutionId>,
}

/// Which runs a list shows; all of them where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Those of this flow.
    pub flow: Option<FlowId>,
    /// Those that stand so.
    pub status: Option<RunStatus>,
    /// Those that began at this time or later, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Those that began before this time, in milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// Whether the oldest run comes first.
    pub oldest_first: bool,
}

/// What is run again of a run (`settled.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMode {
    /// A step and what follows it, with the version of the flow that the run had.
    Step,
    /// The same with the present version of the flow.
    FromStep,
    /// Everything, from the trigger's first input, with the present version.
    Run,
}

impl RetryMode {
    /// All of them, in the order of the documents.
    pub const ALL: [Self; 3] = [Self::Step, Self::FromStep, Self::Run];

    /// Returns the word that API v2 and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::FromStep => "from-step",
            Self::Run => "run",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

/// Why a step failed: an error with a name, as components throw it (`runtime.md 2.2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name, such as `Error` or `TypeError`.
    pub name: String,
    /// What went wrong.
    pub message: String,
    /// Where, for whoever wrote the code.
    pub stack: Option<String>,
    /// The status that a waiting caller of the webhook gets; 500 where missing.
    pub status: Option<u16>,
}

impl Failure {
    /// Makes a failure of the plain name `Error`.
    pub fn new(message: impl Into<String>) -> Self {
        Self::named("Error", message)
    }

    /// Makes a failure with a name.
    pub fn named(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
            stack: None,
            status: None,
        }
    }

    /// Sets the status that a waiting caller gets.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Returns `{name, message, stack}`, the form of the runtime (`runtime.md 2.2`).
    pub fn to_value(&self) -> Value {
        json!({
            "name": self.name,
            "message": self.message,
            "stack": self.stack.as_deref().unwrap_or("Not Available"),
        })
    }

    /// Reads that form; what is missing or of another type is empty.
    pub fn from_value(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            name: text("name").unwrap_or_else(|| "Error".to_owned()),
            message: text("message").unwrap_or_default(),
            stack: text("stack").filter(|stack| stack != "Not Available"),
            status: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for Failure {}

/// How important a log entry is; the numbers are those of bunyan, which the platform's
/// logs use (`v2.md 6.2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// 10.
    Trace,
    /// 20.
    Debug,
    /// 30.
    Info,
    /// 40.
    Warn,
    /// 50.
    Error,
    /// 60.
    Fatal,
}

impl LogLevel {
    /// All of them, least important first.
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    /// Returns the word that the database and API v2 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

/// An entry of a log.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its place in the order of entries.
    pub seq: i64,
    /// The flow.
    pub flow: FlowId,
    /// The seq of the run.
    pub execution: Option<i64>,
    /// The id of the run, while it is kept.
    pub execution_id: Option<ExecutionId>,
    /// The step.
    pub step: Option<String>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// How important.
    pub level: LogLevel,
    /// What was said.
    pub message: String,
}

/// What a reply step or the gateway answers a waiting webhook call (`runtime.md 4.5`).
#[derive(Clone, Debug, PartialEq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Map<String, Value>,
    /// The body.
    pub body: ReplyBody,
}

impl HttpReply {
    /// Reads what a component emits, `{statusCode, body, headers}` (`runtime.md 2.2`);
    /// what is missing or can't be a status is 200, and empty.
    pub fn from_value(mut value: Value) -> Self {
        let status = value.get("statusCode").and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok());
        let headers = value.get("headers").and_then(Value::as_object).cloned();
        Self {
            status: status
                .filter(|status| (100..=599).contains(status))
                .unwrap_or(200),
            headers: headers.unwrap_or_default(),
            body: ReplyBody::Value(value.get_mut("body").map_or(Value::Null, Value::take)),
        }
    }
}

/// The body of a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyBody {
    /// A value: a text goes out as it is, everything else as JSON.
    Value(Value),
    /// Bytes, such as those of an attachment.
    Bytes(Vec<u8>),
}
