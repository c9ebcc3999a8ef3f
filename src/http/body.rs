//! A request's body, read only when somebody asks for it.

use std::fmt;
use std::io::{self, Read};

use super::chunked::Decoder;
use super::framing::{BodyLength, Framing};
use super::input::{Input, Stopped, Wire};
use super::phase::{Budget, NEVER, Phase};
use crate::clock::monotonic_ms;

/// Memory reserved for a body before its bytes have come: a guess that a lie about the length can't raise.
const FIRST_RESERVE_BYTES: u64 = 16 * 1_024;

/// Why a body could not be read. The connection ends after the answer, whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// It's longer than the limit; 413.
    TooLarge,
    /// The client ended it early; 400.
    Truncated,
    /// Its chunks are malformed; 400.
    Malformed,
    /// It came too slowly; 408.
    TooSlow,
    /// The connection failed; 400, which nobody will read.
    Lost,
}

impl BodyError {
    /// Returns the status to answer with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::Truncated | Self::Malformed | Self::Lost => 400,
            Self::TooSlow => 408,
        }
    }

    /// Returns a sentence that is safe to show.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::TooLarge => "The body is too large.",
            Self::Truncated => "The body ended early.",
            Self::Malformed => "The chunks of the body are malformed.",
            Self::TooSlow => "The body came too slowly.",
            Self::Lost => "The connection was lost.",
        }
    }

    fn io_kind(self) -> io::ErrorKind {
        match self {
            Self::TooLarge => io::ErrorKind::FileTooLarge,
            Self::Truncated => io::ErrorKind::UnexpectedEof,
            Self::Malformed => io::ErrorKind::InvalidData,
            Self::TooSlow => io::ErrorKind::TimedOut,
            Self::Lost => io::ErrorKind::ConnectionAborted,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for BodyError {}

impl From<BodyError> for io::Error {
    fn from(error: BodyError) -> Self {
        Self::new(error.io_kind(), error)
    }
}

#[derive(Debug)]
enum Rest {
    Bytes(u64),
    Chunks(Box<Decoder>),
    Done,
}

/// How far a body was read. It outlives the request, as the connection must know what is left.
#[derive(Debug)]
pub(crate) struct Progress {
    rest: Rest,
    expects_continue: bool,
    taken: u64,
    budget: Budget,
    pub(crate) failure: Option<BodyError>,
}

/// What is left of a body after its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// Unread bytes that may be read away; the connection can be kept if there are few of them.
    Bytes,
    /// The client may or may not send the body, or the body has failed: the connection must end.
    Unclear,
}

impl Progress {
    pub(crate) fn new(framing: &Framing, body_ms: u64, credit_ms: u64) -> Self {
        Self {
            rest: match framing.body {
                BodyLength::None => Rest::Done,
                BodyLength::Bytes(bytes) => Rest::Bytes(bytes),
                BodyLength::Chunked => Rest::Chunks(Box::default()),
            },
            expects_continue: framing.expect_continue,
            taken: 0,
            budget: Budget::new(body_ms, credit_ms),
            failure: None,
        }
    }

    /// Says what is left, with regard to how much would be read away.
    pub(crate) fn left(&self, drain_bytes: u64) -> Left {
        match self.rest {
            _ if self.failure.is_some() => Left::Unclear,
            Rest::Done => Left::Nothing,
            _ if self.expects_continue => Left::Unclear,
            Rest::Bytes(bytes) if bytes > drain_bytes => Left::Unclear,
            Rest::Bytes(_) | Rest::Chunks(_) => Left::Bytes,
        }
    }

    pub(crate) fn is_unread(&self) -> bool {
        self.taken == 0 && !matches!(self.rest, Rest::Done)
    }

    /// Reads some of the body; zero means its proper end, and only that.
    pub(crate) fn read(
        &mut self,
        input: &mut Input,
        wire: Wire<'_>,
        out: &mut [u8],
    ) -> Result<usize, BodyError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if out.is_empty() || matches!(self.rest, Rest::Done) {
            return Ok(0);
        }
        let outcome = self.read_some(input, wire, out);
        match outcome {
            Ok(read) => self.taken += read as u64,
            Err(failure) => self.failure = Some(failure),
        }
        outcome
    }

    fn read_some(
        &mut self,
        input: &mut Input,
        wire: Wire<'_>,
        out: &mut [u8],
    ) -> Result<usize, BodyError> {
        if self.expects_continue {
            self.expects_continue = false;
            // A client that has begun to send didn't wait for it.
            if input.is_empty() {
                super::writer::write_continue(wire).map_err(|_| BodyError::Lost)?;
            }
        }
        loop {
            match &mut self.rest {
                Rest::Done => return Ok(0),
                Rest::Bytes(left) => {
                    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(out.len());
                    let read = if input.is_empty() {
                        wait(&mut self.budget, wire, |wire| wire.read(&mut out[..most]))?
                    } else {
                        let step = most.min(input.bytes().len());
                        out[..step].copy_from_slice(&input.bytes()[..step]);
                        input.consume(step);
                        step
                    };
                    *left -= read as u64;
                    if *left == 0 {
                        self.rest = Rest::Done;
                    }
                    return Ok(read);
                }
                Rest::Chunks(decoder) => {
                    if input.is_empty() {
                        wait(&mut self.budget, wire, |wire| input.fill(wire))?;
                    }
                    let (consumed, written) = decoder
                        .decode(input.bytes(), out)
                        .map_err(|_| BodyError::Malformed)?;
                    input.consume(consumed);
                    if decoder.is_done() {
                        self.rest = Rest::Done;
                    }
                    if written > 0 {
                        return Ok(written);
                    }
                }
            }
        }
    }
}

/// Reads from the socket within the budget.
fn wait<'w>(
    budget: &mut Budget,
    wire: Wire<'w>,
    read: impl FnOnce(Wire<'w>) -> Result<usize, Stopped>,
) -> Result<usize, BodyError> {
    let began_ms = monotonic_ms();
    let state = &wire.live.state;
    let outcome = match state.enter(Phase::Body, budget.deadline_from(began_ms)) {
        Ok(()) => read(wire),
        Err(_cut) => Err(Stopped::Cut),
    };
    let waited_ms = monotonic_ms().saturating_sub(began_ms);
    let outcome = match (outcome, state.enter(Phase::Handling, NEVER)) {
        (Ok(0), Ok(())) => Err(BodyError::Truncated),
        (Ok(read), Ok(())) => Ok(read),
        (Err(Stopped::Failed), Ok(())) => Err(BodyError::Lost),
        (Err(Stopped::Cut), _) | (_, Err(_)) => {
            state.force(Phase::Handling, NEVER);
            Err(BodyError::TooSlow)
        }
    };
    if let Ok(bytes) = outcome {
        budget.settle(waited_ms, bytes as u64);
    }
    outcome
}

/// A request's body as a stream of bytes, up to a limit.
///
/// Its errors carry a [`BodyError`]. The end of the stream is the proper end of the body: one that
/// was cut off is an error of the kind `UnexpectedEof`.
#[derive(Debug)]
pub struct BodyStream<'b, 'c> {
    body: &'b mut Body<'c>,
    left: u64,
}

/// The body of a request under way, with all that is needed to read on.
pub(crate) struct Body<'c> {
    pub(crate) progress: &'c mut Progress,
    pub(crate) input: &'c mut Input,
    pub(crate) wire: Wire<'c>,
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.progress.fmt(f)
    }
}

impl<'c> Body<'c> {
    /// Refuses an announced length over the limit before a byte is read.
    pub(crate) fn stream<'b>(&'b mut self, limit: u64) -> Result<BodyStream<'b, 'c>, BodyError> {
        if let Rest::Bytes(bytes) = self.progress.rest
            && bytes > limit
        {
            self.progress.failure.get_or_insert(BodyError::TooLarge);
        }
        match self.progress.failure {
            Some(failure) => Err(failure),
            None => Ok(BodyStream {
                body: self,
                left: limit,
            }),
        }
    }

    pub(crate) fn whole(&mut self, limit: u64) -> Result<Vec<u8>, BodyError> {
        let known = match self.progress.rest {
            Rest::Bytes(bytes) => bytes,
            _ => 0,
        };
        let reserve = usize::try_from(known.min(FIRST_RESERVE_BYTES)).unwrap_or(0);
        let mut stream = self.stream(limit)?;
        let mut whole = Vec::with_capacity(reserve);
        match stream.read_to_end(&mut whole) {
            Ok(_) => Ok(whole),
            Err(_) => Err(self.progress.failure.unwrap_or(BodyError::Lost)),
        }
    }
}

impl Read for BodyStream<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Body {
            progress,
            input,
            wire,
        } = &mut *self.body;
        if self.left == 0 {
            // At the limit only the body's end is good news, and one byte more tells.
            let read = progress.read(input, *wire, &mut [0; 1])?;
            if read > 0 {
                progress.failure = Some(BodyError::TooLarge);
                return Err(BodyError::TooLarge.into());
            }
            return Ok(0);
        }
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(out.len());
        let read = progress.read(input, *wire, &mut out[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}
