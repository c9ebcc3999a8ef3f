//! Answers to bytes on the socket.

use std::io::{self, Read, Write as _};

use super::counters::Counters;
use super::head::is_token;
use super::input::Wire;
use super::phase::{Budget, NEVER, Phase};
use super::request::Version;
use super::response::{Content, Response};
use super::status::reason;
use crate::clock::monotonic_ms;

/// Most bytes handed to the socket at once where it may have to wait.
///
/// A blocking write returns only when it has taken everything, so each piece must be small enough
/// for the write budget.
const PIECE_BYTES: usize = 16 * 1_024;

/// Headers that say where an answer ends: the server's own business.
const FRAMING_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What an answer must take from its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) is_head: bool,
    pub(crate) version: Version,
    pub(crate) keep_alive: bool,
}

/// How the end of an answer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// By the status alone.
    Status,
    Length(u64),
    Chunks,
    Close,
}

fn end_of(response: &Response, version: Version) -> End {
    match (&response.content, response.status) {
        (_, 204 | 304) => End::Status,
        (_, 205) => End::Length(0),
        (Content::Bytes(bytes), _) => End::Length(bytes.len() as u64),
        (
            Content::Stream {
                length: Some(length),
                ..
            },
            _,
        ) => End::Length(*length),
        (Content::Stream { length: None, .. }, _) if version == Version::Http11 => End::Chunks,
        (Content::Stream { length: None, .. }, _) => End::Close,
    }
}

/// Says whether an answer may be sent as it is.
pub(crate) fn is_sendable(response: &Response) -> bool {
    (200..=599).contains(&response.status)
        && response.headers.iter().all(|(name, value)| {
            !name.is_empty()
                && name.bytes().all(is_token)
                && value
                    .bytes()
                    .all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
        })
}

/// Says whether the connection could be kept after this answer.
pub(crate) fn allows_keep_alive(response: &Response, manner: Manner) -> bool {
    !response.close && (manner.is_head || end_of(response, manner.version) != End::Close)
}

/// Appends the head of an answer that [`is_sendable`].
pub(crate) fn encode_head(out: &mut Vec<u8>, response: &Response, manner: Manner, date: &str) {
    let mut text = |parts: &[&str]| {
        for part in parts {
            out.extend_from_slice(part.as_bytes());
        }
    };
    let mut digits = [0; DIGITS];
    text(&[
        "HTTP/1.1 ",
        decimal(&mut digits, response.status.into()),
        " ",
        reason(response.status),
        "\r\n",
    ]);
    let mut has_date = false;
    for (name, value) in &response.headers {
        if FRAMING_HEADERS
            .iter()
            .any(|framing| name.eq_ignore_ascii_case(framing))
        {
            continue;
        }
        has_date |= name.eq_ignore_ascii_case("date");
        text(&[name, ": ", value, "\r\n"]);
    }
    if !has_date {
        text(&["Date: ", date, "\r\n"]);
    }
    match end_of(response, manner.version) {
        End::Length(length) => text(&["Content-Length: ", decimal(&mut digits, length), "\r\n"]),
        End::Chunks => text(&["Transfer-Encoding: chunked\r\n"]),
        End::Status | End::Close => {}
    }
    match (manner.keep_alive, manner.version) {
        (false, _) => text(&["Connection: close\r\n\r\n"]),
        (true, Version::Http10) => text(&["Connection: keep-alive\r\n\r\n"]),
        (true, Version::Http11) => text(&["\r\n"]),
    }
}

/// The digits of the largest `u64`.
const DIGITS: usize = 20;

/// Writes a number without going through `fmt`, which costs more than the rest of a small head.
fn decimal(digits: &mut [u8; DIGITS], mut number: u64) -> &str {
    let mut at = DIGITS;
    loop {
        at -= 1;
        digits[at] = b"0123456789"[usize::try_from(number % 10).unwrap_or(0)];
        number /= 10;
        if number == 0 || at == 0 {
            return std::str::from_utf8(&digits[at..]).unwrap_or("0");
        }
    }
}

/// Tells a waiting client to send its body.
pub(crate) fn write_continue(wire: Wire<'_>) -> io::Result<()> {
    Writer::new(wire).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    resume(wire, NEVER)
}

/// Gives the connection back to what produces bytes, with a deadline.
fn resume(wire: Wire<'_>, deadline_ms: u64) -> io::Result<()> {
    let entered = wire.live.state.enter(Phase::Handling, deadline_ms);
    entered.map_err(|_cut| io::ErrorKind::TimedOut.into())
}

/// Writes one answer.
pub(crate) struct Writer<'w> {
    wire: Wire<'w>,
    budget: Budget,
    pub(crate) sent: u64,
}

impl<'w> Writer<'w> {
    pub(crate) fn new(wire: Wire<'w>) -> Self {
        let settings = &wire.shared.settings;
        Self {
            wire,
            budget: Budget::new(settings.write_ms, settings.transfer_credit_ms),
            sent: 0,
        }
    }

    /// Sends an answer that [`is_sendable`]; `out` is scratch memory.
    pub(crate) fn send(
        &mut self,
        response: Response,
        manner: Manner,
        date: &str,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        out.clear();
        encode_head(out, &response, manner, date);
        let end = end_of(&response, manner.version);
        if manner.is_head || matches!(end, End::Status | End::Length(0)) {
            return self.write_all(out);
        }
        match response.content {
            Content::Bytes(bytes) if out.len() + bytes.len() <= PIECE_BYTES => {
                out.extend_from_slice(&bytes);
                self.write_all(out)
            }
            Content::Bytes(bytes) => {
                let sent = self.write_at_once(out, true)?;
                self.write_all(&out[sent..])?;
                let sent = self.write_at_once(&bytes, false)?;
                self.write_all(&bytes[sent..])
            }
            Content::Stream { source, .. } => {
                self.write_all(out)?;
                self.send_stream(source, end, out)
            }
        }
    }

    fn send_stream(
        &mut self,
        mut source: Box<dyn Read + Send>,
        end: End,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let ends_ms = monotonic_ms().saturating_add(self.wire.shared.settings.stream_ms);
        let mut left = match end {
            End::Length(length) => length,
            _ => u64::MAX,
        };
        let mut piece = vec![0; PIECE_BYTES];
        while left > 0 {
            resume(self.wire, ends_ms)?;
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
            let read = match source.read(&mut piece[..most]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if read == 0 && matches!(end, End::Length(_)) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if read == 0 {
                break;
            }
            left -= read as u64;
            if end == End::Chunks {
                out.clear();
                write!(out, "{read:x}\r\n")?;
                out.extend_from_slice(&piece[..read]);
                out.extend_from_slice(b"\r\n");
                self.write_all(out)?;
            } else {
                self.write_all(&piece[..read])?;
            }
        }
        if end == End::Chunks {
            self.write_all(b"0\r\n\r\n")
        } else {
            Ok(())
        }
    }

    /// Writes what the socket takes without waiting, which costs nothing of the budget; says
    /// how much that was.
    fn write_at_once(&mut self, bytes: &[u8], more: bool) -> io::Result<usize> {
        let deadline_ms = self.budget.deadline_from(monotonic_ms());
        let entered = self.wire.live.state.enter(Phase::Writing, deadline_ms);
        entered.map_err(|_cut| io::Error::from(io::ErrorKind::TimedOut))?;
        let written = self.wire.live.socket.write_at_once(bytes, more)?;
        self.budget.settle(0, written as u64);
        self.sent += written as u64;
        Counters::add(&self.wire.shared.counters.bytes_out, written as u64);
        Ok(written)
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let began_ms = monotonic_ms();
            let entered = self
                .wire
                .live
                .state
                .enter(Phase::Writing, self.budget.deadline_from(began_ms));
            entered.map_err(|_cut| io::Error::from(io::ErrorKind::TimedOut))?;
            let piece = &bytes[..bytes.len().min(PIECE_BYTES)];
            let written = self.wire.live.socket.write(piece)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.sent += written as u64;
            Counters::add(&self.wire.shared.counters.bytes_out, written as u64);
            bytes = &bytes[written..];
            if !bytes.is_empty() {
                self.budget
                    .settle(monotonic_ms().saturating_sub(began_ms), written as u64);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANNER: Manner = Manner {
        is_head: false,
        version: Version::Http11,
        keep_alive: true,
    };

    fn head_of(response: &Response, manner: Manner) -> String {
        let mut out = Vec::new();
        encode_head(&mut out, response, manner, "today");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn framing_headers_are_the_servers_own() {
        let response = Response::new(200)
            .header("content-LENGTH", "99")
            .header("Transfer-Encoding", "chunked")
            .header("X-A", "1")
            .bytes("ab");
        assert_eq!(
            head_of(&response, MANNER),
            "HTTP/1.1 200 OK\r\nX-A: 1\r\nDate: today\r\nContent-Length: 2\r\n\r\n"
        );
    }

    #[test]
    fn each_kind_of_body_has_its_end() {
        let old = Manner {
            version: Version::Http10,
            keep_alive: false,
            ..MANNER
        };
        let stream = |length| Response::new(200).stream(io::empty(), length);
        assert!(head_of(&stream(None), MANNER).contains("Transfer-Encoding: chunked"));
        assert!(
            head_of(&stream(Some(u64::MAX)), MANNER)
                .contains("Content-Length: 18446744073709551615\r\n")
        );
        assert_eq!(
            head_of(&stream(None), old),
            "HTTP/1.1 200 OK\r\nDate: today\r\nConnection: close\r\n\r\n"
        );
        assert!(!allows_keep_alive(&stream(None), old));
        assert!(allows_keep_alive(&stream(None), MANNER));
        assert!(!head_of(&Response::new(204).bytes("x"), MANNER).contains("Length"));
        assert!(head_of(&Response::new(205).bytes("x"), MANNER).contains("Content-Length: 0\r\n"));
    }

    #[test]
    fn what_could_split_an_answer_is_not_sendable() {
        assert!(is_sendable(&Response::new(200).header("X-A", "a\tb ä")));
        for (name, value) in [
            ("X-A", "a\r\nX-B: c"),
            ("X-A", "a\nb"),
            ("X-A", "a\rb"),
            ("X-A", "a\0"),
            ("X-A", "\x7f"),
            ("X-A\r\nX-B", "c"),
            ("", "c"),
            ("X A", "c"),
            ("X:", "c"),
            ("ä", "c"),
        ] {
            assert!(
                !is_sendable(&Response::new(200).header(name, value)),
                "{name:?} {value:?}"
            );
        }
        assert!(!is_sendable(&Response::new(100)));
        assert!(!is_sendable(&Response::new(600)));
    }
}
