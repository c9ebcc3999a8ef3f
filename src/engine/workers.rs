//! The threads that work: each takes messages from the board, drives them and commits.

use std::sync::Arc;

use super::board::Taken;
use super::drive::Driver;
use super::plan::{FlowPlan, Step, StepFunction};
use super::run::Job;
use super::sailor::Handed;
use super::shared::Shared;
use crate::domain::Kind;
use crate::domain::id::FlowId;
use crate::domain::run::part::{MessageRef, Queued, RunKey, ends_of_queue};

/// Times that a server may take a message without ending it; then the message is ended
/// as interrupted, since it may be what ends the server.
const LEASES_MAX: u32 = 5;

/// How long messages wait that could not be committed.
const RETRY_MS: i64 = 1_000;

/// How often a commit is tried while the disk is full or somebody holds the database: ten
/// minutes. Then the messages wait and their steps are done again, as after a crash.
const COMMIT_TRIES: u32 = 1_200;

/// How long messages wait whose commit fails for a reason of its own.
const BROKEN_MS: i64 = 60_000;

/// The longest wait between two attempts to start a component.
const START_RETRY_MAX_MS: i64 = 60_000;

/// How long messages wait that must not begin, until the board hears why: somebody else's
/// stop is looked for that often.
const HELD_MS: i64 = 50;

/// Works until the engine ends, or until another worker has this one's place.
pub(super) fn work(shared: &Arc<Shared>) {
    while let Some(taken) = shared.next() {
        match taken {
            Taken::Messages(messages) => {
                if !work_on(shared, messages) {
                    return;
                }
            }
            Taken::Rules { flow, ticket } => shared.read_rules(flow, ticket),
            Taken::Read { flow, step, after } => shared.read_rows(flow, &step, after),
            Taken::Nothing { .. } => {}
        }
    }
}

/// Drives messages of one step and commits them; false where that took so long that
/// another worker has this one's place.
fn work_on(shared: &Shared, messages: Vec<Queued>) -> bool {
    let Some(first) = messages.first() else {
        return true;
    };
    let flow = first.flow;
    let plan = match shared.plan_of(flow, first.graph_version) {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            if let Err(error) = shared.app.end_runs_of(flow) {
                tracing::error!(causes = %error.causes(), "can't end runs: {error}");
            }
            shared.with_board(|board| {
                board.done(&messages);
                board.forget(flow);
            });
            return true;
        }
        Err(error) => {
            tracing::error!(causes = %error.causes(), "can't read a flow: {error}");
            put_back(shared, messages, RETRY_MS);
            return true;
        }
    };
    let messages = Arc::new(messages);
    let driven = drive(shared, &plan, &messages);
    settle(shared, driven, Arc::unwrap_or_clone(messages))
}

/// Commits what a driver did about a message that a process worked on, and lets it go.
pub(super) fn conclude(shared: &Shared, driver: Driver<'_>, plan: &FlowPlan, message: Queued) {
    let ended = committed(shared, driver, plan, vec![message.seq]);
    settle(shared, ended, vec![message]);
}

/// Commits what a driver did about messages that a process worked on, and lets them go;
/// false where one by one may do better, and nothing happened.
pub(super) fn conclude_together(
    shared: &Shared,
    driver: Driver<'_>,
    plan: &FlowPlan,
    messages: &[Queued],
) -> bool {
    let ended = shared.commit(driver, plan, false, 1);
    if let Err(error) = &ended {
        tracing::debug!(causes = %error.causes(), "can't end messages together: {error}");
        return false;
    }
    if let Some(first) = messages.first() {
        shared.start_worked(first.flow, &first.step);
    }
    for message in messages {
        let was_full = shared.with_board(|board| board.done(std::slice::from_ref(message)));
        if was_full {
            shared.wake();
        }
    }
    true
}

/// Hands a step's next messages to its process, as far as it has room. Returns the rows
/// of those that it was given, to be leased. A worker sees to those that are not so
/// simple.
pub(super) fn hand_next(shared: &Shared, flow: FlowId, step: &str) -> Vec<i64> {
    let mut leased = Vec::new();
    let next = || {
        let now_ms = shared.app.now_ms();
        shared.with_board(|board| board.take_next(flow, step, now_ms))
    };
    while let Some(message) = next() {
        match hand_one(shared, &message) {
            Handed::Taken => leased.push(message.seq),
            Handed::Later(delay_ms) => {
                put_back(shared, vec![message], delay_ms);
                return leased;
            }
        }
    }
    if shared.with_board(|board| board.could_go_on(flow, step)) {
        shared.wake();
    }
    leased
}

/// Hands a message to the process of its step, where nothing speaks against it.
fn hand_one(shared: &Shared, message: &Queued) -> Handed {
    let Ok(Some(plan)) = shared.plan_of(message.flow, message.graph_version) else {
        return Handed::Later(0);
    };
    let Some(step) = plan.place(&message.step) else {
        return Handed::Later(0);
    };
    let is_process = matches!(plan.steps[step].function, Ok(StepFunction::Process(_)));
    let may_begin = is_process
        && message.leases < LEASES_MAX
        && matches!(shared.app.may_begin(message.seq), Ok(true));
    if !may_begin {
        return Handed::Later(0);
    }
    shared.fleet.hand(shared, &plan, step, message)
}

/// Lets messages go as their driving ended; false where another worker has this one's
/// place.
fn settle(shared: &Shared, driven: Driven, messages: Vec<Queued>) -> bool {
    match driven {
        Driven::Committed => {
            if let Some(first) = messages.first() {
                shared.start_worked(first.flow, &first.step);
            }
            shared.with_board(|board| board.done(&messages));
            shared.wake();
        }
        Driven::Handed => {}
        Driven::Again(delay_ms) => put_back(shared, messages, delay_ms),
        Driven::Broken => put_back(
            shared,
            messages.into_iter().map(once_more).collect(),
            BROKEN_MS,
        ),
        Driven::Doubtful(delay_ms) => sort_out(shared, messages, delay_ms),
        Driven::TakenAway => return !shared.in_hand.is_replaced(),
    }
    true
}

/// Counts a message that was not ended, as the database does.
fn once_more(message: Queued) -> Queued {
    Queued {
        leases: message.leases + 1,
        ..message
    }
}

/// Keeps those messages that are still in the database, and drops the others.
fn sort_out(shared: &Shared, messages: Vec<Queued>, delay_ms: i64) {
    let is_there = |message: &Queued| !matches!(shared.app.queued(message.seq), Ok(None));
    let (there, gone): (Vec<Queued>, Vec<Queued>) = messages.into_iter().partition(is_there);
    shared.with_board(|board| {
        board.drop_gone(&gone, &there);
        if there.is_empty() {
            board.done(&gone);
        }
    });
    if !there.is_empty() {
        put_back(shared, there, delay_ms);
    }
    shared.wake();
}

/// How a worker ended with its messages.
#[derive(Clone, Copy)]
enum Driven {
    /// They are done with, or gone.
    Committed,
    /// A process works on them.
    Handed,
    /// They wait so many milliseconds, and are taken again.
    Again(i64),
    /// Their commit would fail for ever, as far as one can tell.
    Broken,
    /// Some of them are gone or must not begin; the others wait so many milliseconds.
    Doubtful(i64),
    /// They took too long, and somebody else ended them.
    TakenAway,
}

/// Why a message was not driven.
enum Held {
    /// It waits so many milliseconds.
    For(i64),
    /// It is gone, or its flow does not go on for now.
    Stopped,
    /// A process works on it.
    Handed,
}

/// Drives messages and commits what follows from them.
fn drive(shared: &Shared, plan: &Arc<FlowPlan>, messages: &Arc<Vec<Queued>>) -> Driven {
    let mut driver = shared.driver(plan);
    let mut leased = Vec::new();
    let ticket = shared.in_hand.take_up(plan, messages);
    let mut held = None;
    for (at, message) in messages.iter().enumerate() {
        if at > 0 {
            shared.in_hand.go_on(ticket, at);
        }
        held = drive_one(shared, plan, &mut driver, message, &mut leased).err();
        if held.is_none() && driver.is_unread() {
            // A read that failed for now is not what a message ends with.
            shared.app.unlease_later(std::mem::take(&mut leased));
            held = Some(Held::For(RETRY_MS));
        }
        if held.is_some() {
            break;
        }
    }
    if !shared.in_hand.lay_down(ticket) {
        return Driven::TakenAway;
    }
    match held {
        Some(Held::For(delay_ms)) => return Driven::Again(delay_ms),
        Some(Held::Stopped) => return Driven::Doubtful(HELD_MS),
        // A step that runs as a process has its messages one by one.
        Some(Held::Handed) => return Driven::Handed,
        None => {}
    }
    if driver.is_worth_overlapping() {
        shared.with_board(|board| board.driven(messages));
        shared.wake();
    }
    shared.wait_for_turn(messages);
    committed(shared, driver, plan, leased)
}

/// Commits what a driver did.
fn committed(shared: &Shared, driver: Driver<'_>, plan: &FlowPlan, leased: Vec<i64>) -> Driven {
    match shared.commit(driver, plan, false, COMMIT_TRIES) {
        Ok(_) => Driven::Committed,
        Err(error) if error.kind() == Kind::Conflict => {
            shared.app.unlease_later(leased);
            Driven::Doubtful(0)
        }
        Err(error) if error.kind() == Kind::Internal => {
            // It stays leased: a message that can't be ended so is interrupted some day.
            tracing::error!(causes = %error.causes(), "can't commit a step: {error}");
            Driven::Broken
        }
        Err(error) => {
            tracing::error!(causes = %error.causes(), "gave up to commit a step: {error}");
            shared.app.unlease_later(leased);
            Driven::Again(RETRY_MS)
        }
    }
}

/// Drives one message, unless it has to wait.
fn drive_one(
    shared: &Shared,
    plan: &Arc<FlowPlan>,
    driver: &mut Driver<'_>,
    message: &Queued,
    leased: &mut Vec<i64>,
) -> Result<(), Held> {
    let Some(step) = plan.place(&message.step) else {
        let run = driver.enter(RunKey::Stored(message.execution));
        // A node that bears the whole name of an edge's queue goes first.
        match ends_of_queue(&message.step) {
            Some((source, target)) => driver.map_again(run, source, target, job(message, 0)),
            None => driver.miss(run, &message.step, job(message, 0)),
        }
        return Ok(());
    };
    let job = job(message, step);
    if let Err(reason) = &plan.steps[step].function {
        return Err(Held::For(start_failed(shared, plan, message, reason)));
    }
    if message.leases >= LEASES_MAX {
        let run = driver.enter(RunKey::Stored(message.execution));
        driver.interrupt(run, job);
        return Ok(());
    }
    if let Some(delay_ms) = delay_of(&plan.steps[step])
        && !shared.has_rested(message.seq)
    {
        return Err(Held::For(delay_ms));
    }
    if plan.shapes[step].is_queued {
        // It was read a while ago: a stop or a cancel since then goes before.
        match shared.app.may_begin(message.seq) {
            Ok(true) => {}
            Ok(false) => return Err(Held::Stopped),
            Err(error) => {
                tracing::warn!(causes = %error.causes(), "can't look at a message: {error}");
                return Err(Held::For(RETRY_MS));
            }
        }
        shared.app.lease_later(vec![message.seq]);
        leased.push(message.seq);
    }
    let run = driver.enter(RunKey::Stored(message.execution));
    if let Ok(StepFunction::Process(_)) = &plan.steps[step].function {
        if driver.runs[run].message(job.message).is_none() {
            driver.lose(run, job);
            return Ok(());
        }
        return Err(match shared.fleet.hand(shared, plan, step, message) {
            Handed::Taken => Held::Handed,
            Handed::Later(delay_ms) => {
                shared.app.unlease_later(vec![message.seq]);
                Held::For(delay_ms)
            }
        });
    }
    let backlog = shared.backlog(plan, Some(step));
    driver.drive(run, job, backlog);
    Ok(())
}

/// Returns how long a step rests before each message, where it does.
fn delay_of(step: &Step) -> Option<i64> {
    let Ok(StepFunction::BuiltIn(function)) = &step.function else {
        return None;
    };
    let delay = function.delay?;
    Some(delay(&step.cfg)).filter(|delay_ms| *delay_ms > 0)
}

/// Makes the job of a message at a step.
fn job(message: &Queued, step: usize) -> Job {
    Job {
        step,
        message: MessageRef::Stored {
            part: message.part,
            index: message.index,
        },
        attempt: message.attempt,
        row: Some(message.seq),
    }
}

/// Notes that the component of a step can't be started; returns how long its message
/// waits, each time twice as long.
fn start_failed(shared: &Shared, plan: &FlowPlan, message: &Queued, reason: &str) -> i64 {
    let app = &shared.app;
    match app.note_start_failure(plan.flow, &message.step, reason) {
        Ok(failures) => {
            shared.start_failed(plan.flow, &message.step);
            let doublings = failures.saturating_sub(1).min(6);
            (RETRY_MS << doublings).min(START_RETRY_MAX_MS)
        }
        Err(error) => {
            tracing::error!(causes = %error.causes(), "can't note a failed start: {error}");
            START_RETRY_MAX_MS
        }
    }
}

/// Takes away from their workers what takes too long, and ends it as failed. Another
/// worker takes the place of each, since nobody knows when it comes back.
pub(super) fn end_overdue(shared: &Arc<Shared>) {
    let limit_ms = shared.options.step_limit_ms;
    for hand in shared.in_hand.overdue(limit_ms) {
        if shared.in_hand.replace()
            && let Err(error) = super::spawn(shared, "worker-again", work)
        {
            tracing::error!(causes = %error.causes(), "can't replace a worker: {error}");
            shared.in_hand.is_replaced();
        }
        let (plan, late) = (&hand.plan, &hand.messages[hand.at]);
        tracing::warn!(flow = %plan.flow, step = %late.step, "a step took too long");
        let ended = plan.place(&late.step).map_or(Ok(()), |step| {
            let mut driver = shared.driver(plan);
            let run = driver.enter(RunKey::Stored(late.execution));
            driver.time_out(run, job(late, step), limit_ms);
            shared.commit(driver, plan, false, 1).map(|_| ())
        });
        if let Err(error) = ended {
            tracing::warn!(causes = %error.causes(), "can't end a step that took too long: {error}");
        }
        // What is still in the database waits: the others, and what could not be ended.
        sort_out(shared, hand.messages.to_vec(), 0);
    }
}

/// Gives messages back to the board.
fn put_back(shared: &Shared, messages: Vec<Queued>, delay_ms: i64) {
    let due_at_ms = shared.app.now_ms() + delay_ms;
    shared.with_board(|board| board.put_back(messages, due_at_ms));
    shared.wake();
}
