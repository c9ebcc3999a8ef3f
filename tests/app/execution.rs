//! Runs: who sees them, what they show, what is done about them.

use elastane::app::credential::NewCredential;
use elastane::app::execution::NewRetry;
use elastane::clock::Clock;
use elastane::domain::id::{ExecutionId, FlowId};
use elastane::domain::organization::Role;
use elastane::domain::principal::Principal;
use elastane::domain::run::part::{MessageRef, NewQueued, RunKey, RunPart, edge_queue};
use elastane::domain::run::{
    Execution, ExecutionFilter, Failure, LogLevel, RetryMode, RunStatus, RunTrigger,
};
use elastane::domain::{Kind, Result};
use serde_json::{Value, json};

use super::given::{count, id_of, last_audit, operator};
use crate::support::Installation;
use crate::support::history::{
    FIRST, SECOND, begun, commit, finished, flow, flow_with, made, part, record, waiting,
};

/// All runs.
const ALL: ExecutionFilter = ExecutionFilter {
    flow: None,
    status: None,
    since_ms: None,
    until_ms: None,
    oldest_first: false,
};

/// An hour, the disorder that lists put up with, and a little more.
const LONG_MS: i64 = 61 * 60 * 1_000;

fn ids(runs: &[Execution]) -> Vec<ExecutionId> {
    runs.iter().map(|run| run.id).collect()
}

fn again(mode: RetryMode, step: Option<&str>, input: Option<Value>) -> NewRetry {
    NewRetry {
        mode,
        step: step.map(str::to_owned),
        input,
    }
}

/// Returns the bodies that wait for a step of a run.
fn bodies_for(at: &Installation, run: &Execution, step: &str) -> Vec<Value> {
    let queued = at.app.queued_for(run.flow_id, step, 0, 500).unwrap();
    let own = queued.iter().filter(|one| one.execution == run.seq);
    own.map(|one| {
        let part = at.app.run_part(run.seq, one.part).unwrap();
        part.messages[one.index as usize].message.body.clone()
    })
    .collect()
}

#[test]
fn runs_are_listed_newest_first_and_found_by_flow_status_and_time() {
    let clock = Clock::fixed(1_700_000_000_000);
    let at = Installation::with(|options| options.clock = clock.clone());
    let ada = at.principal("ada@example.com");
    let (one, two) = (flow(&at.app, &ada), flow(&at.app, &ada));
    let begin_ms = at.app.now_ms();
    let made: Vec<_> = (0..6)
        .map(|nth| {
            let error = (nth % 3 == 0).then(|| Failure::new("broken"));
            let of = if nth < 4 { &one } else { &two };
            let id = finished(&at.app, of, json!({}), error);
            clock.advance(LONG_MS);
            id
        })
        .collect();
    let newest: Vec<_> = made.iter().rev().copied().collect();
    let all = at.app.executions(&ada, &ALL, None, 500).unwrap();
    assert_eq!(ids(&all), newest);
    let rest = at.app.executions(&ada, &ALL, Some(all[1].seq), 2).unwrap();
    assert_eq!(ids(&rest), newest[2..4]);
    let (page, total) = at.app.execution_page(&ada, &ALL, 4, 10).unwrap();
    assert_eq!((ids(&page), total), (newest[4..].to_vec(), 6));
    let find = |filter: ExecutionFilter| {
        let (found, total) = at.app.execution_page(&ada, &filter, 0, 10).unwrap();
        assert_eq!(found.len() as u64, total);
        ids(&found)
    };
    let flow = Some(one.id);
    assert_eq!(find(ExecutionFilter { flow, ..ALL }), newest[2..]);
    let status = Some(RunStatus::Error);
    assert_eq!(find(ExecutionFilter { status, ..ALL }), [made[3], made[0]]);
    let status = Some(RunStatus::Waiting);
    assert_eq!(find(ExecutionFilter { status, ..ALL }), []);
    let since_ms = Some(begin_ms + 2 * LONG_MS);
    let until_ms = Some(begin_ms + 4 * LONG_MS);
    assert_eq!(find(ExecutionFilter { since_ms, ..ALL }), newest[..4]);
    assert_eq!(find(ExecutionFilter { until_ms, ..ALL }), newest[2..]);
    let both = ExecutionFilter {
        flow,
        status: Some(RunStatus::Error),
        since_ms,
        until_ms,
        oldest_first: false,
    };
    assert_eq!(find(both), [made[3]]);
}

#[test]
fn somebody_elses_run_is_not_there() {
    let at = Installation::new();
    let (ada, eve) = (
        at.principal("ada@example.com"),
        at.principal("eve@example.com"),
    );
    let flow = flow(&at.app, &ada);
    let run = finished(&at.app, &flow, json!({}), None);
    let app = &at.app;
    assert!(app.executions(&eve, &ALL, None, 10).unwrap().is_empty());
    let own = ExecutionFilter {
        flow: Some(flow.id),
        ..ALL
    };
    assert_eq!(app.execution_page(&eve, &own, 0, 10).unwrap().1, 0);
    let kind = |result: Result<()>| result.unwrap_err().kind();
    let refused = [
        kind(app.execution(&eve, run).map(drop)),
        kind(app.execution_steps(&eve, run, 0, 10).map(drop)),
        kind(app.execution_log(&eve, run, None, 0, 10).map(drop)),
        kind(app.flow_log(&eve, flow.id, None, None, 10).map(drop)),
        kind(app.queue_stats(&eve, flow.id).map(drop)),
        kind(app.cancel_execution(&eve, run).map(drop)),
        kind(
            app.retry_execution(&eve, run, again(RetryMode::Run, None, None))
                .map(drop),
        ),
    ];
    assert_eq!(refused, [Kind::NotFound; 7]);
    assert_eq!(
        ids(&app.executions(&operator(), &ALL, None, 10).unwrap()),
        [run]
    );
    app.delete_flow(&ada, flow.id).unwrap();
    assert_eq!(app.execution(&ada, run).unwrap_err().kind(), Kind::Gone);
    assert_eq!(app.execution(&eve, run).unwrap_err().kind(), Kind::NotFound);
    // Nobody knows any more which texts in it are secret.
    let (steps, _) = app.execution_steps(&operator(), run, 0, 10).unwrap();
    assert!(steps[0].truncated && steps[0].input.is_none());
}

#[test]
fn an_organization_shares_its_runs_and_guests_change_none() {
    let at = Installation::new();
    let (ada, bob) = (
        at.principal("ada@example.com"),
        at.principal("bob@example.com"),
    );
    let root = operator();
    let acme = at.app.create_organization(&root, "Acme").unwrap();
    at.app
        .add_member(&root, acme.id, id_of(&ada), Role::Admin)
        .unwrap();
    at.app
        .add_member(&root, acme.id, id_of(&bob), Role::Guest)
        .unwrap();
    let ada = at.app.acting_for(&ada, acme.id).unwrap();
    let guest = at.app.acting_for(&bob, acme.id).unwrap();
    let flow = flow(&at.app, &ada);
    let run = finished(&at.app, &flow, json!({}), None);
    for who in [&ada, &guest] {
        assert_eq!(ids(&at.app.executions(who, &ALL, None, 10).unwrap()), [run]);
        assert_eq!(at.app.execution_steps(who, run, 0, 10).unwrap().1, 2);
    }
    let refused = at.app.cancel_execution(&guest, run).unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    let retry = again(RetryMode::Run, None, None);
    let refused = at.app.retry_execution(&guest, run, retry).unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
}

/// Makes a run whose second step failed once, as if it had begun first, and waits once.
fn half_done(at: &Installation, ada: &Principal) -> (FlowId, ExecutionId) {
    let flow = flow(&at.app, ada);
    let new = begun(&at.app, &flow);
    let (id, now) = (new.id, at.app.now_ms());
    let mut first = part(
        RunKey::New(new),
        &[record(FIRST, now, MessageRef::Own(0), &[1, 2], None)],
        &[
            made(None, json!({ "in": 0 })),
            made(Some(0), json!({ "out": 1 })),
            made(Some(0), json!({ "out": 2 })),
        ],
    );
    first.queued = vec![waiting(SECOND, 1, 1), waiting(SECOND, 2, 1)];
    let begun = commit(&at.app, &flow, &[first], &["hello"]).remove(0);
    assert_eq!(
        at.app.execution(ada, id).unwrap().status,
        RunStatus::Waiting
    );
    // The second step is recorded as if it had begun before the first one.
    let input = MessageRef::Stored { part: 0, index: 1 };
    let failure = Failure::named("TypeError", "x is not a function");
    let mut second = part(
        RunKey::Stored(begun.seq),
        &[record(SECOND, now - 5, input, &[], Some(failure))],
        &[],
    );
    second.settled = vec![begun.queued[0]];
    commit(&at.app, &flow, &[second], &[]);
    (flow.id, id)
}

#[test]
fn steps_are_shown_in_order_of_start_and_what_waits_comes_last() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let (_, id) = half_done(&at, &ada);
    let (steps, total) = at.app.execution_steps(&ada, id, 0, 10).unwrap();
    assert_eq!(total, 3);
    let shown: Vec<_> = steps
        .iter()
        .map(|step| (step.step.as_str(), step.status))
        .collect();
    let expected = [
        (SECOND, RunStatus::Error),
        (FIRST, RunStatus::Success),
        (SECOND, RunStatus::Waiting),
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        steps[0].input.as_ref().unwrap()["body"],
        json!({ "out": 1 })
    );
    assert_eq!(steps[0].error.as_ref().unwrap().name, "TypeError");
    assert_eq!(steps[0].command.as_deref(), Some("elasticio/debug:log"));
    assert_eq!(steps[1].outputs[1]["body"], json!({ "out": 2 }));
    assert_eq!(
        steps[2].input.as_ref().unwrap()["body"],
        json!({ "out": 2 })
    );
    assert!(steps.iter().all(|step| !step.truncated));
    let (last, _) = at.app.execution_steps(&ada, id, 2, 10).unwrap();
    assert_eq!((last.len(), &last[0].id), (1, &steps[2].id));
}

#[test]
fn what_waits_of_a_run_goes_when_it_is_cancelled() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let (flow, id) = half_done(&at, &ada);
    let (log, total) = at.app.execution_log(&ada, id, None, 0, 10).unwrap();
    assert_eq!((log[0].message.as_str(), total), ("hello", 1));
    let warned = at.app.execution_log(&ada, id, Some(LogLevel::Warn), 0, 10);
    assert_eq!(warned.unwrap().1, 0);
    let stats = at.app.queue_stats(&ada, flow).unwrap();
    assert_eq!(
        stats.iter().map(|one| one.total).collect::<Vec<_>>(),
        [0, 1]
    );
    let run = at.app.cancel_execution(&ada, id).unwrap();
    assert_eq!((run.status, run.queued), (RunStatus::Cancelled, 0));
    assert_eq!(last_audit(&at).action, "execution.cancel");
    assert_eq!(count(&at, "SELECT count(*) FROM queue"), 0);
    let cancelled = "SELECT count(*) FROM flow_events WHERE kind = 'cancelled'";
    assert_eq!(count(&at, cancelled), 1);
    at.app.cancel_execution(&ada, id).unwrap();
    assert_eq!(count(&at, cancelled), 1);
    assert_eq!(at.app.execution_steps(&ada, id, 0, 10).unwrap().1, 2);
}

#[test]
fn secrets_are_masked_by_name_and_by_the_values_of_credentials() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let keys = json!({ "user": "ada", "key": "s3cret-value", "deep": [{ "x": "abcdef" }] });
    let account = at
        .app
        .create_credential(
            &ada,
            NewCredential {
                component_name: Some("shopware".to_owned()),
                keys: keys.as_object().unwrap().clone(),
                ..NewCredential::default()
            },
        )
        .unwrap();
    let shop = json!({
        "action": "elasticio/shopware:createOrder",
        "account": account.credential.id.to_string(),
    });
    let flow = flow_with(&at.app, &ada, &shop);
    let body = json!({
        "Api-Key": 12, "X_AUTHORIZATION": { "a": 1 }, "userPassword": "pw", "token": null,
        "url": "http://shop/?k=s3cret-value", "list": ["abcdef", "abcde"], "user": "ada",
    });
    let failure = Failure::new("401 for s3cret-value");
    let run = finished(&at.app, &flow, body, Some(failure));
    commit(&at.app, &flow, &[], &["sent s3cret-value"]);
    let (steps, _) = at.app.execution_steps(&ada, run, 0, 10).unwrap();
    let shown = &steps[1].input.as_ref().unwrap()["body"];
    assert_eq!(
        shown,
        &json!({
            "Api-Key": "***", "X_AUTHORIZATION": "***", "userPassword": "***", "token": null,
            "url": "http://shop/?k=***", "list": ["***", "abcde"], "user": "ada",
        })
    );
    assert_eq!(steps[1].error.as_ref().unwrap().message, "401 for ***");
    let log = at.app.flow_log(&ada, flow.id, None, None, 10).unwrap();
    assert_eq!(log[0].message, "sent ***");
    // What is sent back as it was shown is what was recorded; what was edited is edited.
    let mut edited = steps[1].input.clone().unwrap();
    edited["body"]["user"] = json!("eve");
    let retry = again(RetryMode::Step, Some(SECOND), Some(edited));
    at.app.start_flow(&ada, flow.id).unwrap();
    let retried = at.app.retry_execution(&ada, run, retry).unwrap();
    let sent = &bodies_for(&at, &retried, SECOND)[0];
    assert_eq!(sent["url"], "http://shop/?k=s3cret-value");
    assert_eq!(
        (&sent["user"], &sent["Api-Key"]),
        (&json!("eve"), &json!(12))
    );
}

/// Makes a run in which the second step failed twice and worked once.
fn failed_twice(at: &Installation, who: &Principal) -> (ExecutionId, Execution) {
    let flow = flow(&at.app, who);
    let new = begun(&at.app, &flow);
    let (id, now) = (new.id, at.app.now_ms());
    let failure = || Some(Failure::new("broken"));
    let steps = [
        record(FIRST, now, MessageRef::Own(0), &[1, 2, 3], None),
        record(SECOND, now, MessageRef::Own(1), &[], failure()),
        record(SECOND, now, MessageRef::Own(2), &[4], None),
        record(SECOND, now, MessageRef::Own(3), &[], failure()),
    ];
    let messages = [
        made(None, json!({ "from": "outside" })),
        made(Some(0), json!({ "nth": 1 })),
        made(Some(0), json!({ "nth": 2 })),
        made(Some(0), json!({ "nth": 3 })),
        made(Some(2), json!({})),
    ];
    commit(
        &at.app,
        &flow,
        &[part(RunKey::New(new), &steps, &messages)],
        &[],
    );
    (id, at.app.execution(who, id).unwrap())
}

#[test]
fn a_step_is_retried_with_what_failed_and_with_where_it_came_from() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let (id, old) = failed_twice(&at, &ada);
    assert_eq!(old.status, RunStatus::Error);
    for mode in [RetryMode::Step, RetryMode::FromStep] {
        let retry = again(mode, Some(SECOND), None);
        let refused = at.app.retry_execution(&ada, id, retry).unwrap_err();
        assert_eq!(refused.kind(), Kind::Conflict, "the flow was never started");
        assert!(refused.message().contains("stopped"), "{refused}");
    }
    at.app.start_flow(&ada, old.flow_id).unwrap();
    let retry = again(RetryMode::Step, Some(SECOND), None);
    let run = at.app.retry_execution(&ada, id, retry).unwrap();
    assert_eq!(run.retry_of, Some(id));
    assert_eq!(
        (run.trigger, run.status),
        (RunTrigger::Retry, RunStatus::Waiting)
    );
    assert_eq!((run.steps_total, run.queued), (0, 2));
    let entry = last_audit(&at);
    assert_eq!(entry.action, "execution.retry");
    assert_eq!(entry.object_id, Some(run.id.to_string()));
    assert_eq!(
        bodies_for(&at, &run, SECOND),
        [json!({ "nth": 1 }), json!({ "nth": 3 })]
    );
    let part = at.app.run_part(run.seq, 0).unwrap();
    let root = &part.messages[0];
    assert_eq!(root.message.body, json!({ "from": "outside" }));
    for message in &part.messages[1..] {
        let maker = &part.steps[message.made_by.unwrap() as usize];
        assert_eq!((maker.step.as_str(), maker.attempts), (FIRST, 0));
        assert_eq!(maker.input, MessageRef::Stored { part: 0, index: 0 });
    }
    // What was taken over is no step of the new run.
    let (steps, total) = at.app.execution_steps(&ada, run.id, 0, 10).unwrap();
    assert_eq!((steps.len(), total), (2, 2));
    assert!(steps.iter().all(|step| step.status == RunStatus::Waiting));
    // A retry of the retry, and the whole run again, begin with the same.
    let retry = again(RetryMode::Run, None, None);
    let whole = at.app.retry_execution(&ada, run.id, retry).unwrap();
    assert_eq!(whole.retry_of, Some(run.id));
    assert_eq!(
        bodies_for(&at, &whole, FIRST),
        [json!({ "from": "outside" })]
    );
    let edited = json!({ "body": { "nth": 4 } });
    let retry = again(RetryMode::FromStep, Some(SECOND), Some(edited));
    let run = at.app.retry_execution(&ada, id, retry).unwrap();
    assert_eq!(bodies_for(&at, &run, SECOND), [json!({ "nth": 4 })]);
}

#[test]
fn a_failed_mapping_is_retried_from_the_message_before_it() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    at.app.start_flow(&ada, flow.id).unwrap();
    let new = begun(&at.app, &flow);
    let (id, now) = (new.id, at.app.now_ms());
    let mut mapping = record(
        SECOND,
        now,
        MessageRef::Own(1),
        &[],
        Some(Failure::new("no")),
    );
    mapping.at_mapping = true;
    let steps = [record(FIRST, now, MessageRef::Own(0), &[1], None), mapping];
    let messages = [made(None, json!({})), made(Some(0), json!({ "raw": 1 }))];
    commit(
        &at.app,
        &flow,
        &[part(RunKey::New(new), &steps, &messages)],
        &[],
    );
    let retry = again(RetryMode::FromStep, Some(SECOND), None);
    let run = at.app.retry_execution(&ada, id, retry).unwrap();
    assert_eq!(bodies_for(&at, &run, SECOND), [] as [Value; 0]);
    let queue = edge_queue(FIRST, SECOND);
    assert_eq!(bodies_for(&at, &run, &queue), [json!({ "raw": 1 })]);
    let (steps, _) = at.app.execution_steps(&ada, run.id, 0, 10).unwrap();
    assert_eq!(steps[0].step, SECOND);
    assert_eq!(at.app.queue_stats(&ada, flow.id).unwrap()[1].total, 1);
}

#[test]
fn what_can_not_be_retried_is_refused_with_the_reason() {
    let at = Installation::with(|options| options.rules.retention.bodies_per_flow = 1);
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    let old = finished(&at.app, &flow, json!({}), None);
    let run = finished(&at.app, &flow, json!({}), None);
    while at.app.prune_bodies_of(flow.id).unwrap() {}
    let refused = |id, retry| at.app.retry_execution(&ada, id, retry).unwrap_err();
    let error = refused(old, again(RetryMode::Run, None, None));
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.message().contains("not kept"), "{}", error.message());
    let error = refused(run, again(RetryMode::Step, Some("step_9"), None));
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(
        error.message().contains("no such step"),
        "{}",
        error.message()
    );
    for retry in [
        again(RetryMode::Step, None, None),
        again(RetryMode::Run, Some(FIRST), None),
    ] {
        let error = refused(run, retry);
        assert_eq!(error.kind(), Kind::Invalid);
        assert_eq!(error.fields()[0].field, "step_id");
    }
    let before = count(&at, "SELECT count(*) FROM executions");
    assert_eq!(before, 2);
}

#[test]
fn a_run_with_an_interrupted_message_goes_on_with_the_others() {
    let at = Installation::new();
    let app = &at.app;
    let ada = at.principal("ada@example.com");
    let flow = flow(app, &ada);
    let first = record(FIRST, app.now_ms(), MessageRef::Own(0), &[1, 2], None);
    let messages = [
        made(None, json!({})),
        made(Some(0), json!(1)),
        made(Some(0), json!(2)),
    ];
    let begun = begun(app, &flow);
    let id = begun.id;
    let new = RunPart {
        queued: vec![waiting(SECOND, 1, 1), waiting(SECOND, 2, 1)],
        ..part(RunKey::New(begun), &[first], &messages)
    };
    let run = commit(app, &flow, &[new], &[]).remove(0);
    let ends = |row: i64, interrupted: bool, queued: Vec<NewQueued>| {
        let failure = interrupted.then(|| Failure::named("Interrupted", "too often"));
        let input = MessageRef::Stored { part: 0, index: 1 };
        let step = record(SECOND, app.now_ms(), input, &[0], failure);
        let part = RunPart {
            settled: vec![row],
            interrupted,
            queued,
            ..part(RunKey::Stored(run.seq), &[step], &[made(Some(0), json!(3))])
        };
        commit(app, &flow, &[part], &[]).remove(0)
    };
    let status = || app.execution(&ada, id).expect("a run").status;
    ends(run.queued[0], true, Vec::new());
    assert_eq!(status(), RunStatus::Waiting, "the other message is there");
    let next = ends(run.queued[1], false, vec![waiting(SECOND, 0, 1)]);
    assert_eq!(next.queued.len(), 1, "what it makes is queued");
    ends(next.queued[0], false, Vec::new());
    assert_eq!(status(), RunStatus::Error, "it says that something failed");
}
