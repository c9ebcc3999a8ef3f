//! The sandbox of what a build runs: namespaces made by `unshare` of util-linux, so that no
//! unsafe code of ours is needed (`reliability.md 3.3`).
//!
//! Inside, a build sees no process but its own and ends with all that it started; the
//! database, the keys, the settings, the repositories and all other builds are not there.
//! The network is, since npm needs it, and so is what else the server's account can read.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Git;
use super::tool::not_started;
use crate::domain::{Error, Kind, Result};

/// How `unshare` is called for the outer namespaces, in which mounts can be made.
const OUTER: &[&str] = &[
    "--user",
    "--map-root-user",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child=KILL",
    "--mount-proc",
];

/// What the shell does between the outer namespaces and the build: it hides, and then gives
/// the right to make mounts away, which makes what it hid stay hidden. All words come as
/// arguments; none is read as a part of the script.
///
/// Arguments: user, group, working folder, the folder of all builds, the two folders in it
/// that stay, what to hide, `--`, the program.
const SCRIPT: &str = r#"
user=$1 group=$2 work=$3 builds=$4 new=$5 cache=$6
shift 6
exec 8<"$new" 9<"$cache"
mount -t tmpfs none "$builds"
mkdir -p "$new" "$cache"
mount --no-canonicalize --bind /proc/self/fd/8 "$new"
mount --no-canonicalize --bind /proc/self/fd/9 "$cache"
exec 8<&- 9<&-
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mount -t tmpfs none "$1"
  elif [ -e "$1" ]; then mount --bind /dev/null "$1"
  fi
  shift
done
shift
cd "$work"
exec unshare --user --mount --map-user="$user" --map-group="$group" -- "$@"
"#;

/// The folders that a build may change.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// Where it works; its tree lies inside.
    pub(super) new: PathBuf,
    /// What npm keeps between builds of the component.
    pub(super) cache: PathBuf,
}

impl Git {
    /// Makes a command that is bounded and sees nothing of the installation but its room;
    /// it runs in `work`, a folder of the room. Only bounded where the operator turned the
    /// sandbox off.
    pub(super) fn sandboxed(&self, program: &str, room: &Room, work: &Path) -> Command {
        if self.options.without_sandbox {
            return self.confined(program);
        }
        let mut command = self.confined("unshare");
        command
            .args(OUTER)
            .args(["--", "sh", "-euc", SCRIPT, "sh"])
            .arg(rustix::process::geteuid().as_raw().to_string())
            .arg(rustix::process::getegid().as_raw().to_string())
            .arg(work)
            .arg(self.app.builds_path())
            .args([&room.new, &room.cache])
            .args(self.hidden())
            .args([OsStr::new("--"), OsStr::new(program)]);
        command
    }

    /// Refuses to build where the kernel or the system lacks what the sandbox needs.
    pub(super) fn require_sandbox(&self) -> Result<()> {
        if self.options.without_sandbox {
            return Ok(());
        }
        let mut command = self.tool("unshare");
        command.args(OUTER).arg("true").stdin(Stdio::null());
        let output = command
            .output()
            .map_err(|error: io::Error| not_started("unshare", error))?;
        if output.status.success() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let first = complaint.lines().next().unwrap_or_default();
        let message = format!(
            "the server has no sandbox for builds ({first}); its operator may set \
             build_sandbox = \"off\""
        );
        Err(Error::new(Kind::Unavailable, message))
    }

    /// Returns everything of the installation that is not for builds.
    fn hidden(&self) -> Vec<PathBuf> {
        let database = self.app.database();
        let mut hidden = vec![self.app.repositories_path().to_owned()];
        for ending in ["db", "db-wal", "db-shm", "key", "toml", "objects"] {
            hidden.push(database.with_extension(ending));
        }
        hidden.push(database.to_owned());
        hidden.extend(self.options.hidden.iter().cloned());
        hidden
    }
}
