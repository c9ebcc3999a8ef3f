//! How everything looks: theme, signs, boxes, times. Chosen at the start, changed by keys.

use jiff::tz::TimeZone;
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Borders};

use super::text::{self, TimeStyle};
use super::theme::{Theme, ThemeName};

/// How everything looks.
#[derive(Clone, Debug)]
pub struct Look {
    /// The theme.
    pub theme: ThemeName,
    /// Whether only ASCII is drawn.
    pub is_ascii: bool,
    /// Whether there are lines and no boxes, for readers of the screen.
    pub is_basic: bool,
    /// Whether nothing moves by itself.
    pub is_still: bool,
    /// How lists show moments.
    pub times: TimeStyle,
    /// The zone of local times.
    pub zone: TimeZone,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            theme: ThemeName::default(),
            is_ascii: false,
            is_basic: false,
            is_still: false,
            times: TimeStyle::default(),
            zone: TimeZone::UTC,
        }
    }
}

/// How something stands, in the words of nobody in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At work.
    Run,
    /// Well.
    Ok,
    /// Not well.
    Fail,
    /// Waiting.
    Wait,
    /// Standing still.
    Stop,
}

impl Standing {
    /// Returns how something stands whose state is this word; none for a word that is no
    /// such state.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "active" | "running" | "run" | "enabled" => Self::Run,
            "success" | "ok" | "done" | "ready" => Self::Ok,
            "error" | "failed" | "fail" | "interrupted" | "expired" => Self::Fail,
            "waiting" | "wait" | "pending" | "queued" | "suspended" | "invited" => Self::Wait,
            "inactive" | "stopped" | "cancelled" | "disabled" | "stop" => Self::Stop,
            _ => return None,
        })
    }
}

/// The lines of boxes in ASCII.
const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl Look {
    /// Returns the styles.
    pub fn styles(&self) -> &'static Theme {
        self.theme.theme()
    }

    /// Returns the sign of a standing: one column.
    pub fn sign(&self, standing: Standing) -> &'static str {
        match (standing, self.is_ascii) {
            (Standing::Run, false) => "●",
            (Standing::Ok, false) => "✓",
            (Standing::Fail, false) => "✗",
            (Standing::Wait, false) => "◌",
            (Standing::Stop, false) => "■",
            (Standing::Run, true) => "*",
            (Standing::Ok, true) => "+",
            (Standing::Fail, true) => "x",
            (Standing::Wait, true) => "o",
            (Standing::Stop, true) => "#",
        }
    }

    /// Returns the style of a standing.
    pub fn style_of(&self, standing: Standing) -> Style {
        let styles = self.styles();
        match standing {
            Standing::Run => styles.run,
            Standing::Ok => styles.ok,
            Standing::Fail => styles.bad,
            Standing::Wait => styles.wait,
            Standing::Stop => styles.stopped,
        }
    }

    /// Returns what stands for the missing end of a text.
    pub fn ellipsis(&self) -> &'static str {
        if self.is_ascii { "..." } else { "…" }
    }

    /// Returns what stands between the parts of a path.
    pub fn arrow(&self, is_descending: bool) -> &'static str {
        match (self.is_ascii, is_descending) {
            (true, true) => "v",
            (true, false) => "^",
            (false, true) => "▼",
            (false, false) => "▲",
        }
    }

    /// Returns a text cut to `columns`.
    pub fn cut(&self, text: &str, columns: usize) -> String {
        text::cut(text, columns, self.ellipsis())
    }

    /// Returns a text for this terminal: without what steers it, and in ASCII where only
    /// that is wanted.
    pub fn clean(&self, text: &str) -> String {
        let cleaned = text::clean(text);
        if self.is_ascii {
            cleaned
                .chars()
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect()
        } else {
            cleaned
        }
    }

    /// Returns a moment as lists show it.
    pub fn list_time(&self, at_ms: i64, now_ms: i64) -> String {
        match self.times {
            TimeStyle::Relative => text::ago(at_ms, now_ms),
            TimeStyle::Local => text::list_time(at_ms, &self.zone),
            TimeStyle::Utc => text::list_time(at_ms, &TimeZone::UTC),
        }
    }

    /// Returns the zone of times in full.
    pub fn full_zone(&self) -> TimeZone {
        match self.times {
            TimeStyle::Utc => TimeZone::UTC,
            TimeStyle::Relative | TimeStyle::Local => self.zone.clone(),
        }
    }

    /// Returns a box with a title; only its title line where boxes are not wanted.
    pub fn boxed<'a>(&self, title: &str, has_keys: bool) -> Block<'a> {
        let styles = self.styles();
        let style = if has_keys {
            styles.border_focused
        } else {
            styles.border
        };
        let block = if self.is_basic {
            Block::new().borders(Borders::TOP).border_set(border::Set {
                horizontal_top: " ",
                ..ASCII_BORDER
            })
        } else if self.is_ascii {
            Block::bordered().border_set(ASCII_BORDER)
        } else {
            Block::bordered()
        };
        let block = block.border_style(style);
        if title.is_empty() {
            return block;
        }
        block
            .title(format!(" {} ", self.clean(title)))
            .title_style(styles.title)
    }
}
