//! `elastane audit`: who did what.

use clap::Subcommand;

use super::database::operator;
use super::error::CliError;
use super::list::{Cell, Column, ListedArgs, hidden, shown};
use super::output::Output;
use crate::app::PAGE_MAX;
use crate::domain::audit::AuditEntry;

/// What is done with the audit log.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List the entries, newest first
    List(ListedArgs),
}

/// The columns of entries.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("at", "AT"),
    shown("actor_kind", "ACTOR"),
    hidden("actor_id"),
    shown("channel", "DOOR"),
    hidden("address"),
    hidden("request_id"),
    shown("action", "ACTION"),
    hidden("object_kind"),
    shown("object_id", "OBJECT"),
    shown("detail", "DETAIL"),
];

/// Returns an entry as a row.
fn row(entry: &AuditEntry) -> Vec<Cell> {
    vec![
        Cell::Number(entry.id),
        Cell::Time(entry.at_ms),
        Cell::text(&entry.actor_kind),
        Cell::maybe(entry.actor_id.as_ref()),
        Cell::text(&entry.channel),
        Cell::maybe(entry.address.as_ref()),
        Cell::maybe(entry.request_id.as_ref()),
        Cell::text(&entry.action),
        Cell::maybe(entry.object_kind.as_ref()),
        Cell::maybe(entry.object_id.as_ref()),
        entry.detail.clone().map_or(Cell::Empty, Cell::Json),
    ]
}

/// Runs a command about the audit log.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    let Command::List(listed) = command;
    let app = listed.open()?;
    listed.print(
        out,
        COLUMNS,
        |last: Option<&AuditEntry>| {
            app.audit_entries(&operator(), last.map(|entry| entry.id), PAGE_MAX)
        },
        row,
    )
}
