//! `elastane component`: what flows are made of, and the repositories of it.

use clap::Subcommand;

use super::error::CliError;
use super::list::ListedArgs;
use super::output::Output;
use crate::domain::listing::ListOf;

/// What is done with components.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List all components, each a repository of its team
    List(ListedArgs),
}

/// Runs a command about components.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    let Command::List(listed) = command;
    listed.print(&listed.open()?, ListOf::Components, |all| all, out)
}
