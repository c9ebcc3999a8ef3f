//! What all threads of the engine share: the board, the compiled flows, and whoever
//! waits for an answer.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::EngineOptions;
use super::board::{Board, Taken, WINDOW};
use super::drive::Driver;
use super::in_hand::InHand;
use super::parts::Parts;
use super::plan::FlowPlan;
use super::sailor::Fleet;
use super::slice::CANCELLED;
use super::waiting::{Heard, Waiting};
use crate::app::App;
use crate::app::run::PartData;
use crate::domain::flow::FlowStatus;
use crate::domain::flow::event::FlowEventKind;
use crate::domain::id::FlowId;
use crate::domain::run::RunStatus;
use crate::domain::run::part::{
    CommittedRun, MessageRef, NewQueued, PartMessage, Queued, RunPart, StepRecord,
};
use crate::domain::{Error, Kind, Result};

/// The flows that are kept compiled: more than run in any minute.
const PLANS_MAX: usize = 20_000;

/// The older versions of flows that are kept compiled: those that are retried now.
const OLD_PLANS_MAX: usize = 64;

/// How long a worker sleeps at most: a wall clock that was set forward is noticed.
const SLEEP_MAX_MS: i64 = 30_000;

/// How long a worker waits after a read that failed, before it is tried again.
const READ_RETRY: Duration = Duration::from_secs(1);

/// How long a commit waits that could not be made, before it is tried again.
const COMMIT_RETRY: Duration = Duration::from_millis(500);

/// The messages before which steps rest at once. Those of stopped flows are never asked
/// for again, and make way; who is forgotten for that rests once more.
const RESTED_MAX: usize = 10_000;

/// The runs of a flow after which its oldest bodies are looked at.
const PRUNE_EVERY: u32 = 250;

/// What all threads of the engine share.
pub(super) struct Shared {
    pub(super) app: App,
    pub(super) options: EngineOptions,
    pub(super) parts: Parts,
    /// The processes of steps that are not built in.
    pub(super) fleet: Fleet,
    board: Mutex<Board>,
    ready: Condvar,
    /// Rings when a worker let messages go: others may wait to commit after them.
    let_go: Condvar,
    plans: RwLock<HashMap<FlowId, Arc<FlowPlan>>>,
    /// Compiled older versions of flows, for runs that keep to them.
    old_plans: Mutex<HashMap<(FlowId, i64), Arc<FlowPlan>>>,
    pub(super) waiting: Waiting,
    pub(super) in_hand: InHand,
    /// The steps whose component could not be started.
    start_failed: Mutex<HashSet<(FlowId, String)>>,
    /// Messages before which their step rests, or has rested.
    rested: Mutex<HashSet<i64>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    last_event: Mutex<i64>,
    runs_since_prune: Mutex<HashMap<FlowId, u32>>,
    to_prune: Mutex<HashSet<FlowId>>,
    stopped: AtomicBool,
    alarm: Mutex<bool>,
    alarm_rang: Condvar,
}

impl Shared {
    /// Takes up what the database holds: unfinished runs, queues.
    pub(super) fn open(app: App, options: EngineOptions) -> Result<Self> {
        let last_event = app.last_flow_event()?;
        let ended = app.end_orphaned_runs()?;
        if ended > 0 {
            tracing::warn!(ended, "runs that a server left behind were ended");
        }
        app.arm_schedules()?;
        let mut board = Board::new(options.workers, app.rules().limits);
        for size in app.queue_sizes()? {
            board.found(size.flow, &size.step, size.messages, size.bytes);
        }
        Ok(Self {
            parts: Parts::new(app.clone()),
            fleet: Fleet::new(options.sailor.clone()),
            app,
            options,
            board: Mutex::new(board),
            ready: Condvar::new(),
            let_go: Condvar::new(),
            plans: RwLock::new(HashMap::new()),
            old_plans: Mutex::new(HashMap::new()),
            waiting: Waiting::default(),
            in_hand: InHand::default(),
            start_failed: Mutex::new(HashSet::new()),
            rested: Mutex::new(HashSet::new()),
            threads: Mutex::new(Vec::new()),
            last_event: Mutex::new(last_event),
            runs_since_prune: Mutex::new(HashMap::new()),
            to_prune: Mutex::new(HashSet::new()),
            stopped: AtomicBool::new(false),
            alarm: Mutex::new(false),
            alarm_rang: Condvar::new(),
        })
    }

    /// Runs `body` on the board; nothing in it may wait or read the database.
    pub(super) fn with_board<T>(&self, body: impl FnOnce(&mut Board) -> T) -> T {
        body(&mut self.board.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Wakes the workers.
    pub(super) fn wake(&self) {
        self.ready.notify_all();
        self.let_go.notify_all();
    }

    /// Waits until messages before these are committed, where that is outstanding, or the
    /// engine ends.
    pub(super) fn wait_for_turn(&self, messages: &[Queued]) {
        let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |board: &mut Board| board.is_overtaking(messages) && !self.is_stopped();
        drop(self.let_go.wait_while(board, waits));
    }

    /// Wakes as many workers as there are new messages: each looks at the board and wakes
    /// nobody else, so a call that queues nothing costs no switch of threads.
    fn wake_for(&self, messages: usize) {
        match messages {
            0 => {}
            1 => self.ready.notify_one(),
            _ => self.ready.notify_all(),
        }
    }

    /// Returns what to do next, and waits until there is something; none when the engine
    /// ends. Looking and falling asleep are one act under the lock of the board, so no
    /// message arrives in between unheard.
    pub(super) fn next(&self) -> Option<Taken> {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.is_stopped() {
            let now_ms = self.app.now_ms();
            let until_ms = match board.take(now_ms) {
                Taken::Nothing { until_ms } => until_ms,
                taken => return Some(taken),
            };
            let wait_ms = until_ms.map_or(SLEEP_MAX_MS, |until| until - now_ms);
            let wait_ms = u64::try_from(wait_ms.clamp(1, SLEEP_MAX_MS)).unwrap_or(1);
            let waited = self
                .ready
                .wait_timeout(board, Duration::from_millis(wait_ms));
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    /// Tells whether the engine ends.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Says that the engine ends.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Whoever looked before is asleep once the lock is had.
        self.with_board(|_| ());
        self.wake();
        self.ring();
    }

    /// Wakes the schedule: something may be due earlier than it thought.
    pub(super) fn ring(&self) {
        *self.alarm.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.alarm_rang.notify_all();
    }

    /// Waits until the schedule is woken, at most `limit`.
    pub(super) fn wait_for_alarm(&self, limit: Duration) {
        let alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .alarm_rang
            .wait_timeout_while(alarm, limit, |rang| !*rang && !self.is_stopped());
        let (mut alarm, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *alarm = false;
    }

    /// Returns a compiled flow; none where the flow is gone.
    pub(super) fn plan(&self, flow: FlowId) -> Result<Option<Arc<FlowPlan>>> {
        let kept = self.plans.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = kept.get(&flow) {
            return Ok(Some(Arc::clone(plan)));
        }
        drop(kept);
        // Events that arrive while it is compiled make it stale, so it is not kept then.
        let before = *self.last_event();
        let Some(runnable) = self.app.runnable_flow(flow)? else {
            return Ok(None);
        };
        let plan = Arc::new(FlowPlan::compile(runnable));
        let last = self.last_event();
        if *last == before {
            let mut plans = self.plans.write().unwrap_or_else(PoisonError::into_inner);
            if plans.len() >= PLANS_MAX {
                plans.clear();
            }
            plans.insert(flow, Arc::clone(&plan));
        }
        Ok(Some(plan))
    }

    /// Returns the compiled flow for a message: of the version that its run keeps to,
    /// else of the present one. None where the flow is gone; its versions live as long.
    pub(super) fn plan_of(
        &self,
        flow: FlowId,
        version: Option<i64>,
    ) -> Result<Option<Arc<FlowPlan>>> {
        let Some(present) = self.plan(flow)? else {
            return Ok(None);
        };
        let Some(version) = version.filter(|version| *version != present.version) else {
            return Ok(Some(present));
        };
        let key = (flow, version);
        if let Some(plan) = self.old_plans().get(&key) {
            return Ok(Some(Arc::clone(plan)));
        }
        let before = *self.last_event();
        let Some(runnable) = self.app.runnable_flow_at(flow, version)? else {
            return Ok(Some(present));
        };
        let plan = Arc::new(FlowPlan::compile(runnable));
        let last = self.last_event();
        if *last == before {
            let mut plans = self.old_plans();
            if plans.len() >= OLD_PLANS_MAX {
                plans.clear();
            }
            plans.insert(key, Arc::clone(&plan));
        }
        Ok(Some(plan))
    }

    /// Locks the seq of the last event that was taken over. Whoever locks plans too locks
    /// this first.
    fn last_event(&self) -> MutexGuard<'_, i64> {
        self.last_event
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the compiled older versions of flows.
    fn old_plans(&self) -> MutexGuard<'_, HashMap<(FlowId, i64), Arc<FlowPlan>>> {
        self.old_plans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what verbs did, in this process or another.
    pub(super) fn take_events(&self) -> Result<()> {
        let mut last = self.last_event();
        loop {
            let events = self.app.flow_events(*last)?;
            let Some(newest) = events.last().map(|event| event.seq) else {
                return Ok(());
            };
            for event in events {
                match event.kind {
                    FlowEventKind::Changed => self.flow_changed(event.flow)?,
                    FlowEventKind::Queued => self.row_queued(event.object)?,
                    FlowEventKind::Cancelled => self.run_cancelled(event.flow, event.object)?,
                }
            }
            *last = newest;
            self.wake();
            self.ring();
        }
    }

    /// Reads a changed flow anew.
    fn flow_changed(&self, flow: FlowId) -> Result<()> {
        self.plans
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&flow);
        self.old_plans().retain(|(of, _), _| *of != flow);
        self.fleet.retire(flow);
        self.fleet.notice(flow);
        // Forgotten first: what is committed after this is told to the board itself, and
        // what came before is in the sizes.
        self.with_board(|board| board.forget(flow));
        let sizes = self.app.queue_sizes_of(flow)?;
        self.with_board(|board| {
            for size in sizes {
                board.found(size.flow, &size.step, size.messages, size.bytes);
            }
        });
        self.tell_the_waiting(flow)
    }

    /// Tells the calls whose runs of a flow were ended, or do not go on for now.
    fn tell_the_waiting(&self, flow: FlowId) -> Result<()> {
        for run in self.waiting.runs_of(flow) {
            let why = match self.app.standing_of(flow, run)? {
                (None, _) => "the flow was deleted",
                (Some(FlowStatus::Inactive), Some(RunStatus::Cancelled)) => "the flow was stopped",
                (_, Some(RunStatus::Cancelled)) => CANCELLED,
                (Some(FlowStatus::Suspended), Some(RunStatus::Waiting | RunStatus::Running)) => {
                    "the flow was suspended; the message waits for its start"
                }
                _ => continue,
            };
            self.waiting.tell(run, Heard::Ended(why));
        }
        Ok(())
    }

    /// Takes up a message that a verb queued.
    fn row_queued(&self, seq: Option<i64>) -> Result<()> {
        let Some(row) = seq.map(|seq| self.app.queued(seq)).transpose()?.flatten() else {
            return Ok(());
        };
        let now_ms = self.app.now_ms();
        self.with_board(|board| board.push(row, now_ms));
        Ok(())
    }

    /// Forgets a cancelled run.
    fn run_cancelled(&self, flow: FlowId, seq: Option<i64>) -> Result<()> {
        if let Some(seq) = seq {
            self.with_board(|board| board.forget_run(flow, seq));
        }
        self.tell_the_waiting(flow)
    }

    /// Reads rows of a step for the board.
    pub(super) fn read_rows(&self, flow: FlowId, step: &str, after: i64) {
        let limit = u32::try_from(WINDOW).unwrap_or(u32::MAX);
        let rows = self.app.queued_for(flow, step, after, limit);
        let now_ms = self.app.now_ms();
        match rows {
            Ok(rows) => self.with_board(|board| board.read(flow, step, rows, now_ms)),
            Err(error) => {
                tracing::error!(causes = %error.causes(), "can't read a queue: {error}");
                std::thread::sleep(READ_RETRY);
                self.with_board(|board| board.found(flow, step, 0, 0));
            }
        }
        self.wake();
    }

    /// Tells which steps of a flow have messages that wait, but for `taken`, whose head
    /// is being worked on.
    pub(super) fn backlog(&self, plan: &FlowPlan, taken: Option<usize>) -> Vec<bool> {
        self.with_board(|board| {
            let steps = plan.steps.iter().enumerate();
            steps
                .map(|(at, step)| taken != Some(at) && board.has_backlog(plan.flow, &step.id))
                .collect()
        })
    }

    /// Tells the board how the steps of a flow are worked on, unless the flow changed
    /// while that was found out.
    pub(super) fn read_rules(&self, flow: FlowId, ticket: u64) {
        match self.plan(flow) {
            Ok(Some(plan)) => {
                let is_suspended = plan.status == FlowStatus::Suspended;
                self.with_board(|board| {
                    if board.is_asked(flow, ticket) {
                        board.set_rules(flow, plan.rules(), is_suspended);
                    }
                });
            }
            Ok(None) => self.with_board(|board| board.forget(flow)),
            Err(error) => {
                tracing::error!(causes = %error.causes(), "can't read a flow: {error}");
                std::thread::sleep(READ_RETRY);
                self.with_board(|board| board.ask_again(flow));
            }
        }
        self.wake();
    }

    /// Returns a driver of a flow.
    pub(super) fn driver<'a>(&'a self, plan: &'a FlowPlan) -> Driver<'a> {
        Driver::new(&self.app, plan, &self.parts, self.options.rebound_limit)
    }

    /// Commits what a driver did and makes it known: to the board, to who waits.
    ///
    /// Where the disk is full or somebody holds the database, this is tried again, so many
    /// times in all: what the steps did outside is done, and must not be done again for it.
    pub(super) fn commit(
        &self,
        mut driver: Driver<'_>,
        plan: &FlowPlan,
        needs_active: bool,
        tries: u32,
    ) -> Result<Vec<CommittedRun>> {
        let slice = Arc::new(self.persevere(tries, || driver.take_slice(needs_active))?);
        let committed = self.persevere(tries, || self.app.commit_slice(Arc::clone(&slice)));
        let done = committed.inspect_err(|_| self.app.drop_slice(&slice))?;
        let now_ms = self.app.now_ms();
        let mut queued = 0;
        let runs = driver.runs.into_iter().zip(&slice.runs).zip(&done);
        for ((mut own, part), run) in runs {
            let heard = own.heard(run.status);
            let rows = rows_of(plan, run, &own.queued, now_ms);
            queued += rows.len();
            if !rows.is_empty() {
                let data = PartData {
                    bytes: bytes_of(part),
                    ..stored(own.steps, own.messages, run.part)
                };
                self.parts.keep(run.seq, run.part, Arc::new(data));
                self.with_board(|board| {
                    for row in rows {
                        board.push(row, now_ms);
                    }
                });
            }
            if let Some(heard) = heard {
                self.waiting.tell(run.id, heard);
            }
        }
        self.wake_for(queued);
        self.prune_sometimes(plan.flow, done.len());
        Ok(done)
    }

    /// Does what may be refused for a while, at most so many times, until the engine ends.
    fn persevere<T>(&self, tries: u32, mut body: impl FnMut() -> Result<T>) -> Result<T> {
        let mut attempt = 1;
        loop {
            match body() {
                Err(error) if error.kind() == Kind::Unavailable && attempt < tries => {
                    if self.is_stopped() {
                        return Err(error);
                    }
                    if attempt == 1 {
                        tracing::warn!(causes = %error.causes(), "can't commit a step yet: {error}");
                    }
                    attempt += 1;
                    std::thread::sleep(COMMIT_RETRY);
                }
                result => return result,
            }
        }
    }

    /// Notes that the component of a step could not be started.
    pub(super) fn start_failed(&self, flow: FlowId, step: &str) {
        let mut failed = self.failed_starts();
        failed.insert((flow, step.to_owned()));
    }

    /// Notes that a step was done: its component could be started.
    pub(super) fn start_worked(&self, flow: FlowId, step: &str) {
        let mut failed = self.failed_starts();
        if !failed.is_empty() && failed.remove(&(flow, step.to_owned())) {
            self.app.forget_start_failures(flow);
        }
    }

    /// Locks the steps whose component could not be started.
    fn failed_starts(&self) -> MutexGuard<'_, HashSet<(FlowId, String)>> {
        self.start_failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether the step of a message has rested before it, which is asked twice: it
    /// rests when that is asked first.
    pub(super) fn has_rested(&self, seq: i64) -> bool {
        let mut rested = self.rested.lock().unwrap_or_else(PoisonError::into_inner);
        if rested.remove(&seq) {
            return true;
        }
        if rested.len() >= RESTED_MAX {
            rested.clear();
        }
        rested.insert(seq);
        false
    }

    /// Keeps a thread of the engine until the engine ends.
    pub(super) fn add_thread(&self, thread: JoinHandle<()>) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that were replaced and came back are done with.
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }

    /// Returns the threads of the engine, to wait for their ends.
    pub(super) fn take_threads(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the oldest bodies of a flow looked at, every few hundred runs.
    fn prune_sometimes(&self, flow: FlowId, runs: usize) {
        let mut counts = self
            .runs_since_prune
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(flow).or_insert(0);
        *count += u32::try_from(runs).unwrap_or(u32::MAX);
        if *count < PRUNE_EVERY {
            return;
        }
        counts.remove(&flow);
        drop(counts);
        let mut wanted = self.to_prune.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.insert(flow);
    }

    /// Returns the flows whose oldest bodies are to be looked at.
    pub(super) fn take_prunable(&self) -> HashSet<FlowId> {
        std::mem::take(&mut *self.to_prune.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the leases of unfinished work back before the engine ends.
    pub(super) fn release_all(&self) -> Result<()> {
        let seqs = self.with_board(|board| board.in_work());
        if seqs.is_empty() {
            return Ok(());
        }
        self.app.release(seqs)
    }
}

/// Returns a part as it would be read from the database: what its steps and messages
/// refer to in the part itself is then named by the part's number.
fn stored(mut steps: Vec<StepRecord>, mut messages: Vec<PartMessage>, part: u32) -> PartData {
    for step in &mut steps {
        step.input = step.input.stored_in(part);
    }
    for message in &mut messages {
        message.mapped_from = message.mapped_from.map(|from| from.stored_in(part));
    }
    PartData {
        steps,
        messages,
        bytes: 0,
    }
}

/// Returns the bytes of a part as JSON, with the bodies that are in files.
fn bytes_of(part: &RunPart) -> u64 {
    let files: u64 = part.body_files.iter().map(|file| file.bytes).sum();
    (part.steps.len() + part.messages.len()) as u64 + files
}

/// Returns the rows that a committed part put into queues.
fn rows_of(plan: &FlowPlan, run: &CommittedRun, queued: &[NewQueued], now_ms: i64) -> Vec<Queued> {
    run.queued
        .iter()
        .zip(queued)
        .filter_map(|(seq, new)| {
            let MessageRef::Stored { part, index } = new.message.stored_in(run.part) else {
                return None;
            };
            Some(Queued {
                seq: *seq,
                flow: plan.flow,
                step: new.step.clone(),
                execution: run.seq,
                part,
                index,
                bytes: new.bytes,
                attempt: new.attempt,
                due_at_ms: new.due_at_ms,
                leases: 0,
                queued_at_ms: now_ms,
                fault: new.fault.clone(),
                graph_version: plan.kept_version,
            })
        })
        .collect()
}

/// Returns the error of an engine that ends.
pub(super) fn stopping() -> Error {
    Error::unavailable("the server is stopping", 5)
}
