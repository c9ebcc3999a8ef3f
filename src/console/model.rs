//! The whole state of the console, as plain data: pages, overlays, messages, refreshing.

use std::collections::{BTreeMap, VecDeque};

use ratatui::layout::Rect;

use super::deed::Deed;
use super::look::Look;
use super::message::{Level, Message, Messages, error_json};
use super::overlay::Overlay;
use super::screen::{Reason, Scene, Screen};
use super::view_name::ViewName;
use super::{dashboard, table, view};
use crate::domain::Error;
use crate::domain::id::ExecutionId;
use crate::domain::listing::{ListOf, ListSort};

/// How often what is shown is loaded again, unless somebody says otherwise.
pub const REFRESH_MS: u64 = 2_000;

/// A look that took long is the longer away, so that a console that nobody touches takes
/// less than a hundredth of a core, drawing included, however large the database is.
const REST_FACTOR: u64 = 150;

/// The longest such wait: what is shown stays of now. A look at a million runs takes about
/// a tenth of a second, which this lets rest in proportion.
const REST_MAX_MS: u64 = 15_000;

/// The longest wait between two loads while they fail.
const BACK_OFF_MAX_MS: u64 = 60_000;

/// After so long without an answer the status line says what is awaited.
pub const AWAITED_MS: u64 = 3_000;

/// After so long without an answer it offers to try again.
pub const OVERDUE_MS: u64 = 10_000;

/// The pages on top of each other: deeper than anybody goes, and a bound on memory.
const PAGES_MAX: usize = 20;

/// What the console is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is shown of where the data comes from: the path of the database.
    pub place: String,
    /// Whether nothing can be written.
    pub is_read_only: bool,
    /// How everything looks.
    pub look: Look,
    /// How often what is shown is loaded again.
    pub refresh_ms: u64,
    /// Whether the mouse can be used.
    pub has_mouse: bool,
    /// What there is of a sandbox for components, as a line; empty where nobody knows.
    pub sandbox: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            place: String::new(),
            is_read_only: false,
            look: Look::default(),
            refresh_ms: REFRESH_MS,
            has_mouse: false,
            sandbox: String::new(),
        }
    }
}

/// A page: a screen, and what is awaited for it.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its number, which no other page has.
    pub id: u64,
    /// What it shows.
    pub screen: Screen,
    /// The number of the last question; an answer to an older one is dropped.
    pub turn: u64,
    /// Since when an answer is awaited, on the monotonic clock.
    pub asked_ms: Option<u64>,
}

/// The state of the console.
#[derive(Clone, Debug)]
pub struct Model {
    /// What it was started with, and what keys changed of that.
    pub settings: Settings,
    /// The size of the terminal.
    pub size: (u16, u16),
    /// The wall time in milliseconds since 1970, as of the last message.
    pub now_ms: i64,
    /// The monotonic time in milliseconds, as of the last message.
    pub mono_ms: u64,
    /// The pages on top of each other; never empty.
    pub pages: Vec<Page>,
    /// What lies over them; the last one has the keys.
    pub overlays: Vec<Overlay>,
    /// What was said.
    pub messages: Messages,
    /// Whether nothing is loaded by itself.
    pub is_paused: bool,
    /// When the last load ended well, wall time.
    pub loaded_at_ms: Option<i64>,
    /// When the next load is due, monotonic time.
    pub due_ms: u64,
    /// How many loads failed one after the other.
    pub failures: u32,
    /// The deeds that are being done.
    pub pending: u32,
    /// What takes back the last act.
    pub undo: Option<Deed>,
    /// The execution that began with the last act that began one.
    pub lead: Option<ExecutionId>,
    /// What the palette took last.
    pub recent: VecDeque<String>,
    /// Whether the console ends.
    pub is_over: bool,
    /// The pages that were open before, for `-`.
    pub earlier: Vec<Page>,
    /// The row that was last peeked at: its page, the question that brought it, its object.
    pub peeked: Option<(u64, u64, String)>,
    /// Since when, on the monotonic clock.
    pub peeked_ms: u64,
    /// How long the last load took.
    pub took_ms: u64,
    /// What was last asked of the palette.
    pub find_turn: u64,
    /// The filter and the order of each list, as they were left.
    remembered: BTreeMap<&'static str, (String, ListSort)>,
    next_page: u64,
}

impl Model {
    /// Makes a console on the dashboard.
    pub fn new(settings: Settings, size: (u16, u16), now_ms: i64, mono_ms: u64) -> Self {
        // What refreshes by itself moves by itself; p and r still load.
        let is_paused = settings.look.is_still;
        let mut model = Self {
            settings,
            size,
            now_ms,
            mono_ms,
            pages: Vec::new(),
            overlays: Vec::new(),
            messages: Messages::default(),
            is_paused,
            loaded_at_ms: None,
            due_ms: mono_ms,
            failures: 0,
            pending: 0,
            undo: None,
            lead: None,
            recent: VecDeque::new(),
            is_over: false,
            earlier: Vec::new(),
            peeked: None,
            peeked_ms: 0,
            took_ms: 0,
            find_turn: 0,
            remembered: BTreeMap::new(),
            next_page: 0,
        };
        let first = model.page(Screen::Dashboard(dashboard::Model::default()));
        model.pages.push(first);
        model
    }

    /// Tells the time: the loop does so before each message.
    pub fn at(&mut self, now_ms: i64, mono_ms: u64) {
        self.now_ms = now_ms;
        self.mono_ms = mono_ms;
    }

    /// Returns what screens may know.
    pub fn scene(&self) -> Scene {
        Scene {
            now_ms: self.now_ms,
            is_read_only: self.settings.is_read_only,
            look: self.settings.look.clone(),
        }
    }

    /// Returns the page on top.
    pub fn top(&self) -> &Page {
        self.pages.last().expect("there is always a page")
    }

    /// Returns the page on top, to change it.
    pub fn top_mut(&mut self) -> &mut Page {
        self.pages.last_mut().expect("there is always a page")
    }

    /// Returns the room of the screens.
    pub fn body(&self) -> Rect {
        view::body_of(Rect::new(0, 0, self.size.0, self.size.1))
    }

    /// Makes a page of a screen, as large as the terminal.
    fn page(&mut self, mut screen: Screen) -> Page {
        self.next_page += 1;
        screen.resize(self.body());
        Page {
            id: self.next_page,
            screen,
            turn: 0,
            asked_ms: None,
        }
    }

    /// Opens a screen on top.
    pub fn open(&mut self, screen: Screen) {
        self.remember();
        if self.pages.len() == PAGES_MAX {
            self.say(
                Level::Note,
                "so many pages are open: Esc goes back".to_owned(),
            );
            return;
        }
        let page = self.page(screen);
        self.pages.push(page);
    }

    /// Opens a list as a view of its own, with the filter and the order as they were left.
    pub fn open_view(&mut self, view: ViewName, list: Option<ListOf>) {
        self.remember();
        let screen = match list {
            None => Screen::Dashboard(dashboard::Model::default()),
            Some(list) => Screen::Table(Box::new(self.table(list).within(view))),
        };
        let page = self.page(screen);
        self.earlier = std::mem::replace(&mut self.pages, vec![page]);
    }

    /// Goes back to what was open before the last change of the view.
    pub fn open_earlier(&mut self) -> bool {
        if self.earlier.is_empty() {
            return false;
        }
        self.remember();
        std::mem::swap(&mut self.pages, &mut self.earlier);
        let body = self.body();
        for page in &mut self.pages {
            page.screen.resize(body);
            page.asked_ms = None;
        }
        true
    }

    /// Makes the table of a list as it was left.
    fn table(&self, list: ListOf) -> table::Model {
        let mut model = table::Model::new(list);
        if let Some((filter, sort)) = self.remembered.get(list.as_str()) {
            model.set_filter(filter, self.now_ms);
            model.set_sort(*sort);
        }
        model
    }

    /// Remembers the filter and the order of the view's own list.
    fn remember(&mut self) {
        if let Some(Page {
            screen: Screen::Table(model),
            ..
        }) = self.pages.first()
        {
            let left = (model.filter().to_owned(), model.sort());
            self.remembered.insert(model.of().as_str(), left);
        }
    }

    /// Says something in the status line.
    pub fn say(&mut self, level: Level, text: String) {
        self.tell(level, text, None, None);
    }

    /// Says what went wrong; the history has all of it.
    pub fn say_error(&mut self, text: String, error: &Error, request_id: String) {
        self.tell(Level::Bad, text, Some(error_json(error)), Some(request_id));
    }

    /// Says what was done; the audit log has the same id.
    pub fn say_done(&mut self, text: String, request_id: String) {
        self.tell(Level::Good, text, None, Some(request_id));
    }

    /// Adds a message.
    fn tell(
        &mut self,
        level: Level,
        text: String,
        detail: Option<String>,
        request_id: Option<String>,
    ) {
        let message = Message {
            at_ms: self.now_ms,
            level,
            text,
            detail,
            request_id,
        };
        self.messages.say(message, self.mono_ms);
    }

    /// Returns how long the console waits between two loads.
    pub fn pace_ms(&self) -> u64 {
        let base = self.settings.refresh_ms.max(1);
        base.saturating_mul(1 << self.failures.min(16))
            .min(BACK_OFF_MAX_MS.max(base))
    }

    /// Returns how long the console waits after a look that took so long. A person who wants
    /// to see more than usual gets it, whatever that takes.
    pub fn rest_ms(&self, took_ms: u64) -> u64 {
        let pace_ms = self.pace_ms();
        if self.settings.refresh_ms < REFRESH_MS {
            return pace_ms;
        }
        let rest_ms = took_ms.saturating_mul(REST_FACTOR).min(REST_MAX_MS);
        pace_ms.max(rest_ms)
    }

    /// Returns when something happens by itself, on the monotonic clock; none where
    /// nothing does until a key is pressed.
    pub fn wake_ms(&self) -> Option<u64> {
        let refresh = (!self.is_paused && self.top().asked_ms.is_none()).then_some(self.due_ms);
        let awaited = self.top().asked_ms.and_then(|asked| {
            [AWAITED_MS, OVERDUE_MS]
                .into_iter()
                .map(|after| asked + after)
                .find(|at| *at > self.mono_ms)
        });
        [refresh, awaited, self.messages.shown_until_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Returns the view that is open at the root.
    pub fn root_view(&self) -> ViewName {
        match self.pages.first().map(|page| &page.screen) {
            Some(Screen::Table(model)) => model.view_name(),
            _ => ViewName::Dashboard,
        }
    }

    /// Asks what the page on top shows.
    pub fn ask_top(&mut self, reason: Reason) -> Option<(u64, u64, super::ask::Ask)> {
        let scene = self.scene();
        let mono_ms = self.mono_ms;
        let page = self.top_mut();
        let Some(ask) = page.screen.ask(&scene, reason) else {
            // Without an answer to wait for, the next look is due after the usual time.
            self.due_ms = mono_ms + self.pace_ms();
            return None;
        };
        page.turn += 1;
        page.asked_ms = Some(mono_ms);
        Some((page.id, page.turn, ask))
    }
}
