//! What the console changes, as data. The worker performs it through a verb of `app`.
//!
//! A screen adds a variant for its own deeds and a line to [`Deed::perform`]. A deed is
//! done only after somebody confirmed it ([`super::confirm`]) or filled in a form
//! ([`super::form`]).

mod file;
mod flow;
mod key;
mod people;

use serde_json::{Map, Value};

use crate::app::execution::NewRetry;
use crate::app::flow::FlowChange;
use crate::app::{App, SecretText};
use crate::domain::Result;
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::principal::Principal;
use crate::domain::recipe::RecipeId;

pub use flow::FlowDeed;
pub use key::KeyDeed;
pub use people::PeopleDeed;

/// What callers are told while the console keeps them out.
const MAINTENANCE_MESSAGE: &str = "the service is down for maintenance";

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Answer every API call with 503, or stop doing so.
    Maintenance(bool),
    /// Start, stop or run a task, or more.
    Flow {
        /// The task.
        id: FlowId,
        /// What is done to it.
        verb: FlowDeed,
    },
    /// Change what a task is; fields that were hidden stay as they are.
    ChangeFlow {
        /// The task.
        id: FlowId,
        /// What it is to be.
        change: Box<FlowChange>,
    },
    /// Run an execution again, or some of it.
    Retry {
        /// The execution.
        id: ExecutionId,
        /// How much of it.
        retry: NewRetry,
    },
    /// End an execution that is not over.
    Cancel(ExecutionId),
    /// Something about people.
    People(PeopleDeed),
    /// Something about what people sign in with.
    Key(KeyDeed),
    /// Activate a recipe.
    Activate {
        /// The recipe.
        recipe: RecipeId,
        /// For whom, by address or id.
        user: String,
        /// What each account is given: `{"credentials": {...}}`.
        accounts: Map<String, Value>,
    },
    /// Write an execution to a file; nothing changes in the database.
    SaveExecution(ExecutionId),
    /// Write a text to a file that is too large to be copied; nothing changes in the
    /// database.
    SaveText {
        /// What it is.
        what: String,
        /// The text.
        text: String,
    },
    /// Do each of these, those behind one that fails too.
    Many(Vec<Self>),
}

/// What was done.
#[derive(Debug, Default)]
pub struct Done {
    /// What to say about it, as a sentence without its period.
    pub told: String,
    /// What is shown once and never again.
    pub secret: Option<OnceShown>,
    /// What takes it back, where something does.
    pub undo: Option<Deed>,
    /// The execution that began with it.
    pub leads_to: Option<ExecutionId>,
}

/// A secret, shown once.
#[derive(Debug)]
pub struct OnceShown {
    /// What it is, such as `API key of ada@example.com`.
    pub title: String,
    /// The secret; it wipes itself.
    pub text: SecretText,
}

impl Done {
    /// Says what was done.
    pub fn told(told: impl Into<String>) -> Self {
        Self {
            told: told.into(),
            ..Self::default()
        }
    }

    /// Says what takes it back.
    #[must_use]
    pub fn undone_by(self, deed: Deed) -> Self {
        Self {
            undo: Some(deed),
            ..self
        }
    }

    /// Says which execution began with it.
    #[must_use]
    pub fn leading_to(self, execution: ExecutionId) -> Self {
        Self {
            leads_to: Some(execution),
            ..self
        }
    }

    /// Gives the secret that is shown once.
    #[must_use]
    pub fn with_secret(self, title: impl Into<String>, text: SecretText) -> Self {
        let secret = Some(OnceShown {
            title: title.into(),
            text,
        });
        Self { secret, ..self }
    }
}

impl Deed {
    /// Tells whether it changes the database, so that it can't be done in a file that is
    /// only looked at.
    pub fn writes(&self) -> bool {
        match self {
            Self::SaveExecution(_) | Self::SaveText { .. } => false,
            Self::Many(deeds) => deeds.iter().any(Self::writes),
            _ => true,
        }
    }

    /// Does it.
    pub fn perform(&self, app: &App, who: &Principal) -> Result<Done> {
        match self {
            Self::Maintenance(is_on) => maintain(app, who, *is_on),
            Self::Flow { id, verb } => flow::change(app, who, *id, *verb),
            Self::ChangeFlow { id, change } => flow::edit(app, who, *id, change),
            Self::Retry { id, retry } => flow::retry(app, who, *id, retry.clone()),
            Self::Cancel(id) => flow::cancel(app, who, *id),
            Self::People(deed) => deed.perform(app, who),
            Self::Key(deed) => deed.perform(app, who),
            Self::Activate {
                recipe,
                user,
                accounts,
            } => activate(app, who, recipe, user, accounts.clone()),
            Self::SaveExecution(id) => flow::save(app, who, *id),
            Self::SaveText { what, text } => {
                let path = file::write_new(&file::name_of(what), "txt", text.as_bytes())?;
                Ok(Done::told(format!("saved to {}", path.display())))
            }
            Self::Many(deeds) => many(app, who, deeds),
        }
    }
}

/// Does several deeds; those that fail are told by the first of them. Where all fail, that
/// is the error.
fn many(app: &App, who: &Principal, deeds: &[Deed]) -> Result<Done> {
    let mut done: Vec<Done> = Vec::new();
    let mut fault = None;
    for deed in deeds {
        match deed.perform(app, who) {
            Ok(one) => done.push(one),
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    let failed = deeds.len() - done.len();
    let told = match (fault, done.as_slice()) {
        (Some(error), []) => return Err(error),
        (Some(error), done) => format!("{} done, {failed} not: {}", done.len(), error.message()),
        (None, [one]) => one.told.clone(),
        (None, done) => format!(
            "{} done, the last: {}",
            done.len(),
            done[done.len() - 1].told
        ),
    };
    let leads_to = done.iter().rev().find_map(|one| one.leads_to);
    let back: Vec<Deed> = done.into_iter().rev().filter_map(|one| one.undo).collect();
    Ok(Done {
        told,
        secret: None,
        undo: (!back.is_empty()).then_some(Deed::Many(back)),
        leads_to,
    })
}

/// Activates a recipe for a user.
fn activate(
    app: &App,
    who: &Principal,
    recipe: &RecipeId,
    user: &str,
    accounts: Map<String, Value>,
) -> Result<Done> {
    let user = people::user_of(app, who, "user", user)?;
    let flows = app.activate_recipe_for(who, user.id, recipe, accounts)?;
    let names: Vec<&str> = flows.iter().map(|flow| flow.name.as_str()).collect();
    Ok(Done::told(format!(
        "made, and not started yet: {}",
        names.join(", ")
    )))
}

/// Turns the maintenance mode on or off.
fn maintain(app: &App, who: &Principal, is_on: bool) -> Result<Done> {
    app.set_maintenance(who, is_on.then_some(MAINTENANCE_MESSAGE))?;
    let told = if is_on {
        "maintenance is on: every API call is answered with 503"
    } else {
        "maintenance is off"
    };
    Ok(Done::told(told).undone_by(Deed::Maintenance(!is_on)))
}
