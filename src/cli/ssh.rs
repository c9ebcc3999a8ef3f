//! `elastane ssh`: what an SSH server calls, ours or the one of the system.

use std::ffi::OsString;

use clap::Subcommand;

use super::database::DatabaseArgs;
use super::error::CliError;
use super::git::open_git;
use super::output::Output;
use crate::config::ssh_environment;
use crate::domain::Error;
use crate::domain::id::SshKeyId;
use crate::git::SshSession;

/// What an SSH server has done by this program.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Serve git to the holder of a key: the forced command of that key
    #[command(hide = true)]
    Serve {
        /// The id of the key
        key: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Print what an sshd of your own needs of a key: its `AuthorizedKeysCommand` is this,
    /// with %f as the fingerprint
    Keys {
        /// The fingerprint of the key, as sshd's %f has it
        fingerprint: OsString,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Runs what an SSH server calls.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::Serve { key, database } => serve(&key, &database),
        Command::Keys {
            fingerprint,
            database,
        } => {
            let git = open_git(&database)?;
            let key = git.key_that_signs_in(&fingerprint.to_string_lossy())?;
            // A key that nobody has is no line and no fault: sshd asks for every key.
            match key {
                Some(key) => out.raw(&git.authorized_line(&key)),
                None => Ok(()),
            }
        }
    }
}

/// Serves a session.
fn serve(key: &str, database: &DatabaseArgs) -> Result<(), CliError> {
    let git = open_git(database)?;
    let told = ssh_environment();
    let session = SshSession {
        key: key
            .parse::<SshKeyId>()
            .map_err(|_| Error::not_found("SSH key"))?,
        command: told.command,
        account: match told.account {
            Some(account) => account,
            None => git.account()?,
        },
        protocol: told.protocol,
        address: told.address.and_then(|text| text.parse().ok()),
    };
    if git.serve_ssh(&session)? {
        Ok(())
    } else {
        // Git has said why.
        Err(CliError::Told)
    }
}
