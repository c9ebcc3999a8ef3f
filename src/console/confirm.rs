//! Confirmations: a deed is named with its object and what goes with it. Enter alone never
//! confirms: `y` does, or the typed name of what matters most.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::deed::Deed;
use super::input::Input;
use super::overlay::Step;
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
            (Demand::Typed(_), _) => {
                self.input.key(key);
                Step::Stay(Vec::new())
            }
            (Demand::Yes, _) => Step::Stay(Vec::new()),
        }
    }
}
