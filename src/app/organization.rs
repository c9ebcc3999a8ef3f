//! Verbs about organizations and their members (`v2.md 2.7, 4.6`). Invites are in
//! [`super::invite`].

use serde_json::json;

use super::user::require_admin;
use super::{Act, App, PAGE_MAX, missing};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::{OrganizationId, UserId};
use crate::domain::organization::{self, Member, Membership, Organization, Role, Scope};
use crate::domain::principal::Principal;
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::{Error, Kind, Result};
use crate::store::{HandedOver, Read};

/// The most members of one organization: a list without pages that stays an answer.
pub const MEMBERS_MAX: u32 = 1_000;

/// The most organizations of one user: each request reads them all.
pub const MEMBERSHIPS_MAX: usize = 50;

impl App {
    /// Makes an organization without members; for tenant administrators.
    pub fn create_organization(&self, who: &Principal, name: &str) -> Result<Organization> {
        require_admin(who)?;
        let name = organization::name(name)?;
        let id = self.inner.ids.next();
        self.act(who, move |act| {
            let organization = Organization {
                id,
                name,
                created_at_ms: act.now_ms,
            };
            act.insert_organization(&organization)?;
            act.audit(&NewAuditEntry::of(
                "organization.create",
                ObjectKind::Organization,
                id,
            ))?;
            Ok(organization)
        })
    }

    /// Returns an organization to its members and to tenant administrators.
    pub fn organization(&self, who: &Principal, id: OrganizationId) -> Result<Organization> {
        self.read(|read| visible(read, who, id))
    }

    /// Returns up to `limit` organizations after `after`, by id; for tenant
    /// administrators.
    pub fn organizations(
        &self,
        who: &Principal,
        after: Option<OrganizationId>,
        limit: u32,
    ) -> Result<Vec<Organization>> {
        require_admin(who)?;
        self.read(|read| read.organizations(after, limit.min(PAGE_MAX)))
    }

    /// Returns `who` acting for an organization of its own, whatever its key says;
    /// forbidden for any other (`v2.md 2.1`).
    pub fn acting_for(&self, who: &Principal, id: OrganizationId) -> Result<Principal> {
        let user = who.require_user()?.id;
        match self.read(|read| read.role_in(id, user))? {
            Some(role) => Ok(who.clone().in_scope(Scope::Organization(Membership {
                organization: id,
                role,
            }))),
            None => Err(organization::not_yours()),
        }
    }

    /// Returns the members of an organization, by id, to its members and to tenant
    /// administrators.
    pub fn members(&self, who: &Principal, id: OrganizationId) -> Result<Vec<Member>> {
        self.read(|read| {
            visible(read, who, id)?;
            read.members_of(id, MEMBERS_MAX)
        })
    }

    /// Returns one member of an organization, to the same people.
    pub fn member(&self, who: &Principal, id: OrganizationId, user: UserId) -> Result<Member> {
        self.read(|read| {
            visible(read, who, id)?;
            member(read, who, id, user)
        })
    }

    /// Makes a user a member at once; for tenant administrators. One who is a member
    /// already is a conflict.
    pub fn add_member(
        &self,
        who: &Principal,
        id: OrganizationId,
        user: UserId,
        role: Role,
    ) -> Result<Member> {
        require_admin(who)?;
        self.act(who, move |act| {
            visible(act, act.who, id)?;
            if act.user(user)?.is_none() {
                return Err(missing(
                    act,
                    act.who,
                    ObjectKind::User,
                    &user.to_string(),
                    "user",
                )?);
            }
            let membership = Membership {
                organization: id,
                role,
            };
            join(act, membership, user, "organization.member.add")
        })
    }

    /// Sets the role of a member; for administrators of the organization and of the
    /// installation. The last administrator of an organization stays one.
    pub fn set_member_role(
        &self,
        who: &Principal,
        id: OrganizationId,
        user: UserId,
        role: Role,
    ) -> Result<Member> {
        self.act(who, move |act| {
            administered(act, act.who, id)?;
            let member = member(act, act.who, id, user)?;
            if member.role == role {
                return Ok(member);
            }
            if member.role == Role::Admin && act.other_admin_of(id, user)?.is_none() {
                return Err(last_admin());
            }
            let membership = Membership {
                organization: id,
                role,
            };
            act.set_member_role(membership, user)?;
            act.audit(
                &NewAuditEntry::of(
                    "organization.member.role",
                    ObjectKind::Member,
                    pair(id, user),
                )
                .with(json!({ "was": member.role.as_str(), "role": role.as_str() })),
            )?;
            Ok(Member { role, ..member })
        })
    }

    /// Removes a member; for tenant administrators.
    ///
    /// What the leaver has within the organization passes to the caller in the same
    /// transaction: flows, credentials, lookups, data samples, and places in teams. Where
    /// the caller is the operator, who has no such things, or the leaver, they pass to the
    /// administrator of the organization who is longest there, else to its longest member.
    /// The last administrator stays while others do, and the last member takes all along.
    pub fn remove_member(&self, who: &Principal, id: OrganizationId, user: UserId) -> Result<()> {
        require_admin(who)?;
        self.act(who, move |act| {
            visible(act, act.who, id)?;
            let member = member(act, act.who, id, user)?;
            let others = act.count_other_members(id, user)?;
            let other_admin = act.other_admin_of(id, user)?;
            if member.role == Role::Admin && others > 0 && other_admin.is_none() {
                return Err(last_admin());
            }
            let heir = match act.who.user_id().filter(|caller| *caller != user) {
                Some(caller) => caller,
                None => heir_of(act, id, user)?,
            };
            // Running flows look again at what they may use: those that pass, and the
            // leaver's own with a credential of the organization.
            act.note_flows_changed_of(user, act.now_ms)?;
            let passed = act.hand_over(id, user, heir)?;
            if !act.delete_member(id, user)? {
                return Err(Error::not_found("member"));
            }
            act.insert_tombstone(&Tombstone {
                kind: ObjectKind::Member,
                id: pair(id, user),
                seen_by: SeenBy::Organization(id),
                deleted_at_ms: act.now_ms,
            })?;
            note_hand_over(act, "organization.member.remove", (id, user), heir, passed)
        })
    }
}

/// Returns who takes over what a leaver has where the caller can't: the longest
/// administrator or member; the leaver, where the caller is the last member.
fn heir_of(act: &Act<'_>, id: OrganizationId, leaver: UserId) -> Result<UserId> {
    let found = act.heir_in(id, leaver)?;
    found.or(act.who.user_id()).ok_or_else(|| {
        let told = "nobody is there to take over what the member has";
        Error::new(Kind::Conflict, told)
    })
}

/// Makes a user a member, in the transaction of `act`, and takes back what asked the
/// user to become one.
pub(super) fn join(
    act: &Act<'_>,
    membership: Membership,
    user: UserId,
    action: &'static str,
) -> Result<Member> {
    let id = membership.organization;
    if act.role_in(id, user)?.is_some() {
        return Err(Error::new(
            Kind::Conflict,
            "this user is a member of the organization already",
        ));
    }
    if act.memberships_of(user)?.len() >= MEMBERSHIPS_MAX {
        return Err(Error::new(
            Kind::Conflict,
            format!("a user belongs to at most {MEMBERSHIPS_MAX} organizations"),
        ));
    }
    if act.count_other_members(id, user)? >= i64::from(MEMBERS_MAX) {
        return Err(Error::new(
            Kind::Conflict,
            format!("an organization has at most {MEMBERS_MAX} members"),
        ));
    }
    act.insert_member(membership, user, act.now_ms)?;
    act.delete_tombstone(ObjectKind::Member, &pair(id, user))?;
    act.audit(
        &NewAuditEntry::of(action, ObjectKind::Member, pair(id, user))
            .with(json!({ "role": membership.role.as_str() })),
    )?;
    let member = act
        .member(id, user)?
        .ok_or_else(|| Error::internal("a member that was just added is missing"))?;
    act.delete_invites_to(id, &member.email.key())?;
    Ok(member)
}

/// Notes that a membership ended, or a user who had things of an organization, and what
/// passed to whom.
pub(super) fn note_hand_over(
    act: &Act<'_>,
    action: &'static str,
    (id, user): (OrganizationId, UserId),
    heir: UserId,
    passed: HandedOver,
) -> Result<()> {
    act.audit(
        &NewAuditEntry::of(action, ObjectKind::Member, pair(id, user)).with(json!({
            "heir": heir.to_string(),
            "flows": passed.flows,
            "credentials": passed.credentials,
            "lookups": passed.lookups,
            "samples": passed.samples,
            "teams": passed.teams,
        })),
    )
}

/// Returns an organization as far as `who` may see it: its members and tenant
/// administrators.
pub(super) fn visible(
    read: &Read<'_>,
    who: &Principal,
    id: OrganizationId,
) -> Result<Organization> {
    let is_member = match who.user_id() {
        Some(user) => read.role_in(id, user)?.is_some(),
        None => false,
    };
    match read.organization(id)? {
        Some(organization) if is_member || who.is_tenant_admin() => Ok(organization),
        _ => {
            let id = id.to_string();
            Err(missing(
                read,
                who,
                ObjectKind::Organization,
                &id,
                "organization",
            )?)
        }
    }
}

/// Returns an organization that `who` administers: forbidden for its other members.
pub(super) fn administered(
    read: &Read<'_>,
    who: &Principal,
    id: OrganizationId,
) -> Result<Organization> {
    let organization = visible(read, who, id)?;
    let role = match who.user_id() {
        Some(user) => read.role_in(id, user)?,
        None => None,
    };
    if role == Some(Role::Admin) || who.is_tenant_admin() {
        Ok(organization)
    } else {
        Err(Error::forbidden(
            "this is for administrators of the organization",
        ))
    }
}

/// Returns a member of an organization that `who` may see.
fn member(read: &Read<'_>, who: &Principal, id: OrganizationId, user: UserId) -> Result<Member> {
    match read.member(id, user)? {
        Some(member) => Ok(member),
        None => Err(missing(
            read,
            who,
            ObjectKind::Member,
            &pair(id, user),
            "member",
        )?),
    }
}

/// The id of a membership in the audit log and among tombstones.
fn pair(id: OrganizationId, user: UserId) -> String {
    format!("{id}/{user}")
}

/// The answer that keeps an organization from losing its last administrator.
fn last_admin() -> Error {
    Error::new(
        Kind::Conflict,
        "the last administrator of an organization stays one: make another member one first",
    )
}
