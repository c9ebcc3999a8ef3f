//! What a command prints: the one user of stdout and stderr.

use std::io::{self, BufWriter, IsTerminal, Write};

use clap::builder::StyledStr;
use serde_json::Value;

use super::error::CliError;
use crate::config::wants_no_color;

/// Where a command prints to: results to one side, remarks to the other.
pub(super) struct Output {
    out: Box<dyn Write>,
    remarks: Box<dyn Write>,
    has_color: bool,
    remarks_have_color: bool,
}

impl Output {
    /// Prints to the process's own stdout and stderr.
    pub(super) fn of_process() -> Self {
        let has_color = !wants_no_color();
        Self {
            has_color: has_color && io::stdout().is_terminal(),
            remarks_have_color: has_color && io::stderr().is_terminal(),
            out: Box::new(BufWriter::new(io::stdout())),
            remarks: Box::new(io::stderr()),
        }
    }

    /// Prints a line of the result.
    pub(super) fn line(&mut self, text: &str) -> Result<(), CliError> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Prints a part of the result as it is.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        Ok(self.out.write_all(bytes)?)
    }

    /// Prints one JSON value as a line.
    pub(super) fn json(&mut self, value: &Value) -> Result<(), CliError> {
        self.line(&value.to_string())
    }

    /// Prints help or the version.
    pub(super) fn styled(&mut self, text: &StyledStr) -> Result<(), CliError> {
        if self.has_color {
            Ok(write!(self.out, "{}", text.ansi())?)
        } else {
            Ok(write!(self.out, "{text}")?)
        }
    }

    /// Returns where remarks go, for whoever writes many.
    pub(super) fn remarks(&mut self) -> &mut dyn Write {
        &mut self.remarks
    }

    /// Prints a remark for the person, which is no part of the result.
    pub(super) fn note(&mut self, text: &str) {
        // Where remarks can't be written nobody is there to be told.
        let _ = writeln!(self.remarks, "{text}");
    }

    /// Prints what is wrong with a command line.
    pub(super) fn styled_note(&mut self, text: &StyledStr) {
        let _ = if self.remarks_have_color {
            write!(self.remarks, "{}", text.ansi())
        } else {
            write!(self.remarks, "{text}")
        };
    }

    /// Hands everything to the system.
    pub(super) fn flush(&mut self) -> Result<(), CliError> {
        Ok(self.out.flush()?)
    }
}

/// Returns a text without what could steer a terminal: a database may be a stranger's.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Tells whether a character moves, hides or turns around what stands beside it.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
