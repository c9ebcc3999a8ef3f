//! `elastane config`: the settings and where they come from.

use clap::Subcommand;
use serde_json::{Value, json};

use super::database::DatabaseArgs;
use super::error::CliError;
use super::output::{Output, clean};
use crate::config::{Loaded, Resolved, reference};

/// What is done with settings.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Show each setting, its value and where the value comes from
    Show {
        #[command(flatten)]
        database: DatabaseArgs,
        /// Print a JSON array of objects
        #[arg(long)]
        json: bool,
    },
    /// Print what can be set, as the README has it
    Reference,
}

/// Runs a command about settings.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::Show { database, json } => show(&database.load()?, json, out),
        Command::Reference => out.raw(reference().as_bytes()),
    }
}

/// Shows the settings.
fn show(loaded: &Loaded, json: bool, out: &mut Output) -> Result<(), CliError> {
    for warning in &loaded.warnings {
        out.note(&format!("warning: {}", clean(warning)));
    }
    if json {
        return out.json(&loaded.resolved.iter().map(as_json).collect());
    }
    for Resolved {
        setting,
        value,
        source,
    } in &loaded.resolved
    {
        let value = match value.as_deref() {
            None => "(not set)",
            Some("") => "(empty)",
            Some(value) => value,
        };
        out.line(&format!(
            "{:22}  {:24}  {source}",
            setting.key,
            clean(value)
        ))?;
    }
    match &loaded.file {
        Some(file) => out.line(&format!("file: {}", file.display())),
        None => out.line("file: none"),
    }
}

/// Returns a setting as JSON.
fn as_json(resolved: &Resolved) -> Value {
    json!({
        "id": resolved.setting.key,
        "value": resolved.value,
        "source": resolved.source.to_string(),
        "variable": resolved.setting.variable(),
    })
}
