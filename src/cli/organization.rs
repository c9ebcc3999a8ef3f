//! `elastane organization`: who shares flows, credentials and lookups.

use clap::Subcommand;

use super::database::{DatabaseArgs, operator};
use super::error::{Advice, CliError};
use super::list::{self, Cell, Column, ListedArgs, hidden, shown};
use super::output::Output;
use crate::app::{App, Opening};
use crate::domain::Error;
use crate::domain::id::OrganizationId;
use crate::domain::listing::ListOf;
use crate::domain::organization::Organization;

/// What is done with organizations.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List all organizations
    List(ListedArgs),
    /// Show one organization
    Show {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The id, as `elastane organization list` shows it
        organization: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make an organization without members
    Create {
        #[command(flatten)]
        database: DatabaseArgs,
        /// What it is called
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// The columns of organizations.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("name", "NAME"),
    shown("members", "MEMBERS"),
    hidden("invites"),
    shown("created_at", "CREATED"),
];

/// Returns an organization as a row; its members by address and role.
fn row(app: &App, organization: &Organization) -> Vec<Cell> {
    let members = app
        .members(&operator(), organization.id)
        .unwrap_or_default();
    let invites = app
        .invites(&operator(), organization.id)
        .unwrap_or_default();
    let members = members
        .iter()
        .map(|member| format!("{} ({})", member.email.as_str(), member.role.as_str()));
    let invites = invites
        .iter()
        .map(|invite| invite.email.as_str().to_owned());
    vec![
        Cell::text(&organization.id),
        Cell::text(&organization.name),
        Cell::Texts(members.collect()),
        Cell::Texts(invites.collect()),
        Cell::Time(organization.created_at_ms),
    ]
}

/// Runs a command about organizations.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::List(listed) => {
            let app = listed.open()?;
            listed.print(&app, ListOf::Organizations, |all| all, out)
        }
        Command::Show {
            database,
            organization,
            json,
        } => {
            let app = database.open(Opening::Look)?;
            let found = organization
                .parse::<OrganizationId>()
                .map_err(|_| Error::not_found("organization"))
                .and_then(|id| app.organization(&operator(), id))
                .advise(|| "`elastane organization list` shows all of them".to_owned())?;
            list::print_one(out, json, COLUMNS, &row(&app, &found))
        }
        Command::Create {
            database,
            name,
            json,
        } => {
            let app = database.open(Opening::Use)?;
            let made = app.create_organization(&operator(), &name)?;
            if json {
                return list::print_one(out, json, COLUMNS, &row(&app, &made));
            }
            out.line(&format!("Made {} (id {}).", made.name, made.id))
        }
    }
}
