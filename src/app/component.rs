//! Verbs about repositories and the components built from them (`v1.md 2.4, 2.5, 3.2`).
//!
//! A repository is there for its team. A shared component is visible to everyone, as a
//! component: changing it is forbidden to others, and its repository is not found.

mod access;
mod build;
mod network;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::api_key::own_or_operator;
use super::team::{self, named};
use super::user::require_admin;
use super::{Act, App, PAGE_MAX, missing};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::component::{
    Access, Component, ComponentTitle, ComponentVersion, ICON_MAX_BYTES,
};
use crate::domain::flow::command::StepCommand;
use crate::domain::flow::graph::Graph;
use crate::domain::id::{ComponentId, TeamId, UserId};
use crate::domain::principal::Principal;
use crate::domain::slug::Slug;
use crate::domain::team::{BUILTIN_TEAM, Team};
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::{Error, Kind, Result};
use crate::store::Read;

pub(super) use access::usable_by;
pub use access::{SeenComponent, SeenVersion};
pub use build::NewBuild;

/// The most repositories of one team: large vendors have a few hundred connectors, and
/// v1 lists them all at once.
pub const REPOSITORIES_MAX: i64 = 1_000;

/// The version in a command that means the newest build, as does none (`v2.md 4.1`).
const LATEST: &str = "latest";

/// A component with its newest build, where there is one.
pub type BuiltComponent = (ComponentTitle, Option<ComponentVersion>);

impl App {
    /// Makes a repository, and so a component without a build.
    ///
    /// The team must be the caller's: not found where it is unknown to the caller,
    /// forbidden where a shared component makes it visible. Without a team it is the
    /// caller's first, which is made where there is none (`v1.md 2.5`). A missing name
    /// is generated; a name whose slug is taken in the team is a conflict.
    pub fn create_component(
        &self,
        who: &Principal,
        team: Option<TeamId>,
        name: Option<&str>,
    ) -> Result<Component> {
        self.create_component_with_icon(who, team, name, None)
    }

    /// Does the same, with a logo as base64 that is shown until a build brings one
    /// (`v2.md 4.1`).
    pub fn create_component_with_icon(
        &self,
        who: &Principal,
        team: Option<TeamId>,
        name: Option<&str>,
        icon: Option<&str>,
    ) -> Result<Component> {
        signed_in(who)?;
        who.refuse_guest()?;
        let name = name.map(|name| named("name", name)).transpose()?;
        let icon = icon.map(checked_icon).transpose()?;
        let id = self.inner.ids.next();
        let new_team_id = self.inner.ids.next();
        let made = self.act(who, move |act| {
            let team = match team {
                Some(team) => editable_team(act, team)?,
                None => first_team(act, new_team_id)?,
            };
            let made = insert(act, id, &team, name)?;
            if let Some(icon) = icon {
                act.set_component_icon(id, &icon)?;
            }
            Ok(made)
        })?;
        // The row is what counts: a folder that can't be made now is made by the first push.
        if let Err(error) = self.repository_path(id) {
            tracing::warn!(causes = %error.causes(), "can't make the folder of a repository");
        }
        Ok(made)
    }

    /// Returns a repository to the members of its team.
    pub fn repository(&self, who: &Principal, id: ComponentId) -> Result<Component> {
        self.read(|read| match read.component(id)? {
            Some(component) if is_insider(read, who, &component)? => Ok(component),
            _ => Err(missing_component(read, who, id, "repository")?),
        })
    }

    /// Deletes a repository with its component, its builds and its variables.
    ///
    /// A conflict while a flow uses it, whosever that flow is (`v1.md 2.5`). Members of
    /// its team are told that it is gone from then on.
    pub fn delete_component(&self, who: &Principal, id: ComponentId) -> Result<Component> {
        let deleted = self.act(who, move |act| {
            let component = editable(act, act.who, id)?;
            if component.is_builtin {
                return Err(Error::forbidden("a built-in component stays"));
            }
            if act.is_component_in_use(&component)? {
                return Err(Error::new(
                    Kind::Conflict,
                    "a flow uses this component: change or delete the flow first",
                ));
            }
            if !act.delete_component(id)? {
                return Err(Error::not_found("repository"));
            }
            act.insert_tombstone(&Tombstone {
                kind: ObjectKind::Component,
                id: id.to_string(),
                seen_by: if component.access.is_shared() {
                    SeenBy::Everyone
                } else {
                    SeenBy::Team(component.team_id)
                },
                deleted_at_ms: act.now_ms,
            })?;
            act.audit(&NewAuditEntry::of(
                "component.delete",
                ObjectKind::Component,
                id,
            ))?;
            Ok(component)
        })?;
        // What can't be removed now is swept when the server starts next.
        if let Err(error) = self.inner.folders.remove(id) {
            tracing::warn!("can't remove the files of a repository: {error}");
        }
        Ok(deleted)
    }

    /// Returns up to `limit` components of a user's teams after `after`, built or not:
    /// one's own, or anybody's for the operator.
    pub fn components_of(
        &self,
        who: &Principal,
        user: UserId,
        after: Option<&Component>,
        limit: u32,
    ) -> Result<Vec<ComponentTitle>> {
        own_or_operator(who, user)?;
        self.read(|read| read.components_of(user, after, limit.min(PAGE_MAX)))
    }

    /// Returns the same with the newest build of each.
    pub fn built_components_of(
        &self,
        who: &Principal,
        user: UserId,
        after: Option<&Component>,
        limit: u32,
    ) -> Result<Vec<BuiltComponent>> {
        own_or_operator(who, user)?;
        self.read(|read| with_builds(read, read.components_of(user, after, limit.min(PAGE_MAX))?))
    }

    /// Returns up to `limit` built components that everyone may use, after `after`; for
    /// every signed-in user.
    pub fn shared_components(
        &self,
        who: &Principal,
        after: Option<&Component>,
        limit: u32,
    ) -> Result<Vec<ComponentTitle>> {
        signed_in(who)?;
        self.read(|read| read.shared_components(after, limit.min(PAGE_MAX)))
    }

    /// Returns the same with the newest build of each.
    pub fn built_shared_components(
        &self,
        who: &Principal,
        after: Option<&Component>,
        limit: u32,
    ) -> Result<Vec<BuiltComponent>> {
        signed_in(who)?;
        self.read(|read| with_builds(read, read.shared_components(after, limit.min(PAGE_MAX))?))
    }

    /// Returns up to `limit` components of the installation after `after`, by id; for
    /// tenant administrators.
    pub fn components(
        &self,
        who: &Principal,
        after: Option<ComponentId>,
        limit: u32,
    ) -> Result<Vec<ComponentTitle>> {
        require_admin(who)?;
        self.read(|read| read.components(after, limit.min(PAGE_MAX)))
    }

    /// Returns a component that `who` may use, and its newest build; not found without
    /// a build (`v1.md 3.2`).
    pub fn built_component(
        &self,
        who: &Principal,
        id: ComponentId,
    ) -> Result<(Component, ComponentVersion)> {
        self.read(|read| {
            let component = match read.component(id)? {
                Some(component) if may_use(read, who, &component)? => component,
                _ => return Err(missing_component(read, who, id, "component")?),
            };
            let version = read
                .latest_version(id)?
                .ok_or_else(|| Error::new(Kind::NotFound, "this component has no build yet"))?;
            Ok((component, version))
        })
    }
}

/// Checks a logo: base64 of something, and not too long. It is shown as it was sent.
fn checked_icon(icon: &str) -> Result<String> {
    let icon = icon.trim();
    if icon.is_empty() || STANDARD.decode(icon).is_err() {
        return Err(Error::invalid("icon", "must be base64"));
    }
    if icon.len() > ICON_MAX_BYTES {
        let told = format!("must have at most {ICON_MAX_BYTES} bytes as base64");
        return Err(Error::invalid("icon", told));
    }
    Ok(icon.to_owned())
}

/// Refuses those who could not be signed in.
fn signed_in(who: &Principal) -> Result<()> {
    if who.is_operator() {
        Ok(())
    } else {
        who.require_user().map(|_| ())
    }
}

/// Returns the component and the build that a step names; `None` where the installation
/// lacks either. Whether somebody may use it is [`may_use`]'s to say.
pub(crate) fn resolve(
    read: &Read<'_>,
    command: &StepCommand,
) -> Result<Option<(Component, ComponentVersion)>> {
    let Some(component) = read.component_by_slug(&command.team, &command.component)? else {
        return Ok(None);
    };
    let version = build_of(read, &component, command)?;
    Ok(version.map(|version| (component, version)))
}

/// Returns the build of a component that a step names.
pub(super) fn build_of(
    read: &Read<'_>,
    component: &Component,
    command: &StepCommand,
) -> Result<Option<ComponentVersion>> {
    match command.version.as_deref() {
        None | Some(LATEST) => read.latest_version(component.id),
        Some(revision) => read.component_version(component.id, revision),
    }
}

/// Returns a command whose build is there, as far as that is ours to choose: of a
/// built-in component that lacks the pinned one, the newest.
///
/// A built-in component has one build at a time, whose revision nobody else knows. So
/// a pin that comes from another installation, or from an older binary, can mean only
/// this one. Of any other component a missing build stays missing.
pub(super) fn with_present_build(read: &Read<'_>, command: &StepCommand) -> Result<StepCommand> {
    let mut command = command.clone();
    let found = read.component_by_slug(&command.team, &command.component)?;
    if let Some(component) = found.filter(|component| component.is_builtin)
        && build_of(read, &component, &command)?.is_none()
    {
        command.version = Some(LATEST.to_owned());
    }
    Ok(command)
}

/// Puts [`with_present_build`] on every step of a graph that comes from elsewhere.
pub(super) fn unpin_built_in(read: &Read<'_>, graph: &mut Graph) -> Result<()> {
    for node in graph
        .nodes
        .iter_mut()
        .filter(|it| it.command.version.is_some())
    {
        let command = with_present_build(read, &node.command)?;
        if command != node.command {
            let text = command.to_string();
            node.members.insert("command".to_owned(), text.into());
            node.command = command;
        }
    }
    Ok(())
}

/// Returns the component `team/component` where `user` may put it on a flow: it is
/// shared, or its team is the user's or of the user's organization.
pub(super) fn usable(
    read: &Read<'_>,
    user: UserId,
    team: &Slug,
    component: &Slug,
) -> Result<Option<Component>> {
    match read.component_by_slug(team, component)? {
        Some(found)
            if found.access.is_shared() || read.may_read_for_team(found.team_id, user)? =>
        {
            Ok(Some(found))
        }
        _ => Ok(None),
    }
}

/// Tells whether `who` may see a component and put it on a flow: everyone where it is
/// shared, else its team and the members of its team's organization.
pub(crate) fn may_use(read: &Read<'_>, who: &Principal, component: &Component) -> Result<bool> {
    Ok(component.access.is_shared() || is_insider(read, who, component)?)
}

/// Returns a component that `who` may change: forbidden where it is only shared, and for
/// guests of its team's organization.
pub(super) fn editable(read: &Read<'_>, who: &Principal, id: ComponentId) -> Result<Component> {
    match read.component(id)? {
        Some(component) if is_editor(read, who, &component)? => Ok(component),
        Some(component) if may_use(read, who, &component)? => Err(Error::forbidden(
            "only members of its team change this component",
        )),
        _ => Err(missing_component(read, who, id, "repository")?),
    }
}

/// Tells whether `who` makes and changes components of a team: its members, members of
/// its organization who are no guests, and who passes all checks (`v2.md 2.7, 4.1`).
pub(super) fn edits_for(read: &Read<'_>, who: &Principal, team: TeamId) -> Result<bool> {
    match who.user_id() {
        _ if who.passes_all() => Ok(true),
        Some(user) => Ok(who.refuse_guest().is_ok() && read.may_edit_for_team(team, user)?),
        None => Ok(false),
    }
}

/// Tells whether `who` changes a component.
fn is_editor(read: &Read<'_>, who: &Principal, component: &Component) -> Result<bool> {
    edits_for(read, who, component.team_id)
}

/// Tells whether `who` sees what its team alone has: guests too.
pub(super) fn is_insider(read: &Read<'_>, who: &Principal, component: &Component) -> Result<bool> {
    match who.user_id() {
        _ if who.passes_all() => Ok(true),
        Some(user) => read.may_read_for_team(component.team_id, user),
        None => Ok(false),
    }
}

/// Returns the answer for a component that is not there for `who`.
fn missing_component(
    read: &Read<'_>,
    who: &Principal,
    id: ComponentId,
    what: &str,
) -> Result<Error> {
    missing(read, who, ObjectKind::Component, &id.to_string(), what)
}

/// Adds the newest build to each.
fn with_builds(read: &Read<'_>, page: Vec<ComponentTitle>) -> Result<Vec<BuiltComponent>> {
    page.into_iter()
        .map(|titled| {
            let version = read.latest_version(titled.component.id)?;
            Ok((titled, version))
        })
        .collect()
}

/// Returns a team in which the actor may make repositories.
fn editable_team(act: &Act<'_>, id: TeamId) -> Result<Team> {
    let missing_team = || missing(act, act.who, ObjectKind::Team, &id.to_string(), "team");
    let Some(team) = act.team(id)? else {
        return Err(missing_team()?);
    };
    if team.slug.as_str() == BUILTIN_TEAM {
        return Err(Error::forbidden(
            "this team has the built-in components and no others",
        ));
    }
    let is_seen = match act.who.user_id() {
        Some(user) => act.may_read_for_team(id, user)? || act.has_shared_component(id)?,
        None => false,
    };
    if edits_for(act, act.who, id)? {
        Ok(team)
    } else if is_seen {
        Err(Error::forbidden("only members of the team do this"))
    } else {
        Err(missing_team()?)
    }
}

/// Returns the actor's first team, which is made under `new_id` where there is none.
fn first_team(act: &Act<'_>, new_id: TeamId) -> Result<Team> {
    let owner = act.who.require_user()?.id;
    match act.teams_of(owner, None, 1)?.pop() {
        Some(team) => Ok(team),
        None => team::insert(act, new_id, owner, None),
    }
}

/// Adds a component to a team, under a generated name where none is given.
fn insert(
    act: &Act<'_>,
    id: ComponentId,
    team: &Team,
    name: Option<(String, Slug)>,
) -> Result<Component> {
    let count = act.count_components_of_team(team.id)?;
    if count >= REPOSITORIES_MAX {
        return Err(Error::new(
            Kind::Conflict,
            format!("a team has at most {REPOSITORIES_MAX} repositories"),
        ));
    }
    let (name, slug) = match name {
        Some(given) => given,
        None => generated_name(act, team, count)?,
    };
    let component = Component {
        id,
        team_id: team.id,
        team: team.slug.clone(),
        team_name: team.name.clone(),
        name,
        slug,
        access: Access::Team,
        is_builtin: false,
        created_at_ms: act.now_ms,
    };
    act.insert_component(&component)?;
    act.audit(&NewAuditEntry::of(
        "component.create",
        ObjectKind::Component,
        id,
    ))?;
    Ok(component)
}

/// Returns the first name `Repository n` that is free in a team of `count` repositories:
/// at most as many tries as it has repositories, and mostly one.
fn generated_name(act: &Act<'_>, team: &Team, count: i64) -> Result<(String, Slug)> {
    let mut number = count;
    loop {
        number += 1;
        let (name, slug) = named("name", &format!("Repository {number}"))?;
        if act.component_by_slug(&team.slug, &slug)?.is_none() {
            return Ok((name, slug));
        }
    }
}
