//! Components as API v2 shows and shares them (`v2.md 4.1`).

use super::{LATEST, may_use, missing_component};
use crate::app::step_run::ComponentNetwork;
use crate::app::user::require_admin;
use crate::app::{App, PAGE_MAX};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::component::{Access, Component, ComponentVersion, Reach};
use crate::domain::id::{ComponentId, TeamId};
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};
use crate::store::Read;

/// A component as somebody sees it.
#[derive(Clone, Debug)]
pub struct SeenComponent {
    /// The component.
    pub component: Component,
    /// Its newest build, where there is one.
    pub version: Option<ComponentVersion>,
    /// The logo that it was made with, as base64, until a build brings one.
    pub icon: Option<String>,
    /// What of the network it may reach, where that is set for it.
    pub network: Option<ComponentNetwork>,
    /// Whether the team that owns it may be seen, too.
    pub sees_team: bool,
}

/// A build as somebody sees it.
#[derive(Clone, Debug)]
pub struct SeenVersion {
    /// The component.
    pub component: Component,
    /// The build.
    pub version: ComponentVersion,
    /// Whether it is the newest.
    pub is_latest: bool,
}

impl App {
    /// Returns up to `limit` components within reach of the caller after `after`, by id.
    pub fn accessible_components(
        &self,
        who: &Principal,
        reach: Reach,
        after: Option<ComponentId>,
        limit: u32,
    ) -> Result<Vec<SeenComponent>> {
        let user = who.require_user()?.id;
        let limit = limit.min(PAGE_MAX);
        self.read(|read| {
            let found = if reach == Reach::All && who.passes_all() {
                let titled = read.components(after, limit)?;
                titled.into_iter().map(|titled| titled.component).collect()
            } else {
                read.components_within(user, reach, after, limit)?
            };
            found
                .into_iter()
                .map(|component| seen(read, who, component))
                .collect()
        })
    }

    /// Returns a component that `who` may use, built or not.
    pub fn component(&self, who: &Principal, id: ComponentId) -> Result<SeenComponent> {
        self.read(|read| {
            let component = usable_by(read, who, id)?;
            seen(read, who, component)
        })
    }

    /// Returns the builds of a component that `who` may use, the newest first.
    pub fn component_versions(&self, who: &Principal, id: ComponentId) -> Result<Vec<SeenVersion>> {
        self.read(|read| {
            let component = usable_by(read, who, id)?;
            let versions = read.component_versions(id)?;
            let seen = versions.into_iter().enumerate();
            let seen = seen.map(|(at, version)| SeenVersion {
                component: component.clone(),
                version,
                is_latest: at == 0,
            });
            Ok(seen.collect())
        })
    }

    /// Returns a build of a component that `who` may use: by its revision, or the newest
    /// for `latest`.
    pub fn component_version(
        &self,
        who: &Principal,
        id: ComponentId,
        revision: &str,
    ) -> Result<SeenVersion> {
        self.read(|read| {
            let component = usable_by(read, who, id)?;
            let latest = read.latest_version(id)?;
            let latest_revision = latest.as_ref().map(|latest| latest.revision.clone());
            let found = if revision == LATEST {
                latest
            } else {
                read.component_version(id, revision)?
            };
            let version =
                found.ok_or_else(|| Error::new(Kind::NotFound, "there is no such build"))?;
            Ok(SeenVersion {
                is_latest: latest_revision.as_deref() == Some(&version.revision),
                component,
                version,
            })
        })
    }

    /// Shares a component of a team with the whole installation; for tenant
    /// administrators, and never taken back (`v2.md 4.1`).
    pub fn share_component(
        &self,
        who: &Principal,
        id: ComponentId,
        access: Access,
    ) -> Result<SeenComponent> {
        require_admin(who)?;
        self.act(who, move |act| {
            let Some(mut component) = act.component(id)? else {
                return Err(missing_component(act, act.who, id, "component")?);
            };
            match (component.access, access) {
                (before, after) if before == after => {}
                (Access::Team, Access::Tenant) => {
                    act.set_component_access(id, access)?;
                    act.audit(&NewAuditEntry::of(
                        "component.share",
                        ObjectKind::Component,
                        id,
                    ))?;
                    component.access = access;
                }
                (_, Access::Global) => {
                    let refused = Error::forbidden("only the operator makes components global");
                    return Err(refused.about("access", "is set to global by the operator alone"));
                }
                _ => {
                    let refused = Error::forbidden("a shared component stays shared");
                    return Err(refused.about("access", "can't be taken back"));
                }
            }
            seen(act, act.who, component)
        })
    }
}

/// Returns a component that `who` may use.
pub(in crate::app) fn usable_by(
    read: &Read<'_>,
    who: &Principal,
    id: ComponentId,
) -> Result<Component> {
    match read.component(id)? {
        Some(component) if may_use(read, who, &component)? => Ok(component),
        _ => Err(missing_component(read, who, id, "component")?),
    }
}

/// Adds what `who` sees of a component besides itself.
fn seen(read: &Read<'_>, who: &Principal, component: Component) -> Result<SeenComponent> {
    let version = read.latest_version(component.id)?;
    let has_icon = version
        .as_ref()
        .is_some_and(|version| version.icon.is_some());
    Ok(SeenComponent {
        icon: if has_icon {
            None
        } else {
            read.component_icon(component.id)?
        },
        version,
        network: read
            .component_network(component.id)?
            .as_deref()
            .and_then(ComponentNetwork::parse),
        sees_team: sees_team(read, who, component.team_id)?,
        component,
    })
}

/// Tells whether `who` may see a team.
fn sees_team(read: &Read<'_>, who: &Principal, team: TeamId) -> Result<bool> {
    if who.passes_all() {
        return Ok(true);
    }
    match who.user_id() {
        Some(user) => read.may_read_for_team(team, user),
        None => Ok(false),
    }
}
