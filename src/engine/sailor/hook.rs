//! Processes that no message asks for: those of real-time flows, which stay up, and the
//! hooks of triggers, which register with a third party when a flow starts and take that
//! back when it stops (`runtime.md 2.3`).

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::fleet::Fleet;
use super::member::Key;
use super::process::{self, How, Launch, Scratch, confined, listen, signal, told};
use crate::app::step_run::StepRun;
use crate::domain::Result;
use crate::domain::flow::FlowStatus;
use crate::domain::id::FlowId;
use crate::domain::run::LogLevel;
use crate::domain::run::part::NewLogEntry;
use crate::engine::plan::FlowPlan;
use crate::engine::shared::Shared;

/// How long a hook may take that takes things back (`runtime.md 2.3`).
const SHUTDOWN_LIMIT: Duration = Duration::from_mins(1);

/// The flows that have processes without messages.
#[derive(Default)]
pub(super) struct Attention {
    /// Those that changed, and are to be looked at.
    changed: HashSet<FlowId>,
    /// Those whose first process has to be started.
    wanted: HashMap<FlowId, Arc<FlowPlan>>,
    /// Those whose start-up hook has run, with what it returned.
    started: HashMap<FlowId, (Arc<FlowPlan>, Value)>,
    /// Those whose hook takes things back at the moment: their triggers wait.
    ending: HashSet<FlowId>,
}

impl Fleet {
    fn attention(&self) -> MutexGuard<'_, Attention> {
        self.attention
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a flow looked at that changed, within a moment.
    pub(in crate::engine) fn notice(&self, flow: FlowId) {
        self.attention().changed.insert(flow);
    }

    /// Tells whether the hook of a flow takes things back at the moment.
    pub(super) fn is_ending(&self, flow: FlowId) -> bool {
        self.attention().ending.contains(&flow)
    }

    /// Looks at flows that changed, and starts the processes that no message asks for.
    pub(super) fn attend(&self, shared: &Shared) {
        if self.api().is_none() {
            return;
        }
        let changed = std::mem::take(&mut self.attention().changed);
        for flow in changed {
            if let Err(error) = self.attend_to(shared, flow) {
                tracing::warn!(causes = %error.causes(), "can't look at a flow: {error}");
                self.notice(flow);
            }
        }
        let wanted: Vec<Arc<FlowPlan>> = self.attention().wanted.values().cloned().collect();
        for plan in wanted {
            if self.raise(shared, &plan) && !plan.is_long_running {
                self.attention().wanted.remove(&plan.flow);
            }
        }
    }

    /// Looks at one flow.
    fn attend_to(&self, shared: &Shared, flow: FlowId) -> Result<()> {
        if self.is_ending(flow) {
            // It is looked at again when that is over.
            return Ok(());
        }
        let plan = shared.plan(flow)?;
        let first = plan.as_ref().map(|plan| &plan.steps[plan.first].id);
        let kept = match first {
            Some(step) => shared.app.startup_data(flow, step)?,
            None => None,
        };
        let mut attention = self.attention();
        attention.wanted.remove(&flow);
        match (&plan, kept) {
            (Some(plan), kept) if plan.status == FlowStatus::Active => {
                let Some(program) = plan.first_program() else {
                    return Ok(());
                };
                if plan.is_long_running || (program.has_startup && kept.is_none()) {
                    attention.wanted.insert(flow, Arc::clone(plan));
                }
                if let Some(data) = kept {
                    attention.started.insert(flow, (Arc::clone(plan), data));
                }
            }
            (Some(plan), _) if plan.status == FlowStatus::Suspended => {}
            (plan, kept) => {
                let known = attention.started.remove(&flow);
                let Some((plan, data)) = plan.clone().zip(kept).or(known) else {
                    return Ok(());
                };
                attention.ending.insert(flow);
                drop(attention);
                self.shut_down(plan, data);
            }
        }
        Ok(())
    }

    /// Starts the first process of a flow where there is none; tells whether it is ready.
    fn raise(&self, shared: &Shared, plan: &Arc<FlowPlan>) -> bool {
        let Some(program) = plan.first_program() else {
            return true;
        };
        if self.endpoint().is_none() {
            return false;
        }
        let mut state = self.state();
        match state.standing(&Key::of(plan, plan.first)) {
            Ok(process) => return process.was_ready,
            Err(may_start) if !may_start => return false,
            Err(_) => {}
        }
        let prefetch = plan.steps[plan.first].rule.prefetch / program.replicas;
        self.start_process(
            shared,
            &mut state,
            (plan, plan.first),
            program,
            prefetch.max(1),
        );
        false
    }

    /// Has a hook take back what the start-up hook did, on a thread of its own.
    fn shut_down(&self, plan: Arc<FlowPlan>, data: Value) {
        let Some(shared) = self.shared() else {
            return;
        };
        let flow = plan.flow;
        let own = Arc::clone(&shared);
        let spawned = crate::thread::spawn("sailor-hook", None, move || {
            if let Err(error) = run(&own, &plan, data) {
                tracing::warn!(flow = %plan.flow, "a shutdown hook: {error}");
            }
            own.fleet.attention().ending.remove(&plan.flow);
            // It may have been started again meanwhile.
            own.fleet.notice(plan.flow);
        });
        if let Err(error) = spawned {
            tracing::warn!(%flow, "a shutdown hook: {error}");
            self.attention().ending.remove(&flow);
        }
    }
}

/// Runs the hook in a process of its own. Its failures are noted in the flow's log and
/// change nothing: the flow is stopped, and what is kept for the hook goes.
fn run(shared: &Arc<Shared>, plan: &FlowPlan, data: Value) -> io::Result<()> {
    let (Some(api), Some(amqp)) = (shared.fleet.api(), shared.fleet.endpoint()) else {
        return Ok(());
    };
    let Some(program) = plan.first_program() else {
        return Ok(());
    };
    let number = shared.fleet.next_number();
    let step = StepRun {
        startup: Some(data),
        ..process::step_run(plan, plan.first, program)
    };
    let dropped = process::step_run(plan, plan.first, program);
    let key = shared.app.begin_step_run(step);
    let secret = shared.app.new_process_secret();
    let place = (plan, plan.first);
    let mut launch = Launch::of(number, place, program, key.clone(), &secret, 1);
    launch.is_shutdown = true;
    let ended = (|| {
        let own = shared.app.variables_of_component(program.build.component);
        let own = own.map_err(|error| told(&error))?;
        let scratch = Scratch::make(shared, number)?;
        let mut child = confined(shared, &launch, &own, &scratch, (api, amqp))?;
        if let Some(stream) = child.stdout.take() {
            listen(shared, &launch, stream, LogLevel::Info);
        }
        if let Some(stream) = child.stderr.take() {
            listen(shared, &launch, stream, LogLevel::Warn);
        }
        let ended = child.wait_at_most(SHUTDOWN_LIMIT);
        signal(child.group, How::Kill);
        match ended {
            Some(Ok(status)) if status.success() => Ok(()),
            Some(Ok(status)) => Err(io::Error::other(format!("it ended with {status}"))),
            Some(Err(error)) => Err(error),
            None => Err(io::Error::other("it took too long")),
        }
    })();
    shared.app.end_step_run(&key);
    if let Err(error) = &ended {
        let entry = NewLogEntry {
            step: Some(launch.step.clone()),
            at_ms: shared.app.now_ms(),
            level: LogLevel::Warn,
            message: format!("the shutdown hook failed: {error}"),
            run: None,
        };
        shared.app.log_step_later(plan.flow, vec![(None, entry)]);
    }
    if shared.is_stopped() {
        // The next server runs it again: nobody knows how far it came.
        return ended;
    }
    shared
        .app
        .drop_startup_data(&dropped)
        .map_err(|error| told(&error))?;
    ended
}
