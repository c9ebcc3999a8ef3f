//! What a revision holds, read by git and never through the disk: nothing there is a link,
//! and nothing is larger than we look.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::domain::{Error, Kind, Result};
use crate::git::Git;
use crate::git::tool::{Running, not_started, output_of};

/// The most bytes of a listing: about 20,000 files. Trees can be nested so that a few
/// kilobytes list millions.
const LISTING_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The most bytes of all files of a revision, unpacked.
const FILES_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A revision of a repository.
pub(in crate::git) struct Source<'a> {
    git: &'a Git,
    repository: PathBuf,
    objects: &'a [(String, OsString)],
    revision: &'a str,
    files: BTreeMap<String, u64>,
}

impl<'a> Source<'a> {
    /// Lists a revision; `objects` are the variables with which git finds objects that are
    /// in quarantine.
    pub(in crate::git) fn open(
        git: &'a Git,
        repository: PathBuf,
        objects: &'a [(String, OsString)],
        revision: &'a str,
    ) -> Result<Self> {
        let mut source = Self {
            git,
            repository,
            objects,
            revision,
            files: BTreeMap::new(),
        };
        source.files = source.list()?;
        let all: u64 = source.files.values().sum();
        if all > FILES_MAX_BYTES {
            return Err(too_large(&format!("its files have {all} bytes")));
        }
        Ok(source)
    }

    /// Tells whether the revision has a file.
    pub(in crate::git) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Returns a file of at most `max_bytes`; none where there is no such file.
    pub(in crate::git) fn file(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>> {
        let Some(bytes) = self.files.get(path) else {
            return Ok(None);
        };
        if *bytes > max_bytes {
            return Err(too_large(&format!("{path} has {bytes} bytes")));
        }
        let name = format!("{}:{path}", self.revision);
        let mut command = self.command();
        command
            .args(["cat-file", "blob", &name])
            .stdin(Stdio::null());
        let output = command
            .output()
            .map_err(|error| not_started("git", error))?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Error::internal(complaint));
        }
        Ok(Some(output.stdout))
    }

    /// Writes all files into an empty folder. Links are written as files with their target
    /// in it (`core.symlinks`), so nothing leads out of the folder.
    pub(in crate::git) fn check_out(&self, into: &Path, index: &Path) -> Result<()> {
        fs::create_dir_all(into).map_err(Error::internal)?;
        for words in [
            vec!["read-tree", self.revision],
            vec!["checkout-index", "--all", "--force"],
        ] {
            let mut command = self.command();
            command
                .args(words)
                .env("GIT_INDEX_FILE", index)
                .env("GIT_WORK_TREE", into);
            output_of(&mut command)?;
        }
        fs::remove_file(index).map_err(Error::internal)
    }

    /// Makes a command of git over the repository.
    fn command(&self) -> Command {
        let mut command = self.git.git();
        command
            .env("GIT_DIR", &self.repository)
            .envs(self.objects.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.repository);
        command
    }

    /// Returns the files and their sizes.
    fn list(&self) -> Result<BTreeMap<String, u64>> {
        let mut command = self.command();
        command
            .args(["ls-tree", "-r", "-l", "-z", self.revision])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut running =
            Running::start(&mut command).map_err(|error| not_started("git", error))?;
        let mut listing = Vec::new();
        if let Some(stdout) = running.child().stdout.take() {
            let mut bounded = stdout.take(LISTING_MAX_BYTES + 1);
            bounded.read_to_end(&mut listing).map_err(Error::internal)?;
        }
        if listing.len() as u64 > LISTING_MAX_BYTES {
            return Err(too_large("it has too many files"));
        }
        let ended = running.child().wait().map_err(Error::internal)?;
        if !ended.success() {
            let message = "what was pushed is no commit with files";
            return Err(Error::new(Kind::Invalid, message));
        }
        let lines = listing.split(|byte| *byte == 0);
        // A name that is no text is none that a descriptor could give.
        let entries = lines.filter_map(|line| entry(std::str::from_utf8(line).ok()?));
        Ok(entries.collect())
    }
}

/// Reads a line of the listing: mode, kind, object, size, path. Only files have sizes.
fn entry(line: &str) -> Option<(String, u64)> {
    let (facts, path) = line.split_once('\t')?;
    let mut facts = facts.split_ascii_whitespace();
    let size = facts.nth(3)?.parse().ok()?;
    Some((path.to_owned(), size))
}

/// Returns the error of something that is too large to be built.
fn too_large(what: &str) -> Error {
    Error::new(
        Kind::TooLarge,
        format!("this is too large to be built: {what}"),
    )
}
