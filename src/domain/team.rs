//! Developer teams, which own repositories (`v1.md 2.7`).

use super::id::{OrganizationId, TeamId, UserId};
use super::slug::Slug;

/// The slug of the team of the built-in components: flows name them so.
pub const BUILTIN_TEAM: &str = "elasticio";

/// A developer team.
#[derive(Clone, Debug)]
pub struct Team {
    /// The id.
    pub id: TeamId,
    /// The name as it was given.
    pub name: String,
    /// The name in git addresses and commands, unique on the installation.
    pub slug: Slug,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// The organization that it belongs to, whose members edit its components.
    pub organization_id: Option<OrganizationId>,
    /// Its members, in the order in which they joined.
    pub members: Vec<UserId>,
}
