//! The built-in components, embedded in the binary (`builtin-components.md`).
//!
//! They belong to the team `elasticio`, which has no members, and everyone may use
//! them. Each has one build, whose revision is a hash of its descriptor: a binary with
//! another descriptor replaces the build when it opens the database.

mod embedded;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::embedded::EMBEDDED;
use super::{Act, App};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::component::{Access, Component, ComponentVersion};
use crate::domain::id::{ComponentId, TeamId};
use crate::domain::principal::Principal;
use crate::domain::slug::Slug;
use crate::domain::team::{BUILTIN_TEAM, Team};
use crate::domain::text::hex;
use crate::domain::{Error, Result};

/// The language that descriptors name: built-in functions follow the contract of the
/// Node runtime, and clients know no other word for it.
const LANGUAGE: &str = "nodejs";

/// The runtime that descriptors name: the release whose behaviour the built-in
/// functions follow, the newest that was measured (`runtime.md`).
const SAILOR_VERSION: &str = "2.7.8";

/// The digits of a revision: as many as a git revision has.
const REVISION_DIGITS: usize = 40;

/// The fact that holds the digest of the built-in components in the database, so that
/// opening one that is up to date costs a look.
const META_BUILTIN_DIGEST: &str = "builtin_digest";

/// A built-in component, ready to be stored.
struct Builtin {
    slug: Slug,
    title: String,
    descriptor: Value,
    revision: String,
    icon: String,
    /// Its id, where the database has none of it yet.
    new_id: ComponentId,
}

impl App {
    /// Brings the built-in components of the database to those of this binary, all or
    /// none; does nothing where they are those already.
    pub(super) fn renew_builtin_components(&self) -> Result<()> {
        let components = self.embedded_components()?;
        let digest = digest_of(&components);
        let stored = self.read(|read| read.meta(META_BUILTIN_DIGEST))?;
        if stored.as_deref() == Some(digest.as_bytes()) {
            return Ok(());
        }
        let new_team_id = self.inner.ids.next();
        let who = Principal::system();
        self.act(&who, move |act| {
            let team = builtin_team(act, new_team_id)?;
            let mut renewed = Vec::new();
            for component in &components {
                if renew(act, &team, component)? {
                    renewed.push(component.slug.as_str());
                }
            }
            let dropped = drop_builds_of_others(act, &components)?;
            act.set_meta(META_BUILTIN_DIGEST, digest.as_bytes())?;
            act.audit(
                &NewAuditEntry::of("component.renew_builtin", ObjectKind::Team, team.id)
                    .with(json!({ "renewed": renewed, "dropped": dropped })),
            )
        })
    }

    /// Returns the components of this binary, each with a fresh id.
    fn embedded_components(&self) -> Result<Vec<Builtin>> {
        EMBEDDED
            .iter()
            .map(|(slug, descriptor, logo)| {
                let mut descriptor: Value =
                    serde_json::from_str(descriptor).map_err(Error::internal)?;
                descriptor["language"] = json!(LANGUAGE);
                descriptor["sailor_version"] = json!(SAILOR_VERSION);
                Ok(Builtin {
                    slug: Slug::of_name("slug", slug)?,
                    title: descriptor["title"].as_str().unwrap_or(slug).to_owned(),
                    revision: revision_of(&descriptor),
                    descriptor,
                    icon: STANDARD.encode(logo),
                    new_id: self.inner.ids.next(),
                })
            })
            .collect()
    }
}

/// Returns the revision of a descriptor.
fn revision_of(descriptor: &Value) -> String {
    let mut digits = hex(&Sha256::digest(descriptor.to_string().as_bytes()));
    digits.truncate(REVISION_DIGITS);
    digits
}

/// Returns a digest of everything that the database keeps of the components.
fn digest_of(components: &[Builtin]) -> String {
    let mut hash = Sha256::new();
    for component in components {
        for part in [
            component.slug.as_str(),
            &component.revision,
            &component.icon,
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
    }
    hex(&hash.finalize())
}

/// Returns the team of the built-in components, which is made where it is missing.
fn builtin_team(act: &Act<'_>, new_id: TeamId) -> Result<Team> {
    let slug = Slug::stored(BUILTIN_TEAM.to_owned());
    if let Some(team) = act.team_by_slug(&slug)? {
        return Ok(team);
    }
    let team = Team {
        id: new_id,
        name: BUILTIN_TEAM.to_owned(),
        slug,
        created_at_ms: act.now_ms,
        organization_id: None,
        members: Vec::new(),
    };
    act.insert_team(&team)?;
    Ok(team)
}

/// Brings one component to the state of this binary; tells whether it differed.
fn renew(act: &Act<'_>, team: &Team, builtin: &Builtin) -> Result<bool> {
    let id = match act.component_by_slug(&team.slug, &builtin.slug)? {
        Some(component) => component.id,
        None => insert(act, team, builtin)?,
    };
    let old = act.latest_version(id)?;
    let icon = Some(builtin.icon.as_str());
    if old
        .as_ref()
        .is_some_and(|old| old.revision == builtin.revision && old.icon.as_deref() == icon)
    {
        return Ok(false);
    }
    act.delete_component_versions(id)?;
    act.insert_component_version(&ComponentVersion {
        component_id: id,
        revision: builtin.revision.clone(),
        number: old.map_or(0, |old| old.number) + 1,
        title: builtin.title.clone(),
        descriptor: builtin.descriptor.clone(),
        icon: Some(builtin.icon.clone()),
        created_at_ms: act.now_ms,
    })?;
    Ok(true)
}

/// Adds the component itself.
fn insert(act: &Act<'_>, team: &Team, builtin: &Builtin) -> Result<ComponentId> {
    act.insert_component(&Component {
        id: builtin.new_id,
        team_id: team.id,
        team: team.slug.clone(),
        team_name: team.name.clone(),
        name: builtin.slug.to_string(),
        slug: builtin.slug.clone(),
        access: Access::Global,
        is_builtin: true,
        created_at_ms: act.now_ms,
    })?;
    Ok(builtin.new_id)
}

/// Drops the builds of built-in components that this binary lacks, and returns their
/// slugs: flows that name them say so when they start, and the ids stay for a binary
/// that has them again.
fn drop_builds_of_others(act: &Act<'_>, components: &[Builtin]) -> Result<Vec<String>> {
    let mut dropped = Vec::new();
    for stored in act.builtin_components()? {
        if components.iter().all(|ours| ours.slug != stored.slug) {
            act.delete_component_versions(stored.id)?;
            dropped.push(stored.slug.to_string());
        }
    }
    Ok(dropped)
}
