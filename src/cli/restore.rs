//! `elastane restore`: a backup in the place of the database.

use std::path::PathBuf;

use super::database::DatabaseArgs;
use super::error::CliError;
use super::output::Output;
use super::terminal::confirm;
use crate::app::maintenance::prepare_restore;
use crate::domain::{Error, Kind};
use crate::server::Lock;

/// What `restore` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The backup
    file: PathBuf,
    /// Restore also where the key file does not open the backup's secrets
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Checks the backup, moves the present database aside, and takes the backup in.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let options = args.database.options()?;
    let database = options.database.display();
    if options.database.exists() {
        confirm(
            &format!("This replaces {database}; the present file is kept beside it."),
            args.yes,
        )?;
    }
    Lock::require_free(&options.database).map_err(locked)?;
    let prepared = prepare_restore(&options, &args.file, args.force).map_err(|error| {
        let is_key = error.fields().iter().any(|fault| fault.field == "key_file");
        let advice = if is_key {
            "nothing was changed; --force restores without the key, and the secrets in the \
             backup then can't be read"
        } else {
            "nothing was changed"
        };
        CliError::from(error).or_hint(|| advice.to_owned())
    })?;
    // Taken only now, so that a refused backup leaves no lock file behind.
    let _lock = Lock::take(&options.database).map_err(locked)?;
    let aside = prepared.put_in_place()?;
    out.line(&format!(
        "Restored {database} from {}.",
        args.file.display()
    ))?;
    if let Some(aside) = aside {
        out.line(&format!(
            "The database before is kept as {}.",
            aside.display()
        ))?;
    }
    Ok(())
}

/// Makes the answer where the lock can't be had.
fn locked(error: Error) -> CliError {
    let is_served = error.kind() == Kind::Conflict;
    let told = CliError::from(error);
    if is_served {
        return told
            .or_hint(|| "stop the server first; it may not see its database replaced".to_owned());
    }
    told
}
