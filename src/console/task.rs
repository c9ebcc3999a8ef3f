//! One task, which is a flow: what it is, its steps with what waits before each, its last
//! executions, its log and its JSON; and starting, stopping and running it.

mod draw;
mod edit;
mod verbs;

pub(super) use edit::{change_to, unmask};
pub(super) use verbs::{DEEDS, act_on_row};

use ratatui::Frame;
use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::ask::Ask;
use super::json_view::JsonView;
use super::keys::Action;
use super::pane::{tab_at, turned};
use super::screen::{Effect, Scene, Screen};
use super::{execution, text};
use crate::app::App;
use crate::domain::Result;
use crate::domain::flow::{Cron, Flow};
use crate::domain::id::FlowId;
use crate::domain::principal::Principal;
use crate::domain::run::{Execution, ExecutionFilter};

/// The executions that are shown; `o` leads to all of them.
const EXECUTIONS_SHOWN: u32 = 50;

/// The entries of the log that are shown, the newest ones.
const LOG_SHOWN: u32 = 300;

/// A task as the screen shows it.
#[derive(Clone, Debug)]
pub struct TaskPage {
    /// The flow.
    pub flow: Flow,
    /// The fields of its steps that are hidden: the step and the name of the field.
    pub secrets: Vec<(String, String)>,
    /// The email of its owner; none where that user is gone.
    pub owner: Option<String>,
    /// The steps, in the order of the graph.
    pub steps: Vec<TaskStep>,
    /// Its last executions, newest first.
    pub executions: Vec<Execution>,
    /// The end of its log, oldest first.
    pub log: Vec<execution::LogLine>,
}

/// A step of a task.
#[derive(Clone, Debug)]
pub struct TaskStep {
    /// Its id.
    pub id: String,
    /// What a person calls it.
    pub name: Option<String>,
    /// What it runs, such as `elasticio/mapper:map`.
    pub command: String,
    /// The messages before it.
    pub queued: i64,
    /// Those of them that are being worked on.
    pub unacked: i64,
    /// Those of them that wait for another attempt.
    pub rebounds: i64,
    /// The time that half of its last runs stayed within, in microseconds.
    pub p50_us: Option<u64>,
    /// The time that nineteen of twenty stayed within, in microseconds.
    pub p95_us: Option<u64>,
}

/// Gets a task.
pub fn load(app: &App, who: &Principal, id: FlowId) -> Result<TaskPage> {
    let flow = app.flow(who, id)?;
    let owner = app.find_user(who, &flow.user_id.to_string()).ok();
    let filter = ExecutionFilter {
        flow: Some(id),
        ..ExecutionFilter::default()
    };
    let queues = app.queue_stats(who, id)?;
    let figures = app.step_figures(who, id)?;
    let nodes = flow.graph.nodes.iter().zip(queues).zip(figures);
    let steps = nodes.map(|((node, queue), figures)| TaskStep {
        id: node.id.clone(),
        name: node
            .members
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned),
        command: node.command.to_string(),
        queued: queue.total,
        unacked: queue.unacked,
        rebounds: queue.rebounds,
        p50_us: figures.p50_us,
        p95_us: figures.p95_us,
    });
    let steps = steps.collect();
    let log = app.flow_log(who, id, None, None, LOG_SHOWN)?;
    let log = log.into_iter().rev().map(|entry| execution::LogLine {
        at_ms: entry.at_ms,
        level: entry.level,
        step: entry.step,
        message: entry.message,
    });
    Ok(TaskPage {
        secrets: app.secret_fields_of(who, id)?,
        owner: owner.map(|user| user.email.as_str().to_owned()),
        steps,
        executions: app.executions(who, &filter, None, EXECUTIONS_SHOWN)?,
        log: log.collect(),
        flow,
    })
}

/// What the screen shows of the task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Facts and steps.
    #[default]
    Summary,
    /// The last executions.
    Executions,
    /// What was said.
    Log,
    /// The flow as JSON.
    Json,
}

impl Tab {
    /// All of them, from left to right.
    const ALL: [Self; 4] = [Self::Summary, Self::Executions, Self::Log, Self::Json];

    /// Returns its place.
    fn at(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }

    /// Returns its title.
    fn title(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Executions => "Executions",
            Self::Log => "Logs",
            Self::Json => "JSON",
        }
    }
}

/// The model of a task.
#[derive(Clone, Debug)]
pub struct Model {
    id: FlowId,
    /// What the list called it, until the task is there.
    name: String,
    page: Option<TaskPage>,
    /// Whether the editor is to open as soon as the task is there.
    is_edited: bool,
    tab: Tab,
    /// The row under the cursor, a step or an execution.
    cursor: usize,
    /// The first row that is drawn.
    first: usize,
    /// The line of the log that is drawn first; its end where none.
    line: Option<usize>,
    json: Option<(i64, JsonView)>,
    search: String,
    body: Rect,
}

impl Model {
    /// Makes the screen of a task that is still to be loaded.
    pub fn new(id: FlowId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            page: None,
            is_edited: false,
            tab: Tab::Summary,
            cursor: 0,
            first: 0,
            line: None,
            json: None,
            search: String::new(),
            body: Rect::new(0, 0, 80, 20),
        }
    }

    /// Makes the screen of a task, with the editor over it once it is loaded.
    pub fn edited(id: FlowId, name: impl Into<String>) -> Self {
        Self {
            is_edited: true,
            ..Self::new(id, name)
        }
    }

    /// Returns what is to be done now that the task is there.
    pub fn arrived(&mut self) -> Vec<Effect> {
        match &self.page {
            Some(page) if std::mem::take(&mut self.is_edited) => {
                vec![edit::edit(&page.flow, &page.secrets)]
            }
            _ => Vec::new(),
        }
    }

    /// Returns the name of the task.
    pub fn crumb(&self) -> String {
        let flow = self.page.as_ref().map(|page| page.flow.name.clone());
        flow.unwrap_or_else(|| self.name.clone())
    }

    /// Returns how the task stands.
    pub fn place_text(&self, scene: &Scene) -> String {
        let page = self.page.as_ref();
        page.map_or_else(String::new, |page| draw::standing_text(page, scene))
    }

    /// Returns the task, as a question.
    pub fn ask(&self) -> Ask {
        Ask::Task(self.id)
    }

    /// Takes the task as it is now; the cursor stays on its execution.
    pub fn take(&mut self, page: TaskPage) {
        let stamp = page.flow.updated_at_ms;
        if self.json.as_ref().is_none_or(|(seen, _)| *seen != stamp) {
            let mut view = JsonView::new(flow_json(&page.flow, &page.secrets));
            view.set_width(self.inner_width());
            self.json = Some((stamp, view));
        }
        let under = self.execution().map(|run| run.id);
        self.page = Some(page);
        if let (Tab::Executions, Some(id)) = (self.tab, under) {
            let runs = self.page.as_ref().map_or(&[][..], |page| &page.executions);
            self.cursor = runs.iter().position(|run| run.id == id).unwrap_or(0);
        }
        self.settle();
    }

    /// Returns the execution under the cursor.
    fn execution(&self) -> Option<&Execution> {
        let page = self.page.as_ref()?;
        match self.tab {
            Tab::Executions => page.executions.get(self.cursor),
            _ => None,
        }
    }

    /// Returns the columns inside the box.
    fn inner_width(&self) -> usize {
        usize::from(self.body.width.saturating_sub(2)).max(1)
    }

    /// Takes a click: on a tab it goes there, on a row too, on the row under the cursor it
    /// opens that.
    pub fn click(&mut self, body: Rect, (column, line): (u16, u16)) -> Vec<Effect> {
        if line == body.y + 1 {
            let tabs = Rect {
                x: body.x + 1,
                ..body
            };
            let titles = Tab::ALL.iter().map(|tab| tab.title());
            if let Some(to) = tab_at(tabs, titles, column) {
                self.turn(to.cast_signed() - self.tab.at().cast_signed());
            }
            return Vec::new();
        }
        let row = line.checked_sub(body.y + draw::first_line(self));
        let row = row.map(|row| self.first + usize::from(row));
        let is_list = matches!(self.tab, Tab::Summary | Tab::Executions);
        match row.filter(|row| is_list && *row < self.rows()) {
            Some(row) if row == self.cursor => self.open(),
            Some(row) => {
                self.cursor = row;
                self.settle();
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Learns how much room there is.
    pub fn resize(&mut self, body: Rect) {
        self.body = body;
        let width = self.inner_width();
        if let Some((_, view)) = &mut self.json {
            view.set_width(width);
        }
        self.settle();
    }

    /// Returns how many rows the tab has.
    fn rows(&self) -> usize {
        let Some(page) = &self.page else { return 0 };
        match self.tab {
            Tab::Summary => page.steps.len(),
            Tab::Executions => page.executions.len(),
            Tab::Log => page.log.len(),
            Tab::Json => self.json.as_ref().map_or(0, |(_, view)| view.rows().len()),
        }
    }

    /// Brings the row under the cursor into sight.
    fn settle(&mut self) {
        let last = self.rows().saturating_sub(1);
        self.cursor = self.cursor.min(last);
        let height = draw::list_height(self).max(1);
        self.first = self
            .first
            .max((self.cursor + 1).saturating_sub(height))
            .min(self.cursor);
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, scene: &Scene) -> Option<Vec<Effect>> {
        let half = isize::try_from(self.body.height / 2).unwrap_or(1).max(1);
        match action {
            Action::Down => self.go(1),
            Action::Up => self.go(-1),
            Action::PageDown => self.go(half),
            Action::PageUp => self.go(-half),
            Action::Top => self.go_to_end(false),
            Action::Bottom => self.go_to_end(true),
            Action::NextPane | Action::Right => self.turn(1),
            Action::PreviousPane | Action::Left => self.turn(-1),
            Action::Fold => self.fold(JsonView::toggle),
            Action::FoldAll => self.fold(JsonView::toggle_all),
            Action::NextFound => self.find_again(true),
            Action::PreviousFound => self.find_again(false),
            Action::Open => return Some(self.open()),
            _ => return self.verb(action, scene),
        }
        Some(Vec::new())
    }

    /// Moves by rows.
    fn go(&mut self, by: isize) {
        match (self.tab, &mut self.json) {
            (Tab::Json, Some((_, view))) => view.move_by(by),
            (Tab::Log, _) => {
                let last = self.rows().saturating_sub(1);
                let to = self
                    .line
                    .unwrap_or(last)
                    .saturating_add_signed(by)
                    .min(last);
                // At its end the log follows what is said from then on.
                self.line = (to < last).then_some(to);
            }
            _ => {
                self.cursor = self.cursor.saturating_add_signed(by);
                self.settle();
            }
        }
    }

    /// Goes to the first or the last row.
    fn go_to_end(&mut self, is_last: bool) {
        match (self.tab, &mut self.json) {
            (Tab::Json, Some((_, view))) => view.go_to_end(is_last),
            (Tab::Log, _) => self.line = (!is_last).then_some(0),
            _ => {
                self.cursor = if is_last { self.rows() } else { 0 };
                self.settle();
            }
        }
    }

    /// Shows the next tab, or the one before.
    fn turn(&mut self, step: isize) {
        self.tab = Tab::ALL[turned(self.tab.at(), Tab::ALL.len(), step)];
        self.cursor = 0;
        self.first = 0;
        self.line = None;
    }

    /// Folds in the JSON.
    fn fold(&mut self, how: fn(&mut JsonView)) {
        if let (Tab::Json, Some((_, view))) = (self.tab, &mut self.json) {
            how(view);
        }
    }

    /// Returns what is looked for.
    pub fn search(&self) -> &str {
        &self.search
    }

    /// Looks for a text in the JSON, as it is typed.
    pub fn find(&mut self, typed: &str) {
        typed.clone_into(&mut self.search);
        self.tab = Tab::Json;
        if let Some((_, view)) = &mut self.json {
            view.find(typed);
        }
    }

    /// Goes on to the next place of what was looked for, or to the one before.
    fn find_again(&mut self, is_forward: bool) {
        if let (Tab::Json, Some((_, view))) = (self.tab, &mut self.json) {
            view.find_again(is_forward);
        }
    }

    /// Opens the execution under the cursor; of a step, those of the task.
    fn open(&mut self) -> Vec<Effect> {
        match (self.tab, self.execution()) {
            (Tab::Executions, Some(run)) => {
                let model = execution::Model::new(run.id);
                vec![Effect::Open(Box::new(Screen::Execution(Box::new(model))))]
            }
            (Tab::Summary, _) => {
                self.tab = Tab::Executions;
                self.cursor = 0;
                self.first = 0;
                Vec::new()
            }
            (Tab::Json, _) => {
                self.fold(JsonView::toggle);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Draws the task.
    pub fn view(&self, scene: &Scene, frame: &mut Frame<'_>, body: Rect) {
        draw::draw(self, scene, frame.buffer_mut(), body);
    }
}

/// Returns a flow as JSON, without the fields that are hidden.
fn flow_json(flow: &Flow, secrets: &[(String, String)]) -> Value {
    json!({
        "id": flow.id.to_string(),
        "name": flow.name,
        "description": flow.description,
        "type": flow.flow_type.as_str(),
        "status": flow.status.as_str(),
        "version": flow.version,
        "cron": flow.cron.as_ref().map(Cron::as_str),
        "recipe_id": flow.recipe_id,
        "user_id": flow.user_id.to_string(),
        "organization_id": flow.organization_id.map(|id| id.to_string()),
        "created_at": text::rfc3339(flow.created_at_ms),
        "updated_at": text::rfc3339(flow.updated_at_ms),
        "last_started_at": flow.last_started_at_ms.map(text::rfc3339),
        "due_at": flow.due_at_ms.map(text::rfc3339),
        "graph": edit::masked(&flow.graph, secrets),
    })
}
