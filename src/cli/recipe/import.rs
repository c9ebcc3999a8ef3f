//! `elastane recipe import`: one recipe, or all in a tree.

use std::collections::HashSet;
use std::path::Path;

use super::search::{Found, recipes_at};
use crate::app::{App, Opening};
use crate::cli::database::{DatabaseArgs, operator};
use crate::cli::error::{Advice, CliError};
use crate::cli::output::{Output, clean};
use crate::domain::recipe::folder::{DESCRIPTION_FILE, RECIPE_FILE, TITLE_FILE};
use crate::domain::recipe::{Recipe, RecipeId};
use crate::domain::{Error, Kind, Result};

/// The exit code where some of several recipes are not valid.
const NOT_VALID: u8 = 3;

/// Imports what is at a path: each recipe whole or not at all.
///
/// In a tree a bad recipe does not keep the others out; the command fails all the same.
pub(super) fn run(database: &DatabaseArgs, path: &Path, out: &mut Output) -> Result<(), CliError> {
    let advice = || {
        format!(
            "nothing was kept; a recipe folder has {RECIPE_FILE}, {TITLE_FILE} and {DESCRIPTION_FILE}"
        )
    };
    let found = recipes_at(path).advise(advice)?;
    let total = found.len();
    let mut ids = HashSet::new();
    let mut app = None;
    let mut bad = 0;
    for found in found {
        let shown = found.shown.clone();
        let imported = import(found, &mut ids, || open(&mut app, database));
        match imported {
            Ok(recipe) => out.line(&format!(
                "Imported {} as {}",
                clean(&recipe.title),
                recipe.id
            ))?,
            Err(error) if shown.is_empty() => return Err(error).advise(advice),
            Err(Refusal::Recipe(error)) => {
                bad += 1;
                for message in CliError::from(error).messages() {
                    out.note(&format!("error: {}: {}", clean(&shown), clean(message)));
                }
            }
            Err(refused) => return Err(refused.into()),
        }
    }
    if bad == 0 {
        return Ok(());
    }
    Err(CliError::Failed {
        code: NOT_VALID,
        messages: vec![format!("{bad} of {total} recipes were not imported")],
        hint: Some("nothing of them was kept; the others are there".to_owned()),
        causes: None,
    })
}

/// Why a recipe was not imported.
enum Refusal {
    /// The recipe is bad, or there is no room for it.
    Recipe(Error),
    /// The database can't be opened or written.
    Database(CliError),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Internal | Kind::Unavailable | Kind::Forbidden => Self::Database(error.into()),
            _ => Self::Recipe(error),
        }
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Recipe(error) => error.into(),
            Refusal::Database(error) => error,
        }
    }
}

/// Opens the database once, when the first recipe could be read.
fn open(app: &mut Option<App>, database: &DatabaseArgs) -> Result<App, CliError> {
    if let Some(app) = app {
        return Ok(app.clone());
    }
    let opened = database.open(Opening::Use)?;
    *app = Some(opened.clone());
    Ok(opened)
}

/// Imports one recipe.
fn import(
    found: Found,
    ids: &mut HashSet<RecipeId>,
    open: impl FnOnce() -> Result<App, CliError>,
) -> Result<Recipe, Refusal> {
    let is_file = matches!(found.place, Ok(super::search::Place::File(_)));
    let files = found.place?.read()?;
    let id = RecipeId::of_folder(&found.name)?;
    if !ids.insert(id.clone()) {
        let told = format!("has the id {id}, as another one in the same tree");
        return Err(Refusal::Recipe(Error::new(Kind::Conflict, told)));
    }
    let app = open().map_err(Refusal::Database)?;
    let imported = app.import_recipe(&operator(), id, &files.as_folder());
    Ok(imported.map_err(|error| if is_file { in_file(error) } else { error })?)
}

/// Takes the name of a folder's file off the places of an error about a single file,
/// which may be called otherwise.
fn in_file(error: Error) -> Error {
    if error.fields().is_empty() {
        return error;
    }
    let mut fields = error.fields().to_vec();
    // Where the file itself is at fault, nobody misses the others.
    if fields
        .iter()
        .any(|fault| fault.field.starts_with(RECIPE_FILE))
    {
        fields.retain(|fault| fault.field.starts_with(RECIPE_FILE));
    }
    for fault in &mut fields {
        if let Some(rest) = fault.field.strip_prefix(RECIPE_FILE) {
            let rest = rest.trim_start_matches(": ");
            fault.field = if rest.is_empty() { "the file" } else { rest }.to_owned();
        }
    }
    Error::invalid_fields(fields)
}
