//! Questions to a person: passwords that are not shown, confirmations.

use std::io::{self, IsTerminal, Read, Write};

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::error::CliError;
use crate::app::SecretText;

/// The longest secret that is read: more than a password may have.
const SECRET_MAX_BYTES: u64 = 4 * 1024;

/// How a password is given.
#[derive(Clone, Debug, Args)]
pub(super) struct PasswordArgs {
    /// The password; others on this machine can see it in the list of processes
    #[arg(long, value_name = "PASSWORD", conflicts_with = "password_stdin")]
    password: Option<String>,
    /// Read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordArgs {
    /// Returns the password: as given, else asked for twice on a terminal.
    pub(super) fn take(self) -> Result<SecretText, CliError> {
        if let Some(password) = self.password {
            return Ok(SecretText::new(password));
        }
        if self.password_stdin {
            return secret_from_stdin();
        }
        if !is_interactive() {
            return Err(CliError::usage(
                "a password is needed",
                "add --password-stdin and write the password to stdin",
            ));
        }
        let first = ask_secret("Password: ")?;
        let second = ask_secret("Password again: ")?;
        if first.expose() != second.expose() {
            return Err(CliError::usage(
                "the two passwords differ",
                "run the command again",
            ));
        }
        Ok(first)
    }
}

/// Reads the first line of stdin.
pub(super) fn secret_from_stdin() -> Result<SecretText, CliError> {
    let mut text = Zeroizing::new(String::new());
    io::stdin()
        .take(SECRET_MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| {
            CliError::usage(
                format!("can't read stdin: {error}"),
                "write UTF-8 text to it",
            )
        })?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(CliError::usage(
            "stdin is empty",
            "write the secret to it, as one line",
        ));
    }
    Ok(SecretText::new(line))
}

/// Asks whether to go on; without a terminal only `--yes` does.
pub(super) fn confirm(question: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !is_interactive() {
        return Err(CliError::usage(
            "this asks before it goes on, and nobody is there to answer",
            "add --yes",
        ));
    }
    let mut remarks = io::stderr();
    write!(remarks, "{question} Type yes to go on: ")?;
    remarks.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(CliError::usage("nothing was changed", "type yes to go on"))
}

/// Tells whether a person can be asked.
fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a secret without showing what is typed.
fn ask_secret(prompt: &str) -> Result<SecretText, CliError> {
    let mut remarks = io::stderr();
    write!(remarks, "{prompt}")?;
    remarks.flush()?;
    let typed = {
        let _hidden = Hidden::start()?;
        read_typed(&mut io::stdin().lock())
    };
    writeln!(remarks)?;
    typed
}

/// Reads keys up to the line's end. Ctrl-C is a key here, not a signal, so that the
/// terminal is always put back.
fn read_typed(keys: &mut impl Read) -> Result<SecretText, CliError> {
    let mut typed = Zeroizing::new(Vec::new());
    let mut key = [0];
    loop {
        if keys.read(&mut key)? == 0 {
            break;
        }
        match key[0] {
            b'\r' | b'\n' => break,
            3 | 4 => {
                return Err(CliError::usage("stopped", "nothing was changed"));
            }
            8 | 127 => {
                // The bytes of one letter go together.
                while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if (typed.len() as u64) < SECRET_MAX_BYTES => typed.push(byte),
            _ => {}
        }
    }
    let text = std::str::from_utf8(&typed)
        .map_err(|_| CliError::usage("what was typed is not UTF-8", "run the command again"))?;
    Ok(SecretText::new(text))
}

/// A terminal that shows nothing of what is typed; as before when dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn start() -> Result<Self, CliError> {
        let failed = |error: rustix::io::Errno| CliError::from(io::Error::from(error));
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet).map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing better can be done where this fails.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
