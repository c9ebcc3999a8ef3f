//! One connection from its first byte to its last, on its own thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::body::{Body, Left, Progress};
use super::counters::Counters;
use super::date::DateCache;
use super::framing::{Framing, framing};
use super::handler::Exchange;
use super::head::{Head, HeadLimits, Scan, target_in};
use super::input::{Input, Wire};
use super::phase::{Cut, NEVER, Phase};
use super::refusal::Refusal;
use super::request::{Request, Version};
use super::response::Response;
use super::server::Shared;
use super::slots::Live;
use super::target::Target;
use super::writer::{Manner, Writer, allows_keep_alive, is_sendable};
use crate::clock::monotonic_ms;

const TOO_SLOW: Refusal = Refusal::new(408, "The request came too slowly.");
const CUT_OFF: Refusal = Refusal::new(400, "The request ended early.");
const BROKEN: Refusal = Refusal::new(500, "The server failed.");

/// Serves a connection until it ends, and gives its slot back whatever happens.
pub(crate) fn run(shared: &Arc<Shared>, live: Arc<Live>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let wire = Wire {
            shared,
            live: &live,
        };
        Connection::new(wire).serve();
    }));
    if outcome.is_err() {
        // The source of a streamed answer, or a hook of the handler: part of an answer may be out.
        Counters::one_more(&shared.counters.panics);
        tracing::error!(target: "http", "a connection panicked");
        live.socket.reset_on_close();
    }
    shared.slots.leave(live, &shared.counters);
}

/// What comes after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The next one.
    Next,
    /// The end, once the client has had time to read the answer.
    Linger,
    /// The end.
    Close,
}

enum Next {
    /// A complete head lies at these bounds of the input.
    Head(usize, usize),
    /// The client, or the server, is done.
    Nothing,
    Refused(Refusal),
}

/// Counts a request as in flight for as long as it lives.
struct InFlight<'s>(&'s Counters);

impl<'s> InFlight<'s> {
    fn new(counters: &'s Counters) -> Self {
        Counters::one_more(&counters.in_flight);
        Self(counters)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        Counters::one_less(&self.0.in_flight);
    }
}

struct Connection<'w> {
    wire: Wire<'w>,
    limits: HeadLimits,
    input: Input,
    head: Head,
    out: Vec<u8>,
    date: DateCache,
    /// The connection was cut while idle, and yet a request had come: it's answered as the last.
    is_last: bool,
    began_ms: u64,
}

impl<'w> Connection<'w> {
    fn new(wire: Wire<'w>) -> Self {
        let settings = &wire.shared.settings;
        Self {
            wire,
            limits: HeadLimits {
                head_bytes: settings.head_bytes,
                request_line_bytes: settings.request_line_bytes,
                headers: settings.headers,
            },
            // Beyond the head: its end must fit too, and a forgiven empty line.
            input: Input::new(settings.head_bytes + 4),
            head: Head::new(),
            out: Vec::new(),
            date: DateCache::new(),
            is_last: false,
            began_ms: 0,
        }
    }

    fn serve(&mut self) {
        let mut after = After::Next;
        while after == After::Next {
            self.head.clear();
            after = match self.next_head() {
                Next::Nothing => After::Close,
                Next::Refused(refusal) => self.refuse(refusal),
                Next::Head(start, end) => self.exchange(start, end),
            };
        }
        if after == After::Linger {
            self.linger();
        }
    }

    /// Waits for a complete head.
    fn next_head(&mut self) -> Next {
        let state = &self.wire.live.state;
        let head_ms = self.wire.shared.settings.head_ms;
        let fresh = state.view();
        let entered = if fresh.phase == Phase::Fresh {
            Ok(())
        } else if self.input.is_empty() {
            state.enter(
                Phase::Idle,
                monotonic_ms().saturating_add(self.wire.shared.settings.idle_ms),
            )
        } else {
            state.enter(Phase::Head, monotonic_ms().saturating_add(head_ms))
        };
        if entered.is_err() {
            return Next::Nothing;
        }
        let mut scan = Scan::default();
        loop {
            let had_bytes = !self.input.is_empty();
            if had_bytes {
                match scan.advance(self.input.bytes(), &self.limits) {
                    Ok(None) => {}
                    Ok(Some((start, end))) => return self.take_up(start, end),
                    Err(mut refusal) => {
                        // No head was parsed, and the shape of the answer goes by the path.
                        refusal.target = target_in(self.input.bytes());
                        return Next::Refused(refusal);
                    }
                }
                if matches!(state.view().phase, Phase::Fresh | Phase::Idle) {
                    let deadline_ms = match fresh.phase {
                        Phase::Fresh => fresh.deadline_ms,
                        _ => monotonic_ms().saturating_add(head_ms),
                    };
                    if let Err(cut) = state.enter(Phase::Head, deadline_ms)
                        && !self.survives(cut, had_bytes)
                    {
                        return Next::Nothing;
                    }
                }
            }
            let read = self.input.fill_even_if_cut(self.wire);
            let was_in_head = state.view().phase == Phase::Head;
            match (read, state.cut()) {
                (_, Some(Cut::Late)) if was_in_head => return Next::Refused(TOO_SLOW),
                (Ok(read), Some(cut)) if !self.survives(cut, read > 0) => return Next::Nothing,
                (Ok(0), _) if had_bytes => return Next::Refused(CUT_OFF),
                (Ok(0) | Err(_), _) => return Next::Nothing,
                (Ok(_), _) => {}
            }
        }
    }

    /// Goes on although the connection was cut, if a request had come just before.
    fn survives(&mut self, cut: Cut, has_bytes: bool) -> bool {
        if cut == Cut::Evicted || !has_bytes {
            return false;
        }
        self.is_last = true;
        let deadline_ms = monotonic_ms().saturating_add(self.wire.shared.settings.head_ms);
        self.wire.live.state.force(Phase::Head, deadline_ms);
        true
    }

    fn take_up(&mut self, start: usize, end: usize) -> Next {
        if let Err(cut) = self.wire.live.state.enter(Phase::Handling, NEVER) {
            if !self.survives(cut, true) {
                return Next::Nothing;
            }
            self.wire.live.state.force(Phase::Handling, NEVER);
        }
        Next::Head(start, end)
    }

    /// Answers one request.
    fn exchange(&mut self, start: usize, end: usize) -> After {
        let shared = self.wire.shared;
        self.began_ms = monotonic_ms();
        let _in_flight = InFlight::new(&shared.counters);
        let parsed = self
            .head
            .parse(&self.input.bytes()[start..end], &self.limits);
        self.input.consume(end);
        let ready = parsed.and_then(|()| {
            let framing = framing(&self.head)?;
            let target = Target::parse(
                self.head.method(),
                self.head.target(),
                shared.settings.query_pairs,
            )?;
            Ok((framing, target))
        });
        let (framing, target) = match ready {
            Ok(ready) => ready,
            Err(refusal) => return self.refuse(refusal),
        };
        let settings = &shared.settings;
        let mut progress = Progress::new(&framing, settings.body_ms, settings.transfer_credit_ms);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut request = Request {
                head: &self.head,
                target: &target,
                peer: self.wire.live.peer,
                trusted_proxies: &settings.trusted_proxies,
                body: Body {
                    progress: &mut progress,
                    input: &mut self.input,
                    wire: self.wire,
                },
            };
            shared.handler.handle(&mut request)
        }));
        let Ok(response) = outcome else {
            Counters::one_more(&shared.counters.panics);
            tracing::error!(target: "http", "a handler panicked");
            return self.refuse(BROKEN);
        };
        self.answer(response, framing, progress)
    }

    fn answer(&mut self, response: Response, framing: Framing, mut progress: Progress) -> After {
        if !is_sendable(&response) {
            tracing::error!(target: "http", "an answer had a malformed header or status");
            return self.refuse(BROKEN);
        }
        let mut manner = self.manner(framing.keep_alive);
        let left = progress.left(self.wire.shared.settings.drain_bytes);
        manner.keep_alive &= !self.is_last
            && left != Left::Unclear
            && !self.wire.shared.is_stopping()
            && allows_keep_alive(&response, manner);
        if !self.send(response, manner) {
            return After::Close;
        }
        if manner.keep_alive && (left == Left::Nothing || self.drain(&mut progress)) {
            return After::Next;
        }
        // A client that asked for the end and has sent everything waits for nothing but it.
        let expected = !framing.keep_alive && left == Left::Nothing && self.input.is_empty();
        if expected {
            After::Close
        } else {
            After::Linger
        }
    }

    fn manner(&self, keep_alive: bool) -> Manner {
        Manner {
            is_head: self.head.method() == "HEAD",
            version: self.head.version(),
            keep_alive,
        }
    }

    /// Reads an unread body away; says whether that came to its end.
    fn drain(&mut self, progress: &mut Progress) -> bool {
        // Writing is over, so reading may set deadlines again.
        if self.wire.live.state.enter(Phase::Handling, NEVER).is_err() {
            return false;
        }
        let mut left = self.wire.shared.settings.drain_bytes;
        let mut scratch = [0; 4_096];
        loop {
            match progress.read(&mut self.input, self.wire, &mut scratch) {
                Ok(0) => return true,
                Ok(read) if (read as u64) <= left => left -= read as u64,
                _ => return false,
            }
        }
    }

    /// Sends an answer of the server's own; the connection ends after it.
    fn refuse(&mut self, mut refusal: Refusal) -> After {
        let shared = self.wire.shared;
        if self.began_ms == 0 || self.head.method().is_empty() {
            self.began_ms = monotonic_ms();
        }
        if refusal.target.is_none() && !self.head.target().is_empty() {
            refusal.target = Some(self.head.target().to_owned());
        }
        let response = shared.refusal(&refusal);
        // A connection that was cut for being slow may still hear why.
        self.wire.live.state.force(Phase::Handling, NEVER);
        let manner = self.manner(false);
        if self.send(response, manner) {
            After::Linger
        } else {
            After::Close
        }
    }

    /// Sends an answer, counts it and tells the handler; says whether the connection still works.
    fn send(&mut self, response: Response, manner: Manner) -> bool {
        let shared = self.wire.shared;
        let status = response.status;
        let mut writer = Writer::new(self.wire);
        let date = self.date.at(shared.settings.clock.now_ms());
        let outcome = writer.send(response, manner, date, &mut self.out);
        shared.counters.answered(status);
        shared.handler.finished(&Exchange {
            method: self.head.method(),
            target: self.head.target(),
            peer: self.wire.live.peer,
            status,
            bytes_out: writer.sent,
            took_ms: monotonic_ms().saturating_sub(self.began_ms),
            complete: outcome.is_ok(),
        });
        if outcome.is_err() {
            self.wire.live.socket.reset_on_close();
        }
        outcome.is_ok()
    }

    /// Ends the answer, and reads on for a moment: a reset would take the answer away from the client.
    fn linger(&mut self) {
        let settings = &self.wire.shared.settings;
        let live = self.wire.live;
        live.socket.shutdown(std::net::Shutdown::Write);
        live.state.force(
            Phase::Lingering,
            monotonic_ms().saturating_add(settings.linger_ms),
        );
        let mut left = settings.linger_bytes;
        let mut scratch = [0; 4_096];
        while left > 0 {
            match self.wire.read(&mut scratch) {
                Ok(0) | Err(_) => return,
                Ok(read) => left = left.saturating_sub(read as u64),
            }
        }
    }
}

/// The manner of answers outside a request.
pub(crate) const LAST_WORDS: Manner = Manner {
    is_head: false,
    version: Version::Http11,
    keep_alive: false,
};
