//! Users: people who sign in (`v1.md 2.1`).

use super::error::{Error, FieldError, Result};
use super::id::UserId;
use super::text::{self, Email};

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// May sign in.
    Active,
    /// May not sign in; everything that is the user's stays.
    Disabled,
}

impl UserState {
    /// Returns the word that the database and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// A person who signs in.
#[derive(Clone, Debug)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The address, unique ignoring case.
    pub email: Email,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The company, where one was given.
    pub company: Option<String>,
    /// Whether the user administers the installation (`v2.md 2.7`).
    pub is_tenant_admin: bool,
    /// Whether the user may sign in.
    pub state: UserState,
    /// Who registered the user, and may delete it (`v1.md 3.7`).
    pub created_by: Option<UserId>,
    /// When it was registered, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When a field last changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
    /// When it last signed in, to the minute, in milliseconds since 1970.
    pub last_login_at_ms: Option<i64>,
}

/// What users can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// The address, ignoring case.
    Email,
    /// The time of registration.
    Registered,
}

/// A user to be registered, checked but for the password's rules.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The address.
    pub email: Email,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The company, where one was given.
    pub company: Option<String>,
}

impl NewUser {
    /// Checks the fields of a registration and reports every one at fault at once.
    pub fn parse(
        email: Option<&str>,
        first_name: Option<&str>,
        last_name: Option<&str>,
        company: Option<&str>,
    ) -> Result<Self> {
        let mut faults = Vec::new();
        let email = required("email", email, &mut faults, Email::parse);
        let first_name = required("first_name", first_name, &mut faults, text::name);
        let last_name = required("last_name", last_name, &mut faults, text::name);
        let company = company
            .filter(|given| !given.trim().is_empty())
            .and_then(|given| keep(text::name("company", given), &mut faults));
        match (email, first_name, last_name) {
            (Some(email), Some(first_name), Some(last_name)) if faults.is_empty() => Ok(Self {
                email,
                first_name,
                last_name,
                company,
            }),
            _ => Err(Error::invalid_fields(faults)),
        }
    }
}

/// Checks one required field; a missing or bad one goes to `faults`.
fn required<T>(
    field: &str,
    given: Option<&str>,
    faults: &mut Vec<FieldError>,
    check: impl Fn(&str, &str) -> Result<T>,
) -> Option<T> {
    if let Some(given) = given {
        return keep(check(field, given), faults);
    }
    faults.push(FieldError {
        field: field.to_owned(),
        message: "is required".to_owned(),
    });
    None
}

/// Keeps a good value; the fields of an error go to `faults`.
fn keep<T>(checked: Result<T>, faults: &mut Vec<FieldError>) -> Option<T> {
    match checked {
        Ok(value) => Some(value),
        Err(error) => {
            faults.extend_from_slice(error.fields());
            None
        }
    }
}
