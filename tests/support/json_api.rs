//! The rules of JSON:API, and those that `v2.md 2.2, 2.3` adds, over every answer of v2
//! that any test receives.

use std::collections::HashSet;

use elastane::api::shape::{ResourceType, Shape};
use elastane::api::v2::TYPES;
use serde_json::{Map, Value};

use super::Answer;

/// The members that a document may have.
const TOP: [&str; 5] = ["data", "errors", "included", "links", "meta"];

/// The members that a resource may have.
const RESOURCE: [&str; 6] = ["type", "id", "attributes", "relationships", "links", "meta"];

/// Asserts that an answer of v2 keeps the rules.
#[track_caller]
pub fn check(answer: &Answer) {
    if let Err(fault) = faults_of(answer) {
        panic!("{fault}\n{} {}", answer.status, answer.text);
    }
}

/// Says which rule an answer breaks.
fn faults_of(answer: &Answer) -> Result<(), String> {
    if answer.text.is_empty() {
        return rule(matches!(answer.status, 202 | 204 | 304), "there is no body");
    }
    rule(answer.status != 204, "204 has a body")?;
    let kind = answer.header("content-type").unwrap_or_default();
    let is_json = kind == "application/json; charset=utf-8" || kind == "application/vnd.api+json";
    rule(is_json, &format!("the type is {kind}"))?;
    let document: Value = serde_json::from_str(&answer.text).map_err(|error| error.to_string())?;
    let top = document.as_object().ok_or("a document is an object")?;
    only(top, &TOP, "the document")?;
    rule(top.get("meta").is_some_and(Value::is_object), "no meta")?;
    rule(
        !(top.contains_key("data") && top.contains_key("errors")),
        "data and errors in one document",
    )?;
    let is_failure = answer.status >= 400;
    rule(
        top.contains_key("errors") == is_failure,
        "errors where the status says otherwise",
    )?;
    match top.get("errors") {
        Some(errors) => check_errors(errors, answer.status),
        None => check_data(top),
    }
}

/// Checks the errors of a document.
fn check_errors(errors: &Value, status: u16) -> Result<(), String> {
    let errors = errors.as_array().ok_or("errors is a list")?;
    rule(!errors.is_empty(), "errors is empty")?;
    for error in errors {
        let error = error.as_object().ok_or("an error is an object")?;
        only(
            error,
            &["status", "code", "title", "detail", "source", "meta"],
            "an error",
        )?;
        rule(
            error["status"].as_str() == Some(&status.to_string()),
            "another status in the error",
        )?;
        for name in ["code", "title", "detail"] {
            let text = error.get(name).and_then(Value::as_str).unwrap_or_default();
            rule(!text.is_empty(), &format!("an error without {name}"))?;
        }
        if let Some(source) = error.get("source") {
            let pointer = source["pointer"].as_str();
            let is_place = pointer.is_some_and(|pointer| pointer.starts_with('/'));
            rule(
                is_place || source["parameter"].is_string(),
                "a source that is no place",
            )?;
        }
    }
    Ok(())
}

/// Checks data, what is included, and links.
fn check_data(top: &Map<String, Value>) -> Result<(), String> {
    let listed = |name: &str| match top.get(name) {
        Some(Value::Array(list)) => list.clone(),
        Some(one @ Value::Object(members)) if !members.is_empty() => vec![one.clone()],
        _ => Vec::new(),
    };
    let (data, included) = (listed("data"), listed("included"));
    let mut seen = HashSet::new();
    let mut named = HashSet::new();
    for resource in data.iter().chain(&included) {
        let key = check_resource(resource, &mut named)?;
        rule(seen.insert(key.clone()), &format!("{key:?} is there twice"))?;
    }
    for resource in &included {
        let key = key_of(resource)?;
        rule(named.contains(&key), &format!("nothing leads to {key:?}"))?;
    }
    rule(
        !top.contains_key("included") || top.contains_key("data"),
        "included without data",
    )?;
    check_links(top.get("links"))
}

/// Checks one resource or identifier, and notes what its relationships name.
fn check_resource(
    resource: &Value,
    named: &mut HashSet<(String, String)>,
) -> Result<(String, String), String> {
    let key = key_of(resource)?;
    let members = resource.as_object().ok_or("a resource is an object")?;
    only(members, &RESOURCE, "a resource")?;
    let kind = TYPES.iter().find(|kind| kind.name == key.0);
    let kind = kind.ok_or_else(|| format!("the type {} is not declared", key.0))?;
    let is_identifier = !members.contains_key("attributes");
    if !is_identifier {
        check_attributes(&members["attributes"], kind)?;
        let link = members.get("links").and_then(|links| links.get("self"));
        rule(
            link.is_some_and(Value::is_string),
            &format!("{key:?} without links.self"),
        )?;
    }
    for (name, relationship) in members
        .get("relationships")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        rule(
            kind.relationships.iter().any(|known| known.name == name),
            &format!("the relationship {name} of {} is not declared", kind.name),
        )?;
        let shown = relationship
            .as_object()
            .ok_or("a relationship is an object")?;
        only(shown, &["data", "links", "meta"], "a relationship")?;
        rule(!shown.is_empty(), "a relationship is empty")?;
        check_links(shown.get("links"))?;
        let data = match shown.get("data") {
            Some(Value::Array(list)) => list.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            _ => Vec::new(),
        };
        for identifier in &data {
            named.insert(key_of(identifier)?);
        }
    }
    check_links(members.get("links"))?;
    Ok(key)
}

/// Checks the attributes of a resource against the declaration of its type.
fn check_attributes(attributes: &Value, kind: &ResourceType) -> Result<(), String> {
    let attributes = attributes.as_object().ok_or("attributes are an object")?;
    for (name, value) in attributes {
        let known = kind.attributes.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| format!("{}.{name} is not declared", kind.name))?;
        let fits = match known.shape {
            Shape::Text | Shape::Like(_) => value.is_string(),
            Shape::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Shape::Time => value
                .as_str()
                .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
            Shape::Integer => value.is_i64() || value.is_u64(),
            Shape::Boolean => value.is_boolean(),
            Shape::Object => value.is_object(),
            Shape::List | Shape::Objects(_) => value.is_array(),
            Shape::Texts => value
                .as_array()
                .is_some_and(|texts| texts.iter().all(Value::is_string)),
            Shape::Any => true,
        };
        let may_be_missing = value.is_null() && !known.is_required;
        rule(
            fits || may_be_missing,
            &format!("{}.{name} is {value}", kind.name),
        )?;
    }
    Ok(())
}

/// Checks that links are paths of v2.
fn check_links(links: Option<&Value>) -> Result<(), String> {
    let Some(links) = links else { return Ok(()) };
    for (name, link) in links.as_object().ok_or("links are an object")? {
        let is_path = link.as_str().is_some_and(|path| path.starts_with("/v2/"));
        rule(is_path, &format!("the link {name} is {link}"))?;
    }
    Ok(())
}

/// Returns type and id.
fn key_of(resource: &Value) -> Result<(String, String), String> {
    let text = |name: &str| resource[name].as_str().filter(|text| !text.is_empty());
    match (text("type"), text("id")) {
        (Some(kind), Some(id)) => Ok((kind.to_owned(), id.to_owned())),
        _ => Err(format!("{resource} has no type and id")),
    }
}

/// Says that an object has a member that it must not have.
fn only(members: &Map<String, Value>, known: &[&str], what: &str) -> Result<(), String> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("{what} has {name}")),
        None => Ok(()),
    }
}

/// Says that a rule is broken.
fn rule(holds: bool, broken: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(broken.to_owned())
    }
}

/// Returns all links of a document.
pub fn links_of(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    gather(document, &mut found);
    found.sort();
    found.dedup();
    found
}

/// Gathers the links below a value. Attributes are data: what they hold are no links.
fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| gather(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                if name == "links" {
                    let links = value.as_object().into_iter().flatten();
                    found.extend(links.filter_map(|(_, link)| link.as_str().map(str::to_owned)));
                } else if name != "attributes" {
                    gather(value, found);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn broken_documents_are_told_from_sound_ones() {
    let answer = |status: u16, text: &str| Answer {
        status,
        headers: vec![(
            "content-type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        )],
        text: text.to_owned(),
    };
    let key =
        r#"{"type":"sshkey","id":"1","attributes":{"title":"a"},"links":{"self":"/v2/sshkeys/1"}}"#;
    let sound = format!(r#"{{"data":{key},"meta":{{}}}}"#);
    let error = r#"{"errors":[{"status":"400","code":"c","title":"t","detail":"d","source":{"pointer":"/data"}}],"meta":{}}"#;
    for (status, text) in [(200, sound.as_str()), (400, error), (204, "")] {
        assert_eq!(faults_of(&answer(status, text)), Ok(()), "{text}");
    }
    for (status, text) in [
        (200, ""),
        (200, "[]"),
        (400, sound.as_str()),
        (200, error),
        (403, error),
        (200, sound.replace(r#","meta":{}"#, "").as_str()),
        (200, sound.replace("title", "colour").as_str()),
        (200, sound.replace(r#""a""#, "1").as_str()),
        (200, sound.replace("/v2/sshkeys/1", "/v1/sshkey").as_str()),
        (200, sound.replace(r#""id":"1","#, "").as_str()),
        (
            200,
            sound
                .replace(r#","links":{"self":"/v2/sshkeys/1"}"#, "")
                .as_str(),
        ),
        (
            200,
            format!(r#"{{"data":[{key},{key}],"meta":{{}}}}"#).as_str(),
        ),
        (
            200,
            format!(r#"{{"data":[],"included":[{key}],"meta":{{}}}}"#).as_str(),
        ),
        (400, error.replace("/data", "data").as_str()),
    ] {
        assert!(faults_of(&answer(status, text)).is_err(), "{text}");
    }
}
