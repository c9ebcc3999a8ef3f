//! Verbs about developer teams (`v1.md 2.7`).

mod naming;

use serde_json::json;

use super::api_key::own_or_operator;
use super::user::require_admin;
use super::{Act, App, PAGE_MAX, missing};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::{TeamId, UserId};
use crate::domain::organization::Role;
use crate::domain::principal::Principal;
use crate::domain::slug::Slug;
use crate::domain::team::{BUILTIN_TEAM, Team};
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::{Error, Kind, Result, text};
use crate::store::Read;

/// The most teams of one user: people are in a handful, and v1 lists them all at once.
pub const TEAMS_MAX: i64 = 500;

/// The fact that holds the number in the last generated name, so that the next one is
/// found at once, however many there are.
const META_TEAM_NUMBER: &str = "team_number";

impl App {
    /// Makes a team whose only member is `owner`: oneself, or anybody by the operator.
    ///
    /// A missing name is generated. A name whose slug another team has is a conflict.
    pub fn create_team(&self, who: &Principal, owner: UserId, name: Option<&str>) -> Result<Team> {
        own_or_operator(who, owner)?;
        who.refuse_guest()?;
        let name = name.map(|name| named("name", name)).transpose()?;
        let id = self.inner.ids.next();
        self.act(who, move |act| {
            if act.user(owner)?.is_none() {
                return Err(Error::not_found("user"));
            }
            insert(act, id, owner, name)
        })
    }

    /// Returns up to `limit` teams of a user after `after`: one's own, or anybody's for
    /// the operator.
    pub fn teams_of(
        &self,
        who: &Principal,
        user: UserId,
        after: Option<TeamId>,
        limit: u32,
    ) -> Result<Vec<Team>> {
        own_or_operator(who, user)?;
        self.read(|read| read.teams_of(user, after, limit.min(PAGE_MAX)))
    }

    /// Returns up to `limit` teams of the installation after `after`, by id; for tenant
    /// administrators.
    pub fn teams(&self, who: &Principal, after: Option<TeamId>, limit: u32) -> Result<Vec<Team>> {
        require_admin(who)?;
        self.read(|read| read.teams(after, limit.min(PAGE_MAX)))
    }

    /// Returns a team: to its members, those of its organization, and to tenant
    /// administrators.
    pub fn team(&self, who: &Principal, id: TeamId) -> Result<Team> {
        self.read(|read| visible(read, who, id))
    }

    /// Puts users into a team; who is in it already stays as it is. The field of an error
    /// about a user who is not there is `users.<place>`, counted from 0.
    pub fn add_team_members(
        &self,
        who: &Principal,
        id: TeamId,
        users: Vec<UserId>,
    ) -> Result<Team> {
        self.act(who, move |act| {
            let team = editable(act, act.who, id)?;
            for (place, user) in users.into_iter().enumerate() {
                if team.members.contains(&user) {
                    continue;
                }
                if act.user(user)?.is_none() {
                    return Err(Error::invalid(format!("users.{place}"), "is no user"));
                }
                if act.count_teams_of(user)? >= TEAMS_MAX {
                    return Err(too_many_teams());
                }
                act.insert_team_member(id, user, act.now_ms)?;
                act.audit(
                    &NewAuditEntry::of("team.member.add", ObjectKind::Team, id)
                        .with(json!({ "user_id": user.to_string() })),
                )?;
            }
            act.team(id)?.ok_or_else(|| Error::not_found("team"))
        })
    }

    /// Takes users out of a team; who is not in it is passed over. The last member is a
    /// conflict, and then nobody is taken out.
    pub fn remove_team_members(
        &self,
        who: &Principal,
        id: TeamId,
        users: Vec<UserId>,
    ) -> Result<Team> {
        self.act(who, move |act| {
            editable(act, act.who, id)?;
            for user in users {
                if act.delete_team_member(id, user)? {
                    act.audit(
                        &NewAuditEntry::of("team.member.remove", ObjectKind::Team, id)
                            .with(json!({ "user_id": user.to_string() })),
                    )?;
                }
            }
            match act.team(id)? {
                Some(team) if !team.members.is_empty() => Ok(team),
                _ => Err(Error::new(
                    Kind::Conflict,
                    "the last member of a team can't be removed: delete the team",
                )),
            }
        })
    }

    /// Deletes a team; a conflict while it has components. Its members are told that it
    /// is gone.
    pub fn delete_team(&self, who: &Principal, id: TeamId) -> Result<Team> {
        self.act(who, move |act| {
            let team = editable(act, act.who, id)?;
            if team.slug.as_str() == BUILTIN_TEAM {
                return Err(Error::forbidden(
                    "the team of the built-in components stays",
                ));
            }
            if act.count_components_of_team(id)? > 0 {
                return Err(Error::new(
                    Kind::Conflict,
                    "the team still has components: delete them first",
                ));
            }
            act.delete_team_with_components(id)?;
            // One row has one kind of witness: the organization where there is one, else
            // whoever did it, since the team and its members are no more.
            let seen_by = match (team.organization_id, act.who.user_id()) {
                (Some(organization), _) => Some(SeenBy::Organization(organization)),
                (None, Some(user)) => Some(SeenBy::User(user)),
                (None, None) => None,
            };
            if let Some(seen_by) = seen_by {
                act.insert_tombstone(&Tombstone {
                    kind: ObjectKind::Team,
                    id: id.to_string(),
                    seen_by,
                    deleted_at_ms: act.now_ms,
                })?;
            }
            act.audit(
                &NewAuditEntry::of("team.delete", ObjectKind::Team, id)
                    .with(json!({ "name": team.name })),
            )?;
            Ok(team)
        })
    }
}

/// The answer to one team more than a user may have.
fn too_many_teams() -> Error {
    Error::new(
        Kind::Conflict,
        format!("a user belongs to at most {TEAMS_MAX} teams"),
    )
}

/// Returns a team as far as `who` may see it: its members, the members of its
/// organization, and tenant administrators (`v2.md 9`).
pub(super) fn visible(read: &Read<'_>, who: &Principal, id: TeamId) -> Result<Team> {
    let is_insider = match who.user_id() {
        Some(user) => read.may_read_for_team(id, user)?,
        None => false,
    };
    match read.team(id)? {
        Some(team) if is_insider || who.is_tenant_admin() => Ok(team),
        _ => {
            let id = id.to_string();
            Err(missing(read, who, ObjectKind::Team, &id, "team")?)
        }
    }
}

/// Returns a team whose members and existence `who` may change: its members who are no
/// guests of its organization, the organization's administrators, and tenant
/// administrators; forbidden for others who see it (`v2.md 4.9, 9`).
pub(super) fn editable(read: &Read<'_>, who: &Principal, id: TeamId) -> Result<Team> {
    let team = visible(read, who, id)?;
    if who.is_tenant_admin() {
        return Ok(team);
    }
    let user = who.require_writer()?.id;
    let role = match team.organization_id {
        Some(organization) => read.role_in(organization, user)?,
        None => None,
    };
    let is_guest = role.is_some_and(|role| !role.may_write());
    if role == Some(Role::Admin) || (team.members.contains(&user) && !is_guest) {
        Ok(team)
    } else {
        Err(Error::forbidden(
            "only members of the team and administrators of its organization do this",
        ))
    }
}

/// Checks a name and derives its slug.
pub(super) fn named(field: &str, name: &str) -> Result<(String, Slug)> {
    let name = text::name(field, name)?;
    let slug = Slug::of_name(field, &name)?;
    Ok((name, slug))
}

/// Adds a team whose only member is `owner`, under a generated name where none is given.
pub(super) fn insert(
    act: &Act<'_>,
    id: TeamId,
    owner: UserId,
    name: Option<(String, Slug)>,
) -> Result<Team> {
    if act.count_teams_of(owner)? >= TEAMS_MAX {
        return Err(too_many_teams());
    }
    let (name, slug) = match name {
        Some(given) => given,
        None => generated_name(act)?,
    };
    let team = Team {
        id,
        name,
        slug,
        created_at_ms: act.now_ms,
        organization_id: act.who.organization(),
        members: vec![owner],
    };
    act.insert_team(&team)?;
    act.audit(&NewAuditEntry::of("team.create", ObjectKind::Team, id))?;
    Ok(team)
}

/// Returns the first name `Team 1`, `Team 2`, … after the last generated one that is free.
fn generated_name(act: &Act<'_>) -> Result<(String, Slug)> {
    let last = act.meta(META_TEAM_NUMBER)?;
    let mut number: u64 = last
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    loop {
        number += 1;
        let (name, slug) = named("name", &format!("Team {number}"))?;
        if act.team_by_slug(&slug)?.is_none() {
            act.set_meta(META_TEAM_NUMBER, number.to_string().as_bytes())?;
            return Ok((name, slug));
        }
    }
}
