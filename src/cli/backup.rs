//! `elastane backup`: a checked copy of the database.

use std::path::PathBuf;

use super::database::DatabaseArgs;
use super::error::{Advice, CliError};
use super::output::Output;
use crate::app::maintenance::back_up;

/// What `backup` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The file to write
    file: PathBuf,
    /// Put the copy in the place of a file that is there
    #[arg(long)]
    replace: bool,
}

/// Writes the copy; servers and commands go on meanwhile.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let options = args.database.options()?;
    back_up(&options, &args.file, args.replace)
        .advise(|| "name another file, or add --replace to overwrite a backup".to_owned())?;
    out.line(&format!(
        "Wrote {}, whole and checked.",
        args.file.display()
    ))?;
    out.line(&format!(
        "The key file is not in it: keep a copy of {} too, in another place.",
        options.key_path().display()
    ))
}
