//! What came in together is made durable together: a commit costs the same for one
//! message and for ten, and the process that waits for it wakes up once.

use std::collections::HashSet;
use std::sync::Arc;

use super::member::{DATA_KEY, InFlight};
use super::outcome::{self, Sender, publish, read, recorded, sender_of, take_over};
use crate::amqp::{Confirm, Published};
use crate::clock::monotonic_us;
use crate::domain::run::Message;
use crate::domain::run::part::RunKey;
use crate::engine::plan::FlowPlan;
use crate::engine::run::Job;
use crate::engine::shared::Shared;
use crate::engine::workers;

/// Messages for the next steps, each with who emitted it.
type Emissions = Vec<(Sender, Arc<Message>, Confirm)>;

/// Takes over what a process published, in order.
pub(super) fn publish_all(shared: &Shared, number: u64, messages: Vec<(Published, Confirm)>) {
    let mut emissions = Emissions::new();
    for (message, confirm) in messages {
        let sender = (message.routing_key == DATA_KEY)
            .then(|| sender_of(shared, number, &message))
            .flatten()
            // What is late, or of no run, is a transaction of its own kind.
            .filter(|sender| sender.token.is_some());
        let Some(sender) = sender else {
            emit_all(shared, number, std::mem::take(&mut emissions));
            settle(confirm, publish(shared, number, &message));
            continue;
        };
        match read(shared, number, &sender, &message) {
            Ok(emitted) => emissions.push((sender, Arc::new(emitted), confirm)),
            Err(is_taken) => settle(confirm, is_taken),
        }
    }
    emit_all(shared, number, emissions);
}

/// Tells a client what became of its message.
fn settle(confirm: Confirm, is_taken: bool) {
    if is_taken {
        confirm.accept();
    } else {
        confirm.refuse();
    }
}

/// Commits messages for the next steps, in one transaction where that works.
fn emit_all(shared: &Shared, number: u64, emissions: Emissions) {
    if emissions.len() > 1 && commit_all(shared, &emissions) {
        recorded(shared, emissions.iter().map(|(sender, _, _)| sender));
        return Confirm::accept_all(emissions.into_iter().map(|(_, _, confirm)| confirm));
    }
    for (sender, message, confirm) in emissions {
        settle(confirm, take_over(shared, number, &sender, message));
    }
}

/// Commits messages of one process in one transaction; false where nothing happened.
fn commit_all(shared: &Shared, emissions: &Emissions) -> bool {
    let Some((first, _, _)) = emissions.first() else {
        return true;
    };
    let plan = Arc::clone(&first.plan);
    let mut driver = shared.driver(&plan);
    let backlog = shared.backlog(&plan, None);
    let mut known = HashSet::new();
    for (sender, message, _) in emissions {
        let (Some(origin), Some(token)) = (sender.origin, sender.token) else {
            return false;
        };
        let run = driver.enter(RunKey::Stored(origin.execution));
        let job = Job {
            step: sender.step,
            message: origin.message,
            attempt: origin.attempt,
            row: None,
        };
        let continues = sender.is_recorded || !known.insert(token);
        let took_us = monotonic_us() - sender.began.1;
        driver.emitted(
            run,
            job,
            Arc::clone(message),
            (backlog.clone(), continues),
            (sender.began.0, took_us),
        );
    }
    shared.commit(driver, &plan, false, 1).is_ok()
}

/// Ends messages of one step, for which its process gets others before that is on the
/// disk: they have nothing to do with each other.
pub(super) fn end_all(shared: &Shared, plan: &Arc<FlowPlan>, step: usize, ended: Vec<InFlight>) {
    shared.with_board(|board| {
        for in_flight in &ended {
            board.release(&in_flight.queued);
        }
    });
    let leased = workers::hand_next(shared, plan.flow, &plan.steps[step].id);
    let mut driver = shared.driver(plan);
    driver.leased.clone_from(&leased);
    let backlog = shared.backlog(plan, Some(step));
    for in_flight in &ended {
        let origin = in_flight.origin();
        let run = driver.enter(RunKey::Stored(origin.execution));
        let job = Job {
            step,
            message: origin.message,
            attempt: origin.attempt,
            row: Some(in_flight.queued.seq),
        };
        let took_us = monotonic_us() - in_flight.began_us;
        let began = (in_flight.began_ms, took_us);
        driver.ended(run, job, in_flight.ended.clone(), backlog.clone(), began);
    }
    let queued: Vec<_> = ended.iter().map(|it| it.queued.clone()).collect();
    if workers::conclude_together(shared, driver, plan, &queued) {
        return;
    }
    if !leased.is_empty() {
        shared.app.lease_later(leased);
    }
    for in_flight in ended {
        outcome::end(shared, plan, step, in_flight);
    }
}
