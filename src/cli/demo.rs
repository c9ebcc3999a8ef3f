//! `elastane demo`: a database to look at, embedded in the binary.
//!
//! Its sources are under `assets/demo`; `--build` makes the embedded file from them.

mod build;
mod folder;
mod history;
mod source;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::console;
use super::database::{app_options, open, operator};
use super::error::{Advice, CliError};
use super::git;
use super::logging;
use super::output::Output;
use super::serve::{open_door_advice, start};
use crate::app::{App, AppOptions, Opening, PAGE_MAX};
use crate::config::{self, Environment, Flags};
use crate::domain::flow::FlowStatus;
use crate::domain::{Error, Kind};
use crate::server::{ServerOptions, StopSignals};
pub(super) use folder::PrivateFolder;
use source::{DemoUser, UserRole, UserState};

/// The embedded database.
static DATABASE: &[u8] = include_bytes!("../../assets/demo.db");

/// The key file of the embedded database; it is public.
static KEY_FILE: &[u8] = include_bytes!("../../assets/demo/elastane.key");

/// What `demo` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Where the demo is copied to and kept [default: a temporary folder]
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// Serve an address that other machines reach, with keys that everybody knows
    #[arg(long)]
    insecure: bool,
    /// Open the admin console on this terminal; the demo ends with it
    #[arg(long)]
    console: bool,
    /// Build the demo database from its sources
    #[arg(long, value_name = "FILE", hide = true, conflicts_with_all = ["listen", "db", "insecure"])]
    build: Option<PathBuf>,
}

/// Serves a copy of the embedded database until a signal ends it.
pub(super) fn run(args: Args, out: &mut Output) -> Result<(), CliError> {
    if let Some(target) = &args.build {
        logging::start_quietly();
        build::build(target)?;
        return out.line(&format!("Built {}", target.display()));
    }
    if args.console && !console::has_terminal() {
        return Err(console::no_terminal(
            "start `elastane demo` without --console",
        ));
    }
    let (database, kept) = if let Some(path) = &args.db {
        (path.clone(), None)
    } else {
        let folder = PrivateFolder::create()?;
        (folder.path().join("elastane.db"), Some(folder))
    };
    let mut flags = Flags::default();
    flags.set("db", "--db", Some(database.to_string_lossy().into_owned()));
    flags.set("listen", "--listen", args.listen);
    let insecure = args.insecure.then(|| "true".to_owned());
    flags.set("insecure", "--insecure", insecure);
    flags.set("allow_private_networks", "demo", Some("true".to_owned()));
    // The environment is left out: it speaks of a real installation.
    let settings = config::load(&flags, &Environment::default())?.settings;
    // A line of the log would spoil the screen of the console.
    if !args.console {
        logging::start(&settings);
    }
    settings.require_safe_listening().advise(open_door_advice)?;
    let options = app_options(&settings);
    let is_new = unpack(&options)?;
    let app = open(&options, Opening::Serve)?;
    if is_new {
        app.renew_history(&operator())?;
    }
    // The console hears them itself: it has a terminal to give back.
    let signals = (!args.console).then(StopSignals::catch).transpose()?;
    let served = ServerOptions {
        git: git::options(None, &settings)?,
        ..ServerOptions::from(&settings)
    };
    let running = start(app.clone(), None, &served)?;
    tell(out, &app, running.address(), &database, kept.is_some())?;
    let ended = if let Some(signals) = signals {
        drop(app);
        running.wait_for(signals).map_err(CliError::from)
    } else {
        let shown = console::run_over(&app, &database.display().to_string());
        drop(app);
        let stopped = running.stop();
        shown.and(stopped.map_err(CliError::from))
    };
    drop(kept);
    ended
}

/// Writes the embedded files where they are not there yet; existing ones stay. Tells
/// whether the database is new.
///
/// Only the demo's own key file is accepted: everybody has the keys of the demo, and it
/// reaches private networks, so a real installation is never served as one.
fn unpack(options: &AppOptions) -> Result<bool, CliError> {
    let key_path = options.key_path();
    let shown = key_path.display();
    let is_there = options.database.exists();
    let foreign = match fs::read(&key_path) {
        Ok(found) if found == KEY_FILE => None,
        Ok(_) => Some(format!("{shown} is the key file of something else")),
        // Its key file lies elsewhere: the demo's own is written before its database.
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_there => Some(format!(
            "{} is there without the demo's key file {shown}",
            options.database.display()
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_private(&key_path, KEY_FILE)?;
            None
        }
        Err(error) => Some(format!("{shown} can't be read: {}", error.kind())),
    };
    if let Some(told) = foreign {
        let told = format!("{told}; the demo serves only its own database");
        return Err(Error::new(Kind::Conflict, told))
            .advise(|| "name a --db in an empty folder".to_owned());
    }
    if !is_there {
        write_private(&options.database, DATABASE)?;
    }
    Ok(!is_there)
}

/// Writes a new file that its owner alone may read.
fn write_private(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let mut file = OpenOptions::new();
    file.write(true).create_new(true).mode(0o600);
    let written = file.open(path).and_then(|mut file| file.write_all(content));
    written.map_err(|error| {
        let told = format!("{} can't be written: {}", path.display(), error.kind());
        CliError::from(Error::new(Kind::Unavailable, told).caused_by(error))
    })
}

/// Says where the demo is, who is in it, and what to try.
fn tell(
    out: &mut Output,
    app: &App,
    address: SocketAddr,
    database: &Path,
    is_temporary: bool,
) -> Result<(), CliError> {
    let base = format!("http://{}", reachable(address));
    let users = source::users()?;
    let active = || users.iter().filter(|user| user.state == UserState::Active);
    out.line(&format!("Elastane demo on {base}\n"))?;
    for user in active() {
        out.line(&format!(
            "  {:13} {:16} {:14} password {:10} key {}",
            format!("{} {}", user.first_name, user.last_name),
            user.email,
            match user.role {
                UserRole::Admin => "administrator",
                UserRole::Member => "member",
            },
            user.password,
            user.api_key
        ))?;
    }
    out.line("\nTry it:")?;
    for line in commands(app, &base, &active().collect::<Vec<_>>())? {
        out.line(&format!("  {line}"))?;
    }
    let shown = database.display();
    out.line(&format!("\nAdmin console: elastane console --db {shown}"))?;
    if console::has_terminal() {
        out.line("               (elastane demo --console opens it here)")?;
    }
    let fate = if is_temporary {
        "removed at the end"
    } else {
        "kept"
    };
    out.line(&format!("\nDatabase: {shown} ({fate})"))?;
    out.line("Ctrl-C ends the demo.")?;
    out.flush()
}

/// Returns three commands that work as they are, the last of which starts a task.
fn commands(app: &App, base: &str, users: &[&DemoUser]) -> Result<Vec<String>, CliError> {
    let mut lines = Vec::new();
    if let Some(user) = users.first() {
        lines.push(format!("curl -u {}: {base}/v1/users", user.api_key));
        lines.push(format!("curl -u {}: {base}/v1/recipes/", user.api_key));
    }
    for user in users {
        // Users of a kept demo may be gone or disabled by now; their lines are left out.
        let Ok(found) = app.find_user(&operator(), &user.email) else {
            continue;
        };
        let flows = app.flows_of(&operator(), found.id, None, PAGE_MAX)?;
        let idle = flows
            .iter()
            .find(|flow| flow.status == FlowStatus::Inactive);
        if let Some(flow) = idle {
            lines.push(format!(
                "curl -u {}: -X POST {base}/v1/tasks/start/{}",
                user.api_key, flow.id
            ));
            break;
        }
    }
    Ok(lines)
}

/// Returns the address under which this machine reaches the demo.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
        }
        _ => address,
    }
}
