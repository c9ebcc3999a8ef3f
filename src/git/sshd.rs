//! The system's OpenSSH server as a child: with settings, a host key and a list of keys of
//! our own, as the account that this server runs as (`runtime.md 6`).
//!
//! It lets nobody in but holders of keys that the database knows, and gives them the forced
//! command of their key and nothing else.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::Git;
use super::place::{quoted, write_where_other};
use super::server::SERVER;
use super::stage::make_folder;
use super::tool::{Running, not_started, output_of};
use crate::app::PAGE_MAX;
use crate::clock::monotonic_ms;
use crate::domain::ssh_key::SshKey;
use crate::domain::{Error, Kind, Result};

/// How often we look whether keys changed: a change holds within a second.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// How long we wait before sshd is started again: at first, and at most.
const BACK_OFF_MS: [u64; 2] = [1_000, 30_000];

/// Where systems keep sshd, besides where all programs are.
const FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// The folder that sshd wants to find when it runs as root; packages make it at boot.
const PRIVILEGE_FOLDER: &str = "/run/sshd";

/// How long a line of sshd in our log may be.
const LINE_MAX_BYTES: u64 = 1_024;

/// The settings of sshd that are always the same.
///
/// The folder is ours alone, so its parents need not be as strict as a home's. Versions
/// that lack a setting are none that a system still has.
const SETTINGS: &str = "\
PidFile none
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
StrictModes no
DisableForwarding yes
PermitTTY no
PermitUserRC no
PermitUserEnvironment no
PrintMotd no
AcceptEnv GIT_PROTOCOL
LoginGraceTime 20
MaxAuthTries 20
MaxSessions 4
MaxStartups 20:30:60
ClientAliveInterval 30
ClientAliveCountMax 4
LogLevel INFO
";

/// A running sshd, ended by [`Sshd::stop`].
#[derive(Debug)]
pub struct Sshd {
    stop: Sender<()>,
    thread: JoinHandle<()>,
    account: String,
}

impl Sshd {
    /// Starts sshd on an address.
    ///
    /// Errors: invalid for port 0, unavailable where the system has no sshd or it does not
    /// start.
    pub fn start(git: &Git, address: SocketAddr) -> Result<Self> {
        if address.port() == 0 {
            return Err(Error::invalid(
                "ssh",
                "needs a port: sshd takes no free one",
            ));
        }
        let program = git.find_sshd()?;
        let account = git.account()?;
        let settings = git.prepare_ssh(address, &account)?;
        let mut seen = None;
        git.renew_keys(&mut seen)?;
        git.test_settings(&program, &settings)?;
        let (stop, stopped) = bounded(1);
        let git = git.clone();
        let thread = crate::thread::spawn("sshd", None, move || {
            watch(&git, &program, &settings, &stopped, seen);
        })
        .map_err(Error::internal)?;
        Ok(Self {
            stop,
            thread,
            account,
        })
    }

    /// Returns the system account that clients come to.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Ends it with its sessions, and waits until it has.
    pub fn stop(self) {
        let _ = self.stop.try_send(());
        drop(self.stop);
        let _ = self.thread.join();
    }
}

/// Keeps sshd running and its keys new until it is stopped. A failure is logged.
///
/// Each sshd is a child of this thread, since it dies with the thread that started it.
fn watch(
    git: &Git,
    program: &Path,
    settings: &Path,
    stopped: &Receiver<()>,
    mut seen: Option<i64>,
) {
    let mut running: Option<Running> = None;
    let mut back_off_ms = BACK_OFF_MS[0];
    let mut again_at_ms = 0;
    loop {
        let now_ms = monotonic_ms();
        if running
            .as_mut()
            .is_some_and(|running| !matches!(running.child().try_wait(), Ok(None)))
        {
            tracing::warn!("sshd ended; it is started again in {back_off_ms} ms");
            running = None;
            again_at_ms = now_ms + back_off_ms;
            back_off_ms = (back_off_ms * 2).min(BACK_OFF_MS[1]);
        }
        if running.is_none() && now_ms >= again_at_ms {
            match git.run_sshd(program, settings) {
                Ok(started) => running = Some(started),
                Err(error) => {
                    tracing::warn!(causes = %error.causes(), "can't start sshd: {error}");
                    again_at_ms = now_ms + back_off_ms;
                }
            }
        }
        if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        if let Err(error) = git.renew_keys(&mut seen) {
            tracing::warn!(causes = %error.causes(), "can't renew the keys of sshd: {error}");
        }
    }
}

impl Git {
    /// Returns the line of `authorized_keys` for a key: its forced command, and nothing else.
    pub fn authorized_line(&self, key: &SshKey) -> Vec<u8> {
        let mut line = b"restrict,command=\"".to_vec();
        for word in self.own_command(&["ssh", "serve", &key.id.to_string()]) {
            for byte in quoted(&word) {
                if byte == b'"' {
                    line.push(b'\\');
                }
                line.push(byte);
            }
            line.push(b' ');
        }
        let _ = line.pop();
        line.extend_from_slice(b"\" ");
        line.extend_from_slice(key.line.as_bytes());
        line.push(b'\n');
        line
    }

    /// Returns the key with this fingerprint where it signs in.
    pub fn key_that_signs_in(&self, fingerprint: &str) -> Result<Option<SshKey>> {
        self.app.key_that_signs_in(fingerprint)
    }

    /// Returns the folder of what sshd needs.
    fn ssh_folder(&self) -> PathBuf {
        self.app.repositories_path().join("ssh")
    }

    /// Writes the list of keys anew where the database changed.
    fn renew_keys(&self, seen: &mut Option<i64>) -> Result<()> {
        let version = self.app.data_version()?;
        if *seen == Some(version) {
            return Ok(());
        }
        let mut lines = Vec::new();
        let mut last = None;
        loop {
            let page = self.app.keys_that_sign_in(last, PAGE_MAX)?;
            let Some(key) = page.last() else { break };
            last = Some(key.id);
            lines.extend(page.iter().flat_map(|key| self.authorized_line(key)));
        }
        let path = self.ssh_folder().join("authorized_keys");
        write_where_other(&path, &lines, 0o600).map_err(Error::internal)?;
        *seen = Some(version);
        Ok(())
    }

    /// Writes the settings of sshd, and makes its host key where there is none.
    fn prepare_ssh(&self, address: SocketAddr, account: &str) -> Result<PathBuf> {
        let folder = self.ssh_folder();
        make_folder(&folder).map_err(Error::internal)?;
        let host_key = folder.join("host_ed25519");
        if !host_key.exists() {
            let mut command = self.tool("ssh-keygen");
            command
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "elastane", "-f"])
                .arg(&host_key);
            output_of(&mut command)?;
        }
        let mut text = SETTINGS.as_bytes().to_vec();
        text.extend_from_slice(format!("ListenAddress {address}\n").as_bytes());
        text.extend_from_slice(format!("AllowUsers {account}\n").as_bytes());
        for (name, path) in [
            ("HostKey", host_key),
            ("AuthorizedKeysFile", folder.join("authorized_keys")),
        ] {
            text.extend_from_slice(format!("{name} ").as_bytes());
            text.extend(setting(path.as_os_str().as_bytes())?);
            text.push(b'\n');
        }
        let server = self.options.server;
        let server = server.map(|server| format!("{SERVER}={server}").into_bytes());
        let variables = self.options.environment.iter();
        let mut variables = variables
            .filter(|(name, _)| name != "HOME" && name != "TMPDIR")
            .filter_map(|(name, value)| {
                let mut pair = name.clone().into_bytes();
                pair.push(b'=');
                pair.extend_from_slice(value.as_bytes());
                setting(&pair).ok()
            })
            .chain(server.as_deref().and_then(|pair| setting(pair).ok()))
            .peekable();
        if variables.peek().is_some() {
            text.extend_from_slice(b"SetEnv");
            for pair in variables {
                text.push(b' ');
                text.extend(pair);
            }
            text.push(b'\n');
        }
        let path = folder.join("sshd_config");
        write_where_other(&path, &text, 0o600).map_err(Error::internal)?;
        Ok(path)
    }

    /// Lets sshd itself look at its settings, which says more than a child that ends.
    fn test_settings(&self, program: &Path, settings: &Path) -> Result<()> {
        if rustix::process::geteuid().is_root() {
            // Where it can't be made sshd says so.
            let _ = fs::create_dir_all(PRIVILEGE_FOLDER);
        }
        let output = self
            .tool(program)
            .arg("-t")
            .arg("-f")
            .arg(settings)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| not_started("sshd", error))?;
        if output.status.success() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let first = complaint.lines().next().unwrap_or("it says nothing");
        Err(Error::new(
            Kind::Unavailable,
            format!("sshd does not start: {first}"),
        ))
    }

    /// Starts sshd. It dies with this process, and what it says goes into the log.
    fn run_sshd(&self, program: &Path, settings: &Path) -> Result<Running> {
        let mut command = self.confined(program);
        command
            .arg("-D")
            .arg("-e")
            .arg("-f")
            .arg(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut running =
            Running::start(&mut command).map_err(|error| not_started("sshd", error))?;
        if let Some(stderr) = running.child().stderr.take() {
            crate::thread::spawn("sshd-log", None, move || log_lines(stderr))
                .map_err(Error::internal)?;
        }
        Ok(running)
    }

    /// Finds sshd, which wants to be called by its whole path.
    fn find_sshd(&self) -> Result<PathBuf> {
        let path = self.variable("PATH").cloned().unwrap_or_default();
        let named = path.as_bytes().split(|byte| *byte == b':');
        let named =
            named.map(|folder| PathBuf::from(std::ffi::OsString::from_vec(folder.to_vec())));
        let mut all = named.chain(FOLDERS.map(PathBuf::from));
        let found = all.find(|folder| folder.is_absolute() && folder.join("sshd").is_file());
        found.map(|folder| folder.join("sshd")).ok_or_else(|| {
            let message = "sshd is not installed: Debian has it in openssh-server";
            Error::new(Kind::Unavailable, message)
        })
    }

    /// Returns the name of the account that this server runs as.
    pub fn account(&self) -> Result<String> {
        let mut command = self.tool("id");
        command.arg("-un");
        Ok(output_of(&mut command)?.trim().to_owned())
    }
}

/// Writes a word as the settings of sshd have it.
fn setting(word: &[u8]) -> Result<Vec<u8>> {
    if word
        .iter()
        .any(|byte| *byte == b'"' || byte.is_ascii_control())
    {
        let message = "sshd takes no path with a quote or a line break";
        return Err(Error::new(Kind::Invalid, message));
    }
    let mut text = vec![b'"'];
    for byte in word {
        match byte {
            // Its settings have tokens that begin with a percent sign.
            b'%' => text.extend_from_slice(b"%%"),
            other => text.push(*other),
        }
    }
    text.push(b'"');
    Ok(text)
}

/// Writes what sshd says into the log.
fn log_lines(stderr: impl Read) {
    let mut reader = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        let read = reader
            .by_ref()
            .take(LINE_MAX_BYTES)
            .read_until(b'\n', &mut line);
        match read {
            Ok(1..) => {
                let text = String::from_utf8_lossy(&line);
                tracing::info!(target: "sshd", "{}", text.trim_end().escape_debug());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}
