//! `elastane sshkey`: who may push with which key.

use clap::Subcommand;

use super::error::CliError;
use super::list::ListedArgs;
use super::output::Output;
use crate::domain::listing::ListOf;

/// What is done with SSH keys.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List the keys of a user, or of everybody
    List {
        #[command(flatten)]
        listed: ListedArgs,
        /// The e-mail address or the id of the user
        user: Option<String>,
    },
}

/// Runs a command about SSH keys.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    let Command::List { listed, user } = command;
    listed.print_of_user(ListOf::SshKeys, user.as_deref(), out)
}
