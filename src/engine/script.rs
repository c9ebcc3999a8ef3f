//! The author's JavaScript: one run for one message, in a sandbox of its own.
//!
//! A pure library: the message goes in, events come out, nothing survives. Each run
//! has a fresh QuickJS runtime and context (about half a millisecond), with limits of
//! time, memory and stack; no files, no network and no modules. What a script sees is
//! made in `script/prelude.js`; what the host offers to it, in `script/host.rs`; the
//! loop that drives jobs and timers, in `script/drive.rs`; the thread that it runs on,
//! in `script/thread.rs`.
//!
//! The rules are those of the platform's code component (runtime.md 2.1, 2.2 and 7):
//! what `run` returns is the body, `emit` is asynchronous, a throw is the step's error.

mod drive;
mod host;
mod thread;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossbeam_channel::Sender;
use rquickjs::context::EvalOptions;
use rquickjs::{Context, Ctx, Promise, Runtime};
use serde_json::Value;
use thiserror::Error;

use host::{Emission, Host};

use crate::domain::run::LogLevel;

/// How long a run may take (settled.md "Engine").
pub const TIME_MS_MAX: u64 = 30_000;

/// How much memory a run may hold (settled.md "Engine").
pub const MEMORY_BYTES_MAX: usize = 128 * 1024 * 1024;

/// How much stack a run may use: thousands of calls deep, and small enough for a
/// thread a script.
const STACK_BYTES_MAX: usize = 512 * 1024;

/// How large one emitted value may be: the platform's limit of a message.
pub const MESSAGE_BYTES_MAX: usize = 10 * 1024 * 1024;

/// How large everything that a run emits may be together: it waits outside of the
/// run's own memory until the step is committed.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How many events a run may emit: as many messages as a step's queue may hold.
pub const EVENTS_MAX: usize = 75_000;

/// How many log lines of one run are kept; a loop that logs must not fill the disk.
pub const LOGS_MAX: usize = 1_000;

/// How long a log line may be; the rest of it is cut.
pub const LOG_BYTES_MAX: usize = 8 * 1024;

/// How long an error's message or stack may be; the rest of it is cut. They are kept
/// with the step, and shown to people.
pub const ERROR_BYTES_MAX: usize = 16 * 1024;

/// How long the code itself may be: far above what anybody writes by hand, and short
/// enough for the parser, which can't be interrupted.
pub const CODE_BYTES_MAX: usize = 1024 * 1024;

/// How long code is parsed at most: a megabyte of it takes a tenth of a second.
const CHECK_TIME_MS: u64 = 5_000;

/// The file that the author's code is to stacks and messages.
const CODE_FILE: &str = "code.js";

/// The file that our own part is; its frames are left out of stacks.
const PRELUDE_FILE: &str = "elastane.js";

/// What surrounds every script.
const PRELUDE: &str = include_str!("script/prelude.js");

/// What stands before code that is only checked: it is parsed whole and ends at once.
const GUARD: &str = "throw 0;";

/// What one run of a script works on; the script gets copies.
#[derive(Clone, Copy, Debug)]
pub struct ScriptInput<'a> {
    /// The author's JavaScript.
    pub code: &'a str,
    /// The message: `body`, `headers`, `attachments`, `passthrough` and so on.
    pub msg: &'a Value,
    /// The step's fields with its credential's keys.
    pub cfg: &'a Value,
    /// The step's snapshot as it is now.
    pub snapshot: &'a Value,
    /// The flow's variables, behind `getFlowVariables()`.
    pub variables: &'a Value,
}

/// What one run of a script may use.
#[derive(Clone, Debug)]
pub struct ScriptLimits {
    /// How long the run may take, in milliseconds.
    pub time_ms: u64,
    /// How much memory the script's values may take together, in bytes.
    pub memory_bytes: usize,
    /// How large one emitted value may be as JSON, in bytes.
    pub message_bytes: usize,
    /// How large all emitted values may be together as JSON, in bytes.
    pub output_bytes: usize,
    /// How many events the run may emit, log lines apart.
    pub events: usize,
    /// Ends the run soon after somebody sets it: a cancelled execution, a stop.
    pub cancelled: Option<Arc<AtomicBool>>,
}

impl Default for ScriptLimits {
    fn default() -> Self {
        Self {
            time_ms: TIME_MS_MAX,
            memory_bytes: MEMORY_BYTES_MAX,
            message_bytes: MESSAGE_BYTES_MAX,
            output_bytes: OUTPUT_BYTES_MAX,
            events: EVENTS_MAX,
            cancelled: None,
        }
    }
}

/// What a script emits, in the order in which it does.
#[derive(Clone, Debug, PartialEq)]
pub enum ScriptEvent {
    /// A message for the next steps: an object, as a rule with `body` and `headers`.
    Data(Value),
    /// The step's new snapshot: an object or an array.
    Snapshot(Value),
    /// What to merge into the step's snapshot: an object or an array.
    UpdateSnapshot(Value),
    /// An error that does not end the run.
    Error(ScriptError),
    /// The message is to come again later, for this reason.
    Rebound(String),
    /// The answer to the waiting call: `{statusCode, body, headers}`.
    HttpReply(Value),
    /// A line for the log of the run.
    Log {
        /// How serious it is.
        level: LogLevel,
        /// The line, at most [`LOG_BYTES_MAX`] long.
        message: String,
    },
}

/// Why a script failed, as the platform's errors are told: in the author's terms.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[error("{name}: {message}")]
pub struct ScriptError {
    /// The error's name, such as `TypeError`.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Its own line and the author's frames (`at run (code.js:3:11)`), or
    /// `Not Available`.
    pub stack: String,
    /// The HTTP status that it names, from 400 to 599.
    pub status: Option<u16>,
}

impl ScriptError {
    /// Makes an error of ours, which has no frames.
    fn ours(name: &str, message: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            message: message.into(),
            stack: "Not Available".to_owned(),
            status: None,
        }
    }

    /// Makes the error of a script out of its texts, which may be of any length.
    fn theirs([name, message, stack]: [String; 3]) -> Self {
        Self {
            name: cut(name, ERROR_BYTES_MAX),
            message: cut(message, ERROR_BYTES_MAX),
            stack: cut(stack, ERROR_BYTES_MAX),
            status: None,
        }
    }
}

/// Cuts a text to at most `bytes`, between characters.
fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text.shrink_to_fit();
    text
}

/// What the thread of a run sends.
enum Sent {
    Emitted(Vec<Emission>),
    Ended(Result<(), ScriptError>),
}

/// Runs a script for one message and hands over what it emits, as it does.
///
/// Ends when nothing is left to do: `run` has settled, no job waits, no timer is set;
/// or soon after `emit('end')`; and always within a second of the time limit. What was
/// emitted before an error was handed over already: it is the caller's to keep it or
/// not. The error is the script's own, or ours when it met a limit (`TimeoutError`,
/// `RangeError`, `AbortError` when it was cancelled).
pub fn run(
    input: &ScriptInput,
    limits: &ScriptLimits,
    emit: &mut dyn FnMut(ScriptEvent),
) -> Result<(), ScriptError> {
    refuse_long_code(input.code)?;
    let given = drive::Given {
        code: input.code.to_owned(),
        values: [input.msg, input.cfg, input.snapshot, input.variables].map(Value::to_string),
    };
    let limits = limits.clone();
    let time_ms = limits.time_ms;
    let body = move |sender: &Sender<Sent>| {
        run_here(&given, limits, sender);
    };
    let lost = "the script's thread broke down";
    let mut outcome = Err(ScriptError::ours("InternalError", lost));
    let mut unread = None;
    thread::watch(time_ms, body, &mut |sent| match sent {
        Sent::Emitted(emissions) => {
            for emission in emissions {
                match emission.into_event() {
                    Ok(event) => emit(event),
                    Err(error) => drop(unread.get_or_insert(error)),
                }
            }
        }
        Sent::Ended(ended) => outcome = ended,
    })?;
    outcome.and_then(|()| unread.map_or(Ok(()), Err))
}

/// Runs a script on this thread, and tells how it ended before the sandbox is taken
/// down, which takes a while when it is full.
fn run_here(given: &drive::Given, limits: ScriptLimits, sender: &Sender<Sent>) {
    // Nobody listens any more when the run was given up.
    let send = |sent| drop(sender.send(sent));
    let (runtime, context) = match sandbox(&limits) {
        Ok(made) => made,
        Err(error) => return send(Sent::Ended(Err(error))),
    };
    let events = sender.clone();
    let hand_over = move |emitted| drop(events.send(Sent::Emitted(emitted)));
    let host = Host::new(limits, Box::new(hand_over));
    host.guard(&runtime);
    let rejections = drive::track(&runtime);
    let outcome = context.with(|ctx| drive::run(&ctx, given, &host, &rejections));
    host.drain();
    send(Sent::Ended(outcome.map_err(|error| host.explain(error))));
}

/// Tells whether code can be parsed; it is not run.
///
/// The error says what is wrong and where, for the one who saves it:
/// `SyntaxError: expecting ';' (line 2, column 7)`.
pub fn check(code: &str) -> Result<(), String> {
    refuse_long_code(code).map_err(|error| error.message)?;
    let guarded = format!("{GUARD}{code}");
    let body = move |sender: &Sender<Result<(), String>>| {
        let checked = sandbox(&ScriptLimits::default())
            .map_err(|error| error.message)
            .and_then(|(_runtime, context)| context.with(|ctx| check_here(&ctx, &guarded)));
        // Nobody listens any more when the check was given up.
        drop(sender.send(checked));
    };
    let mut checked = Err("the code can't be checked".to_owned());
    thread::watch(CHECK_TIME_MS, body, &mut |sent| checked = sent)
        .map_err(|error| error.message)?;
    checked
}

/// Parses guarded code.
fn check_here(ctx: &Ctx<'_>, guarded: &str) -> Result<(), String> {
    match evaluate(ctx, guarded) {
        Ok(_) => Ok(()),
        Err(_) => Err(drive::syntax_error(ctx, GUARD.len())),
    }
}

/// Refuses code that the parser should not see.
fn refuse_long_code(code: &str) -> Result<(), ScriptError> {
    if code.len() > CODE_BYTES_MAX {
        let message = format!("the code is longer than {CODE_BYTES_MAX} bytes");
        return Err(ScriptError::ours("RangeError", message));
    }
    if code.contains('\0') {
        let message = "the code holds a NUL character";
        return Err(ScriptError::ours("SyntaxError", message));
    }
    Ok(())
}

/// Makes the runtime and the context of one run.
fn sandbox(limits: &ScriptLimits) -> Result<(Runtime, Context), ScriptError> {
    let no_memory = |_| ScriptError::ours("RangeError", "there is no memory for a script");
    let runtime = Runtime::new().map_err(no_memory)?;
    runtime.set_max_stack_size(STACK_BYTES_MAX);
    let context = Context::full(&runtime).map_err(no_memory)?;
    runtime.set_memory_limit(limits.memory_bytes);
    Ok((runtime, context))
}

/// Evaluates the author's code as a script, with `await` allowed at its top level.
fn evaluate<'js>(ctx: &Ctx<'js>, code: &str) -> rquickjs::Result<Promise<'js>> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.promise = true;
    options.filename = Some(CODE_FILE.to_owned());
    ctx.eval_with_options(code, options)
}
