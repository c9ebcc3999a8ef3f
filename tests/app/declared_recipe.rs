//! Recipes of API v2, imported and activated.

use elastane::domain::Kind;
use elastane::domain::principal::{Channel, Principal};
use elastane::domain::recipe::RecipeId;
use elastane::domain::recipe::folder::FolderFiles;
use serde_json::{Map, Value, json};

use crate::support::Installation;

/// A recipe from one shop to another, and a step that nobody here has.
fn recipe() -> Value {
    json!({
        "declarations": {
            "credentials": [{ "id": "from" }, { "id": "to" }, { "id": "drive" }],
            "variables": [{ "id": "region" }, { "id": "rate", "default": 7 }],
        },
        "info": { "title": "Between shops", "description": "Moves products" },
        "flow_templates": [
            { "title": "Products", "graph": {
                "nodes": [
                    { "id": "step_1", "command": "elasticio/shopware:getProducts@0a1b2c",
                      "credentials_id": "from" },
                    { "id": "step_2", "command": "elasticio/shopware:createOrder@latest",
                      "credentials_id": "to" },
                ],
                "edges": [{ "source": "step_1", "target": "step_2",
                            "config": { "mapper": { "a": "b" } } }],
            } },
            { "title": "Files", "cron": "*/5 * * * *", "graph": { "nodes": [
                { "id": "step_1", "command": "elasticio/google-drive:list@0a1b2c",
                  "credentials_id": "drive" },
            ] } },
        ],
    })
}

fn id() -> RecipeId {
    RecipeId::parse("between_shops").unwrap()
}

/// Imports the recipe.
fn import(at: &Installation) {
    let text = recipe().to_string();
    let files = FolderFiles {
        recipe: Some(text.as_bytes()),
        ..FolderFiles::default()
    };
    let operator = Principal::operator(Channel::Cli);
    at.app.import_recipe(&operator, id(), &files).unwrap();
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// The keys of one shop.
fn keys(user: &str) -> Value {
    json!({ "baseUrl": "shop.example.com", "user": user, "password": "secret" })
}

#[test]
fn accounts_follow_from_declarations_and_keep_their_steps_apart() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    import(&at);
    let recipe = at.app.recipe(&ada, &id()).unwrap();
    let accounts = recipe.accounts.unwrap();
    assert_eq!(
        accounts.keys().collect::<Vec<_>>(),
        ["from", "to", "google-drive"]
    );
    assert_eq!(
        accounts["from"]["credentials"]["required"],
        json!(["baseUrl", "user", "password"]),
        "the pinned build is not there, so the newest counts"
    );
    let given = members(json!({
        "from": { "credentials": keys("a") },
        "to": { "credentials": keys("b"), "name": "The other" },
    }));
    let flows = at.app.activate_recipe(&ada, &id(), given).unwrap();
    let made = at.app.own_credentials(&ada).unwrap();
    assert_eq!(made.len(), 2);
    for (node, user) in flows[0].graph.nodes.iter().zip(["a", "b"]) {
        let on_it = made
            .iter()
            .find(|it| Some(it.credential.id) == node.credential_id)
            .unwrap();
        assert_eq!(on_it.keys["user"], user);
        assert_eq!(on_it.credential.component_name, "shopware");
        assert!(on_it.credential.component_id.is_some());
    }
    assert_eq!(flows[1].graph.nodes[0].credential_id, None);
    for flow in &flows {
        let kept = at.app.flow(&ada, flow.id).unwrap();
        assert_eq!(
            Value::from(kept.options.variables),
            json!({ "region": "", "rate": 7 })
        );
    }
}

#[test]
fn an_activation_of_v1_names_components() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    import(&at);
    let given = members(json!({
        "shopware": { "name": "Both", "credentials": keys("a") },
        "google_drive": { "credentials": { "any": 1 } },
    }));
    let flows = at.app.activate_recipe(&ada, &id(), given).unwrap();
    let steps = flows.iter().flat_map(|flow| &flow.graph.nodes);
    assert!(steps.into_iter().all(|node| node.credential_id.is_some()));
    let refused = at
        .app
        .activate_recipe(&ada, &id(), members(json!({ "bank": {} })))
        .unwrap_err();
    let fields: Vec<&str> = refused
        .fields()
        .iter()
        .map(|it| it.field.as_str())
        .collect();
    assert_eq!(fields, ["accounts.bank", "accounts.from", "accounts.to"]);
}

#[test]
fn a_pin_of_a_built_in_component_becomes_the_newest_and_others_stay() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    import(&at);
    let given = members(json!({ "shopware": { "credentials": keys("a") } }));
    let flows = at.app.activate_recipe(&ada, &id(), given).unwrap();
    let commands: Vec<&Value> = flows
        .iter()
        .flat_map(|flow| &flow.graph.nodes)
        .map(|node| &node.members["command"])
        .collect();
    assert_eq!(
        commands,
        [
            "elasticio/shopware:getProducts@latest",
            "elasticio/shopware:createOrder@latest",
            "elasticio/google-drive:list@0a1b2c",
        ]
    );
    at.app.start_flow(&ada, flows[0].id).unwrap();
    let refused = at.app.start_flow(&ada, flows[1].id).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(
        refused.message().contains("elasticio/google-drive"),
        "{refused}"
    );
    let kept = at.app.recipe(&ada, &id()).unwrap();
    let first = &kept.flows[0].graph.nodes[0];
    assert_eq!(
        first.members["command"],
        "elasticio/shopware:getProducts@0a1b2c"
    );
}
