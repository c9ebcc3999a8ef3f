//! The processes of all steps: which runs what, and what it has in work.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::SailorOptions;
use super::cipher::Cipher;
use super::desk::Desk;
use super::hook::Attention;
use super::member::{InFlight, Key, LEAVE_LIMIT_MS, Process, delivery, input_of};
use super::process;
use crate::amqp::{Consumer, Server, Settings};
use crate::clock::{monotonic_ms, monotonic_us};
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::run::Failure;
use crate::domain::run::part::Queued;
use crate::engine::drive::Ended;
use crate::engine::plan::{FlowPlan, Program, StepFunction};
use crate::engine::shared::Shared;

/// How long a message waits whose processes can't take it now.
const BUSY_RETRY_MS: i64 = 100;

/// The longest wait after a process that ended badly.
const RETRY_MAX_MS: u64 = 60_000;

/// How long the error of a rejected message may take.
const ERROR_WAIT_MS: u64 = 1_000;

/// Ended messages whose late emissions still find their run.
const ORIGINS_KEPT: usize = 1_000;

/// The processes of one step.
#[derive(Default)]
struct Pool {
    processes: Vec<u64>,
    failures: u32,
    not_before_ms: u64,
}

/// What becomes of a message that is handed to a process.
pub(in crate::engine) enum Handed {
    /// A process has it, or will.
    Taken,
    /// Nobody takes it; again after so many milliseconds.
    Later(i64),
}

/// All processes.
pub(in crate::engine) struct Fleet {
    pub(super) options: SailorOptions,
    shared: OnceLock<Weak<Shared>>,
    endpoint: OnceLock<Server>,
    api: OnceLock<SocketAddr>,
    state: Mutex<State>,
    pub(super) attention: Mutex<Attention>,
    left: Condvar,
}

/// What changes.
#[derive(Default)]
pub(super) struct State {
    pools: HashMap<Key, Pool>,
    pub(super) processes: HashMap<u64, Process>,
    pub(super) in_flight: HashMap<u64, InFlight>,
    next: u64,
    /// The run of which a message was handed over last: its seq and its id.
    last_run: Option<(i64, ExecutionId)>,
    is_stopping: bool,
}

impl Fleet {
    /// Makes a fleet without processes.
    pub(in crate::engine) fn new(options: SailorOptions) -> Self {
        Self {
            options,
            shared: OnceLock::new(),
            endpoint: OnceLock::new(),
            api: OnceLock::new(),
            state: Mutex::default(),
            attention: Mutex::default(),
            left: Condvar::new(),
        }
    }

    /// Says whose fleet it is.
    pub(in crate::engine) fn bind(&self, shared: &Arc<Shared>) {
        // It is bound once, when the engine starts.
        let _bound = self.shared.set(Arc::downgrade(shared));
    }

    /// Says where the API answers; processes start from now on.
    pub(in crate::engine) fn set_api(&self, address: SocketAddr) {
        let _set_once = self.api.set(address);
    }

    /// Returns where the API answers.
    pub(super) fn api(&self) -> Option<SocketAddr> {
        self.api.get().copied()
    }

    /// Returns the engine, while it lives.
    pub(super) fn shared(&self) -> Option<Arc<Shared>> {
        self.shared.get()?.upgrade()
    }

    /// Returns the address of the AMQP endpoint, which the first process starts.
    pub(super) fn endpoint(&self) -> Option<SocketAddr> {
        if let Some(server) = self.endpoint.get() {
            return Some(server.address());
        }
        let shared = self.shared()?;
        let desk = Arc::new(Desk::new(&shared));
        match Server::start(Settings::default(), desk) {
            // Where two start at once, the second is dropped, and ends.
            Ok(server) => drop(self.endpoint.set(server)),
            Err(error) => tracing::error!("can't listen for components: {error}"),
        }
        self.endpoint.get().map(Server::address)
    }

    /// Returns a number that no process has.
    pub(super) fn next_number(&self) -> u64 {
        let mut state = self.state();
        state.next += 1;
        state.next
    }

    /// Locks the state. Whoever holds it commits nothing.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message to a process of its step, which is started where there is none.
    pub(in crate::engine) fn hand(
        &self,
        shared: &Shared,
        plan: &Arc<FlowPlan>,
        step: usize,
        queued: &Queued,
    ) -> Handed {
        if self.api.get().is_none() || self.endpoint().is_none() {
            return Handed::Later(BUSY_RETRY_MS);
        }
        let Some(input) = input_of(shared, plan, step, queued) else {
            return Handed::Later(BUSY_RETRY_MS);
        };
        let Some(run) = self.run_of(shared, queued.execution) else {
            return Handed::Later(BUSY_RETRY_MS);
        };
        // Before anybody can be done with it.
        shared.with_board(|board| board.hand_over(queued));
        let mut state = self.state();
        let key = Key::of(plan, step);
        let now_ms = monotonic_ms();
        let pool = state.pools.entry(key.clone()).or_default();
        if pool.not_before_ms > now_ms {
            let wait_ms = pool.not_before_ms - now_ms;
            return Handed::Later(i64::try_from(wait_ms).unwrap_or(BUSY_RETRY_MS));
        }
        let Some(process) = self.process_for(shared, &mut state, plan, step, &key) else {
            return Handed::Later(BUSY_RETRY_MS);
        };
        state.next += 1;
        let token = state.next;
        let known = &state.processes[&process];
        let (message_id, delivery) = delivery(shared, known, token, queued, (&input, run));
        let in_flight = InFlight {
            process,
            queued: queued.clone(),
            message_id,
            began_ms: shared.app.now_ms(),
            began_us: monotonic_us(),
            ended: Ended::default(),
            error_until_ms: None,
            delivery,
            is_out: false,
            until_ms: if plan.stays_up(step) {
                u64::MAX
            } else {
                now_ms + shared.options.step_limit_ms
            },
        };
        state.in_flight.insert(token, in_flight);
        if let Some(process) = state.processes.get_mut(&process) {
            process.tokens.push(token);
        }
        state.deliver(process);
        Handed::Taken
    }

    /// Returns the id of a run by its seq: mostly that of the message before.
    fn run_of(&self, shared: &Shared, seq: i64) -> Option<ExecutionId> {
        if let Some((known, id)) = self.state().last_run
            && known == seq
        {
            return Some(id);
        }
        let id = shared.app.execution_id_of(seq).ok()??;
        self.state().last_run = Some((seq, id));
        Some(id)
    }

    /// Returns a process with room, which is started where there is none.
    fn process_for(
        &self,
        shared: &Shared,
        state: &mut State,
        plan: &Arc<FlowPlan>,
        step: usize,
        key: &Key,
    ) -> Option<u64> {
        let StepFunction::Process(program) = plan.steps[step].function.as_ref().ok()? else {
            return None;
        };
        let prefetch = (plan.steps[step].rule.prefetch / program.replicas).max(1);
        let numbers = state.pools.get(key).map(|pool| pool.processes.clone())?;
        let least = numbers
            .iter()
            .filter_map(|number| Some((state.processes.get(number)?, *number)))
            .filter(|(process, _)| !process.is_leaving)
            .map(|(process, number)| (process.tokens.len(), number))
            .min();
        match least {
            Some((0, number)) => return Some(number),
            Some((count, number)) if numbers.len() >= program.replicas => {
                return (count < prefetch).then_some(number);
            }
            _ => {}
        }
        self.start_process(shared, state, (plan, step), program, prefetch)
    }

    /// Starts a process of a step; none where that can't be now.
    pub(super) fn start_process(
        &self,
        shared: &Shared,
        state: &mut State,
        (plan, step): (&Arc<FlowPlan>, usize),
        program: &Program,
        prefetch: usize,
    ) -> Option<u64> {
        if state.is_stopping || (step == plan.first && self.is_ending(plan.flow)) {
            return None;
        }
        let key = Key::of(plan, step);
        state.next += 1;
        let number = state.next;
        let run = process::step_run(plan, step, program);
        let now_ms = monotonic_ms();
        let random = shared.app.new_process_secret();
        let process = Process {
            key: key.clone(),
            plan: Arc::clone(plan),
            step,
            cipher: Cipher::new(&random.0, random.1),
            password: random.0.clone(),
            step_key: shared.app.begin_step_run(run),
            consumer: None,
            was_ready: false,
            is_leaving: false,
            stays_up: plan.stays_up(step),
            group: None,
            last_error: None,
            tokens: Vec::new(),
            began_ms: now_ms,
            idle_since_ms: now_ms,
            kill_at_ms: None,
            origins: VecDeque::new(),
        };
        let step_key = process.step_key.clone();
        let launch =
            process::Launch::of(number, (plan, step), program, step_key, &random, prefetch);
        state.processes.insert(number, process);
        let pool = state.pools.entry(key).or_default();
        pool.processes.push(number);
        let shared = self.shared()?;
        if process::start(&shared, launch).is_err() {
            state.remove(number);
            return None;
        }
        Some(number)
    }

    /// Takes a consumer over: its process is ready.
    pub(super) fn ready(&self, number: u64, consumer: Consumer) -> Result<(), String> {
        let mut state = self.state();
        let Some(process) = state.processes.get_mut(&number) else {
            return Err("the process is gone".to_owned());
        };
        let is_first = !process.was_ready;
        process.was_ready = true;
        process.consumer = Some(consumer);
        process.idle_since_ms = monotonic_ms();
        let key = process.key.clone();
        let is_first_step = process.step == process.plan.first;
        let had_failures = state.pools.get(&key).is_some_and(|pool| pool.failures > 0);
        state.deliver(number);
        drop(state);
        if is_first && is_first_step {
            // Its start-up hook has run.
            self.notice(key.flow);
        }
        if is_first
            && had_failures
            && let Some(shared) = self.shared()
            && let Err(error) = shared.app.note_start(key.flow)
        {
            tracing::warn!(causes = %error.causes(), "can't note a start: {error}");
        }
        Ok(())
    }

    /// Takes a message out that a process is done with.
    pub(super) fn take(&self, token: u64) -> Option<(InFlight, Arc<FlowPlan>, usize)> {
        let mut state = self.state();
        let in_flight = state.in_flight.remove(&token)?;
        let process = state.processes.get_mut(&in_flight.process)?;
        process.tokens.retain(|known| *known != token);
        process.idle_since_ms = monotonic_ms();
        if process.origins.len() >= ORIGINS_KEPT {
            process.origins.pop_front();
        }
        let origin = in_flight.origin();
        process
            .origins
            .push_back((in_flight.message_id.clone(), origin));
        let (plan, step, key) = (Arc::clone(&process.plan), process.step, process.key.clone());
        if let Some(pool) = state.pools.get_mut(&key) {
            pool.failures = 0;
        }
        Some((in_flight, plan, step))
    }

    /// Hears that a message was rejected. Returns whether its error came already: the first
    /// sailors send both at once, so the error may be the second.
    pub(super) fn rejected(&self, token: u64) -> bool {
        let mut state = self.state();
        let Some(in_flight) = state.in_flight.get_mut(&token) else {
            return false;
        };
        if in_flight.ended.failure.is_none() {
            in_flight.error_until_ms = Some(monotonic_ms() + ERROR_WAIT_MS);
        }
        in_flight.error_until_ms.is_none()
    }

    /// Hears that a message came back undone: its connection ended. While the process
    /// lives it may come again, and has the message then.
    pub(super) fn returned(&self, token: u64) {
        let mut state = self.state();
        if let Some(in_flight) = state.in_flight.get_mut(&token) {
            in_flight.is_out = false;
            in_flight.delivery.redelivered = true;
        }
    }

    /// Hears that a process is gone, and why.
    pub(super) fn exited(&self, number: u64, how: &str) {
        let Some(shared) = self.shared() else {
            return;
        };
        let mut state = self.state();
        let is_stopping = state.is_stopping;
        let Some((process, lost)) = state.remove(number) else {
            return;
        };
        let is_failed = !process.is_leaving && !is_stopping;
        let delay_ms = if is_failed {
            state.back_off(&process.key, self.options.retry_ms)
        } else {
            0
        };
        drop(state);
        self.left.notify_all();
        shared.app.end_step_run(&process.step_key);
        if is_stopping {
            // What it had in work stays in the queue.
            return;
        }
        if is_failed && !process.was_ready {
            let reason = process.last_error.as_deref().unwrap_or(how);
            let key = &process.key;
            let noted = shared.app.note_start_failure(key.flow, &key.step, reason);
            if let Err(error) = noted {
                tracing::error!(causes = %error.causes(), "can't note a failed start: {error}");
            }
        }
        if is_failed && process.was_ready {
            process::note_death(&shared, &process.key, how);
        }
        for mut in_flight in lost {
            // What was in work when a process died may be what killed it.
            if is_failed && process.was_ready {
                in_flight.queued.leases += 1;
            }
            let due_at_ms = shared.app.now_ms() + i64::try_from(delay_ms).unwrap_or(0);
            shared.with_board(|board| board.put_back(vec![in_flight.queued], due_at_ms));
        }
        shared.wake();
    }

    /// Ends the processes of a flow that changed: they know the old configuration.
    pub(in crate::engine) fn retire(&self, flow: FlowId) {
        let mut state = self.state();
        state.pools.retain(|key, pool| {
            if key.flow == flow {
                pool.not_before_ms = 0;
            }
            key.flow != flow || !pool.processes.is_empty()
        });
        for process in state.processes.values_mut() {
            if process.key.flow == flow {
                process.leave();
            }
        }
    }

    /// Ends what is idle, stuck or late; called every moment.
    pub(in crate::engine) fn look_after(&self, shared: &Shared) {
        self.attend(shared);
        let now_ms = monotonic_ms();
        let (mut late, mut silent) = (Vec::new(), Vec::new());
        let mut state = self.state();
        for (token, in_flight) in &state.in_flight {
            if in_flight.error_until_ms.is_some_and(|at| at <= now_ms) {
                silent.push(*token);
            } else if in_flight.is_out && in_flight.until_ms <= now_ms {
                late.push((*token, in_flight.process));
            }
        }
        for process in state.processes.values_mut() {
            let is_stuck = !process.was_ready
                && now_ms.saturating_sub(process.began_ms) > self.options.start_limit_ms;
            let is_idle = process.was_ready
                && !process.stays_up
                && process.tokens.is_empty()
                && now_ms.saturating_sub(process.idle_since_ms) > self.options.idle_ms;
            if is_stuck {
                process
                    .last_error
                    .get_or_insert_with(|| "it took too long to start".to_owned());
                process.kill();
            } else if process.kill_at_ms.is_some_and(|at| at <= now_ms) {
                process.kill();
            } else if is_idle {
                process.leave();
            }
        }
        drop(state);
        for token in silent {
            if let Some((mut in_flight, plan, step)) = self.take(token) {
                in_flight.ended.failure = Some(super::outcome::rejected());
                super::outcome::end(shared, &plan, step, in_flight);
            }
        }
        for (token, number) in late {
            self.expire(shared, token, number);
        }
    }

    /// Ends a message that took too long, and the process that holds it.
    fn expire(&self, shared: &Shared, token: u64, number: u64) {
        let Some((mut in_flight, plan, step)) = self.take(token) else {
            return;
        };
        let limit_s = shared.options.step_limit_ms / 1_000;
        let text = format!("the step did not end within {limit_s} s");
        in_flight.ended.failure = Some(Failure::named("TimeoutError", text));
        in_flight.ended.rebound = None;
        super::outcome::end(shared, &plan, step, in_flight);
        let mut state = self.state();
        if let Some(process) = state.processes.get_mut(&number) {
            process.is_leaving = true;
            process.kill();
        }
    }

    /// Ends all processes: what they have in work may finish, within the limit.
    pub(in crate::engine) fn stop(&self) {
        let mut state = self.state();
        state.is_stopping = true;
        for process in state.processes.values_mut() {
            process.leave();
        }
        let limit = Duration::from_millis(LEAVE_LIMIT_MS);
        let waited = self
            .left
            .wait_timeout_while(state, limit, |state| !state.processes.is_empty());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        for process in state.processes.values_mut() {
            process.kill();
        }
        let waited = self
            .left
            .wait_timeout_while(state, limit, |state| !state.processes.is_empty());
        drop(waited);
        if let Some(server) = self.endpoint.get() {
            server.stop();
        }
    }
}

impl State {
    /// Returns a process of a step that does not leave; else whether one may be started.
    pub(super) fn standing(&self, key: &Key) -> Result<&Process, bool> {
        let Some(pool) = self.pools.get(key) else {
            return Err(true);
        };
        let mut all = pool
            .processes
            .iter()
            .filter_map(|it| self.processes.get(it));
        let found = all.find(|process| !process.is_leaving);
        found.ok_or(pool.not_before_ms <= monotonic_ms())
    }

    /// Delivers what waits for a process that is ready.
    fn deliver(&mut self, number: u64) {
        let Some(process) = self.processes.get_mut(&number) else {
            return;
        };
        let Some(consumer) = process.consumer.clone() else {
            return;
        };
        let in_flight = &self.in_flight;
        let waiting = process.tokens.iter().filter(|token| {
            let known = in_flight.get(token);
            known.is_some_and(|known| !known.is_out)
        });
        let waiting: Vec<u64> = waiting.copied().collect();
        let deliveries = waiting.iter().map(|it| in_flight[it].delivery.clone());
        if !consumer.deliver_all(deliveries) {
            process.consumer = None;
            return;
        }
        for token in waiting {
            if let Some(in_flight) = self.in_flight.get_mut(&token) {
                in_flight.is_out = true;
            }
        }
    }

    /// Takes a process out, with what it had in work.
    fn remove(&mut self, number: u64) -> Option<(Process, Vec<InFlight>)> {
        let process = self.processes.remove(&number)?;
        if let Some(pool) = self.pools.get_mut(&process.key) {
            pool.processes.retain(|known| *known != number);
            if pool.processes.is_empty() && pool.failures == 0 {
                self.pools.remove(&process.key);
            }
        }
        let tokens = process.tokens.iter();
        let lost = tokens.filter_map(|token| self.in_flight.remove(token));
        let lost = lost.collect();
        Some((process, lost))
    }

    /// Makes a step wait before its next process; returns for how many milliseconds.
    fn back_off(&mut self, key: &Key, first_ms: u64) -> u64 {
        let pool = self.pools.entry(key.clone()).or_default();
        let delay_ms = (first_ms << pool.failures.min(6)).min(RETRY_MAX_MS);
        pool.failures += 1;
        pool.not_before_ms = monotonic_ms() + delay_ms;
        delay_ms
    }
}
