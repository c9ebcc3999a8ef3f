//! `elastane audit`: who did what.

use clap::Subcommand;

use super::error::CliError;
use super::list::ListedArgs;
use super::output::Output;
use crate::domain::listing::ListOf;

/// What is done with the audit log.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List the entries, newest first
    List(ListedArgs),
}

/// Runs a command about the audit log.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    let Command::List(listed) = command;
    listed.print(&listed.open()?, ListOf::Audit, |all| all, out)
}
