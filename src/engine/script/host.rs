//! What the host offers to a script, and the limits that it keeps.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use rquickjs::{Ctx, Exception, Function, Object, Runtime};
use serde_json::Value;

use crate::clock::monotonic_us;

use super::{LOG_BYTES_MAX, LOGS_MAX, ScriptError, ScriptEvent, ScriptLimits, cut};
use crate::domain::run::LogLevel;

/// How many emissions are handed over together at least, unless the script pauses: what
/// takes them works beside it, and is woken once for all of them.
const TOGETHER: usize = 64;

/// How deep a text may be nested that is read by whoever takes it; the reader's own bound
/// is 128. What could be deeper is read here, so that the script hears of it.
const PLAIN_DEPTH: usize = 100;

/// What a script emitted, on its way to another thread.
pub(super) enum Emission {
    /// A message, as text that can be read.
    Data(String),
    /// Anything else.
    Event(ScriptEvent),
}

impl Emission {
    /// Returns the event, read where it is text.
    pub(super) fn into_event(self) -> Result<ScriptEvent, ScriptError> {
        match self {
            Self::Event(event) => Ok(event),
            Self::Data(json) => parse(&json)
                .map(ScriptEvent::Data)
                .map_err(|error| ScriptError::ours("Error", format!("emit('data'): {error}"))),
        }
    }
}

/// The host's side of one run: what was emitted, and whether it has to stop.
pub(super) struct Host {
    limits: ScriptLimits,
    /// When the time is up, on the monotonic clock.
    deadline_us: u64,
    /// Why the run has to stop; the first reason counts.
    stopped: RefCell<Option<ScriptError>>,
    /// What was emitted and not handed over yet.
    waiting: RefCell<Vec<Emission>>,
    /// Takes it.
    hand_over: Box<dyn Fn(Vec<Emission>)>,
    events: Cell<usize>,
    output_bytes: Cell<usize>,
    logs: Cell<usize>,
}

impl Host {
    /// Makes the host of one run, whose time begins now.
    pub(super) fn new(limits: ScriptLimits, hand_over: Box<dyn Fn(Vec<Emission>)>) -> Rc<Self> {
        let time_us = limits.time_ms.saturating_mul(1_000);
        Rc::new(Self {
            limits,
            deadline_us: monotonic_us().saturating_add(time_us),
            stopped: RefCell::new(None),
            waiting: RefCell::default(),
            hand_over,
            events: Cell::new(0),
            output_bytes: Cell::new(0),
            logs: Cell::new(0),
        })
    }

    /// Has the runtime ask again and again whether it has to stop.
    pub(super) fn guard(self: &Rc<Self>, runtime: &Runtime) {
        let host = Rc::clone(self);
        runtime.set_interrupt_handler(Some(Box::new(move || host.must_stop())));
    }

    /// Tells whether the run has to stop: its time is up, it was cancelled, or it met
    /// another limit.
    pub(super) fn must_stop(&self) -> bool {
        let cancelled = self.limits.cancelled.as_ref();
        if cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            self.stop(ScriptError::ours("AbortError", "the run was cancelled"));
        } else if self.left_us() == 0 {
            let message = format!("the script ran longer than {} ms", self.limits.time_ms);
            self.stop(ScriptError::ours("TimeoutError", message));
        }
        self.stopped.borrow().is_some()
    }

    /// Returns the time that is left, in microseconds.
    pub(super) fn left_us(&self) -> u64 {
        self.deadline_us.saturating_sub(monotonic_us())
    }

    /// Notes why the run has to stop.
    fn stop(&self, reason: ScriptError) {
        self.stopped.borrow_mut().get_or_insert(reason);
    }

    /// Returns the error that the run really ended with: a limit that it met comes
    /// before whatever that led to.
    pub(super) fn explain(&self, error: ScriptError) -> ScriptError {
        if let Some(stopped) = self.stopped.borrow_mut().take() {
            return stopped;
        }
        if error.name == "InternalError" && error.message == "out of memory" {
            let megabytes = self.limits.memory_bytes / (1024 * 1024);
            let message = format!("out of memory: a script may use {megabytes} MB");
            return ScriptError::ours("RangeError", message);
        }
        error
    }

    /// Hands over what was emitted since the last time.
    pub(super) fn drain(&self) {
        let waiting = self.waiting.take();
        if !waiting.is_empty() {
            (self.hand_over)(waiting);
        }
    }

    /// Notes an emission, and hands over what waits when it is much.
    fn push(&self, emission: Emission) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.push(emission);
        if waiting.len() >= TOGETHER {
            drop(waiting);
            self.drain();
        }
    }

    /// Makes the object of functions that the prelude gets: `emit(name, json)`,
    /// `log(level, text)` and `now()` in milliseconds.
    pub(super) fn hands<'js>(self: &Rc<Self>, ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
        let hands = Object::new(ctx.clone())?;
        let host = Rc::clone(self);
        let emit = move |ctx: Ctx<'js>, name: String, json: String| {
            host.emit(&name, json)
                .map_err(|message| Exception::throw_range(&ctx, &message))
        };
        hands.set("emit", Function::new(ctx.clone(), emit)?)?;
        let host = Rc::clone(self);
        let log = move |level: String, text: String| host.log(&level, text);
        hands.set("log", Function::new(ctx.clone(), log)?)?;
        hands.set("now", Function::new(ctx.clone(), now_ms)?)?;
        Ok(hands)
    }

    /// Takes an event in; the error is thrown to the script, and a limit ends the run.
    fn emit(&self, name: &str, json: String) -> Result<bool, String> {
        let limits = &self.limits;
        self.events.set(self.events.get() + 1);
        self.output_bytes.set(self.output_bytes.get() + json.len());
        let over = if json.len() > limits.message_bytes {
            Some(format!(
                "emit('{name}'): {} bytes are more than the {} of a message",
                json.len(),
                limits.message_bytes
            ))
        } else if self.output_bytes.get() > limits.output_bytes {
            let most = limits.output_bytes;
            Some(format!("the script emitted more than {most} bytes"))
        } else if self.events.get() > limits.events {
            let most = limits.events;
            Some(format!("the script emitted more than {most} events"))
        } else {
            None
        };
        if let Some(message) = over {
            self.stop(ScriptError::ours("RangeError", message.clone()));
            return Err(message);
        }
        if name == "data" && is_plain(&json) {
            self.push(Emission::Data(json));
            return Ok(true);
        }
        let value = parse(&json).map_err(|error| format!("emit('{name}'): {error}"))?;
        let event = event_of(name, value).ok_or_else(|| format!("no event is called '{name}'"))?;
        self.push(Emission::Event(event));
        Ok(true)
    }

    /// Takes a log line in; lines over the limit are dropped, after one that says so.
    fn log(&self, level: &str, mut message: String) {
        let logged = self.logs.get() + 1;
        self.logs.set(logged);
        if logged > LOGS_MAX + 1 {
            return;
        }
        let mut level = match level {
            "trace" => LogLevel::Trace,
            "debug" => LogLevel::Debug,
            "warn" => LogLevel::Warn,
            "error" => LogLevel::Error,
            _ => LogLevel::Info,
        };
        if logged > LOGS_MAX {
            level = LogLevel::Warn;
            message = format!("more than {LOGS_MAX} log lines in one run: the rest is dropped");
        }
        let message = cut(message, LOG_BYTES_MAX);
        let event = ScriptEvent::Log { level, message };
        self.push(Emission::Event(event));
    }
}

/// Tells whether a text that QuickJS stringified can be read whatever it holds: it has too
/// few brackets to be nested too deep, which is all that could be wrong with it.
fn is_plain(json: &str) -> bool {
    let opens = |byte: &u8| matches!(byte, b'{' | b'[');
    json.as_bytes().iter().filter(|byte| opens(byte)).count() <= PLAIN_DEPTH
}

/// Returns the milliseconds of the monotonic clock, for timers.
#[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
fn now_ms() -> f64 {
    monotonic_us() as f64 / 1_000.0
}

/// Makes the event of a name out of what the prelude made of its payload.
fn event_of(name: &str, value: Value) -> Option<ScriptEvent> {
    Some(match name {
        "data" => ScriptEvent::Data(value),
        "snapshot" => ScriptEvent::Snapshot(value),
        "updateSnapshot" => ScriptEvent::UpdateSnapshot(value),
        "httpReply" => ScriptEvent::HttpReply(value),
        "error" => ScriptEvent::Error(error_of(&value)?),
        "rebound" => ScriptEvent::Rebound(value.as_str()?.to_owned()),
        _ => return None,
    })
}

/// Reads the three texts in which the prelude describes an error.
fn error_of(value: &Value) -> Option<ScriptError> {
    let text = |at: usize| Some(value.get(at)?.as_str()?.to_owned());
    Some(ScriptError::theirs([text(0)?, text(1)?, text(2)?]))
}

/// Parses what a script stringified. JavaScript can hold halves of a surrogate pair,
/// which JSON writes as escapes and no text of ours can hold: they become U+FFFD.
fn parse(json: &str) -> serde_json::Result<Value> {
    serde_json::from_str(json).or_else(|error| {
        if json.contains("\\ud") {
            serde_json::from_str(&without_lone_surrogates(json))
        } else {
            Err(error)
        }
    })
}

/// Replaces escapes of surrogates: `JSON.stringify` writes whole pairs as themselves.
fn without_lone_surrogates(json: &str) -> String {
    let mut rest = json;
    let mut out = String::with_capacity(json.len());
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let is_surrogate = rest[at..].starts_with("\\ud")
            && rest[at + 3..].starts_with(['8', '9', 'a', 'b', 'c', 'd', 'e', 'f']);
        let escape = if is_surrogate { 6 } else { 2 };
        out.push_str(if is_surrogate {
            "\u{fffd}"
        } else {
            &rest[at..at + escape]
        });
        rest = &rest[at + escape..];
    }
    out.push_str(rest);
    out
}
