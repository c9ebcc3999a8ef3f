//! Signing in: one algorithm for v1 and v2 (`v1.md 1.2`).
//!
//! A key is looked up by its hash, so time tells nothing about keys. An address that
//! nobody has pays for the same argon2 run as one with a wrong password. The limits
//! count failures only, and a right key is never refused for them: 122 random bits
//! can't be guessed, and nobody can lock somebody else out.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;

use super::api_key::hash_of;
use super::{App, SecretText};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::ApiKeyId;
use crate::domain::organization::Scope;
use crate::domain::principal::{Origin, Principal, unauthenticated};
use crate::domain::text::email_key;
use crate::domain::user::{User, UserState};
use crate::domain::{Error, Kind, Result};
use crate::store::FoundKey;

/// How stale the times of last use may be: a write a minute and key, not a request.
const TOUCH_AFTER_MS: i64 = 60_000;

/// What a client sent with HTTP Basic.
pub struct BasicCredentials {
    /// The part before the first colon.
    pub user: String,
    /// The part after it; empty where there was no colon.
    pub password: SecretText,
}

/// Who was found, acting for whom, and by which key.
type Found = (User, Scope, Option<ApiKeyId>);

impl App {
    /// Signs a client in, or says no without saying why.
    ///
    /// The kinds of error are unauthenticated, too many (with the seconds to wait), and
    /// unavailable where the store is.
    pub fn sign_in(&self, sent: Option<&BasicCredentials>, origin: Origin) -> Result<Principal> {
        let Some(sent) = sent else {
            return Err(unauthenticated());
        };
        let found = if sent.user.contains('@') {
            self.by_email(sent, &origin)?
        } else {
            self.by_key(&sent.user, None)?
        };
        match found {
            Some((user, scope, key)) => {
                let mut who = Principal::user(user, origin).in_scope(scope);
                who.api_key = key;
                Ok(who)
            }
            None => Err(self.refuse(sent, origin)),
        }
    }

    /// Style B: the key belongs to the address, else the password is the user's.
    fn by_email(&self, sent: &BasicCredentials, origin: &Origin) -> Result<Option<Found>> {
        let email = email_key(&sent.user);
        let by_key = self.by_key(sent.password.expose(), Some(&email))?;
        if by_key.is_some() || !self.tries_passwords(sent) {
            return Ok(by_key);
        }
        let Some(user) = self.by_password(&email, &sent.password, origin)? else {
            return Ok(None);
        };
        let memberships = self.read(|read| read.memberships_of(user.id))?;
        Ok(Some((user, Scope::decide(None, &memberships), None)))
    }

    /// Tells whether what was sent is tried as a login password where no key fits.
    fn tries_passwords(&self, sent: &BasicCredentials) -> bool {
        self.inner.rules.password_auth
            && sent.user.contains('@')
            && !sent.password.expose().is_empty()
    }

    /// Finds the user of a key, and of this address where one was sent.
    fn by_key(&self, key: &str, email: Option<&str>) -> Result<Option<Found>> {
        let hash = hash_of(key);
        let now_ms = self.now_ms();
        let found = self
            .inner
            .store
            .read_statement(|read| read.user_by_key_hash(&hash))?
            .filter(|found| {
                found.user.state == UserState::Active
                    && found.expires_at_ms.is_none_or(|at| at > now_ms)
                    && email.is_none_or(|email| found.user.email.key() == email)
            });
        if let Some(found) = &found {
            self.touch(found, now_ms);
        }
        Ok(found.map(|found| (found.user, found.scope, Some(found.key_id))))
    }

    /// Notes the use of a key, at most once a minute, without making the client wait.
    fn touch(&self, found: &FoundKey, now_ms: i64) {
        if found
            .last_used_at_ms
            .is_some_and(|at| now_ms - at < TOUCH_AFTER_MS)
        {
            return;
        }
        let (key, user) = (found.key_id, found.user.id);
        self.inner.store.write_later(move |write| {
            write.touch_api_key(key, now_ms)?;
            write.touch_login(user, now_ms)
        });
    }

    /// Verifies a login password; a verified one is remembered for a while.
    fn by_password(
        &self,
        email: &str,
        password: &SecretText,
        origin: &Origin,
    ) -> Result<Option<User>> {
        let now_ms = self.now_ms();
        let found = self.read(|read| read.user_by_email(email))?;
        if let Some((user, hash)) = &found
            && user.state == UserState::Active
            && self
                .inner
                .sign_ins
                .is_known(user.id, password, hash, now_ms)
        {
            return Ok(found.map(|(user, _)| user));
        }
        let allowed = self
            .inner
            .guard
            .may_try_password(address_of(origin), email, now_ms);
        if let Err(limited) = allowed {
            if self.inner.guard.may_note(now_ms) {
                self.note_failure(email, origin.clone(), true);
            }
            return Err(limited);
        }
        let hash = found.as_ref().map(|(_, hash)| hash.as_str());
        let is_right = self.inner.hasher.verify(password, hash)?;
        Ok(found
            .filter(|(user, _)| is_right && user.state == UserState::Active)
            .map(|(user, hash)| {
                self.inner
                    .sign_ins
                    .remember(user.id, password, &hash, now_ms);
                self.renew_hash(&user, password, &hash, now_ms);
                user
            }))
    }

    /// Hashes a right password anew where the stored hash is cheaper than today's.
    fn renew_hash(&self, user: &User, password: &SecretText, old: &str, now_ms: i64) {
        if !self.inner.hasher.needs_rehash(old) {
            return;
        }
        // A busy hasher is no reason to refuse a right password: the next sign-in tries again.
        if let Ok(hash) = self.inner.hasher.hash(password) {
            let (id, old) = (user.id, old.to_owned());
            self.inner
                .store
                .write_later(move |write| write.renew_password_hash(id, &old, &hash, now_ms));
        }
    }

    /// Counts a failure, writes it down, and returns the answer to it.
    fn refuse(&self, sent: &BasicCredentials, origin: Origin) -> Error {
        let now_ms = self.now_ms();
        let address = address_of(&origin);
        let error = if self.tries_passwords(sent) {
            let email = email_key(&sent.user);
            self.inner.guard.wrong_password(address, &email, now_ms)
        } else {
            self.inner.guard.wrong_key(address, now_ms)
        };
        let limited = error.kind() == Kind::TooMany;
        if !limited || self.inner.guard.may_note(now_ms) {
            self.note_failure(&sent.user, origin, limited);
        }
        if limited { error } else { unauthenticated() }
    }

    /// Writes a failure down, with the account where the address is somebody's. That is
    /// looked up by the writer, so that the answer takes no longer for it.
    fn note_failure(&self, user: &str, origin: Origin, limited: bool) {
        let now_ms = self.now_ms();
        let who = Principal::anonymous(origin);
        let email = user.contains('@').then(|| email_key(user));
        let style = if email.is_some() { "email" } else { "key" };
        let action = if limited {
            "sign_in.limited"
        } else {
            "sign_in.failure"
        };
        self.inner.store.write_later(move |write| {
            let account = match &email {
                Some(email) => write.user_by_email(email)?,
                None => None,
            };
            let entry = NewAuditEntry {
                action,
                object: account.map(|(user, _)| (ObjectKind::User, user.id.to_string())),
                detail: Some(json!({ "style": style })),
            };
            write.audit(&who, &entry, now_ms)
        });
    }
}

/// Returns the address that failures are counted under; peers of a Unix socket are one.
fn address_of(origin: &Origin) -> IpAddr {
    origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}
