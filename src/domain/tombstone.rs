//! Tombstones: what was deleted, and who could see it before.
//!
//! The path of a removed object is 410 for those who could see it and 404 for all
//! others (`v1.md 1.5`).

use super::audit::ObjectKind;
use super::id::{OrganizationId, TeamId, UserId};
use super::organization::Owner;

/// Who could see an object while it was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenBy {
    /// One user.
    User(UserId),
    /// The members of a team.
    Team(TeamId),
    /// The members of an organization.
    Organization(OrganizationId),
    /// Every user: recipes and shared components.
    Everyone,
    /// Nobody but tenant administrators is left who could see it: what went with its user.
    Administrators,
}

impl SeenBy {
    /// Returns who could see an object of this owner.
    pub fn of(owner: Owner) -> Self {
        owner
            .organization
            .map_or(Self::User(owner.user), Self::Organization)
    }
}

/// A removed object.
#[derive(Clone, Debug)]
pub struct Tombstone {
    /// The object's kind.
    pub kind: ObjectKind,
    /// The object's id.
    pub id: String,
    /// Who could see it.
    pub seen_by: SeenBy,
    /// When it was removed, in milliseconds since 1970.
    pub deleted_at_ms: i64,
}
