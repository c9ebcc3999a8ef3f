//! `elastane component`: what flows are made of, the repositories of it, and what is pushed
//! without git.

mod run;

use std::path::PathBuf;

use clap::Subcommand;

use super::database::{DatabaseArgs, open, operator};
use super::error::CliError;
use super::git::open_git;
use super::list::ListedArgs;
use super::output::Output;
use crate::app::repository::GitRight;
use crate::app::step_run::ComponentNetwork;
use crate::app::{App, Opening};
use crate::domain::component::Component;
use crate::domain::listing::ListOf;

/// What is done with components.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List all components, each a repository of its team
    List(ListedArgs),
    /// Build a folder as the next version of a component
    Push(Push),
    /// Print what a build said
    Log(Log),
    /// Say what of the network a component may reach, or take that back
    Network(NetworkOf),
    /// Run one message through a trigger or an action of a folder, without a database
    ///
    /// What the component emits is printed as lines of JSON, and what it logs on stderr.
    Run(run::Args),
}

/// A folder to be built.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Push {
    /// The folder with component.json and package.json
    folder: PathBuf,
    /// The repository, as TEAM/REPOSITORY
    #[arg(long, value_name = "TEAM/REPOSITORY")]
    to: String,
    /// Leave npm test out; TypeScript is compiled all the same
    #[arg(long)]
    skip_tests: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// A build.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Log {
    /// The component, as TEAM/REPOSITORY
    component: String,
    /// Its revision [default: the newest build]
    version: Option<String>,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// What a component may reach.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct NetworkOf {
    /// The component, as TEAM/REPOSITORY
    component: String,
    /// What it may reach; `default` is what the installation has
    #[arg(value_parser = ["none", "https", "any", "default"])]
    network: String,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Runs a command about components.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::List(listed) => listed.print(&listed.open()?, ListOf::Components, |all| all, out),
        Command::Push(args) => push(&args, out),
        Command::Log(args) => log(&args, out),
        Command::Network(args) => network(&args, out),
        Command::Run(args) => run::run(&args, out),
    }
}

/// Prints the log of a build.
fn log(args: &Log, out: &mut Output) -> Result<(), CliError> {
    let (app, component) = found(&args.component, &args.database)?;
    let text = app.build_log(&component, args.version.as_deref())?;
    text.lines().try_for_each(|line| out.line(line))
}

/// Sets what a component may reach.
fn network(args: &NetworkOf, out: &mut Output) -> Result<(), CliError> {
    let (app, component) = found(&args.component, &args.database)?;
    let network = ComponentNetwork::parse(&args.network);
    app.set_component_network(&operator(), component.id, network)?;
    let (name, word) = (&args.component, &args.network);
    out.line(&format!("{name} reaches {word} from its next process on"))
}

/// Finds a component by its name.
fn found(name: &str, database: &DatabaseArgs) -> Result<(App, Component), CliError> {
    let (team, repository) = parts(name)?;
    let app = open(&database.options()?, Opening::Use)?;
    let component = app.repository_for_git(&operator(), team, repository, GitRight::Clone)?;
    Ok((app, component))
}

/// Reads the name of a component.
fn parts(name: &str) -> Result<(&str, &str), CliError> {
    name.split_once('/').ok_or_else(|| {
        CliError::usage(
            format!("{name} is no TEAM/REPOSITORY"),
            "`elastane component list` shows them",
        )
    })
}

/// Builds a folder as the next version of a component.
fn push(args: &Push, out: &mut Output) -> Result<(), CliError> {
    let to = &args.to;
    let (team, repository) = parts(to)?;
    let git = open_git(&args.database)?;
    let who = operator();
    let component = git.repository_to_push(&who, team, repository)?;
    let remarks = out.remarks();
    let version = git.push_folder(&who, &component, &args.folder, args.skip_tests, remarks)?;
    let (number, revision) = (version.number, &version.revision);
    out.line(&format!("version {number} of {to} is {revision}"))
}
