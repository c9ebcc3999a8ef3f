//! Runs of flows: lists, one, its steps and its log, retries, run now (`v2.md 8`).

use serde_json::{Value, json};

use super::document::{Document, Resource, nothing, time};
use super::input::Input;
use super::query::bad_parameter;
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{
    Answers, Attribute, QueryRules, Relationship, ResourceInput, ResourceType, Shape,
};
use crate::app::execution::{ExecutionStep, NewRetry};
use crate::domain::id::ExecutionId;
use crate::domain::run::{Execution, ExecutionFilter, LogEntry, LogLevel, RetryMode, RunStatus};
use crate::domain::{Error, Kind, Result};

/// How a run or a step stands.
const STATUS: Shape = Shape::OneOf(&[
    "running",
    "waiting",
    "success",
    "error",
    "interrupted",
    "cancelled",
]);

/// The type of runs.
pub(super) const EXECUTION: ResourceType = ResourceType {
    name: "flow-execution",
    attributes: &[
        Attribute::required("status", STATUS),
        Attribute::required(
            "trigger",
            Shape::OneOf(&["schedule", "webhook", "manual", "retry"]),
        ),
        Attribute::required("started_at", Shape::Time),
        Attribute::new("finished_at", Shape::Time),
        Attribute::new("duration_ms", Shape::Integer),
        Attribute::required("flow_version", Shape::Integer),
        Attribute::required("steps_total", Shape::Integer),
        Attribute::required("errors_total", Shape::Integer),
        Attribute::new("request_id", Shape::Text),
    ],
    relationships: &[
        Relationship::one("flow", "flow"),
        Relationship::one("retry_of", "flow-execution"),
    ],
};

/// The type of the steps of runs.
pub(super) const STEP: ResourceType = ResourceType {
    name: "execution-step",
    attributes: &[
        Attribute::required("step_id", Shape::Text),
        Attribute::new("command", Shape::Text),
        Attribute::required("status", STATUS),
        Attribute::required("attempts", Shape::Integer),
        Attribute::new("started_at", Shape::Time),
        Attribute::new("duration_ms", Shape::Integer),
        Attribute::new("input", Shape::Object),
        Attribute::required("outputs", Shape::List),
        Attribute::new("error", Shape::Object),
        Attribute::required("input_bytes", Shape::Integer),
        Attribute::required("output_bytes", Shape::Integer),
        Attribute::required("truncated", Shape::Boolean),
    ],
    relationships: &[],
};

/// How much an entry of a log matters.
const LEVEL: Shape = Shape::OneOf(&["trace", "debug", "info", "warn", "error", "fatal"]);

/// The type of entries of logs.
pub(super) const LOG_ENTRY: ResourceType = ResourceType {
    name: "log-entry",
    attributes: &[
        Attribute::required("at", Shape::Time),
        Attribute::required("level", LEVEL),
        Attribute::new("step_id", Shape::Text),
        Attribute::required("message", Shape::Text),
    ],
    relationships: &[Relationship::one("execution", "flow-execution")],
};

/// What is to be run again.
const RETRY: ResourceInput = ResourceInput {
    types: &["execution-retry"],
    attributes: &[
        Attribute::required("mode", Shape::OneOf(&["step", "from-step", "run"])),
        Attribute::new("step_id", Shape::Text),
        Attribute::new("input", Shape::Object),
    ],
    ..ResourceInput::NEW
};

/// The list has pages and filters.
const LIST: QueryRules = QueryRules {
    filters: &[
        Attribute::new("flow", Shape::Text),
        Attribute::new("status", STATUS),
        Attribute::new("since", Shape::Time),
        Attribute::new("until", Shape::Time),
    ],
    // Runs are numbered as they begin.
    sorts: &["started_at"],
    ..QueryRules::PAGED
};

/// A log has pages, and can be narrowed to one level.
const LOG: QueryRules = QueryRules {
    filters: &[Attribute::new("level", LEVEL)],
    ..QueryRules::PAGED
};

/// The routes of this resource.
pub(super) const ROUTES: &[Route] = &[
    Route::post(
        "/v2/flows/{flow_id}/run-now",
        "starts one run of a flow by hand",
        run_now,
    )
    .answering(202, Answers::One(&EXECUTION)),
    Route::get(
        "/v2/flows/{flow_id}/logs",
        "lists what a flow wrote to its log, newest first",
        flow_logs,
    )
    .asking(&LOG)
    .answering(200, Answers::Many(&LOG_ENTRY)),
    Route::get("/v2/flow-executions", "lists runs, newest first", list)
        .asking(&LIST)
        .answering(200, Answers::Many(&EXECUTION)),
    Route::get("/v2/flow-executions/{execution_id}", "returns a run", one)
        .answering(200, Answers::One(&EXECUTION)),
    Route::get(
        "/v2/flow-executions/{execution_id}/steps",
        "lists the steps of a run in order of start",
        steps,
    )
    .asking(&QueryRules::PAGED)
    .answering(200, Answers::Many(&STEP)),
    Route::get(
        "/v2/flow-executions/{execution_id}/logs",
        "lists what a run wrote to its log",
        logs,
    )
    .asking(&LOG)
    .answering(200, Answers::Many(&LOG_ENTRY)),
    Route::post(
        "/v2/flow-executions/{execution_id}/retry",
        "runs a step, what follows it, or all of a run once more",
        retry,
    )
    .taking(&RETRY)
    .answering(202, Answers::One(&EXECUTION)),
    Route::post(
        "/v2/flow-executions/{execution_id}/cancel",
        "ends a run that is not over",
        cancel,
    )
    .answering(202, Answers::Nothing),
];

/// Starts a run of a flow.
fn run_now(call: &mut Call<'_>) -> Result<Reply> {
    let begun = call
        .app
        .run_flow_now(&call.who, call.id("flow_id", "flow")?);
    let id = begun.map_err(of_steps)?;
    let run = call.app.execution(&call.who, id)?;
    Ok(accepted(call, &run))
}

/// Answers a page of runs.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let page = call.asked.page();
    let Some(filter) = read_filter(call)? else {
        return Ok(Document::page(call, page, Vec::new(), 0).ok());
    };
    let (runs, total) = call
        .app
        .execution_page(&call.who, &filter, page.offset(), page.size)?;
    let shown = runs.iter().map(show).collect();
    Ok(Document::page(call, page, shown, total).ok())
}

/// Answers one run.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let run = call.app.execution(&call.who, id_of(call)?)?;
    Ok(Document::one(show(&run)).ok())
}

/// Answers a page of the steps of a run.
fn steps(call: &mut Call<'_>) -> Result<Reply> {
    let (id, page) = (id_of(call)?, call.asked.page());
    let (steps, total) = call
        .app
        .execution_steps(&call.who, id, page.offset(), page.size)?;
    let link = format!("{}/steps", path_of(id));
    let shown = steps
        .into_iter()
        .map(|step| show_step(step, &link))
        .collect();
    Ok(Document::page(call, page, shown, total).ok())
}

/// Answers a page of the log of a run.
fn logs(call: &mut Call<'_>) -> Result<Reply> {
    let (id, page, level) = (id_of(call)?, call.asked.page(), level_of(call)?);
    let (entries, total) =
        call.app
            .execution_log(&call.who, id, level, page.offset(), page.size)?;
    let link = format!("{}/logs", path_of(id));
    Ok(show_log(call, entries, total, &link))
}

/// Answers a page of the log of a flow.
fn flow_logs(call: &mut Call<'_>) -> Result<Reply> {
    let id = call.id("flow_id", "flow")?;
    let (page, level) = (call.asked.page(), level_of(call)?);
    let (entries, total) =
        call.app
            .flow_log_page(&call.who, id, level, page.offset(), page.size)?;
    Ok(show_log(
        call,
        entries,
        total,
        &format!("/v2/flows/{id}/logs"),
    ))
}

/// Reads the level that a log is narrowed to.
fn level_of(call: &Call<'_>) -> Result<Option<LogLevel>> {
    let word = call.asked.filter("level");
    word.map(|word| {
        LogLevel::parse(word).ok_or_else(|| {
            let words = LogLevel::ALL.map(LogLevel::as_str).join(", ");
            bad_parameter("filter[level]", format!("must be one of {words}"))
        })
    })
    .transpose()
}

/// Returns a page of entries; they have no path of their own but that of their list.
fn show_log(call: &Call<'_>, entries: Vec<LogEntry>, total: u64, link: &str) -> Reply {
    let shown = entries.into_iter().map(|entry| {
        let shown = Resource::new(&LOG_ENTRY, entry.seq.to_string(), link)
            .attribute("at", time(entry.at_ms))
            .attribute("level", entry.level.as_str())
            .attribute("step_id", entry.step)
            .attribute("message", entry.message);
        match entry.execution_id {
            Some(run) => shown.to_one("execution", EXECUTION.name, run, path_of(run)),
            None => shown,
        }
    });
    Document::page(call, call.asked.page(), shown.collect(), total).ok()
}

/// Runs something of a run once more.
fn retry(call: &mut Call<'_>) -> Result<Reply> {
    let id = id_of(call)?;
    // Who may not see the run is told so before the body is looked at.
    call.app.execution(&call.who, id)?;
    let input = Input::read(call, |_| false)?;
    let new = NewRetry {
        mode: RetryMode::parse(input.required_text("mode")).unwrap_or(RetryMode::Run),
        step: input.text("step_id").map(str::to_owned),
        input: input.value("input").cloned(),
    };
    let run = call.app.retry_execution(&call.who, id, new);
    let run = run.map_err(of_steps)?;
    Ok(accepted(call, &run))
}

/// Ends a run.
fn cancel(call: &mut Call<'_>) -> Result<Reply> {
    call.app.cancel_execution(&call.who, id_of(call)?)?;
    Ok(nothing(202))
}

/// Answers a run that was begun, and where it is.
fn accepted(call: &Call<'_>, run: &Execution) -> Reply {
    let location = format!("{}{}", call.base_url(), path_of(run.id));
    Document::one(show(run))
        .reply(202)
        .with_header("Location", location)
}

/// Gives the faults of a flow that can't run no place in the request: they are steps.
fn of_steps(error: Error) -> Error {
    match error.kind() {
        Kind::Conflict => error.with_fields(|step| format!("#{step}")),
        _ => error,
    }
}

/// Reads which runs are asked for; none where no run can be meant.
fn read_filter(call: &Call<'_>) -> Result<Option<ExecutionFilter>> {
    let asked = &call.asked;
    let flow = asked.filter("flow").map(str::parse).transpose();
    let status = match asked.filter("status") {
        None => None,
        Some(word) => Some(RunStatus::parse(word).ok_or_else(|| {
            let words = RunStatus::ALL.map(RunStatus::as_str).join(", ");
            bad_parameter("filter[status]", format!("must be one of {words}"))
        })?),
    };
    let at = |name: &str| match asked.filter(name) {
        None => Ok(None),
        Some(text) => match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Some(at.as_millisecond())),
            Err(_) => Err(bad_parameter(
                &format!("filter[{name}]"),
                "must be a time such as 2026-01-31T08:00:00Z",
            )),
        },
    };
    let (since_ms, until_ms) = (at("since")?, at("until")?);
    // What is no id is the id of nothing; the other filters are checked all the same.
    Ok(flow.ok().map(|flow| ExecutionFilter {
        flow,
        status,
        since_ms,
        until_ms,
        oldest_first: asked
            .order(|_| Some(()))
            .first()
            .is_some_and(|by| !by.is_descending),
    }))
}

/// Reads the id in the path.
fn id_of(call: &Call<'_>) -> Result<ExecutionId> {
    call.id("execution_id", "flow execution")
}

/// Returns the path of a run.
fn path_of(id: ExecutionId) -> String {
    format!("/v2/flow-executions/{id}")
}

/// Returns a run as v2 shows it.
fn show(run: &Execution) -> Resource {
    let flow = run.flow_id;
    let took_ms = run.finished_at_ms.map(|at| (at - run.started_at_ms).max(0));
    let shown = Resource::new(&EXECUTION, run.id, path_of(run.id))
        .attribute("status", run.status.as_str())
        .attribute("trigger", run.trigger.as_str())
        .attribute("started_at", time(run.started_at_ms))
        .attribute("finished_at", run.finished_at_ms.map(time))
        .attribute("duration_ms", took_ms)
        .attribute("flow_version", run.flow_version)
        .attribute("steps_total", run.steps_total)
        .attribute("errors_total", run.errors_total)
        .maybe("request_id", run.request_id.as_deref())
        .to_one("flow", "flow", flow, format!("/v2/flows/{flow}"));
    match run.retry_of {
        Some(of) => shown.to_one("retry_of", EXECUTION.name, of, path_of(of)),
        None => shown,
    }
}

/// Returns a step as v2 shows it; it has no path of its own but that of its list.
fn show_step(step: ExecutionStep, link: &str) -> Resource {
    let error = step
        .error
        .map(|error| json!({ "name": error.name, "message": error.message, "stack": error.stack }));
    Resource::new(&STEP, step.id, link)
        .attribute("step_id", step.step)
        .attribute("command", step.command)
        .attribute("status", step.status.as_str())
        .attribute("attempts", step.attempts)
        .attribute("started_at", step.started_at_ms.map(time))
        .attribute("duration_ms", step.duration_us.map(|us| us / 1_000))
        .attribute("input", step.input)
        .attribute("outputs", step.outputs)
        .attribute("error", error.unwrap_or(Value::Null))
        .attribute("input_bytes", step.input_bytes)
        .attribute("output_bytes", step.output_bytes)
        .attribute("truncated", step.truncated)
}
