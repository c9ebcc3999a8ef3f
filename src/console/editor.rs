//! An editor over the screen for a text of several lines, made into a deed: the input of
//! a step that is run again, or a task.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use ratatui_textarea::TextArea;

use super::deed::Deed;
use super::look::Look;
use super::overlay::Step;
use super::screen::Effect;
use crate::domain::{Error, Result};

/// The longest text that is edited: a larger one is edited in a file.
pub const TEXT_MAX_BYTES: usize = 1024 * 1024;

/// What makes a deed of a text, of the object that it is about.
pub type MakeOfText = fn(about: &str, text: &str) -> Result<Deed>;

/// The model of an editor.
#[derive(Clone, Debug)]
pub struct Model {
    /// What is edited.
    pub title: String,
    /// What is wrong with the text.
    pub fault: Option<String>,
    /// What ctrl-s does, as the last line says it.
    pub word: &'static str,
    /// Whether the deed is being done, so that no second one is sent.
    pub is_sent: bool,
    about: String,
    area: TextArea<'static>,
    make: MakeOfText,
    /// Whether Esc was pressed after a change: pressed again it gives the change up.
    is_leaving: bool,
    before: String,
}

impl Model {
    /// Makes an editor of a text.
    pub fn new(
        title: impl Into<String>,
        about: impl Into<String>,
        text: &str,
        (word, make): (&'static str, MakeOfText),
    ) -> Self {
        let mut area = TextArea::new(text.lines().map(str::to_owned).collect());
        area.set_hard_tab_indent(false);
        Self {
            title: title.into(),
            fault: None,
            word,
            is_sent: false,
            about: about.into(),
            area,
            make,
            is_leaving: false,
            before: text.to_owned(),
        }
    }

    /// Returns the text as it is now.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Takes a key: ctrl-s does the deed, Esc leaves, twice where something was changed.
    pub fn key(&mut self, key: &KeyEvent) -> Step {
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc if self.is_leaving || self.text() == self.before => {
                return Step::Close(Vec::new());
            }
            KeyCode::Esc => {
                self.is_leaving = true;
                self.fault = Some("changed: Esc again gives the change up".to_owned());
                return Step::Stay(Vec::new());
            }
            _ if self.is_sent => return Step::Stay(Vec::new()),
            KeyCode::Char('s') if is_ctrl => return Step::Stay(self.send()),
            _ => {}
        }
        self.is_leaving = false;
        self.area.input(*key);
        Step::Stay(Vec::new())
    }

    /// Takes what was pasted.
    pub fn paste(&mut self, text: &str) {
        if !self.is_sent && self.text().len() + text.len() <= TEXT_MAX_BYTES {
            self.area.insert_str(text);
        }
    }

    /// Makes the deed, or says what is wrong.
    fn send(&mut self) -> Vec<Effect> {
        match (self.make)(&self.about, &self.text()) {
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

    /// Shows why the deed was not done.
    pub fn refuse(&mut self, error: &Error) {
        self.is_sent = false;
        self.fault = Some(match error.fields().first() {
            Some(fault) => format!("{} {}", fault.field, fault.message),
            None => error.message().to_owned(),
        });
    }

    /// Draws the editor over the body.
    pub fn view(&self, look: &Look, frame: &mut Frame<'_>, body: Rect) {
        let styles = look.styles();
        Clear.render(body, frame.buffer_mut());
        frame.buffer_mut().set_style(body, styles.text);
        let room = usize::from(body.width.saturating_sub(6));
        let block = look.boxed(&look.cut(&self.title, room), true);
        let inner = block.inner(body);
        block.render(body, frame.buffer_mut());
        let below = u16::from(inner.height > 1 && self.fault.is_some());
        let text = Rect {
            height: inner.height - below,
            ..inner
        };
        let mut area = self.area.clone();
        area.set_style(styles.text);
        area.set_cursor_line_style(styles.text);
        area.set_cursor_style(styles.selected);
        area.render(text, frame.buffer_mut());
        if let (Some(fault), 1) = (&self.fault, below) {
            let fault = look.clean(fault);
            let room = usize::from(inner.width);
            let buffer = frame.buffer_mut();
            buffer.set_stringn(inner.x, text.bottom(), fault, room, styles.bad);
        }
    }
}
