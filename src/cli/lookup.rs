//! `elastane lookup`: the tables of values that mappers read.

use clap::Subcommand;

use super::error::CliError;
use super::list::ListedArgs;
use super::output::Output;
use crate::domain::listing::ListOf;

/// What is done with lookups.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List all lookups
    List(ListedArgs),
}

/// Runs a command about lookups.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    let Command::List(listed) = command;
    listed.print(&listed.open()?, ListOf::Lookups, |all| all, out)
}
