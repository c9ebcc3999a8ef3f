//! What happens to the console, and what it then wants done.

use ratatui::crossterm::event::{KeyEvent, MouseEvent};

use super::ask::{Answer, Ask};
use super::deed::{Deed, Done};
use crate::app::SecretText;
use crate::domain::Result;
use crate::domain::listing::ListOf;

/// Something that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// The terminal has another size.
    Resized(u16, u16),
    /// The time has come that [`super::model::Model::wake_ms`] named.
    Tick,
    /// What a page asked for came back.
    Loaded {
        /// The page.
        page: u64,
        /// The number of its question.
        turn: u64,
        /// The id under which it was asked.
        request_id: String,
        /// What came.
        result: Result<Answer>,
    },
    /// More of a row came back.
    Peeked {
        /// The page with its list.
        page: u64,
        /// What came.
        result: Result<Answer>,
    },
    /// What the palette asked for came back.
    Found {
        /// The number of its question.
        turn: u64,
        /// What came.
        result: Result<Answer>,
    },
    /// A deed was done, or not.
    Done {
        /// The id under which it was done: the audit log has it.
        request_id: String,
        /// How it ended.
        result: Result<Done>,
    },
    /// A text was handed to the terminal to copy, or not.
    Copied {
        /// What it was.
        what: String,
        /// Its bytes, or why it was not copied.
        result: std::result::Result<usize, String>,
    },
    /// The process goes on after it was suspended.
    Continued,
    /// A signal ends the process.
    Stop,
}

/// Something to be done: by the worker, or by the loop at the terminal.
#[derive(Clone, Debug)]
pub enum Cmd {
    /// Get what a page shows. One that waits for the same page is dropped.
    Load {
        /// The page.
        page: u64,
        /// The number of its question.
        turn: u64,
        /// The question.
        ask: Ask,
    },
    /// Get more of a row. One that waits is dropped.
    Peek {
        /// The page with its list.
        page: u64,
        /// The question.
        ask: Ask,
    },
    /// Get the objects that the palette shows.
    Find {
        /// The number of its question.
        turn: u64,
        /// The lists.
        of: Vec<ListOf>,
        /// What their objects must have.
        text: String,
    },
    /// Do something.
    Do(Deed),
    /// Copy a text.
    Copy {
        /// What it is.
        what: String,
        /// The text.
        text: String,
    },
    /// Copy a secret.
    CopySecret {
        /// What it is.
        what: String,
        /// The secret; it wipes itself.
        text: SecretText,
    },
    /// Use the mouse, or not.
    Mouse(bool),
    /// Draw everything anew.
    Redraw,
    /// Suspend the process.
    Suspend,
}
