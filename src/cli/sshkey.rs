//! `elastane sshkey`: who may push with which key.

use clap::Subcommand;

use super::database::operator;
use super::error::CliError;
use super::list::{Cell, Column, ListedArgs, hidden, shown};
use super::output::Output;
use super::user::find;
use crate::app::{App, PAGE_MAX};
use crate::domain::Result as DomainResult;
use crate::domain::id::UserId;
use crate::domain::ssh_key::SshKey;

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

/// The columns of keys.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("user_id", "USER"),
    shown("title", "TITLE"),
    shown("algorithm", "KIND"),
    shown("bits", "BITS"),
    shown("fingerprint", "FINGERPRINT"),
    hidden("fingerprint_md5"),
    shown("is_weak", "WEAK"),
    hidden("key"),
    hidden("created_at"),
    shown("last_used_at", "LAST USED"),
];

/// Returns a key as a row.
fn row(key: &SshKey) -> Vec<Cell> {
    vec![
        Cell::text(&key.id),
        Cell::text(&key.user_id),
        Cell::text(&key.title),
        Cell::text(&key.algorithm),
        Cell::Number(i64::from(key.algorithm.bits())),
        Cell::text(&key.fingerprint),
        Cell::text(&key.fingerprint_md5),
        Cell::Flag(key.is_weak),
        Cell::text(&key.line),
        Cell::Time(key.created_at_ms),
        Cell::time(key.last_used_at_ms),
    ]
}

/// Runs a command about SSH keys.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    let Command::List { listed, user } = command;
    let app = listed.open()?;
    let one = user.map(|user| find(&app, &user)).transpose()?;
    listed.print(
        out,
        COLUMNS,
        |last: Option<&SshKey>| match &one {
            Some(user) => app.ssh_keys_of(&operator(), user.id, last.map(|key| key.id), PAGE_MAX),
            None => everybodys(&app, last),
        },
        row,
    )
}

/// Returns some keys after `last`, user by user; none after the last one of all.
fn everybodys(app: &App, last: Option<&SshKey>) -> DomainResult<Vec<SshKey>> {
    let mut user: Option<UserId> = None;
    if let Some(last) = last {
        let more = app.ssh_keys_of(&operator(), last.user_id, Some(last.id), PAGE_MAX)?;
        if !more.is_empty() {
            return Ok(more);
        }
        user = Some(last.user_id);
    }
    loop {
        let users = app.users(&operator(), user, PAGE_MAX)?;
        for next in &users {
            let keys = app.ssh_keys_of(&operator(), next.id, None, PAGE_MAX)?;
            if !keys.is_empty() {
                return Ok(keys);
            }
        }
        match users.last() {
            Some(last) => user = Some(last.id),
            None => return Ok(Vec::new()),
        }
    }
}
