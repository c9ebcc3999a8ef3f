//! What a built-in component is: named functions that take a message and emit what
//! follows from it.
//!
//! A function never commits anything. It says what should happen, as [`Event`]s, and
//! the engine makes that durable in one transaction with the end of its input.

use std::cell::LazyCell;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::app::App;
use crate::domain::id::FlowId;
use crate::domain::organization::Owner;
use crate::domain::run::limits::RunLimits;
use crate::domain::run::message::size_of;
use crate::domain::run::{Failure, HttpReply, LogLevel, Message};

/// The most messages that one call may emit: a splitter over a large file fits, and
/// the outcome of one call stays one transaction.
pub const EMITTED_MAX: usize = 200_000;

/// What one call may emit in all: what a process of moderate size can hold.
pub const EMITTED_MAX_BYTES: usize = 256 * 1024 * 1024;

/// The largest snapshot (`runtime.md 4.6`).
pub const SNAPSHOT_MAX_BYTES: usize = 5 * 1024;

/// How a function is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It computes its output from its input alone, in little time: it runs in memory
    /// between two durable points, several at once, and again after a crash.
    Pure,
    /// It has state, takes time, or touches the world: its input is durable first, and
    /// the step's `prefetch` bounds how many run at once.
    Queued,
}

/// What a function is called with.
pub struct Work<'a> {
    /// The message that came in; for a polling trigger an empty one.
    pub message: &'a Arc<Message>,
    /// The node's fields merged with the keys of its credential.
    pub cfg: &'a Map<String, Value>,
    /// The step's snapshot; an empty object where there is none.
    pub snapshot: &'a Value,
    /// The outputs of the steps before, by step id; none where passthrough is off.
    pub passthrough: &'a dyn Passthrough,
    /// The flow's variables.
    pub variables: &'a Map<String, Value>,
    /// Which attempt this is, from 1; more after a rebound.
    pub attempt: u32,
    /// The wall time in milliseconds since 1970.
    pub now_ms: i64,
    /// What the function may use besides.
    pub tools: &'a Tools<'a>,
}

impl<'a> Work<'a> {
    /// Returns the outputs of the steps before, by step id; none where there is none.
    pub fn passthrough(&self) -> Option<&'a Map<String, Value>> {
        self.passthrough.members()
    }
}

/// The outputs of the steps before, by step id; gathered when somebody first asks, since
/// most functions never do.
pub trait Passthrough {
    /// Returns them; none where there is none.
    fn members(&self) -> Option<&Map<String, Value>>;
}

impl<F: FnOnce() -> Option<Map<String, Value>>> Passthrough
    for LazyCell<Option<Map<String, Value>>, F>
{
    fn members(&self) -> Option<&Map<String, Value>> {
        LazyCell::force(self).as_ref()
    }
}

/// What a function may use besides its message: verbs of the application, with the
/// eyes of the flow's owner.
pub struct Tools<'a> {
    /// The verbs: outgoing requests, mail, lookup tables, storage.
    pub app: &'a App,
    /// Whose flow it is.
    pub owner: Owner,
    /// The flow.
    pub flow: FlowId,
    /// The id of the step.
    pub step: &'a str,
}

/// What a function wants to happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A message for the next steps.
    Data(Arc<Message>),
    /// A failure that does not end the call; the step counts as failed.
    Error(Failure),
    /// The new snapshot, which replaces the old one.
    Snapshot(Value),
    /// Members to merge into the snapshot.
    UpdateSnapshot(Map<String, Value>),
    /// The input once more, later (`runtime.md 4.7`).
    Rebound(String),
    /// The answer to the waiting webhook call.
    Reply(HttpReply),
    /// An entry for the run's log.
    Log(LogLevel, String),
    /// A message for this very step, not before this time in milliseconds since 1970.
    Later(Message, i64),
    /// A value under a key of the step's own durable data; none removes it.
    Keep(String, Option<Value>),
}

/// Collects what a call emits, within its limits.
#[derive(Debug)]
pub struct Emitter {
    events: Vec<Event>,
    input: Option<(Arc<Message>, usize)>,
    sizes: Vec<usize>,
    messages: usize,
    bytes: usize,
    message_max_bytes: usize,
}

impl Default for Emitter {
    fn default() -> Self {
        Self::new(RunLimits::default().message_bytes)
    }
}

impl Emitter {
    /// Makes an emitter of messages whose bodies have at most so many bytes.
    pub fn new(message_max_bytes: usize) -> Self {
        Self {
            events: Vec::new(),
            input: None,
            sizes: Vec::new(),
            messages: 0,
            bytes: 0,
            message_max_bytes,
        }
    }

    /// Names the input, whose body has `bytes`: it is not measured again where it is
    /// passed on.
    #[must_use]
    pub fn of_input(self, message: &Arc<Message>, bytes: usize) -> Self {
        Self {
            input: Some((Arc::clone(message), bytes)),
            ..self
        }
    }

    /// Emits a message; refused where it is too large, or one too many.
    pub fn data(&mut self, message: impl Into<Arc<Message>>) -> Result<(), Failure> {
        let message = message.into();
        let bytes = match &self.input {
            Some((input, bytes)) if Arc::ptr_eq(input, &message) => *bytes,
            _ => size_of(&message.body),
        };
        check_size(bytes, self.message_max_bytes)?;
        self.messages += 1;
        self.bytes += bytes;
        if self.messages > EMITTED_MAX || self.bytes > EMITTED_MAX_BYTES {
            return Err(Failure::new(format!(
                "one call may emit at most {EMITTED_MAX} messages of {EMITTED_MAX_BYTES} bytes in all"
            )));
        }
        self.sizes.push(bytes);
        self.events.push(Event::Data(message));
        Ok(())
    }

    /// Emits a message of a body alone.
    pub fn body(&mut self, body: Value) -> Result<(), Failure> {
        self.data(Message::of_body(body))
    }

    /// Emits a snapshot; refused where it is too large.
    pub fn snapshot(&mut self, value: Value) -> Result<(), Failure> {
        check_snapshot(&value)?;
        self.events.push(Event::Snapshot(value));
        Ok(())
    }

    /// Adds an entry to the run's log.
    pub fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        self.events.push(Event::Log(level, text.into()));
    }

    /// Adds any other event.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Returns what was emitted, in order.
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// Returns what was emitted, in order, and the bytes of the bodies among it.
    pub fn into_measured(self) -> (Vec<Event>, Vec<usize>) {
        (self.events, self.sizes)
    }
}

/// Refuses a snapshot that is too large (`runtime.md 4.6`).
pub fn check_snapshot(value: &Value) -> Result<(), Failure> {
    let bytes = size_of(value);
    if bytes <= SNAPSHOT_MAX_BYTES {
        return Ok(());
    }
    Err(Failure::new(format!(
        "a snapshot has at most {SNAPSHOT_MAX_BYTES} bytes, and this one has {bytes}"
    )))
}

/// Refuses the body of a message that is too large.
pub fn check_size(bytes: usize, max_bytes: usize) -> Result<(), Failure> {
    if bytes > max_bytes {
        return Err(Failure::new(format!(
            "Outgoing message size {bytes} exceeds limit of {max_bytes}."
        )));
    }
    Ok(())
}

/// Runs one message. An error is the step's, after whatever was emitted before it.
pub type Process = fn(&Work<'_>, &mut Emitter) -> Result<(), Failure>;

/// Checks the configuration of a step before it runs: half a sentence a fault, such as
/// `has no expression`.
pub type CheckConfig = fn(&Map<String, Value>) -> Vec<String>;

/// Says the same of what a configuration needs to be there: a lookup table.
pub type CheckNeeds = fn(&Map<String, Value>, &Tools<'_>) -> Vec<String>;

/// Answers a service call with a configuration: a select model or a meta model.
pub type Service = fn(&Map<String, Value>, &Tools<'_>) -> Result<Value, Failure>;

/// Returns how many milliseconds a message waits before a step with this configuration
/// begins with it.
pub type Delay = fn(&Map<String, Value>) -> i64;

/// A trigger or an action.
pub struct Function {
    /// Its name, as the descriptor has it.
    pub name: &'static str,
    /// How it is run.
    pub nature: Nature,
    /// Whether it may answer a waiting webhook call.
    pub may_reply: bool,
    /// Whether its messages are worked on one after the other, whatever the step's
    /// `prefetch`: it keeps data between them.
    pub is_serial: bool,
    /// How long the step rests before each message, without a worker.
    pub delay: Option<Delay>,
    /// What it does.
    pub process: Process,
    /// What must be true of its configuration.
    pub check: CheckConfig,
    /// What its configuration needs to be there.
    pub needs: Option<CheckNeeds>,
    /// The methods of its select models.
    pub select_models: &'static [(&'static str, Service)],
    /// What makes its metadata, where the descriptor says `dynamicMetadata`.
    pub meta_model: Option<Service>,
}

impl Function {
    /// Makes a function that needs no check and has no service.
    pub const fn new(name: &'static str, nature: Nature, process: Process) -> Self {
        Self {
            name,
            nature,
            may_reply: false,
            is_serial: false,
            delay: None,
            process,
            check: accept_all,
            needs: None,
            select_models: &[],
            meta_model: None,
        }
    }

    /// Sets what must be true of its configuration.
    #[must_use]
    pub const fn checked_by(mut self, check: CheckConfig) -> Self {
        self.check = check;
        self
    }

    /// Sets what its configuration needs to be there.
    #[must_use]
    pub const fn needing(mut self, needs: CheckNeeds) -> Self {
        self.needs = Some(needs);
        self
    }

    /// Says that its messages are worked on one after the other.
    #[must_use]
    pub const fn serial(mut self) -> Self {
        self.is_serial = true;
        self
    }

    /// Sets how long the step rests before each message.
    #[must_use]
    pub const fn delayed_by(mut self, delay: Delay) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Says that it may answer a waiting webhook call.
    #[must_use]
    pub const fn replying(mut self) -> Self {
        self.may_reply = true;
        self
    }

    /// Sets the methods of its select models.
    #[must_use]
    pub const fn with_models(mut self, models: &'static [(&'static str, Service)]) -> Self {
        self.select_models = models;
        self
    }

    /// Sets what makes its metadata.
    #[must_use]
    pub const fn with_meta_model(mut self, service: Service) -> Self {
        self.meta_model = Some(service);
        self
    }
}

/// Accepts any configuration.
fn accept_all(_: &Map<String, Value>) -> Vec<String> {
    Vec::new()
}

/// A built-in component.
pub struct BuiltIn {
    /// The slug of its repository in the team `elasticio`.
    pub name: &'static str,
    /// Its triggers and actions.
    pub functions: &'static [Function],
    /// What tells whether the keys of a credential work: `{verified, reason?}`.
    pub verify: Option<Service>,
}

impl BuiltIn {
    /// Returns the function called `name`.
    pub fn function(&self, name: &str) -> Option<&'static Function> {
        self.functions.iter().find(|function| function.name == name)
    }
}
