//! `elastane flow`: what runs, which API v1 calls a task.

mod file;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::database::{DatabaseArgs, operator};
use super::error::{Advice, CliError};
use super::list::{self, Cell, Column, ListedArgs, hidden, shown};
use super::output::{Output, clean};
use super::user;
use crate::app::{App, Opening};
use crate::domain::Error;
use crate::domain::flow::options::MapperKind;
use crate::domain::flow::{Cron, Flow};
use crate::domain::id::FlowId;
use crate::domain::listing::ListOf;

/// What is done with flows.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List the flows of a user, or of everybody
    List {
        #[command(flatten)]
        listed: ListedArgs,
        /// The e-mail address or the id of the user
        #[arg(long, value_name = "USER")]
        user: Option<String>,
    },
    /// Show one flow with its steps, without what its steps keep secret
    Show(WhichArgs),
    /// Start a flow
    Start(WhichArgs),
    /// Stop a flow; what is queued is dropped
    Stop(WhichArgs),
    /// Run a flow once, now; a running server does it, or the next one that starts
    Run(WhichArgs),
    /// Write a flow to a file for another installation, without secrets
    Export {
        #[command(flatten)]
        which: WhichArgs,
        /// The file to write [default: standard output]
        file: Option<PathBuf>,
        /// Overwrite a file that is there
        #[arg(long)]
        replace: bool,
    },
    /// Read a flow from a file; it begins inactive
    Import {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The file that `flow export` wrote
        file: PathBuf,
        /// The e-mail address or the id of the user whose flow it becomes
        #[arg(long, value_name = "USER")]
        user: String,
        /// Print the flow as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which flow a command is about.
#[derive(Clone, Debug, Args)]
pub(super) struct WhichArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The id
    flow: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl WhichArgs {
    /// Opens the database and reads the id; what can't be one is not there.
    fn open(&self, opening: Opening) -> Result<(App, FlowId), CliError> {
        let app = self.database.open(opening)?;
        let id = self.flow.parse();
        let id = id
            .map_err(|_| Error::not_found("flow"))
            .advise(list_advice)?;
        Ok((app, id))
    }
}

/// The columns of a flow.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("name", "NAME"),
    hidden("user_id"),
    shown("user", "USER"),
    shown("status", "STATUS"),
    hidden("type"),
    shown("cron", "CRON"),
    hidden("time_zone"),
    hidden("missed"),
    hidden("version"),
    hidden("recipe_id"),
    hidden("created_at"),
    hidden("updated_at"),
    shown("last_started_at", "LAST STARTED"),
    hidden("due_at"),
    hidden("description"),
    hidden("default_mapper_type"),
    hidden("variables"),
    hidden("nodes_config"),
    hidden("graph"),
];

/// Returns the first columns of a flow.
fn row(app: &App, flow: &Flow) -> Vec<Cell> {
    let owner = app
        .find_user(&operator(), &flow.user_id.to_string())
        .map_or_else(
            |_| flow.user_id.to_string(),
            |it| it.email.as_str().to_owned(),
        );
    vec![
        Cell::text(&flow.id),
        Cell::text(&flow.name),
        Cell::text(&flow.user_id),
        Cell::Text(owner),
        Cell::text(flow.status.as_str()),
        Cell::text(flow.flow_type.as_str()),
        Cell::maybe(flow.cron.as_ref().map(Cron::as_str)),
        Cell::maybe(flow.options.time_zone.as_ref()),
        Cell::text(flow.options.missed.as_str()),
        Cell::Number(flow.version),
        Cell::maybe(flow.recipe_id.as_ref()),
        Cell::Time(flow.created_at_ms),
        Cell::Time(flow.updated_at_ms),
        Cell::time(flow.last_started_at_ms),
        Cell::time(flow.due_at_ms),
        Cell::maybe(flow.description.as_ref()),
    ]
}

/// Prints one flow: all of it as JSON, else what a person reads.
fn print(app: &App, flow: &Flow, json: bool, out: &mut Output) -> Result<(), CliError> {
    let portable = app.export_flow(&operator(), flow.id)?;
    let graph = portable.to_value()["data"]["attributes"]["graph"].take();
    let mapper = flow.options.default_mapper_type.map(MapperKind::as_str);
    let mut cells = row(app, flow);
    cells.extend([
        Cell::maybe(mapper),
        Cell::Json(portable.options.variables.into()),
        Cell::Json(portable.options.nodes_config.into()),
        Cell::Json(graph),
    ]);
    list::print_one(out, json, COLUMNS, &cells)
}

/// Says where ids are found.
fn list_advice() -> String {
    "`elastane flow list` shows all of them".to_owned()
}

/// Runs a command about flows.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::List { listed, user } => listed.print_of_user(ListOf::Flows, user.as_deref(), out),
        Command::Show(which) => {
            let (app, id) = which.open(Opening::Look)?;
            let flow = app.flow(&operator(), id).advise(list_advice)?;
            print(&app, &flow, which.json, out)
        }
        Command::Start(which) => {
            let (app, id) = which.open(Opening::Use)?;
            let flow = app.start_flow(&operator(), id).advise(list_advice)?;
            changed(&app, &flow, "Started", which.json, out)
        }
        Command::Stop(which) => {
            let (app, id) = which.open(Opening::Use)?;
            let flow = app.stop_flow(&operator(), id).advise(list_advice)?;
            changed(&app, &flow, "Stopped", which.json, out)
        }
        Command::Run(which) => {
            let (app, id) = which.open(Opening::Use)?;
            let run = app.run_flow_now(&operator(), id).advise(list_advice)?;
            if which.json {
                return out.json(&json!({ "id": run.to_string(), "flow": id.to_string() }));
            }
            out.line(&format!("Queued the execution {run}"))
        }
        Command::Export {
            which,
            file,
            replace,
        } => {
            let (app, id) = which.open(Opening::Look)?;
            let flow = app.export_flow(&operator(), id).advise(list_advice)?;
            let Some(file) = file else {
                return out.json(&flow.to_value());
            };
            file::write(&file, &flow.to_value(), replace)?;
            let shown = file.display().to_string();
            if which.json {
                out.json(&json!({ "id": id.to_string(), "file": shown }))
            } else {
                out.line(&format!("Wrote {} to {}", clean(&flow.name), clean(&shown)))
            }
        }
        Command::Import {
            database,
            file,
            user,
            json,
        } => {
            let advice = || "nothing was kept".to_owned();
            let read = file::read(&file).advise(advice)?;
            let app = database.open(Opening::Use)?;
            let user = user::find(&app, &user)?;
            let flow = app.import_flow(&operator(), user.id, read).advise(advice)?;
            changed(&app, &flow, "Imported", json, out)
        }
    }
}

/// Says what became of a flow.
fn changed(
    app: &App,
    flow: &Flow,
    what: &str,
    json: bool,
    out: &mut Output,
) -> Result<(), CliError> {
    if json {
        return print(app, flow, json, out);
    }
    out.line(&format!("{what} {} (id {})", clean(&flow.name), flow.id))
}
