//! The smart HTTP protocol, through git's own `git http-backend`.
//!
//! It is a CGI program. Its answer is read by a thread while the request still comes, so
//! that neither side waits for the other; what is read and not sent yet is bounded.

use std::io::{self, Read, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::Git;
use super::session::is_protocol;
use super::tool::{Caller, Running, not_started};
use crate::app::git_server::{GitAnswer, GitCall, GitServer};
use crate::app::repository::PushKey;
use crate::clock::monotonic_ms;
use crate::domain::{Error, Kind, Result};

/// The most calls at once: each is a few processes, and a push may build.
const CALLS_MAX: usize = 16;

/// How long one call may take: a build has ten minutes (`settled.md`), and the objects
/// have to come and go.
const CALL_MAX_MS: u64 = 30 * 60 * 1_000;

/// How much of an answer waits to be sent, in pieces of [`PIECE_BYTES`].
const PIECES_WAITING: usize = 64;

/// How much is read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The longest head of an answer of the CGI program: a status and a few headers.
const HEAD_MAX_BYTES: usize = 16 * 1024;

/// How much of what git complains about goes into the log.
const COMPLAINT_MAX_BYTES: u64 = 4 * 1024;

/// Counts the calls that run.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Arc<AtomicUsize>);

impl Calls {
    /// Takes a place; none where all are taken.
    fn enter(&self) -> Option<Place> {
        let place = Place(Arc::clone(&self.0));
        (self.0.fetch_add(1, Ordering::SeqCst) < CALLS_MAX).then_some(place)
    }
}

/// A place among the calls that run; free again when it is dropped.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl GitServer for Git {
    fn answer(&self, call: GitCall<'_>) -> Result<GitAnswer> {
        let place = self
            .calls
            .enter()
            .ok_or_else(|| Error::unavailable("too many calls of git run at once", 10))?;
        let deadline_ms = monotonic_ms() + CALL_MAX_MS;
        let mut running = self.start_backend(&call)?;
        let stdout = running.child().stdout.take().ok_or_else(no_pipe)?;
        let stderr = running.child().stderr.take().ok_or_else(no_pipe)?;
        let stdin = running.child().stdin.take().ok_or_else(no_pipe)?;
        let (sender, pieces) = bounded(PIECES_WAITING);
        spawn("git-answer", move || read_pieces(stdout, &sender))?;
        spawn("git-complaint", move || log_complaint(stderr))?;
        feed(call.body, stdin)?;
        let mut source = Source {
            pieces,
            rest: Vec::new(),
            at: 0,
            deadline_ms,
            _running: running,
            _place: place,
        };
        let (status, content_type) = read_head(&mut source)?;
        Ok(GitAnswer {
            status,
            content_type,
            body: Box::new(source),
        })
    }
}

impl Git {
    /// Starts the CGI program for a call.
    fn start_backend(&self, call: &GitCall<'_>) -> Result<Running> {
        let path = self.app.repository_path(call.component)?;
        let name = call.program.as_str();
        let mut command = self.git_serving(
            call.component,
            Caller {
                user: call.user,
                key: call.api_key.map(PushKey::Api),
                address: call.address,
            },
        );
        let (method, what, query) = if call.is_advertisement {
            ("GET", "info/refs", format!("service={name}"))
        } else {
            ("POST", name, String::new())
        };
        command
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", self.app.repositories_path())
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", format!("/{}.git/{what}", call.component))
            .env("REQUEST_METHOD", method)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", format!("application/x-{name}-request"))
            .env("REMOTE_USER", call.user.to_string())
            .env("GIT_COMMITTER_NAME", "elastane")
            .env("GIT_COMMITTER_EMAIL", "elastane@localhost")
            .current_dir(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if call.is_gzip {
            command.env("HTTP_CONTENT_ENCODING", "gzip");
        }
        if let Some(version) = call.protocol.filter(|text| is_protocol(text)) {
            command.env("GIT_PROTOCOL", version);
        }
        Running::start(&mut command).map_err(|error| not_started("git", error))
    }
}

fn no_pipe() -> Error {
    Error::internal("a child process has no pipe")
}

/// Starts a thread that ends with its pipe.
fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = crate::thread::spawn(name, None, body);
    started.map(drop).map_err(Error::internal)
}

/// Hands the body to git. Git may answer before it has read all of it, so a closed pipe is
/// no fault; a body that does not come whole is one, and git must not take it for whole.
fn feed(body: &mut dyn Read, mut stdin: impl Write) -> Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = match body.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(Error::new(Kind::TooLarge, "this is too large for a push"));
            }
            Err(error) => {
                let message = "the body did not come whole";
                return Err(Error::new(Kind::Invalid, message).caused_by(error));
            }
        };
        if stdin.write_all(&piece[..count]).is_err() {
            return Ok(());
        }
    }
}

/// Reads an answer until it ends or nobody wants it any more.
fn read_pieces(mut stdout: impl Read, sender: &Sender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = match stdout.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => {
                piece.truncate(count);
                Ok(piece)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_end = read.is_err();
        if sender.send(read).is_err() || is_end {
            return;
        }
    }
}

/// Writes the beginning of what git complains about into the log, and drops the rest.
fn log_complaint(mut stderr: impl Read) {
    let mut text = Vec::new();
    let _ = stderr
        .by_ref()
        .take(COMPLAINT_MAX_BYTES)
        .read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    if !text.trim().is_empty() {
        tracing::info!(target: "git", complaint = text.trim(), "git complained");
    }
    let _ = io::copy(&mut stderr, &mut io::sink());
}

/// The answer of a program that still runs. Dropping it ends the program.
struct Source {
    pieces: Receiver<io::Result<Vec<u8>>>,
    rest: Vec<u8>,
    at: usize,
    deadline_ms: u64,
    _running: Running,
    _place: Place,
}

impl Source {
    /// Waits for the next bytes; nothing at the end.
    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.at == self.rest.len() {
            let left_ms = self.deadline_ms.saturating_sub(monotonic_ms());
            (self.rest, self.at) = match self.pieces.recv_timeout(Duration::from_millis(left_ms)) {
                Ok(piece) => (piece?, 0),
                Err(RecvTimeoutError::Disconnected) => (Vec::new(), 0),
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
            };
        }
        Ok(&self.rest[self.at..])
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let there = self.fill()?;
        let count = there.len().min(out.len());
        out[..count].copy_from_slice(&there[..count]);
        self.at += count;
        Ok(count)
    }
}

/// Reads the head of a CGI answer: its status, 200 where it names none, and its media type.
fn read_head(source: &mut Source) -> Result<(u16, String)> {
    let mut head = Vec::new();
    let broken = || Error::new(Kind::Unavailable, "git did not answer as it should");
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        let mut byte = [0];
        match source.read(&mut byte) {
            Ok(1) if head.len() < HEAD_MAX_BYTES => head.push(byte[0]),
            Ok(_) => return Err(broken()),
            Err(error) => return Err(broken().caused_by(error)),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let value = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let status = value("Status").and_then(|text| text.split(' ').next()?.parse().ok());
    let content_type = value("Content-Type").unwrap_or("text/plain");
    Ok((status.unwrap_or(200), content_type.to_owned()))
}
