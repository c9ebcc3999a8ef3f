//! Taking over an API key that a client has already.
//!
//! Clients that move here from another installation keep their keys, and the demo's
//! keys can be printed in its documentation.

use serde_json::json;

use super::api_key::{API_KEYS_MAX, hash_of, prefix_of};
use super::{App, SecretText};
use crate::domain::api_key::ApiKey;
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::UserId;
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result, text};

/// The places of the hyphens in a UUID.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The characters of a UUID.
const UUID_CHARS: usize = 36;

impl App {
    /// Lets a key that exists elsewhere sign a user in; for the operator.
    ///
    /// It must be a UUID in lower case, as the documents show keys (`v1.md 1.2`): what
    /// a person makes up can be guessed. A key that is somebody's already is a conflict.
    pub fn take_over_api_key(
        &self,
        who: &Principal,
        user: UserId,
        name: &str,
        secret: &SecretText,
    ) -> Result<ApiKey> {
        if !who.is_operator() {
            return Err(Error::forbidden("only the operator takes keys over"));
        }
        let name = text::name("name", name)?;
        if !is_uuid(secret.expose()) {
            return Err(Error::invalid(
                "api_secret",
                "must be a UUID in lower case, such as API keys are",
            ));
        }
        let hash = hash_of(secret.expose());
        let key = ApiKey {
            id: self.inner.ids.next(),
            user_id: user,
            name,
            prefix: prefix_of(secret),
            created_at_ms: self.now_ms(),
            last_used_at_ms: None,
            expires_at_ms: None,
            organization_id: None,
        };
        self.act(who, move |act| {
            if act.user(user)?.is_none() {
                return Err(Error::not_found("user"));
            }
            if act.count_api_keys_of(user)? >= API_KEYS_MAX {
                let told = format!("a user has at most {API_KEYS_MAX} keys: revoke one first");
                return Err(Error::new(Kind::Conflict, told));
            }
            act.insert_api_key(&key, &hash)
                .map_err(|error| match error.kind() {
                    Kind::Conflict => Error::conflict("api_secret", "is a key already"),
                    _ => error,
                })?;
            act.audit(
                &NewAuditEntry::of("api_key.take_over", ObjectKind::ApiKey, key.id)
                    .with(json!({ "user_id": user.to_string() })),
            )?;
            Ok(key)
        })
    }
}

/// Tells whether a text is a UUID in lower case.
fn is_uuid(text: &str) -> bool {
    text.len() == UUID_CHARS
        && text.bytes().enumerate().all(|(at, byte)| match byte {
            b'-' => HYPHENS.contains(&at),
            b'0'..=b'9' | b'a'..=b'f' => !HYPHENS.contains(&at),
            _ => false,
        })
}
