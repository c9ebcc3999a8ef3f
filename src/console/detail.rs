//! One object: its facts, which are every column of its list, also those that the list
//! hides; a tab for each list of what belongs to it; and its JSON.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::ask::Ask;
use super::json_view::{JsonView, draw_rows};
use super::keys::Action;
use super::look::Standing;
use super::menu;
use super::message::Level;
use super::pane::{draw_tabs, split_line, tab_at, turned};
use super::peek::{self, Peek, draw_below, draw_beside};
use super::screen::{Effect, Reason, Scene};
use super::table::related::{curl, name_of, number_of, related_to, tabs_of};
use super::table::{self, row_json};
use super::text;
use super::view_name::list_title;
use crate::domain::listing::{ColumnKind, ListCell, ListColumn, ListOf, ListPage, ListRow};

/// The columns before a fact: the sign of the cursor.
const LEAD: usize = 2;

/// From so many columns on the lists of what belongs to an object stand beside its facts.
const WIDE_COLUMNS: u16 = 100;

/// The lines of these lists below the facts.
const LISTS_LINES: u16 = 5;

/// The columns that say how many there are of what a tab shows.
const COUNTS: &[(&str, &str)] = &[
    ("Tasks", "tasks"),
    ("Teams", "teams"),
    ("API keys", "keys"),
    ("SSH keys", "ssh_keys"),
    ("Members", "members_total"),
    ("Components", "components"),
];

/// The model of the facts.
#[derive(Clone, Debug)]
pub struct Model {
    /// The list that the object is in.
    pub of: ListOf,
    /// The object, as last seen.
    pub row: ListRow,
    /// Whether it is not there any more.
    pub is_gone: bool,
    /// The tab: the facts, then the lists, then the JSON.
    tab: usize,
    /// The list of the tab, where it is one.
    list: Option<Box<table::Model>>,
    /// The lists beside the facts.
    peek: Option<Box<Peek>>,
    /// The JSON, once somebody looked at it.
    json: Option<JsonView>,
    body: Rect,
    /// The fact under the cursor.
    cursor: usize,
    /// The first line that is drawn.
    offset: usize,
    /// The lines that there is room for.
    height: usize,
    /// The columns that there is room for.
    width: usize,
}

impl Model {
    /// Makes the facts of a row.
    pub fn new(of: ListOf, row: ListRow) -> Self {
        Self {
            of,
            row,
            is_gone: false,
            tab: 0,
            list: None,
            peek: None,
            json: None,
            body: Rect::new(0, 0, 80, 20),
            cursor: 0,
            offset: 0,
            height: 1,
            width: 1,
        }
    }

    /// Returns the name of the object.
    pub fn crumb(&self) -> String {
        name_of(self.of, &self.row)
    }

    /// Returns what the tab shows, as a question.
    pub fn ask(&mut self, scene: &Scene, reason: Reason) -> Option<Ask> {
        if let Some(list) = &mut self.list {
            return list.ask(scene, reason);
        }
        (!self.is_gone).then(|| Ask::Row {
            of: self.of,
            id: self.row.id.clone(),
        })
    }

    /// Takes the object as it is now.
    pub fn take(&mut self, row: Option<Box<ListRow>>) {
        match row {
            Some(row) if *row == self.row => {}
            Some(row) => {
                self.row = *row;
                self.json = None;
                self.show_json();
            }
            None => self.is_gone = true,
        }
    }

    /// Takes the rows of the tab's list.
    pub fn take_list(&mut self, pages: Vec<ListPage>) {
        if let Some(list) = &mut self.list {
            list.take(pages);
        }
    }

    /// Returns the list of the tab, where it is one.
    pub fn list(&self) -> Option<&table::Model> {
        self.list.as_deref()
    }

    /// Returns the list of the tab, where it is one.
    pub fn list_mut(&mut self) -> Option<&mut table::Model> {
        self.list.as_deref_mut()
    }

    /// Tells whether the tab shows the members of a team.
    pub fn has_members(&self) -> bool {
        let list = self.list.as_deref().map(table::Model::of);
        self.of == ListOf::Teams && list == Some(ListOf::Users)
    }

    /// Divides what is below the tabs: the facts, and the lists beside them.
    fn areas(&self, rest: Rect) -> (Rect, Option<Rect>) {
        if self.tab != 0 || !peek::has_lists(self.of) {
            return (rest, None);
        }
        let facts = u16::try_from(self.row.cells.len()).unwrap_or(u16::MAX);
        if rest.width >= WIDE_COLUMNS {
            let width = rest.width * 3 / 5;
            let x = rest.x + width;
            let beside = Rect {
                x,
                width: rest.width - width,
                ..rest
            };
            (Rect { width, ..rest }, Some(beside))
        } else if rest.height >= facts.saturating_add(2 + LISTS_LINES) {
            let height = rest.height - LISTS_LINES;
            let y = rest.y + height;
            let below = Rect {
                y,
                height: LISTS_LINES,
                ..rest
            };
            (Rect { height, ..rest }, Some(below))
        } else {
            (rest, None)
        }
    }

    /// Returns the object of which more is to be asked, where there is a pane to show it.
    pub fn peeked(&self) -> Option<(ListOf, String)> {
        let (_, rest) = split_line(self.body);
        let is_shown = self.areas(rest).1.is_some() && !self.is_gone;
        is_shown.then(|| (self.of, self.row.id.clone()))
    }

    /// Takes more of the object.
    pub fn take_peek(&mut self, peek: Box<Peek>) {
        self.peek = Some(peek);
    }

    /// Returns the titles of the tabs, with how many there are of what each shows; without
    /// where the line has no room for that.
    fn labels(&self, width: usize) -> Vec<String> {
        let titles = self.titles();
        let counted = titles.iter().map(|title| {
            let key = COUNTS
                .iter()
                .find(|(of, _)| of == title)
                .map(|(_, key)| key);
            let count = key.and_then(|key| number_of(self.of, &self.row, key));
            count.map_or_else(
                || (*title).to_owned(),
                |count| format!("{title} {}", text::number(count)),
            )
        });
        let counted: Vec<String> = counted.collect();
        if counted
            .iter()
            .map(|label| text::width(label) + 2)
            .sum::<usize>()
            <= width
        {
            return counted;
        }
        titles.into_iter().map(str::to_owned).collect()
    }

    /// Returns the titles of the tabs.
    fn titles(&self) -> Vec<&'static str> {
        let lists = tabs_of(self.of, &self.row);
        let lists = lists.into_iter().map(|(title, ..)| title);
        ["Summary"]
            .into_iter()
            .chain(lists)
            .chain(["JSON"])
            .collect()
    }

    /// Shows the next tab, or the one before.
    fn turn(&mut self, step: isize, now_ms: i64) -> Vec<Effect> {
        let to = turned(self.tab, self.titles().len(), step);
        self.go_to(to, now_ms)
    }

    /// Shows a tab.
    fn go_to(&mut self, tab: usize, now_ms: i64) -> Vec<Effect> {
        let lists = tabs_of(self.of, &self.row);
        self.tab = tab;
        let list = self.tab.checked_sub(1).and_then(|at| lists.get(at));
        self.list = list.map(|(_, of, filter)| {
            Box::new(table::Model::narrowed(*of, filter, now_ms).embedded())
        });
        self.show_json();
        let body = self.body;
        self.resize(body);
        vec![Effect::Load]
    }

    /// Makes the JSON where the tab shows it.
    fn show_json(&mut self) {
        if self.tab + 1 == self.titles().len() && self.json.is_none() {
            let mut json = JsonView::new(row_json(self.of, &self.row));
            json.set_width(self.width);
            self.json = Some(json);
        }
    }

    /// Returns the JSON where the tab shows it.
    fn json_mut(&mut self) -> Option<&mut JsonView> {
        let is_shown = self.tab + 1 == self.titles().len();
        self.json.as_mut().filter(|_| is_shown)
    }

    /// Does what a key asks for where the JSON is shown.
    fn act_on_json(&mut self, action: Action) -> bool {
        let half = isize::try_from(self.height / 2).unwrap_or(1).max(1);
        let Some(json) = self.json_mut() else {
            return false;
        };
        match action {
            Action::Down => json.move_by(1),
            Action::Up => json.move_by(-1),
            Action::PageDown => json.move_by(half),
            Action::PageUp => json.move_by(-half),
            Action::Top => json.go_to_end(false),
            Action::Bottom => json.go_to_end(true),
            Action::Fold | Action::Open => json.toggle(),
            Action::FoldAll => json.toggle_all(),
            _ => return false,
        }
        true
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, scene: &Scene) -> Option<Vec<Effect>> {
        match action {
            Action::NextPane => return Some(self.turn(1, scene.now_ms)),
            Action::PreviousPane => return Some(self.turn(-1, scene.now_ms)),
            _ => {}
        }
        if let Some(list) = &mut self.list {
            return list.act(action, scene);
        }
        if self.act_on_json(action) {
            return Some(Vec::new());
        }
        let half = (self.height / 2).max(1);
        let last = self.row.cells.len().saturating_sub(1);
        match action {
            Action::Down => self.cursor = (self.cursor + 1).min(last),
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            Action::PageDown => self.cursor = (self.cursor + half).min(last),
            Action::PageUp => self.cursor = self.cursor.saturating_sub(half),
            Action::Top => self.cursor = 0,
            Action::Bottom => self.cursor = last,
            Action::Copy => return Some(self.copy_value(scene)),
            Action::CopyJson => {
                let text = row_json(self.of, &self.row);
                let text = serde_json::to_string_pretty(&text).unwrap_or_default();
                let what = "the object as JSON".to_owned();
                return Some(vec![Effect::Copy { what, text }]);
            }
            Action::CopyCurl => {
                let what = "the call".to_owned();
                return Some(match curl(self.of, &self.row.id) {
                    Some(text) => vec![Effect::Copy { what, text }],
                    None => vec![Effect::Say(
                        Level::Note,
                        "the API does not show this".to_owned(),
                    )],
                });
            }
            Action::Related => {
                let items = related_to(self.of, &self.row);
                return Some(vec![menu::offer(format!("Of {}", self.crumb()), items)]);
            }
            _ => return None,
        }
        self.settle(scene);
        Some(Vec::new())
    }

    /// Copies the value under the cursor, whole.
    fn copy_value(&self, scene: &Scene) -> Vec<Effect> {
        let column = self.of.columns().get(self.cursor);
        let (Some(column), Some(cell)) = (column, self.row.cells.get(self.cursor)) else {
            return Vec::new();
        };
        vec![Effect::Copy {
            what: column.key.replace('_', " "),
            text: match cell {
                ListCell::Json(value) => value.to_string(),
                ListCell::Text(text) => text.clone(),
                ListCell::Number(n) => n.to_string(),
                _ => full_text(cell, column, scene),
            },
        }]
    }

    /// Takes a click: on a tab it goes there, on a row of a list it is the list's.
    pub fn click(&mut self, body: Rect, at: (u16, u16), now_ms: i64) -> Vec<Effect> {
        let (tabs, rest) = split_line(body);
        if at.1 == tabs.y {
            let labels = self.labels(usize::from(tabs.width));
            let to = tab_at(tabs, labels.iter(), at.0);
            return to.map_or_else(Vec::new, |to| self.go_to(to, now_ms));
        }
        let list = self.list.as_deref_mut();
        list.map_or_else(Vec::new, |list| list.click(rest, at))
    }

    /// Learns how much room there is.
    pub fn resize(&mut self, body: Rect) {
        self.body = body;
        let (_, rest) = split_line(body);
        let (own, _) = self.areas(rest);
        self.height = usize::from(own.height.saturating_sub(2)).max(1);
        self.width = usize::from(own.width.saturating_sub(2)).max(1);
        let width = self.width;
        if let Some(list) = &mut self.list {
            list.resize(rest);
        }
        if let Some(json) = &mut self.json {
            json.set_width(width);
        }
    }

    /// Brings the fact under the cursor into sight.
    fn settle(&mut self, scene: &Scene) {
        let lines = self.lines(scene);
        let first = lines.iter().position(|line| line.at == self.cursor);
        let last = lines.iter().rposition(|line| line.at == self.cursor);
        if let (Some(first), Some(last)) = (first, last) {
            self.offset = self
                .offset
                .max((last + 1).saturating_sub(self.height))
                .min(first);
        }
    }

    /// Returns the lines of the facts, long values wrapped.
    fn lines(&self, scene: &Scene) -> Vec<Line> {
        let columns = self.of.columns();
        let keys = columns.iter().map(|column| column.key.len()).max();
        let keys = keys.unwrap_or(0);
        let room = self.width.saturating_sub(LEAD + keys + 2).max(1);
        let mut lines = Vec::new();
        for (at, (column, cell)) in columns.iter().zip(&self.row.cells).enumerate() {
            let value = full_text(cell, column, scene);
            let mut name = column.key.replace('_', " ");
            for text in text::wrap(&value, room) {
                lines.push(Line {
                    at,
                    name: text::pad(&std::mem::take(&mut name), keys, false),
                    text,
                    standing: match (cell, column.kind) {
                        (ListCell::Text(word), ColumnKind::State) => Standing::of(word),
                        _ => None,
                    },
                });
            }
        }
        lines
    }

    /// Draws the facts.
    pub fn view(&self, scene: &Scene, frame: &mut Frame<'_>, body: Rect) {
        let look = &scene.look;
        let (tabs, body) = split_line(body);
        let titles = self.labels(usize::from(tabs.width));
        draw_tabs(look, frame.buffer_mut(), tabs, titles.iter(), self.tab);
        if let Some(list) = &self.list {
            return list.view(scene, frame, body);
        }
        let (body, beside) = self.areas(body);
        if let Some(area) = beside {
            let peek = self.peek.as_deref();
            let buffer = frame.buffer_mut();
            match peek {
                Some(more) if area.x == body.x => {
                    draw_below(scene, buffer, area, (self.of, &self.row, Some(more)));
                }
                more => draw_beside(scene, buffer, area, more),
            }
        }
        let kind = list_title(self.of);
        let title = if self.is_gone {
            format!("{kind}: {} (deleted)", self.crumb())
        } else {
            format!("{kind}: {}", self.crumb())
        };
        let title = look.cut(&title, usize::from(body.width.saturating_sub(6)));
        let block = look.boxed(&title, true);
        let inner = block.inner(body);
        let buffer = frame.buffer_mut();
        block.render(body, buffer);
        let is_json = self.tab + 1 == self.titles().len();
        match &self.json {
            Some(json) if is_json => draw_rows(look, buffer, inner, json, true),
            _ => self.draw_facts(scene, buffer, inner),
        }
    }

    /// Draws the facts inside their box.
    fn draw_facts(&self, scene: &Scene, buffer: &mut Buffer, inner: Rect) {
        let look = &scene.look;
        let styles = look.styles();
        let lines = self.lines(scene);
        for (y, line) in (inner.y..inner.bottom()).zip(lines.iter().skip(self.offset)) {
            let is_under = line.at == self.cursor;
            let lead = if is_under && !line.name.trim().is_empty() {
                "> "
            } else {
                "  "
            };
            let names = if is_under { styles.title } else { styles.dim };
            let values = line
                .standing
                .map_or(styles.text, |standing| look.style_of(standing));
            let room = usize::from(inner.width);
            let head = format!("{lead}{}  ", line.name);
            let (x, _) = buffer.set_stringn(inner.x, y, &head, room, names);
            let room = usize::from(inner.right().saturating_sub(x));
            buffer.set_stringn(x, y, look.clean(&line.text), room, values);
        }
    }
}

/// A line of a fact.
struct Line {
    /// The place of the fact.
    at: usize,
    /// Its name; blanks in later lines.
    name: String,
    text: String,
    standing: Option<Standing>,
}

/// Returns a value in full: times with their zone, JSON over several lines.
fn full_text(cell: &ListCell, column: &ListColumn, scene: &Scene) -> String {
    let look = &scene.look;
    match cell {
        ListCell::Time(at_ms) => format!(
            "{}  ({})",
            text::full_time(*at_ms, &look.full_zone()),
            text::ago(*at_ms, scene.now_ms)
        ),
        ListCell::Text(word) if column.kind == ColumnKind::State => match Standing::of(word) {
            Some(standing) => format!("{} {word}", look.sign(standing)),
            None => word.clone(),
        },
        ListCell::Text(text) => text.clone(),
        ListCell::Number(n) => match column.kind {
            ColumnKind::Bytes => format!("{} ({n} bytes)", text::bytes(*n)),
            ColumnKind::Duration => text::duration(*n),
            _ => text::number(*n),
        },
        ListCell::Flag(true) => "yes".to_owned(),
        ListCell::Flag(false) => "no".to_owned(),
        ListCell::Texts(texts) => texts.join(", "),
        ListCell::Json(value) => {
            serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
        }
        ListCell::Empty => "-".to_owned(),
    }
}
