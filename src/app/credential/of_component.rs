//! Credentials as API v2 makes and deletes them (`v2.md 4.2, 6.3`).

use serde_json::{Map, Value};

use super::{
    CREDENTIALS_MAX, NewCredential, Sight, check_credential_count, not_there, sight, to_change,
};
use crate::app::{App, component};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::credential::{Credential, OpenCredential};
use crate::domain::id::{ComponentId, CredentialId};
use crate::domain::organization::Scope;
use crate::domain::principal::Principal;
use crate::domain::team::BUILTIN_TEAM;
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::{Error, Kind, Result};

/// A credential as somebody sees it: with its keys, or without for other members of its
/// organization (`v2.md 9`). It may hold secrets, so it has no `Debug`.
pub struct SeenCredential {
    /// The credential.
    pub credential: Credential,
    /// The keys, for the owner alone.
    pub keys: Option<Map<String, Value>>,
}

impl From<OpenCredential> for SeenCredential {
    fn from(open: OpenCredential) -> Self {
        Self {
            credential: open.credential,
            keys: Some(open.keys),
        }
    }
}

impl App {
    /// Returns the credentials of the scope of `who`, by id; keys of the caller's own.
    pub fn seen_credentials(&self, who: &Principal) -> Result<Vec<SeenCredential>> {
        let user = who.require_user()?.id;
        let limit = u32::try_from(CREDENTIALS_MAX).unwrap_or(u32::MAX);
        let rows = self.read(|read| match who.scope {
            Scope::Personal => read.personal_sealed_credentials(user, limit),
            Scope::Organization(membership) => {
                read.sealed_credentials_in(membership.organization, limit)
            }
        })?;
        let mut seen = Vec::with_capacity(rows.len());
        let mut opened = 0_usize;
        for row in rows {
            if row.credential.user_id == user {
                opened += 1;
                seen.push(self.open_keys(row)?.into());
            } else {
                seen.push(SeenCredential {
                    credential: row.credential,
                    keys: None,
                });
            }
        }
        self.note_keys_read(who, user, opened)?;
        Ok(seen)
    }

    /// Returns a credential as `who` may see it; reading keys leaves a trace.
    pub fn seen_credential(&self, who: &Principal, id: CredentialId) -> Result<SeenCredential> {
        let (row, sight) = self.read(|read| {
            let Some(row) = read.sealed_credential(id)? else {
                return Err(not_there(read, who, id)?);
            };
            match sight(read, who, &row.credential)? {
                Sight::None => Err(not_there(read, who, id)?),
                seen => Ok((row, seen)),
            }
        })?;
        if sight == Sight::Closed {
            return Ok(SeenCredential {
                credential: row.credential,
                keys: None,
            });
        }
        let opened = self.open_keys(row)?;
        self.act(who, move |act| {
            act.audit(&NewAuditEntry::of(
                "credential.read",
                ObjectKind::Credential,
                id,
            ))
        })?;
        Ok(opened.into())
    }

    /// Makes a credential of the caller for a component that the caller may use; one
    /// that is not there is not found.
    pub fn create_component_credential(
        &self,
        who: &Principal,
        component: ComponentId,
        name: Option<String>,
        keys: Map<String, Value>,
    ) -> Result<OpenCredential> {
        let user = who.require_writer()?.id;
        let app = self.clone();
        self.act(who, move |act| {
            let found = act.component(component)?;
            let usable = match found {
                Some(found) if component::may_use(act, act.who, &found)? => found,
                _ => return Err(Error::not_found("component")),
            };
            check_credential_count(act, user, 1)?;
            // v1 shows the type as connectors are named there.
            let component_name = if usable.team.as_str() == BUILTIN_TEAM {
                usable.slug.to_string()
            } else {
                format!("{}/{}", usable.team, usable.slug)
            };
            let new = NewCredential {
                name,
                component_name: Some(component_name),
                component_id: Some(usable.id),
                keys,
            };
            app.insert_credential(act, user, new)
        })
    }

    /// Deletes a credential of the caller; a conflict while an active flow uses it.
    pub fn delete_credential(&self, who: &Principal, id: CredentialId) -> Result<()> {
        self.act(who, move |act| {
            let row = to_change(act, act.who, id)?;
            if act.is_credential_in_active_use(id)? {
                return Err(Error::new(
                    Kind::Conflict,
                    "an active flow uses this credential: stop or change the flow first",
                ));
            }
            act.note_credential_changed(id, act.now_ms)?;
            if !act.delete_credential(id)? {
                return Err(Error::not_found("credential"));
            }
            act.insert_tombstone(&Tombstone {
                kind: ObjectKind::Credential,
                id: id.to_string(),
                seen_by: SeenBy::of(row.credential.owner()),
                deleted_at_ms: act.now_ms,
            })?;
            act.audit(&NewAuditEntry::of(
                "credential.delete",
                ObjectKind::Credential,
                id,
            ))
        })
    }
}
