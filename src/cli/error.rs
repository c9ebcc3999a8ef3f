//! How a command fails: one line that says what, one that says what to do, a code.

use std::io;
use std::process::ExitCode;

use super::output::{Output, clean};
use crate::domain::{Error, Kind};

/// The exit codes, for help and the manual page.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  a fault of elastane itself
  2  the command line is wrong
  3  a value or a file is not valid
  4  there is no such thing
  5  the present state does not allow it: taken, in use, exists already
  6  can't be done now: locked, no room, no permission of the system
  7  refused: not allowed, or not safe
  8  check found errors, or the component failed";

/// The faults that are told at once: what does not fit on a screen helps nobody.
const TOLD_MAX: usize = 10;

/// Why a command did not end well.
#[derive(Debug)]
pub(super) enum CliError {
    /// Something went wrong; told in two lines.
    Failed {
        /// The exit code.
        code: u8,
        /// What went wrong; several where several fields are at fault.
        messages: Vec<String>,
        /// What to do next.
        hint: Option<String>,
        /// The causes, for faults of ours.
        causes: Option<String>,
    },
    /// The command line was wrong, and the person was told already.
    Told,
    /// `check` found errors, or a component failed, which was printed.
    Unsound,
    /// Nobody reads what we print any more, which is no fault.
    BrokenPipe,
}

impl CliError {
    /// Makes an error about the command line itself.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed {
            code: 2,
            messages: vec![message.into()],
            hint: Some(hint.into()),
            causes: None,
        }
    }

    /// Returns what went wrong, a message a fault.
    pub(super) fn messages(&self) -> &[String] {
        match self {
            Self::Failed { messages, .. } => messages,
            _ => &[],
        }
    }

    /// Gives advice where there is none yet.
    pub(super) fn or_hint(mut self, advice: impl FnOnce() -> String) -> Self {
        if let Self::Failed { hint, .. } = &mut self {
            hint.get_or_insert_with(advice);
        }
        self
    }

    /// Tells the person, and returns the code to end with.
    pub(super) fn report(self, out: &mut Output) -> ExitCode {
        match self {
            Self::BrokenPipe => ExitCode::SUCCESS,
            Self::Told => ExitCode::from(2),
            Self::Unsound => {
                // What was printed stays valid where the pipe is closed.
                let _ = out.flush();
                ExitCode::from(8)
            }
            Self::Failed {
                code,
                messages,
                hint,
                causes,
            } => {
                let _ = out.flush();
                for message in &messages {
                    out.note(&format!("error: {}", clean(message)));
                }
                if let Some(causes) = causes.filter(|causes| !causes.is_empty()) {
                    out.note(&format!("cause: {}", clean(&causes)));
                }
                if let Some(hint) = hint.or_else(|| general_hint(code)) {
                    out.note(&format!("hint: {}", clean(&hint)));
                }
                ExitCode::from(code)
            }
        }
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            Kind::Internal => 1,
            Kind::Invalid | Kind::TooLarge => 3,
            Kind::NotFound | Kind::Gone => 4,
            Kind::Conflict | Kind::Outdated => 5,
            Kind::Unavailable | Kind::TooMany => 6,
            Kind::Forbidden | Kind::Unauthenticated => 7,
        };
        let causes = error.causes();
        // The message of every other kind says why already.
        let is_ours = error.kind() == Kind::Internal;
        Self::Failed {
            code,
            messages: messages_of(&error),
            hint: None,
            causes: is_ours.then_some(causes),
        }
    }
}

/// Returns the advice for every error of a kind, where a command had none.
fn general_hint(code: u8) -> Option<String> {
    let advice = match code {
        1 => "run `elastane check`; where it finds nothing, please report this",
        6 => "try again, or run `elastane check`",
        _ => return None,
    };
    Some(advice.to_owned())
}

/// Returns what is wrong, a message a field at fault.
fn messages_of(error: &Error) -> Vec<String> {
    if error.fields().len() < 2 {
        return vec![error.message().to_owned()];
    }
    error
        .fields()
        .iter()
        .take(TOLD_MAX)
        .map(|fault| format!("{} {}", fault.field, fault.message))
        .collect()
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::BrokenPipe;
        }
        Self::Failed {
            code: 6,
            messages: vec![format!("can't write the output: {error}")],
            hint: None,
            causes: None,
        }
    }
}

/// Adds advice to a failed result.
pub(super) trait Advice<T> {
    /// Says what to do where it failed.
    fn advise(self, advice: impl FnOnce() -> String) -> Result<T, CliError>;
}

impl<T, E: Into<CliError>> Advice<T> for Result<T, E> {
    fn advise(self, advice: impl FnOnce() -> String) -> Result<T, CliError> {
        self.map_err(|error| error.into().or_hint(advice))
    }
}
