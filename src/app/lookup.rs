//! Verbs about lookups (`v2.md 4.5`).

use super::flow::require_operator;
use super::owned::{self, Named};
use super::{Act, App, PAGE_MAX};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::LookupId;
use crate::domain::lookup::{Lookup, LookupChange, NewLookup};
use crate::domain::organization::{Owner, Scope};
use crate::domain::principal::Principal;
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::{Error, Kind, Result};
use crate::store::Read;

/// The most lookups of one owner: a list without pages that stays an answer.
pub const LOOKUPS_MAX: u32 = 1_000;

impl App {
    /// Returns all lookups of the scope of `who`, by id.
    pub fn lookups(&self, who: &Principal) -> Result<Vec<Lookup>> {
        let user = who.require_user()?.id;
        self.read(|read| match who.scope {
            Scope::Personal => read.personal_lookups(user, LOOKUPS_MAX),
            Scope::Organization(membership) => {
                read.lookups_of(membership.organization, LOOKUPS_MAX)
            }
        })
    }

    /// Returns up to `limit` lookups of everybody after `after`, by id; for the operator.
    pub fn all_lookups(
        &self,
        who: &Principal,
        after: Option<LookupId>,
        limit: u32,
    ) -> Result<Vec<Lookup>> {
        require_operator(who)?;
        self.read(|read| read.all_lookups(after, limit.min(PAGE_MAX)))
    }

    /// Returns a lookup to its user or to the members of its organization.
    pub fn lookup(&self, who: &Principal, id: LookupId) -> Result<Lookup> {
        self.read(|read| {
            let found = read.lookup(id)?;
            owned::visible(read, who, found, |lookup| lookup.owner, &named(id))
        })
    }

    /// Returns the lookup that a flow of `owner` calls by id or by title, or none.
    ///
    /// For the engine: it asks for the flow, so nobody's rights are looked at. An
    /// organization's lookup goes before one that is the user's alone.
    pub fn lookup_for(&self, owner: Owner, id_or_title: &str) -> Result<Option<Lookup>> {
        self.read(|read| read.lookup_for(owner, id_or_title))
    }

    /// Returns the lookups that a flow of `owner` may call: its organization's, then the
    /// user's own. For the engine, like [`App::lookup_for`].
    pub fn lookups_for(&self, owner: Owner) -> Result<Vec<Lookup>> {
        self.read(|read| {
            let mut lookups = match owner.organization {
                Some(organization) => read.lookups_of(organization, LOOKUPS_MAX)?,
                None => Vec::new(),
            };
            lookups.extend(read.personal_lookups(owner.user, LOOKUPS_MAX)?);
            Ok(lookups)
        })
    }

    /// Makes a lookup in the scope of `who`.
    pub fn create_lookup(&self, who: &Principal, new: NewLookup) -> Result<Lookup> {
        let owner = Owner {
            user: who.require_writer()?.id,
            organization: who.organization(),
        };
        let id = self.inner.ids.next();
        self.act(who, move |act| {
            if act.count_lookups_of(owner)? >= i64::from(LOOKUPS_MAX) {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("there are {LOOKUPS_MAX} lookups already, which is the most: delete one first"),
                ));
            }
            let lookup = Lookup {
                id,
                owner,
                title: new.title,
                data: new.data,
                created_at_ms: act.now_ms,
                updated_at_ms: act.now_ms,
            };
            act.insert_lookup(&lookup)?;
            act.audit(&NewAuditEntry::of("lookup.create", ObjectKind::Lookup, id))?;
            Ok(lookup)
        })
    }

    /// Changes a lookup; what the change does not name stays.
    pub fn change_lookup(
        &self,
        who: &Principal,
        id: LookupId,
        change: LookupChange,
    ) -> Result<Lookup> {
        self.act(who, move |act| {
            let mut lookup = load_to_change(act, act.who, id)?;
            lookup.title = change.title.unwrap_or(lookup.title);
            lookup.data = change.data.unwrap_or(lookup.data);
            lookup.updated_at_ms = act.now_ms;
            act.update_lookup(&lookup)?;
            act.audit(&NewAuditEntry::of("lookup.update", ObjectKind::Lookup, id))?;
            Ok(lookup)
        })
    }

    /// Deletes a lookup; those who could see it are told afterwards that it is gone.
    pub fn delete_lookup(&self, who: &Principal, id: LookupId) -> Result<()> {
        self.act(who, move |act| {
            let lookup = load_to_change(act, act.who, id)?;
            delete(act, &lookup)
        })
    }
}

/// Deletes a lookup that was found.
fn delete(act: &Act<'_>, lookup: &Lookup) -> Result<()> {
    if !act.delete_lookup(lookup.id)? {
        return Err(Error::not_found("lookup"));
    }
    act.insert_tombstone(&Tombstone {
        kind: ObjectKind::Lookup,
        id: lookup.id.to_string(),
        seen_by: SeenBy::of(lookup.owner),
        deleted_at_ms: act.now_ms,
    })?;
    act.audit(&NewAuditEntry::of(
        "lookup.delete",
        ObjectKind::Lookup,
        lookup.id,
    ))
}

/// Returns a lookup that `who` may change.
fn load_to_change(read: &Read<'_>, who: &Principal, id: LookupId) -> Result<Lookup> {
    let found = read.lookup(id)?;
    owned::changeable(read, who, found, |lookup| lookup.owner, &named(id))
}

/// Names a lookup for errors.
fn named(id: LookupId) -> Named<'static> {
    Named {
        kind: ObjectKind::Lookup,
        id: id.to_string(),
        what: "lookup",
    }
}
