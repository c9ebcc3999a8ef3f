//! Processes of components in the sandbox (`reliability.md 3.3`).
//!
//! A thread starts each process and waits for it. The kernel ends the process when that
//! thread does, and so when the server dies.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use rustix::process::Pid;

use super::SailorOptions;
use super::doors::Doors;
use super::process::{How, signal};
use crate::app::step_run::ComponentNetwork;
use crate::sandbox::{Bounds, Cell, KERNEL, Network, SYSTEM, Sandbox, Strength};

/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;

/// The largest file that a process may write.
const FILE_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// The most bytes that a process may have in its folder: attachments on their way.
const FOLDER_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// The most files in it: each takes a block, however small.
const FOLDER_MAX_FILES: u64 = 50_000;

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The most files and sockets that a process may hold open.
const FILES_MAX: u64 = 4_096;

/// The most processes and threads of a component: Node itself has a dozen.
const PROCESSES_MAX: u64 = 256;

/// What a process may hold in memory besides the heap of its scripts, in MiB: buffers,
/// code, and the stacks of Node's own threads.
const MEMORY_BESIDES_MIB: u64 = 1_024;

/// The variable that names the folder with the doors, and their ports.
const DOORS: &str = "ELASTANE_DOORS";

/// Whether the sandbox was seen to work: a server has one.
static IS_SOUND: AtomicBool = AtomicBool::new(false);

/// What a process is shut in with.
pub(super) struct Jail {
    sandbox: Sandbox,
    cell: Cell,
    scratch: PathBuf,
    /// The server's own two addresses.
    addresses: Vec<SocketAddr>,
}

/// A process that runs.
pub(super) struct Confined {
    /// Its group.
    pub(super) group: Option<Pid>,
    /// What it prints.
    pub(super) stdout: Option<ChildStdout>,
    /// What it complains.
    pub(super) stderr: Option<ChildStderr>,
    scratch: PathBuf,
    /// Its ways out, which close with it.
    _doors: Option<Doors>,
    ended: Receiver<io::Result<ExitStatus>>,
}

impl Confined {
    /// Waits until the process ends; ends it where it fills the disk.
    pub(super) fn wait(&self) -> io::Result<ExitStatus> {
        let mut fault = None;
        loop {
            match self.ended.recv_timeout(LOOK_EVERY) {
                Ok(ended) => return fault.map_or(ended, Err),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("its thread ended"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let (mut bytes, mut files) = (0, 0);
            measure(&self.scratch, &mut bytes, &mut files);
            if bytes > FOLDER_MAX_BYTES || files > FOLDER_MAX_FILES {
                let message = format!(
                    "it wrote more than {FOLDER_MAX_BYTES} bytes or {FOLDER_MAX_FILES} files"
                );
                fault = Some(io::Error::other(message));
                signal(self.group, How::Kill);
            }
        }
    }

    /// Waits until the process ends, at most so long; none where it did not.
    pub(super) fn wait_at_most(&self, limit: Duration) -> Option<io::Result<ExitStatus>> {
        self.ended.recv_timeout(limit).ok()
    }
}

impl Jail {
    /// Returns the jail of a process of a build, which may reach what is set for the
    /// component, else for the installation; `addresses` are the server's own.
    pub(super) fn of(
        options: &SailorOptions,
        own: Option<ComponentNetwork>,
        folder: &Path,
        scratch: &Path,
        addresses: Vec<SocketAddr>,
    ) -> Self {
        let mut ports: Vec<u16> = addresses.iter().map(SocketAddr::port).collect();
        let network = match own.unwrap_or(options.network) {
            ComponentNetwork::Any => Network::Everything,
            ComponentNetwork::None if options.sandbox == Strength::Full => Network::Nothing,
            // Without namespaces UDP is open.
            ComponentNetwork::None => Network::Ports(ports),
            ComponentNetwork::Https => {
                ports.push(HTTPS_PORT);
                Network::Ports(ports)
            }
        };
        let system = SYSTEM.iter().chain(KERNEL).map(PathBuf::from);
        let memory_mib = u64::from(options.memory_mib) + MEMORY_BESIDES_MIB;
        Self {
            sandbox: Sandbox {
                program: options.program.clone(),
                strength: options.sandbox,
            },
            cell: Cell {
                reads: system.chain([folder.to_owned()]).collect(),
                writes: vec![scratch.to_owned()],
                tmp: None,
                network,
                listens: options.sandbox == Strength::Off,
                bounds: Bounds {
                    memory_bytes: memory_mib * 1024 * 1024,
                    file_bytes: FILE_MAX_BYTES,
                    files: FILES_MAX,
                    processes: PROCESSES_MAX,
                },
            },
            scratch: scratch.to_owned(),
            addresses,
        }
    }

    /// Starts a command in the jail; where the system lacks something it does not start.
    pub(super) fn start(self, mut command: Command, output: Output) -> io::Result<Confined> {
        self.require_sandbox()?;
        let doors = if self.cell.network == Network::Nothing {
            let folder = self.scratch.display().to_string();
            let ports = self.addresses.iter().map(|it| it.port().to_string());
            let words: Vec<String> = std::iter::once(folder).chain(ports).collect();
            command.env(DOORS, words.join("|"));
            Some(Doors::open(&self.scratch, &self.addresses)?)
        } else {
            None
        };
        let mut shut_in = self.sandbox.shut_in(&command, &self.cell)?;
        drop(command);
        shut_in.stdout(output.pipe()).stderr(output.pipe());
        let (begun_to, begun) = bounded(1);
        let (ended_to, ended) = bounded(1);
        crate::thread::spawn("sailor-jail", None, move || match shut_in.spawn() {
            Err(error) => drop(begun_to.send(Err(error))),
            Ok(mut child) => {
                // The file with its secrets is not needed any more.
                drop(shut_in);
                let streams = (child.stdout.take(), child.stderr.take());
                let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                // Whoever asked for it waits below.
                let _heard = begun_to.send(Ok((group, streams)));
                let _heard = ended_to.send(child.wait());
            }
        })?;
        let begun = begun.recv().map_err(io::Error::other)?;
        let (group, (stdout, stderr)) = begun?;
        Ok(Confined {
            group,
            stdout,
            stderr,
            scratch: self.scratch,
            _doors: doors,
            ended,
        })
    }
}

impl Jail {
    /// Refuses where the system lacks what the sandbox needs; what was there once stays.
    fn require_sandbox(&self) -> io::Result<()> {
        if IS_SOUND.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Some(lack) = self.sandbox.lacks() else {
            IS_SOUND.store(true, Ordering::Relaxed);
            return Ok(());
        };
        Err(io::Error::other(format!(
            "the system lacks what the sandbox of components needs ({lack}); \
             `component_sandbox` may be `landlock` or `off`"
        )))
    }
}

/// What becomes of what a process prints.
#[derive(Clone, Copy)]
pub(super) enum Output {
    /// It is read.
    Read,
    /// It is for nobody.
    Dropped,
}

impl Output {
    fn pipe(self) -> Stdio {
        match self {
            Self::Read => Stdio::piped(),
            Self::Dropped => Stdio::null(),
        }
    }
}

/// Counts the bytes and the files of a folder, as far as it can be read.
fn measure(folder: &Path, bytes: &mut u64, files: &mut u64) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        *files += 1;
        match entry.metadata() {
            Ok(found) if found.is_dir() => measure(&entry.path(), bytes, files),
            Ok(found) => *bytes += found.len(),
            Err(_) => {}
        }
    }
}
