//! Deeds about users, teams and organizations.

use super::Done;
use crate::app::user::Role as Rank;
use crate::app::{App, SecretText};
use crate::console::deed::Deed;
use crate::console::text;
use crate::domain::id::{OrganizationId, TeamId, UserId};
use crate::domain::organization::{NewInvite, Role};
use crate::domain::principal::Principal;
use crate::domain::text::Email;
use crate::domain::user::{NewUser, User, UserState};
use crate::domain::{Error, Kind, Result};

/// What is done about people.
#[derive(Clone, Debug)]
pub enum PeopleDeed {
    /// Register a user; the first API key is shown once.
    AddUser {
        /// Who.
        new: NewUser,
        /// The password.
        password: SecretText,
        /// Whether the user administers the installation.
        is_admin: bool,
    },
    /// Let a user sign in, or not.
    SetState(UserId, UserState),
    /// Set a user's password.
    SetPassword(UserId, SecretText),
    /// Delete a user with all that is the user's alone.
    DeleteUser(UserId),
    /// Make a team.
    AddTeam {
        /// Its only member, by address or id.
        owner: String,
        /// Its name; generated where there is none.
        name: Option<String>,
    },
    /// Put a user, by address or id, into a team.
    AddMember(TeamId, String),
    /// Take a user, by address or id, out of a team.
    RemoveMember(TeamId, String),
    /// Give a team another name.
    RenameTeam(TeamId, String),
    /// Delete a team.
    DeleteTeam(TeamId),
    /// Make an organization.
    AddOrganization(String),
    /// Invite somebody to an organization; the accept token is shown once.
    Invite {
        /// Where to.
        organization: OrganizationId,
        /// The address.
        email: String,
        /// The role after accepting.
        role: String,
    },
}

impl PeopleDeed {
    /// Does it.
    pub(super) fn perform(&self, app: &App, who: &Principal) -> Result<Done> {
        match self {
            Self::AddUser {
                new,
                password,
                is_admin,
            } => add_user(app, who, new, password, *is_admin),
            Self::SetState(id, state) => set_state(app, who, *id, *state),
            Self::SetPassword(id, password) => {
                app.set_password(who, *id, password)?;
                Ok(Done::told("the password is set; older sign-ins end"))
            }
            Self::DeleteUser(id) => {
                let user = app.delete_user(who, *id)?;
                Ok(Done::told(format!("deleted {}", user.email.as_str())))
            }
            Self::AddTeam { owner, name } => {
                let owner = user_of(app, who, "owner", owner)?.id;
                let team = app.create_team(who, owner, name.as_deref())?;
                Ok(Done::told(format!("made the team {}", team.name)))
            }
            Self::AddMember(team, user) => {
                let user = user_of(app, who, "user", user)?;
                let team = app.add_team_members(who, *team, vec![user.id])?;
                let back = Self::RemoveMember(team.id, user.id.to_string());
                let told = format!("{} is in {}", user.email.as_str(), team.name);
                Ok(Done::told(told).undone_by(Deed::People(back)))
            }
            Self::RemoveMember(team, user) => {
                let user = user_of(app, who, "user", user)?;
                let team = app.remove_team_members(who, *team, vec![user.id])?;
                let back = Self::AddMember(team.id, user.id.to_string());
                let told = format!("{} is no longer in {}", user.email.as_str(), team.name);
                Ok(Done::told(told).undone_by(Deed::People(back)))
            }
            Self::RenameTeam(id, name) => {
                let before = app.team(who, *id)?.name;
                let team = app.rename_team(who, *id, name)?;
                let told = format!("the team {before} is called {}", team.name);
                let back = Deed::People(Self::RenameTeam(*id, before));
                Ok(Done::told(told).undone_by(back))
            }
            Self::DeleteTeam(id) => {
                let team = app.delete_team(who, *id)?;
                Ok(Done::told(format!("deleted the team {}", team.name)))
            }
            Self::AddOrganization(name) => {
                let made = app.create_organization(who, name)?;
                Ok(Done::told(format!("made the organization {}", made.name)))
            }
            Self::Invite {
                organization,
                email,
                role,
            } => invite(app, who, *organization, email, role),
        }
    }
}

/// Returns the user with an address or an id; the field of the form is at fault where
/// there is none.
pub(super) fn user_of(app: &App, who: &Principal, field: &str, user: &str) -> Result<User> {
    app.find_user(who, user)
        .map_err(|error| match error.kind() {
            Kind::NotFound => Error::invalid(field, "is no user's address or id"),
            _ => error,
        })
}

/// Registers a user.
fn add_user(
    app: &App,
    who: &Principal,
    new: &NewUser,
    password: &SecretText,
    is_admin: bool,
) -> Result<Done> {
    let rank = if is_admin {
        Rank::TenantAdmin
    } else {
        Rank::Member
    };
    let made = app.register_user(who, new.clone(), password, rank)?;
    let email = made.user.email.as_str();
    let title = format!("API key of {email}");
    Ok(Done::told(format!("registered {email}")).with_secret(title, made.api_secret))
}

/// Lets a user sign in, or not.
fn set_state(app: &App, who: &Principal, id: UserId, state: UserState) -> Result<Done> {
    let user = app.set_user_state(who, id, state)?;
    let email = user.email.as_str();
    let (told, before) = match state {
        UserState::Active => (format!("{email} may sign in"), UserState::Disabled),
        UserState::Disabled => (format!("{email} is kept out"), UserState::Active),
    };
    let back = Deed::People(PeopleDeed::SetState(id, before));
    Ok(Done::told(told).undone_by(back))
}

/// Invites somebody; without a mail server the token is what is handed on.
fn invite(
    app: &App,
    who: &Principal,
    organization: OrganizationId,
    email: &str,
    role: &str,
) -> Result<Done> {
    let new = NewInvite {
        email: Email::parse("email", email)?,
        role: Role::parse("role", role)?,
    };
    let made = app.invite_member(who, organization, new, None)?;
    let until = text::full_time(made.invite.expires_at_ms, &jiff::tz::TimeZone::UTC);
    let told = format!("invited {email} until {until}");
    Ok(match made.token {
        Some(token) => {
            let path = SecretText::new(format!("/v2/invites/{}", token.expose()));
            Done::told(told).with_secret(format!("Accept link of {email}"), path)
        }
        None => Done::told(format!("{told}, by mail")),
    })
}
