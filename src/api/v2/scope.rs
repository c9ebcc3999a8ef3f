//! For whom a call acts, where it says so itself: `?workspace_id=` on lists, a
//! relationship on creations (`v2.md 2.1`, `v2.md 9`, item 7).

use super::input::Input;
use crate::api::call::Call;
use crate::api::shape::Relationship;
use crate::domain::id::OrganizationId;
use crate::domain::organization::not_yours;
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};

/// The parameters that later clients send; the contract says nothing here.
pub(super) const PARAMETERS: &[&str] = &[WORKSPACE, "contract_id"];

/// The parameter that names an organization.
const WORKSPACE: &str = "workspace_id";

/// The relationship by which a creation names its organization.
pub(super) const ORGANIZATION: Relationship = Relationship::one("organization", "organization");

/// The same by its later name.
pub(super) const LATER_WORKSPACE: Relationship = Relationship::one("workspace", "workspace");

/// Returns who lists: for the organization of `workspace_id`, else as its key says.
///
/// An organization that is not the caller's is forbidden.
pub(super) fn reader(call: &Call<'_>) -> Result<Principal> {
    match sent(call)? {
        Some(id) => call.app.acting_for(&call.who, id),
        None => Ok(call.who.clone()),
    }
}

/// Returns the organization of `workspace_id`, which must be one of the caller's.
pub(super) fn named(call: &Call<'_>) -> Result<Option<OrganizationId>> {
    let id = sent(call)?;
    if let Some(id) = id {
        call.app.acting_for(&call.who, id)?;
    }
    Ok(id)
}

/// Reads `workspace_id`.
fn sent(call: &Call<'_>) -> Result<Option<OrganizationId>> {
    let sent = call.query.iter().find(|(name, _)| name == WORKSPACE);
    sent.map(|(_, id)| id.parse().map_err(|_| not_yours()))
        .transpose()
}

/// Returns who makes an object: for the organization that the body relates it to, where
/// it does; one that is not the caller's is not found.
pub(super) fn maker(call: &Call<'_>, input: &Input<'_>) -> Result<Principal> {
    let related = input.related(ORGANIZATION.name);
    let Some(id) = related.or_else(|| input.related(LATER_WORKSPACE.name)) else {
        return reader(call);
    };
    let missing = || Error::not_found("organization");
    let id = id.parse().map_err(|_| missing())?;
    call.app
        .acting_for(&call.who, id)
        .map_err(|error| match error.kind() {
            Kind::Forbidden => missing(),
            _ => error,
        })
}

/// Returns the path of an organization.
pub(super) fn organization_path(id: OrganizationId) -> String {
    format!("/v2/organizations/{id}")
}
