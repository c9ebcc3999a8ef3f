//! `elastane credential`: what flows sign in with elsewhere; what it holds is never shown.

use clap::Subcommand;

use super::error::CliError;
use super::list::ListedArgs;
use super::output::Output;
use crate::domain::listing::ListOf;

/// What is done with credentials.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List all credentials by name
    List(ListedArgs),
}

/// Runs a command about credentials.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    let Command::List(listed) = command;
    listed.print(&listed.open()?, ListOf::Credentials, |all| all, out)
}
