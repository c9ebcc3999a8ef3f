//! A registered key, as the database keeps it.

use super::KeyAlgorithm;
use crate::domain::id::{SshKeyId, UserId};

/// A public key that a user registered.
#[derive(Clone, Debug)]
pub struct SshKey {
    /// The id.
    pub id: SshKeyId,
    /// Whose key it is.
    pub user_id: UserId,
    /// What the user calls it.
    pub title: String,
    /// The kind and size.
    pub algorithm: KeyAlgorithm,
    /// The canonical line, with its comment.
    pub line: String,
    /// `SHA256:` and unpadded base64, what `ssh-keygen -lf` prints.
    pub fingerprint: String,
    /// 16 hex bytes between colons, for older clients.
    pub fingerprint_md5: String,
    /// Whether the user should be advised to replace it.
    pub is_weak: bool,
    /// When it was added, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When git last accepted it, in milliseconds since 1970.
    pub last_used_at_ms: Option<i64>,
}
