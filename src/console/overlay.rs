//! What lies over the screen: a stack, the last of which has the keys.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::input::Input;
use super::screen::Effect;
use super::{confirm, editor, form, menu, palette};

/// Something over the screen.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// The keys that hold.
    Help {
        /// The first line that is shown.
        offset: usize,
    },
    /// The history of messages.
    Messages {
        /// The first line that is shown.
        offset: usize,
    },
    /// The filter of a list, typed into the status line.
    Filter(Filter),
    /// Views, acts and objects.
    Palette(palette::Model),
    /// A choice.
    Menu(menu::Model),
    /// A question before a deed.
    Confirm(confirm::Model),
    /// Fields to fill in.
    Form(form::Model),
    /// A text of several lines, to be edited.
    Editor(Box<editor::Model>),
    /// A secret that is shown once.
    Secret(Secret),
    /// A longer text.
    Text {
        /// What it is.
        title: String,
        /// The text.
        text: String,
        /// The first line that is shown.
        offset: usize,
    },
    /// The question whether the console ends.
    Quit,
}

/// The filter while it is typed.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What is typed.
    pub input: Input,
    /// The filter before, which Esc goes back to.
    pub before: String,
}

/// A secret that is shown once. It is wiped when the dialog closes.
#[derive(Clone, Debug)]
pub struct Secret {
    /// What it is.
    pub title: String,
    /// The secret; its `Debug` text does not show it.
    pub text: crate::app::SecretText,
}

/// What a key did to an overlay.
#[derive(Debug)]
pub enum Step {
    /// It stays.
    Stay(Vec<Effect>),
    /// It closes.
    Close(Vec<Effect>),
}

impl Overlay {
    /// Takes a key.
    pub fn key(&mut self, key: &KeyEvent) -> Step {
        match self {
            Self::Help { offset } | Self::Messages { offset } | Self::Text { offset, .. } => {
                scroll(offset, key)
            }
            Self::Filter(filter) => filter.key(key),
            Self::Palette(model) => model.key(key),
            Self::Menu(model) => model.key(key),
            Self::Confirm(model) => model.key(key),
            Self::Form(model) => model.key(key),
            Self::Editor(model) => model.key(key),
            Self::Secret(secret) => secret.key(key),
            Self::Quit => match key.code {
                KeyCode::Char('y') => Step::Close(vec![Effect::Act(super::keys::Action::QuitNow)]),
                KeyCode::Char('n' | 'q') | KeyCode::Esc => Step::Close(Vec::new()),
                _ => Step::Stay(Vec::new()),
            },
        }
    }

    /// Tells whether the overlay waits for its deed to be done.
    pub fn is_sent(&self) -> bool {
        match self {
            Self::Form(model) => model.is_sent,
            Self::Editor(model) => model.is_sent,
            _ => false,
        }
    }

    /// Shows why the deed of the overlay was not done.
    pub fn refuse(&mut self, error: &crate::domain::Error) {
        match self {
            Self::Form(model) => model.refuse(error),
            Self::Editor(model) => model.refuse(error),
            _ => {}
        }
    }

    /// Takes what was pasted; where nothing is typed it is dropped.
    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        match self {
            Self::Filter(filter) => {
                filter.input.insert(text);
                vec![Effect::FilterBy(filter.input.text().to_owned())]
            }
            Self::Palette(model) => {
                model.paste(text);
                Vec::new()
            }
            Self::Confirm(model) => {
                model.input.insert(text);
                Vec::new()
            }
            Self::Form(model) => {
                model.paste(text);
                Vec::new()
            }
            Self::Editor(model) => {
                model.paste(text);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

impl Filter {
    /// Takes a key: the list follows what is typed. Esc clears first and leaves second.
    fn key(&mut self, key: &KeyEvent) -> Step {
        match key.code {
            KeyCode::Enter => Step::Close(Vec::new()),
            KeyCode::Esc if self.input.text().is_empty() => Step::Close(Vec::new()),
            KeyCode::Esc => {
                self.input = Input::default();
                Step::Stay(vec![Effect::FilterBy(String::new())])
            }
            _ => {
                let typed = self.input.text().to_owned();
                self.input.key(key);
                if self.input.text() == typed {
                    return Step::Stay(Vec::new());
                }
                Step::Stay(vec![Effect::FilterBy(self.input.text().to_owned())])
            }
        }
    }
}

impl Secret {
    /// Takes a key: `y` copies, Esc or Enter closes for good.
    fn key(&mut self, key: &KeyEvent) -> Step {
        match key.code {
            KeyCode::Esc | KeyCode::Enter => Step::Close(Vec::new()),
            KeyCode::Char('y') => Step::Stay(vec![Effect::CopySecret {
                what: self.title.clone(),
                text: self.text.clone(),
            }]),
            _ => Step::Stay(Vec::new()),
        }
    }
}

/// Scrolls a text; the view stops at its end.
fn scroll(offset: &mut usize, key: &KeyEvent) -> Step {
    /// The lines of a page: fewer than the smallest screen shows.
    const PAGE_LINES: usize = 10;
    match key.code {
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | '?' | '!') => {
            return Step::Close(Vec::new());
        }
        KeyCode::Char('j') | KeyCode::Down => *offset += 1,
        KeyCode::Char('k') | KeyCode::Up => *offset = offset.saturating_sub(1),
        KeyCode::Char('d' | ' ') | KeyCode::PageDown => *offset += PAGE_LINES,
        KeyCode::Char('u') | KeyCode::PageUp => *offset = offset.saturating_sub(PAGE_LINES),
        KeyCode::Char('g') | KeyCode::Home => *offset = 0,
        _ => {}
    }
    Step::Stay(Vec::new())
}
