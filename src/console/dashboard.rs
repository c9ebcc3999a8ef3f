//! The dashboard: how much there is of everything.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::ask::{Answer, Ask};
use super::keys::Action;
use super::screen::{Effect, Scene};
use super::text;
use super::view_name::ViewName;
use crate::domain::listing::{Counted, ListOf};

/// The lists whose lengths are shown.
const COUNTED: [ListOf; 9] = [
    ListOf::Users,
    ListOf::Teams,
    ListOf::Flows,
    ListOf::Executions,
    ListOf::Recipes,
    ListOf::Components,
    ListOf::SshKeys,
    ListOf::ApiKeys,
    ListOf::Credentials,
];

/// The model of the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// How many of each list there are; empty until the first answer.
    counts: Vec<(ListOf, Counted)>,
    /// The line under the cursor.
    cursor: usize,
}

impl Model {
    /// Returns what the dashboard shows, as a question.
    pub fn ask(&self) -> Option<Ask> {
        Some(Ask::Counts(COUNTED.to_vec()))
    }

    /// Takes what came back.
    pub fn take(&mut self, answer: Answer, _scene: &Scene) {
        if let Answer::Counts(counts) = answer {
            self.counts = counts;
        }
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action) -> Option<Vec<Effect>> {
        let last = COUNTED.len() - 1;
        match action {
            Action::Down => self.cursor = (self.cursor + 1).min(last),
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            Action::Top => self.cursor = 0,
            Action::Bottom => self.cursor = last,
            Action::Open => return Some(vec![Effect::Tab(COUNTED[self.cursor.min(last)])]),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Draws the dashboard.
    pub fn view(&self, scene: &Scene, frame: &mut Frame<'_>, body: Rect) {
        let look = &scene.look;
        let styles = look.styles();
        let block = look.boxed(ViewName::Dashboard.title(), true);
        let inner = block.inner(body);
        let buffer = frame.buffer_mut();
        block.render(body, buffer);
        for ((at, (list, count)), y) in self.counts.iter().enumerate().zip(inner.y..inner.bottom())
        {
            let is_under = at == self.cursor;
            let lead = if is_under { "> " } else { "  " };
            let n = text::number(i64::try_from(count.n).unwrap_or(i64::MAX));
            let more = if count.is_exact { "" } else { "+" };
            let title = text::pad(super::view_name::list_title(*list), 14, false);
            let line = format!("{lead}{title}{}{more}", text::pad(&n, 10, true));
            let style = if is_under {
                styles.selected
            } else {
                styles.text
            };
            buffer.set_stringn(inner.x, y, line, usize::from(inner.width), style);
        }
    }
}
