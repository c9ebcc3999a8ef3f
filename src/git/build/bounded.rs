//! Commands of a build: their output goes to the pusher and into the log while they run,
//! and they end in time, whatever they start.

use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::clock::monotonic_ms;
use crate::domain::{Error, Kind, Result};
use crate::git::hook::{bytes_of, say};
use crate::git::server::{ServerProcess, require};
use crate::git::tool::{Running, not_started};

/// How long a build may take (`settled.md`).
pub(in crate::git) const BUILD_MAX_MS: u64 = 10 * 60 * 1_000;

/// The most bytes that a build may write: a large `node_modules` has a few hundred million.
pub(in crate::git) const DISK_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// How often the disk is looked at: the walk over a large `node_modules` takes a while.
const DISK_LOOK_EVERY_MS: u64 = 3_000;

/// How often we look whether the server lives.
const SERVER_LOOK_EVERY_MS: u64 = 200;

/// How long we wait for output before we look whether the command still runs.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The longest line that is shown.
const LINE_MAX_BYTES: u64 = 2 * 1024;

/// The most lines of a build: what comes after them is dropped.
const LINES_MAX: usize = 20_000;

/// Lines that wait to be shown.
const LINES_WAITING: usize = 256;

/// Where the output of a build goes.
pub(in crate::git) struct Log<'a> {
    out: &'a mut dyn Write,
    file: File,
    lines: usize,
}

impl<'a> Log<'a> {
    /// Writes to the pusher and to a new file.
    pub(in crate::git) fn new(out: &'a mut dyn Write, file: File) -> Self {
        Self {
            out,
            file,
            lines: 0,
        }
    }

    /// Writes a line without what could steer a terminal.
    pub(in crate::git) fn line(&mut self, text: &str) -> Result<()> {
        self.lines += 1;
        let text = match self.lines {
            ..LINES_MAX => clean(text),
            LINES_MAX => "the rest of the output is left out".to_owned(),
            _ => return Ok(()),
        };
        writeln!(self.file, "{text}").map_err(Error::internal)?;
        say(self.out, &text)
    }

    /// Waits until the log is on the disk.
    pub(in crate::git) fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(Error::internal)
    }
}

/// What a build may use.
#[derive(Clone, Debug)]
pub(in crate::git) struct Bounds {
    /// The server without which nobody wants it.
    pub(in crate::git) server: Option<ServerProcess>,
    /// When it has to be over, on the clock that never goes back.
    pub(in crate::git) deadline_ms: u64,
    /// The folder that it writes into.
    pub(in crate::git) folder: PathBuf,
}

impl Bounds {
    /// Runs a command and returns whether it went well; `heard` gets each line of output.
    ///
    /// An error is one that ends the build: too long, too large, no pusher or no server
    /// any more.
    pub(in crate::git) fn run(
        &self,
        name: &str,
        command: &mut Command,
        log: &mut Log<'_>,
        heard: &mut dyn FnMut(&str),
    ) -> Result<bool> {
        let (reader, writer) = io::pipe().map_err(Error::internal)?;
        let other = writer.try_clone().map_err(Error::internal)?;
        command.stdout(writer).stderr(other);
        let started = Running::start(command);
        // The command holds our ends of the pipe, which would never close.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = started.map_err(|error| not_started(name, error))?;
        let (sender, lines) = bounded(LINES_WAITING);
        crate::thread::spawn("build-output", None, move || read_lines(reader, &sender))
            .map_err(Error::internal)?;
        let mut looked_ms = monotonic_ms();
        let mut missed_ms = looked_ms;
        loop {
            let now_ms = monotonic_ms();
            if now_ms >= self.deadline_ms {
                let minutes = BUILD_MAX_MS / 60_000;
                let message = format!("the build took longer than {minutes} minutes");
                return Err(Error::new(Kind::Invalid, message));
            }
            if now_ms - looked_ms >= DISK_LOOK_EVERY_MS {
                looked_ms = now_ms;
                self.look_at_disk()?;
            }
            if now_ms - missed_ms >= SERVER_LOOK_EVERY_MS {
                missed_ms = now_ms;
                require(self.server)?;
            }
            match lines.recv_timeout(LOOK_EVERY) {
                Ok(line) => {
                    heard(&line);
                    log.line(&line)?;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = running.child().wait().map_err(Error::internal)?;
                    self.look_at_disk()?;
                    return Ok(ended.success());
                }
                Err(RecvTimeoutError::Timeout) => {
                    // Something that it left behind may keep the pipe open for ever.
                    if let Some(ended) = running.child().try_wait().map_err(Error::internal)? {
                        rest_of(&lines, log)?;
                        return Ok(ended.success());
                    }
                }
            }
        }
    }

    /// Ends a build that writes too much.
    fn look_at_disk(&self) -> Result<()> {
        if bytes_of(&self.folder) <= DISK_MAX_BYTES {
            return Ok(());
        }
        let message = format!("the build wrote more than {DISK_MAX_BYTES} bytes");
        Err(Error::new(Kind::TooLarge, message))
    }
}

/// Writes the lines that are there already.
fn rest_of(lines: &Receiver<String>, log: &mut Log<'_>) -> Result<()> {
    while let Ok(line) = lines.try_recv() {
        log.line(&line)?;
    }
    Ok(())
}

/// Reads lines until the last writer is gone or nobody listens.
fn read_lines(reader: PipeReader, sender: &Sender<String>) {
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let read = reader
            .by_ref()
            .take(LINE_MAX_BYTES)
            .read_until(b'\n', &mut line);
        if !matches!(read, Ok(1..)) {
            return;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if sender.send(text).is_err() {
            return;
        }
    }
}

/// Returns a line without control characters, and without the codes of colours.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.peek() == Some(&'[') {
            // The code ends with its first letter.
            let _ = chars
                .by_ref()
                .find(|c| ('@'..='~').contains(c) && *c != '[');
        } else if c == '\t' {
            clean.push(' ');
        } else if !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            clean.push(c);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script of the shell within bounds; returns how it ended and what was shown.
    fn run(script: &str, change: impl FnOnce(&mut Bounds)) -> (Result<bool>, String) {
        let folder = tempfile::tempdir().unwrap();
        let mut bounds = Bounds {
            server: ServerProcess::own(),
            deadline_ms: monotonic_ms() + BUILD_MAX_MS,
            folder: folder.path().to_owned(),
        };
        change(&mut bounds);
        let mut out = Vec::new();
        let file = File::create(folder.path().join("log")).unwrap();
        let mut log = Log::new(&mut out, file);
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(&bounds.folder);
        let ended = bounds.run("sh", &mut command, &mut log, &mut |_| {});
        (ended, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_command_ends_by_itself_or_by_its_bounds() {
        let (ended, shown) = run("echo one; echo two >&2; exit 3", |_| {});
        assert_eq!((ended.unwrap(), &*shown), (false, "one\ntwo\n"));
        // Left behind, with the pipe open.
        let (ended, _) = run("sleep 1000 & exit 0", |_| {});
        assert!(ended.unwrap());
        let refusal =
            |script: &str, change: fn(&mut Bounds)| run(script, change).0.unwrap_err().to_string();
        let late = refusal("sleep 1000", |bounds| bounds.deadline_ms = monotonic_ms());
        assert!(late.contains("longer than 10 minutes"), "{late}");
        // Nothing of it is on the disk.
        let large = refusal("truncate -s 3G large", |_| {});
        assert!(large.contains("wrote more than"), "{large}");
        let alone = refusal("sleep 1000", |bounds| {
            let server = "1-1".parse().unwrap();
            bounds.server = Some(server);
        });
        assert!(alone.contains("the server stopped"), "{alone}");
    }

    #[test]
    fn output_without_an_end_is_cut() {
        let (ended, shown) = run("seq 100000; head -c 100000 /dev/zero | tr '\\0' x", |_| {});
        assert!(ended.unwrap());
        assert_eq!(shown.lines().count(), LINES_MAX);
        assert!(shown.ends_with("the rest of the output is left out\n"));
        let (_, shown) = run("head -c 100000 /dev/zero | tr '\\0' x", |_| {});
        let longest = shown.lines().map(str::len).max().unwrap();
        assert_eq!(longest as u64, LINE_MAX_BYTES);
    }

    #[test]
    fn a_line_can_not_steer_the_pushers_terminal() {
        assert_eq!(clean("\u{1b}[32mok\u{1b}[0m\tdone\r"), "ok done");
        assert_eq!(clean("a\u{1b}]0;title\u{7}b\u{202e}c"), "a]0;titlebc");
        assert_eq!(clean("ä✓"), "ä✓");
    }
}
