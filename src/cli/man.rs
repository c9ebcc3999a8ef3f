//! `elastane man`: the manual pages, made from the same definition as the help.

use std::fs;
use std::path::PathBuf;

use clap_mangen::Man;

use super::error::CliError;
use super::output::Output;

/// What `man` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// A directory to write a page for every command to; one page to stdout where missing
    directory: Option<PathBuf>,
}

/// Prints the page of the program, or writes all pages.
pub(super) fn run(args: Args, out: &mut Output) -> Result<(), CliError> {
    let definition = super::definition();
    let Some(directory) = args.directory else {
        let mut page = Vec::new();
        Man::new(definition).render(&mut page)?;
        return out.raw(&page);
    };
    fs::create_dir_all(&directory)
        .and_then(|()| clap_mangen::generate_to(definition, &directory))
        .map_err(|error| {
            CliError::usage(
                format!("can't write to {}: {error}", directory.display()),
                "name a directory that you may write to",
            )
        })?;
    out.line(&format!("Wrote the pages to {}", directory.display()))
}
