//! Verbs about API keys: made, listed, revoked; shown once (`v1.md 1.2`).

use serde_json::json;
use sha2::{Digest, Sha256};

use super::user::require_admin;
use super::{Act, App, PAGE_MAX, SecretText};
use crate::domain::api_key::{ApiKey, PREFIX_CHARS};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::{ApiKeyId, OrganizationId, UserId};
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result, text};

/// The most keys of one user: one a client and machine, with room for rotation.
pub const API_KEYS_MAX: i64 = 100;

/// The longest that a key goes on beside the one that takes its place: who has not changed
/// over after a month forgot it, and then two keys are open where one is meant.
pub const ROTATION_GRACE_MAX_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// A key just made, in clear for the only time.
pub struct NewKey {
    /// What is kept of it.
    pub key: ApiKey,
    /// The key itself.
    pub secret: SecretText,
}

impl App {
    /// Makes a key for a user: for oneself, or for anybody by the operator.
    ///
    /// An organization on it sets the scope of what it lists and makes (`v2.md 2.1`); it
    /// must be one of the user's, else it is not found.
    pub fn create_api_key(
        &self,
        who: &Principal,
        user: UserId,
        name: &str,
        expires_at_ms: Option<i64>,
        organization: Option<OrganizationId>,
    ) -> Result<NewKey> {
        own_or_operator(who, user)?;
        let name = text::name("name", name)?;
        let now_ms = self.now_ms();
        if expires_at_ms.is_some_and(|at| at <= now_ms) {
            return Err(Error::invalid("expires_at", "must be in the future"));
        }
        let (secret, hash) = self.new_key();
        let key = ApiKey {
            id: self.inner.ids.next(),
            user_id: user,
            name,
            prefix: prefix_of(&secret),
            created_at_ms: now_ms,
            last_used_at_ms: None,
            expires_at_ms,
            organization_id: organization,
        };
        let key = self.act(who, move |act| {
            if act.user(user)?.is_none() {
                return Err(Error::not_found("user"));
            }
            if let Some(organization) = organization
                && act.role_in(organization, user)?.is_none()
            {
                return Err(Error::not_found("organization"));
            }
            refuse_one_more(act, user)?;
            act.insert_api_key(&key, &hash)?;
            act.audit(
                &NewAuditEntry::of("api_key.create", ObjectKind::ApiKey, key.id)
                    .with(json!({ "user_id": user.to_string() })),
            )?;
            Ok(key)
        })?;
        Ok(NewKey { key, secret })
    }

    /// Returns up to `limit` keys of a user after `after`: one's own, or anybody's for
    /// the operator.
    pub fn api_keys_of(
        &self,
        who: &Principal,
        user: UserId,
        after: Option<ApiKeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKey>> {
        own_or_operator(who, user)?;
        self.read(|read| read.api_keys_of(user, after, limit.min(PAGE_MAX)))
    }

    /// Returns a key: one's own, or anybody's for the operator.
    pub fn api_key(&self, who: &Principal, id: ApiKeyId) -> Result<ApiKey> {
        self.read(|read| {
            read.api_key(id)?
                .filter(|key| own_or_operator(who, key.user_id).is_ok())
                .ok_or_else(|| Error::not_found("API key"))
        })
    }

    /// Revokes a key at once: one's own, or anybody's by the operator.
    pub fn revoke_api_key(&self, who: &Principal, id: ApiKeyId) -> Result<ApiKey> {
        self.act(who, move |act| {
            let key = act
                .api_key(id)?
                .filter(|key| own_or_operator(act.who, key.user_id).is_ok())
                .ok_or_else(|| Error::not_found("API key"))?;
            if !act.delete_api_key(id)? {
                return Err(Error::not_found("API key"));
            }
            act.audit(
                &NewAuditEntry::of("api_key.revoke", ObjectKind::ApiKey, id)
                    .with(json!({ "user_id": key.user_id.to_string() })),
            )?;
            Ok(key)
        })
    }

    /// Makes a key in the place of another, with its name, end and organization, in one
    /// transaction: there is no moment with neither of them, and without a grace none with
    /// both. With a grace the old key ends that much later, at its own end at the latest,
    /// so that clients can be changed over one by one.
    ///
    /// One's own, or anybody's by the operator. A key that has ended is in conflict, since
    /// the new one would have ended too.
    pub fn rotate_api_key(
        &self,
        who: &Principal,
        id: ApiKeyId,
        grace_ms: Option<i64>,
    ) -> Result<NewKey> {
        if grace_ms.is_some_and(|grace_ms| !(1..=ROTATION_GRACE_MAX_MS).contains(&grace_ms)) {
            let told = format!("must be between 1 and {ROTATION_GRACE_MAX_MS} ms");
            return Err(Error::invalid("grace", told));
        }
        let (secret, hash) = self.new_key();
        let (new, prefix, now_ms) = (self.inner.ids.next(), prefix_of(&secret), self.now_ms());
        let key = self.act(who, move |act| {
            let old = act
                .api_key(id)?
                .filter(|key| own_or_operator(act.who, key.user_id).is_ok())
                .ok_or_else(|| Error::not_found("API key"))?;
            if old.expires_at_ms.is_some_and(|at| at <= now_ms) {
                let told = "the key has ended: make a new one";
                return Err(Error::new(Kind::Conflict, told));
            }
            let old_end_ms = grace_ms.map(|grace_ms| {
                let end_ms = now_ms + grace_ms;
                old.expires_at_ms
                    .map_or(end_ms, |own_ms| own_ms.min(end_ms))
            });
            retire(act, &old, old_end_ms)?;
            let key = ApiKey {
                id: new,
                prefix,
                created_at_ms: now_ms,
                last_used_at_ms: None,
                ..old
            };
            act.insert_api_key(&key, &hash)?;
            act.audit(
                &NewAuditEntry::of("api_key.rotate", ObjectKind::ApiKey, key.id).with(json!({
                    "user_id": key.user_id.to_string(),
                    "old_id": id.to_string(),
                    "old_ends_at_ms": old_end_ms,
                })),
            )?;
            Ok(key)
        })?;
        Ok(NewKey { key, secret })
    }

    /// Makes a key and the hash under which it is stored.
    pub(super) fn new_key(&self) -> (SecretText, [u8; 32]) {
        let secret = SecretText::new(self.inner.random.uuid_v4());
        let hash = hash_of(secret.expose());
        (secret, hash)
    }
}

/// Refuses a key more than a user may have.
fn refuse_one_more(act: &Act<'_>, user: UserId) -> Result<()> {
    if act.count_api_keys_of(user)? < API_KEYS_MAX {
        return Ok(());
    }
    let told = format!("a user has at most {API_KEYS_MAX} keys: revoke one first");
    Err(Error::new(Kind::Conflict, told))
}

/// Ends a key that another takes the place of: at a time, or at once.
fn retire(act: &Act<'_>, old: &ApiKey, end_ms: Option<i64>) -> Result<()> {
    let is_done = match end_ms {
        None => act.delete_api_key(old.id)?,
        Some(end_ms) => {
            refuse_one_more(act, old.user_id)?;
            act.end_api_key(old.id, end_ms)?
        }
    };
    if is_done {
        Ok(())
    } else {
        Err(Error::not_found("API key"))
    }
}

/// Returns the leading characters by which keys are told apart.
pub(super) fn prefix_of(secret: &SecretText) -> String {
    secret.expose().chars().take(PREFIX_CHARS).collect()
}

/// Returns the hash under which a key is stored: keys are random, 122 bits, so a plain
/// SHA-256 is enough and costs less than a microsecond.
pub(super) fn hash_of(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Refuses everyone but the user and the operator: a tenant administrator has no hand
/// on another's keys (`v2.md 9`).
pub(super) fn own_or_operator(who: &Principal, user: UserId) -> Result<()> {
    if who.user_id() == Some(user) {
        Ok(())
    } else if who.is_operator() {
        require_admin(who)
    } else {
        Err(Error::not_found("user"))
    }
}
