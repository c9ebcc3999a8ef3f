//! Child processes: a clean environment, a group of their own, and an end.

use std::ffi::OsStr;
use std::io;
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::Git;
use super::server::SERVER;
use crate::app::repository::PushKey;
use crate::domain::id::{ComponentId, UserId};
use crate::domain::{Error, Kind, Result};

/// The variable that tells our hooks who pushes.
const PUSHER: &str = "ELASTANE_PUSHER";

/// The variable that tells our hooks to which repository.
const REPOSITORY: &str = "ELASTANE_REPOSITORY";

/// The variable that tells our hooks with which SSH key.
const SSH_KEY: &str = "ELASTANE_SSH_KEY";

/// The variable that tells our hooks by which API key; not the key itself.
const API_KEY: &str = "ELASTANE_API_KEY_ID";

/// The variable that tells our hooks from which network address.
const ADDRESS: &str = "ELASTANE_ADDRESS";

/// Whom git serves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// The user.
    pub(super) user: UserId,
    /// The key that the user came with; none with a password.
    pub(super) key: Option<PushKey>,
    /// The network address.
    pub(super) address: Option<IpAddr>,
}

impl Git {
    /// Makes a command without anything of our environment but what tools inherit.
    pub(super) fn tool(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.envs(
            self.options
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        );
        command
    }

    /// Makes a command of git under our settings alone.
    pub(super) fn git(&self) -> Command {
        let mut command = self.tool("git");
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.settings_path())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Makes a command of git that serves somebody; our hooks are told who that is.
    pub(super) fn git_serving(&self, component: ComponentId, caller: Caller) -> Command {
        let mut command = self.git();
        command
            .env(PUSHER, caller.user.to_string())
            .env(REPOSITORY, component.to_string());
        match caller.key {
            Some(PushKey::Ssh(key)) => command.env(SSH_KEY, key.to_string()),
            Some(PushKey::Api(key)) => command.env(API_KEY, key.to_string()),
            None => &mut command,
        };
        for (name, value) in [
            (ADDRESS, caller.address.map(|address| address.to_string())),
            (SERVER, self.options.server.map(|server| server.to_string())),
        ] {
            command.envs(value.map(|value| (name, value)));
        }
        command
    }
}

/// Runs a short command of git and returns what it printed; for those that can't fail but
/// through a fault of ours or of the disk.
pub(super) fn output_of(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started("git", error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::internal(complaint))
}

/// A child process with all that it started, ended when this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// Starts a command in a process group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        let child = command.process_group(0).spawn()?;
        Ok(Self { child })
    }

    /// Returns the child, for its pipes and its end.
    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Ends everything that still runs in the group.
    pub(super) fn kill(&mut self) {
        // The group is there as long as somebody waits in it; the child is not reaped
        // before this, so its number is nobody else's.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the error of a program that can't be started.
pub(super) fn not_started(program: &str, error: io::Error) -> Error {
    let message = if error.kind() == io::ErrorKind::NotFound {
        format!("{program} is not installed on the server")
    } else {
        format!("{program} can't be started on the server")
    };
    Error::new(Kind::Unavailable, message).caused_by(error)
}
