//! The accounts of an activation against the schemas of a recipe (`v1.md 2.2`).

use elastane::domain::flow::command::StepCommand;
use elastane::domain::flow::graph::Graph;
use elastane::domain::recipe::FlowTemplate;
use elastane::domain::recipe::accounts::{check, derive, is_for, required_fields};
use serde_json::{Map, Value, json};

use super::fields_of;

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn schemas() -> Map<String, Value> {
    members(json!({
        "shop": { "credentials": {
            "type": "object",
            "properties": {
                "user": { "type": "string" },
                "port": { "type": "integer" },
                "rate": { "type": "number" },
                "tls": { "type": "boolean" },
                "auth": { "type": "object" },
                "tags": { "type": "array" },
                "size": { "type": "string", "options": ["small", "large"] },
                "free": { "type": "anything" },
            },
            "required": ["user"],
        } },
        "log": { "credentials": {} },
    }))
}

fn faults_of(given: Value) -> Vec<String> {
    fields_of(check(&schemas(), &members(given)))
}

#[test]
fn undeclared_fields_and_options_pass_and_keys_stay_as_they_were() {
    let keys = json!({
        "user": "ada", "port": 8080.0, "rate": 1.5, "tls": true, "auth": {}, "tags": [],
        "size": "huge", "free": 7, "more": { "than": "declared" },
    });
    let given = members(json!({ "shop": { "name": "Mine", "credentials": keys } }));
    let accounts = check(&schemas(), &given).unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].connector, "shop");
    assert_eq!(accounts[0].name.as_deref(), Some("Mine"));
    assert_eq!(Value::from(accounts[0].keys.clone()), keys);
}

#[test]
fn a_connector_with_required_fields_must_be_there_and_others_need_not() {
    assert_eq!(faults_of(json!({ "log": {} })), ["accounts.shop"]);
    assert_eq!(faults_of(json!({ "shop": null })), ["accounts.shop"]);
    assert_eq!(
        faults_of(json!({ "shop": {} })),
        ["accounts.shop.credentials.user"]
    );
    assert_eq!(
        faults_of(json!({ "shop": { "credentials": { "user": null } } })),
        ["accounts.shop.credentials.user"]
    );
}

#[test]
fn an_undeclared_connector_is_named() {
    let given = json!({ "shop": { "credentials": { "user": "a" } }, "bank": {} });
    assert_eq!(faults_of(given), ["accounts.bank"]);
}

#[test]
fn every_type_is_checked() {
    let wrong = json!({ "shop": { "credentials": {
        "user": 1, "port": 1.5, "rate": "1", "tls": "on", "auth": [], "tags": {}, "size": 1,
    } } });
    let fields = faults_of(wrong);
    for field in ["user", "port", "rate", "tls", "auth", "tags", "size"] {
        let field = format!("accounts.shop.credentials.{field}");
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
    assert_eq!(fields.len(), 7);
    assert_eq!(faults_of(json!({ "shop": "x" })), ["accounts.shop"]);
    assert_eq!(
        faults_of(json!({ "shop": { "credentials": [] } })),
        ["accounts.shop.credentials"]
    );
}

#[test]
fn no_message_repeats_a_value_and_the_list_of_faults_ends() {
    let given = members(json!({ "shop": { "credentials": { "user": "a", "port": "s3cret" } } }));
    let Err(error) = check(&schemas(), &given) else {
        panic!("it was accepted");
    };
    assert!(!format!("{error:?}").contains("s3cret"));
    let many: Map<String, Value> = (0..10_000)
        .map(|at| (format!("{at}{}", "x".repeat(1_000)), json!({})))
        .collect();
    let fields = fields_of(check(&schemas(), &many));
    assert!(fields.len() <= 50 && fields.iter().all(|field| field.len() < 100));
}

#[test]
fn a_connector_is_for_the_steps_of_its_component() {
    let command = |text| StepCommand::parse(text).unwrap();
    assert!(is_for("shop", &command("elasticio/shop:buy")));
    assert!(is_for(
        "google_drive",
        &command("elasticio/google-drive:insert")
    ));
    assert!(is_for("ours/shop", &command("ours/shop:buy")));
    assert!(!is_for("ours/shop", &command("elasticio/shop:buy")));
    assert!(!is_for("shop", &command("elasticio/shopping:buy")));
    assert!(!is_for("", &command("elasticio/shop:buy")));
}

#[test]
fn accounts_follow_from_descriptors_but_never_for_the_mapper() {
    let graph = Graph::parse(&json!({
        "nodes": [
            { "id": "a", "command": "elasticio/shop:read" },
            { "id": "b", "command": "elasticio/mapper:map" },
            { "id": "c", "command": "ours/bank:pay" },
            { "id": "d", "command": "elasticio/debug:log" },
            { "id": "e", "command": "elasticio/missing:log" },
        ],
        "edges": [
            { "source": "a", "target": "b" }, { "source": "b", "target": "c" },
            { "source": "c", "target": "d" }, { "source": "d", "target": "e" },
        ],
    }))
    .unwrap();
    let flows = [FlowTemplate {
        title: "Flow".to_owned(),
        description: None,
        cron: None,
        graph,
    }];
    let descriptor = json!({ "credentials": { "fields": {
        "user": { "label": "User", "viewClass": "TextFieldView", "required": true },
        "kind": { "viewClass": "SelectView", "model": { "a": "A", "b": "B" }, "required": "true" },
        "auth": { "label": "Auth", "viewClass": "HTTPAuthView", "required": false },
        "note": { "label": "Note", "viewClass": "TextAreaView" },
    } } });
    assert_eq!(required_fields(&descriptor), ["user", "kind"]);
    let accounts = derive(&flows, |command| {
        Ok(match command.component.as_str() {
            "missing" => None,
            "debug" => Some(json!({ "title": "Debug" })),
            "bank" => Some(json!({ "credentials": {} })),
            _ => Some(descriptor.clone()),
        })
    })
    .unwrap();
    assert_eq!(
        Value::from(accounts),
        json!({
            "shop": { "credentials": {
                "type": "object",
                "properties": {
                    "user": { "type": "string", "description": "User" },
                    "kind": { "type": "string", "description": "kind", "options": ["a", "b"] },
                    "auth": { "type": "object", "description": "Auth" },
                    "note": { "description": "Note" },
                },
                "required": ["user", "kind"],
            } },
            "ours/bank": { "credentials": { "type": "object", "properties": {}, "required": [] } },
        })
    );
}
