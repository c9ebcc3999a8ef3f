//! `elastane backup`: a checked copy of the database.

use std::path::PathBuf;

use super::database::{DatabaseArgs, missing};
use super::error::CliError;
use super::output::Output;
use crate::app::AppOptions;
use crate::app::maintenance::back_up;
use crate::domain::{Error, Kind};

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
    let folders = back_up(&options, &args.file, args.replace).map_err(|error| {
        let advice = advice(&error, &options);
        CliError::from(error).or_hint(|| advice)
    })?;
    out.line(&format!(
        "Wrote {}, whole and checked.",
        args.file.display()
    ))?;
    for folder in folders {
        out.line(&format!("Wrote {}, which belongs to it.", folder.display()))?;
    }
    out.line(&format!(
        "The key file is not in it: keep a copy of {} too, in another place.",
        options.key_path().display()
    ))
}

/// Says what to do where no copy was written.
fn advice(error: &Error, options: &AppOptions) -> String {
    if error.kind() == Kind::NotFound && !options.database.exists() {
        return missing(&options.database);
    }
    // The store names this field only where --replace helps.
    if error.fields().iter().any(|fault| fault.field == "target") {
        return "name another file, or add --replace to overwrite a backup".to_owned();
    }
    match error.kind() {
        Kind::NotFound => "make the directory, or name another file".to_owned(),
        Kind::Conflict => "name another file for the copy".to_owned(),
        _ => "`elastane check` tells more".to_owned(),
    }
}
