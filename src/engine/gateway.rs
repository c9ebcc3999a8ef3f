//! The webhook gateway: calls become messages, and wait for an answer where the flow
//! gives one (`runtime.md 4.5`).

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::drive::Driver;
use super::plan::FlowPlan;
use super::run::Job;
use super::shared::{Shared, stopping};
use super::slice::Answer;
use super::waiting::Heard;
use super::webhook_auth;
use crate::app::component_runtime::{FillMessage, WebhookAnswer, WebhookCall, WebhookReply};
use crate::app::run::FULL_RETRY_S;
use crate::domain::flow::FlowStatus;
use crate::domain::id::ExecutionId;
use crate::domain::run::RunTrigger;
use crate::domain::run::part::{NewExecution, PartMessage, RunKey};
use crate::domain::{Error, Kind, Result};

/// Accepts a call: its message is on disk when this returns well.
///
/// Errors: [`Kind::NotFound`] for a flow that is not there, does not run or is set off
/// by its schedule; [`Kind::Unauthenticated`]; [`Kind::TooMany`] for a full queue.
pub(super) fn accept(
    shared: &Shared,
    mut call: WebhookCall,
    fill: FillMessage<'_>,
) -> Result<WebhookAnswer> {
    if shared.is_stopped() {
        return Err(stopping());
    }
    let plan = shared
        .plan(call.flow)?
        .filter(|plan| !plan.polls && plan.status != FlowStatus::Inactive)
        .ok_or_else(|| Error::not_found("flow"))?;
    let first = &plan.steps[plan.first];
    webhook_auth::admit(first, &call)?;
    if shared.with_board(|board| board.is_full(plan.flow, &plan.entry)) {
        return Err(Error::too_many(
            "the queue of the flow is full",
            FULL_RETRY_S,
        ));
    }
    fill(&mut call.message, &call.body)?;
    let id = shared.app.new_execution_id();
    let key = RunKey::New(NewExecution {
        id,
        flow_version: plan.version,
        trigger: RunTrigger::Webhook,
        started_at_ms: shared.app.now_ms(),
        request_id: Some(call.request_id.clone()),
        retry_of: None,
    });
    let waits = plan.may_reply && plan.status == FlowStatus::Active;
    let mut driver = shared.driver(&plan);
    begin(shared, &plan, &mut driver, key, call);
    // Before the commit, so that no answer comes too early to be heard.
    let heard = waits.then(|| shared.waiting.wait_for(id, plan.flow));
    if let Err(error) = shared.commit(driver, &plan, true, 1) {
        shared.waiting.give_up(id);
        return Err(match error.kind() {
            // It was stopped between the look and the commit.
            Kind::Conflict => Error::not_found("flow"),
            _ => error,
        });
    }
    let reply = match heard {
        Some(heard) => wait_for(shared, id, &heard),
        None => WebhookReply::Accepted,
    };
    Ok(WebhookAnswer {
        execution: id,
        reply,
    })
}

/// Puts the call's message into the run, and drives what can be done in memory.
fn begin(
    shared: &Shared,
    plan: &FlowPlan,
    driver: &mut Driver<'_>,
    key: RunKey,
    call: WebhookCall,
) {
    let run = driver.enter(key);
    let message = driver.runs[run].add(PartMessage::outside(call.message));
    if plan.status == FlowStatus::Suspended {
        driver.enqueue(run, plan.first, message, 1, 0);
        return;
    }
    let job = Job {
        step: plan.first,
        message,
        attempt: 1,
        row: None,
    };
    let backlog = shared.backlog(plan, None);
    driver.drive(run, job, backlog);
}

/// Waits until the run answers, ends, or takes too long.
fn wait_for(shared: &Shared, run: ExecutionId, heard: &Receiver<Heard>) -> WebhookReply {
    let limit = Duration::from_millis(shared.options.reply_timeout_ms);
    match heard.recv_timeout(limit) {
        Ok(Heard::Answer(Answer::Reply(reply))) => WebhookReply::Reply(reply),
        Ok(Heard::Answer(Answer::Failed(failure))) => WebhookReply::Failed(failure),
        Ok(Heard::Over) => WebhookReply::Accepted,
        Ok(Heard::Ended(reason)) => WebhookReply::Ended(reason),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            shared.waiting.give_up(run);
            WebhookReply::TimedOut
        }
    }
}
