//! A list of anything: columns, live filter, order, marks, pages in both directions.
//!
//! The model holds one or two parts of [`PART_ROWS`] rows, found by keys and not by
//! numbers, so a list of a million rows costs what a list of four hundred does. What
//! time changes is compared with what is shown: known rows are renewed in their places,
//! new ones are announced and wait for `r`, so that nothing jumps under the cursor.

mod act;
mod below;
mod cell;
mod draw;
pub mod related;

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::ask::{Ask, ListAsk, PART_ROWS};
use super::peek::Peek;
use super::screen::{Effect, Reason, Scene};
use super::text;
use super::view_name::ViewName;
use crate::domain::listing::{
    Counted, ListAt, ListCursor, ListFilter, ListOf, ListPage, ListRow, ListSort,
};

pub use cell::{cell_text, row_json};

/// The parts that are held at once: the one with the cursor and the one beside it.
const PARTS_MAX: usize = 2;

/// Lines of the body that are not rows: the box and the titles.
const FRAME_LINES: u16 = 3;

/// What the next answer is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The list anew, as somebody asked for it.
    Anew,
    /// The part behind the last row, and where the cursor then goes.
    Down(usize),
    /// More of the last part, whose search ended at its bound, and where the cursor goes.
    On(usize),
    /// The part before the first row, and how far the cursor goes up.
    Up(usize),
    /// The same rows again.
    Live,
}

/// The model of a list.
#[derive(Clone, Debug)]
pub struct Model {
    /// The list.
    of: ListOf,
    /// The view that it is a tab of.
    view: ViewName,
    /// The filter as it was typed, which was read without a fault.
    filter: String,
    /// What is wrong with what was typed since.
    fault: Option<String>,
    /// The order.
    sort: ListSort,
    /// Where the first part is.
    at: ListAt,
    /// The parts that are shown; empty until the first answer.
    parts: Vec<ListPage>,
    /// The same parts as they are now, where rows came or went since.
    newer: Option<Vec<ListPage>>,
    /// How many of those are new.
    fresh: usize,
    /// What the next answer is to be.
    reach: Reach,
    /// The row under the cursor.
    cursor: usize,
    /// The first row that is drawn.
    offset: usize,
    /// The object under the cursor, which the cursor follows.
    selected: Option<String>,
    /// Marked objects.
    marks: BTreeSet<String>,
    /// The rows that there is room for.
    height: usize,
    /// Where the list and its panes are drawn.
    body: Rect,
    /// Whether there are panes below it, where there is room.
    has_panes: bool,
    /// More of a row that was under the cursor.
    peek: Option<Box<Peek>>,
    /// Whether the list was opened as what belongs to something, so that its filter stays.
    is_narrowed_for_good: bool,
}

impl Model {
    /// Makes the whole list in its usual order.
    pub fn new(of: ListOf) -> Self {
        Self {
            of,
            view: ViewName::of(of).0,
            filter: String::new(),
            fault: None,
            sort: of.default_sort(),
            at: ListAt::Start,
            parts: Vec::new(),
            newer: None,
            fresh: 0,
            reach: Reach::Anew,
            cursor: 0,
            offset: 0,
            selected: None,
            marks: BTreeSet::new(),
            height: 1,
            body: Rect::ZERO,
            has_panes: true,
            peek: None,
            is_narrowed_for_good: false,
        }
    }

    /// Makes the part of a list that belongs to something; Esc then leaves the page
    /// rather than the filter.
    pub fn narrowed(of: ListOf, filter: &str, now_ms: i64) -> Self {
        let mut model = Self::new(of);
        model.set_filter(filter, now_ms);
        model.is_narrowed_for_good = true;
        model
    }

    /// Returns the list that is shown.
    pub fn of(&self) -> ListOf {
        self.of
    }

    /// Returns the filter that holds.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Returns what is wrong with the filter that was typed last.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Returns the order.
    pub fn sort(&self) -> ListSort {
        self.sort
    }

    /// Returns the marked objects.
    pub fn marks(&self) -> &BTreeSet<String> {
        &self.marks
    }

    /// Returns the row under the cursor.
    pub fn selected(&self) -> Option<&ListRow> {
        self.row(self.cursor)
    }

    /// Returns the marked rows that are held, else the one under the cursor.
    pub fn meant(&self) -> Vec<ListRow> {
        if self.marks.is_empty() {
            return self.selected().cloned().into_iter().collect();
        }
        let marked = self.rows().filter(|row| self.marks.contains(&row.id));
        marked.cloned().collect()
    }

    /// Returns a row by its place among those that are held.
    fn row(&self, at: usize) -> Option<&ListRow> {
        let mut at = at;
        for part in &self.parts {
            if let Some(row) = part.rows.get(at) {
                return Some(row);
            }
            at -= part.rows.len();
        }
        None
    }

    /// Returns the rows that are held.
    fn rows(&self) -> impl Iterator<Item = &ListRow> {
        self.parts.iter().flat_map(|part| &part.rows)
    }

    /// Returns how many rows are held.
    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.rows.len()).sum()
    }

    /// Narrows the list by what a person typed. A filter that can't be read changes
    /// nothing but the fault; tells whether there is something to load.
    pub fn set_filter(&mut self, typed: &str, now_ms: i64) -> bool {
        if let Err(error) = ListFilter::parse(typed, self.of, now_ms) {
            self.fault = Some(error_line(&error));
            return false;
        }
        self.fault = None;
        let is_other = self.filter != typed.trim();
        if is_other {
            typed.trim().clone_into(&mut self.filter);
            self.restart();
        }
        is_other
    }

    /// Sorts by a column.
    pub fn set_sort(&mut self, sort: ListSort) {
        self.sort = sort;
        self.restart();
    }

    /// Shows the list from its start at the next answer.
    fn restart(&mut self) {
        self.at = ListAt::Start;
        self.reach = Reach::Anew;
        self.newer = None;
        self.fresh = 0;
    }

    /// Returns what the table shows, as a question.
    pub fn ask(&mut self, scene: &Scene, reason: Reason) -> Option<Ask> {
        self.reach = match (reason, self.reach) {
            (Reason::Time, _) if self.parts.is_empty() => Reach::Anew,
            // A search goes on where it was, whatever else was looked at meanwhile.
            (Reason::Time, on @ (Reach::On(_) | Reach::Up(_))) => on,
            (Reason::Time, _) => Reach::Live,
            (Reason::Person, Reach::Live) => Reach::Anew,
            (Reason::Person, reach) => reach,
        };
        let (at, parts) = match self.reach {
            Reach::Anew | Reach::Live => (self.at.clone(), self.parts.len().clamp(1, PARTS_MAX)),
            Reach::Down(_) | Reach::On(_) => (ListAt::After(self.after()?.clone()), 1),
            Reach::Up(_) => (ListAt::Before(self.before()?.clone()), 1),
        };
        // Ages are counted from now, so the filter is read anew each time.
        let filter = ListFilter::parse(&self.filter, self.of, scene.now_ms).unwrap_or_default();
        Some(Ask::List(ListAsk {
            of: self.of,
            filter,
            sort: self.sort,
            at,
            parts,
        }))
    }

    /// Returns the place behind the last row; none at the end of the list.
    fn after(&self) -> Option<&ListCursor> {
        self.parts.last()?.after.as_ref()
    }

    /// Returns the place before the first row; none at the start of the list.
    fn before(&self) -> Option<&ListCursor> {
        self.parts.first()?.before.as_ref()
    }

    /// Takes the parts that came back.
    pub fn take(&mut self, pages: Vec<ListPage>) {
        let reach = std::mem::replace(&mut self.reach, Reach::Live);
        let is_empty = pages.iter().all(|page| page.rows.is_empty());
        match reach {
            Reach::Anew => self.show(pages),
            Reach::Down(step) => self.append(pages, step),
            Reach::On(step) => self.extend(pages, step),
            Reach::Up(step) => self.prepend(pages, step),
            Reach::Live => self.compare(pages),
        }
        self.settle();
        self.reach = self.search_on(reach, is_empty);
    }

    /// Returns what is looked at after an answer: the next piece, where the search ended at
    /// its bound before it found what a person waits for.
    fn search_on(&self, done: Reach, is_empty: bool) -> Reach {
        let is_short = self.len() < self.height;
        match done {
            Reach::Up(step) if is_empty && self.before().is_some() => Reach::Up(step),
            Reach::Anew if self.len() == 0 && self.before().is_some() => Reach::Up(0),
            Reach::Live | Reach::Up(_) => Reach::Live,
            _ if !self.is_stopped() => Reach::Live,
            Reach::Down(step) | Reach::On(step) if is_empty && step > 0 => Reach::On(step),
            _ if is_short => Reach::On(0),
            _ => Reach::Live,
        }
    }

    /// Returns what is to be done now that an answer came.
    pub fn arrived(&self) -> Vec<Effect> {
        if self.is_searching() {
            vec![Effect::Load]
        } else {
            Vec::new()
        }
    }

    /// Tells whether more is looked for, a piece after the other.
    pub fn is_searching(&self) -> bool {
        matches!(self.reach, Reach::On(_) | Reach::Up(_))
    }

    /// Tells whether the search of the last part ended at its bound.
    fn is_stopped(&self) -> bool {
        self.parts.last().is_some_and(is_stopped)
    }

    /// Shows these parts in the place of the others; the cursor stays with its object.
    fn show(&mut self, pages: Vec<ListPage>) {
        self.parts = pages;
        self.newer = None;
        self.fresh = 0;
        let place = self
            .selected
            .as_ref()
            .and_then(|id| self.rows().position(|row| row.id == *id));
        if let Some(place) = place {
            // The row stays where it is on the screen, as far as there are rows above it.
            let line = self.cursor.saturating_sub(self.offset);
            self.cursor = place;
            self.offset = place.saturating_sub(line);
        } else if self.at == ListAt::End {
            self.cursor = self.len().saturating_sub(1);
        }
    }

    /// Adds a part behind the others, and lets go of the first where there are too many.
    fn append(&mut self, pages: Vec<ListPage>, step: usize) {
        for page in pages {
            if page.rows.is_empty() {
                if let Some(last) = self.parts.last_mut() {
                    last.after = page.after;
                    last.is_complete = page.is_complete;
                }
                continue;
            }
            if self.parts.len() == PARTS_MAX {
                let gone = self.parts.remove(0);
                self.cursor = self.cursor.saturating_sub(gone.rows.len());
                self.offset = self.offset.saturating_sub(gone.rows.len());
                if let Some(after) = gone.after {
                    self.at = ListAt::After(after);
                }
            }
            self.parts.push(page);
        }
        self.cursor += step;
    }

    /// Adds what the search found behind its bound to the last part.
    fn extend(&mut self, pages: Vec<ListPage>, step: usize) {
        let (found, len) = (pages.into_iter().next(), self.parts.len());
        let (Some(page), Some(last)) = (found, self.parts.last_mut()) else {
            return;
        };
        if last.rows.len() >= PART_ROWS as usize {
            return self.append(vec![page], step);
        }
        last.rows.extend(page.rows);
        last.after = page.after;
        last.is_complete = page.is_complete;
        let n = last.rows.len() as u64;
        if let (ListAt::Start, 1, Some(first)) = (&self.at, len, self.parts.first_mut()) {
            let is_exact = first.after.is_none();
            first.matched = Counted { n, is_exact };
        }
        self.cursor += step;
    }

    /// Adds a part before the others, and lets go of the last where there are too many.
    fn prepend(&mut self, pages: Vec<ListPage>, step: usize) {
        let asked = self.before().cloned();
        for page in pages.into_iter().rev() {
            if page.rows.is_empty() {
                if let Some(first) = self.parts.first_mut() {
                    first.before = page.before;
                }
                continue;
            }
            self.cursor += page.rows.len();
            self.offset += page.rows.len();
            self.at = match (&page.before, &asked) {
                (Some(_), Some(asked)) => ListAt::Before(asked.clone()),
                _ => ListAt::Start,
            };
            self.parts.truncate(PARTS_MAX - 1);
            self.parts.insert(0, page);
        }
        self.cursor = self.cursor.saturating_sub(step);
    }

    /// Renews the rows that are shown, and keeps what came and went for later.
    fn compare(&mut self, pages: Vec<ListPage>) {
        let now = || pages.iter().flat_map(|page| &page.rows);
        // A search that ends at its bound says nothing of the rows behind that.
        let is_head = pages.last().is_some_and(is_stopped);
        let told = if is_head { now().count() } else { usize::MAX };
        let ids = self.rows().map(|row| &row.id).take(told);
        let is_same = ids.eq(now().map(|row| &row.id));
        if (is_same || self.len() == 0) && !is_head {
            self.show(pages);
            return;
        }
        let shown: BTreeSet<&str> = self.rows().map(|row| row.id.as_str()).collect();
        let fresh = now().filter(|row| !shown.contains(row.id.as_str())).count();
        let known: Vec<ListRow> = now()
            .filter(|row| shown.contains(row.id.as_str()))
            .cloned()
            .collect();
        self.fresh = fresh;
        for row in self.parts.iter_mut().flat_map(|part| &mut part.rows) {
            if let Some(newer) = known.iter().find(|newer| newer.id == row.id) {
                row.cells.clone_from(&newer.cells);
            }
        }
        self.newer = (!is_same).then_some(pages);
    }

    /// Shows what came and went meanwhile; tells whether there was something, and all of it.
    fn show_newer(&mut self) -> bool {
        let newer = self.newer.take();
        let newer = newer.filter(|pages| !pages.last().is_some_and(is_stopped));
        let is_there = newer.is_some();
        if let Some(pages) = newer {
            self.show(pages);
            self.settle();
        }
        is_there
    }

    /// Puts the cursor on a row that there is, in sight, and pins it to the object.
    fn settle(&mut self) {
        let len = self.len();
        self.cursor = self.cursor.min(len.saturating_sub(1));
        self.selected = self.selected().map(|row| row.id.clone());
        let height = self.height.max(1);
        self.offset = self
            .offset
            .min(self.cursor)
            .max((self.cursor + 1).saturating_sub(height))
            .min(len.saturating_sub(height));
    }

    /// Learns how much room there is.
    pub fn resize(&mut self, body: Rect) {
        self.body = body;
        let (list, _) = self.areas(body);
        self.height = usize::from(list.height.saturating_sub(FRAME_LINES)).max(1);
        self.settle();
    }

    /// Returns the title of the list, with its filter.
    pub fn crumb(&self) -> String {
        let title = self.view.title_of(self.of);
        if self.filter.is_empty() {
            title.to_owned()
        } else {
            format!("{title} [{}]", self.filter)
        }
    }

    /// Returns the view that the list is a tab of.
    pub fn view_name(&self) -> ViewName {
        self.view
    }

    /// Makes the list a tab of another view than its first one.
    #[must_use]
    pub fn within(self, view: ViewName) -> Self {
        Self { view, ..self }
    }

    /// Returns where the cursor is: `12 of 340  sort name`.
    pub fn place_text(&self, scene: &Scene) -> String {
        let Some((matched, total)) = self.counts() else {
            return String::new();
        };
        let column = &self.of.columns()[self.sort.column];
        let order = scene.look.arrow(self.sort.descending);
        let rows = if self.filter.is_empty() {
            let word = if total.n == 1 { "row" } else { "rows" };
            format!("{} {word}", counted(total))
        } else {
            format!("{} of {}", counted(matched), counted(total))
        };
        format!("{rows}  {} {order}", column.key)
    }

    /// Returns how many rows fit and how many there are, as last heard.
    fn counts(&self) -> Option<(Counted, Counted)> {
        let parts = self.newer.as_ref().unwrap_or(&self.parts);
        parts.first().map(|page| (page.matched, page.total))
    }

    /// Returns what the status line says: new rows, marks, the filter's fault.
    pub fn status(&self) -> String {
        let mut told = Vec::new();
        if let Some(fault) = &self.fault {
            told.push(fault.clone());
        }
        if self.fresh > 0 {
            told.push(format!("+{} new, press r", self.fresh));
        } else if self.newer.is_some() {
            told.push("the list has changed, press r".to_owned());
        }
        if !self.marks.is_empty() {
            told.push(format!("{} marked", self.marks.len()));
        }
        if self.is_searching() {
            told.push(format!(
                "{} found, searching on",
                text::number(number(self.len()))
            ));
        } else if self.is_stopped() {
            told.push("not everything was searched: at the end j goes on".to_owned());
        } else if self.parts.iter().any(|part| !part.is_complete) {
            told.push("only the newest rows are in this order".to_owned());
        }
        told.join("   ")
    }
}

/// Tells whether the search for a page ended at its bound before the page was full.
fn is_stopped(page: &ListPage) -> bool {
    !page.is_complete && page.after.is_some() && page.rows.len() < PART_ROWS as usize
}

/// Returns a number of rows as people read it.
fn number(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Returns a count for people: `340`, or `10,000+` where more may be.
fn counted(counted: Counted) -> String {
    let n = text::number(i64::try_from(counted.n).unwrap_or(i64::MAX));
    if counted.is_exact { n } else { format!("{n}+") }
}

/// Returns an error in one line, with the fields at fault.
fn error_line(error: &crate::domain::Error) -> String {
    match error.fields().first() {
        Some(fault) => format!("{} {}", fault.field, fault.message),
        None => error.message().to_owned(),
    }
}
