//! One process: started, listened to, and seen off.

use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::jail::{Confined, Jail, Output};
use super::log::{self, Line};
use super::member::Key;
use super::{RUN, SailorOptions, SingleRun, environment};
use crate::app::env_var::EnvVars;
use crate::app::step_run::{StepKey, StepRun};
use crate::clock::monotonic_ms;
use crate::domain::Error;
use crate::domain::id::{ComponentId, FlowId};
use crate::domain::run::LogLevel;
use crate::domain::run::part::NewLogEntry;
use crate::engine::plan::{FlowPlan, Program};
use crate::engine::shared::Shared;

/// The longest line that is read; the rest of a longer one is skipped.
const LINE_MAX_BYTES: u32 = 64 * 1024;

/// The lines of one process that are kept in a minute: a loop that logs is not worth a
/// disk.
const LINES_A_MINUTE: u32 = 1_000;

/// How long lines gather before they are read on: a sailor writes some for each message,
/// and waking up for each of them costs more than reading it. A pipe holds many times what
/// comes meanwhile.
const LINES_PAUSE: Duration = Duration::from_millis(5);

/// What sailors say of hooks that are not there.
const NO_HOOK: &str = "invokeModuleFunction";

/// The script that every process runs first, in its own folder.
const PRELOAD: &str = ".preload.js";

/// What a process is started with. It holds secrets: no `Debug`.
pub(super) struct Launch {
    pub(super) number: u64,
    pub(super) flow: String,
    pub(super) step: String,
    pub(super) exec_id: String,
    pub(super) workspace: String,
    pub(super) user: String,
    pub(super) component: ComponentId,
    pub(super) function: String,
    pub(super) key: StepKey,
    pub(super) password: String,
    pub(super) iv: String,
    pub(super) prefetch: usize,
    pub(super) rebound_limit: u32,
    pub(super) needs_startup: bool,
    /// Whether it takes back what the start-up hook did, and ends.
    pub(super) is_shutdown: bool,
    flow_id: FlowId,
    has_startup: bool,
    folder: PathBuf,
}

impl Launch {
    /// Gathers what the process `number` is started with.
    pub(super) fn of(
        number: u64,
        (plan, step): (&FlowPlan, usize),
        program: &Program,
        key: StepKey,
        secret: &(String, [u8; 16]),
        prefetch: usize,
    ) -> Self {
        let owner = plan.owner;
        let workspace = owner.organization.map_or_else(
            || owner.user.to_string(),
            |organization| organization.to_string(),
        );
        Self {
            number,
            flow: plan.flow.to_string(),
            step: plan.steps[step].id.to_string(),
            exec_id: format!("{number:032x}"),
            workspace,
            user: owner.user.to_string(),
            component: program.build.component,
            function: program.function.clone(),
            key,
            password: secret.0.clone(),
            iv: String::from_utf8_lossy(&secret.1).into_owned(),
            prefetch,
            rebound_limit: 0,
            needs_startup: false,
            is_shutdown: false,
            flow_id: plan.flow,
            has_startup: plan.first == step && program.has_startup,
            folder: program.build.folder.clone(),
        }
    }

    /// Gathers what the process of a single run is started with.
    pub(super) fn single(
        number: u64,
        run: &SingleRun,
        step: &StepRun,
        key: StepKey,
        secret: (String, [u8; 16]),
    ) -> Self {
        Self {
            number,
            flow: step.flow.to_string(),
            step: step.step.clone(),
            exec_id: format!("{number:032x}"),
            workspace: step.owner.user.to_string(),
            user: step.owner.user.to_string(),
            component: step.component,
            function: step.function.clone(),
            key,
            password: secret.0,
            iv: String::from_utf8_lossy(&secret.1).into_owned(),
            prefetch: 1,
            rebound_limit: 0,
            needs_startup: false,
            is_shutdown: false,
            flow_id: step.flow,
            has_startup: false,
            folder: run.folder.clone(),
        }
    }
}

/// Returns what a process of a step may know.
pub(super) fn step_run(plan: &FlowPlan, step: usize, program: &Program) -> StepRun {
    let step = &plan.steps[step];
    StepRun {
        flow: plan.flow,
        step: step.id.to_string(),
        owner: plan.owner,
        component: program.build.component,
        function: program.function.clone(),
        config: step.cfg.clone(),
        credential: step.credential,
        passes_through: step.passes_through,
        variables: plan.variables.clone(),
        snapshot: None,
        startup: None,
        result: None,
    }
}

/// Starts a process on a thread that sees it off.
pub(super) fn start(shared: &Arc<Shared>, mut launch: Launch) -> io::Result<()> {
    let shared = Arc::clone(shared);
    let name = format!("sailor-{}", launch.number);
    crate::thread::spawn(&name, None, move || {
        let number = launch.number;
        launch.rebound_limit = shared.options.rebound_limit;
        let how = match run(&shared, &mut launch) {
            Ok(how) => how,
            Err(error) => format!("the process can't be started: {error}"),
        };
        shared.fleet.exited(number, &how);
    })
    .map(drop)
}

/// Runs a process to its end, and says how it ended.
fn run(shared: &Arc<Shared>, launch: &mut Launch) -> io::Result<String> {
    let (Some(api), Some(amqp)) = (shared.fleet.api(), shared.fleet.endpoint()) else {
        return Err(io::Error::other("the server is stopping"));
    };
    if launch.has_startup {
        let kept = shared.app.startup_data(launch.flow_id, &launch.step);
        launch.needs_startup = kept.map_err(|error| told(&error))?.is_none();
    }
    let scratch = Scratch::make(shared, launch.number)?;
    let own = shared.app.variables_of_component(launch.component);
    let own = own.map_err(|error| told(&error))?;
    let mut child = confined(shared, launch, &own, &scratch, (api, amqp))?;
    let group = child.group;
    begun(shared, launch.number, group);
    if let Some(stream) = child.stdout.take() {
        listen(shared, launch, stream, LogLevel::Info);
    }
    if let Some(stream) = child.stderr.take() {
        listen(shared, launch, stream, LogLevel::Warn);
    }
    let status = child.wait();
    // Children that it left behind go with it.
    signal(group, How::Kill);
    // What it said last is about messages that are known as its own until this returns.
    std::thread::sleep(LINES_PAUSE * 2);
    Ok(match status {
        Ok(status) => format!("the process ended: {status}"),
        Err(error) => format!("the process was ended: {error}"),
    })
}

/// Writes into the flow's log that a process died that had begun to work.
pub(super) fn note_death(shared: &Shared, key: &Key, how: &str) {
    let entry = NewLogEntry {
        step: Some(key.step.clone()),
        at_ms: shared.app.now_ms(),
        level: LogLevel::Warn,
        message: how.to_owned(),
        run: None,
    };
    shared.app.log_step_later(key.flow, vec![(None, entry)]);
}

/// Starts the process of a step in its jail: what it is told, and the addresses of the API
/// and of the AMQP endpoint.
pub(super) fn confined(
    shared: &Shared,
    launch: &Launch,
    own: &EnvVars,
    scratch: &Scratch,
    (api, amqp): (SocketAddr, SocketAddr),
) -> io::Result<Confined> {
    let options: &SailorOptions = &shared.fleet.options;
    let mut command = node(scratch, RUN);
    command
        .current_dir(&launch.folder)
        .env_clear()
        .envs(environment::basis(own, &scratch.path, options))
        .envs(environment::of_step(launch, api, amqp));
    let network = shared.app.component_network(launch.component);
    let network = network.map_err(|error| told(&error))?;
    let addresses = vec![api, amqp];
    let jail = Jail::of(options, network, &launch.folder, &scratch.path, addresses);
    jail.start(command, Output::Read)
}

/// Returns the command that runs a script of a sailor, to be shut in.
pub(super) fn node(scratch: &Scratch, script: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg("--require")
        .arg(scratch.path.join(PRELOAD))
        .arg(format!("./{script}"));
    command
}

/// Says what went wrong without the causes, which the log has.
pub(super) fn told(error: &Error) -> io::Error {
    io::Error::other(error.message().to_owned())
}

/// Notes that a process runs; one that was given up meanwhile is ended.
fn begun(shared: &Shared, number: u64, group: Option<Pid>) {
    let mut state = shared.fleet.state();
    if let Some(process) = state.processes.get_mut(&number)
        && !process.is_leaving
    {
        process.group = group;
        return;
    }
    drop(state);
    signal(group, How::Kill);
}

/// How a process is told to end.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// It finishes what it has.
    Leave,
    /// At once, with all its children.
    Kill,
}

/// Tells a group of processes to end; one that is gone already is.
pub(super) fn signal(group: Option<Pid>, how: How) {
    let signal = match how {
        How::Leave => Signal::TERM,
        How::Kill => Signal::KILL,
    };
    if let Some(group) = group {
        let _gone = kill_process_group(group, signal);
    }
}

/// Reads what a process prints, on a thread of its own.
pub(super) fn listen(
    shared: &Arc<Shared>,
    launch: &Launch,
    stream: impl Read + Send + 'static,
    level: LogLevel,
) {
    let shared = Arc::clone(shared);
    let (number, flow, step) = (launch.number, launch.flow_id, launch.step.clone());
    each_line(stream, level, move |line| {
        keep(&shared, number, flow, &step, line);
    });
}

/// Reads lines on a thread of its own: what the component says, and what its sailor warns
/// of.
pub(super) fn each_line(
    stream: impl Read + Send + 'static,
    level: LogLevel,
    mut hear: impl FnMut(Line) + Send + 'static,
) {
    let spawned = crate::thread::spawn("sailor-log", None, move || {
        let mut reader = BufReader::with_capacity(LINE_MAX_BYTES as usize, stream);
        let mut bytes = Vec::new();
        let mut minute = (monotonic_ms(), 0);
        while let Ok(true) = next_line(&mut reader, &mut bytes) {
            if reader.buffer().is_empty() {
                std::thread::sleep(LINES_PAUSE);
            }
            if log::is_chatter(&bytes) {
                continue;
            }
            let line = log::read(&bytes, level);
            // A hook that a component does not have is nothing to warn of.
            let is_noise = line.level < LogLevel::Warn || line.text.starts_with(NO_HOOK);
            let is_wanted = !(line.is_sailors && is_noise);
            if !is_wanted || line.text.is_empty() {
                continue;
            }
            if monotonic_ms() - minute.0 > 60_000 {
                minute = (monotonic_ms(), 0);
            }
            minute.1 += 1;
            if minute.1 <= LINES_A_MINUTE {
                hear(line);
            }
        }
    });
    if let Err(error) = spawned {
        tracing::warn!("can't listen to a component: {error}");
    }
}

/// Reads a line; false at the end.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let count = reader
        .by_ref()
        .take(LINE_MAX_BYTES.into())
        .read_until(b'\n', line)?;
    if count == 0 {
        return Ok(false);
    }
    if !line.ends_with(b"\n") && count == LINE_MAX_BYTES as usize {
        reader.skip_until(b'\n')?;
    }
    Ok(true)
}

/// Adds a line to the flow's log, with the run that it is about.
fn keep(shared: &Shared, number: u64, flow: FlowId, step: &str, line: Line) {
    let run = line.message_id.as_deref().and_then(|id| {
        let state = shared.fleet.state();
        let mut all = state.in_flight.values();
        let found = all.find(|it| it.process == number && it.message_id == id);
        let ended = state.processes.get(&number).and_then(|it| it.origin(id));
        found
            .map(|it| it.queued.execution)
            .or(ended.map(|it| it.execution))
    });
    let entry = NewLogEntry {
        step: Some(step.to_owned()),
        at_ms: shared.app.now_ms(),
        level: line.level,
        message: line.text,
        run: None,
    };
    shared.app.log_step_later(flow, vec![(run, entry)]);
}

/// A folder for the files of one process, which goes with it.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
}

impl Scratch {
    /// Makes the folder beside the builds.
    pub(super) fn make(shared: &Shared, number: u64) -> io::Result<Self> {
        let place = shared.app.builds_path().with_extension("scratch");
        let path = std::path::absolute(place.join(number.to_string()))?;
        // Left by a server that was killed.
        let _none = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path)?;
        std::fs::write(path.join(PRELOAD), include_str!("preload.js"))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!("can't remove a component's files: {error}");
        }
    }
}
