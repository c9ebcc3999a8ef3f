//! `elastane recipe`: flows with blanks, ready to be activated.

mod import;
mod search;

use std::path::PathBuf;

use clap::Subcommand;

use super::database::{DatabaseArgs, operator};
use super::error::{Advice, CliError};
use super::list::{self, Cell, Column, ListedArgs, hidden, shown};
use super::output::Output;
use super::terminal::confirm;
use crate::app::Opening;
use crate::domain::Error;
use crate::domain::listing::ListOf;
use crate::domain::recipe::{Recipe, RecipeId};

/// What is done with recipes.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Import one recipe or a tree of them; a recipe with the same id is replaced
    Import {
        #[command(flatten)]
        database: DatabaseArgs,
        /// A recipe's folder, whose name gives its id, or a folder of such folders
        dir: PathBuf,
    },
    /// List all recipes
    List(ListedArgs),
    /// Show one recipe
    Show {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The id
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a recipe; tasks made from it stay
    Remove {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// The columns of one recipe.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("title", "TITLE"),
    shown("origin", "ORIGIN"),
    shown("description", "DESCRIPTION"),
    shown("tasks", "TASKS"),
    hidden("accounts"),
];

/// Returns a recipe as a row.
fn row(recipe: &Recipe) -> Vec<Cell> {
    let tasks = recipe.flows.iter().map(|flow| flow.title.clone());
    let accounts = recipe.accounts.clone();
    vec![
        Cell::text(&recipe.id),
        Cell::text(&recipe.title),
        Cell::text(recipe.origin.as_str()),
        Cell::text(&recipe.description),
        Cell::Texts(tasks.collect()),
        accounts.map_or(Cell::Empty, |accounts| Cell::Json(accounts.into())),
    ]
}

/// Runs a command about recipes.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::Import { database, dir } => import::run(&database, &dir, out),
        Command::List(listed) => {
            let app = listed.open()?;
            listed.print(&app, ListOf::Recipes, |all| all, out)
        }
        Command::Show { database, id, json } => {
            let app = database.open(Opening::Look)?;
            let recipe = parse_id(&id)
                .and_then(|id| app.recipe(&operator(), &id))
                .advise(list_advice)?;
            list::print_one(out, json, COLUMNS, &row(&recipe))
        }
        Command::Remove { database, id, yes } => {
            let app = database.open(Opening::Use)?;
            let id = parse_id(&id).advise(list_advice)?;
            confirm(&format!("This removes the recipe {id}."), yes)?;
            app.remove_recipe(&operator(), &id).advise(list_advice)?;
            out.line(&format!("Removed {id}"))
        }
    }
}

/// Says where ids are found.
fn list_advice() -> String {
    "`elastane recipe list` shows all of them".to_owned()
}

/// Reads an id; what can't be one is not there.
fn parse_id(text: &str) -> crate::domain::Result<RecipeId> {
    RecipeId::parse(text).ok_or_else(|| Error::not_found("recipe"))
}
