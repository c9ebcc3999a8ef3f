//! One line that a person types: filters, names, answers.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use zeroize::Zeroize;

use super::text;

/// The longest line, in characters: more than any field takes, so that a wrong paste
/// fills no memory.
const INPUT_MAX_CHARS: usize = 4_000;

/// A line with a cursor.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Input {
    text: String,
    /// The characters before the cursor.
    at: usize,
    /// Whether what is typed is not shown.
    is_secret: bool,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = if self.is_secret {
            "(secret)"
        } else {
            &self.text
        };
        f.debug_struct("Input")
            .field("text", &text)
            .finish_non_exhaustive()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if self.is_secret {
            self.text.zeroize();
        }
    }
}

impl Input {
    /// Makes a line with a text, the cursor behind it.
    pub fn of(text: &str) -> Self {
        let mut input = Self::default();
        input.insert(text);
        input
    }

    /// Makes a line that shows a dot for each character.
    pub fn secret() -> Self {
        Self {
            is_secret: true,
            // Growing would leave copies of the secret behind.
            text: String::with_capacity(INPUT_MAX_CHARS),
            at: 0,
        }
    }

    /// Returns what was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether what is typed is not shown.
    pub fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// Inserts a text at the cursor: line ends become blanks, control characters go.
    pub fn insert(&mut self, pasted: &str) {
        let room = INPUT_MAX_CHARS.saturating_sub(self.text.chars().count());
        let kept: String = pasted
            .trim_end_matches(['\n', '\r'])
            .chars()
            .map(|c| {
                if matches!(c, '\n' | '\r' | '\t') {
                    ' '
                } else {
                    c
                }
            })
            .filter(|c| !c.is_control())
            .take(room)
            .collect();
        let at = self.byte(self.at);
        self.text.insert_str(at, &kept);
        self.at += kept.chars().count();
    }

    /// Takes a key; tells whether the line knows it.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if is_ctrl => self.at = 0,
            KeyCode::Char('e') if is_ctrl => self.at = self.len(),
            KeyCode::Char('u') if is_ctrl => self.remove(0, self.at),
            KeyCode::Char('k') if is_ctrl => self.remove(self.at, self.len()),
            KeyCode::Char('w') if is_ctrl => self.remove(self.word_start(), self.at),
            KeyCode::Char(_) if is_ctrl => return false,
            KeyCode::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => self.remove(self.at.saturating_sub(1), self.at),
            KeyCode::Delete => self.remove(self.at, self.at + 1),
            KeyCode::Left => self.at = self.at.saturating_sub(1),
            KeyCode::Right => self.at = (self.at + 1).min(self.len()),
            KeyCode::Home => self.at = 0,
            KeyCode::End => self.at = self.len(),
            _ => return false,
        }
        true
    }

    /// Returns what is seen in so many columns, and the column of the cursor.
    pub fn seen(&self, columns: usize) -> (String, usize) {
        let shown: String = if self.is_secret {
            "*".repeat(self.len())
        } else {
            text::clean(&self.text)
        };
        let columns = columns.max(1);
        let mut start = 0;
        let before = |start: usize| -> usize {
            let part: String = shown.chars().skip(start).take(self.at - start).collect();
            text::width(&part)
        };
        while before(start) >= columns && start < self.at {
            start += 1;
        }
        let rest: String = shown.chars().skip(start).collect();
        (text::cut(&rest, columns, ""), before(start))
    }

    /// Returns how many characters there are.
    fn len(&self) -> usize {
        self.text.chars().count()
    }

    /// Returns the byte at which a character begins.
    fn byte(&self, at: usize) -> usize {
        let mut places = self.text.char_indices().map(|(byte, _)| byte);
        places.nth(at).unwrap_or(self.text.len())
    }

    /// Removes the characters between two places.
    fn remove(&mut self, from: usize, to: usize) {
        let range = self.byte(from)..self.byte(to.max(from));
        self.text.replace_range(range, "");
        self.at = self.at.min(from);
    }

    /// Returns where the word before the cursor begins.
    fn word_start(&self) -> usize {
        let before: Vec<char> = self.text.chars().take(self.at).collect();
        let trimmed = before
            .iter()
            .rposition(|c| *c != ' ')
            .map_or(0, |at| at + 1);
        before[..trimmed]
            .iter()
            .rposition(|c| *c == ' ')
            .map_or(0, |at| at + 1)
    }
}
