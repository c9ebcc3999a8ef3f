//! `elastane key`: what clients sign in with.

use clap::Subcommand;
use serde_json::json;

use super::database::{DatabaseArgs, operator};
use super::error::{Advice, CliError};
use super::list::ListedArgs;
use super::output::Output;
use super::terminal::secret_from_stdin;
use super::user::find;
use crate::app::Opening;
use crate::app::api_key::NewKey;
use crate::domain::id::ApiKeyId;
use crate::domain::listing::ListOf;

/// An hour in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// A day in milliseconds.
const DAY_MS: i64 = 24 * HOUR_MS;

/// What is done with keys.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key for a user and show it, once
    Create(CreateArgs),
    /// List the keys of a user, or of everybody; the keys themselves are not kept
    List {
        #[command(flatten)]
        listed: ListedArgs,
        /// The e-mail address or the id of the user
        user: Option<String>,
    },
    /// Make a key in the place of another, and show it, once
    Rotate {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The id of the key
        id: String,
        /// For so many hours the old key still works [default: it is dead at once]
        #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u16).range(1..=720))]
        keep: Option<u16>,
        /// Print the ids of key and user and the API key as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key at once
    Revoke {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The id of the key
        id: String,
    },
}

/// What `key create` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The e-mail address or the id of the user
    user: String,
    /// What the key is for
    #[arg(long, default_value = "command line")]
    name: String,
    /// After how many days the key ends [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// Take over a key that a client has already: a UUID, from the first line of stdin
    #[arg(long, conflicts_with = "days")]
    secret_stdin: bool,
    /// Print the ids of key and user and the API key as JSON
    #[arg(long)]
    json: bool,
}

/// Runs a command about keys.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::Create(args) => create(&args, out),
        Command::List { listed, user } => {
            listed.print_of_user(ListOf::ApiKeys, user.as_deref(), out)
        }
        Command::Rotate {
            database,
            id,
            keep,
            json,
        } => {
            let id = id_of(&id)?;
            let grace_ms = keep.map(|hours| i64::from(hours) * HOUR_MS);
            let app = database.open(Opening::Use)?;
            let made = app
                .rotate_api_key(&operator(), id, grace_ms)
                .advise(known_keys)?;
            if json {
                return print_made(&made, out);
            }
            let told = format!("Rotated the key {}: {}.", made.key.name, made.key.id);
            out.line(&told)?;
            print_secret(&made, out)
        }
        Command::Revoke { database, id } => {
            let id = id_of(&id)?;
            let app = database.open(Opening::Use)?;
            let key = app.revoke_api_key(&operator(), id).advise(known_keys)?;
            out.line(&format!("Revoked the key {} ({}…)", key.name, key.prefix))
        }
    }
}

/// Says where the ids of keys are found.
fn known_keys() -> String {
    "`elastane key list USER` shows the ids of keys".to_owned()
}

/// Reads the id of a key.
fn id_of(id: &str) -> Result<ApiKeyId, CliError> {
    id.parse()
        .map_err(|_| CliError::usage(format!("`{id}` is not the id of a key"), known_keys()))
}

/// Prints a key just made as JSON.
fn print_made(made: &NewKey, out: &mut Output) -> Result<(), CliError> {
    out.json(&json!({
        "id": made.key.id.to_string(),
        "user_id": made.key.user_id.to_string(),
        "api_secret": made.secret.expose(),
    }))
}

/// Prints the secret of a key just made.
fn print_secret(made: &NewKey, out: &mut Output) -> Result<(), CliError> {
    out.line(&format!(
        "API key, shown only now: {}",
        made.secret.expose()
    ))
}

/// Makes a key, or takes one over.
fn create(args: &CreateArgs, out: &mut Output) -> Result<(), CliError> {
    let app = args.database.open(Opening::Use)?;
    let user = find(&app, &args.user)?;
    if args.secret_stdin {
        let secret = secret_from_stdin()?;
        let key = app.take_over_api_key(&operator(), user.id, &args.name, &secret)?;
        let told = format!(
            "{} signs in with the key {}…",
            user.email.as_str(),
            key.prefix
        );
        if args.json {
            let ids = json!({ "id": key.id.to_string(), "user_id": user.id.to_string() });
            return out.json(&ids);
        }
        return out.line(&told);
    }
    let ends_at_ms = args
        .days
        .map(|days| app.now_ms() + i64::from(days) * DAY_MS);
    let made = app.create_api_key(&operator(), user.id, &args.name, ends_at_ms, None)?;
    if args.json {
        return print_made(&made, out);
    }
    out.line(&format!(
        "Made the key {} of {}.",
        made.key.id,
        user.email.as_str()
    ))?;
    print_secret(&made, out)
}
