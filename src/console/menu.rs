//! A menu: what belongs to an object, the columns to sort by. Enter takes an item.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::message::Level;
use super::overlay::{Overlay, Step};
use super::screen::Effect;
use crate::domain::listing::ListOf;

/// An item of a menu.
#[derive(Clone, Debug)]
pub struct MenuItem {
    /// What it is called.
    pub label: String,
    /// What it does.
    pub effect: Effect,
}

impl MenuItem {
    /// Makes an item that opens a list, narrowed by a filter.
    pub fn list(label: &str, of: ListOf, filter: String) -> Self {
        Self {
            label: label.to_owned(),
            effect: Effect::OpenList { of, filter },
        }
    }
}

/// The model of a menu.
#[derive(Clone, Debug)]
pub struct Model {
    /// What it is about.
    pub title: String,
    /// The items.
    pub items: Vec<MenuItem>,
    /// The item under the cursor.
    pub cursor: usize,
}

impl Model {
    /// Makes a menu, the cursor on the first item.
    pub fn new(title: impl Into<String>, items: Vec<MenuItem>) -> Self {
        Self {
            title: title.into(),
            items,
            cursor: 0,
        }
    }

    /// Puts the cursor on the first item that is meant.
    pub fn choose(&mut self, is_meant: impl Fn(&MenuItem) -> bool) {
        self.cursor = self.items.iter().position(is_meant).unwrap_or(0);
    }

    /// Takes a key; a digit takes the item of its number.
    pub fn key(&mut self, key: &KeyEvent) -> Step {
        match key.code {
            KeyCode::Esc | KeyCode::Char('q') => return Step::Close(Vec::new()),
            KeyCode::Char('j') | KeyCode::Down => {
                self.cursor = (self.cursor + 1).min(self.items.len().saturating_sub(1));
            }
            KeyCode::Char('k') | KeyCode::Up => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Enter => return self.take(self.cursor),
            KeyCode::Char(digit @ '1'..='9') => {
                let at = usize::from(digit as u8 - b'1');
                if at < self.items.len() {
                    return self.take(at);
                }
            }
            _ => {}
        }
        Step::Stay(Vec::new())
    }

    /// Takes an item.
    fn take(&self, at: usize) -> Step {
        let effect = self.items.get(at).map(|item| item.effect.clone());
        Step::Close(effect.into_iter().collect())
    }
}

/// Offers items: none is a message, one is taken at once, more are a menu.
pub fn offer(title: String, mut items: Vec<MenuItem>) -> Effect {
    match items.len() {
        0 => Effect::Say(Level::Note, "nothing belongs to it".to_owned()),
        1 => items.remove(0).effect,
        _ => Effect::Show(Box::new(Overlay::Menu(Model::new(title, items)))),
    }
}
