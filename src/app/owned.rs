//! The one rule about what belongs to a user or to an organization (`v2.md 2.7, 9`):
//! flows, lookups, data samples. Credentials have a stricter one of their own.

use super::missing;
use crate::domain::audit::ObjectKind;
use crate::domain::organization::Owner;
use crate::domain::principal::Principal;
use crate::domain::{Error, Result};
use crate::store::Read;

/// What somebody may do with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Nothing: it is not there.
    Outsider,
    /// See it: a guest.
    Reader,
    /// Change, start and delete it.
    Writer,
}

/// Returns what `who` may do with an object of `owner`.
///
/// Members of the owning organization see it, all but guests change it. Who has it
/// without being a member took it over from one who left, and keeps it. A guest changes
/// nothing, not even what is the guest's own.
pub(super) fn standing(read: &Read<'_>, who: &Principal, owner: Owner) -> Result<Standing> {
    if who.passes_all() {
        return Ok(Standing::Writer);
    }
    let Some(user) = who.user_id() else {
        return Ok(Standing::Outsider);
    };
    let role = match owner.organization {
        Some(organization) => read.role_in(organization, user)?,
        None => None,
    };
    let standing = match role {
        Some(role) if role.may_write() => Standing::Writer,
        Some(_) => Standing::Reader,
        None if owner.user == user => Standing::Writer,
        None => Standing::Outsider,
    };
    Ok(if who.refuse_guest().is_err() {
        standing.min(Standing::Reader)
    } else {
        standing
    })
}

/// A thing with an owner, as errors name it.
pub(super) struct Named<'a> {
    /// Its kind.
    pub(super) kind: ObjectKind,
    /// Its id.
    pub(super) id: String,
    /// What people call it.
    pub(super) what: &'a str,
}

/// Returns what `found` is for those who may see it; it is not found for others.
pub(super) fn visible<T>(
    read: &Read<'_>,
    who: &Principal,
    found: Option<T>,
    owner: impl Fn(&T) -> Owner,
    named: &Named<'_>,
) -> Result<T> {
    match found {
        Some(found) if standing(read, who, owner(&found))? > Standing::Outsider => Ok(found),
        _ => Err(missing(read, who, named.kind, &named.id, named.what)?),
    }
}

/// Returns what `found` is for those who may change it: forbidden for guests, not found
/// for outsiders.
pub(super) fn changeable<T>(
    read: &Read<'_>,
    who: &Principal,
    found: Option<T>,
    owner: impl Fn(&T) -> Owner,
    named: &Named<'_>,
) -> Result<T> {
    let found = visible(read, who, found, &owner, named)?;
    if standing(read, who, owner(&found))? < Standing::Writer {
        return Err(guests_read());
    }
    Ok(found)
}

/// The answer to a guest who would change something.
pub(super) fn guests_read() -> Error {
    Error::forbidden("you are a guest of this organization: guests read and change nothing")
}
