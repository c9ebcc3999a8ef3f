//! Verbs about users (`v1.md 2.1, 3.7`).

mod directory;

use serde_json::json;

use super::organization::note_hand_over;
use super::{Act, App, SecretText, missing};
use crate::domain::api_key::ApiKey;
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::UserId;
use crate::domain::principal::Principal;
use crate::domain::text::email_key;
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::user::{NewUser, User, UserState};
use crate::domain::{Error, Kind, Result};
use crate::store::Read;

pub use directory::UserQuery;

/// The name of the key that registration makes.
const FIRST_KEY_NAME: &str = "api_secret";

/// A user just registered, with the key that is shown only now.
pub struct RegisteredUser {
    /// The user.
    pub user: User,
    /// The API key in clear; v1 `api_secret`.
    pub api_secret: SecretText,
}

/// Whether the new user administers the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An ordinary user.
    Member,
    /// A tenant administrator; only the operator makes one.
    TenantAdmin,
}

impl App {
    /// Registers a user and makes its first API key.
    ///
    /// Any user may, unless the installation keeps it to tenant administrators
    /// (`v1.md 2.1`); the caller is remembered as creator. A taken address is a conflict.
    pub fn register_user(
        &self,
        who: &Principal,
        new: NewUser,
        password: &SecretText,
        role: Role,
    ) -> Result<RegisteredUser> {
        self.may_register(who, role)?;
        let (user, api_secret) = self.add_user(who, new, password, role)?;
        Ok(RegisteredUser { user, api_secret })
    }

    /// Adds a user with its first key; the caller checked that `who` may.
    fn add_user(
        &self,
        who: &Principal,
        new: NewUser,
        password: &SecretText,
        role: Role,
    ) -> Result<(User, SecretText)> {
        self.inner.rules.password.check("password", password)?;
        let key_of_email = new.email.key();
        if self
            .read(|read| read.user_by_email(&key_of_email))?
            .is_some()
        {
            return Err(taken());
        }
        let password_hash = self.inner.hasher.hash(password)?;
        let (secret, key_hash) = self.new_key();
        let now_ms = self.now_ms();
        let user = User {
            id: self.inner.ids.next(),
            email: new.email,
            first_name: new.first_name,
            last_name: new.last_name,
            company: new.company,
            is_tenant_admin: role == Role::TenantAdmin,
            state: UserState::Active,
            created_by: who.user_id(),
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            last_login_at_ms: None,
        };
        let key = ApiKey {
            id: self.inner.ids.next(),
            user_id: user.id,
            name: FIRST_KEY_NAME.to_owned(),
            prefix: super::api_key::prefix_of(&secret),
            created_at_ms: now_ms,
            last_used_at_ms: None,
            expires_at_ms: None,
            organization_id: None,
        };
        let user = self.act(who, move |act| {
            act.insert_user(&user, &password_hash).map_err(|error| {
                if error.kind() == Kind::Conflict {
                    taken()
                } else {
                    error
                }
            })?;
            act.insert_api_key(&key, &key_hash)?;
            let role = if user.is_tenant_admin {
                "tenant_admin"
            } else {
                "member"
            };
            act.audit(
                &NewAuditEntry::of("user.create", ObjectKind::User, user.id)
                    .with(json!({ "role": role })),
            )?;
            act.audit(
                &NewAuditEntry::of("api_key.create", ObjectKind::ApiKey, key.id)
                    .with(json!({ "user_id": user.id.to_string() })),
            )?;
            Ok(user)
        })?;
        Ok((user, secret))
    }

    /// Checks that `who` may register a user of this role.
    fn may_register(&self, who: &Principal, role: Role) -> Result<()> {
        if !who.is_operator() {
            who.require_writer()?;
            if self.inner.rules.registration_by_admins_only && !who.is_tenant_admin() {
                return Err(Error::forbidden(
                    "only tenant administrators register users here",
                ));
            }
            if role == Role::TenantAdmin {
                return Err(Error::forbidden(
                    "only the operator makes tenant administrators",
                ));
            }
        }
        Ok(())
    }

    /// Returns the user with this address or id; for the operator.
    pub fn find_user(&self, who: &Principal, email_or_id: &str) -> Result<User> {
        require_admin(who)?;
        self.read(|read| find(read, email_or_id))?
            .ok_or_else(|| Error::not_found("user"))
    }

    /// Returns up to `limit` users after `after`, by id; for tenant administrators.
    pub fn users(&self, who: &Principal, after: Option<UserId>, limit: u32) -> Result<Vec<User>> {
        require_admin(who)?;
        self.read(|read| read.users(after, limit.min(super::PAGE_MAX)))
    }

    /// Lets a user sign in or not; for tenant administrators. The last of them stays.
    pub fn set_user_state(&self, who: &Principal, id: UserId, state: UserState) -> Result<User> {
        require_admin(who)?;
        let user = self.act(who, move |act| {
            let user = act.user(id)?.ok_or_else(|| Error::not_found("user"))?;
            if state == UserState::Disabled {
                keep_an_admin(act, &user, "disabled")?;
            }
            if user.state != state {
                act.set_user_state(id, state, act.now_ms)?;
                let action = match state {
                    UserState::Active => "user.enable",
                    UserState::Disabled => "user.disable",
                };
                act.audit(&NewAuditEntry::of(action, ObjectKind::User, id))?;
            }
            Ok(User { state, ..user })
        })?;
        self.inner.sign_ins.forget(id);
        Ok(user)
    }

    /// Sets a user's password: one's own, or anybody's for tenant administrators.
    pub fn set_password(&self, who: &Principal, id: UserId, password: &SecretText) -> Result<()> {
        if who.user_id() != Some(id) {
            require_admin(who)?;
        }
        self.inner.rules.password.check("password", password)?;
        let hash = self.inner.hasher.hash(password)?;
        self.act(who, move |act| {
            if !act.set_password_hash(id, &hash, act.now_ms)? {
                return Err(Error::not_found("user"));
            }
            act.audit(&NewAuditEntry::of("user.password", ObjectKind::User, id))
        })?;
        self.inner.sign_ins.forget(id);
        Ok(())
    }

    /// Deletes a user with all that is the user's alone (`v1.md 3.7`, `v2.md 4.10`).
    ///
    /// The operator may delete anyone, others only whom they created: never themselves
    /// (forbidden), and anyone else is not found. Refused for the last tenant
    /// administrator, and where a shared component of the user is in somebody's flow.
    pub fn delete_user(&self, who: &Principal, id: UserId) -> Result<User> {
        if who.user_id() == Some(id) {
            return Err(Error::forbidden("you can't delete yourself"));
        }
        let user = self.act(who, move |act| {
            let user = match act.user(id)? {
                Some(user) if act.who.is_operator() || user.created_by == act.who.user_id() => user,
                _ => {
                    let id = id.to_string();
                    return Err(missing(act, act.who, ObjectKind::User, &id, "user")?);
                }
            };
            delete_with_belongings(act, &user)?;
            Ok(user)
        })?;
        self.inner.sign_ins.forget(id);
        Ok(user)
    }
}

/// Ends the user's part in organizations: the ones that only it was in are deleted, and
/// what it has of others, which passed to it from members who left, goes on to an
/// administrator of theirs. Refused for a member of one with others: leave first.
fn leave_organizations(act: &Act<'_>, user: UserId) -> Result<usize> {
    let memberships = act.memberships_of(user)?;
    for membership in &memberships {
        if act.count_other_members(membership.organization, user)? > 0 {
            return Err(Error::new(
                Kind::Conflict,
                "the user belongs to an organization with other members: leave it first",
            ));
        }
    }
    for organization in act.organizations_held_by(user)? {
        if let Some(heir) = act.heir_in(organization, user)? {
            act.note_flows_changed_of(user, act.now_ms)?;
            let passed = act.hand_over(organization, user, heir)?;
            let what = (organization, user);
            note_hand_over(act, "organization.hand_over", what, heir, passed)?;
        }
    }
    for membership in &memberships {
        let id = membership.organization;
        act.delete_organization(id)?;
        act.insert_tombstone(&Tombstone {
            kind: ObjectKind::Organization,
            id: id.to_string(),
            seen_by: SeenBy::Administrators,
            deleted_at_ms: act.now_ms,
        })?;
        act.audit(&NewAuditEntry::of(
            "organization.delete",
            ObjectKind::Organization,
            id,
        ))?;
    }
    Ok(memberships.len())
}

/// Deletes the user's row, what cascades from it, and the teams that only it was in.
fn delete_with_belongings(act: &Act<'_>, user: &User) -> Result<()> {
    keep_an_admin(act, user, "deleted")?;
    if let Some(component) = act.shared_component_in_use_of_others(user.id)? {
        return Err(Error::new(
            Kind::Conflict,
            format!("the user owns the component {component}, which somebody else's flow uses"),
        ));
    }
    let organizations = leave_organizations(act, user.id)?;
    let teams = act.sole_member_teams(user.id)?;
    for team in &teams {
        act.insert_tombstones_of_team(*team, act.now_ms)?;
        act.delete_team_with_components(*team)?;
        act.audit(&NewAuditEntry::of("team.delete", ObjectKind::Team, *team))?;
    }
    for flow in act.active_flows_of(user.id)? {
        act.audit(&NewAuditEntry::of("flow.stop", ObjectKind::Flow, flow))?;
    }
    let belongings = act.belongings_of(user.id)?;
    act.note_flows_changed_of(user.id, act.now_ms)?;
    act.insert_tombstones_of_belongings(user.id, act.now_ms)?;
    if !act.delete_user(user.id)? {
        return Err(Error::not_found("user"));
    }
    let deleter = act.who.user_id().filter(|deleter| *deleter != user.id);
    act.insert_tombstone(&Tombstone {
        kind: ObjectKind::User,
        id: user.id.to_string(),
        seen_by: match user.created_by.or(deleter) {
            Some(witness) => SeenBy::User(witness),
            None => SeenBy::Administrators,
        },
        deleted_at_ms: act.now_ms,
    })?;
    act.audit(
        &NewAuditEntry::of("user.delete", ObjectKind::User, user.id).with(json!({
            "organizations": organizations,
            "teams": teams.len(),
            "api_keys": belongings.api_keys,
            "ssh_keys": belongings.ssh_keys,
            "credentials": belongings.credentials,
            "flows": belongings.flows,
        })),
    )
}

/// Refuses to take away the last tenant administrator who can sign in.
fn keep_an_admin(act: &Act<'_>, user: &User, done: &str) -> Result<()> {
    let counts = user.is_tenant_admin && user.state == UserState::Active;
    if counts && act.other_tenant_admins(user.id)? == 0 {
        return Err(Error::new(
            Kind::Conflict,
            format!("the last tenant administrator can't be {done}"),
        ));
    }
    Ok(())
}

/// Finds a user by address where the text has an `@`, else by id.
fn find(read: &Read<'_>, email_or_id: &str) -> Result<Option<User>> {
    if email_or_id.contains('@') {
        let found = read.user_by_email(&email_key(email_or_id))?;
        return Ok(found.map(|(user, _)| user));
    }
    match email_or_id.parse() {
        Ok(id) => read.user(id),
        Err(_) => Ok(None),
    }
}

/// Refuses everyone but tenant administrators and the operator.
pub(super) fn require_admin(who: &Principal) -> Result<()> {
    who.require_tenant_admin()
}

/// The answer to an address that another user has.
fn taken() -> Error {
    Error::conflict("email", "is taken by another user")
}
