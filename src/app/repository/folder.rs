//! Where the files of repositories and builds lie: `elastane.repositories` and
//! `elastane.builds` beside `elastane.db`.
//!
//! A repository is `ID.git`, the tree of a build `ID/REVISION`. Both follow from rows, so
//! nothing here is a truth of its own: a missing repository is made when it is needed, and
//! what belongs to a deleted component is swept.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::domain::id::ComponentId;

/// How the name of the folder of repositories ends.
pub(in crate::app) const REPOSITORIES: &str = "repositories";

/// How the name of the folder of builds ends.
pub(in crate::app) const BUILDS: &str = "builds";

/// The folders of a database.
#[derive(Clone, Debug)]
pub(in crate::app) struct Folders {
    repositories: PathBuf,
    builds: PathBuf,
}

impl Folders {
    /// Returns the folders beside a database; they are made when something comes into them.
    pub(in crate::app) fn beside(database: &Path) -> Self {
        // Child processes work in folders of their own, so these must not be relative.
        let database = std::path::absolute(database).unwrap_or_else(|_| database.to_owned());
        Self {
            repositories: database.with_extension(REPOSITORIES),
            builds: database.with_extension(BUILDS),
        }
    }

    /// Returns the folder of all repositories.
    pub(super) fn repositories(&self) -> &Path {
        &self.repositories
    }

    /// Returns the folder of all builds.
    pub(super) fn builds(&self) -> &Path {
        &self.builds
    }

    /// Returns where a repository lies.
    pub(super) fn repository(&self, id: ComponentId) -> PathBuf {
        self.repositories.join(format!("{id}.git"))
    }

    /// Returns where the builds of a component lie.
    pub(super) fn builds_of(&self, id: ComponentId) -> PathBuf {
        self.builds.join(id.to_string())
    }

    /// Makes a bare repository without commits, where there is none yet.
    ///
    /// These are the files that git needs to see one; all settings are given by whoever
    /// runs git. `HEAD` comes last, since git looks for it first.
    pub(super) fn make_repository(&self, id: ComponentId) -> io::Result<PathBuf> {
        let path = self.repository(id);
        if path.join("HEAD").exists() {
            return Ok(path);
        }
        for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
            make_folder(&path.join(folder))?;
        }
        write_whole(
            &path.join("config"),
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
        )?;
        write_whole(&path.join("HEAD"), "ref: refs/heads/master\n")?;
        Ok(path)
    }

    /// Removes the repository of a component and its builds.
    pub(in crate::app) fn remove(&self, id: ComponentId) -> io::Result<()> {
        // Both are tried, whatever becomes of one.
        let repository = remove_tree(&self.repository(id));
        remove_tree(&self.builds_of(id)).and(repository)
    }

    /// Removes one build: first what makes it one, its tree last.
    pub(in crate::app) fn remove_build(&self, id: ComponentId, revision: &str) -> io::Result<()> {
        let folder = self.builds_of(id);
        for ending in ["json", "log"] {
            gone_is_fine(fs::remove_file(folder.join(format!("{revision}.{ending}"))))?;
        }
        remove_tree(&folder.join(revision))
    }

    /// Returns the ids of components that have a repository or builds; other names are
    /// nobody's.
    pub(super) fn ids(&self) -> io::Result<Vec<ComponentId>> {
        let mut found = Vec::new();
        for folder in [&self.repositories, &self.builds] {
            let entries = match fs::read_dir(folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let name = entry?.file_name();
                let name = name.to_str().unwrap_or_default();
                found.extend(
                    name.strip_suffix(".git")
                        .unwrap_or(name)
                        .parse::<ComponentId>(),
                );
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Makes a folder that its owner alone may look into.
fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file under another name first, so that nobody sees half of one.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let growing = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&growing)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(growing, path)
}

/// Removes a folder with all that is in it; one that is not there is no failure.
fn remove_tree(path: &Path) -> io::Result<()> {
    gone_is_fine(fs::remove_dir_all(path))
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
