//! The sandbox of processes: Landlock, limits, a clean environment, a group of their own
//! (`reliability.md 3.3`).
//!
//! A thread shuts itself in, starts the process, which inherits that, and waits for it.
//! So nothing of ours has to run between fork and exec, and nothing is unsafe. The thread
//! lives as long as its process, so the kernel ends the process when the server dies.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::SailorOptions;
use crate::app::step_run::ComponentNetwork;

/// The oldest Landlock that does all that is promised here: it knows TCP, and signals.
const NEEDED: ABI = ABI::V6;

/// What may be read and started: the system's programs and libraries, what Node asks of
/// the kernel, and of `/etc` what finding hosts and checking certificates takes.
const READABLE: &[&str] = &[
    "/usr",
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    // Not `/proc` itself: it tells the environment of other processes.
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/timezone",
    "/run/systemd/resolve",
];

/// Devices without data of anybody.
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;

/// The largest file that a process may write.
const FILE_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// The most files and sockets that a process may hold open.
const FILES_MAX: u64 = 4_096;

/// What a process may hold in memory besides the heap of its scripts, in MiB: buffers,
/// code, and the stacks of Node's own threads.
const MEMORY_BESIDES_MIB: u64 = 1_024;

/// What a process is shut in with.
pub(super) struct Jail {
    /// Whether there is a sandbox at all.
    pub(super) is_closed: bool,
    /// The tree of the build, to read.
    pub(super) folder: PathBuf,
    /// Its own folder, to write.
    pub(super) scratch: PathBuf,
    /// The ports that it may connect to.
    pub(super) ports: Vec<u16>,
    /// What else of the network.
    pub(super) network: ComponentNetwork,
    /// The memory of its scripts in MiB.
    pub(super) memory_mib: u32,
}

/// A process that runs.
pub(super) struct Confined {
    /// Its group.
    pub(super) group: Option<Pid>,
    /// What it prints.
    pub(super) stdout: Option<ChildStdout>,
    /// What it complains.
    pub(super) stderr: Option<ChildStderr>,
    ended: Receiver<io::Result<ExitStatus>>,
}

impl Confined {
    /// Waits until the process ends.
    pub(super) fn wait(&self) -> io::Result<ExitStatus> {
        self.ended
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("its thread ended")))
    }
}

impl Confined {
    /// Waits until the process ends, at most so long; none where it did not.
    pub(super) fn wait_at_most(&self, limit: Duration) -> Option<io::Result<ExitStatus>> {
        self.ended.recv_timeout(limit).ok()
    }
}

impl Jail {
    /// Returns the jail of a process of a build.
    pub(super) fn of(
        options: &SailorOptions,
        folder: &Path,
        scratch: &Path,
        ports: Vec<u16>,
    ) -> Self {
        Self {
            is_closed: options.is_sandboxed,
            folder: folder.to_owned(),
            scratch: scratch.to_owned(),
            ports,
            network: options.network,
            memory_mib: options.memory_mib,
        }
    }

    /// Starts a command in the jail; where the kernel lacks something it does not start.
    pub(super) fn start(self, mut command: Command) -> io::Result<Confined> {
        let (begun_to, begun) = bounded(1);
        let (ended_to, ended) = bounded(1);
        let memory_mib = self.memory_mib;
        crate::thread::spawn("sailor-jail", None, move || {
            let closed = if self.is_closed { self.close() } else { Ok(()) };
            let spawned = closed.and_then(|()| command.spawn());
            // Its environment holds secrets, and is not needed any more.
            drop(command);
            match spawned {
                Err(error) => drop(begun_to.send(Err(error))),
                Ok(mut child) => {
                    let streams = (child.stdout.take(), child.stderr.take());
                    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                    // Whoever asked for it waits below.
                    let _heard = begun_to.send(Ok((group, streams)));
                    let _heard = ended_to.send(child.wait());
                }
            }
        })?;
        let begun = begun.recv().map_err(io::Error::other)?;
        let (group, (stdout, stderr)) = begun?;
        limit(group, memory_mib);
        Ok(Confined {
            group,
            stdout,
            stderr,
            ended,
        })
    }

    /// Shuts this thread in, and all that it starts.
    fn close(&self) -> io::Result<()> {
        let closed = self.enforce().map_err(|error| {
            io::Error::other(format!(
                "the kernel lacks what the sandbox needs, Landlock 6 (Linux 6.12): {error}; \
                 `component_sandbox = \"off\"` runs components without"
            ))
        })?;
        if closed == RulesetStatus::FullyEnforced {
            Ok(())
        } else {
            Err(io::Error::other("the sandbox is not fully enforced"))
        }
    }

    /// Enforces the rules on this thread.
    fn enforce(&self) -> Result<RulesetStatus, RulesetError> {
        let rules = handled(self.network)?;
        let read = AccessFs::from_read(NEEDED);
        let all = AccessFs::from_all(NEEDED);
        let mut rules = rules
            .create()?
            .add_rules(path_beneath_rules(READABLE, read))?
            .add_rules(path_beneath_rules([&self.folder], read))?
            .add_rules(path_beneath_rules(DEVICES, all))?
            .add_rules(path_beneath_rules([&self.scratch], all))?;
        if self.network != ComponentNetwork::Any {
            for port in &self.ports {
                rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
            }
        }
        if self.network == ComponentNetwork::Https {
            rules = rules.add_rule(NetPort::new(HTTPS_PORT, AccessNet::ConnectTcp))?;
        }
        Ok(rules.restrict_self()?.ruleset)
    }
}

/// Begins rules about all that a process is kept from.
fn handled(network: ComponentNetwork) -> Result<Ruleset, RulesetError> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::Signal)?
        .scope(Scope::AbstractUnixSocket)?;
    if network == ComponentNetwork::Any {
        return Ok(rules);
    }
    rules.handle_access(AccessNet::ConnectTcp)
}

/// Tells whether this kernel has all that the sandbox needs; nothing is shut in by that.
pub(super) fn is_possible() -> bool {
    handled(ComponentNetwork::Https).is_ok_and(|rules| rules.create().is_ok())
}

/// Bounds what a process may take; it has hardly begun, and its children inherit it.
fn limit(group: Option<Pid>, memory_mib: u32) {
    let Some(process) = group else {
        return;
    };
    let memory = (u64::from(memory_mib) + MEMORY_BESIDES_MIB) * 1024 * 1024;
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Fsize, FILE_MAX_BYTES),
        (Resource::Nofile, FILES_MAX),
        (Resource::Data, memory),
    ] {
        let both = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        if let Err(error) = prlimit(Some(process), resource, both) {
            // It may have ended already.
            tracing::debug!("can't bound a component: {error}");
        }
    }
}
