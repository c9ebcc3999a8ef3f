//! `elastane check`: is everything sound, and what to do where it is not.

use serde_json::{Value, json};

use super::database::DatabaseArgs;
use super::error::CliError;
use super::output::{Output, clean};
use crate::app::maintenance::{Finding, Level, check};
use crate::sandbox::Sandbox;

/// What `check` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print a JSON array of findings
    #[arg(long)]
    json: bool,
}

/// Prints each finding with its cure; ends with code 8 where one is an error.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let mut findings = check(&args.database.options()?);
    findings.extend(sandbox(args));
    if args.json {
        out.json(&findings.iter().map(as_json).collect())?;
    } else {
        for finding in &findings {
            tell(out, finding)?;
        }
    }
    match findings.iter().map(|finding| finding.level).max() {
        Some(Level::Error) => Err(CliError::Unsound),
        _ => Ok(()),
    }
}

/// Tells what the system lacks of the sandboxes that the settings want.
fn sandbox(args: &Args) -> Option<Finding> {
    let settings = args.database.load().ok()?.settings;
    let wanted = [settings.component_sandbox, settings.build_sandbox];
    let lack = wanted
        .iter()
        .find_map(|strength| Sandbox::of_this_program(*strength).lacks())?;
    Some(Finding {
        level: Level::Warning,
        topic: "sandbox",
        message: format!("components and their builds do not run: {lack}"),
        cure: Some("set component_sandbox and build_sandbox to landlock or off".to_owned()),
    })
}

/// Returns a finding as JSON.
fn as_json(finding: &Finding) -> Value {
    json!({
        "level": finding.level.as_str(),
        "topic": finding.topic,
        "message": finding.message,
        "cure": finding.cure,
    })
}

/// Prints a finding for a person.
fn tell(out: &mut Output, finding: &Finding) -> Result<(), CliError> {
    out.line(&format!(
        "{:7}  {}: {}",
        finding.level.as_str(),
        finding.topic,
        clean(&finding.message)
    ))?;
    match &finding.cure {
        Some(cure) => out.line(&format!("         -> {}", clean(cure))),
        None => Ok(()),
    }
}
