//! The sandbox of code that is not ours: components, and what their builds run
//! (`reliability.md 3.3`).
//!
//! A command is turned into one that shuts itself in first: `unshare` of util-linux makes
//! namespaces, in which this program makes a root folder that holds what the command may
//! see and nothing else, gives its rights away, sets bounds, puts itself under Landlock
//! and runs the command. So nothing of ours runs between fork and exec, and nothing is
//! unsafe. The command's words and its environment travel in a file without a name: no
//! list of processes shows them, and no tool on the way obeys a variable among them.

mod inside;
mod loopback;
mod order;
mod root;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub use inside::enter;
use order::Order;

/// The word of the command line by which this program runs an order of ours.
pub const WORD: &str = "sandboxed";

/// Where the tools of the sandbox are, and what the commands are given that name no other.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// How `unshare` is called: namespaces of users, mounts, processes and System V objects,
/// in which everything ends with its first process, and that with `unshare`.
const NAMESPACES: &[&str] = &[
    "--user",
    "--map-current-user",
    "--keep-caps",
    "--mount",
    "--pid",
    "--ipc",
    "--fork",
    "--kill-child=KILL",
];

/// The system's programs and libraries, and what of `/etc` finding hosts and checking
/// certificates takes.
pub const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
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

/// What Node asks of the kernel: not `/proc` itself, which tells the environment of other
/// processes where they are not in a namespace of their own.
pub const KERNEL: &[&str] = &[
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
];

/// Devices without data of anybody.
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// How much of the sandbox there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strength {
    /// Namespaces and Landlock.
    #[default]
    Full,
    /// Landlock alone, for systems that give no namespaces to ordinary accounts.
    Landlock,
    /// Nothing but the bounds.
    Off,
}

impl Strength {
    /// Every strength with the word of the settings.
    pub const WORDS: [(&str, Self); 3] = [
        ("on", Self::Full),
        ("landlock", Self::Landlock),
        ("off", Self::Off),
    ];

    /// Returns the word of the settings.
    pub fn as_str(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, strength)| *strength == self);
        found.map_or("on", |(word, _)| *word)
    }
}

/// What of the network there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// The loopback of a namespace of its own: what runs there reaches itself and nobody
    /// else. Where the sandbox has no namespaces it is no TCP, and UDP is open.
    Own,
    /// Nothing: a namespace without any way out. Where the sandbox has no namespaces it is
    /// no TCP, and UDP is open.
    Nothing,
    /// TCP to these ports, of any machine. UDP is open, since names are resolved by it.
    Ports(Vec<u16>),
    /// Everything.
    Everything,
}

/// The bounds of what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most memory that one process may write to, in bytes. What is only reserved, as
    /// V8 does, does not count.
    pub memory_bytes: u64,
    /// The largest file, in bytes.
    pub file_bytes: u64,
    /// The most files and sockets that one process may hold open.
    pub files: u64,
    /// The most processes and threads of all, which takes namespaces.
    pub processes: u64,
}

/// What a command is shut in with.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Files and folders to read. What is not there is left out.
    pub reads: Vec<PathBuf>,
    /// Folders to write.
    pub writes: Vec<PathBuf>,
    /// A folder that is shown as `/tmp`, unless something else is there to be seen; one of
    /// `writes`, or inside one.
    pub tmp: Option<PathBuf>,
    /// What it may connect to.
    pub network: Network,
    /// Whether it may listen on TCP ports.
    pub listens: bool,
    /// The bounds.
    pub bounds: Bounds,
}

/// How commands are shut in.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// This program, which becomes the first process inside.
    pub program: PathBuf,
    /// How much of it there is.
    pub strength: Strength,
}

impl Sandbox {
    /// Returns the sandbox that the program that runs now makes.
    pub fn of_this_program(strength: Strength) -> Self {
        // Where it can't be told, nothing is started.
        let program = std::env::current_exe().unwrap_or_default();
        Self { program, strength }
    }

    /// Returns a command that runs `command` shut in, in a process group of its own, and
    /// dies with the thread that starts it. What is set of its input and its outputs is for
    /// the caller to set anew; its input is empty.
    pub fn shut_in(&self, command: &Command, cell: &Cell) -> io::Result<Command> {
        let order = Order::of(self.strength, command, cell)?;
        let mut outer = Command::new("setpriv");
        outer.args(["--pdeathsig", "KILL"]);
        if self.strength == Strength::Full {
            outer.arg("unshare").args(NAMESPACES);
            if matches!(cell.network, Network::Nothing | Network::Own) {
                outer.arg("--net");
            }
            outer.arg("--");
        }
        outer
            .arg(&self.program)
            .arg(WORD)
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(nameless(&order.encode())?)
            .process_group(0);
        Ok(outer)
    }

    /// Says what the system lacks, as half a sentence; nothing where a command runs.
    pub fn lacks(&self) -> Option<String> {
        let cell = Cell {
            reads: SYSTEM.iter().map(PathBuf::from).collect(),
            writes: Vec::new(),
            tmp: None,
            network: Network::Nothing,
            listens: false,
            bounds: Bounds {
                memory_bytes: 1024 * 1024 * 1024,
                file_bytes: 1024 * 1024,
                files: 256,
                processes: 64,
            },
        };
        let mut command = Command::new("true");
        command.env("PATH", PATH).current_dir("/");
        let ran = self.shut_in(&command, &cell).and_then(|mut command| {
            let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
            command.output()
        });
        match ran {
            Ok(output) if output.status.success() => None,
            Ok(output) => {
                let complaint = String::from_utf8_lossy(&output.stderr);
                let first = complaint.lines().next().unwrap_or("it says nothing");
                Some(first.trim().to_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some("setpriv and unshare of util-linux are not installed".to_owned())
            }
            Err(error) => Some(error.to_string()),
        }
    }
}

/// Returns a file without a name that holds these bytes, to be read from its beginning.
fn nameless(bytes: &[u8]) -> io::Result<File> {
    let made = rustix::fs::memfd_create("order", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(made);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// Returns the words of a command, its program first.
fn words_of(command: &Command) -> Vec<OsString> {
    let program = std::iter::once(command.get_program());
    program
        .chain(command.get_args())
        .map(OsStr::to_owned)
        .collect()
}
