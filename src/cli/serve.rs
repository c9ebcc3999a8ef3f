//! `elastane serve`: the API over a database.

use super::database::{DatabaseArgs, app_options, load, open};
use super::error::{Advice, CliError};
use super::git;
use super::logging;
use super::output::{Output, clean};
use crate::app::{App, Opening};
use crate::config::Flags;
use crate::domain::{Error, Kind};
use crate::server::{Lock, Running, ServerOptions, StopSignals};

/// What `serve` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// A Unix socket to listen on besides
    #[arg(long, value_name = "PATH")]
    unix_socket: Option<String>,
    /// Where to serve git over SSH, by the sshd of the system
    #[arg(long, value_name = "HOST:PORT")]
    ssh: Option<String>,
    /// Serve an address that other machines reach, without TLS
    #[arg(long)]
    insecure: bool,
    /// Do not limit requests; sign-ins are limited always
    #[arg(long)]
    no_rate_limit: bool,
    /// Let flows and callbacks reach private and loopback addresses
    #[arg(long)]
    allow_private_networks: bool,
    /// What processes of components may connect to [default: https]
    #[arg(long, value_name = "none|https|any")]
    component_network: Option<String>,
    /// How processes of components are shut in [default: on]
    #[arg(long, value_name = "on|landlock|off")]
    component_sandbox: Option<String>,
}

impl Args {
    /// Returns what these flags give.
    fn flags(&self) -> Flags {
        let mut flags = self.database.flags();
        flags.set("listen", "--listen", self.listen.clone());
        flags.set("unix_socket", "--unix-socket", self.unix_socket.clone());
        flags.set("ssh", "--ssh", self.ssh.clone());
        let when = |is_set: bool, value: &str| is_set.then(|| value.to_owned());
        flags.set("insecure", "--insecure", when(self.insecure, "true"));
        flags.set(
            "rate_limit",
            "--no-rate-limit",
            when(self.no_rate_limit, "false"),
        );
        flags.set(
            "component_network",
            "--component-network",
            self.component_network.clone(),
        );
        flags.set(
            "component_sandbox",
            "--component-sandbox",
            self.component_sandbox.clone(),
        );
        flags.set(
            "allow_private_networks",
            "--allow-private-networks",
            when(self.allow_private_networks, "true"),
        );
        flags
    }
}

/// Serves until a signal ends it.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let loaded = load(&args.flags())?;
    for warning in &loaded.warnings {
        out.note(&format!("warning: {}", clean(warning)));
    }
    let settings = &loaded.settings;
    logging::start(settings);
    settings.require_safe_listening().advise(open_door_advice)?;
    // Before anything is migrated under a server that runs; where there is no database,
    // the opening says so and no lock is left behind.
    let lock = settings
        .db
        .exists()
        .then(|| Lock::take(&settings.db))
        .transpose();
    let lock = lock.advise(|| LOCKED_ADVICE.to_owned())?;
    let app = open(&app_options(settings), Opening::Serve)?;
    let signals = StopSignals::catch()?;
    let options = ServerOptions {
        git: git::options(args.database.config.as_deref(), settings)?,
        ..ServerOptions::from(settings)
    };
    let running = start(app, lock, &options)?;
    out.line(&format!("Elastane listens on http://{}", running.address()))?;
    if let (Some(account), Some(address)) = (running.ssh_account(), settings.ssh) {
        let remote = format!("ssh://{account}@{address}/TEAM/REPOSITORY.git");
        out.line(&format!("Git is served at {remote}"))?;
    }
    out.flush()?;
    Ok(running.wait_for(signals)?)
}

/// Says how to serve other machines.
pub(super) fn open_door_advice() -> String {
    "put a TLS proxy in front and listen on 127.0.0.1 or a Unix socket; or, where everybody \
     on the network is trusted, add --insecure"
        .to_owned()
}

/// Starts a server, and says what to do where it can't.
pub(super) fn start(
    app: App,
    lock: Option<Lock>,
    options: &ServerOptions,
) -> Result<Running, CliError> {
    let started = match lock {
        Some(lock) => Running::start_holding(lock, app, options),
        None => Running::start(app, options),
    };
    started.map_err(|error| {
        let advice = start_advice(&error, options);
        let told: CliError = error.into();
        match advice {
            Some(advice) => told.or_hint(|| advice.to_owned()),
            None => told,
        }
    })
}

/// Says what to do where a server can't start, if we know.
fn start_advice(error: &Error, options: &ServerOptions) -> Option<&'static str> {
    if error.kind() == Kind::Conflict {
        return Some(LOCKED_ADVICE);
    }
    // Only an address that can't be had is told so; other faults are none of --listen.
    let address = error.message().strip_prefix("can't listen on ")?;
    if address.starts_with(&options.listen.to_string()) {
        return Some("choose another address with --listen; port 0 takes a free one");
    }
    Some("choose another path with --unix-socket")
}

/// What to do where another server holds the database.
const LOCKED_ADVICE: &str = "stop it, or name another database with --db";
