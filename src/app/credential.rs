//! Verbs about credentials; v1 calls one an account (`v1.md 3.1`).
//!
//! Keys are sealed before they are stored and opened for their owner alone. Whoever
//! reads keys is noted first, so no key leaves without an entry on disk.

mod of_component;

use serde_json::{Map, Value, json};

use super::flow::require_operator;
use super::vault::{Place, Sealed};
use super::{Act, App, PAGE_MAX, missing};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::credential::{Credential, KEYS_MAX_BYTES, OpenCredential};
use crate::domain::id::{ComponentId, CredentialId, UserId};
use crate::domain::organization::Owner;
use crate::domain::principal::Principal;
use crate::domain::slug::Slug;
use crate::domain::team::BUILTIN_TEAM;
use crate::domain::text::{self, NAME_MAX_CHARS};
use crate::domain::{Error, Kind, Result};
use crate::store::{Read, SealedCredential};

pub use of_component::SeenCredential;

/// The most credentials of one user: some for every component there is, and a list of
/// v1, which has no pages, that stays an answer.
pub const CREDENTIALS_MAX: i64 = 1_000;

/// The type of a credential that names none (`v1.md 3.1` lets it be missing, and
/// always shows one).
pub const DEFAULT_TYPE: &str = "generic";

/// What ends the name that is made for a credential without one.
const GENERATED_SUFFIX: &str = " account";

/// A credential to be made. It holds secrets, so it has no `Debug`.
#[derive(Default)]
pub struct NewCredential {
    /// What it is called; made up where missing.
    pub name: Option<String>,
    /// The component or connector that it is for; [`DEFAULT_TYPE`] where missing.
    pub component_name: Option<String>,
    /// That component, where it is known; else the one that the name means.
    pub component_id: Option<ComponentId>,
    /// The keys; none where missing.
    pub keys: Map<String, Value>,
}

/// A change of a credential; what is missing stays. It holds secrets: no `Debug`.
#[derive(Default)]
pub struct CredentialChange {
    /// What it is called.
    pub name: Option<String>,
    /// The component or connector that it is for.
    pub component_name: Option<String>,
    /// The keys, which replace the old ones as a whole.
    pub keys: Option<Map<String, Value>>,
}

impl App {
    /// Returns all credentials of the caller with their keys, by id.
    pub fn own_credentials(&self, who: &Principal) -> Result<Vec<OpenCredential>> {
        let user = who.require_user()?.id;
        let limit = u32::try_from(CREDENTIALS_MAX).unwrap_or(u32::MAX);
        let rows = self.read(|read| read.sealed_credentials_of(user, None, limit))?;
        let opened = rows
            .into_iter()
            .map(|row| self.open_keys(row))
            .collect::<Result<Vec<_>>>()?;
        self.note_keys_read(who, user, opened.len())?;
        Ok(opened)
    }

    /// Notes that `who` read the keys of so many credentials of a user; none is no reading.
    fn note_keys_read(&self, who: &Principal, user: UserId, count: usize) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        self.act(who, move |act| {
            act.audit(
                &NewAuditEntry::of("credential.read_all", ObjectKind::User, user)
                    .with(json!({ "count": count })),
            )
        })
    }

    /// Returns a credential of the caller with its keys; another's is not found.
    pub fn own_credential(&self, who: &Principal, id: CredentialId) -> Result<OpenCredential> {
        let opened = self.read_own(who, id)?;
        self.act(who, move |act| {
            act.audit(&NewAuditEntry::of(
                "credential.read",
                ObjectKind::Credential,
                id,
            ))
        })?;
        Ok(opened)
    }

    /// Returns up to `limit` credentials of everybody after `after`, by id, without
    /// keys; for the operator: a tenant administrator has no hand on another's
    /// credentials (`v2.md 9`).
    pub fn credentials(
        &self,
        who: &Principal,
        after: Option<CredentialId>,
        limit: u32,
    ) -> Result<Vec<Credential>> {
        require_operator(who)?;
        self.read(|read| read.credentials(after, limit.min(PAGE_MAX)))
    }

    /// Makes a credential of the caller.
    ///
    /// The type is free; where it names a component of the built-in team or of one of
    /// the caller's teams, or is `team/component`, the two are joined.
    pub fn create_credential(&self, who: &Principal, new: NewCredential) -> Result<OpenCredential> {
        let user = who.require_writer()?.id;
        let app = self.clone();
        self.act(who, move |act| {
            check_credential_count(act, user, 1)?;
            app.insert_credential(act, user, new)
        })
    }

    /// Changes a credential of the caller; forbidden for others of its organization, not
    /// found for everyone else.
    pub fn change_credential(
        &self,
        who: &Principal,
        id: CredentialId,
        change: CredentialChange,
    ) -> Result<OpenCredential> {
        let user = who.require_user()?.id;
        let app = self.clone();
        self.act(who, move |act| {
            let mut row = to_change(act, act.who, id)?;
            let mut changed = Vec::new();
            if let Some(name) = change.name {
                row.credential.name = text::name("name", &name)?;
                changed.push("name");
            }
            if let Some(name) = change.component_name {
                row.credential.component_name = text::name("type", &name)?;
                let name = &row.credential.component_name;
                row.credential.component_id = component_of(act, user, name)?;
                changed.push("type");
            }
            if let Some(keys) = &change.keys {
                let sealed = app.seal_keys(id, keys)?;
                row.key_version = sealed.key_version;
                row.sealed = sealed.blob;
                changed.push("keys");
            }
            if !changed.is_empty() {
                row.credential.updated_at_ms = act.now_ms;
                act.update_credential(&row)?;
                act.note_credential_changed(id, act.now_ms)?;
            }
            // An answer with the keys is a reading of them too, hence the entry always.
            act.audit(
                &NewAuditEntry::of("credential.update", ObjectKind::Credential, id)
                    .with(json!({ "changed": changed })),
            )?;
            app.open_keys(row)
        })
    }

    /// Adds a credential in the transaction of `act`; the caller checked the count.
    pub(super) fn insert_credential(
        &self,
        act: &Act<'_>,
        user: UserId,
        new: NewCredential,
    ) -> Result<OpenCredential> {
        let component_name = match new.component_name {
            Some(name) => text::name("type", &name)?,
            None => DEFAULT_TYPE.to_owned(),
        };
        let name = match new.name {
            Some(name) => text::name("name", &name)?,
            None => generated_name(&component_name),
        };
        let id = self.inner.ids.next();
        let sealed = self.seal_keys(id, &new.keys)?;
        let credential = Credential {
            id,
            user_id: user,
            component_id: match new.component_id {
                Some(known) => Some(known),
                None => component_of(act, user, &component_name)?,
            },
            name,
            component_name,
            created_at_ms: act.now_ms,
            updated_at_ms: act.now_ms,
            organization_id: act.who.organization(),
        };
        let row = SealedCredential {
            credential,
            key_version: sealed.key_version,
            sealed: sealed.blob,
        };
        act.insert_credential(&row)?;
        act.audit(
            &NewAuditEntry::of("credential.create", ObjectKind::Credential, id)
                .with(json!({ "type": row.credential.component_name })),
        )?;
        Ok(OpenCredential {
            credential: row.credential,
            keys: new.keys,
        })
    }

    /// Reads and opens a credential of the caller.
    fn read_own(&self, who: &Principal, id: CredentialId) -> Result<OpenCredential> {
        let user = who.require_user()?.id;
        let row = self.read(|read| {
            let row = read.sealed_credential(id)?;
            match row.filter(|row| row.credential.user_id == user) {
                Some(row) => Ok(row),
                None => Err(not_there(read, who, id)?),
            }
        })?;
        self.open_keys(row)
    }

    /// Seals the keys of the credential with this id.
    fn seal_keys(&self, id: CredentialId, keys: &Map<String, Value>) -> Result<Sealed> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(keys).map_err(Error::internal)?);
        if plain.len() > KEYS_MAX_BYTES {
            return Err(Error::invalid(
                "keys",
                format!("must have at most {KEYS_MAX_BYTES} bytes as JSON"),
            ));
        }
        self.inner.vault.seal(&place_of(&id.to_string()), &plain)
    }

    /// Opens the keys of a row.
    pub(super) fn open_keys(&self, row: SealedCredential) -> Result<OpenCredential> {
        let keys = self.open_sealed(row.credential.id, row.key_version, row.sealed)?;
        Ok(OpenCredential {
            credential: row.credential,
            keys,
        })
    }

    /// Opens keys of the credential with this id, which may be gone.
    pub(super) fn open_sealed(
        &self,
        id: CredentialId,
        key_version: i64,
        blob: Vec<u8>,
    ) -> Result<Map<String, Value>> {
        let id = id.to_string();
        let sealed = Sealed { key_version, blob };
        let plain = self.inner.vault.open(&place_of(&id), &sealed)?;
        serde_json::from_slice(&plain)
            .map_err(|_| Error::internal(format!("the keys of credential {id} are no object")))
    }
}

/// Refuses `more` credentials over the limit of a user.
pub(super) fn check_credential_count(read: &Read<'_>, user: UserId, more: usize) -> Result<()> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    if read.count_credentials_of(user)?.saturating_add(more) > CREDENTIALS_MAX {
        return Err(Error::new(
            Kind::Conflict,
            format!("a user has at most {CREDENTIALS_MAX} accounts"),
        ));
    }
    Ok(())
}

/// What somebody may see of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nothing: it is not there.
    None,
    /// Its name and component, and that a flow may use it: members of its organization.
    Closed,
    /// Its keys too: its owner.
    Open,
}

/// Returns what `who` may see of a credential. Nobody passes this check, neither tenant
/// administrators nor the operator, who has no keys (`v2.md 9`).
pub(super) fn sight(read: &Read<'_>, who: &Principal, credential: &Credential) -> Result<Sight> {
    let Some(user) = who.user_id() else {
        return Ok(Sight::None);
    };
    if credential.user_id == user {
        return Ok(Sight::Open);
    }
    let is_member = match credential.organization_id {
        Some(organization) => read.role_in(organization, user)?.is_some(),
        None => false,
    };
    Ok(if is_member {
        Sight::Closed
    } else {
        Sight::None
    })
}

/// Tells whether a flow of this owner may use a credential: it is the flow's user's own,
/// or of the organization that owns the flow; for a flow that is its user's alone, of
/// any organization that the user belongs to.
pub(super) fn serves(read: &Read<'_>, credential: &Credential, flow: Owner) -> Result<bool> {
    if credential.user_id == flow.user {
        return Ok(true);
    }
    match credential.organization_id {
        Some(_) if flow.organization.is_some() => {
            Ok(flow.organization == credential.organization_id)
        }
        Some(organization) => Ok(read.role_in(organization, flow.user)?.is_some()),
        None => Ok(false),
    }
}

/// Returns the row of a credential that `who` may change, which is its owner unless a
/// guest.
pub(super) fn to_change(
    read: &Read<'_>,
    who: &Principal,
    id: CredentialId,
) -> Result<SealedCredential> {
    let Some(row) = read.sealed_credential(id)? else {
        return Err(not_there(read, who, id)?);
    };
    match sight(read, who, &row.credential)? {
        Sight::None => Err(not_there(read, who, id)?),
        Sight::Closed => Err(Error::forbidden("only its owner changes this credential")),
        Sight::Open => {
            who.require_writer()?;
            Ok(row)
        }
    }
}

/// Returns the place for which the keys of the credential `id` are sealed.
fn place_of(id: &str) -> Place<'_> {
    Place {
        table: "credentials",
        row: id,
        field: "keys",
    }
}

/// Returns the name of a credential of this type that was given none.
fn generated_name(component_name: &str) -> String {
    let kept = NAME_MAX_CHARS - GENERATED_SUFFIX.len();
    let kept: String = component_name.chars().take(kept).collect();
    kept + GENERATED_SUFFIX
}

/// Returns the component that a type names, as far as the user may use it: a
/// built-in one before one of the user's own teams.
pub(super) fn component_of(
    read: &Read<'_>,
    user: UserId,
    name: &str,
) -> Result<Option<ComponentId>> {
    let (team, component) = match name.split_once('/') {
        Some((team, component)) => (Some(team), component),
        None => (None, name),
    };
    // A repository called `google_drive` has the slug `google-drive`; people name either.
    let slug_of = |name: &str| Slug::of_name("type", name).ok();
    let (Some(team_slug), Some(component)) =
        (slug_of(team.unwrap_or(BUILTIN_TEAM)), slug_of(component))
    else {
        return Ok(None);
    };
    let found = super::component::usable(read, user, &team_slug, &component)?;
    if found.is_some() || team.is_some() {
        return Ok(found.map(|component| component.id));
    }
    read.own_component(user, &component)
}

/// The answer for a credential that is not there for `who`.
fn not_there(read: &Read<'_>, who: &Principal, id: CredentialId) -> Result<Error> {
    missing(
        read,
        who,
        ObjectKind::Credential,
        &id.to_string(),
        "credential",
    )
}
