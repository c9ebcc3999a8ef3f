//! The resource in a request, read by what its route takes (`v2.md 2.2`).

use serde_json::{Map, Value};

use crate::api::call::Call;
use crate::api::shape::{Attribute, IdRule, Relationship, ResourceInput, Shape};
use crate::domain::{Error, FieldError, Kind, Result};

/// The place of the type.
const TYPE: &str = "/data/type";

/// The place of the id.
const ID: &str = "/data/id";

/// The attributes and relationships of a request that were declared and are sound.
#[derive(Debug)]
pub struct Input<'a> {
    id: Option<&'a str>,
    attributes: Option<&'a Map<String, Value>>,
    relationships: Option<&'a Map<String, Value>>,
}

impl<'a> Input<'a> {
    /// Reads the resource of a call by what the call's route takes.
    ///
    /// `exists` tells whether there is an object of a chosen id for the caller; only a
    /// creation asks it.
    pub fn read(call: &'a Call<'_>, exists: impl FnOnce(&str) -> bool) -> Result<Self> {
        let rules = call
            .route
            .takes
            .ok_or_else(|| Error::internal("the route takes no resource"))?;
        let resource = resource_of(&call.body, rules)?;
        check_type(resource, rules)?;
        let id = text_of(resource, "id", ID)?;
        check_id(call, id, rules.id, exists)?;
        let mut faults = Vec::new();
        let group = |name: &str, faults: &mut Vec<FieldError>| match resource.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => Some(members),
            Some(_) => {
                faults.push(fault(&format!("/data/{name}"), "must be an object"));
                None
            }
        };
        let attributes = group("attributes", &mut faults);
        let relationships = group("relationships", &mut faults);
        for attribute in rules.attributes {
            check_attribute(attributes, attribute, &mut faults);
        }
        for relationship in rules.relationships {
            check_relationship(relationships, relationship, &mut faults);
        }
        if !faults.is_empty() {
            return Err(Error::invalid_fields(faults));
        }
        Ok(Self {
            id,
            attributes,
            relationships,
        })
    }

    /// Returns the id, where the request has one.
    pub fn id(&self) -> Option<&'a str> {
        self.id
    }

    /// Returns an attribute; `null` counts as missing.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.attributes?.get(name).filter(|value| !value.is_null())
    }

    /// Tells whether an attribute is `null`, where that means something of its own.
    pub fn is_null(&self, name: &str) -> bool {
        self.attributes
            .and_then(|attributes| attributes.get(name))
            .is_some_and(Value::is_null)
    }

    /// Returns a text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.value(name)?.as_str()
    }

    /// Returns a text that was declared as required.
    pub fn required_text(&self, name: &str) -> &'a str {
        self.text(name).unwrap_or_default()
    }

    /// Returns an object.
    pub fn object(&self, name: &str) -> Option<&'a Map<String, Value>> {
        self.value(name)?.as_object()
    }

    /// Returns a list.
    pub fn list(&self, name: &str) -> Option<&'a Vec<Value>> {
        self.value(name)?.as_array()
    }

    /// Returns the id that a relationship to one names; with and without its `data`.
    pub fn related(&self, name: &str) -> Option<&'a str> {
        identifier(self.relationships?.get(name)?)?
            .get("id")?
            .as_str()
    }
}

/// Reads resource identifiers: one or a list of them, all of type `kind` (`v2.md 4.9`).
pub fn identifiers<'a>(call: &'a Call<'_>, kind: &str) -> Result<Vec<&'a str>> {
    let (listed, place): (Vec<&Value>, _) = match call.body.get("data") {
        Some(Value::Array(list)) => (list.iter().collect(), "/data/"),
        Some(one @ Value::Object(_)) => (vec![one], "/data"),
        _ => return Err(Error::invalid("/data", "is required")),
    };
    if listed.is_empty() {
        return Err(Error::invalid("/data", "must name somebody"));
    }
    let mut ids = Vec::with_capacity(listed.len());
    for (at, one) in listed.into_iter().enumerate() {
        let place = match place {
            "/data/" => format!("/data/{at}"),
            other => other.to_owned(),
        };
        let Some(one) = one.as_object() else {
            return Err(Error::invalid(place, "must be an object"));
        };
        match text_of(one, "type", &format!("{place}/type"))? {
            None => return Err(Error::invalid(format!("{place}/type"), "is required")),
            Some(sent) if sent != kind => return Err(wrong_type(&format!("{place}/type"), kind)),
            Some(_) => {}
        }
        let id_place = format!("{place}/id");
        match text_of(one, "id", &id_place)? {
            Some(id) => ids.push(id),
            None => return Err(Error::invalid(id_place, "is required")),
        }
    }
    Ok(ids)
}

/// Returns the place of a relationship's id, for errors.
pub fn place_of(relationship: &str) -> String {
    format!("/data/relationships/{relationship}/data/id")
}

/// Finds the resource in a body.
fn resource_of<'a>(
    body: &'a Map<String, Value>,
    rules: &ResourceInput,
) -> Result<&'a Map<String, Value>> {
    match body.get("data") {
        Some(Value::Object(resource)) => Ok(resource),
        None if rules.may_be_bare => Ok(body),
        None | Some(Value::Null) => Err(Error::invalid("/data", "is required")),
        Some(_) => Err(Error::invalid("/data", "must be one resource object")),
    }
}

/// Checks the type of a resource.
fn check_type(resource: &Map<String, Value>, rules: &ResourceInput) -> Result<()> {
    match text_of(resource, "type", TYPE)? {
        Some(sent) if rules.types.contains(&sent) => Ok(()),
        Some(_) => Err(wrong_type(TYPE, rules.types.first().unwrap_or(&""))),
        None if rules.may_lack_type => Ok(()),
        None => Err(Error::invalid(TYPE, "is required")),
    }
}

/// Makes the error of a type that does not belong here.
fn wrong_type(place: &str, right: &str) -> Error {
    Error::conflict(place, format!("must be {right}"))
}

/// Checks the id of a resource.
fn check_id(
    call: &Call<'_>,
    id: Option<&str>,
    rule: IdRule,
    exists: impl FnOnce(&str) -> bool,
) -> Result<()> {
    match (rule, id) {
        (IdRule::Chosen, Some(id)) => Err(if exists(id) {
            Error::conflict(ID, "is the id of another object")
        } else {
            let chosen = Error::forbidden("the server chooses ids");
            chosen.about(ID, "is chosen by the server: leave it out")
        }),
        (IdRule::InPath(name) | IdRule::MayBeInPath(name), Some(id)) if id != call.param(name) => {
            Err(Error::conflict(ID, "is not the id in the path"))
        }
        (IdRule::InPath(_) | IdRule::Named, None) => Err(Error::invalid(ID, "is required")),
        _ => Ok(()),
    }
}

/// Checks one attribute against its declaration.
fn check_attribute(
    attributes: Option<&Map<String, Value>>,
    rule: &Attribute,
    faults: &mut Vec<FieldError>,
) {
    let place = format!("/data/attributes/{}", rule.name);
    let value = attributes.and_then(|attributes| attributes.get(rule.name));
    match value.filter(|value| !value.is_null() || rule.shape == Shape::Any) {
        None if rule.is_required => faults.push(fault(&place, "is required")),
        None => {}
        Some(value) => {
            if let Err(message) = check_shape(value, rule.shape) {
                faults.push(fault(&place, &message));
            }
        }
    }
}

/// Checks the kind of a value.
fn check_shape(value: &Value, shape: Shape) -> Result<(), String> {
    let (fits, wanted) = match shape {
        Shape::Text | Shape::Like(_) | Shape::Time => (value.is_string(), "a string"),
        Shape::OneOf(words) => {
            let known = value.as_str().is_some_and(|word| words.contains(&word));
            return if known {
                Ok(())
            } else {
                Err(format!("must be one of {}", words.join(", ")))
            };
        }
        Shape::Integer => (value.is_i64() || value.is_u64(), "a whole number"),
        Shape::Boolean => (value.is_boolean(), "true or false"),
        Shape::Object => (value.is_object(), "an object"),
        Shape::List | Shape::Objects(_) => (value.is_array(), "a list"),
        Shape::Texts => {
            let texts = value.as_array();
            let fits = texts.is_some_and(|texts| texts.iter().all(Value::is_string));
            (fits, "a list of strings")
        }
        Shape::Any => (true, ""),
    };
    if fits {
        Ok(())
    } else {
        Err(format!("must be {wanted}"))
    }
}

/// Checks one relationship against its declaration.
fn check_relationship(
    relationships: Option<&Map<String, Value>>,
    rule: &Relationship,
    faults: &mut Vec<FieldError>,
) {
    let place = format!("/data/relationships/{}", rule.name);
    let sent = relationships.and_then(|all| all.get(rule.name));
    let Some(sent) = sent.filter(|sent| !sent.is_null() && !is_empty(sent)) else {
        if rule.is_required {
            faults.push(fault(&place, "is required"));
        }
        return;
    };
    if rule.is_many {
        return;
    }
    let Some(identifier) = identifier(sent) else {
        faults.push(fault(&place, "must have data with type and id"));
        return;
    };
    match identifier.get("type").and_then(Value::as_str) {
        Some(kind) if kind == rule.to => {}
        Some(_) => faults.push(fault(
            &format!("{place}/data/type"),
            &format!("must be {}", rule.to),
        )),
        None => faults.push(fault(&format!("{place}/data/type"), "is required")),
    }
    if identifier.get("id").and_then(Value::as_str).is_none() {
        faults.push(fault(
            &format!("{place}/data/id"),
            "is required and must be a text",
        ));
    }
}

/// Tells whether a relationship says that there is none.
fn is_empty(sent: &Value) -> bool {
    sent.get("data").is_some_and(Value::is_null)
}

/// Returns the identifier of a relationship to one; some documents leave its `data` out.
fn identifier(sent: &Value) -> Option<&Map<String, Value>> {
    match sent.get("data") {
        Some(data) => data.as_object(),
        None => sent.as_object(),
    }
}

/// Returns a member that is a text where it is there.
fn text_of<'a>(
    members: &'a Map<String, Value>,
    name: &str,
    place: &str,
) -> Result<Option<&'a str>> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::invalid(place, "must be a string")),
    }
}

/// Makes a fault.
fn fault(place: &str, message: &str) -> FieldError {
    FieldError {
        field: place.to_owned(),
        message: message.to_owned(),
    }
}

/// Turns an object that a body names and that is not there into a fault of that body
/// (`v2.md 9`, item 7).
pub fn named<T>(result: Result<T>, place: &str) -> Result<T> {
    result.map_err(|error| match error.kind() {
        Kind::NotFound | Kind::Gone => Error::invalid(place, "names nothing that you can see"),
        _ => error,
    })
}
