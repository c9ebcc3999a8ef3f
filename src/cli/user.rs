//! `elastane user`: who signs in.

use clap::{Args, Subcommand};
use serde_json::json;

use super::database::{DatabaseArgs, operator};
use super::error::{Advice, CliError};
use super::list::{self, Cell, Column, ListedArgs, hidden, shown};
use super::output::Output;
use super::terminal::{PasswordArgs, confirm};
use crate::app::user::Role;
use crate::app::{App, Opening};
use crate::domain::Result;
use crate::domain::listing::ListOf;
use crate::domain::user::{NewUser, User, UserState};

/// What is done with users.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Register a user and show the first API key, once
    Add(AddArgs),
    /// List all users
    List(ListedArgs),
    /// Show one user
    Show {
        #[command(flatten)]
        who: WhoArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a user no longer sign in; everything of the user stays
    Disable(WhoArgs),
    /// Let a user sign in again
    Enable(WhoArgs),
    /// Set a user's password
    Passwd {
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Delete a user with all that is the user's alone
    Delete {
        #[command(flatten)]
        who: WhoArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Who a new user is.
#[derive(Clone, Debug, Args)]
pub(super) struct PersonArgs {
    /// The e-mail address
    #[arg(long)]
    email: String,
    /// The given name
    #[arg(long, value_name = "NAME")]
    first_name: String,
    /// The family name
    #[arg(long, value_name = "NAME")]
    last_name: String,
    /// The company
    #[arg(long, value_name = "NAME")]
    company: Option<String>,
}

impl PersonArgs {
    /// Checks what was given.
    pub(super) fn parse(&self) -> Result<NewUser> {
        NewUser::parse(
            Some(&self.email),
            Some(&self.first_name),
            Some(&self.last_name),
            self.company.as_deref(),
        )
    }
}

/// What `user add` takes.
#[derive(Clone, Debug, Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    password: PasswordArgs,
    /// Make the user a tenant administrator
    #[arg(long)]
    admin: bool,
    /// Print the id, the address and the API key as JSON
    #[arg(long)]
    json: bool,
}

/// Which user a command is about.
#[derive(Clone, Debug, Args)]
pub(super) struct WhoArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The e-mail address or the id
    user: String,
}

impl WhoArgs {
    /// Opens the database and finds the user.
    fn find(&self, opening: Opening) -> Result<(App, User), CliError> {
        let app = self.database.open(opening)?;
        let user = find(&app, &self.user)?;
        Ok((app, user))
    }
}

/// The columns of users.
const COLUMNS: &[Column] = &[
    shown("id", "ID"),
    shown("email", "EMAIL"),
    shown("first_name", "FIRST NAME"),
    shown("last_name", "LAST NAME"),
    hidden("company"),
    shown("role", "ROLE"),
    shown("state", "STATE"),
    hidden("created_by"),
    shown("created_at", "CREATED"),
    hidden("updated_at"),
    shown("last_login_at", "LAST SIGN-IN"),
];

/// Returns a user as a row.
fn row(user: &User) -> Vec<Cell> {
    let role = if user.is_tenant_admin {
        "admin"
    } else {
        "member"
    };
    vec![
        Cell::text(&user.id),
        Cell::text(user.email.as_str()),
        Cell::text(&user.first_name),
        Cell::text(&user.last_name),
        Cell::maybe(user.company.as_ref()),
        Cell::text(role),
        Cell::text(user.state.as_str()),
        Cell::maybe(user.created_by),
        Cell::Time(user.created_at_ms),
        Cell::Time(user.updated_at_ms),
        Cell::time(user.last_login_at_ms),
    ]
}

/// Finds a user by address or id.
pub(super) fn find(app: &App, email_or_id: &str) -> Result<User, CliError> {
    app.find_user(&operator(), email_or_id)
        .advise(|| "`elastane user list` shows all of them".to_owned())
}

/// Runs a command about users.
pub(super) fn run(command: Command, out: &mut Output) -> Result<(), CliError> {
    match command {
        Command::Add(args) => add(args, out),
        Command::List(listed) => {
            let app = listed.open()?;
            listed.print(&app, ListOf::Users, |all| all, out)
        }
        Command::Show { who, json } => {
            let (_, user) = who.find(Opening::Look)?;
            list::print_one(out, json, COLUMNS, &row(&user))
        }
        Command::Disable(who) => set_state(&who, UserState::Disabled, out),
        Command::Enable(who) => set_state(&who, UserState::Active, out),
        Command::Passwd { who, password } => {
            let (app, user) = who.find(Opening::Use)?;
            app.set_password(&operator(), user.id, &password.take()?)?;
            out.line(&format!("{} has a new password", user.email.as_str()))
        }
        Command::Delete { who, yes } => delete(&who, yes, out),
    }
}

/// Registers a user.
fn add(args: AddArgs, out: &mut Output) -> Result<(), CliError> {
    let new = args.person.parse()?;
    let app = args.database.open(Opening::Use)?;
    let role = if args.admin {
        Role::TenantAdmin
    } else {
        Role::Member
    };
    let registered = app.register_user(&operator(), new, &args.password.take()?, role)?;
    let (user, secret) = (registered.user, registered.api_secret);
    if args.json {
        return out.json(&json!({
            "id": user.id.to_string(),
            "email": user.email.as_str(),
            "api_secret": secret.expose(),
        }));
    }
    out.line(&format!("Added {} (id {}).", user.email.as_str(), user.id))?;
    out.line(&format!("API key, shown only now: {}", secret.expose()))
}

/// Lets a user sign in, or not.
fn set_state(who: &WhoArgs, state: UserState, out: &mut Output) -> Result<(), CliError> {
    let (app, user) = who.find(Opening::Use)?;
    let user = app
        .set_user_state(&operator(), user.id, state)
        .advise(|| "make another administrator first: `elastane user add --admin`".to_owned())?;
    out.line(&format!("{} is {}", user.email.as_str(), state.as_str()))
}

/// Deletes a user.
fn delete(who: &WhoArgs, yes: bool, out: &mut Output) -> Result<(), CliError> {
    let (app, user) = who.find(Opening::Use)?;
    let email = user.email.as_str();
    confirm(
        &format!("This deletes {email} with the user's keys, credentials and tasks."),
        yes,
    )?;
    app.delete_user(&operator(), user.id)
        .advise(|| format!("`elastane user disable {email}` stops the user and keeps all else"))?;
    out.line(&format!("Deleted {email}"))
}
