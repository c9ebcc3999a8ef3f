//! The palette: views, acts and objects by a few of their letters, the last ones first.
//! `:user ada` looks among users alone.

use std::collections::VecDeque;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::fuzzy::Fuzzy;
use super::input::Input;
use super::keys::{Action, Place};
use super::overlay::Step;
use super::screen::{Effect, Screen};
use super::table::related::name_of;
use super::text;
use super::view_name::{ViewName, list_title};
use crate::domain::listing::{ListOf, ListRow};

/// The entries that are remembered.
const RECENT_MAX: usize = 8;

/// The fewest letters with which objects are looked for: fewer fit nearly all.
const FIND_MIN_CHARS: usize = 2;

/// The lists whose objects the palette finds where nobody names one.
const FOUND_IN: [ListOf; 4] = [
    ListOf::Users,
    ListOf::Flows,
    ListOf::Teams,
    ListOf::Components,
];

/// An entry of the palette.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called.
    pub label: String,
    /// The key that does the same; empty where there is none.
    pub key: String,
    /// What it does.
    pub effect: Effect,
}

/// The model of the palette.
#[derive(Clone, Debug)]
pub struct Model {
    /// What was typed.
    pub input: Input,
    /// The entries that fit, the best first.
    pub shown: Vec<Entry>,
    /// The entry under the cursor.
    pub cursor: usize,
    /// All views and acts.
    all: Vec<Entry>,
    /// The objects that were found for what was typed.
    found: Vec<Entry>,
    /// The labels of the last entries, the newest first.
    recent: Vec<String>,
}

/// Returns the entries of the lists that share a view: they have no key of their own.
fn tabs() -> impl Iterator<Item = Entry> {
    let views = ViewName::ALL.into_iter();
    let shared = views
        .filter(|view| view.lists().len() > 1)
        .flat_map(|view| {
            let lists = view.lists().iter().enumerate();
            // What the digit of the view opens is the view itself, unless it is called otherwise.
            let named =
                lists.filter(move |(tab, list)| *tab > 0 || view.title() != list_title(**list));
            named.map(move |(_, list)| (view, *list))
        });
    shared.map(|(view, list)| Entry {
        label: view.title_of(list).to_owned(),
        key: String::new(),
        effect: Effect::TabOf(view, list),
    })
}

impl Model {
    /// Makes the palette of a place.
    pub fn new(place: Place, is_read_only: bool, recent: &VecDeque<String>) -> Self {
        let mut all: Vec<Entry> = Vec::new();
        for binding in place.all(is_read_only) {
            let is_move = matches!(
                binding.action,
                Action::Up
                    | Action::Down
                    | Action::Top
                    | Action::Bottom
                    | Action::PageUp
                    | Action::PageDown
                    | Action::Palette
            );
            if is_move {
                continue;
            }
            let effect = match binding.action {
                Action::View(view) => Effect::View(view),
                action => Effect::Act(action),
            };
            all.push(Entry {
                label: binding.help.to_owned(),
                key: binding
                    .chords
                    .first()
                    .map(|chord| chord.name())
                    .unwrap_or_default(),
                effect,
            });
        }
        all.extend(tabs());
        if !is_read_only {
            let acts = [
                (
                    "maintenance: answer every API call with 503",
                    Action::Maintenance,
                ),
                (
                    "maintenance: answer calls of the API again",
                    Action::EndMaintenance,
                ),
            ];
            all.extend(acts.map(|(label, action)| Entry {
                label: label.to_owned(),
                key: String::new(),
                effect: Effect::Act(action),
            }));
        }
        let mut model = Self {
            input: Input::default(),
            shown: Vec::new(),
            cursor: 0,
            all,
            found: Vec::new(),
            recent: recent.iter().cloned().collect(),
        };
        model.match_entries();
        model
    }

    /// Takes a key; what is typed changes the entries at once.
    pub fn key(&mut self, key: &KeyEvent) -> Step {
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Step::Close(Vec::new()),
            KeyCode::Enter => {
                let entry = self.shown.get(self.cursor).cloned();
                return Step::Close(entry.map(|entry| entry.effect).into_iter().collect());
            }
            KeyCode::Char('n') if is_ctrl => self.step(1),
            KeyCode::Char('p') if is_ctrl => self.step(-1),
            KeyCode::Down | KeyCode::Tab => self.step(1),
            KeyCode::Up | KeyCode::BackTab => self.step(-1),
            _ if self.input.key(key) => {
                self.found.clear();
                self.match_entries();
            }
            _ => {}
        }
        Step::Stay(Vec::new())
    }

    /// Takes what was pasted.
    pub fn paste(&mut self, pasted: &str) {
        self.input.insert(pasted);
        self.found.clear();
        self.match_entries();
    }

    /// Returns the label of the entry under the cursor.
    pub fn chosen(&self) -> Option<&str> {
        self.shown
            .get(self.cursor)
            .map(|entry| entry.label.as_str())
    }

    /// Returns what objects are to be found, and in which lists; none where too little
    /// was typed.
    pub fn wanted(&self) -> Option<(Vec<ListOf>, String)> {
        let typed = self.input.text().trim();
        let (lists, text) = match typed.split_once(' ') {
            Some((word, rest)) => match ListOf::parse(word) {
                Ok(list) => (vec![list], rest.trim()),
                Err(_) => (FOUND_IN.to_vec(), typed),
            },
            None => (FOUND_IN.to_vec(), typed),
        };
        let is_enough = text.chars().count() >= FIND_MIN_CHARS;
        is_enough.then(|| (lists, text.to_owned()))
    }

    /// Takes the objects that were found.
    pub fn take(&mut self, rows: Vec<(ListOf, ListRow)>) {
        self.found = rows
            .into_iter()
            .map(|(of, row)| Entry {
                label: format!(
                    "{} {}  {}",
                    list_title(of).trim_end_matches('s').to_lowercase(),
                    text::clean(&name_of(of, &row)),
                    text::short_id(&row.id)
                ),
                key: String::new(),
                effect: Effect::Open(Box::new(Screen::of_row(of, row))),
            })
            .collect();
        self.match_entries();
    }

    /// Moves the cursor.
    fn step(&mut self, by: isize) {
        let last = self.shown.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }

    /// Returns what is meant by just this: the key of an act, or a word for a list.
    fn meant(&self, typed: &str) -> Vec<Entry> {
        let by_key = self.all.iter().find(|entry| entry.key == typed);
        let mut meant: Vec<Entry> = by_key
            .filter(|_| !typed.is_empty())
            .cloned()
            .into_iter()
            .collect();
        if let Ok(list) = ListOf::parse(typed) {
            let known = self
                .all
                .iter()
                .find(|entry| entry.label == list_title(list));
            meant.push(known.cloned().unwrap_or_else(|| Entry {
                label: list_title(list).to_owned(),
                key: String::new(),
                effect: Effect::Tab(list),
            }));
        }
        meant
    }

    /// Finds the entries that fit what was typed.
    fn match_entries(&mut self) {
        let typed = self.input.text();
        let rank = |entry: &Entry| self.recent.iter().position(|label| *label == entry.label);
        let mut fuzzy = Fuzzy::of(typed);
        let mut fitting: Vec<(u32, usize, &Entry)> = self
            .all
            .iter()
            .filter_map(|entry| {
                let score = fuzzy.score(&entry.label)?;
                Some((score, rank(entry).unwrap_or(RECENT_MAX), entry))
            })
            .collect();
        if typed.trim().is_empty() {
            fitting.sort_by_key(|(_, rank, _)| *rank);
        } else {
            // Of two that fit alike the one that was taken lately is meant, then the shorter.
            fitting.sort_by_key(|(score, rank, entry)| {
                (std::cmp::Reverse(*score), *rank, entry.label.len())
            });
        }
        let mut shown: Vec<Entry> = fitting
            .into_iter()
            .map(|(_, _, entry)| entry.clone())
            .collect();
        for meant in self.meant(typed.trim()) {
            shown.retain(|entry| entry.label != meant.label);
            shown.insert(0, meant);
        }
        shown.extend(self.found.iter().cloned());
        self.shown = shown;
        self.cursor = 0;
    }
}

/// Remembers what was taken, the newest first.
pub fn remember(recent: &mut VecDeque<String>, label: &str) {
    recent.retain(|known| known != label);
    recent.push_front(label.to_owned());
    recent.truncate(RECENT_MAX);
}
