//! The engine: a started flow really runs, message by message, step by step.
//!
//! Modules here use the domain and the application's verbs; none knows SQL or the
//! HTTP server. The smaller ones are plain libraries, with time and data as arguments.
//!
//! A message is accepted when it is on disk. From there the planning core ([`run`])
//! says what comes next and the driver does it: pure steps in memory, one slice at a
//! time, each committed as one transaction with everything that follows from it. The
//! [`board`] says which message is next. What is in work when the server dies is still
//! in the queue, so it is done again: at least once.

pub mod board;
mod clockwork;
pub mod component;
pub mod components;
mod drive;
mod gateway;
mod in_hand;
mod parts;
pub mod plan;
pub mod run;
mod runtime;
mod sailor;
pub mod script;
mod shared;
mod slice;
mod waiting;
mod webhook_auth;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

pub use runtime::Runtime;
pub use sailor::{Emission, SailorOptions, SingleRun};

use crate::app::App;
use crate::clock::monotonic_ms;
use crate::domain::organization::Owner;
use crate::domain::{Error, Result};
use shared::Shared;

/// The threads that work on messages: most of them wait for others, for answers of
/// other machines mostly.
pub const WORKERS: usize = 16;

/// How long a webhook call waits for the flow's reply (`settled.md`).
pub const REPLY_TIMEOUT_MS: u64 = 30_000;

/// How often a message may be put back (`settled.md`).
pub const REBOUND_LIMIT: u32 = 10;

/// How long a step may work on a message: the time limit that components of the platform
/// knew (`runtime.md 2.1`).
pub const STEP_LIMIT_MS: u64 = 20 * 60 * 1_000;

/// The stack of a worker: an embedded script and a deep message fit.
const WORKER_STACK_BYTES: usize = 4 * 1024 * 1024;

/// How long steps in work may take to finish when the engine ends.
const STOP_GRACE_MS: u64 = 10_000;

/// How often an ending engine looks whether its threads have ended.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What the operator set for the engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The threads that work on messages.
    pub workers: usize,
    /// How long a webhook call waits for the flow's reply, in milliseconds.
    pub reply_timeout_ms: u64,
    /// How often a message may be put back.
    pub rebound_limit: u32,
    /// How long a step may work on a message, in milliseconds; then it failed.
    pub step_limit_ms: u64,
    /// What the operator set for processes of components.
    pub sailor: SailorOptions,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            workers: WORKERS,
            reply_timeout_ms: REPLY_TIMEOUT_MS,
            rebound_limit: REBOUND_LIMIT,
            step_limit_ms: STEP_LIMIT_MS,
            sailor: SailorOptions::default(),
        }
    }
}

/// A running engine.
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// Takes up what the database holds and begins to work.
    ///
    /// One engine runs over one database: the caller holds the server's lock.
    pub fn start(app: &App, options: EngineOptions) -> Result<Self> {
        let shared = Arc::new(Shared::open(app.clone(), options)?);
        app.set_component_runtime(Arc::new(Runtime {
            shared: Some(Arc::clone(&shared)),
        }));
        shared.fleet.bind(&shared);
        for flow in app.flows_to_attend()? {
            shared.fleet.notice(flow);
        }
        let engine = Self { shared };
        engine.spawn("schedule", clockwork::keep_schedule)?;
        engine.spawn("engine-watch", clockwork::watch)?;
        engine.spawn("sailors", clockwork::look_after_processes)?;
        for number in 0..engine.shared.options.workers {
            engine.spawn(&format!("worker-{number}"), workers::work)?;
        }
        Ok(engine)
    }

    /// Starts a thread of the engine; where that fails, those before it end.
    fn spawn(&self, name: &str, body: fn(&Arc<Shared>)) -> Result<()> {
        let spawned = spawn(&self.shared, name, body);
        if spawned.is_err() {
            self.stop();
        }
        spawned
    }

    /// Ends the engine: steps in work finish, everything else stays in the queues.
    pub fn stop(&self) {
        self.shared.stop();
        self.shared.fleet.stop();
        let threads = self.shared.take_threads();
        let until_ms = monotonic_ms() + STOP_GRACE_MS;
        for thread in threads {
            while !thread.is_finished() && monotonic_ms() < until_ms {
                std::thread::sleep(LOOK_EVERY);
            }
            if thread.is_finished() {
                // A panic was logged where it happened.
                let _ = thread.join();
            } else {
                tracing::warn!("a step did not end in time; it is done again at the next start");
            }
        }
        self.shared.app.clear_component_runtime();
        if let Err(error) = self.shared.release_all() {
            tracing::warn!(causes = %error.causes(), "can't release the queues: {error}");
        }
    }

    /// Says where the API answers: processes of components ask there, and start from now
    /// on.
    pub fn set_api(&self, address: std::net::SocketAddr) {
        self.shared.fleet.set_api(address);
    }

    /// Runs one message through a function of a folder, without a flow; `hear` is told all
    /// that it emits and logs, as it comes. A process that ends in the middle, or takes too
    /// long, is told as an error of the component.
    ///
    /// Errors: the process can't be started.
    pub fn run_single(&self, run: &SingleRun, hear: &mut dyn FnMut(Emission)) -> Result<()> {
        sailor::run_single(&self.shared, run, hear)
    }

    /// Returns how many messages wait for each step of a flow, or are in work.
    pub fn queue_sizes(&self, flow: crate::domain::id::FlowId) -> Vec<(String, u64)> {
        self.shared.with_board(|board| board.sizes(flow))
    }
}

/// Starts a thread of the engine.
fn spawn(shared: &Arc<Shared>, name: &str, body: fn(&Arc<Shared>)) -> Result<()> {
    let own = Arc::clone(shared);
    let thread = crate::thread::spawn(name, Some(WORKER_STACK_BYTES), move || body(&own));
    let thread = thread.map_err(|error| {
        Error::unavailable("the system has no threads left", 1).caused_by(error)
    })?;
    shared.add_thread(thread);
    Ok(())
}

/// Returns a lookup table of the flow's owner by id or title; one that can't be read is
/// not there, which is logged.
fn lookup_table(app: &App, owner: Owner, name: &str) -> Option<Map<String, Value>> {
    match app.lookup_for(owner, name) {
        Ok(found) => found.map(|lookup| lookup.data),
        Err(error) => {
            tracing::error!(causes = %error.causes(), "can't read a lookup table: {error}");
            None
        }
    }
}
