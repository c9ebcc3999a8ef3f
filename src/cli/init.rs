//! `elastane init`: a new installation.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::database::{DatabaseArgs, app_options, operator};
use super::error::{Advice, CliError};
use super::output::Output;
use super::terminal::PasswordArgs;
use super::user::PersonArgs;
use crate::app::user::{RegisteredUser, Role};
use crate::app::{App, AppOptions, SecretText};
use crate::domain::user::NewUser;
use crate::domain::{Error, Kind};

/// What `init` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// Print the id, the address and the API key as JSON
    #[arg(long)]
    json: bool,
}

/// Makes the installation and shows the administrator's key, once.
pub(super) fn run(args: Args, out: &mut Output) -> Result<(), CliError> {
    let loaded = args.database.load()?;
    let options = app_options(&loaded.settings);
    let new = args.person.parse()?;
    // Everything that can be wrong is looked at before a file is made.
    if options.database.exists() {
        return Err(CliError::from(exists(&options.database)).or_hint(|| {
            "serve it with `elastane serve`, or name another file with --db".to_owned()
        }));
    }
    let key_path = options.key_path();
    require_directory(&options.database, "--db")?;
    require_directory(&key_path, "--key-file")?;
    let key_was_there = key_path.exists();
    let password = args.password.take()?;
    options.rules.password.check("password", &password)?;
    let registered = make(&options, new, &password)?;
    if args.json {
        return out.json(&json!({
            "id": registered.user.id.to_string(),
            "email": registered.user.email.as_str(),
            "api_secret": registered.api_secret.expose(),
        }));
    }
    tell(out, &options, &registered, key_was_there)
}

/// Makes database, key file and administrator; a database without one is taken back.
fn make(
    options: &AppOptions,
    new: NewUser,
    password: &SecretText,
) -> Result<RegisteredUser, CliError> {
    let app = App::init(options).advise(|| "then run `elastane init` again".to_owned())?;
    let registered = app.register_user(&operator(), new, password, Role::TenantAdmin);
    app.close();
    registered.map_err(|error| {
        // Nobody could sign in to it, and the next `init` would be refused. What can't
        // be removed stays, and the next `init` says so.
        let _ = fs::remove_file(&options.database);
        error.into()
    })
}

/// Refuses a path in a directory that is not there; `flag` names another path.
fn require_directory(path: &Path, flag: &str) -> Result<(), CliError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => return Ok(()),
    };
    if directory.is_dir() {
        return Ok(());
    }
    let shown = directory.display();
    if directory.exists() {
        return Err(Error::new(
            Kind::Invalid,
            format!("{shown} is not a directory"),
        ))
        .advise(|| format!("name another path with {flag}"));
    }
    let told = format!("the directory {shown} does not exist");
    Err(Error::new(Kind::NotFound, told))
        .advise(|| format!("make it with `mkdir -p {shown}`, or name another path with {flag}"))
}

/// The answer to a database that is there already.
fn exists(database: &Path) -> Error {
    Error::new(
        Kind::Conflict,
        format!("{} exists already", database.display()),
    )
}

/// Says what was made and what comes next.
fn tell(
    out: &mut Output,
    options: &AppOptions,
    registered: &RegisteredUser,
    key_was_there: bool,
) -> Result<(), CliError> {
    let database = options.database.display();
    let key_path = options.key_path();
    let shown = key_path.display();
    out.line(&if key_was_there {
        format!("Made the database {database}; it uses the key file {shown}, which was there.")
    } else {
        format!("Made the database {database} and its key file {shown}.")
    })?;
    out.line(&format!(
        "Administrator: {} (id {})",
        registered.user.email.as_str(),
        registered.user.id
    ))?;
    out.line(&format!(
        "API key:       {}",
        registered.api_secret.expose()
    ))?;
    out.line("")?;
    out.line("The key is shown only now. Keep a copy of the key file apart from the backups:")?;
    out.line("without it the credentials in the database can't be read.")?;
    out.line("")?;
    out.line(&format!("Next: elastane serve --db {database}"))
}
