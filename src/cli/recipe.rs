//! `elastane recipe`: flows with blanks, ready to be activated.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::database::{DatabaseArgs, operator};
use super::error::{Advice, CliError};
use super::list::{self, Cell, Column, ListArgs, hidden, shown};
use super::output::{Output, clean};
use super::terminal::confirm;
use crate::app::Opening;
use crate::domain::recipe::folder::{
    ACCOUNTS_FILE, DESCRIPTION_FILE, FILE_MAX_BYTES, FolderFiles, RECIPE_FILE, TITLE_FILE,
};
use crate::domain::recipe::{Recipe, RecipeId, RecipeTitle};
use crate::domain::{Error, Kind};

/// What is done with recipes.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Import a recipe folder; a recipe with the same id is replaced
    Import {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The folder; its name gives the recipe's id
        dir: PathBuf,
    },
    /// List all recipes
    List {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(flatten)]
        list: ListArgs,
    },
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

/// The columns of the list.
const TITLE_COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("title", "TITLE"),
    shown("origin", "ORIGIN"),
];

/// The columns of one recipe.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("title", "TITLE"),
    shown("origin", "ORIGIN"),
    shown("description", "DESCRIPTION"),
    shown("tasks", "TASKS"),
    hidden("accounts"),
];

/// Returns a title as a row.
fn title_row(recipe: &RecipeTitle) -> Vec<Cell> {
    vec![
        Cell::text(&recipe.id),
        Cell::text(&recipe.title),
        Cell::text(recipe.origin.as_str()),
    ]
}

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
        Command::Import { database, dir } => import(&database, &dir, out),
        Command::List { database, list } => {
            let app = database.open(Opening::Look)?;
            // Recipes are bounded in number and come in one piece.
            let mut all = Some(app.recipes(&operator())?);
            list::print(
                out,
                &list,
                TITLE_COLUMNS,
                |_: Option<&RecipeTitle>| Ok(all.take().unwrap_or_default()),
                title_row,
            )
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

/// Imports a folder, whole or not at all.
fn import(database: &DatabaseArgs, dir: &Path, out: &mut Output) -> Result<(), CliError> {
    let advice = || {
        format!(
            "nothing was kept; a recipe folder has {RECIPE_FILE}, {TITLE_FILE} and {DESCRIPTION_FILE}"
        )
    };
    let files = Files::read(dir).advise(advice)?;
    let id = RecipeId::of_folder(&files.name).advise(advice)?;
    let app = database.open(Opening::Use)?;
    let recipe = app
        .import_recipe(&operator(), id, &files.as_folder())
        .advise(advice)?;
    out.line(&format!(
        "Imported {} as {}",
        clean(&recipe.title),
        recipe.id
    ))
}

/// The files of a recipe folder, as far as they are there.
struct Files {
    name: String,
    recipe: Option<Vec<u8>>,
    title: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    accounts: Option<Vec<u8>>,
}

impl Files {
    /// Reads the folder.
    fn read(dir: &Path) -> crate::domain::Result<Self> {
        // So that `.` has a name too.
        let real = dir.canonicalize().map_err(|error| unreadable(dir, error))?;
        if !real.is_dir() {
            let told = format!("{} is not a folder", dir.display());
            return Err(Error::new(Kind::Invalid, told));
        }
        let name = real.file_name().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            recipe: read_file(&real.join(RECIPE_FILE))?,
            title: read_file(&real.join(TITLE_FILE))?,
            description: read_file(&real.join(DESCRIPTION_FILE))?,
            accounts: read_file(&real.join(ACCOUNTS_FILE))?,
        })
    }

    /// Returns the files as the domain reads them.
    fn as_folder(&self) -> FolderFiles<'_> {
        FolderFiles {
            recipe: self.recipe.as_deref(),
            title: self.title.as_deref(),
            description: self.description.as_deref(),
            accounts: self.accounts.as_deref(),
        }
    }
}

/// Reads a file that may be missing; of one that is too large only as much as shows it.
///
/// A folder may be a stranger's: a link could lead to a secret of whoever imports it,
/// and a pipe would never end.
fn read_file(path: &Path) -> crate::domain::Result<Option<Vec<u8>>> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => {}
        Ok(_) => {
            let told = format!("{} is not a plain file", path.display());
            return Err(Error::new(Kind::Invalid, told));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, error)),
    }
    let mut bytes = Vec::new();
    let limit = FILE_MAX_BYTES as u64 + 1;
    match File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, error)),
    }
}

/// Makes the error about a path that can't be read.
fn unreadable(path: &Path, error: io::Error) -> Error {
    let (kind, told) = match error.kind() {
        io::ErrorKind::NotFound => (Kind::NotFound, "does not exist".to_owned()),
        other => (Kind::Invalid, format!("can't be read: {other}")),
    };
    Error::new(kind, format!("{} {told}", path.display())).caused_by(error)
}
