//! JSON Schemas of what v2 declares, and of what all documents share.

use serde_json::{Map, Value, json};

use crate::api::shape::{Attribute, IdRule, Relationship, ResourceInput, ResourceType, Shape};

/// Returns the schemas that no resource declares.
pub(super) fn common() -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    let fault = object(&[("field", text(), true), ("message", text(), true)]);
    let source = object(&[("pointer", text(), false), ("parameter", text(), false)]);
    let failure = json!({
        "type": "object",
        "properties": {
            "status": text(), "code": text(), "title": text(), "detail": text(), "source": source,
        },
    });
    let identifier = object(&[("type", text(), true), ("id", text(), true)]);
    let identifiers = json!({
        "anyOf": [
            reference("identifier"),
            { "type": "array", "items": reference("identifier"), "minItems": 1 },
        ],
    });
    let meta = json!({ "type": "object" });
    let errors = json!({ "type": "array", "items": failure });
    let faults = json!({ "type": "array", "items": fault });
    [
        ("identifier", identifier),
        ("identifiers", object(&[("data", identifiers, true)])),
        ("meta-only", object(&[("meta", meta, true)])),
        (
            "error",
            object(&[("message", text(), true), ("errors", faults, false)]),
        ),
        // The gateway of webhooks says `error`; what comes before it says `message`.
        (
            "hook-error",
            object(&[("error", text(), false), ("message", text(), false)]),
        ),
        ("v2-error", object(&[("errors", errors, true)])),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
    .collect()
}

/// Returns a reference to a schema.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Returns a reference to an answer.
pub(super) fn response(name: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{name}") })
}

/// Returns the schema of a resource in answers.
pub(super) fn of_type(kind: &ResourceType) -> Value {
    object(&[
        ("type", json!({ "const": kind.name }), true),
        ("id", json!({ "type": "string" }), true),
        ("attributes", sparse(kind.attributes), false),
        (
            "relationships",
            relationships(kind.relationships, false),
            false,
        ),
        ("links", json!({ "type": "object" }), false),
    ])
}

/// Returns the schema of the attributes of an answer: a client may ask for some alone, so
/// none is certain to be there.
fn sparse(fields: &[Attribute]) -> Value {
    let members: Vec<_> = fields
        .iter()
        .map(|field| (field.name, of_shape(field.shape, !field.is_required), false))
        .collect();
    object(&members)
}

/// Returns the schema of an object of v1.
pub(super) fn of_members(members: &[Attribute]) -> Value {
    attributes(members)
}

/// Adds the schema of a document of one resource or of many, and returns its name.
pub(super) fn add_document(
    schemas: &mut Map<String, Value>,
    kind: &ResourceType,
    is_list: bool,
) -> String {
    let one = reference(kind.name);
    let (name, data) = if is_list {
        let data = json!({ "type": "array", "items": one });
        (format!("{}_list", kind.name), data)
    } else {
        (format!("{}_document", kind.name), one)
    };
    let open = || json!({ "type": "object" });
    let included = json!({ "type": "array", "items": open() });
    let schema = object(&[
        ("data", data, true),
        ("included", included, false),
        ("links", open(), false),
        ("meta", open(), true),
    ]);
    schemas.insert(name.clone(), schema);
    name
}

/// Returns the schema of a resource in a request.
pub(super) fn of_input(input: &ResourceInput) -> Value {
    let mut members = vec![("type", json!({ "enum": input.types }), !input.may_lack_type)];
    let id = json!({ "type": "string" });
    match input.id {
        IdRule::Chosen => {}
        IdRule::MayBeInPath(_) => {
            members.push(("id", json!({ "type": ["string", "null"] }), false));
        }
        IdRule::InPath(_) | IdRule::Named => members.push(("id", id, true)),
    }
    if !input.attributes.is_empty() {
        let is_required = input.attributes.iter().any(|field| field.is_required);
        let schema = or_null(attributes(input.attributes), is_required);
        members.push(("attributes", schema, is_required));
    }
    if !input.relationships.is_empty() {
        let is_required = input.relationships.iter().any(|field| field.is_required);
        let mut schema = relationships(input.relationships, true);
        for field in input.relationships {
            let one = &mut schema["properties"][field.name];
            *one = or_null(one.take(), field.is_required);
        }
        let schema = or_null(schema, is_required);
        members.push(("relationships", schema, is_required));
    }
    let resource = object(&members);
    let wrapped = object(&[("data", resource.clone(), true)]);
    if input.may_be_bare {
        json!({ "anyOf": [wrapped, resource] })
    } else {
        wrapped
    }
}

/// Lets an object of a request be `null`, unless it must be sent: it is the same as none.
fn or_null(mut schema: Value, is_required: bool) -> Value {
    if !is_required {
        schema["type"] = json!(["object", "null"]);
    }
    schema
}

/// Returns the schema of attributes; one that may be missing may be `null`.
fn attributes(fields: &[Attribute]) -> Value {
    let members: Vec<_> = fields
        .iter()
        .map(|field| {
            let schema = of_shape(field.shape, !field.is_required);
            (field.name, schema, field.is_required)
        })
        .collect();
    object(&members)
}

/// Returns the schema of relationships; in a request each says whom it names.
fn relationships(fields: &[Relationship], is_sent: bool) -> Value {
    let members: Vec<_> = fields
        .iter()
        .map(|field| {
            let to = object(&[
                ("type", json!({ "const": field.to }), true),
                ("id", json!({ "type": "string" }), true),
            ]);
            let data = if field.is_many {
                json!({ "type": "array", "items": to })
            } else {
                to
            };
            let links = json!({ "type": "object" });
            let schema = object(&[("data", data, is_sent), ("links", links, false)]);
            (field.name, schema, field.is_required)
        })
        .collect();
    object(&members)
}

/// Returns the schema of a kind of value.
pub(super) fn of_shape(shape: Shape, may_be_null: bool) -> Value {
    let typed = |name: &str| {
        if may_be_null {
            json!({ "type": [name, "null"] })
        } else {
            json!({ "type": name })
        }
    };
    match shape {
        Shape::Text => typed("string"),
        Shape::Like(pattern) => {
            let mut schema = typed("string");
            schema["pattern"] = pattern.into();
            schema
        }
        Shape::OneOf(texts) => {
            let mut values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
            if may_be_null {
                values.push(Value::Null);
            }
            json!({ "enum": values })
        }
        Shape::Time => {
            let mut schema = typed("string");
            schema["format"] = json!("date-time");
            schema
        }
        Shape::Integer => typed("integer"),
        Shape::Boolean => typed("boolean"),
        Shape::Object => typed("object"),
        Shape::List => typed("array"),
        Shape::Texts => {
            let mut schema = typed("array");
            schema["items"] = json!({ "type": "string" });
            schema
        }
        Shape::Objects(members) => {
            let mut schema = typed("array");
            schema["items"] = of_members(members);
            schema
        }
        Shape::Any => json!({}),
    }
}

/// Returns the schema of an object: names, schemas, and whether each must be there.
fn object(members: &[(&str, Value, bool)]) -> Value {
    let required: Vec<&str> = members
        .iter()
        .filter(|(_, _, is_required)| *is_required)
        .map(|(name, _, _)| *name)
        .collect();
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, schema, _)| ((*name).to_owned(), schema.clone()))
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
