//! One message through one function, without a flow: for whoever writes a component.
//!
//! The process is started, shut in and spoken to as that of a step. What it emits goes to
//! whoever asked, and is kept nowhere.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

use super::cipher::Cipher;
use super::desk::name_of;
use super::member::{
    DATA_KEY, ERROR_KEY, LEAVE_LIMIT_MS, REBOUND_KEY, REPLY_PREFIX, SNAPSHOT_KEY, sealed,
};
use super::outcome::{opened, rejected, text_of};
use super::process::{How, Launch, Scratch, confined, each_line, signal};
use crate::amqp::{
    ClientId, Confirm, Consumer, Delivery, Handler, Published, Server, Settings, Settlement,
};
use crate::app::env_var::EnvVars;
use crate::app::step_run::StepRun;
use crate::clock::monotonic_ms;
use crate::domain::id::{ComponentId, CredentialId, FlowId, RawId};
use crate::domain::organization::Owner;
use crate::domain::run::{Failure, LogLevel};
use crate::domain::{Error, Kind, Result};
use crate::engine::shared::Shared;

/// The id of the step, as a first step of a flow has it.
const STEP: &str = "step_1";

/// How long the last words of a process are waited for.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What is run, and with what. It holds secrets: no `Debug`.
pub struct SingleRun {
    /// The folder of the component, installed.
    pub folder: PathBuf,
    /// The trigger or action.
    pub function: String,
    /// The fields merged with the keys of the credential.
    pub fields: Map<String, Value>,
    /// The credential that the component may change.
    pub credential: Option<CredentialId>,
    /// The snapshot that it begins with.
    pub snapshot: Value,
    /// The message.
    pub message: Value,
    /// The component's environment variables.
    pub variables: EnvVars,
    /// For whom it runs.
    pub owner: Owner,
    /// How long it may take in all, in milliseconds.
    pub limit_ms: u64,
    /// How long it is listened to after its message ended, in milliseconds.
    pub linger_ms: u64,
}

/// What a component emits (`runtime.md 2.2`), and what it logs.
#[derive(Clone, Debug, PartialEq)]
pub enum Emission {
    /// A message for the next steps.
    Data(Value),
    /// An error.
    Error(Failure),
    /// A snapshot, which replaces the one before.
    Snapshot(Value),
    /// Members to merge into the snapshot.
    UpdateSnapshot(Value),
    /// The message is wanted again later, and why.
    Rebound(String),
    /// The answer to a webhook call.
    Reply(Value),
    /// The message ended.
    End,
    /// An entry of the log.
    Log(LogLevel, String),
}

/// What happens to the process.
enum Event {
    Emitted(Emission),
    /// It ended its message; whether by a rejection.
    Settled(bool),
    Exited(io::Result<std::process::ExitStatus>),
}

/// What stands behind the endpoint of one process.
struct Bench {
    name: String,
    password: String,
    cipher: Cipher,
    delivery: Delivery,
    events: Sender<Event>,
}

impl Handler for Bench {
    fn sign_in(&self, user: &str, password: &str) -> Option<ClientId> {
        let is_right = self.password.as_bytes().ct_eq(password.as_bytes());
        (user == self.name && bool::from(is_right)).then_some(1)
    }

    fn consume(&self, _: ClientId, queue: &str, consumer: Consumer) -> Result<(), String> {
        if queue != self.name {
            return Err("that queue is another's".to_owned());
        }
        // One that is gone already comes again.
        let _is_there = consumer.deliver(self.delivery.clone());
        Ok(())
    }

    fn settle(&self, _: ClientId, _: u64, how: Settlement) {
        let is_rejected = match how {
            Settlement::Acked => false,
            Settlement::Rejected { .. } => true,
            Settlement::Returned => return,
        };
        let _heard = self.events.send(Event::Settled(is_rejected));
    }

    fn publish(&self, _: ClientId, message: Published, confirm: Confirm) {
        if let Some(emission) = self.read(&message) {
            let _heard = self.events.send(Event::Emitted(emission));
        }
        confirm.accept();
    }

    fn cancelled(&self, _: ClientId, _: &str) {}
}

impl Bench {
    /// Reads what was published.
    fn read(&self, message: &Published) -> Option<Emission> {
        let headers = &message.properties.headers;
        match message.routing_key.as_str() {
            DATA_KEY => opened(&self.cipher, message).map(Emission::Data),
            ERROR_KEY => {
                let sent: Value = serde_json::from_slice(&message.body).ok()?;
                let text = sent.get("error").and_then(Value::as_str)?;
                let error = self.cipher.open(text.as_bytes())?;
                Some(Emission::Error(Failure::from_value(&error)))
            }
            REBOUND_KEY => {
                let reason = text_of(headers, "reboundReason");
                Some(Emission::Rebound(reason.unwrap_or_default()))
            }
            SNAPSHOT_KEY => {
                let value = serde_json::from_slice(&message.body).ok()?;
                let is_update =
                    text_of(headers, "snapshotEvent").as_deref() == Some("updateSnapshot");
                Some(if is_update {
                    Emission::UpdateSnapshot(value)
                } else {
                    Emission::Snapshot(value)
                })
            }
            _ => opened(&self.cipher, message).map(Emission::Reply),
        }
    }
}

/// Runs it; `hear` is told what the component emits and logs, as it comes.
pub(in crate::engine) fn run(
    shared: &Arc<Shared>,
    run: &SingleRun,
    hear: &mut dyn FnMut(Emission),
) -> Result<()> {
    let number = shared.fleet.next_number();
    let secret = shared.app.new_process_secret();
    let (to, events) = unbounded();
    let bench = Bench {
        name: name_of(number),
        password: secret.0.clone(),
        cipher: Cipher::new(&secret.0, secret.1),
        delivery: delivery(shared, &secret, run),
        events: to.clone(),
    };
    let server = Server::start(Settings::default(), Arc::new(bench)).map_err(unstarted)?;
    let step = step_run(run);
    let key = shared.app.begin_step_run(step_run(run));
    let launch = Launch::single(number, run, &step, key.clone(), secret);
    let ran = started(shared, &launch, run, &server, &to)
        .map_err(unstarted)
        .map(|(group, _scratch)| {
            listen(&events, group, run, hear);
            signal(group, How::Kill);
        });
    shared.app.end_step_run(&key);
    server.stop();
    ran
}

/// Returns what the process may know of its step.
fn step_run(run: &SingleRun) -> StepRun {
    let nobody = RawId::from_parts(0, [0; 8]);
    StepRun {
        flow: FlowId::new(nobody),
        step: STEP.to_owned(),
        owner: run.owner,
        component: ComponentId::new(nobody),
        function: run.function.clone(),
        config: run.fields.clone(),
        credential: run.credential,
        passes_through: false,
        variables: Map::new(),
        snapshot: Some(run.snapshot.clone()),
        startup: None,
        result: None,
    }
}

/// Returns the message as the process is given it. Whoever waits for a reply is there, so
/// that components which reply may.
fn delivery(shared: &Shared, secret: &(String, [u8; 16]), single: &SingleRun) -> Delivery {
    let run = shared.app.new_execution_id().to_string();
    let flow = FlowId::new(RawId::from_parts(0, [0; 8]));
    let mut headers = Map::new();
    for (name, value) in [
        ("messageId", shared.app.new_request_id()),
        ("threadId", run.clone()),
        ("execId", run.clone()),
        // The first sailors refuse a message of another flow.
        ("taskId", flow.to_string()),
        ("userId", single.owner.user.to_string()),
        ("reply_to", format!("{REPLY_PREFIX}{run}")),
    ] {
        headers.insert(name.to_owned(), json!(value));
    }
    headers.insert("protocolVersion".to_owned(), json!(1));
    sealed(
        &Cipher::new(&secret.0, secret.1),
        1,
        headers,
        &single.message,
    )
}

/// Starts the process; returns its group, and its folder, which goes when dropped.
fn started(
    shared: &Arc<Shared>,
    launch: &Launch,
    run: &SingleRun,
    server: &Server,
    events: &Sender<Event>,
) -> io::Result<(Option<rustix::process::Pid>, Scratch)> {
    let api = shared.fleet.api();
    let api = api.ok_or_else(|| io::Error::other("the server is not ready"))?;
    let scratch = Scratch::make(shared, launch.number)?;
    let addresses = (api, server.address());
    let mut child = confined(shared, launch, &run.variables, &scratch, addresses)?;
    let listen = |stream: Option<Box<dyn io::Read + Send>>, level| {
        let events = events.clone();
        if let Some(stream) = stream {
            each_line(stream, level, move |line| {
                let _heard = events.send(Event::Emitted(Emission::Log(line.level, line.text)));
            });
        }
    };
    let stdout = child.stdout.take();
    listen(stdout.map(|it| Box::new(it) as _), LogLevel::Info);
    let stderr = child.stderr.take();
    listen(stderr.map(|it| Box::new(it) as _), LogLevel::Warn);
    let (group, events) = (child.group, events.clone());
    crate::thread::spawn("sailor-single", None, move || {
        let _heard = events.send(Event::Exited(child.wait()));
    })?;
    Ok((group, scratch))
}

/// Listens until the process is gone.
fn listen(
    events: &Receiver<Event>,
    group: Option<rustix::process::Pid>,
    run: &SingleRun,
    hear: &mut dyn FnMut(Emission),
) {
    let mut until_ms = monotonic_ms() + run.limit_ms;
    let (mut has_failed, mut is_over, mut is_asked) = (false, false, false);
    loop {
        let left_ms = until_ms.saturating_sub(monotonic_ms());
        let Ok(event) = events.recv_timeout(Duration::from_millis(left_ms)) else {
            if is_asked {
                // It does not want to end; its message did.
                return;
            }
            if is_over {
                signal(group, How::Leave);
                is_asked = true;
                until_ms = monotonic_ms() + LEAVE_LIMIT_MS;
                continue;
            }
            let limit_s = run.limit_ms / 1_000;
            let text = format!("the message did not end within {limit_s} s");
            return hear(Emission::Error(Failure::named("TimeoutError", text)));
        };
        match event {
            Event::Emitted(emission) => {
                has_failed |= matches!(emission, Emission::Error(_));
                hear(emission);
            }
            Event::Settled(is_rejected) => {
                if is_rejected && !has_failed {
                    hear(Emission::Error(rejected()));
                }
                has_failed |= is_rejected;
                hear(Emission::End);
                is_over = true;
                until_ms = monotonic_ms() + run.linger_ms;
            }
            Event::Exited(how) => {
                // Pipes are read on other threads: what it said last is still to come.
                while let Ok(Event::Emitted(emission)) = events.recv_timeout(LAST_WORDS) {
                    has_failed |= matches!(emission, Emission::Error(_));
                    hear(emission);
                }
                if !is_over && !has_failed {
                    let how = how.map_or_else(|it| it.to_string(), |it| it.to_string());
                    let text = format!("the process ended before its message did: {how}");
                    hear(Emission::Error(Failure::new(text)));
                }
                return;
            }
        }
    }
}

/// Returns the error of a process that could not be started.
fn unstarted(error: io::Error) -> Error {
    let text = format!("the component can't be started: {error}");
    Error::new(Kind::Unavailable, text).caused_by(error)
}
