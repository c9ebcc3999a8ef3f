//! `elastane completions`: what a shell needs to complete commands.

use clap_complete::Shell;

use super::error::CliError;
use super::output::Output;

/// What `completions` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let mut bytes = Vec::new();
    let mut definition = super::definition();
    clap_complete::generate(args.shell, &mut definition, "elastane", &mut bytes);
    out.raw(&bytes)
}
