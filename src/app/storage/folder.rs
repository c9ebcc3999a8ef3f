//! The folder of objects: `elastane.objects` beside `elastane.db`.
//!
//! A file lies under the last two digits of its id, since the first ones are the time
//! and alike. What is not whole yet lies under `new`. A file becomes an object by a
//! rename, so that there is no half of one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::domain::id::ObjectId;

/// Folders that the files are spread over.
pub(super) const SHARDS: u16 = 256;

/// Where files grow.
const GROWING: &str = "new";

/// The folders above a file that may be new: its shard, and the one of the database.
const FOLDER_DEPTH: usize = 2;

/// How much is copied at once.
const COPY_BYTES: usize = 64 * 1024;

/// How the name of the folder ends.
pub(in crate::app) const ENDING: &str = "objects";

/// The folder of a database.
#[derive(Clone, Debug)]
pub(in crate::app) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Returns the folder beside a database; it is made when the first file comes.
    pub(in crate::app) fn beside(database: &Path) -> Self {
        Self {
            path: database.with_extension(ENDING),
        }
    }

    /// Returns where the file of an object lies.
    fn place(&self, id: ObjectId) -> PathBuf {
        let name = id.to_string();
        let shard = &name[name.len() - 2..];
        self.path.join(shard).join(&name)
    }

    /// Opens the file of an object.
    pub(super) fn open(&self, id: ObjectId) -> io::Result<File> {
        File::open(self.place(id))
    }

    /// Removes the file of an object; one that is not there is no failure.
    pub(super) fn remove(&self, id: ObjectId) -> io::Result<()> {
        gone_is_fine(fs::remove_file(self.place(id)))
    }

    /// Writes all of `source` to a file that is on the disk when this returns.
    pub(super) fn grow(&self, name: &str, source: &mut dyn Read) -> io::Result<Growing> {
        let folder = self.path.join(GROWING);
        make_folder(&folder)?;
        let path = folder.join(name);
        let mut growing = Growing { path, bytes: 0 };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&growing.path)?;
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            file.write_all(&buffer[..count])?;
            growing.bytes += count as u64;
        }
        file.sync_all()?;
        Ok(growing)
    }

    /// Makes a whole file the one of an object.
    pub(super) fn settle(&self, growing: &Growing, id: ObjectId) -> io::Result<()> {
        let place = self.place(id);
        if let Some(shard) = place.parent() {
            make_folder(shard)?;
        }
        fs::rename(&growing.path, place)
    }

    /// Waits until the name of an object's file is on the disk too.
    pub(super) fn sync(&self, id: ObjectId) -> io::Result<()> {
        match self.place(id).parent() {
            Some(shard) => File::open(shard)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Returns the ids of the files in one shard; other names are nobody's.
    pub(super) fn in_shard(&self, shard: u16) -> io::Result<Vec<ObjectId>> {
        let path = self.path.join(format!("{:02x}", shard % SHARDS));
        let mut found = Vec::new();
        for entry in entries(&path)? {
            let name = entry?.file_name();
            found.extend(name.to_str().and_then(|name| name.parse::<ObjectId>().ok()));
        }
        Ok(found)
    }

    /// Removes what began to grow before `before_ms` and never became an object.
    pub(super) fn remove_abandoned(&self, before_ms: i64) -> io::Result<()> {
        for entry in entries(&self.path.join(GROWING))? {
            let entry = entry?;
            // The name begins with the time, as every id of ours.
            let name = entry.file_name();
            let seconds = name
                .to_str()
                .and_then(|name| i64::from_str_radix(name.get(..8)?, 16).ok());
            if seconds.is_some_and(|seconds| seconds * 1_000 < before_ms) {
                gone_is_fine(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }
}

/// A file that is whole but no object yet; removed when it is dropped before.
#[derive(Debug)]
pub(super) struct Growing {
    path: PathBuf,
    /// Its size.
    pub(super) bytes: u64,
}

impl Drop for Growing {
    fn drop(&mut self) {
        // After the rename there is none, and a leftover is swept.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns the entries of a folder; one that is not there has none.
fn entries(path: &Path) -> io::Result<Vec<io::Result<fs::DirEntry>>> {
    match fs::read_dir(path) {
        Ok(entries) => Ok(entries.collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Makes a folder that its owner alone may look into, and waits until its name is on the
/// disk: what is in it is lost without.
fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for parent in path.ancestors().skip(1).take(FOLDER_DEPTH) {
        // A path that is relative ends in one of no letters.
        let is_here = parent.as_os_str().is_empty();
        File::open(if is_here { Path::new(".") } else { parent })?.sync_all()?;
    }
    Ok(())
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
