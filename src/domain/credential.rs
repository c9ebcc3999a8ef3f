//! Credentials for third parties; v1 calls one an account (`v1.md 3.1`).

use serde_json::{Map, Value};

use super::id::{ComponentId, CredentialId, OrganizationId, UserId};
use super::organization::Owner;

/// The largest `keys`, as JSON: an OAuth answer with room to spare.
pub const KEYS_MAX_BYTES: usize = 64 * 1024;

/// A credential without its keys: what lists and the console show.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The id.
    pub id: CredentialId,
    /// Whose it is; the only one who may read its keys (`v2.md 9`).
    pub user_id: UserId,
    /// What the user calls it.
    pub name: String,
    /// The component or connector that it is for, such as `shopware`; v1 `type`.
    pub component_name: String,
    /// That component, where the name is one of the installation's.
    pub component_id: Option<ComponentId>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
    /// The organization whose members may put it on a flow, without seeing the keys.
    pub organization_id: Option<OrganizationId>,
}

impl Credential {
    /// Returns whose it is.
    pub fn owner(&self) -> Owner {
        Owner {
            user: self.user_id,
            organization: self.organization_id,
        }
    }
}

/// A credential with its keys in clear: for its owner and for running steps.
pub struct OpenCredential {
    /// The credential.
    pub credential: Credential,
    /// The keys, free in form.
    pub keys: Map<String, Value>,
}

impl std::fmt::Debug for OpenCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenCredential")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
