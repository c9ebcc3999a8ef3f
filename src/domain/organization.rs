//! Organizations: who shares flows, credentials, lookups, samples and teams (`v2.md 2.7, 4.6`).

use super::error::{Error, Result};
use super::id::{InviteId, OrganizationId, UserId};
use super::text::{self, Email};

/// What a member of an organization may do; everyone has exactly one role in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads, and nothing else.
    Guest,
    /// Makes, changes, starts and deletes what the organization has.
    Integrator,
    /// Manages members and invites too.
    Admin,
}

impl Role {
    /// Returns the word that the database and API v2 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Integrator => "integrator",
            Self::Admin => "admin",
        }
    }

    /// Reads that word in any case, since the documents write `Admin` too; anything else
    /// is an error of `field`.
    pub fn parse(field: &str, word: &str) -> Result<Self> {
        [Self::Guest, Self::Integrator, Self::Admin]
            .into_iter()
            .find(|role| role.as_str().eq_ignore_ascii_case(word.trim()))
            .ok_or_else(|| Error::invalid(field, "must be admin, integrator or guest"))
    }

    /// Tells whether the role makes and changes objects.
    pub fn may_write(self) -> bool {
        self > Self::Guest
    }
}

/// An organization.
#[derive(Clone, Debug)]
pub struct Organization {
    /// The id; later documents show it as that of a workspace.
    pub id: OrganizationId,
    /// What it is called.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
}

/// A role in one organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization: OrganizationId,
    /// The role in it.
    pub role: Role,
}

/// A member as others see it.
#[derive(Clone, Debug)]
pub struct Member {
    /// The organization.
    pub organization: OrganizationId,
    /// The user.
    pub user: UserId,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The address.
    pub email: Email,
    /// The role.
    pub role: Role,
}

/// An invite that was not accepted yet.
#[derive(Clone, Debug)]
pub struct Invite {
    /// The id.
    pub id: InviteId,
    /// The organization.
    pub organization: OrganizationId,
    /// Who is asked to join.
    pub email: Email,
    /// The role after accepting.
    pub role: Role,
    /// Who asked, where that user is still there.
    pub invited_by: Option<UserId>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// An invite to be made.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Who is asked to join.
    pub email: Email,
    /// The role after accepting.
    pub role: Role,
}

/// Whose an object is: a user's, in an organization or the user's alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who made it, or took it over.
    pub user: UserId,
    /// The organization that shares it.
    pub organization: Option<OrganizationId>,
}

impl Owner {
    /// Returns the owner of what is a user's alone.
    pub fn personal(user: UserId) -> Self {
        Self {
            user,
            organization: None,
        }
    }
}

/// For whom somebody signed in acts: whose objects lists show, and whose new objects
/// are (`v2.md 2.1`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// For oneself.
    #[default]
    Personal,
    /// For an organization.
    Organization(Membership),
}

impl Scope {
    /// Decides the scope of a user with these memberships, whose key may carry an
    /// organization: that one, else the only one, else none.
    ///
    /// A key whose organization the user has left is never turned to another one: what
    /// it made there would be seen by others.
    pub fn decide(carried: Option<OrganizationId>, memberships: &[Membership]) -> Self {
        let found = match (carried, memberships) {
            (Some(carried), _) => memberships.iter().find(|one| one.organization == carried),
            (None, [sole]) => Some(sole),
            (None, _) => None,
        };
        found.copied().map_or(Self::Personal, Self::Organization)
    }

    /// Returns the organization, where the scope is one.
    pub fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::Personal => None,
            Self::Organization(membership) => Some(membership.organization),
        }
    }

    /// Tells whether somebody with this scope makes and changes objects.
    pub fn may_write(self) -> bool {
        match self {
            Self::Personal => true,
            Self::Organization(membership) => membership.role.may_write(),
        }
    }
}

/// Checks the name of an organization.
pub fn name(text: &str) -> Result<String> {
    text::name("name", text)
}

/// The answer to who names an organization of others as the own one (`v2.md 2.1`).
pub fn not_yours() -> Error {
    Error::forbidden("you are no member of this organization")
}
