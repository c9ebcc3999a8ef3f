//! One run: its steps, and of the step under the cursor what went in, what came out, why
//! it failed and what was said meanwhile (`console.md` 7).

mod draw;
mod verbs;

pub(super) use draw::draw_log;
pub(super) use verbs::{DEEDS, LIST_DEEDS, act_on_row};

use ratatui::Frame;
use ratatui::layout::{Margin, Position, Rect};
use serde_json::{Value, json};

use super::ask::Ask;
use super::json_view::JsonView;
use super::keys::Action;
use super::message::Level;
use super::pane::{tab_at, turned};
use super::screen::{Effect, Reason, Scene};
use super::text;
use crate::app::App;
use crate::app::execution::ExecutionStep;
use crate::domain::Result;
use crate::domain::id::ExecutionId;
use crate::domain::principal::Principal;
use crate::domain::run::{Execution, Failure, LogLevel};

/// The steps that are shown at once; a run of more is paged through.
pub const STEPS_SHOWN: u32 = 100;

/// The entries of the log that are shown: the newest ones, which is where a run stands.
const LOG_SHOWN: u32 = 300;

/// The columns from which on input and output stand side by side.
const WIDE_COLUMNS: u16 = 110;

/// A run as the screen shows it.
#[derive(Clone, Debug)]
pub struct ExecutionPage {
    /// The run.
    pub run: Execution,
    /// What its flow is called; none where that is gone.
    pub task: Option<String>,
    /// The version that the flow has now.
    pub present_version: Option<i64>,
    /// Some of its steps.
    pub steps: Vec<ExecutionStep>,
    /// How many there are.
    pub steps_total: u64,
    /// The steps of its flow that did not run, of a run that is over.
    pub not_run: Vec<String>,
    /// The end of its log, oldest first.
    pub log: Vec<LogLine>,
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// How important.
    pub level: LogLevel,
    /// The step that said it.
    pub step: Option<String>,
    /// What was said.
    pub message: String,
}

/// Gets a run, with the steps from `offset` on.
pub fn load(app: &App, who: &Principal, id: ExecutionId, offset: u64) -> Result<ExecutionPage> {
    let run = app.execution(who, id)?;
    let flow = app.flow(who, run.flow_id).ok();
    let (steps, steps_total) = app.execution_steps(who, id, offset, STEPS_SHOWN)?;
    let (_, entries) = app.execution_log(who, id, None, 0, 1)?;
    let from = entries.saturating_sub(u64::from(LOG_SHOWN));
    let (log, _) = app.execution_log(who, id, None, from, LOG_SHOWN)?;
    let log = log.into_iter().map(|entry| LogLine {
        at_ms: entry.at_ms,
        level: entry.level,
        step: entry.step,
        message: entry.message,
    });
    // What ran lies on pages, so of longer runs nobody knows here what did not; nor of the
    // steps of another version.
    let is_known = run.status.is_over() && steps_total <= u64::from(STEPS_SHOWN);
    let nodes = flow
        .iter()
        .filter(|flow| is_known && flow.version == run.flow_version)
        .flat_map(|flow| &flow.graph.nodes);
    let not_run = nodes
        .filter(|node| !steps.iter().any(|step| step.step == node.id))
        .map(|node| node.id.clone())
        .collect();
    Ok(ExecutionPage {
        run,
        not_run,
        task: flow.as_ref().map(|flow| flow.name.clone()),
        present_version: flow.map(|flow| flow.version),
        steps,
        steps_total,
        log: log.collect(),
    })
}

/// What the right side shows of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// What it was given.
    #[default]
    Input,
    /// What it made.
    Output,
    /// Why it failed.
    Error,
    /// What was said during the run.
    Log,
    /// The step as a JSON value.
    Json,
}

impl Tab {
    /// All of them, from left to right.
    const ALL: [Self; 5] = [
        Self::Input,
        Self::Output,
        Self::Error,
        Self::Log,
        Self::Json,
    ];

    /// Returns its place.
    fn at(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }

    /// Returns its title.
    fn title(self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Output => "Output",
            Self::Error => "Error",
            Self::Log => "Logs",
            Self::Json => "JSON",
        }
    }
}

/// What is drawn of the step under the cursor.
#[derive(Clone, Debug)]
struct Shown {
    /// The step's id, so that a refresh knows whether it is the same one.
    step: String,
    /// What of it was there when the views were made: status, attempts and sizes.
    stamp: (String, u32, u64, u64),
    input: JsonView,
    output: JsonView,
    json: JsonView,
}

/// The model of a run.
#[derive(Clone, Debug)]
pub struct Model {
    id: ExecutionId,
    page: Option<ExecutionPage>,
    /// The first step of the page among all steps.
    offset: u64,
    /// The step under the cursor, within the page.
    cursor: usize,
    /// Where the cursor goes once the next page is there: to its last step or its first.
    to_last: bool,
    /// The first step that is drawn.
    first: usize,
    /// Whether the right side has the keys.
    in_value: bool,
    tab: Tab,
    shown: Option<Shown>,
    /// The line of the error or the log that is drawn first; the log's end where none.
    line: Option<usize>,
    /// What is looked for in the value.
    search: String,
    body: Rect,
}

impl Model {
    /// Makes the screen of a run that is still to be loaded.
    pub fn new(id: ExecutionId) -> Self {
        Self {
            id,
            page: None,
            offset: 0,
            cursor: 0,
            to_last: false,
            first: 0,
            in_value: false,
            tab: Tab::Input,
            shown: None,
            line: None,
            search: String::new(),
            body: Rect::new(0, 0, 80, 20),
        }
    }

    /// Returns the run's short id.
    pub fn crumb(&self) -> String {
        text::short_id(&self.id.to_string())
    }

    /// Returns how the run stands, and when it began.
    pub fn place_text(&self, scene: &Scene) -> String {
        self.page
            .as_ref()
            .map_or_else(String::new, |page| draw::standing_text(page, scene))
    }

    /// Returns the run, as a question; none by time alone where it is over.
    pub fn ask(&self, reason: Reason) -> Option<Ask> {
        let is_over = |page: &ExecutionPage| page.run.status.is_over();
        if reason == Reason::Time && self.page.as_ref().is_some_and(is_over) {
            return None;
        }
        Some(Ask::Execution {
            id: self.id,
            offset: self.offset,
        })
    }

    /// Takes the run as it is now; the cursor stays on its step.
    pub fn take(&mut self, page: ExecutionPage) {
        let before = self.step().map(|step| step.id.clone());
        let is_first = self.page.is_none();
        self.page = Some(page);
        let steps = self.steps();
        let same = before.and_then(|id| steps.iter().position(|step| step.id == id));
        self.cursor = match same {
            Some(at) => at,
            None if self.to_last => steps.len().saturating_sub(1),
            // What went wrong is what somebody came to see.
            None if is_first => steps
                .iter()
                .position(|step| step.error.is_some())
                .unwrap_or(0),
            None => 0,
        };
        self.to_last = false;
        self.show_step();
    }

    /// Returns the steps of the page.
    fn steps(&self) -> &[ExecutionStep] {
        self.page.as_ref().map_or(&[], |page| &page.steps)
    }

    /// Returns the step under the cursor.
    fn step(&self) -> Option<&ExecutionStep> {
        self.steps().get(self.cursor)
    }

    /// Makes the views of the step under the cursor, unless they are there.
    fn show_step(&mut self) {
        let Some(step) = self.step() else {
            self.shown = None;
            return;
        };
        let stamp = (
            step.status.as_str().to_owned(),
            step.attempts,
            step.input_bytes,
            step.output_bytes,
        );
        let is_there = self
            .shown
            .as_ref()
            .is_some_and(|shown| shown.step == step.id && shown.stamp == stamp);
        if is_there {
            return;
        }
        let output = match step.outputs.as_slice() {
            [one] => one.clone(),
            many => Value::from(many.to_vec()),
        };
        let shown = Shown {
            step: step.id.clone(),
            stamp,
            input: JsonView::new(step.input.clone().unwrap_or(Value::Null)),
            output: JsonView::new(output),
            json: JsonView::new(step_json(step)),
        };
        self.shown = Some(shown);
        self.line = None;
        self.lay_out();
    }

    /// Learns how much room there is.
    pub fn resize(&mut self, body: Rect) {
        self.body = body;
        self.lay_out();
        self.settle();
    }

    /// Takes a click: on a step it goes there, on a tab it shows that.
    pub fn click(&mut self, body: Rect, (column, line): (u16, u16)) -> Vec<Effect> {
        let areas = draw::areas(body);
        let at = Position::new(column, line);
        let steps = areas.steps.inner(Margin::new(1, 1));
        let [value, _] = areas.values;
        let tabs = Rect {
            x: value.x + 1,
            y: value.y + 1,
            height: 1,
            width: areas.values[1].right().saturating_sub(value.x + 1),
        };
        if steps.contains(at) {
            let row = self.first + usize::from(line - steps.y);
            if row < self.steps().len() {
                self.cursor = row;
                self.in_value = false;
                self.show_step();
                self.settle();
            }
        } else if tabs.contains(at) {
            let titles = Tab::ALL.iter().map(|tab| tab.title());
            if let Some(to) = tab_at(tabs, titles, column) {
                self.tab = Tab::ALL[to];
                self.line = None;
                self.in_value = true;
            }
        } else {
            self.in_value = areas.values.iter().any(|area| area.contains(at));
        }
        Vec::new()
    }

    /// Lays the values out for the room that there is.
    fn lay_out(&mut self) {
        let areas = draw::areas(self.body);
        let Some(shown) = &mut self.shown else {
            return;
        };
        let [left, right] = areas.values;
        let inner = |area: Rect| usize::from(area.width.saturating_sub(2)).max(1);
        shown.input.set_width(inner(left));
        shown.output.set_width(inner(right));
        shown.json.set_width(inner(left.union(right)));
    }

    /// Brings the step under the cursor into sight.
    fn settle(&mut self) {
        let height = usize::from(draw::areas(self.body).steps.height.saturating_sub(2)).max(1);
        self.first = self
            .first
            .max((self.cursor + 1).saturating_sub(height))
            .min(self.cursor);
    }

    /// Returns the value that the tab shows.
    fn view_mut(&mut self) -> Option<&mut JsonView> {
        let shown = self.shown.as_mut()?;
        match self.tab {
            Tab::Input => Some(&mut shown.input),
            Tab::Output => Some(&mut shown.output),
            Tab::Json => Some(&mut shown.json),
            Tab::Error | Tab::Log => None,
        }
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, scene: &Scene) -> Option<Vec<Effect>> {
        let half = isize::try_from(self.body.height / 2).unwrap_or(1).max(1);
        match action {
            Action::Down => return Some(self.go(1)),
            Action::Up => return Some(self.go(-1)),
            Action::PageDown => return Some(self.go(half)),
            Action::PageUp => return Some(self.go(-half)),
            Action::Top => self.go_to_end(false),
            Action::Bottom => self.go_to_end(true),
            Action::NextPane | Action::PreviousPane => self.in_value = !self.in_value,
            Action::Open => self.in_value = true,
            Action::Back if self.in_value => self.in_value = false,
            Action::Left => self.turn_tab(-1),
            Action::Right => self.turn_tab(1),
            Action::Fold => return Some(self.fold(JsonView::toggle)),
            Action::FoldAll => return Some(self.fold(JsonView::toggle_all)),
            Action::NextFound => return Some(self.find_again(true)),
            Action::PreviousFound => return Some(self.find_again(false)),
            _ => return self.verb(action, scene),
        }
        Some(Vec::new())
    }

    /// Moves within the side that has the keys.
    fn go(&mut self, by: isize) -> Vec<Effect> {
        if !self.in_value {
            return self.go_steps(by);
        }
        if let Some(view) = self.view_mut() {
            view.move_by(by);
            return Vec::new();
        }
        let last = self.lines_total().saturating_sub(1);
        let from = self
            .line
            .unwrap_or(if self.tab == Tab::Log { last } else { 0 });
        let to = from.saturating_add_signed(by).min(last);
        // At its end the log follows what is said from then on.
        self.line = (self.tab != Tab::Log || to < last).then_some(to);
        Vec::new()
    }

    /// Moves among the steps; beyond either end of the page the next one is loaded.
    fn go_steps(&mut self, by: isize) -> Vec<Effect> {
        let last = self.steps().len().saturating_sub(1);
        let total = self.page.as_ref().map_or(0, |page| page.steps_total);
        let shown = u64::from(STEPS_SHOWN);
        if by > 0 && self.cursor == last && self.offset + shown < total {
            self.offset += shown;
            return vec![Effect::Load];
        }
        if by < 0 && self.cursor == 0 && self.offset > 0 {
            self.offset = self.offset.saturating_sub(shown);
            self.to_last = true;
            return vec![Effect::Load];
        }
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
        self.show_step();
        self.settle();
        Vec::new()
    }

    /// Goes to the first or the last of what has the keys.
    fn go_to_end(&mut self, is_last: bool) {
        if !self.in_value {
            let last = self.steps().len().saturating_sub(1);
            self.cursor = if is_last { last } else { 0 };
            self.show_step();
            self.settle();
        } else if let Some(view) = self.view_mut() {
            view.go_to_end(is_last);
        } else {
            self.line = (!is_last).then_some(0);
        }
    }

    /// Shows the next tab, or the one before.
    fn turn_tab(&mut self, step: isize) {
        self.tab = Tab::ALL[turned(self.tab.at(), Tab::ALL.len(), step)];
        self.line = None;
    }

    /// Folds in the value that the tab shows.
    fn fold(&mut self, how: fn(&mut JsonView)) -> Vec<Effect> {
        match self.view_mut() {
            Some(view) => {
                how(view);
                Vec::new()
            }
            None => vec![Effect::Say(
                Level::Note,
                "only values fold: Input, Output and JSON".to_owned(),
            )],
        }
    }

    /// Returns what is looked for.
    pub fn search(&self) -> &str {
        &self.search
    }

    /// Looks for a text in the value that the tab shows, as it is typed.
    pub fn find(&mut self, typed: &str) {
        typed.clone_into(&mut self.search);
        self.in_value = true;
        if matches!(self.tab, Tab::Error | Tab::Log) {
            self.tab = Tab::Json;
        }
        if let Some(view) = self.view_mut() {
            view.find(typed);
        }
    }

    /// Goes on to the next place of what was looked for, or to the one before.
    fn find_again(&mut self, is_forward: bool) -> Vec<Effect> {
        let is_found = self
            .view_mut()
            .is_some_and(|view| view.find_again(is_forward));
        if is_found {
            return Vec::new();
        }
        let told = if self.search.is_empty() {
            "nothing was looked for: / does".to_owned()
        } else {
            format!("`{}` is not there", self.search)
        };
        vec![Effect::Say(Level::Note, told)]
    }

    /// Returns how many lines the error or the log has.
    fn lines_total(&self) -> usize {
        match self.tab {
            Tab::Log => self.page.as_ref().map_or(0, |page| page.log.len()),
            _ => self.step().map_or(0, |step| draw::error_lines(step).len()),
        }
    }

    /// Draws the run.
    pub fn view(&self, scene: &Scene, frame: &mut Frame<'_>, body: Rect) {
        draw::draw(self, scene, frame.buffer_mut(), body);
    }
}

/// Returns a step as JSON, as the API shows it.
pub(super) fn step_json(step: &ExecutionStep) -> Value {
    json!({
        "step": step.step,
        "command": step.command,
        "status": step.status.as_str(),
        "attempts": step.attempts,
        "started_at": step.started_at_ms.map(text::rfc3339),
        "duration_us": step.duration_us,
        "input": step.input,
        "outputs": step.outputs,
        "error": step.error.as_ref().map(Failure::to_value),
        "input_bytes": step.input_bytes,
        "output_bytes": step.output_bytes,
        "truncated": step.truncated,
    })
}
