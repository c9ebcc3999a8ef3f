//! More of the row under the cursor, and the last hour: what stands below a list, and
//! beside the facts of an object.
//!
//! What the row has itself is drawn at once. The rest is asked for after the list is there,
//! of the row under the cursor alone, so that a page of a list waits for none of it.

mod draw;

pub(super) use draw::{draw_below, draw_beside};

use super::ask::{Answer, Ask, find};
use super::model::Model;
use super::msg::Cmd;
use crate::app::App;
use crate::app::execution::ExecutionStep;
use crate::domain::figures::{QueueFigures, RunMinutes};
use crate::domain::id::FlowId;
use crate::domain::listing::{Counted, ListFilter, ListOf, ListQuery, ListRow};
use crate::domain::principal::Principal;
use crate::domain::{Error, Result};

/// The rows of a list beside an object: as many as the largest pane has lines.
const ROWS_SHOWN: u32 = 12;

/// The steps of a run that are looked at for what went wrong.
const STEPS_SHOWN: u32 = 12;

/// The credentials of a task that are named; a line has no room for more.
const CREDENTIALS_SHOWN: usize = 4;

/// A list that stands beside the rows of another: whose, what it is called, which one, the
/// field of its filter, the columns that are shown of it.
type Beside = (
    ListOf,
    &'static str,
    ListOf,
    &'static str,
    &'static [&'static str],
);

/// What stands beside what.
#[rustfmt::skip]
const BESIDE: &[Beside] = &[
    (ListOf::Users, "Teams", ListOf::Teams, "user_id", &["name", "components", "members_total"]),
    (ListOf::Users, "SSH keys", ListOf::SshKeys, "user_id", &["title", "algorithm", "fingerprint", "last_used_at"]),
    (ListOf::Teams, "Members", ListOf::Users, "team_id", &["email", "state", "last_login_at"]),
    (ListOf::Teams, "Components", ListOf::Components, "team_id", &["component", "builds", "tasks"]),
];

/// More of one row.
#[derive(Clone, Debug)]
pub struct Peek {
    /// The object of the row.
    pub id: String,
    /// The last hour of the installation, beside tasks and their runs.
    pub hour: Option<(RunMinutes, QueueFigures)>,
    /// What else there is.
    pub more: More,
}

/// What else there is to know of a row.
#[derive(Clone, Debug)]
pub enum More {
    /// How a task is made and how fast it is.
    Task(TaskMore),
    /// The first steps of a run, and how many there are.
    Run(Vec<ExecutionStep>, u64),
    /// Lists of what belongs to it.
    Lists(Vec<List>),
}

/// More of a task.
#[derive(Clone, Debug)]
pub struct TaskMore {
    /// The version of its graph.
    pub version: i64,
    /// Its steps.
    pub steps: usize,
    /// Its slowest step, with the time that half of its runs stayed within, and nineteen of
    /// twenty, in microseconds; none where no step ran.
    pub slowest: Option<(String, u64, u64)>,
    /// The messages that wait before its steps.
    pub queued: i64,
    /// The names of its credentials.
    pub credentials: Vec<String>,
}

/// A list of what belongs to an object.
#[derive(Clone, Debug)]
pub struct List {
    /// What it is called.
    pub title: &'static str,
    /// Which one it is.
    pub of: ListOf,
    /// The columns that are shown.
    pub keys: &'static [&'static str],
    /// The first rows.
    pub rows: Vec<ListRow>,
    /// How many there are.
    pub count: Counted,
}

/// Tells whether there is more to ask of a list's rows than they have themselves.
pub(super) fn has_more(of: ListOf) -> bool {
    matches!(of, ListOf::Flows | ListOf::Executions) || has_lists(of)
}

/// Tells whether other lists stand beside a list's rows.
pub(super) fn has_lists(of: ListOf) -> bool {
    BESIDE.iter().any(|(whose, ..)| *whose == of)
}

/// Gets more of a row.
pub(super) fn load(app: &App, who: &Principal, of: ListOf, id: &str) -> Result<Peek> {
    let gone = || Error::not_found("object");
    let has_hour = matches!(of, ListOf::Flows | ListOf::Executions);
    let more = match of {
        ListOf::Flows => More::Task(task(app, who, id.parse().map_err(|_| gone())?)?),
        ListOf::Executions => {
            let id = id.parse().map_err(|_| gone())?;
            let (steps, total) = app.execution_steps(who, id, 0, STEPS_SHOWN)?;
            let steps = steps.into_iter().map(without_messages).collect();
            More::Run(steps, total)
        }
        _ => More::Lists(lists(app, who, of, id)?),
    };
    let hour = has_hour.then(|| app.hour_figures(who)).transpose()?;
    let id = id.to_owned();
    Ok(Peek { id, hour, more })
}

/// Takes the messages off a step: they may be large, and none is drawn.
fn without_messages(step: ExecutionStep) -> ExecutionStep {
    ExecutionStep {
        input: None,
        outputs: Vec::new(),
        ..step
    }
}

/// Gets more of a task.
fn task(app: &App, who: &Principal, id: FlowId) -> Result<TaskMore> {
    let flow = app.flow(who, id)?;
    let figures = app.step_figures(who, id)?;
    let times = figures
        .into_iter()
        .filter_map(|step| Some((step.step, step.p50_us?, step.p95_us?)));
    let queues = app.queue_stats(who, id)?;
    let used = flow
        .graph
        .nodes
        .iter()
        .filter_map(|node| node.credential_id);
    let mut credentials = Vec::new();
    for credential in used.take(CREDENTIALS_SHOWN) {
        let of = ListOf::Credentials;
        let filter = ListFilter::default().and_is(of, "id", credential.to_string());
        let row = find(app, who, of, filter, 1)?.pop();
        credentials.extend(row.map(|row| super::table::related::name_of(of, &row)));
    }
    credentials.dedup();
    Ok(TaskMore {
        version: flow.version,
        steps: flow.graph.nodes.len(),
        slowest: times.max_by_key(|(_, _, p95_us)| *p95_us),
        queued: queues.iter().map(|queue| queue.total).sum(),
        credentials,
    })
}

/// Gets the lists that stand beside an object.
fn lists(app: &App, who: &Principal, of: ListOf, id: &str) -> Result<Vec<List>> {
    let beside = BESIDE.iter().filter(|(whose, ..)| *whose == of);
    let lists = beside.map(|(_, title, of, field, keys)| {
        let query = ListQuery {
            filter: ListFilter::default().and_is(*of, field, id),
            ..ListQuery::first(*of, ROWS_SHOWN)
        };
        let page = app.list(who, *of, &query)?;
        Ok(List {
            title,
            of: *of,
            keys,
            rows: page.rows,
            count: page.matched,
        })
    });
    lists.collect()
}

/// Returns what is to be asked of the row under the cursor: once for each row, and again
/// whenever its list was loaded.
pub(super) fn wanted(model: &mut Model) -> Option<Cmd> {
    let page = model.top();
    // What is loaded just now may bring another row under the cursor.
    if page.asked_ms.is_some() {
        return None;
    }
    let (of, id) = page.screen.peeked()?;
    let stamp = (page.id, page.turn, id);
    if model.peeked.as_ref() == Some(&stamp) {
        return None;
    }
    let (page, _, id) = stamp.clone();
    model.peeked = Some(stamp);
    model.peeked_ms = model.mono_ms;
    let ask = Ask::Peek { of, id };
    Some(Cmd::Peek { page, ask })
}

/// Takes what came back. Where nothing came the pane stays as it was: what is wrong with
/// the database is told by the loads.
pub(super) fn take(model: &mut Model, id: u64, result: Result<Answer>) {
    let took_ms = model.mono_ms.saturating_sub(model.peeked_ms);
    // The console rests after both looks together, so that a row costs no more than a list.
    let rest_ms = model.rest_ms(took_ms.saturating_add(model.took_ms));
    model.due_ms = model.due_ms.max(model.mono_ms + rest_ms);
    let page = model.pages.iter_mut().find(|page| page.id == id);
    if let (Some(page), Ok(Answer::Peek(peek))) = (page, result) {
        page.screen.take_peek(peek);
    }
}
