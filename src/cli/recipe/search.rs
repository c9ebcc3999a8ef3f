//! Where recipes are in a folder, and what their files hold.
//!
//! A folder may be a stranger's: a link could lead to a secret of whoever imports it,
//! a pipe would never end, and a tree could be endless. So links are not followed,
//! only plain files are read, and everything has a limit.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::domain::recipe::folder::{
    ACCOUNTS_FILE, DESCRIPTION_FILE, FILE_MAX_BYTES, FolderFiles, RECIPE_FILE, TITLE_FILE,
    is_declared_recipe,
};
use crate::domain::{Error, Kind, Result};

/// How far below the folder recipes are looked for: published trees have one level.
const DEPTH_MAX: usize = 5;

/// The most entries that a search looks at: the checkout of a large repository.
const ENTRIES_MAX: usize = 50_000;

/// Folders with other people's packages, in which nobody keeps recipes.
const SKIPPED: &str = "node_modules";

/// A place where a recipe is, or should be.
pub(super) struct Found {
    /// How a person is told of it: the path below the folder that was searched.
    pub(super) shown: String,
    /// The name that gives the recipe's id.
    pub(super) name: String,
    /// The folder, or the file of a recipe of API v2; or why it is neither.
    pub(super) place: Result<Place>,
}

/// What holds a recipe.
pub(super) enum Place {
    /// A folder with the files of a recipe.
    Folder(PathBuf),
    /// A file that is a recipe.
    File(PathBuf),
}

/// The files of a recipe, as far as they are there.
#[derive(Default)]
pub(super) struct Files {
    recipe: Option<Vec<u8>>,
    title: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    accounts: Option<Vec<u8>>,
}

impl Place {
    /// Reads the files.
    pub(super) fn read(&self) -> Result<Files> {
        match self {
            Self::File(path) => Ok(Files {
                recipe: read_file(path)?,
                ..Files::default()
            }),
            Self::Folder(path) => Ok(Files {
                recipe: read_file(&path.join(RECIPE_FILE))?,
                title: read_file(&path.join(TITLE_FILE))?,
                description: read_file(&path.join(DESCRIPTION_FILE))?,
                accounts: read_file(&path.join(ACCOUNTS_FILE))?,
            }),
        }
    }
}

impl Files {
    /// Returns the files as the domain reads them.
    pub(super) fn as_folder(&self) -> FolderFiles<'_> {
        FolderFiles {
            recipe: self.recipe.as_deref(),
            title: self.title.as_deref(),
            description: self.description.as_deref(),
            accounts: self.accounts.as_deref(),
        }
    }
}

/// Finds the recipes at a path: it is one itself, or they are below it. Where there is
/// none, the path itself is returned as the folder that should be one.
pub(super) fn recipes_at(path: &Path) -> Result<Vec<Found>> {
    // So that `.` has a name too.
    let real = path
        .canonicalize()
        .map_err(|error| unreadable(path, error))?;
    let one = |place| {
        Ok(vec![Found {
            shown: String::new(),
            name: name_of(&real),
            place: Ok(place),
        }])
    };
    if real.is_file() && is_json(&real) {
        return one(Place::File(real.clone()));
    }
    if !real.is_dir() {
        let told = format!("{} is not a folder", path.display());
        return Err(Error::new(Kind::Invalid, told));
    }
    if is_recipe_folder(&real) {
        return one(Place::Folder(real.clone()));
    }
    let mut search = Search {
        root: real.clone(),
        looked_at: 0,
        found: Vec::new(),
    };
    search.folder(&real, 1)?;
    if search.found.is_empty() {
        one(Place::Folder(real.clone()))
    } else {
        Ok(search.found)
    }
}

/// A search below a folder.
struct Search {
    root: PathBuf,
    looked_at: usize,
    found: Vec<Found>,
}

impl Search {
    /// Looks through a folder that is no recipe, in the order of names.
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let entry = entry.map_err(|error| unreadable(folder, error))?;
            self.looked_at += 1;
            if self.looked_at > ENTRIES_MAX {
                let told = format!("there are more than {ENTRIES_MAX} files and folders in it");
                return Err(Error::new(Kind::TooLarge, told));
            }
            entries.push(entry);
        }
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name());
            if name.to_string_lossy().starts_with('.') || name == SKIPPED {
                continue;
            }
            let kind = entry
                .file_type()
                .map_err(|error| unreadable(&path, error))?;
            if kind.is_dir() {
                self.sub_folder(&path, depth)?;
            } else if kind.is_symlink() && path.is_dir() {
                self.add(
                    &path,
                    Err(Error::new(Kind::Invalid, "is a link to a folder")),
                );
            } else if is_json(&path) {
                self.file(&path);
            }
        }
        Ok(())
    }

    /// Takes a folder that is a recipe, or looks through it.
    fn sub_folder(&mut self, path: &Path, depth: usize) -> Result<()> {
        if is_recipe_folder(path) {
            self.add(path, Ok(Place::Folder(path.to_owned())));
        } else if depth < DEPTH_MAX {
            self.folder(path, depth + 1)?;
        } else {
            let told = format!("is more than {DEPTH_MAX} folders deep");
            self.add(path, Err(Error::new(Kind::Invalid, told)));
        }
        Ok(())
    }

    /// Takes a JSON file where it is a recipe, or where nobody can tell.
    fn file(&mut self, path: &Path) {
        let place = match read_file(path) {
            Ok(bytes) => match is_declared_recipe(&bytes.unwrap_or_default()) {
                Some(false) => return,
                Some(true) | None => Ok(Place::File(path.to_owned())),
            },
            Err(error) => Err(error),
        };
        self.add(path, place);
    }

    /// Notes a place.
    fn add(&mut self, path: &Path, place: Result<Place>) {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        self.found.push(Found {
            shown: below.display().to_string(),
            name: name_of(path),
            place,
        });
    }
}

/// Tells whether a folder is, or should be, a recipe.
fn is_recipe_folder(path: &Path) -> bool {
    [RECIPE_FILE, TITLE_FILE]
        .iter()
        .any(|name| path.join(name).symlink_metadata().is_ok())
}

/// Tells whether a file is called like JSON.
fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "json")
}

/// Returns the name that gives the id: of a file without its ending.
fn name_of(path: &Path) -> String {
    let name = if is_json(path) && !path.is_dir() {
        path.file_stem()
    } else {
        path.file_name()
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads a file that may be missing; of one that is too large only as much as shows it.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>> {
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
