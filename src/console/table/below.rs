//! The panes below a list, where there is room for them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Model;
use crate::console::peek::{self, Peek};
use crate::console::screen::Scene;
use crate::domain::listing::ListOf;

/// A body lower than this has no panes: the rows need it.
const BODY_LINES: u16 = 16;

/// From so many lines on the panes are higher.
const BODY_LINES_TALL: u16 = 30;

/// The lines of the panes, their boxes among them.
const PANE_LINES: u16 = 5;

/// The same where there is room.
const PANE_LINES_TALL: u16 = 8;

impl Model {
    /// Lets go of the panes: the list is itself a part of a page.
    #[must_use]
    pub fn embedded(self) -> Self {
        Self {
            has_panes: false,
            ..self
        }
    }

    /// Divides the body: the list, and the panes below it.
    pub(super) fn areas(&self, body: Rect) -> (Rect, Option<Rect>) {
        if !self.has_panes || body.height < BODY_LINES {
            return (body, None);
        }
        let high = if body.height < BODY_LINES_TALL {
            PANE_LINES
        } else {
            PANE_LINES_TALL
        };
        let list = Rect {
            height: body.height - high,
            ..body
        };
        let panes = Rect {
            y: list.bottom(),
            height: high,
            ..body
        };
        (list, Some(panes))
    }

    /// Returns the row of which more is to be asked, where there is a pane to show it.
    pub fn peeked(&self) -> Option<(ListOf, String)> {
        let is_shown = self.areas(self.body).1.is_some() && peek::has_more(self.of);
        let row = self.selected().filter(|_| is_shown)?;
        Some((self.of, row.id.clone()))
    }

    /// Takes more of a row.
    pub fn take_peek(&mut self, peek: Box<Peek>) {
        self.peek = Some(peek);
    }

    /// Draws the panes.
    pub(super) fn draw_panes(&self, scene: &Scene, buffer: &mut Buffer, area: Rect) {
        match self.selected() {
            Some(row) => {
                let peek = self.peek.as_deref();
                peek::draw_below(scene, buffer, area, (self.of, row, peek));
            }
            None => ratatui::widgets::Widget::render(scene.look.boxed("", false), area, buffer),
        }
    }
}
