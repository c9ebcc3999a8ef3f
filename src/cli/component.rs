//! `elastane component`: what flows are made of, the repositories of it, and what is pushed
//! without git.

mod run;

use std::path::PathBuf;

use clap::Subcommand;

use super::database::{DatabaseArgs, operator};
use super::error::CliError;
use super::git::open_git;
use super::list::ListedArgs;
use super::output::Output;
use crate::domain::listing::ListOf;

/// What is done with components.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List all components, each a repository of its team
    List(ListedArgs),
    /// Build a folder as the next version of a component
    Push(Push),
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

/// Runs a command about components.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::List(listed) => listed.print(&listed.open()?, ListOf::Components, |all| all, out),
        Command::Push(args) => push(&args, out),
        Command::Run(args) => run::run(&args, out),
    }
}

/// Builds a folder as the next version of a component.
fn push(args: &Push, out: &mut Output) -> Result<(), CliError> {
    let to = &args.to;
    let Some((team, repository)) = to.split_once('/') else {
        return Err(CliError::usage(
            format!("{to} is no TEAM/REPOSITORY"),
            "`elastane component list` shows them",
        ));
    };
    let git = open_git(&args.database)?;
    let who = operator();
    let component = git.repository_to_push(&who, team, repository)?;
    let remarks = out.remarks();
    let version = git.push_folder(&who, &component, &args.folder, args.skip_tests, remarks)?;
    let (number, revision) = (version.number, &version.revision);
    out.line(&format!("version {number} of {to} is {revision}"))
}
