//! Verbs about SSH public keys (`v1.md 2.3`).
//!
//! A tenant administrator has no hand on another's keys (`v2.md 9`).

use serde_json::json;

use super::api_key::own_or_operator;
use super::ssh_key_policy::{KeyPolicy, parse_public_key};
use super::{App, PAGE_MAX, missing};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::{SshKeyId, UserId};
use crate::domain::principal::Principal;
use crate::domain::ssh_key::SshKey;
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::{Error, Kind, Result, text};
use crate::store::Read;

/// The most keys of one user: one a machine, with room for machines long gone.
pub const SSH_KEYS_MAX: i64 = 200;

/// The title of a key that has neither a title nor a comment.
const UNTITLED: &str = "SSH key";

impl App {
    /// Registers a public key for a user: for oneself, or for anybody by the operator.
    ///
    /// A text that is not an acceptable public key is invalid, with the mistake's name
    /// and without the text. A key that anybody has registered is a conflict, since git
    /// access maps a key to one user. A missing title is the key's comment.
    pub fn add_ssh_key(
        &self,
        who: &Principal,
        user: UserId,
        title: Option<&str>,
        key: &str,
    ) -> Result<SshKey> {
        own_or_operator(who, user)?;
        let policy = KeyPolicy {
            min_rsa_bits: self.inner.rules.min_rsa_bits,
        };
        let public = parse_public_key(key, &policy)
            .map_err(|refusal| Error::invalid("key", refusal.to_string()))?;
        let title = match title {
            Some(title) => text::name("title", title)?,
            None => text::name("title", &public.comment).unwrap_or_else(|_| UNTITLED.to_owned()),
        };
        let key = SshKey {
            id: self.inner.ids.next(),
            user_id: user,
            title,
            algorithm: public.algorithm,
            line: public.line,
            fingerprint: public.fingerprint,
            fingerprint_md5: public.fingerprint_md5,
            is_weak: public.algorithm.is_weak(),
            created_at_ms: self.now_ms(),
            last_used_at_ms: None,
        };
        let blob_sha256 = public.blob_sha256;
        self.act(who, move |act| {
            if act.user(user)?.is_none() {
                return Err(Error::not_found("user"));
            }
            if act.count_ssh_keys_of(user)? >= SSH_KEYS_MAX {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("a user has at most {SSH_KEYS_MAX} SSH keys: delete one first"),
                ));
            }
            act.insert_ssh_key(&key, &blob_sha256)?;
            act.audit(
                &NewAuditEntry::of("ssh_key.add", ObjectKind::SshKey, key.id).with(json!({
                    "user_id": user.to_string(),
                    "fingerprint": key.fingerprint,
                })),
            )?;
            Ok(key)
        })
    }

    /// Returns up to `limit` keys of a user after `after`: one's own, or anybody's for
    /// the operator.
    pub fn ssh_keys_of(
        &self,
        who: &Principal,
        user: UserId,
        after: Option<SshKeyId>,
        limit: u32,
    ) -> Result<Vec<SshKey>> {
        own_or_operator(who, user)?;
        self.read(|read| read.ssh_keys_of(user, after, limit.min(PAGE_MAX)))
    }

    /// Returns a key to its owner and to the operator.
    pub fn ssh_key(&self, who: &Principal, id: SshKeyId) -> Result<SshKey> {
        self.read(|read| visible(read, who, id))
    }

    /// Removes a key: one's own, or anybody's by the operator. Git refuses it at once.
    pub fn delete_ssh_key(&self, who: &Principal, id: SshKeyId) -> Result<SshKey> {
        self.act(who, move |act| {
            let key = visible(act, act.who, id)?;
            if !act.delete_ssh_key(id)? {
                return Err(Error::not_found("SSH key"));
            }
            act.insert_tombstone(&Tombstone {
                kind: ObjectKind::SshKey,
                id: id.to_string(),
                seen_by: SeenBy::User(key.user_id),
                deleted_at_ms: act.now_ms,
            })?;
            act.audit(
                &NewAuditEntry::of("ssh_key.delete", ObjectKind::SshKey, id).with(json!({
                    "user_id": key.user_id.to_string(),
                    "fingerprint": key.fingerprint,
                })),
            )?;
            Ok(key)
        })
    }
}

/// Returns a key that is there for `who`.
fn visible(read: &Read<'_>, who: &Principal, id: SshKeyId) -> Result<SshKey> {
    let key = read
        .ssh_key(id)?
        .filter(|key| own_or_operator(who, key.user_id).is_ok());
    match key {
        Some(key) => Ok(key),
        None => Err(missing(
            read,
            who,
            ObjectKind::SshKey,
            &id.to_string(),
            "SSH key",
        )?),
    }
}
