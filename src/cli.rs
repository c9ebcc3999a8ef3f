//! The command line: one file a subcommand, no rules of its own.
//!
//! Each command loads its settings, opens the database through `app`, calls verbs as
//! the operator and prints what they return. It works beside a running server.

mod audit;
mod backup;
mod check;
mod completions;
mod component;
mod config;
mod console;
mod credential;
mod database;
mod demo;
mod error;
mod execution;
mod flow;
mod git;
mod init;
mod key;
mod list;
mod logging;
mod lookup;
mod maintenance;
mod man;
mod openapi;
mod organization;
mod output;
mod recipe;
mod restore;
mod serve;
mod ssh;
mod sshkey;
mod team;
mod terminal;
mod user;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::sandbox;
use error::{CliError, EXIT_CODES};
use output::Output;

/// The command line of the binary.
#[derive(Debug, Parser)]
#[command(
    name = "elastane",
    version,
    about = "An elastic.io-compatible integration platform: one binary over one SQLite file",
    propagate_version = false,
    disable_help_subcommand = true,
    after_long_help = EXIT_CODES
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum Command {
    /// Make an installation: database, key file and the first tenant administrator
    Init(init::Args),
    /// Serve the API
    Serve(serve::Args),
    /// Serve the bundled demo database
    Demo(demo::Args),
    /// Look at users, teams, tasks and their runs on this terminal, live
    Console(console::Args),
    /// Add, look at and change users
    #[command(subcommand)]
    User(user::Command),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Look at developer teams
    #[command(subcommand)]
    Team(team::Command),
    /// Make and look at organizations
    #[command(subcommand)]
    Organization(organization::Command),
    /// Look at lookups
    #[command(subcommand)]
    Lookup(lookup::Command),
    /// What an SSH server calls
    #[command(subcommand)]
    Ssh(ssh::Command),
    /// Look at SSH public keys
    #[command(subcommand)]
    Sshkey(sshkey::Command),
    /// What git calls during a push
    #[command(subcommand, hide = true)]
    Git(git::Command),
    /// Look at flows, start and stop them, carry them from one installation to another
    #[command(subcommand, visible_alias = "task")]
    Flow(flow::Command),
    /// Look at runs of flows, run them again, end them
    #[command(subcommand)]
    Execution(execution::Command),
    /// Look at components and the repositories of them; push folders
    #[command(subcommand)]
    Component(component::Command),
    /// Look at the names of credentials
    #[command(subcommand)]
    Credential(credential::Command),
    /// Import and look at recipes
    #[command(subcommand)]
    Recipe(recipe::Command),
    /// Answer every API call with 503, or stop doing so
    #[command(subcommand)]
    Maintenance(maintenance::Command),
    /// Look at the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Write a checked copy of the database while it is in use
    Backup(backup::Args),
    /// Put a backup in the place of the database
    Restore(restore::Args),
    /// Look whether everything is sound, and say what to do where it is not
    Check(check::Args),
    /// Look at the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print the manual page, or write all of them to a directory
    Man(man::Args),
    /// Print the OpenAPI document of the API
    Openapi(openapi::Args),
    /// Print the version
    Version(version::Args),
}

/// Runs a command line, the program's name first, and returns how it ended.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut out = Output::of_process();
    // No command for people, and begun as often as components and their builds are.
    if args.len() == 2 && args[1] == sandbox::WORD {
        return sandboxed(&mut out);
    }
    let done = parse(args, &mut out)
        .and_then(|command| command.map_or(Ok(()), |command| execute(command, &mut out)))
        .and_then(|()| out.flush());
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(&mut out),
    }
}

/// Becomes the first process of a sandbox, and ends as what it runs there ends.
fn sandboxed(out: &mut Output) -> ExitCode {
    match sandbox::enter() {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            out.note(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Reads the command line; none where help or the version was asked for and shown.
fn parse(
    args: impl IntoIterator<Item = OsString>,
    out: &mut Output,
) -> Result<Option<Command>, CliError> {
    let parsed = Cli::command()
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => Ok(Some(cli.command)),
        Err(error) => {
            let text = error.render();
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    out.styled(&text)?;
                    Ok(None)
                }
                _ => {
                    out.styled_note(&text);
                    Err(CliError::Told)
                }
            }
        }
    }
}

/// Runs one command.
fn execute(command: Command, out: &mut Output) -> Result<(), CliError> {
    // A line of the log would spoil the screen of the console, which tells faults itself.
    if !matches!(
        command,
        Command::Serve(_) | Command::Demo(_) | Command::Console(_)
    ) {
        logging::start_quietly();
    }
    match command {
        Command::Init(args) => init::run(args, out),
        Command::Serve(args) => serve::run(&args, out),
        Command::Demo(args) => demo::run(args, out),
        Command::Console(args) => console::run(&args, out),
        Command::User(command) => user::run(command, out),
        Command::Key(command) => key::run(command, out),
        Command::Team(command) => team::run(command, out),
        Command::Organization(command) => organization::run(command, out),
        Command::Git(command) => git::run(command, out),
        Command::Lookup(command) => lookup::run(command, out),
        Command::Ssh(command) => ssh::run(command, out),
        Command::Sshkey(command) => sshkey::run(command, out),
        Command::Flow(command) => flow::run(command, out),
        Command::Execution(command) => execution::run(command, out),
        Command::Component(command) => component::run(command, out),
        Command::Credential(command) => credential::run(command, out),
        Command::Recipe(command) => recipe::run(command, out),
        Command::Maintenance(command) => maintenance::run(command, out),
        Command::Audit(command) => audit::run(command, out),
        Command::Backup(args) => backup::run(&args, out),
        Command::Restore(args) => restore::run(&args, out),
        Command::Check(args) => check::run(&args, out),
        Command::Config(command) => config::run(command, out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Man(args) => man::run(args, out),
        Command::Openapi(args) => openapi::run(&args, out),
        Command::Version(args) => version::run(&args, out),
    }
}

/// Returns the definition of the whole command line, for completions and manual pages.
fn definition() -> clap::Command {
    Cli::command()
}
