//! Forms: fields that a person fills in, made into a deed. What is wrong stands at its
//! field, whether the form or the application found it.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::deed::Deed;
use super::input::Input;
use super::overlay::Step;
use super::screen::Effect;
use crate::domain::Result;

/// What a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// A line that is not shown.
    Secret,
    /// One of these words.
    Choice(Vec<String>),
}

/// A field of a form.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in the deed, and in errors about it.
    pub key: String,
    /// What a person reads before it.
    pub label: String,
    /// What it takes.
    pub kind: FieldKind,
    /// What was typed, or the word that is chosen.
    pub input: Input,
    /// Whether it must not stay empty.
    pub is_required: bool,
    /// A line about it, shown while it has the keys.
    pub help: String,
}

impl Field {
    /// Makes a field for a line of text.
    pub fn text(key: impl Into<String>, label: impl Into<String>, value: &str) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            kind: FieldKind::Text,
            input: Input::of(value),
            is_required: false,
            help: String::new(),
        }
    }

    /// Makes a field for a secret.
    pub fn secret(key: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            kind: FieldKind::Secret,
            input: Input::secret(),
            ..Self::text(key, label, "")
        }
    }

    /// Makes a field for one of some words, the first of which is chosen.
    pub fn choice(key: impl Into<String>, label: impl Into<String>, words: Vec<String>) -> Self {
        let first = words.first().cloned().unwrap_or_default();
        Self {
            kind: FieldKind::Choice(words),
            ..Self::text(key, label, &first)
        }
    }

    /// Says that the field must not stay empty.
    #[must_use]
    pub fn required(self) -> Self {
        Self {
            is_required: true,
            ..self
        }
    }

    /// Says more about the field.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: help.into(),
            ..self
        }
    }

    /// Takes the next word of a choice, or the one before.
    fn turn(&mut self, step: isize) {
        let FieldKind::Choice(words) = &self.kind else {
            return;
        };
        let at = words.iter().position(|word| word == self.input.text());
        let count = words.len().cast_signed().max(1);
        let next = (at.unwrap_or(0).cast_signed() + step).rem_euclid(count);
        if let Some(word) = words.get(next.unsigned_abs()) {
            self.input = Input::of(word);
        }
    }
}

/// What was filled in.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    fields: &'a [Field],
}

impl Values<'_> {
    /// Returns the text of a field, without outer blanks; empty where there is no such field.
    pub fn text(&self, key: &str) -> &str {
        self.raw(key).trim()
    }

    /// Returns the text of a field as it was typed.
    pub fn raw(&self, key: &str) -> &str {
        let field = self.fields.iter().find(|field| field.key == key);
        field.map_or("", |field| field.input.text())
    }

    /// Returns every field with its text.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|field| (field.key.as_str(), field.input.text()))
    }
}

/// What makes a deed of a form: of the object that the form is about, and of what was
/// filled in. A plain function, so that a form is data.
pub type MakeDeed = fn(about: &str, values: &Values<'_>) -> Result<Deed>;

/// The model of a form.
#[derive(Clone, Debug)]
pub struct Model {
    /// What it is for.
    pub title: String,
    /// The fields.
    pub fields: Vec<Field>,
    /// The field that has the keys.
    pub focus: usize,
    /// What is wrong, and at which field; the whole form's where that is none.
    pub fault: Option<(Option<usize>, String)>,
    /// Whether the deed is being done, so that no second one is sent.
    pub is_sent: bool,
    /// The id of what the form is about; empty where it makes something new.
    about: String,
    make: MakeDeed,
}

impl Model {
    /// Makes a form, the keys at its first field.
    pub fn new(
        title: impl Into<String>,
        about: impl Into<String>,
        fields: Vec<Field>,
        make: MakeDeed,
    ) -> Self {
        Self {
            title: title.into(),
            fields,
            focus: 0,
            fault: None,
            is_sent: false,
            about: about.into(),
            make,
        }
    }

    /// Takes a key. The form stays until its deed is done.
    pub fn key(&mut self, key: &KeyEvent) -> Step {
        let last = self.fields.len().saturating_sub(1);
        match key.code {
            KeyCode::Esc => return Step::Close(Vec::new()),
            _ if self.is_sent => {}
            KeyCode::Tab | KeyCode::Down => {
                self.focus = if self.focus >= last {
                    0
                } else {
                    self.focus + 1
                };
            }
            KeyCode::BackTab | KeyCode::Up => {
                self.focus = self.focus.checked_sub(1).unwrap_or(last);
            }
            KeyCode::Enter if self.focus < last => self.focus += 1,
            KeyCode::Enter => return Step::Stay(self.send()),
            code => {
                let Some(field) = self.fields.get_mut(self.focus) else {
                    return Step::Stay(Vec::new());
                };
                match (&field.kind, code) {
                    (FieldKind::Choice(_), KeyCode::Left) => field.turn(-1),
                    (FieldKind::Choice(_), KeyCode::Right | KeyCode::Char(' ')) => field.turn(1),
                    (FieldKind::Choice(_), _) => {}
                    _ => {
                        field.input.key(key);
                    }
                }
            }
        }
        Step::Stay(Vec::new())
    }

    /// Takes what was pasted.
    pub fn paste(&mut self, text: &str) {
        if let Some(field) = self.fields.get_mut(self.focus)
            && !matches!(field.kind, FieldKind::Choice(_))
            && !self.is_sent
        {
            field.input.insert(text);
        }
    }

    /// Makes the deed, or says what is wrong.
    fn send(&mut self) -> Vec<Effect> {
        let empty = self
            .fields
            .iter()
            .position(|field| field.is_required && field.input.text().trim().is_empty());
        if let Some(at) = empty {
            self.focus = at;
            self.fault = Some((Some(at), "must not be empty".to_owned()));
            return Vec::new();
        }
        let values = Values {
            fields: &self.fields,
        };
        match (self.make)(&self.about, &values) {
            Ok(deed) => {
                self.fault = None;
                self.is_sent = true;
                vec![Effect::Do(deed)]
            }
            Err(error) => {
                self.refuse(&error);
                Vec::new()
            }
        }
    }

    /// Shows an error at the field that it is about.
    pub fn refuse(&mut self, error: &crate::domain::Error) {
        self.is_sent = false;
        let about = error.fields().first();
        let at = about.and_then(|fault| {
            self.fields
                .iter()
                .position(|field| field.key == fault.field)
        });
        self.fault = Some(match (at, about) {
            (Some(at), Some(fault)) => (Some(at), fault.message.clone()),
            (None, Some(fault)) => (None, format!("{} {}", fault.field, fault.message)),
            (_, None) => (None, error.message().to_owned()),
        });
        if let Some(at) = at {
            self.focus = at;
        }
    }
}
