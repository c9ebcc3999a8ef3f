//! The bounds of sshd and its sessions, set by this program on itself before it
//! becomes one of them: so they hold for everything that it starts.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};

use super::Git;

/// The most memory that one process may write to, in bytes: compilers of TypeScript take a
/// gigabyte. What is only reserved, as V8 does, does not count.
const MEMORY_MAX_BYTES: u64 = 3 * 1024 * 1024 * 1024;

/// The largest file.
const FILE_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// The most open files of one process: npm opens hundreds.
const OPEN_FILES_MAX: u64 = 4_096;

impl Git {
    /// Makes a command that is bounded.
    pub(super) fn confined(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.tool(&self.options.program);
        command.args(["git", "confined", "--"]).arg(program);
        command
    }

    /// Returns a variable that tools inherit.
    pub(super) fn variable(&self, name: &str) -> Option<&OsString> {
        let mut all = self.options.environment.iter();
        all.find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// Sets the bounds and becomes the program that `words` name; returns only where that fails.
///
/// It dies with whoever started it, leaves no image of its memory when it dies, and has no
/// more than the system already allows.
pub fn become_confined(words: &[OsString]) -> io::Error {
    let Some((program, arguments)) = words.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    for (resource, most) in [
        (Resource::Data, MEMORY_MAX_BYTES),
        (Resource::Fsize, FILE_MAX_BYTES),
        (Resource::Nofile, OPEN_FILES_MAX),
        (Resource::Core, 0),
    ] {
        if let Err(error) = bound(resource, most) {
            return error;
        }
    }
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    Command::new(program).args(arguments).exec()
}

/// Lowers a bound; one that is lower already stays.
fn bound(resource: Resource, most: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let most = now.maximum.map_or(most, |maximum| maximum.min(most));
    let bounded = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, bounded)?)
}
