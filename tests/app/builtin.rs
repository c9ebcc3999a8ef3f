//! The built-in components.

use std::collections::BTreeSet;

use elastane::app::{App, Opening};
use elastane::domain::component::{Access, Component, ComponentVersion};
use rusqlite::params;
use serde_json::Value;

use super::given::{change, count, last_audit, operator};
use crate::support::Installation;
use crate::support::installation::options_in;

/// Returns all components with their builds.
fn all(app: &App) -> Vec<(Component, ComponentVersion)> {
    let page = app.built_shared_components(&operator(), None, 100).unwrap();
    page.into_iter()
        .map(|(titled, version)| (titled.component, version.unwrap()))
        .collect()
}

/// Returns the built-in component of this name.
fn named(app: &App, slug: &str) -> (Component, ComponentVersion) {
    let found = all(app)
        .into_iter()
        .find(|(it, _)| it.slug.as_str() == slug);
    found.unwrap()
}

/// Closes the application and opens it again, as a server does.
fn reopened(here: &Installation) -> App {
    here.app.close();
    App::open(&options_in(here.database()), Opening::Serve).unwrap()
}

#[test]
fn every_folder_of_the_assets_is_a_component_that_everyone_may_use() {
    let here = Installation::new();
    let folders: BTreeSet<String> =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/components"))
            .unwrap()
            .map(|folder| folder.unwrap().file_name().into_string().unwrap())
            .collect();
    let components = all(&here.app);
    let slugs: BTreeSet<String> = components
        .iter()
        .map(|(it, _)| it.slug.to_string())
        .collect();
    assert_eq!(slugs, folders);
    assert_eq!(components.len(), 16);
    for (component, version) in &components {
        assert_eq!(component.team.as_str(), "elasticio");
        assert_eq!(component.team_name, "elasticio");
        assert_eq!(component.name, component.slug.as_str());
        assert_eq!(component.access, Access::Global);
        assert!(component.is_builtin);
        assert_eq!(version.number, 1);
        assert_eq!(version.revision.len(), 40);
        assert_eq!(version.descriptor["language"], "nodejs");
        assert!(version.descriptor["sailor_version"].is_string());
        assert_eq!(
            version.descriptor["title"],
            Value::from(version.title.as_str())
        );
        // A PNG in base64.
        assert!(version.icon.as_ref().unwrap().starts_with("iVBORw0KGgo"));
    }
    let members = "SELECT count(*) FROM team_members m JOIN teams t ON t.id = m.team_id
         WHERE t.slug = 'elasticio'";
    assert_eq!(count(&here, members), 0);
}

#[test]
fn opening_again_changes_nothing_and_writes_nothing() {
    let here = Installation::new();
    let entries = here.app.audit_entries(&operator(), None, 100).unwrap();
    let renewal = entries
        .iter()
        .find(|entry| entry.action == "component.renew_builtin");
    assert_eq!(renewal.unwrap().actor_kind, "system");
    let noted = last_audit(&here);
    let before = named(&here.app, "timer");
    let again = reopened(&here);
    let after = named(&again, "timer");
    assert_eq!(after.0.id, before.0.id);
    assert_eq!(after.1.number, 1);
    let newest = again.audit_entries(&operator(), None, 1).unwrap();
    assert_eq!(newest[0].id, noted.id);
}

#[test]
fn another_descriptor_replaces_the_build_and_counts_on_under_the_same_id() {
    let here = Installation::new();
    let before = named(&here.app, "timer");
    let other = named(&here.app, "filter");
    // As an older binary left it: another descriptor, and so another digest.
    change(
        &here,
        "UPDATE component_versions SET revision = 'old', number = 7, descriptor = '{}'
         WHERE component_id = ?1",
        params![before.0.id.to_string()],
    );
    change(
        &here,
        "UPDATE meta SET value = x'00' WHERE key = 'builtin_digest'",
        [],
    );
    let again = reopened(&here);
    let after = named(&again, "timer");
    assert_eq!(after.0.id, before.0.id);
    assert_eq!(after.1.revision, before.1.revision);
    assert_eq!(after.1.descriptor, before.1.descriptor);
    assert_eq!(after.1.number, 8);
    assert_eq!(named(&again, "filter").1.number, other.1.number);
    assert_eq!(count(&here, "SELECT count(*) FROM component_versions"), 16);
    let noted = again.audit_entries(&operator(), None, 1).unwrap();
    assert_eq!(noted[0].detail.as_ref().unwrap()["renewed"][0], "timer");
}

#[test]
fn a_component_that_this_binary_lacks_loses_its_build_and_keeps_its_id() {
    let here = Installation::new();
    let timer = named(&here.app, "timer");
    change(
        &here,
        "UPDATE components SET slug = 'of-another-binary' WHERE id = ?1",
        params![timer.0.id.to_string()],
    );
    change(
        &here,
        "UPDATE meta SET value = x'00' WHERE key = 'builtin_digest'",
        [],
    );
    let again = reopened(&here);
    assert_eq!(all(&again).len(), 16, "a list shows what can run");
    assert_ne!(named(&again, "timer").0.id, timer.0.id);
    assert_eq!(count(&here, "SELECT count(*) FROM components"), 17);
    assert_eq!(count(&here, "SELECT count(*) FROM component_versions"), 16);
}
