//! Documents of JSON:API: resources, what is included, links, `meta` and errors
//! (`v2.md 2.2, 2.3`).

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::query::{PARAMETER, Page, Query};
use super::resource::RESOURCE_BYTES;
pub use super::resource::Resource;
use super::written;
use crate::api::call::{Call, Content, Reply};
use crate::domain::{Error, FieldError, Kind, Result};

/// A document with data.
#[derive(Debug)]
pub struct Document {
    /// The JSON as far as it is written: its data, without what closes it.
    json: Vec<u8>,
    /// The path of the one resource.
    link: Option<String>,
    /// The JSON of each resource that is included.
    included: Vec<Vec<u8>>,
    links: Map<String, Value>,
    meta: Map<String, Value>,
    /// Types and ids of the data.
    shown: Vec<(&'static str, String)>,
    /// The same with those of what is included, once something is.
    seen: HashSet<(&'static str, String)>,
}

impl Document {
    /// Makes the document of one resource.
    pub fn one(resource: Resource) -> Self {
        let shown = vec![(resource.kind.name, resource.id.clone())];
        Self {
            link: Some(resource.link.clone()),
            ..Self::of(&[&resource.into_json()], shown)
        }
    }

    /// Makes the document of a list, whole.
    pub fn many(resources: Vec<Resource>) -> Self {
        let mut items = Vec::new();
        let mut shown = Vec::with_capacity(resources.len());
        for resource in resources {
            shown.push((resource.kind.name, resource.id.clone()));
            resource.write_to(&mut items);
        }
        Self::of(&[b"[", &items, b"]"], shown)
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
            links: Map::from_iter([("self".to_owned(), link.into())]),
            ..Self::of(&[&written::json(&data)], Vec::new())
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
        Self::many(resources).on_page(call, page, total)
    }

    /// Makes the document of one page of a list of `total` resources; those on the page were
    /// written by [`Resource::write_to`], one after the other.
    pub fn page_of(call: &Call<'_>, page: Page, items: &[u8], total: u64) -> Self {
        Self::of(&[b"[", items, b"]"], Vec::new()).on_page(call, page, total)
    }

    /// Says which page of a list of `total` resources it is.
    fn on_page(mut self, call: &Call<'_>, page: Page, total: u64) -> Self {
        let pages = total.div_ceil(u64::from(page.size));
        for (name, value) in [
            ("page", page.number),
            ("per_page", u64::from(page.size)),
            ("total", total),
            ("total_pages", pages),
        ] {
            self.meta.insert(name.to_owned(), value.into());
        }
        let last = pages.max(1);
        let mut link = |name: &str, number: u64| {
            let path = page_path(call, page, number);
            self.links.insert(name.to_owned(), path.into());
        };
        link("first", 1);
        if page.number > 1 {
            link("prev", (page.number - 1).min(last));
        }
        if page.number < last {
            link("next", page.number + 1);
        }
        link("last", last);
        self
    }

    /// Includes a resource, unless the document has it already.
    pub fn include(&mut self, resource: Resource) {
        self.seen.extend(self.shown.drain(..));
        if self.seen.insert((resource.kind.name, resource.id.clone())) {
            self.included.push(resource.into_json());
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
        let mut json = self.json;
        written::member(&mut json, "meta", &self.meta);
        if !self.included.is_empty() {
            written::name(&mut json, "included");
            json.push(b'[');
            json.extend_from_slice(&self.included.join(&b','));
            json.push(b']');
        }
        if !self.links.is_empty() {
            written::member(&mut json, "links", &self.links);
        }
        json.push(b'}');
        Reply {
            status,
            headers: Vec::new(),
            content: Content::Written(json),
        }
    }

    /// Makes a document of its data, in pieces of JSON, and of what that shows.
    fn of(data: &[&[u8]], shown: Vec<(&'static str, String)>) -> Self {
        let bytes: usize = data.iter().map(|piece| piece.len()).sum();
        // With room for what closes a page.
        let mut json = Vec::with_capacity(bytes + RESOURCE_BYTES);
        json.push(b'{');
        written::name(&mut json, "data");
        for piece in data {
            json.extend_from_slice(piece);
        }
        Self {
            json,
            link: None,
            included: Vec::new(),
            links: Map::new(),
            meta: Map::new(),
            shown,
            seen: HashSet::new(),
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
///
/// A page has a hundred of them, and jiff's way over `fmt` took a twelfth of its time.
pub fn time(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    let told = at;
    let at = jiff::tz::Offset::UTC.to_datetime(at);
    if !(0..=9_999).contains(&at.year()) {
        return format!("{told:.3}");
    }
    let mut text = *b"0000-00-00T00:00:00.000Z";
    for (end, number) in [
        (4, i32::from(at.year())),
        (7, at.month().into()),
        (10, at.day().into()),
        (13, at.hour().into()),
        (16, at.minute().into()),
        (19, at.second().into()),
        (23, at.millisecond().into()),
    ] {
        put_digits(&mut text[..end], number.unsigned_abs());
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes the digits of a number over the zeros that a text ends with.
fn put_digits(text: &mut [u8], mut number: u32) {
    for place in text.iter_mut().rev() {
        if number == 0 {
            return;
        }
        *place += b"0123456789"[(number % 10) as usize] - b'0';
        number /= 10;
    }
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
pub fn thin(json: &[u8], asked: &Query) -> Result<Content> {
    let mut document: Value = serde_json::from_slice(json).map_err(Error::internal)?;
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
    Ok(Content::Json(document))
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
pub(super) fn identifiers_of<I: Into<String>>(
    kind: &str,
    ids: impl IntoIterator<Item = I>,
) -> Vec<Value> {
    ids.into_iter()
        .map(|id| {
            let id: String = id.into();
            json!({ "type": kind, "id": id })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_jiff_writes_them() {
        let years = [
            0,
            1,
            951_782_400_007,
            1_735_689_599_999,
            253_402_207_200_999,
        ];
        let odd = [
            -1,
            -62_167_219_200_000,
            -62_167_219_200_001,
            i64::MIN,
            i64::MAX,
        ];
        for at_ms in years.into_iter().chain(odd) {
            let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
            assert_eq!(time(at_ms), format!("{at:.3}"), "{at_ms}");
        }
    }
}
