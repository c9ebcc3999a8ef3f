//! Deeds about API keys and SSH keys.

use super::people::user_of;
use super::{Deed, Done};
use crate::app::App;
use crate::domain::Result;
use crate::domain::id::{ApiKeyId, SshKeyId};
use crate::domain::principal::Principal;

/// An hour in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// What is done about the keys that people sign in with.
#[derive(Clone, Debug)]
pub enum KeyDeed {
    /// Make an API key for a user, by address or id; it is shown once.
    AddApiKey {
        /// Whose.
        user: String,
        /// What it is called.
        name: String,
    },
    /// Make a key with the same name in the place of this one; it is shown once.
    RotateApiKey {
        /// The old key.
        id: ApiKeyId,
        /// How long that still works; none where it is dead at once.
        grace_ms: Option<i64>,
    },
    /// Revoke a key at once.
    RevokeApiKey(ApiKeyId),
    /// Register an SSH public key for a user, by address or id.
    AddSshKey {
        /// Whose.
        user: String,
        /// Its title; the key's comment where there is none.
        title: Option<String>,
        /// The key as OpenSSH writes it.
        key: String,
    },
    /// Delete an SSH key.
    DeleteSshKey(SshKeyId),
}

impl KeyDeed {
    /// Does it.
    pub(super) fn perform(&self, app: &App, who: &Principal) -> Result<Done> {
        match self {
            Self::AddApiKey { user, name } => {
                let user = user_of(app, who, "user", user)?;
                let made = app.create_api_key(who, user.id, name, None, None)?;
                let title = format!("API key {name} of {}", user.email.as_str());
                Ok(Done::told(format!("made the {title}")).with_secret(title, made.secret))
            }
            Self::RotateApiKey { id, grace_ms } => {
                let made = app.rotate_api_key(who, *id, *grace_ms)?;
                let title = format!("New API key {}", made.key.name);
                let old = match grace_ms {
                    None => "is dead".to_owned(),
                    Some(grace_ms) => format!("works for {} h more", grace_ms / HOUR_MS),
                };
                let told = format!("rotated the key {}; the old one {old}", made.key.name);
                Ok(Done::told(told).with_secret(title, made.secret))
            }
            Self::RevokeApiKey(id) => {
                let key = app.revoke_api_key(who, *id)?;
                Ok(Done::told(format!("revoked the key {}", key.name)))
            }
            Self::AddSshKey { user, title, key } => {
                let user = user_of(app, who, "user", user)?;
                let key = app.add_ssh_key(who, user.id, title.as_deref(), key)?;
                let back = Deed::Key(Self::DeleteSshKey(key.id));
                let told = format!("added {} {}", key.title, key.fingerprint);
                Ok(Done::told(told).undone_by(back))
            }
            Self::DeleteSshKey(id) => {
                let key = app.delete_ssh_key(who, *id)?;
                let back = Self::AddSshKey {
                    user: key.user_id.to_string(),
                    title: Some(key.title.clone()),
                    key: key.line.clone(),
                };
                let told = format!("deleted the SSH key {}", key.title);
                Ok(Done::told(told).undone_by(Deed::Key(back)))
            }
        }
    }
}
