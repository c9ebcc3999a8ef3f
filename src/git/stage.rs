//! Where builds wait until their ref has moved, and who may build.
//!
//! The folder of a component in `elastane.builds` holds `lock`, `new` while something is
//! built, `npm` as npm's cache, and for each build its tree `REVISION`, its log
//! `REVISION.log` and what becomes its row, `REVISION.json`. A build without a row waits for
//! its ref: `post-receive` adds the row, and where the server died between the two, its
//! next start does.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::Git;
use super::hook::{BUILT, say};
use super::tool::output_of;
use crate::app::component::NewBuild;
use crate::clock::monotonic_ms;
use crate::domain::component::ComponentVersion;
use crate::domain::id::ComponentId;
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};

/// Builds at once: npm and compilers use a processor each, and flows want some too.
const BUILDS_AT_ONCE: usize = 2;

/// How long a push waits for its turn: as long as one build may take.
const TURN_MAX_MS: u64 = 10 * 60 * 1_000;

/// How often a waiting push looks.
const TURN_LOOK_EVERY: Duration = Duration::from_millis(200);

/// How often a waiting push says so: proxies end what is silent for a minute.
const TURN_SAY_EVERY_MS: u64 = 20_000;

/// How old a build must be that never became a version before it is removed: longer than
/// any push.
const ABANDONED: Duration = Duration::from_hours(1);

/// The right to build; given up when it is dropped, also by a process that dies.
#[derive(Debug)]
pub(super) struct Turn {
    _component: File,
    _slot: File,
}

impl Git {
    /// Returns the folder for what belongs to the builds of a component.
    pub(super) fn builds_of(&self, id: ComponentId) -> PathBuf {
        self.app.builds_path().join(id.to_string())
    }

    /// Returns the folder in which a component is built.
    pub(super) fn new_of(&self, id: ComponentId) -> PathBuf {
        self.builds_of(id).join("new")
    }

    /// Waits until nobody else builds this component, and few others build at all.
    pub(super) fn wait_for_turn(&self, id: ComponentId, out: &mut dyn Write) -> Result<Turn> {
        let slots = self.app.builds_path().join("slots");
        for folder in [&slots, &self.builds_of(id)] {
            make_folder(folder).map_err(Error::internal)?;
        }
        let ends_ms = monotonic_ms() + TURN_MAX_MS;
        let mine = wait(ends_ms, out, || {
            self.require_server()?;
            try_lock(&self.builds_of(id).join("lock")).map_err(Error::internal)
        })?;
        let slot = wait(ends_ms, out, || {
            self.require_server()?;
            for number in 0..BUILDS_AT_ONCE {
                let slot = try_lock(&slots.join(number.to_string())).map_err(Error::internal)?;
                if slot.is_some() {
                    return Ok(slot);
                }
            }
            Ok(None)
        })?;
        Ok(Turn {
            _component: mine,
            _slot: slot,
        })
    }

    /// Tells whether a build waits for its ref or has its row.
    pub(super) fn is_staged(&self, id: ComponentId, revision: &str) -> bool {
        record_of(&self.builds_of(id), revision).exists()
    }

    /// Puts a finished tree into its place, on the disk as a whole.
    pub(super) fn stage(
        &self,
        id: ComponentId,
        build: &NewBuild,
        tree: &Path,
        log: &Path,
    ) -> Result<()> {
        let folder = self.builds_of(id);
        let revision = &build.revision;
        let record = json!({ "descriptor": build.descriptor, "icon": build.icon });
        let write = || -> io::Result<()> {
            let place = folder.join(revision);
            // What is there is of a build whose record never came.
            gone_is_fine(fs::remove_dir_all(&place))?;
            fs::rename(tree, &place)?;
            fs::rename(log, folder.join(format!("{revision}.log")))?;
            // A tree has tens of thousands of files: one call for all of them. Only then
            // the record, without which there is no build.
            let opened = File::open(&folder)?;
            rustix::fs::syncfs(&opened)?;
            let growing = folder.join("record.new");
            let mut file = File::create(&growing)?;
            file.write_all(record.to_string().as_bytes())?;
            file.sync_all()?;
            fs::rename(&growing, record_of(&folder, revision))?;
            opened.sync_all()
        };
        write().map_err(|error| {
            let message = "the build can't be written to the disk";
            Error::new(Kind::Unavailable, message).caused_by(error)
        })
    }

    /// Makes a staged build a version; nothing where there is none.
    pub(super) fn publish(
        &self,
        who: &Principal,
        id: ComponentId,
        revision: &str,
    ) -> Result<Option<ComponentVersion>> {
        let bytes = match fs::read(record_of(&self.builds_of(id), revision)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::internal(error)),
        };
        let mut record: Value = serde_json::from_slice(&bytes).map_err(Error::internal)?;
        let build = NewBuild {
            revision: revision.to_owned(),
            descriptor: record["descriptor"].take(),
            icon: record["icon"].as_str().map(str::to_owned),
        };
        self.app.add_build(who, id, build).map(Some)
    }

    /// Makes versions of builds whose ref has moved, where a push ended without that step.
    pub(super) fn publish_heads(&self, who: &Principal, id: ComponentId) -> Result<()> {
        for head in self.heads(id)? {
            if !self.app.has_build(id, &head)? {
                self.publish(who, id, &head)?;
            }
        }
        Ok(())
    }

    /// Does what a process that died left undone: builds whose ref moved become versions,
    /// what was half built goes, and so do builds whose push never ended.
    ///
    /// A failure with one component is logged and leaves the others.
    pub fn settle(&self) {
        let entries = fs::read_dir(self.app.builds_path());
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if let Err(error) = self.settle_component(id) {
                tracing::warn!(causes = %error.causes(), "can't look after builds: {error}");
            }
        }
    }

    /// Does that for one component, unless somebody builds it.
    fn settle_component(&self, id: ComponentId) -> Result<()> {
        let folder = self.builds_of(id);
        let lock = try_lock(&folder.join("lock")).map_err(Error::internal)?;
        if lock.is_none() {
            return Ok(());
        }
        gone_is_fine(fs::remove_dir_all(self.new_of(id))).map_err(Error::internal)?;
        let heads = self.heads(id)?;
        for entry in fs::read_dir(&folder).map_err(Error::internal)?.flatten() {
            let name = entry.file_name();
            let Some(revision) = name.to_str().and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            if self.app.has_build(id, revision)? {
                continue;
            }
            if heads.iter().any(|head| head == revision) {
                self.publish(&Principal::system(), id, revision)?;
            } else if is_abandoned(&entry.path()) {
                self.app.remove_build_files(id, revision)?;
            }
        }
        Ok(())
    }

    /// Returns the revisions of the branches that build.
    pub(super) fn heads(&self, id: ComponentId) -> Result<Vec<String>> {
        let mut command = self.git();
        command
            .args(["for-each-ref", "--format=%(objectname)"])
            .args(BUILT)
            .current_dir(self.app.repository_path(id)?);
        let printed = output_of(&mut command)?;
        Ok(printed.lines().map(str::to_owned).collect())
    }
}

/// Returns the file that says what a build becomes.
fn record_of(folder: &Path, revision: &str) -> PathBuf {
    folder.join(format!("{revision}.json"))
}

/// Tells whether a build has waited for longer than any push takes.
fn is_abandoned(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|found| found.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED))
}

/// Takes a lock where it is free. The system frees it when its holder dies.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Tries until it works or the time is over, and tells the pusher now and then.
fn wait(
    ends_ms: u64,
    out: &mut dyn Write,
    mut try_once: impl FnMut() -> Result<Option<File>>,
) -> Result<File> {
    let mut said_ms = None;
    loop {
        if let Some(taken) = try_once()? {
            return Ok(taken);
        }
        let now_ms = monotonic_ms();
        if now_ms >= ends_ms {
            return Err(Error::unavailable(
                "too many builds wait: push again later",
                60,
            ));
        }
        if said_ms.is_none_or(|said| now_ms - said >= TURN_SAY_EVERY_MS) {
            said_ms = Some(now_ms);
            say(out, "waiting for another build")?;
        }
        std::thread::sleep(TURN_LOOK_EVERY);
    }
}

/// Makes a folder that its owner alone may look into.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Takes "there is none" for success.
pub(super) fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
