//! `elastane openapi`: the description of the API for programs.

use super::error::CliError;
use super::output::Output;
use crate::server;

/// What `openapi` takes: nothing.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {}

/// Prints the document; no database is needed.
pub(super) fn run(_: &Args, out: &mut Output) -> Result<(), CliError> {
    out.line(&format!("{:#}", server::openapi_document()))
}
