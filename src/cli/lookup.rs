//! `elastane lookup`: the tables of values that mappers read.

use clap::Subcommand;

use super::database::operator;
use super::error::CliError;
use super::list::{Cell, Column, ListedArgs, hidden, shown};
use super::output::Output;
use crate::app::{App, PAGE_MAX};
use crate::domain::lookup::Lookup;

/// What is done with lookups.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List all lookups
    List(ListedArgs),
}

/// The columns of lookups.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("title", "TITLE"),
    shown("user", "USER"),
    hidden("user_id"),
    hidden("organization_id"),
    shown("entries", "ENTRIES"),
    shown("updated_at", "UPDATED"),
];

/// Returns a lookup as a row; its user by e-mail address.
fn row(app: &App, lookup: &Lookup) -> Vec<Cell> {
    let user = lookup.owner.user.to_string();
    let address = app
        .find_user(&operator(), &user)
        .map_or_else(|_| user.clone(), |user| user.email.as_str().to_owned());
    vec![
        Cell::text(&lookup.id),
        Cell::text(&lookup.title),
        Cell::Text(address),
        Cell::Text(user),
        Cell::maybe(lookup.owner.organization),
        Cell::text(&lookup.data.len()),
        Cell::Time(lookup.updated_at_ms),
    ]
}

/// Runs a command about lookups.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::List(listed) => {
            let app = listed.open()?;
            listed.print(
                out,
                COLUMNS,
                |last: Option<&Lookup>| {
                    app.all_lookups(&operator(), last.map(|last| last.id), PAGE_MAX)
                },
                |lookup| row(&app, lookup),
            )
        }
    }
}
