//! `elastane team`: who owns repositories.

use clap::Subcommand;

use super::database::{DatabaseArgs, operator};
use super::error::{Advice, CliError};
use super::list::{self, Cell, Column, ListedArgs, shown};
use super::output::Output;
use crate::app::{App, Opening, PAGE_MAX};
use crate::domain::id::TeamId;
use crate::domain::listing::ListOf;
use crate::domain::team::Team;

/// What is done with teams.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List all teams
    List(ListedArgs),
    /// Show one team
    Show {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The id, or the name as in git addresses
        team: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// The columns of teams.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("name", "NAME"),
    shown("slug", "SLUG"),
    shown("members", "MEMBERS"),
    shown("created_at", "CREATED"),
];

/// Returns a team as a row; its members by e-mail address.
fn row(app: &App, team: &Team) -> Vec<Cell> {
    let members = team.members.iter().map(|id| {
        app.find_user(&operator(), &id.to_string())
            .map_or_else(|_| id.to_string(), |user| user.email.as_str().to_owned())
    });
    vec![
        Cell::text(&team.id),
        Cell::text(&team.name),
        Cell::text(team.slug.as_str()),
        Cell::Texts(members.collect()),
        Cell::Time(team.created_at_ms),
    ]
}

/// Runs a command about teams.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::List(listed) => {
            let app = listed.open()?;
            listed.print(&app, ListOf::Teams, |all| all, out)
        }
        Command::Show {
            database,
            team,
            json,
        } => {
            let app = database.open(Opening::Look)?;
            let team = find(&app, &team)?;
            list::print_one(out, json, COLUMNS, &row(&app, &team))
        }
    }
}

/// Finds a team by id or slug.
fn find(app: &App, id_or_slug: &str) -> Result<Team, CliError> {
    let advice = || "`elastane team list` shows all of them".to_owned();
    if let Ok(id) = id_or_slug.parse::<TeamId>() {
        return app.team(&operator(), id).advise(advice);
    }
    let mut after = None;
    loop {
        let page = app.teams(&operator(), after, PAGE_MAX)?;
        let Some(last) = page.last() else {
            return Err(crate::domain::Error::not_found("team")).advise(advice);
        };
        after = Some(last.id);
        if let Some(team) = page
            .into_iter()
            .find(|team| team.slug.as_str() == id_or_slug)
        {
            return Ok(team);
        }
    }
}
