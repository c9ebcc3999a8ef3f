//! Resources of JSON:API: attributes, relationships and links (`v2.md 2.2`).

use serde::Serialize;
use serde_json::json;

use super::document::identifiers_of;
use super::scope::organization_path;
use super::written;
use crate::api::shape::ResourceType;
use crate::domain::id::OrganizationId;

/// A resource to be shown, written as it is told: all attributes, then all relationships.
#[derive(Debug)]
pub struct Resource {
    pub(super) kind: &'static ResourceType,
    pub(super) id: String,
    pub(super) link: String,
    /// The JSON as far as it is written, without what closes it; what stands before it in a
    /// list, too.
    json: Vec<u8>,
    has_relationships: bool,
}

/// Room for a resource of middle size, in bytes.
pub(super) const RESOURCE_BYTES: usize = 1_024;

impl Resource {
    /// Begins a resource; `link` is its own path, which must be served.
    pub fn new(
        kind: &'static ResourceType,
        id: impl Into<String>,
        link: impl Into<String>,
    ) -> Self {
        Self::behind(Vec::with_capacity(RESOURCE_BYTES), kind, id, link)
    }

    /// Begins a resource behind other ones of a list, in the memory of these.
    pub(super) fn behind(
        mut json: Vec<u8>,
        kind: &'static ResourceType,
        id: impl Into<String>,
        link: impl Into<String>,
    ) -> Self {
        let (id, link): (String, String) = (id.into(), link.into());
        if !json.is_empty() {
            json.push(b',');
        }
        json.push(b'{');
        written::member(&mut json, "type", kind.name);
        written::member(&mut json, "id", &id);
        written::open(&mut json, "attributes");
        Self {
            kind,
            id,
            link,
            json,
            has_relationships: false,
        }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.check(name, false);
        written::member(&mut self.json, name, &value);
        self
    }

    /// Sets an attribute whose value is JSON already.
    #[must_use]
    pub fn written(mut self, name: &'static str, json: &str) -> Self {
        self.check(name, false);
        written::name(&mut self.json, name);
        self.json.extend_from_slice(json.as_bytes());
        self
    }

    /// Sets an attribute where there is a value.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Relates it to one resource, whose own path is `link`.
    #[must_use]
    pub fn to_one(
        self,
        name: &'static str,
        kind: &str,
        id: impl Into<String>,
        link: impl Into<String>,
    ) -> Self {
        let (id, link): (String, String) = (id.into(), link.into());
        let shown = ToOne {
            data: Identifier { kind, id: &id },
            links: OwnLink { own: &link },
        };
        self.relationship(name, &shown)
    }

    /// Relates it to several resources of one type; `link` is the path of their list.
    #[must_use]
    pub fn to_many<I: Into<String>>(
        self,
        name: &'static str,
        kind: &str,
        ids: impl IntoIterator<Item = I>,
        link: Option<String>,
    ) -> Self {
        let data = identifiers_of(kind, ids);
        let mut shown = json!({ "data": data });
        if let Some(link) = link {
            shown["links"] = json!({ "self": link });
        }
        self.relationship(name, &shown)
    }

    /// Relates it to what stands at a path, without saying what that is.
    #[must_use]
    pub fn related(self, name: &'static str, link: impl Into<String>) -> Self {
        let link: String = link.into();
        self.relationship(name, &json!({ "links": { "related": link } }))
    }

    /// Relates it to the organization that it belongs to, where there is one.
    #[must_use]
    pub fn of_organization(self, id: Option<OrganizationId>) -> Self {
        match id {
            Some(id) => self.to_one("organization", "organization", id, organization_path(id)),
            None => self,
        }
    }

    /// Returns its own path.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Sets a relationship.
    fn relationship(mut self, name: &'static str, value: &impl Serialize) -> Self {
        if !self.has_relationships {
            self.close_attributes();
            written::open(&mut self.json, "relationships");
            self.has_relationships = true;
        }
        self.check(name, true);
        written::member(&mut self.json, name, value);
        self
    }

    /// Checks that a field is declared, and that it comes in its turn.
    fn check(&self, name: &str, is_relationship: bool) {
        debug_assert!(self.kind.has_field(name), "{name} is not declared");
        assert_eq!(
            self.has_relationships, is_relationship,
            "{name} comes too late: attributes stand before relationships"
        );
    }

    /// Ends the attributes.
    fn close_attributes(&mut self) {
        self.json.push(b'}');
        written::member(&mut self.json, "links", &OwnLink { own: &self.link });
    }

    /// Writes it behind other resources of a list.
    pub fn write_to(self, list: &mut Vec<u8>) {
        if !list.is_empty() {
            list.push(b',');
        }
        list.extend_from_slice(&self.into_json());
    }

    /// Returns it as a document shows it, behind what it began behind.
    pub(super) fn into_json(mut self) -> Vec<u8> {
        if self.has_relationships {
            self.json.push(b'}');
        } else {
            self.close_attributes();
        }
        self.json.push(b'}');
        self.json
    }
}

/// A relationship to one resource, with its link.
#[derive(Serialize)]
struct ToOne<'a> {
    data: Identifier<'a>,
    links: OwnLink<'a>,
}

/// The identifier of a resource.
#[derive(Serialize)]
struct Identifier<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
}

/// The links of what has one alone.
#[derive(Serialize)]
struct OwnLink<'a> {
    #[serde(rename = "self")]
    own: &'a str,
}
