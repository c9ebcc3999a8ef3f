//! The folders beside a database: what is too large for it, the code of components and
//! what was built of it. A backup has copies of them beside it, `FILE.objects` and so on.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use super::{unusable, with_suffix};
use crate::app::repository::folder::{BUILDS, REPOSITORIES};
use crate::app::storage::folder::ENDING as OBJECTS;
use crate::domain::error::FieldError;
use crate::domain::{Error, Result};

/// How the names of the folders end.
const ENDINGS: [&str; 3] = [OBJECTS, REPOSITORIES, BUILDS];

/// What comes last in a folder: refs of a repository name objects, so a push that comes
/// between leaves objects that nobody names, and never names without objects.
const LAST: &str = OBJECTS;

/// Deeper folders than these are nobody's: `node_modules` nest some dozens.
const DEPTH_MAX: usize = 128;

/// Returns the folders of a database, which need not be there.
fn beside(database: &Path) -> impl Iterator<Item = (&'static str, PathBuf)> {
    ENDINGS
        .map(|ending| (ending, database.with_extension(ending)))
        .into_iter()
}

/// Refuses a target whose folders would take the place of others.
///
/// Errors: [`Kind::Conflict`](crate::domain::Kind::Conflict), with the field `target` where
/// `replace` would help.
pub(super) fn refuse_target(database: &Path, target: &Path, replace: bool) -> Result<()> {
    for ending in ENDINGS {
        let copy = copy_of(target, ending);
        let Ok(real) = fs::canonicalize(&copy) else {
            continue;
        };
        let is_own = |(_, own): (_, PathBuf)| fs::canonicalize(own).is_ok_and(|own| own == real);
        if beside(database).any(is_own) {
            let told = format!("{} belongs to the database itself", copy.display());
            return Err(Error::conflict_fields(told, Vec::new()));
        }
        if !replace {
            let fault = FieldError {
                field: "target".to_owned(),
                message: "exists already".to_owned(),
            };
            let told = format!("{} exists already", copy.display());
            return Err(Error::conflict_fields(told, vec![fault]));
        }
    }
    Ok(())
}

/// Copies the folders of a database beside its backup, in the place of older ones; returns
/// the names of the copies.
///
/// It comes after the copy of the database: what that names was there before, and what
/// went since had no more use.
pub(super) fn back_up(database: &Path, target: &Path) -> Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    for (ending, folder) in beside(database) {
        let copy = copy_of(target, ending);
        let partial = Copy::of(&folder, with_suffix(&copy, ".partial"))?;
        remove(&copy)?;
        if let Some(partial) = partial {
            partial.publish(&copy)?;
            made.push(copy);
        }
    }
    Ok(made)
}

/// Copies of the folders of a backup that have no place yet; removed unless they get it.
#[derive(Debug)]
pub(super) struct Prepared(Vec<(&'static str, Option<Copy>)>);

impl Prepared {
    /// Copies the folders of a backup beside a database.
    pub(super) fn copy(backup: &Path, database: &Path) -> Result<Self> {
        let copies = beside(database).map(|(ending, folder)| {
            let partial = with_suffix(&folder, &format!(".{}.restoring", std::process::id()));
            Ok((ending, Copy::of(&copy_of(backup, ending), partial)?))
        });
        copies.collect::<Result<_>>().map(Self)
    }

    /// Puts the copies in the place of the folders of a database, which are named as those
    /// of a backup `aside`: they belong to the database before, and come back with it.
    pub(super) fn put_in_place(self, database: &Path, aside: &Path) -> Result<()> {
        for (ending, copy) in self.0 {
            let folder = database.with_extension(ending);
            if folder.exists() {
                let kept = copy_of(aside, ending);
                fs::rename(&folder, &kept).map_err(|error| unusable(&folder, error))?;
            }
            if let Some(copy) = copy {
                copy.publish(&folder)?;
            }
        }
        Ok(())
    }
}

/// Returns the name of the copy of a folder beside a backup. The whole name of the backup
/// is in it, so that two backups never share one.
fn copy_of(backup: &Path, ending: &str) -> PathBuf {
    with_suffix(backup, &format!(".{ending}"))
}

/// A copied folder that has no name yet; removed unless it gets one.
#[derive(Debug)]
struct Copy(PathBuf);

impl Copy {
    /// Copies a folder; none where there is none.
    fn of(folder: &Path, to: PathBuf) -> Result<Option<Self>> {
        if !folder.is_dir() {
            return Ok(None);
        }
        // Somebody's copy that was cut off.
        remove(&to)?;
        let copy = Self(to);
        copy_folder(folder, &copy.0, 0).map_err(|error| unusable(&copy.0, error))?;
        Ok(Some(copy))
    }

    /// Gives the copy its name.
    fn publish(self, name: &Path) -> Result<()> {
        fs::rename(&self.0, name).map_err(|error| unusable(name, error))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Gone already where it has its name.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes a folder; one that is not there is no failure.
fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(folder, error)),
        _ => Ok(()),
    }
}

/// Copies what is in a folder, to the disk. What goes meanwhile is left out; what is no
/// file, folder or link is nobody's.
fn copy_folder(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(io::Error::other("folders nest too deep"));
    }
    DirBuilder::new().mode(0o700).create(to)?;
    let mut entries = fs::read_dir(from)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(|entry| (entry.file_name() == LAST, entry.file_name()));
    for entry in entries {
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        let done = if kind.is_dir() {
            copy_folder(&entry.path(), &target, depth + 1)
        } else if kind.is_symlink() {
            fs::read_link(entry.path()).and_then(|leads_to| symlink(leads_to, &target))
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).and_then(|_| File::open(&target)?.sync_all())
        } else {
            Ok(())
        };
        match done {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => other?,
        }
    }
    File::open(to)?.sync_all()
}
