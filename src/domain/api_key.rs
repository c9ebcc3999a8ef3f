//! API keys: what clients sign in with; v1 calls one `api_secret`.

use super::id::{ApiKeyId, OrganizationId, UserId};

/// The leading characters of a key that are kept to tell keys apart (`v2.md 8`).
pub const PREFIX_CHARS: usize = 8;

/// What is known of a key; the key itself is shown once and kept nowhere.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The id of the key, which is not the key.
    pub id: ApiKeyId,
    /// Whom it signs in.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// Its first eight characters.
    pub prefix: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it last signed in, to the minute, in milliseconds since 1970.
    pub last_used_at_ms: Option<i64>,
    /// When it ends, in milliseconds since 1970; never where missing.
    pub expires_at_ms: Option<i64>,
    /// The organization that it carries (`v2.md 2.1`).
    pub organization_id: Option<OrganizationId>,
}
