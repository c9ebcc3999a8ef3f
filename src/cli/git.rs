//! `elastane git`: what git calls, and how it finds this program.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::{Subcommand, ValueEnum};

use super::database::{DatabaseArgs, app_options, open};
use super::error::CliError;
use super::output::Output;
use crate::app::Opening;
use crate::app::repository::PushKey;
use crate::config::{Settings, hook_environment, server_of_session, tool_environment};
use crate::domain::Error;
use crate::git::{Git, GitOptions, Push, become_confined};
use crate::sandbox::Strength;

/// What git has done by this program.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Decide a push, or hear of it: git calls this with the refs on its input
    Hook {
        /// Which hook of git
        name: Hook,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Become another program within the bounds of a build
    Confined {
        /// The program and its arguments
        #[arg(last = true, required = true)]
        words: Vec<OsString>,
    },
}

/// The hooks that git calls.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Hook {
    /// Before the refs move
    PreReceive,
    /// After they moved
    PostReceive,
}

/// What a hook was not told whose key is none.
const KEY: &str = "with which key";

/// Runs what git calls.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    let (name, database) = match command {
        Command::Hook { name, database } => (name, database),
        Command::Confined { words } => return Err(become_confined(&words).into()),
    };
    let git = open_git(&database)?;
    let told = hook_environment();
    let unknown = |what: &str| Error::internal(format!("the hook was not told {what}"));
    let push = Push {
        user: told.pusher.parse().map_err(|_| unknown("who pushes"))?,
        component: told.repository.parse().map_err(|_| unknown("where to"))?,
        key: match (told.ssh_key, told.api_key) {
            (Some(key), _) => Some(PushKey::Ssh(key.parse().map_err(|_| unknown(KEY))?)),
            (None, Some(key)) => Some(PushKey::Api(key.parse().map_err(|_| unknown(KEY))?)),
            (None, None) => None,
        },
        address: told.address.and_then(|text| text.parse().ok()),
        options: told.options,
        objects: told.objects,
    };
    let mut updates = io::stdin().lock();
    match name {
        Hook::PreReceive => git.pre_receive(&push, &mut updates, out.remarks())?,
        Hook::PostReceive => git.post_receive(&push, &mut updates, out.remarks())?,
    }
    Ok(())
}

/// Opens git over the database of a command, beside a running server or without one.
pub(super) fn open_git(database: &DatabaseArgs) -> Result<Git, CliError> {
    let loaded = database.load()?;
    let app = open(&app_options(&loaded.settings), Opening::Use)?;
    let mut options = options(database.config.as_deref(), &loaded.settings)?;
    let server = server_of_session();
    options.server = server.map(|text| text.parse()).transpose()?;
    Ok(Git::open(app, options)?)
}

/// Returns how git is run over a database; `config` is the settings file that was named.
pub(super) fn options(config: Option<&str>, settings: &Settings) -> Result<GitOptions, CliError> {
    let mut flags = vec![OsString::from("--db"), absolute(&settings.db)?];
    if let Some(path) = &settings.key_file {
        flags.extend([OsString::from("--key-file"), absolute(path)?]);
    }
    if let Some(path) = config {
        flags.extend([OsString::from("--config"), absolute(Path::new(path))?]);
    }
    let mut environment = tool_environment();
    if settings.build_sandbox != Strength::Full {
        // Hooks read the settings themselves, and may not find them where we did.
        let word = OsString::from(settings.build_sandbox.as_str());
        environment.push(("ELASTANE_BUILD_SANDBOX".to_owned(), word));
    }
    Ok(GitOptions {
        program: std::env::current_exe()?,
        flags,
        environment,
        sandbox: settings.build_sandbox,
        server: None,
    })
}

/// Returns a path that holds in every folder.
fn absolute(path: &Path) -> Result<OsString, CliError> {
    Ok(std::path::absolute(path)?.into_os_string())
}
