//! The threads that work: each takes messages from the board, drives them and commits.

use std::sync::Arc;

use super::board::Taken;
use super::drive::Driver;
use super::plan::FlowPlan;
use super::run::Job;
use super::shared::Shared;
use crate::domain::Kind;
use crate::domain::run::part::{MessageRef, Queued, RunKey, ends_of_queue};

/// Times that a server may take a message without ending it; then the message is ended
/// as interrupted, since it may be what ends the server.
const LEASES_MAX: u32 = 5;

/// How long messages wait that could not be committed.
const RETRY_MS: i64 = 1_000;

/// The longest wait between two attempts to start a component.
const START_RETRY_MAX_MS: i64 = 60_000;

/// Works until the engine ends.
pub(super) fn work(shared: &Shared) {
    while let Some(taken) = shared.next() {
        match taken {
            Taken::Messages(messages) => work_on(shared, messages),
            Taken::Rules { flow, ticket } => shared.read_rules(flow, ticket),
            Taken::Read { flow, step, after } => shared.read_rows(flow, &step, after),
            Taken::Nothing { .. } => {}
        }
    }
}

/// Drives messages of one step and commits them.
fn work_on(shared: &Shared, messages: Vec<Queued>) {
    let Some(first) = messages.first() else {
        return;
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
            return;
        }
        Err(error) => {
            tracing::error!(causes = %error.causes(), "can't read a flow: {error}");
            return put_back(shared, messages, RETRY_MS);
        }
    };
    match drive(shared, &plan, &messages) {
        Driven::Committed => {
            shared.with_board(|board| board.done(&messages));
            shared.wake();
        }
        Driven::Again(delay_ms) => put_back(shared, messages, delay_ms),
        Driven::Doubtful => sort_out(shared, messages),
    }
}

/// Keeps those messages that are still in the database, and drops the others.
fn sort_out(shared: &Shared, messages: Vec<Queued>) {
    let is_there = |message: &Queued| !matches!(shared.app.queued(message.seq), Ok(None));
    let (there, gone): (Vec<Queued>, Vec<Queued>) = messages.into_iter().partition(is_there);
    shared.with_board(|board| {
        board.drop_gone(&gone);
        if there.is_empty() {
            board.done(&gone);
        }
    });
    if !there.is_empty() {
        put_back(shared, there, 0);
    }
    shared.wake();
}

/// How a worker ended with its messages.
enum Driven {
    /// They are done with, or gone.
    Committed,
    /// They wait so many milliseconds, and are taken again.
    Again(i64),
    /// Some of them were done by somebody else.
    Doubtful,
}

/// Drives messages and commits what follows from them.
fn drive(shared: &Shared, plan: &Arc<FlowPlan>, messages: &[Queued]) -> Driven {
    let mut driver = shared.driver(plan);
    let queued: Vec<i64> = messages
        .iter()
        .filter(|message| {
            let place = plan.place(&message.step);
            place.is_some_and(|at| plan.shapes[at].is_queued)
        })
        .map(|message| message.seq)
        .collect();
    if !queued.is_empty() {
        shared.app.lease_later(queued);
    }
    for message in messages {
        if let Some(delay_ms) = drive_one(shared, plan, &mut driver, message) {
            return Driven::Again(delay_ms);
        }
    }
    match shared.commit(driver, plan, false, None) {
        Ok(_) => Driven::Committed,
        Err(error) if error.kind() == Kind::Conflict => Driven::Doubtful,
        Err(error) if error.kind() == Kind::Internal => {
            // It would fail for ever: it is logged, and stays in the database.
            tracing::error!(causes = %error.causes(), "can't commit a step: {error}");
            Driven::Again(RETRY_MS * 60)
        }
        Err(error) => {
            tracing::warn!(causes = %error.causes(), "can't commit a step yet: {error}");
            Driven::Again(RETRY_MS)
        }
    }
}

/// Drives one message; returns how long to wait where its component can't be started.
fn drive_one(
    shared: &Shared,
    plan: &Arc<FlowPlan>,
    driver: &mut Driver<'_>,
    message: &Queued,
) -> Option<i64> {
    let run = driver.enter(RunKey::Stored(message.execution));
    let reference = MessageRef::Stored {
        part: message.part,
        index: message.index,
    };
    let job = |step| Job {
        step,
        message: reference,
        attempt: message.attempt,
        row: Some(message.seq),
    };
    let Some(step) = plan.place(&message.step) else {
        // A node that bears the whole name of an edge's queue goes first.
        match ends_of_queue(&message.step) {
            Some((source, target)) => driver.map_again(run, source, target, job(0)),
            None => driver.drop_message(run, message),
        }
        return None;
    };
    if let Err(reason) = &plan.steps[step].function {
        let noted = shared
            .app
            .note_start_failure(plan.flow, &message.step, reason);
        if let Err(error) = noted {
            tracing::error!(causes = %error.causes(), "can't note a failed start: {error}");
        }
        let doublings = message.leases.min(6);
        return Some((RETRY_MS << doublings).min(START_RETRY_MAX_MS));
    }
    if message.leases >= LEASES_MAX {
        driver.interrupt(run, job(step));
        return None;
    }
    let backlog = shared.backlog(plan, Some(step));
    driver.drive(run, job(step), backlog);
    None
}

/// Gives messages back to the board.
fn put_back(shared: &Shared, messages: Vec<Queued>, delay_ms: i64) {
    let due_at_ms = shared.app.now_ms() + delay_ms;
    shared.with_board(|board| board.put_back(messages, due_at_ms));
    shared.wake();
}
