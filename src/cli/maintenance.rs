//! `elastane maintenance`: 503 for every API call, or not.

use clap::Subcommand;
use serde_json::json;

use super::database::{DatabaseArgs, operator};
use super::error::CliError;
use super::output::{Output, clean};
use crate::app::Opening;

/// What is done with maintenance mode.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Answer API calls with 503 from now on; health checks stay up
    On {
        #[command(flatten)]
        database: DatabaseArgs,
        /// What clients are told
        #[arg(long, default_value = "the service is down for maintenance")]
        message: String,
    },
    /// Serve again
    Off {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Say whether it is on
    Show {
        #[command(flatten)]
        database: DatabaseArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs a command about maintenance.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::On { database, message } => {
            let app = database.open(Opening::Use)?;
            app.set_maintenance(&operator(), Some(&message))?;
            out.line("Maintenance is on. `elastane maintenance off` ends it.")
        }
        Command::Off { database } => {
            let app = database.open(Opening::Use)?;
            app.set_maintenance(&operator(), None)?;
            out.line("Maintenance is off.")
        }
        Command::Show { database, json } => {
            let message = database.open(Opening::Look)?.maintenance()?;
            if json {
                return out.json(&json!({
                    "maintenance": message.is_some(),
                    "message": message,
                }));
            }
            out.line(&match message {
                Some(message) => format!("on: {}", clean(&message)),
                None => "off".to_owned(),
            })
        }
    }
}
