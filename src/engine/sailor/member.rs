//! One process as the fleet knows it, and the messages that it has.

use std::collections::VecDeque;
use std::sync::Arc;

use rustix::process::Pid;
use serde_json::{Map, Value, json};

use super::cipher::Cipher;
use super::process;
use crate::amqp::{Consumer, Delivery, Properties};
use crate::app::step_run::StepKey;
use crate::clock::monotonic_ms;
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::run::part::{MessageRef, Queued, RunKey};
use crate::engine::drive::Ended;
use crate::engine::plan::FlowPlan;
use crate::engine::shared::Shared;

/// How long a process may take to end once it was asked, in milliseconds.
pub(super) const LEAVE_LIMIT_MS: u64 = 10_000;

/// What runs a step, in one version of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) flow: FlowId,
    pub(super) version: i64,
    pub(super) step: String,
}

impl Key {
    /// Returns what runs a step of a flow.
    pub(super) fn of(plan: &FlowPlan, step: usize) -> Self {
        Self {
            flow: plan.flow,
            version: plan.version,
            step: plan.steps[step].id.to_string(),
        }
    }
}

/// A process, from before it is started until it is gone.
pub(super) struct Process {
    pub(super) key: Key,
    pub(super) plan: Arc<FlowPlan>,
    pub(super) step: usize,
    pub(super) password: String,
    pub(super) cipher: Cipher,
    pub(super) step_key: StepKey,
    pub(super) consumer: Option<Consumer>,
    pub(super) was_ready: bool,
    pub(super) is_leaving: bool,
    /// Whether it stays though it is idle.
    pub(super) stays_up: bool,
    /// The group of the process, once there is one.
    pub(super) group: Option<Pid>,
    pub(super) last_error: Option<String>,
    pub(super) tokens: Vec<u64>,
    pub(super) began_ms: u64,
    pub(super) idle_since_ms: u64,
    pub(super) kill_at_ms: Option<u64>,
    pub(super) origins: VecDeque<(String, Origin)>,
}

/// A message that a process has, or that waits for it.
pub(super) struct InFlight {
    pub(super) process: u64,
    pub(super) queued: Queued,
    pub(super) message_id: String,
    pub(super) began_ms: i64,
    pub(super) began_us: u64,
    pub(super) ended: Ended,
    /// Rejected without an error so far: until when that may still come.
    pub(super) error_until_ms: Option<u64>,
    pub(super) delivery: Delivery,
    pub(super) is_out: bool,
    pub(super) until_ms: u64,
}

/// Where a message stood that a process was given.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) execution: i64,
    pub(super) message: MessageRef,
    pub(super) attempt: u32,
}

impl Process {
    /// Asks the process to end: it finishes what it has, and takes nothing new.
    pub(super) fn leave(&mut self) {
        if self.is_leaving {
            return;
        }
        self.is_leaving = true;
        self.kill_at_ms = Some(monotonic_ms() + LEAVE_LIMIT_MS);
        process::signal(self.group, process::How::Leave);
    }

    /// Ends the process and all its children at once.
    pub(super) fn kill(&mut self) {
        process::signal(self.group, process::How::Kill);
    }

    /// Returns where the message stood that ended last.
    pub(super) fn last_origin(&self) -> Option<Origin> {
        self.origins.back().map(|(_, origin)| *origin)
    }

    /// Returns where an ended message stood.
    pub(super) fn origin(&self, message_id: &str) -> Option<Origin> {
        let mut known = self.origins.iter().rev();
        known.find(|(id, _)| id == message_id).map(|(_, it)| *it)
    }
}

impl InFlight {
    /// Tells whether the message was rejected, and its error was still to come.
    pub(super) fn waits_for_error(&self) -> bool {
        self.error_until_ms.is_some()
    }

    /// Returns where the message stands.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            execution: self.queued.execution,
            message: MessageRef::Stored {
                part: self.queued.part,
                index: self.queued.index,
            },
            attempt: self.queued.attempt,
        }
    }
}

/// Returns a message as a process gets it.
pub(super) fn input_of(
    shared: &Shared,
    plan: &Arc<FlowPlan>,
    step: usize,
    queued: &Queued,
) -> Option<Value> {
    let mut driver = shared.driver(plan);
    let run = driver.enter(RunKey::Stored(queued.execution));
    let message = MessageRef::Stored {
        part: queued.part,
        index: queued.index,
    };
    driver.input_of(run, message, step)
}

/// Returns the id of a message and its delivery (`runtime.md 3.5`).
pub(super) fn delivery(
    shared: &Shared,
    process: &Process,
    token: u64,
    queued: &Queued,
    (input, run): (&Value, ExecutionId),
) -> (String, Delivery) {
    let plan = &process.plan;
    let message_id = shared.app.new_request_id();
    let mut headers = Map::new();
    let mut set = |name: &str, value: Value| headers.insert(name.to_owned(), value);
    set("messageId", json!(message_id));
    set("threadId", json!(run.to_string()));
    set("execId", json!(run.to_string()));
    set("taskId", json!(plan.flow.to_string()));
    set("userId", json!(plan.owner.user.to_string()));
    set("protocolVersion", json!(1));
    if queued.attempt > 1 {
        set("reboundIteration", json!(queued.attempt - 1));
    }
    if shared.waiting.is_waited_for(run) {
        set("reply_to", json!(format!("{REPLY_PREFIX}{run}")));
    }
    let mut delivery = sealed(&process.cipher, token, headers, input);
    delivery.redelivered = queued.leases > 0;
    (message_id, delivery)
}

/// Returns the delivery of a message with these headers.
pub(super) fn sealed(
    cipher: &Cipher,
    token: u64,
    headers: Map<String, Value>,
    input: &Value,
) -> Delivery {
    let properties = Properties {
        content_type: Some("application/json".to_owned()),
        content_encoding: Some("utf8".to_owned()),
        delivery_mode: Some(2),
        headers,
        ..Properties::default()
    };
    Delivery {
        token,
        exchange: EXCHANGE.to_owned(),
        routing_key: INPUT_KEY.to_owned(),
        redelivered: false,
        properties,
        body: cipher.seal(input).into_bytes(),
    }
}

/// The exchange to which all processes publish.
pub(super) const EXCHANGE: &str = "elastane";
/// The key of messages for a step.
const INPUT_KEY: &str = "input";
/// The key of what a step emits.
pub(super) const DATA_KEY: &str = "message";
/// The key of errors.
pub(super) const ERROR_KEY: &str = "error";
/// The key of messages that are wanted again.
pub(super) const REBOUND_KEY: &str = "rebound";
/// The key of snapshots.
pub(super) const SNAPSHOT_KEY: &str = "snapshot";
/// What keys of replies begin with; the id of the run follows.
pub(super) const REPLY_PREFIX: &str = "reply.";

/// Reads the key under which a run's reply is published.
pub(super) fn run_of_reply_key(key: &str) -> Option<ExecutionId> {
    key.strip_prefix(REPLY_PREFIX)?.parse().ok()
}
