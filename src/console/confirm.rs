//! Confirmations: a deed is named with its object and what goes with it. Enter alone never
//! confirms: `y` does, or the typed name of what matters most.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::deed::Deed;
use super::input::Input;
use super::overlay::Step;
use super::pane::turned;
use super::screen::Effect;

/// What confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The key `y`.
    Yes,
    /// This text, typed; for users, teams and the rotation of keys.
    Typed(String),
}

/// The model of a confirmation.
#[derive(Clone, Debug)]
pub struct Model {
    /// The question, such as `Delete the user ada@example.com?`.
    pub question: String,
    /// What goes with it, a line each.
    pub lines: Vec<String>,
    /// What confirms.
    pub demand: Demand,
    /// What was typed.
    pub input: Input,
    /// What is done.
    pub deed: Deed,
    /// The ways in which it can be done, a line and a deed each; empty where there is one.
    pub ways: Vec<(String, Deed)>,
    /// The way that is chosen, whose deed is [`deed`](Self::deed).
    pub way: usize,
}

impl Model {
    /// Asks before a deed; `y` confirms.
    pub fn new(question: impl Into<String>, deed: Deed) -> Self {
        Self {
            question: question.into(),
            lines: Vec::new(),
            demand: Demand::Yes,
            input: Input::default(),
            deed,
            ways: Vec::new(),
            way: 0,
        }
    }

    /// Names the object by its id: two may be called the same.
    #[must_use]
    pub fn of(self, id: impl std::fmt::Display) -> Self {
        let mut lines = vec![format!("id {id}")];
        lines.extend(self.lines);
        Self { lines, ..self }
    }

    /// Adds a way in which the deed can be done; the first one is chosen at first.
    #[must_use]
    pub fn way(mut self, line: impl Into<String>, deed: Deed) -> Self {
        if self.ways.is_empty() {
            self.deed = deed.clone();
        }
        self.ways.push((line.into(), deed));
        self
    }

    /// Chooses the next way, or the one before.
    fn turn(&mut self, step: isize) {
        self.way = turned(self.way, self.ways.len(), step);
        if let Some((_, deed)) = self.ways.get(self.way) {
            self.deed = deed.clone();
        }
    }

    /// Adds a line about what goes with the deed.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Demands that this is typed.
    #[must_use]
    pub fn typed(self, name: impl Into<String>) -> Self {
        Self {
            demand: Demand::Typed(name.into()),
            ..self
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: &KeyEvent) -> Step {
        let done = || Step::Close(vec![Effect::Do(self.deed.clone())]);
        match (&self.demand, key.code) {
            (_, KeyCode::Esc) | (Demand::Yes, KeyCode::Char('n' | 'q')) => Step::Close(Vec::new()),
            (Demand::Yes, KeyCode::Char('y')) => done(),
            (Demand::Typed(name), KeyCode::Enter) if self.input.text() == name => done(),
            (_, KeyCode::Tab | KeyCode::BackTab) => {
                self.turn(if key.code == KeyCode::Tab { 1 } else { -1 });
                Step::Stay(Vec::new())
            }
            (Demand::Typed(_), _) => {
                self.input.key(key);
                Step::Stay(Vec::new())
            }
            (Demand::Yes, _) => Step::Stay(Vec::new()),
        }
    }
}
