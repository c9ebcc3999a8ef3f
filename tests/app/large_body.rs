//! Large bodies of messages: files beside the database, as long as their run has messages.

use std::fs;

use elastane::app::execution::NewRetry;
use elastane::app::storage::LARGE_BODY_BYTES;
use elastane::app::{App, Pruning};
use elastane::clock::Clock;
use elastane::domain::Kind;
use elastane::domain::flow::Flow;
use elastane::domain::id::ExecutionId;
use elastane::domain::run::part::{MessageRef, RunKey, RunPart, Slice};
use elastane::domain::run::retention::Retention;
use elastane::domain::run::{Failure, RetryMode};
use serde_json::{Value, json};

use super::given::count;
use crate::support::Installation;
use crate::support::history::{FIRST, SECOND, begun, commit, flow, made, part, record};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Bytes of the database that a part with large bodies elsewhere stays below.
const SMALL: i64 = 10_000;

fn installation() -> (Installation, Clock) {
    let clock = Clock::fixed(1_700_000_000_000);
    let at = Installation::with(|options| {
        options.clock = clock.clone();
        options.rules.retention = Retention {
            execution_days: 30,
            error_body_days: 60,
            ..Retention::default()
        };
    });
    (at, clock)
}

/// A body that is too large for the database.
fn large() -> Value {
    json!({ "text": "x".repeat(LARGE_BODY_BYTES), "n": 7 })
}

/// Returns a part of a new run whose second step failed with a large body, which is in a
/// file already.
fn failed_part(app: &App, flow: &Flow) -> (ExecutionId, RunPart) {
    let new = begun(app, flow);
    let (id, now) = (new.id, app.now_ms());
    let steps = [
        record(FIRST, now, MessageRef::Own(0), &[1], None),
        record(
            SECOND,
            now,
            MessageRef::Own(1),
            &[],
            Some(Failure::new("no")),
        ),
    ];
    let mut messages = [made(None, json!({})), made(Some(0), large())];
    let body_files = app.set_bodies_aside(&mut messages).unwrap();
    assert_eq!(body_files.len(), 1, "the small one stays");
    let part = RunPart {
        body_files,
        ..part(RunKey::New(new), &steps, &messages)
    };
    (id, part)
}

/// Returns the names of the files of objects.
fn files(at: &Installation) -> Vec<String> {
    let folder = at.dir.path().join("elastane.objects");
    let shards = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = shards.flat_map(|shard| fs::read_dir(shard.path()).into_iter().flatten().flatten());
    files
        .map(|file| file.file_name().into_string().unwrap())
        .collect()
}

/// Does all that the housekeeper does to what is old.
fn sweep(app: &App) {
    let mut round = Pruning::default();
    while app.prune_runs(&mut round).unwrap() {}
    while app.sweep_objects().unwrap() {}
    let mut shard = Some(0);
    while let Some(next) = shard {
        shard = app.sweep_leftovers(next).unwrap();
    }
}

#[test]
fn a_large_body_is_a_file_that_is_read_like_any_other_and_goes_with_its_run() {
    let (at, clock) = installation();
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    let (id, part) = failed_part(&at.app, &flow);
    let seq = commit(&at.app, &flow, &[part], &[])[0].seq;
    let bytes = count(
        &at,
        "SELECT max(octet_length(messages)) FROM execution_messages",
    );
    assert!(bytes < SMALL, "the database has {bytes} bytes");
    assert_eq!(files(&at).len(), 1);
    let kept = at.app.run_part(seq, 0).unwrap();
    assert_eq!(kept.messages[1].message.body, large());
    let (steps, _) = at.app.execution_steps(&ada, id, 0, 10).unwrap();
    assert_eq!(steps[1].input.as_ref().unwrap()["body"], large());
    // It is no leftover, however old.
    clock.advance(2 * DAY_MS);
    sweep(&at.app);
    assert_eq!(files(&at).len(), 1);
    // A retry has a file of its own, so the run that it repeats may go before.
    let retry = NewRetry {
        mode: RetryMode::Step,
        step: Some(SECOND.to_owned()),
        input: None,
    };
    at.app.start_flow(&ada, flow.id).unwrap();
    let again = at.app.retry_execution(&ada, id, retry).unwrap();
    assert_eq!(files(&at).len(), 2);
    clock.advance(29 * DAY_MS);
    sweep(&at.app);
    assert!(at.app.execution(&ada, id).is_err(), "it is old");
    assert_eq!(files(&at).len(), 1);
    let kept = at.app.run_part(again.seq, 0).unwrap();
    assert!(
        kept.messages
            .iter()
            .any(|kept| kept.message.body == large())
    );
    at.app.cancel_execution(&ada, again.id).unwrap();
    clock.advance(31 * DAY_MS);
    sweep(&at.app);
    assert_eq!(files(&at), [] as [String; 0]);
    assert_eq!(count(&at, "SELECT count(*) FROM objects"), 0);
}

#[test]
fn nothing_stays_of_a_part_that_is_refused() {
    let (at, _) = installation();
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    let (_, part) = failed_part(&at.app, &flow);
    assert_eq!(files(&at).len(), 1);
    let slice = Slice {
        flow: flow.id,
        runs: vec![part],
        snapshots: Vec::new(),
        kept: Vec::new(),
        logs: Vec::new(),
        leased: Vec::new(),
        needs_active: true,
    };
    let refused = at.app.commit_slice(slice.clone());
    assert_eq!(refused.unwrap_err().kind(), Kind::Conflict);
    at.app.drop_slice(&slice);
    assert_eq!(files(&at), [] as [String; 0]);
}

#[test]
fn a_file_that_is_gone_is_a_message_that_is_not_kept() {
    let (at, _) = installation();
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    let (id, part) = failed_part(&at.app, &flow);
    commit(&at.app, &flow, &[part], &[]);
    fs::remove_dir_all(at.dir.path().join("elastane.objects")).unwrap();
    let (steps, _) = at.app.execution_steps(&ada, id, 0, 10).unwrap();
    assert!(steps[1].truncated && steps[1].input.is_none());
    assert!(!steps[0].input.as_ref().unwrap().is_null());
    let retry = NewRetry {
        mode: RetryMode::Step,
        step: Some(SECOND.to_owned()),
        input: None,
    };
    let refused = at.app.retry_execution(&ada, id, retry).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(refused.message().contains("not kept"), "{refused}");
}
