//! `elastane version`.

use serde_json::json;

use super::error::CliError;
use super::output::Output;

/// What `version` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the version.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        out.json(&json!({ "version": version }))
    } else {
        out.line(&format!("elastane {version}"))
    }
}
