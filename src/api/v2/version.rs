//! Builds of components and their descriptors (`v2.md 4.1`).

use serde_json::{Value, json};

use super::component::{component_id, link_of};
use super::document::{Document, Resource, nothing};
use crate::api::call::{Call, Reply};
use crate::api::route::Route;
use crate::api::shape::{Answers, Attribute, QueryRules, Relationship, ResourceType, Shape};
use crate::app::component::SeenVersion;
use crate::domain::Result;

/// The leading digits of a revision that people compare, as git shows them.
const SHORT_REVISION_CHARS: usize = 7;

/// The type of a build; the number has both names (`v2.md 5`, 8).
pub(super) const VERSION: ResourceType = ResourceType {
    name: "version",
    attributes: &[
        Attribute::new("date", Shape::Integer),
        Attribute::new("versionNumber", Shape::Integer),
        Attribute::new("version_number", Shape::Integer),
    ],
    relationships: &[
        Relationship::one("component", "component"),
        Relationship::one("descriptor", "descriptor"),
    ],
};

/// The type of what a build says of itself.
pub(super) const DESCRIPTOR: ResourceType = ResourceType {
    name: "descriptor",
    attributes: &[
        Attribute::new("title", Shape::Text),
        Attribute::new("description", Shape::Text),
        Attribute::new("icon", Shape::Text),
        Attribute::new("language", Shape::Text),
        Attribute::new("sailor_version", Shape::Text),
        Attribute::new("repo_name", Shape::Text),
        Attribute::new("team_name", Shape::Text),
        Attribute::new("is_latest", Shape::Boolean),
        Attribute::new("triggers", Shape::Object),
        Attribute::new("actions", Shape::Object),
        Attribute::new("credentials", Shape::Object),
        Attribute::new("fields", Shape::Object),
        Attribute::new("short_revision", Shape::Text),
        Attribute::new("service", Shape::Any),
    ],
    relationships: &[Relationship::one("version", "version")],
};

/// One build, its descriptor included without being asked for.
const ONE: QueryRules = QueryRules {
    includes: &["descriptor"],
    ..QueryRules::ONE
};

/// The routes of this resource; the singular path is the one that a document prints.
pub(super) const ROUTES: &[Route] = &[
    Route::get(
        "/v2/components/{component_id}/versions",
        "lists the builds of a component, the newest first",
        list,
    )
    .asking(&QueryRules::LIST)
    .answering(200, Answers::Many(&VERSION)),
    Route::get(
        "/v2/components/{component_id}/versions/{version}",
        "returns a build by its revision, or the latest",
        one,
    )
    .asking(&ONE)
    .answering(200, Answers::One(&VERSION)),
    Route::delete(
        "/v2/components/{component_id}/versions/{version}",
        "deletes a build that no flow uses",
        delete,
    )
    .answering(204, Answers::Nothing),
    Route::get(
        "/v2/components/{component_id}/versions/{version}/descriptor",
        "returns the descriptor of a build",
        descriptor,
    )
    .answering(200, Answers::One(&DESCRIPTOR)),
    Route::get(
        "/v2/components/{component_id}/version/{version}/descriptor",
        "returns the descriptor of a build, by another path",
        descriptor,
    )
    .answering(200, Answers::One(&DESCRIPTOR)),
];

/// Answers all builds of a component.
fn list(call: &mut Call<'_>) -> Result<Reply> {
    let versions = call
        .app
        .component_versions(&call.who, component_id(call)?)?;
    let shown = versions.iter().map(shown_version).collect();
    Ok(Document::list(call, shown).ok())
}

/// Answers one build with its descriptor.
fn one(call: &mut Call<'_>) -> Result<Reply> {
    let seen = find(call)?;
    let document = Document::one(shown_version(&seen));
    Ok(document.including([descriptor_of(&seen)]).ok())
}

/// Deletes a build.
fn delete(call: &mut Call<'_>) -> Result<Reply> {
    let revision = call.param("version");
    call.app
        .delete_build(&call.who, component_id(call)?, revision)?;
    Ok(nothing(204))
}

/// Answers the descriptor of a build.
fn descriptor(call: &mut Call<'_>) -> Result<Reply> {
    Ok(Document::one(descriptor_of(&find(call)?)).ok())
}

/// Finds the build that the path names.
fn find(call: &Call<'_>) -> Result<SeenVersion> {
    let revision = call.param("version");
    call.app
        .component_version(&call.who, component_id(call)?, revision)
}

/// Returns the own path of a build.
fn link_of_version(seen: &SeenVersion) -> String {
    let component = link_of(seen.component.id);
    format!("{component}/versions/{}", seen.version.revision)
}

/// Returns a build as v2 shows it.
pub(super) fn shown_version(seen: &SeenVersion) -> Resource {
    let version = &seen.version;
    let link = link_of_version(seen);
    let component = seen.component.id;
    Resource::new(&VERSION, version.revision.as_str(), link.as_str())
        .attribute("date", version.created_at_ms)
        .attribute("versionNumber", version.number)
        .attribute("version_number", version.number)
        .to_one("component", "component", component, link_of(component))
        .to_one(
            "descriptor",
            "descriptor",
            version.revision.as_str(),
            format!("{link}/descriptor"),
        )
}

/// Returns a descriptor as v2 shows it.
pub(super) fn descriptor_of(seen: &SeenVersion) -> Resource {
    let version = &seen.version;
    let link = link_of_version(seen);
    let sent = |name: &str| {
        version
            .descriptor
            .get(name)
            .filter(|value| !value.is_null())
    };
    let text = |name: &str| sent(name).and_then(Value::as_str);
    let map = |name: &str| sent(name).cloned().unwrap_or_else(|| json!({}));
    let short: String = version
        .revision
        .chars()
        .take(SHORT_REVISION_CHARS)
        .collect();
    Resource::new(
        &DESCRIPTOR,
        version.revision.as_str(),
        format!("{link}/descriptor"),
    )
    .attribute("title", version.title.as_str())
    .attribute("description", text("description").unwrap_or_default())
    .maybe("icon", version.icon.as_deref())
    .attribute("language", text("language").unwrap_or_default())
    .attribute("sailor_version", text("sailor_version").unwrap_or_default())
    .attribute("repo_name", seen.component.name.as_str())
    .attribute("team_name", seen.component.team_name.as_str())
    .attribute("is_latest", seen.is_latest)
    .attribute("triggers", map("triggers"))
    .attribute("actions", map("actions"))
    .maybe("credentials", sent("credentials").cloned())
    .maybe("fields", sent("fields").cloned())
    .attribute("short_revision", short)
    .maybe("service", sent("service").cloned())
    .to_one("version", "version", version.revision.as_str(), link)
}
