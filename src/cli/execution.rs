//! `elastane execution`: runs of flows and what became of them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::database::{DatabaseArgs, operator};
use super::error::{Advice, CliError};
use super::list::{self, Cell, Column, ListedArgs, hidden, shown};
use super::output::Output;
use crate::app::execution::{ExecutionStep, NewRetry};
use crate::app::{App, Opening, PAGE_MAX};
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::listing::{ListFilter, ListOf, ListTest};
use crate::domain::run::{Execution, RetryMode, RunStatus};
use crate::domain::{Error, Kind};

/// What is done with runs.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List runs, newest first
    List {
        #[command(flatten)]
        listed: ListedArgs,
        /// Only those of this flow
        #[arg(long, value_name = "ID")]
        flow: Option<String>,
        /// Only those that stand so: running, waiting, success, error, interrupted or cancelled
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// Only those that began then or later, such as 2026-01-31T08:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Only those that began before, such as 2026-01-31T08:00:00Z
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Show one run with its steps; secrets in them are masked
    Show(WhichArgs),
    /// Run a step, what follows it, or all of a run once more
    Retry {
        #[command(flatten)]
        which: WhichArgs,
        /// What is run again
        #[arg(long, value_enum, default_value_t = Mode::Run)]
        mode: Mode,
        /// The step, where not all is run again
        #[arg(long, value_name = "ID", required_if_eq_any([("mode", "step"), ("mode", "from-step")]))]
        step: Option<String>,
        /// A file with the message to begin with, as JSON [default: as recorded]
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
    },
    /// End a run that is not over; what waits of it is dropped
    Cancel(WhichArgs),
}

/// What is run again.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Mode {
    /// A step and what follows it, with the flow as it was
    Step,
    /// The same, with the flow as it is now
    FromStep,
    /// Everything, with the flow as it is now
    Run,
}

impl From<Mode> for RetryMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Step => Self::Step,
            Mode::FromStep => Self::FromStep,
            Mode::Run => Self::Run,
        }
    }
}

/// Which run a command is about.
#[derive(Clone, Debug, Args)]
pub(super) struct WhichArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The id
    execution: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl WhichArgs {
    /// Opens the database and reads the id; what can't be one is not there.
    fn open(&self, opening: Opening) -> Result<(App, ExecutionId), CliError> {
        let app = self.database.open(opening)?;
        let id = self.execution.parse();
        let id = id
            .map_err(|_| Error::not_found("flow execution"))
            .advise(list_advice)?;
        Ok((app, id))
    }
}

/// The columns of runs; the last one is of a single run only.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("flow", "FLOW"),
    shown("status", "STATUS"),
    shown("trigger", "TRIGGER"),
    shown("started_at", "STARTED"),
    hidden("finished_at"),
    hidden("flow_version"),
    shown("steps_total", "STEPS"),
    shown("errors_total", "ERRORS"),
    hidden("queued"),
    hidden("request_id"),
    hidden("retry_of"),
    hidden("steps"),
];

/// How many columns a run has without its steps.
const LISTED: usize = 12;

/// Returns the first columns of a run.
fn row(run: &Execution) -> Vec<Cell> {
    vec![
        Cell::text(&run.id),
        Cell::text(&run.flow_id),
        Cell::text(run.status.as_str()),
        Cell::text(run.trigger.as_str()),
        Cell::Time(run.started_at_ms),
        Cell::time(run.finished_at_ms),
        Cell::Number(run.flow_version),
        Cell::Number(run.steps_total),
        Cell::Number(run.errors_total),
        Cell::Number(run.queued),
        Cell::maybe(run.request_id.as_ref()),
        Cell::maybe(run.retry_of),
    ]
}

/// Which runs the flags of the list ask for.
struct Asked {
    flow: Option<FlowId>,
    status: Option<RunStatus>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
}

impl Asked {
    /// Adds what was asked to a filter.
    fn narrow(&self, mut filter: ListFilter) -> ListFilter {
        let of = ListOf::Executions;
        if let Some(flow) = self.flow {
            filter = filter.and_is(of, "flow", flow);
        }
        if let Some(status) = self.status {
            filter = filter.and_is(of, "status", status.as_str());
        }
        if self.since_ms.is_some() || self.until_ms.is_some() {
            let since_ms = self.since_ms.unwrap_or(i64::MIN);
            let until_ms = self.until_ms.map_or(i64::MAX, |at| at.saturating_sub(1));
            let within = ListTest::Within(since_ms..=until_ms);
            filter = filter.and(of, "started_at", within);
        }
        filter
    }
}

/// Says where ids are found.
fn list_advice() -> String {
    "`elastane execution list` shows all of them".to_owned()
}

/// Runs a command about runs.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::List {
            listed,
            flow,
            status,
            since,
            until,
        } => {
            let asked = Asked {
                flow: read(flow.as_deref(), "--flow", "the id of a flow", |it| {
                    it.parse().ok()
                })?,
                status: read(status.as_deref(), "--status", "a status", RunStatus::parse)?,
                since_ms: read(since.as_deref(), "--since", "a time", time_of)?,
                until_ms: read(until.as_deref(), "--until", "a time", time_of)?,
            };
            let app = listed.open()?;
            listed.print(&app, ListOf::Executions, |all| asked.narrow(all), out)
        }
        Command::Show(which) => {
            let (app, id) = which.open(Opening::Look)?;
            let run = app.execution(&operator(), id).advise(list_advice)?;
            print(&app, &run, which.json, out)
        }
        Command::Retry {
            which,
            mode,
            step,
            input,
        } => {
            let input = input.as_deref().map(message_in).transpose()?;
            let (app, id) = which.open(Opening::Use)?;
            let mode = mode.into();
            let retry = NewRetry { mode, step, input };
            let run = app
                .retry_execution(&operator(), id, retry)
                .advise(list_advice)?;
            told(&run, "Queued the execution", which.json, out)
        }
        Command::Cancel(which) => {
            let (app, id) = which.open(Opening::Use)?;
            let run = app.cancel_execution(&operator(), id).advise(list_advice)?;
            let what = match run.status {
                RunStatus::Cancelled => "Cancelled the execution",
                _ => "Nothing to cancel: it was over already, the execution",
            };
            told(&run, what, which.json, out)
        }
    }
}

/// Says what became of a run.
fn told(run: &Execution, what: &str, json: bool, out: &mut Output) -> Result<(), CliError> {
    if json {
        return list::print_one(out, json, &COLUMNS[..LISTED], &row(run));
    }
    out.line(&format!("{what} {} of the flow {}", run.id, run.flow_id))
}

/// Prints one run with its steps: all of them as JSON, else a line a step.
fn print(app: &App, run: &Execution, json: bool, out: &mut Output) -> Result<(), CliError> {
    let mut cells = row(run);
    let mut steps = Vec::new();
    loop {
        let (next, total) =
            app.execution_steps(&operator(), run.id, steps.len() as u64, PAGE_MAX)?;
        let is_last = next.is_empty();
        steps.extend(next);
        if is_last || steps.len() as u64 >= total {
            break;
        }
    }
    cells.push(if json {
        Cell::Json(steps.iter().map(step_value).collect())
    } else {
        let lines: Vec<String> = steps.iter().map(step_line).collect();
        Cell::Text(lines.join("\n"))
    });
    list::print_one(out, json, COLUMNS, &cells)
}

/// Returns a step for JSON.
fn step_value(step: &ExecutionStep) -> Value {
    let error = step
        .error
        .as_ref()
        .map(|error| json!({ "name": error.name, "message": error.message, "stack": error.stack }));
    json!({
        "id": step.id,
        "step_id": step.step,
        "command": step.command,
        "status": step.status.as_str(),
        "attempts": step.attempts,
        "started_at": step.started_at_ms.and_then(time_text),
        "duration_ms": step.duration_us.map(|us| us / 1_000),
        "input": step.input,
        "outputs": step.outputs,
        "error": error,
        "input_bytes": step.input_bytes,
        "output_bytes": step.output_bytes,
        "truncated": step.truncated,
    })
}

/// Returns a moment as RFC 3339 text, UTC.
fn time_text(at_ms: i64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at_ms).ok()?;
    Some(at.to_string())
}

/// Returns a step as a line for a person.
fn step_line(step: &ExecutionStep) -> String {
    let mut words = vec![format!("{} {}", step.step, step.status.as_str())];
    words.extend(step.duration_us.map(|us| format!(" in {} ms", us / 1_000)));
    if step.attempts > 1 {
        words.push(format!(", {} attempts", step.attempts));
    }
    if let Some(error) = &step.error {
        // A message of several lines would pass for several steps.
        let message = error.message.replace(['\r', '\n'], " ");
        words.push(format!(": {}: {message}", error.name));
    }
    words.concat()
}

/// Reads the value of a flag.
fn read<T>(
    text: Option<&str>,
    flag: &str,
    what: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, CliError> {
    let Some(text) = text else { return Ok(None) };
    let read = parse(text).ok_or_else(|| {
        CliError::usage(
            format!("`{text}` is not {what}"),
            format!("`elastane execution list --help` says what {flag} takes"),
        )
    })?;
    Ok(Some(read))
}

/// Reads a time.
fn time_of(text: &str) -> Option<i64> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(at.as_millisecond())
}

/// Reads a message from a file.
fn message_in(path: &std::path::Path) -> Result<Value, CliError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::new(Kind::NotFound, format!("can't read {shown}: {error}")))?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Error::new(Kind::Invalid, format!("{shown} is no JSON: {error}")))?;
    if !value.is_object() {
        let told = format!("{shown} is no message: that is an object with a body");
        return Err(Error::new(Kind::Invalid, told).into());
    }
    Ok(value)
}
