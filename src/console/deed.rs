//! What the console changes, as data. The worker performs it through a verb of `app`.
//!
//! A screen adds a variant for its own deeds and a line to [`Deed::perform`]. A deed is
//! done only after somebody confirmed it ([`super::confirm`]) or filled in a form
//! ([`super::form`]).

use crate::app::{App, SecretText};
use crate::domain::Result;
use crate::domain::principal::Principal;

/// What callers are told while the console keeps them out.
const MAINTENANCE_MESSAGE: &str = "the service is down for maintenance";

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Answer every API call with 503, or stop doing so.
    Maintenance(bool),
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
    /// Does it.
    pub fn perform(&self, app: &App, who: &Principal) -> Result<Done> {
        match self {
            Self::Maintenance(is_on) => maintain(app, who, *is_on),
        }
    }
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
