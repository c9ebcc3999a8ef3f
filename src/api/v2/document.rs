//! Documents of JSON:API: resources, what is included, links, `meta` and errors
//! (`v2.md 2.2, 2.3`).

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::query::{PARAMETER, Page, Query};
use super::scope::organization_path;
use crate::api::call::{Call, Content, Reply};
use crate::api::shape::ResourceType;
use crate::domain::id::OrganizationId;
use crate::domain::{Error, FieldError, Kind, Result};

/// A resource to be shown.
#[derive(Debug)]
pub struct Resource {
    kind: &'static ResourceType,
    id: String,
    link: String,
    attributes: Map<String, Value>,
    relationships: Map<String, Value>,
}

impl Resource {
    /// Begins a resource; `link` is its own path, which must be served.
    pub fn new(
        kind: &'static ResourceType,
        id: impl Into<String>,
        link: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            id: id.into(),
            link: link.into(),
            attributes: Map::new(),
            relationships: Map::new(),
        }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        debug_assert!(self.kind.has_field(name), "{name} is not declared");
        self.attributes.insert(name.to_owned(), value.into());
        self
    }

    /// Sets an attribute where there is a value.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
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
        let data = json!({ "type": kind, "id": id });
        self.relationship(name, json!({ "data": data, "links": { "self": link } }))
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
        self.relationship(name, shown)
    }

    /// Relates it to what stands at a path, without saying what that is.
    #[must_use]
    pub fn related(self, name: &'static str, link: impl Into<String>) -> Self {
        let link: String = link.into();
        self.relationship(name, json!({ "links": { "related": link } }))
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
    fn relationship(mut self, name: &'static str, value: Value) -> Self {
        debug_assert!(self.kind.has_field(name), "{name} is not declared");
        self.relationships.insert(name.to_owned(), value);
        self
    }

    /// Returns it as a document shows it.
    fn into_value(self) -> Value {
        let mut shown = json!({
            "type": self.kind.name,
            "id": self.id,
            "attributes": self.attributes,
            "links": { "self": self.link },
        });
        if !self.relationships.is_empty() {
            shown["relationships"] = self.relationships.into();
        }
        shown
    }
}

/// A document with data.
#[derive(Debug)]
pub struct Document {
    data: Value,
    /// The path of the one resource.
    link: Option<String>,
    included: Vec<Value>,
    links: Map<String, Value>,
    meta: Map<String, Value>,
    seen: HashSet<(&'static str, String)>,
}

impl Document {
    /// Makes the document of one resource.
    pub fn one(resource: Resource) -> Self {
        let seen = HashSet::from([(resource.kind.name, resource.id.clone())]);
        Self {
            link: Some(resource.link.clone()),
            data: resource.into_value(),
            ..Self::empty(seen)
        }
    }

    /// Makes the document of a list, whole.
    pub fn many(resources: Vec<Resource>) -> Self {
        let seen = resources
            .iter()
            .map(|resource| (resource.kind.name, resource.id.clone()))
            .collect();
        let data: Vec<Value> = resources.into_iter().map(Resource::into_value).collect();
        Self {
            data: data.into(),
            ..Self::empty(seen)
        }
    }

    /// Makes the document of identifiers, which is what a relationship's own path answers.
    pub fn identifiers<I: Into<String>>(
        kind: &str,
        ids: impl IntoIterator<Item = I>,
        link: impl Into<String>,
    ) -> Self {
        let data = identifiers_of(kind, ids);
        let link: String = link.into();
        Self {
            data: data.into(),
            links: Map::from_iter([("self".to_owned(), link.into())]),
            ..Self::empty(HashSet::new())
        }
    }

    /// Makes the document of a list: whole, or the page of it that the query asks for.
    ///
    /// For lists that the application returns whole; the included resources are those of
    /// the shown ones only where the caller adds them so.
    pub fn list(call: &Call<'_>, resources: Vec<Resource>) -> Self {
        let Some(page) = call.asked.page else {
            return Self::many(resources);
        };
        let total = resources.len() as u64;
        let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let shown = resources
            .into_iter()
            .skip(offset)
            .take(page.size as usize)
            .collect();
        Self::page(call, page, shown, total)
    }

    /// Makes the document of one page of a list of `total` resources.
    pub fn page(call: &Call<'_>, page: Page, resources: Vec<Resource>, total: u64) -> Self {
        let mut document = Self::many(resources);
        let pages = total.div_ceil(u64::from(page.size));
        for (name, value) in [
            ("page", page.number),
            ("per_page", u64::from(page.size)),
            ("total", total),
            ("total_pages", pages),
        ] {
            document.meta.insert(name.to_owned(), value.into());
        }
        let last = pages.max(1);
        let mut link = |name: &str, number: u64| {
            let path = page_path(call, page, number);
            document.links.insert(name.to_owned(), path.into());
        };
        link("first", 1);
        if page.number > 1 {
            link("prev", (page.number - 1).min(last));
        }
        if page.number < last {
            link("next", page.number + 1);
        }
        link("last", last);
        document
    }

    /// Includes a resource, unless the document has it already.
    pub fn include(&mut self, resource: Resource) {
        if self.seen.insert((resource.kind.name, resource.id.clone())) {
            self.included.push(resource.into_value());
        }
    }

    /// Includes several resources.
    #[must_use]
    pub fn including(mut self, resources: impl IntoIterator<Item = Resource>) -> Self {
        for resource in resources {
            self.include(resource);
        }
        self
    }

    /// Returns the reply with status 200.
    pub fn ok(self) -> Reply {
        self.reply(200)
    }

    /// Returns the reply to a creation: 201, and where the new resource is.
    pub fn created(self, call: &Call<'_>) -> Reply {
        let location = self
            .link
            .as_ref()
            .map(|link| format!("{}{link}", call.base_url()));
        let reply = self.reply(201);
        match location {
            Some(location) => reply.with_header("Location", location),
            None => reply,
        }
    }

    /// Returns the reply with a status.
    pub fn reply(self, status: u16) -> Reply {
        let mut document = json!({ "data": self.data, "meta": self.meta });
        if !self.included.is_empty() {
            document["included"] = self.included.into();
        }
        if !self.links.is_empty() {
            document["links"] = self.links.into();
        }
        Reply::json(status, document)
    }

    /// Makes a document without anything but what was seen.
    fn empty(seen: HashSet<(&'static str, String)>) -> Self {
        Self {
            data: Value::Null,
            link: None,
            included: Vec::new(),
            links: Map::new(),
            meta: Map::new(),
            seen,
        }
    }
}

/// Returns the reply without data, `{"meta":{}}`.
pub fn meta_only(status: u16) -> Reply {
    Reply::json(status, json!({ "meta": {} }))
}

/// Returns a reply without content.
pub fn nothing(status: u16) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        content: Content::Empty,
    }
}

/// Returns a time as documents show it: ISO 8601 in UTC, to the millisecond.
pub fn time(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    format!("{at:.3}")
}

/// Returns the path of another page of the list that is asked for, with all other
/// parameters as they are.
fn page_path(call: &Call<'_>, page: Page, number: u64) -> String {
    let mut path = String::from(call.path);
    let mut separator = '?';
    let is_of_page = |name: &str| name == "page[number]" || name == "page[size]";
    let kept = call.query.iter().filter(|(name, _)| !is_of_page(name));
    let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
    let own = [
        ("page[number]".to_owned(), number.to_string()),
        ("page[size]".to_owned(), page.size.to_string()),
    ];
    for (name, value) in kept.chain(own) {
        path.push(separator);
        escape_into(&mut path, &name);
        path.push('=');
        escape_into(&mut path, &value);
        separator = '&';
    }
    path
}

/// Returns a text as it may stand in a path, everything escaped that is not plain.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    escape_into(&mut out, text);
    out
}

/// Writes a text into a query, everything escaped that is not plain.
fn escape_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// Takes the fields out of a document that `fields[…]` does not ask for.
pub fn thin(document: &mut Value, asked: &Query) {
    let thin_one = |resource: &mut Value| {
        let Some(kind) = resource["type"].as_str() else {
            return;
        };
        let Some(fields) = asked.fields_of(kind) else {
            return;
        };
        for group in ["attributes", "relationships"] {
            if let Some(members) = resource.get_mut(group).and_then(Value::as_object_mut) {
                members.retain(|name, _| fields.iter().any(|field| field == name));
            }
        }
    };
    for member in ["data", "included"] {
        match document.get_mut(member) {
            Some(Value::Array(resources)) => resources.iter_mut().for_each(thin_one),
            Some(resource @ Value::Object(_)) => thin_one(resource),
            _ => {}
        }
    }
}

/// Returns the document of an error (`v2.md 2.3`).
pub fn of_error(status: u16, error: &Error) -> Value {
    let slug = slug_of(error.kind());
    if error.fields().is_empty() {
        return of_failure(status, slug, error.message());
    }
    let errors: Vec<Value> = error
        .fields()
        .iter()
        .map(|fault| of_field(status, slug, fault))
        .collect();
    json!({ "errors": errors, "meta": {} })
}

/// Returns the document of a failure that no field is to blame for.
pub fn of_failure(status: u16, slug: &str, detail: &str) -> Value {
    let error = json!({
        "status": status.to_string(),
        "code": slug,
        "title": title_of(status),
        "detail": detail,
    });
    json!({ "errors": [error], "meta": {} })
}

/// Returns the error of one field, and where the field stands: `?name` is a parameter of
/// the query, `/a/b` a place in the body, `#name` no place at all, anything else the
/// path of an attribute with dots between its levels.
fn of_field(status: u16, slug: &str, fault: &FieldError) -> Value {
    let mut error = json!({
        "status": status.to_string(),
        "code": slug,
        "title": title_of(status),
    });
    let field = fault.field.as_str();
    let name = if let Some(name) = field.strip_prefix(PARAMETER) {
        error["source"] = json!({ "parameter": name });
        name
    } else if let Some(name) = field.strip_prefix('#') {
        name
    } else if field.starts_with('/') {
        error["source"] = json!({ "pointer": field });
        field.rsplit('/').next().unwrap_or_default()
    } else {
        let pointer = format!("/data/attributes/{}", field.replace('.', "/"));
        error["source"] = json!({ "pointer": pointer });
        field
    };
    error["detail"] = format!("{name} {}", fault.message).into();
    error
}

/// Puts the fields of an error below a place in the body, as the names of its members.
pub fn below(place: &str, error: Error) -> Error {
    error.with_fields(|field| {
        let escaped = field.replace('~', "~0").replace('/', "~1");
        format!("{place}/{escaped}")
    })
}

/// Gives one field of an error another place: an attribute that the application knows by
/// a name of its own.
pub fn moved<T>(result: Result<T>, from: &str, to: &str) -> Result<T> {
    result.map_err(|error| {
        error.with_fields(|field| {
            if field == from {
                to.to_owned()
            } else {
                field.to_owned()
            }
        })
    })
}

/// Returns the stable name of a kind of error.
fn slug_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::Unauthenticated => "unauthenticated",
        Kind::Forbidden => "forbidden",
        Kind::NotFound => "not_found",
        Kind::Gone => "gone",
        Kind::Conflict => "conflict",
        Kind::Outdated => "outdated",
        Kind::TooLarge => "too_large",
        Kind::TooMany => "too_many_requests",
        Kind::Unavailable => "unavailable",
        Kind::Internal => "internal",
    }
}

/// Returns the title of a status, which is the same for every occurrence.
fn title_of(status: u16) -> &'static str {
    match status {
        400 => "Bad request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not found",
        405 => "Method not allowed",
        406 => "Not acceptable",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition failed",
        413 => "Payload too large",
        415 => "Unsupported media type",
        418 => "I'm a teapot",
        429 => "Too many requests",
        503 => "Service unavailable",
        _ if status >= 500 => "Internal server error",
        _ => "Request failed",
    }
}

/// Makes identifiers of resources of one type.
fn identifiers_of<I: Into<String>>(kind: &str, ids: impl IntoIterator<Item = I>) -> Vec<Value> {
    ids.into_iter()
        .map(|id| {
            let id: String = id.into();
            json!({ "type": kind, "id": id })
        })
        .collect()
}
