//! The accounts of an activation against the schemas of a recipe (`v1.md 2.2`).

use elastane::domain::flow::command::StepCommand;
use elastane::domain::flow::graph::Graph;
use elastane::domain::recipe::accounts::{
    NeededAccount, check, is_for, needed, required_fields, under_their_names,
};
use elastane::domain::recipe::{Declared, FlowTemplate, Recipe, RecipeId, RecipeOrigin};
use serde_json::{Map, Value, json};

use super::fields_of;

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn schemas() -> Vec<NeededAccount> {
    let entries = members(json!({
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
    }));
    let account = |(name, entry)| NeededAccount {
        connector: format!("the/{name}"),
        name,
        declared: None,
        entry,
        steps: Vec::new(),
    };
    entries.into_iter().map(account).collect()
}

/// A recipe of one flow with these steps in a row: id, command, what the file calls
/// the account.
fn recipe(steps: &[(&str, &str, Option<&str>)], declared: Option<Declared>) -> Recipe {
    let nodes: Vec<Value> = steps
        .iter()
        .map(|(id, command, _)| json!({ "id": id, "command": command }))
        .collect();
    let edges: Vec<Value> = steps
        .windows(2)
        .map(|pair| json!({ "source": pair[0].0, "target": pair[1].0 }))
        .collect();
    let called =
        |(id, _, name): &(&str, &str, Option<&str>)| Some(((*id).to_owned(), (*name)?.to_owned()));
    Recipe {
        id: RecipeId::of_folder("x").expect("an id"),
        title: "Recipe".to_owned(),
        description: String::new(),
        accounts: None,
        flows: vec![FlowTemplate {
            title: "Flow".to_owned(),
            description: None,
            cron: None,
            graph: Graph::parse(&json!({ "nodes": nodes, "edges": edges })).expect("a graph"),
            accounts: steps.iter().filter_map(called).collect(),
        }],
        declared,
        origin: RecipeOrigin::Imported,
    }
}

/// Names and steps of the accounts that a recipe needs where no component is there.
fn named(recipe: &Recipe) -> Vec<(String, String, String)> {
    let accounts = needed(recipe, |_| Ok(None)).expect("accounts");
    let shown = |account: &NeededAccount| {
        let steps: Vec<&str> = account.steps.iter().map(|(_, id)| id.as_str()).collect();
        (
            account.name.clone(),
            account.connector.clone(),
            steps.join(" "),
        )
    };
    accounts.iter().map(shown).collect()
}

/// The same as texts.
fn is_named(got: &[(String, String, String)], wanted: &[(&str, &str, &str)]) -> bool {
    let got = got
        .iter()
        .map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()));
    got.eq(wanted.iter().copied())
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
    assert_eq!(accounts[0].account, "shop");
    assert_eq!(accounts[0].connector, "the/shop");
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
    let recipe = recipe(
        &[
            ("a", "elasticio/shop:read", None),
            ("b", "elasticio/mapper:map", None),
            ("c", "ours/bank:pay", None),
            ("d", "elasticio/debug:log", None),
            ("e", "elasticio/missing:log", None),
            ("f", "elasticio/shop:write", None),
        ],
        None,
    );
    let descriptor = json!({ "credentials": { "fields": {
        "user": { "label": "User", "viewClass": "TextFieldView", "required": true },
        "kind": { "viewClass": "SelectView", "model": { "a": "A", "b": "B" }, "required": "true" },
        "auth": { "label": "Auth", "viewClass": "HTTPAuthView", "required": false },
        "note": { "label": "Note", "viewClass": "TextAreaView" },
    } } });
    assert_eq!(required_fields(&descriptor), ["user", "kind"]);
    let accounts = needed(&recipe, |command| {
        Ok(match command.component.as_str() {
            "missing" => None,
            "debug" => Some(json!({ "title": "Debug" })),
            "bank" => Some(json!({ "credentials": {} })),
            _ => Some(descriptor.clone()),
        })
    })
    .unwrap();
    assert_eq!(
        accounts[0].steps,
        [(0, "a".to_owned()), (0, "f".to_owned())]
    );
    let entries = accounts.into_iter().map(|it| (it.name, it.entry));
    assert_eq!(
        Value::from(entries.collect::<Map<_, _>>()),
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
            "missing": { "credentials": {
                "type": "object", "properties": {}, "required": [], "additionalProperties": true,
            } },
        })
    );
}

#[test]
fn a_connector_is_spelled_as_its_file_does() {
    let recipe = recipe(
        &[
            ("a", "elasticio/google-drive:list", Some("google_drive")),
            ("b", "elasticio/google-drive:put", Some("google_drive")),
        ],
        None,
    );
    let wanted = [("google_drive", "google_drive", "a b")];
    assert!(is_named(&named(&recipe), &wanted), "{:?}", named(&recipe));
}

#[test]
fn a_declared_credential_is_called_by_its_connector_unless_there_are_several() {
    let steps = [
        ("a", "elasticio/shop:read", Some("mine")),
        ("b", "elasticio/bank:pay", Some("purse")),
        ("c", "elasticio/shop:write", Some("mine")),
        ("d", "ours/log:add", None),
    ];
    let one = recipe(&steps, Some(Declared::default()));
    let wanted = [
        ("shop", "shop", "a c"),
        ("bank", "bank", "b"),
        ("ours/log", "ours/log", "d"),
    ];
    assert!(is_named(&named(&one), &wanted), "{:?}", named(&one));
    let steps = [
        ("a", "elasticio/shop:read", Some("from")),
        ("b", "elasticio/bank:pay", None),
        ("c", "elasticio/shop:write", Some("bank")),
    ];
    let two = recipe(&steps, Some(Declared::default()));
    let wanted = [
        ("from", "shop", "a"),
        ("bank", "bank", "b"),
        ("shop:bank", "shop", "c"),
    ];
    assert!(is_named(&named(&two), &wanted), "{:?}", named(&two));
}

#[test]
fn an_account_may_be_given_by_declared_id_or_by_connector() {
    let steps = [
        ("a", "elasticio/google-drive:read", Some("from")),
        ("b", "elasticio/google-drive:write", Some("to")),
        ("c", "elasticio/bank:pay", Some("purse")),
    ];
    let accounts = needed(&recipe(&steps, Some(Declared::default())), |_| Ok(None)).unwrap();
    let given = |value| Value::from(under_their_names(&accounts, &members(value)));
    assert_eq!(
        given(json!({ "from": 1, "bank": 2 })),
        json!({ "from": 1, "bank": 2 })
    );
    assert_eq!(given(json!({ "purse": 1 })), json!({ "bank": 1 }));
    assert_eq!(
        given(json!({ "google_drive": 1 })),
        json!({ "from": 1, "to": 1 })
    );
    assert_eq!(
        given(json!({ "google_drive": 1, "to": 2 })),
        json!({ "from": 1, "to": 2 })
    );
    assert_eq!(given(json!({ "nobody": 1 })), json!({ "nobody": 1 }));
}
