//! Builds of components: added after a push, deleted while nothing uses them
//! (`runtime.md 6`, `v2.md 4.1`).

use serde_json::{Value, json};

use super::{LATEST, editable};
use crate::app::{Act, App};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::component::{Component, ComponentVersion};
use crate::domain::id::ComponentId;
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};

/// The most builds of one component: a build a day for years. Each has a tree on the disk,
/// and v2 lists all of them at once.
const BUILDS_MAX: usize = 1_000;

/// A build that succeeded and whose tree is in its place.
#[derive(Clone, Debug)]
pub struct NewBuild {
    /// The git revision: hex digits.
    pub revision: String,
    /// component.json with `language` and `sailor_version`.
    pub descriptor: Value,
    /// The logo as base64.
    pub icon: Option<String>,
}

impl App {
    /// Adds a build of a component under the next number; who pushes may do that.
    ///
    /// A build that is there already is returned as it is, so this can be repeated.
    pub fn add_build(
        &self,
        who: &Principal,
        id: ComponentId,
        build: NewBuild,
    ) -> Result<ComponentVersion> {
        self.act(who, move |act| {
            let component = editable(act, act.who, id)?;
            if let Some(known) = act.component_version(id, &build.revision)? {
                return Ok(known);
            }
            let latest = act.latest_version(id)?;
            let title = build.descriptor.get("title").and_then(Value::as_str);
            let version = ComponentVersion {
                component_id: id,
                title: title.unwrap_or(&component.name).to_owned(),
                revision: build.revision,
                number: latest.map_or(0, |latest| latest.number) + 1,
                descriptor: build.descriptor,
                icon: build.icon,
                created_at_ms: act.now_ms,
            };
            act.insert_component_version(&version)?;
            note(act, "component.build", id, &version.revision)?;
            Ok(version)
        })
    }

    /// Refuses a push to a component that has as many builds as one may have.
    pub fn refuse_too_many_builds(&self, id: ComponentId) -> Result<()> {
        let count = self.read(|read| read.component_versions(id))?.len();
        if count < BUILDS_MAX {
            return Ok(());
        }
        let message = format!("a component has at most {BUILDS_MAX} builds: delete old ones");
        Err(Error::new(Kind::Conflict, message))
    }

    /// Returns the newest build of a component, for whoever builds the next.
    pub fn latest_build(&self, id: ComponentId) -> Result<Option<ComponentVersion>> {
        self.read(|read| read.latest_version(id))
    }

    /// Tells whether a component has a build of this revision.
    pub fn has_build(&self, id: ComponentId, revision: &str) -> Result<bool> {
        Ok(self
            .read(|read| read.component_version(id, revision))?
            .is_some())
    }

    /// Deletes a build: by its revision, or the newest for `latest`. A conflict while a
    /// flow uses it, whosever that flow is (`runtime.md 6`).
    pub fn delete_build(&self, who: &Principal, id: ComponentId, revision: &str) -> Result<()> {
        let asked = revision.to_owned();
        let revision = self.act(who, move |act| {
            let component = deletable(act, id)?;
            let latest = act.latest_version(id)?;
            let is_latest_asked = asked == LATEST;
            let found = if is_latest_asked {
                latest.clone()
            } else {
                act.component_version(id, &asked)?
            };
            let version =
                found.ok_or_else(|| Error::new(Kind::NotFound, "there is no such build"))?;
            let is_latest = latest.is_some_and(|latest| latest.revision == version.revision);
            if act.is_version_in_use(&component, &version.revision, is_latest)? {
                return Err(Error::new(
                    Kind::Conflict,
                    "a flow uses this build: change or delete the flow first",
                ));
            }
            if !act.delete_component_version(id, &version.revision)? {
                return Err(Error::new(Kind::NotFound, "there is no such build"));
            }
            note(act, "component.build.delete", id, &version.revision)?;
            Ok(version.revision)
        })?;
        // A tree without a row is nobody's: the next build of that revision replaces it.
        if let Err(error) = self.inner.folders.remove_build(id, &revision) {
            tracing::warn!("can't remove the files of a build: {error}");
        }
        Ok(())
    }
}

/// Returns a component whose builds the actor may delete.
fn deletable(act: &Act<'_>, id: ComponentId) -> Result<Component> {
    let component = editable(act, act.who, id)?;
    if component.is_builtin {
        return Err(Error::forbidden("a built-in component stays"));
    }
    Ok(component)
}

/// Notes what became of a build.
fn note(act: &Act<'_>, action: &'static str, id: ComponentId, revision: &str) -> Result<()> {
    act.audit(
        &NewAuditEntry::of(action, ObjectKind::Component, id).with(json!({ "revision": revision })),
    )
}
