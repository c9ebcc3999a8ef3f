//! Histories of runs made by hand, as the engine would write them.

use std::sync::atomic::{AtomicU64, Ordering};

use elastane::app::App;
use elastane::domain::flow::{Flow, chain};
use elastane::domain::id::{ExecutionId, RawId};
use elastane::domain::principal::Principal;
use elastane::domain::run::part::{
    CommittedRun, MessageRef, NewExecution, NewLogEntry, NewQueued, PartMessage, RunKey, RunPart,
    Slice, StepRecord, messages_text, steps_text,
};
use elastane::domain::run::{Failure, LogLevel, Message, RunStatus, RunTrigger};
use serde_json::{Value, json};

/// The step that begins the flows here.
pub const FIRST: &str = "step_1";

/// The step after it.
pub const SECOND: &str = "step_2";

/// Makes a flow of a timer and a log.
pub fn flow(app: &App, who: &Principal) -> Flow {
    flow_with(app, who, &json!({ "action": "elasticio/debug:log" }))
}

/// Makes a flow of a timer and another step.
pub fn flow_with(app: &App, who: &Principal, second: &Value) -> Flow {
    let timer = json!({ "action": "elasticio/timer:timer" });
    let graph = chain::parse(&[timer, second.clone()]).expect("a chain");
    app.create_chain_flow(who, "A flow", graph, None)
        .expect("a flow")
}

/// Returns a run of a flow that begins now.
pub fn begun(app: &App, flow: &Flow) -> NewExecution {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let unique = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    NewExecution {
        id: ExecutionId::new(RawId::from_parts(0x7000_0000, unique)),
        flow_version: flow.version,
        trigger: RunTrigger::Manual,
        started_at_ms: app.now_ms(),
        request_id: None,
        retry_of: None,
    }
}

/// Returns the record of a step that failed where there is an error.
pub fn record(
    step: &str,
    at_ms: i64,
    input: MessageRef,
    outputs: &[u32],
    error: Option<Failure>,
) -> StepRecord {
    StepRecord {
        step: step.to_owned(),
        status: if error.is_some() {
            RunStatus::Error
        } else {
            RunStatus::Success
        },
        attempts: 1,
        started_at_ms: at_ms,
        duration_us: 2_500,
        input,
        outputs: outputs.to_vec(),
        error,
        input_bytes: 10,
        output_bytes: 20,
        at_mapping: false,
        continues: false,
    }
}

/// Returns a message that the record at `made_by` of the same part made.
pub fn made(made_by: Option<u32>, body: Value) -> PartMessage {
    PartMessage {
        made_by,
        ..PartMessage::outside(Message::of_body(body))
    }
}

/// Returns a part of a run.
pub fn part(run: RunKey, steps: &[StepRecord], messages: &[PartMessage]) -> RunPart {
    let failed = steps.iter().filter(|step| step.error.is_some()).count();
    let steps_count = u32::try_from(steps.len()).expect("few steps");
    RunPart {
        run,
        steps: steps_text(steps),
        steps_count,
        errors_count: u32::try_from(failed).expect("few steps"),
        messages: messages_text(messages, steps),
        body_files: Vec::new(),
        queued: Vec::new(),
        settled: Vec::new(),
        interrupted: false,
        reopens: false,
    }
}

/// Returns a message of the part that waits for a step.
pub fn waiting(step: &str, message: u32, attempt: u32) -> NewQueued {
    NewQueued {
        step: step.to_owned(),
        message: MessageRef::Own(message),
        bytes: 10,
        attempt,
        due_at_ms: 0,
        fault: None,
    }
}

/// Makes parts true.
pub fn commit(app: &App, flow: &Flow, runs: &[RunPart], logs: &[&str]) -> Vec<CommittedRun> {
    let entry = |text: &&str| NewLogEntry {
        step: Some(SECOND.to_owned()),
        at_ms: app.now_ms(),
        level: LogLevel::Info,
        message: (*text).to_owned(),
        run: (!runs.is_empty()).then_some(0),
    };
    let slice = Slice {
        flow: flow.id,
        logs: logs.iter().map(entry).collect(),
        leased: Vec::new(),
        runs: runs.to_vec(),
        snapshots: Vec::new(),
        kept: Vec::new(),
        needs_active: false,
    };
    app.commit_slice(slice).expect("committed")
}

/// Makes a run that is over: the first step made `body`, and the second one failed where
/// there is an error. Returns its id.
pub fn finished(app: &App, flow: &Flow, body: Value, error: Option<Failure>) -> ExecutionId {
    let new = begun(app, flow);
    let id = new.id;
    let now = app.now_ms();
    let last: &[u32] = if error.is_some() { &[] } else { &[2] };
    let steps = [
        record(FIRST, now, MessageRef::Own(0), &[1], None),
        record(SECOND, now + 1, MessageRef::Own(1), last, error),
    ];
    let messages = [
        made(None, json!({ "from": "outside" })),
        made(Some(0), body),
        made(Some(1), json!({ "done": true })),
    ];
    commit(app, flow, &[part(RunKey::New(new), &steps, &messages)], &[]);
    id
}
