//! What a build is shut in with: it sees the system's programs, its own room and the
//! operator's settings of npm; no process but its own, no database, no key, no repository,
//! no other build; and it connects to where npm's registry is (`reliability.md 3.3`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Git;
use crate::domain::{Error, Kind, Result};
use crate::sandbox::{Bounds, Cell, KERNEL, Network, SYSTEM, Sandbox, Strength};

/// The most memory that one process may write to, in bytes: compilers of TypeScript take a
/// gigabyte. What is only reserved, as V8 does, does not count.
const MEMORY_MAX_BYTES: u64 = 3 * 1024 * 1024 * 1024;

/// The largest file.
const FILE_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// The most open files of one process: npm opens hundreds.
const OPEN_FILES_MAX: u64 = 4_096;

/// The most processes and threads of a build: npm and a compiler in parallel jobs.
const PROCESSES_MAX: u64 = 1_024;

/// Where registries are.
const HTTPS_PORT: u16 = 443;

/// The longest settings of npm that are looked at for ports.
const SETTINGS_MAX_BYTES: u64 = 64 * 1024;

/// The settings of npm for the whole machine, besides the account's own.
const MACHINE_SETTINGS: &[&str] = &["/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc"];

/// Variables that name a file of certificates.
const CERTIFICATES: &[&str] = &[
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "npm_config_cafile",
];

/// What a command of a build may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// HTTPS of any machine, and the registry.
    Registry,
    /// What it serves itself: tests of components do. Nothing else, where there are
    /// namespaces; without them the same as [`Reach::Registry`].
    Itself,
}

/// The folders that a build may change.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// Where it works; its tree lies inside.
    pub(super) new: PathBuf,
    /// What npm keeps between builds of the component.
    pub(super) cache: PathBuf,
    /// Its home, which it sees as `/tmp`, too.
    pub(super) home: PathBuf,
}

impl Git {
    /// Returns a command of a build, shut in; only bounded where the operator turned the
    /// sandbox off.
    pub(super) fn shut_in(&self, command: &Command, room: &Room, reach: Reach) -> Result<Command> {
        let network = match reach {
            Reach::Itself if self.options.sandbox == Strength::Full => Network::Own,
            Reach::Itself | Reach::Registry => Network::Ports(self.ports()),
        };
        let cell = Cell {
            reads: self.readable(),
            writes: vec![room.new.clone(), room.cache.clone()],
            tmp: Some(room.home.clone()),
            network,
            // Tests of components serve themselves.
            listens: true,
            bounds: Bounds {
                memory_bytes: MEMORY_MAX_BYTES,
                file_bytes: FILE_MAX_BYTES,
                files: OPEN_FILES_MAX,
                processes: PROCESSES_MAX,
            },
        };
        let shut_in = self.sandbox().shut_in(command, &cell);
        shut_in.map_err(Error::internal)
    }

    /// Refuses to build where the kernel or the system lacks what the sandbox needs.
    pub(super) fn require_sandbox(&self) -> Result<()> {
        let Some(lack) = self.sandbox().lacks() else {
            return Ok(());
        };
        let message = format!(
            "the server has no sandbox for builds ({lack}); its operator may set \
             build_sandbox to landlock or off"
        );
        Err(Error::new(Kind::Unavailable, message))
    }

    /// Returns the sandbox of builds.
    fn sandbox(&self) -> Sandbox {
        Sandbox {
            program: self.options.program.clone(),
            strength: self.options.sandbox,
        }
    }

    /// Returns what a build may read besides its room.
    fn readable(&self) -> Vec<PathBuf> {
        let mut reads: Vec<PathBuf> = SYSTEM.iter().chain(KERNEL).map(PathBuf::from).collect();
        if self.options.sandbox == Strength::Full {
            // Of its own namespace.
            reads.push("/proc".into());
        }
        reads.extend(MACHINE_SETTINGS.iter().map(PathBuf::from));
        reads.extend(self.npm_settings());
        for name in CERTIFICATES {
            reads.extend(self.variable(name).map(PathBuf::from));
        }
        reads.extend(self.node_prefix());
        reads
    }

    /// Returns the account's own settings of npm.
    pub(super) fn npm_settings(&self) -> Option<PathBuf> {
        let home = self.variable("HOME")?;
        Some(Path::new(home).join(".npmrc"))
    }

    /// Returns the folder that Node is installed in, where that is one of its own.
    fn node_prefix(&self) -> Option<PathBuf> {
        let path = self.variable("PATH")?;
        let node = std::env::split_paths(path).map(|folder| folder.join("node"));
        let node = node.filter(|file| file.is_file()).find_map(real)?;
        let prefix = node.parent()?.parent()?;
        let is_own = node.parent()?.ends_with("bin") && prefix.parent().is_some();
        (is_own && !prefix.starts_with("/usr")).then(|| prefix.to_owned())
    }

    /// Returns the ports that npm may want: that of HTTPS, and those of every address in its
    /// settings, such as a registry of one's own or a proxy.
    fn ports(&self) -> Vec<u16> {
        let mut ports = vec![HTTPS_PORT];
        for (name, value) in &self.options.environment {
            let name = name.to_ascii_lowercase();
            if name.ends_with("_proxy") || name.starts_with("npm_config_") {
                ports.extend(ports_in(&value.to_string_lossy()));
            }
        }
        let machine = MACHINE_SETTINGS.iter().map(PathBuf::from);
        for file in machine.chain(self.npm_settings()) {
            ports.extend(ports_in(&text_of(&file).unwrap_or_default()));
        }
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

/// Returns what a path leads to.
fn real(path: PathBuf) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

/// Reads a file of settings.
fn text_of(path: &Path) -> io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    let file = fs::File::open(path)?;
    file.take(SETTINGS_MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Returns the ports of the addresses in a text.
fn ports_in(text: &str) -> Vec<u16> {
    let mut ports = Vec::new();
    for (scheme, default) in [("http://", 80), ("https://", HTTPS_PORT)] {
        for rest in text.split(scheme).skip(1) {
            let end = rest.find(['/', '"', '\'', ' ', '\n', '\r']);
            let place = &rest[..end.unwrap_or(rest.len())];
            let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
            let port = host.rsplit_once(':').map(|(_, port)| port.parse());
            ports.push(port.and_then(std::result::Result::ok).unwrap_or(default));
        }
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_addresses_are_found() {
        let text = "registry=http://user:pw@npm.local:4873/\n@a:registry = \"https://b.example\"\n\
                    proxy=http://proxy";
        assert_eq!(ports_in(text), [4873, 80, 443]);
        assert_eq!(ports_in("cafile=/etc/x\nhttp://[::1]:8081"), [8081]);
    }
}
