//! Recipes: bundled, imported, activated all or nothing.

use elastane::domain::component::{Component, ComponentVersion};
use elastane::domain::flow::{Flow, FlowStatus};
use elastane::domain::principal::{Channel, Principal};
use elastane::domain::recipe::folder::FolderFiles;
use elastane::domain::recipe::{Recipe, RecipeId, RecipeOrigin};
use elastane::domain::{Kind, Result};
use elastane::store::{OpenMode, Store};
use serde_json::{Map, Value, json};

use crate::support::Installation;

/// The id of the documented recipe.
const DOCUMENTED: &str = "53d61965a6b9e9183f000001";

fn id(text: &str) -> RecipeId {
    RecipeId::parse(text).expect("an id")
}

fn operator() -> Principal {
    Principal::operator(Channel::Cli)
}

/// The accounts of the documented activation; its marketplace is none of the options.
fn documented() -> Value {
    json!({
        "amazonmws": { "credentials": {
            "sellerId": "asdasd7a7sd60asasdasd", "marketplace": "us",
            "mwsAuthToken": "345lkj34k5j3l45k",
        } },
        "shopware": { "credentials": {
            "baseUrl": "mysuperawesomeshop.com", "user": "text@example.com", "password": "secret",
        } },
    })
}

fn activate(
    at: &Installation,
    who: &Principal,
    recipe: &str,
    accounts: Value,
) -> Result<Vec<Flow>> {
    let Value::Object(accounts) = accounts else {
        panic!("{accounts} is no object");
    };
    at.app.activate_recipe(who, &id(recipe), accounts)
}

/// How many credentials, flows and audit entries there are.
fn rows(at: &Installation) -> [usize; 3] {
    let operator = operator();
    [
        at.app.credentials(&operator, None, 500).unwrap().len(),
        at.app.flows(&operator, None, 500).unwrap().len(),
        at.app.audit_entries(&operator, None, 500).unwrap().len(),
    ]
}

/// Imports a folder of one flow with these steps in a row.
fn import(at: &Installation, name: &str, steps: &[&str], accounts: Option<&str>) -> Result<Recipe> {
    let nodes: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let (component, function) = step.split_once(':').unwrap();
            json!({ "id": format!("s{at}"), "compId": component, "function": function,
                    "first": at == 0 })
        })
        .collect();
    let connections: Vec<Value> = (1..steps.len())
        .map(|at| json!({ "from": format!("s{}", at - 1), "to": format!("s{at}") }))
        .collect();
    let file = json!({ "recipes": [{ "title": name,
        "recipe": { "nodes": nodes, "connections": connections } }] })
    .to_string();
    let files = FolderFiles {
        recipe: Some(file.as_bytes()),
        title: Some(name.as_bytes()),
        description: Some(b"Imported"),
        accounts: accounts.map(str::as_bytes),
    };
    at.app
        .import_recipe(&operator(), RecipeId::of_folder(name)?, &files)
}

/// Gives a component a build with a trigger `read` and a credential.
fn build(at: &Installation, component: &Component) {
    let store = Store::open(&at.database(), OpenMode::Existing).unwrap();
    let version = ComponentVersion {
        component_id: component.id,
        revision: "0".repeat(40),
        number: 1,
        title: "Shop".to_owned(),
        descriptor: json!({
            "title": "Shop",
            "credentials": { "fields": { "token": { "viewClass": "PasswordFieldView", "required": true } } },
            "triggers": { "read": { "type": "polling" } },
        }),
        icon: None,
        created_at_ms: 0,
    };
    store
        .write(move |write| write.insert_component_version(&version))
        .unwrap();
    store.close();
}

#[test]
fn a_fresh_installation_has_the_bundled_recipes() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let recipes = at.app.recipes(&ada).unwrap();
    let shown: Vec<(&str, &str)> = recipes
        .iter()
        .map(|recipe| (recipe.id.as_str(), recipe.title.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (DOCUMENTED, "Synchronise Amazon MWS and your Shopware data"),
            ("scheduled_csv_import", "Scheduled CSV import"),
            ("timer_heartbeat", "Timer heartbeat"),
            ("webhook_to_http", "Webhook to HTTP"),
        ]
    );
    assert!(recipes.iter().all(|it| it.origin == RecipeOrigin::Bundled));
    let recipe = at.app.recipe(&ada, &id(DOCUMENTED)).unwrap();
    assert_eq!(
        recipe.description,
        "Synchronises products and orders between Shopware and Amazon"
    );
    let accounts = Value::from(recipe.accounts.unwrap());
    assert_eq!(
        accounts.pointer("/amazonmws/credentials/required"),
        Some(&json!(["sellerId", "marketplace"]))
    );
}

#[test]
fn the_documented_activation_works_although_its_marketplace_is_no_option() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let flows = activate(&at, &ada, DOCUMENTED, documented()).unwrap();
    let names: Vec<&str> = flows.iter().map(|flow| flow.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Synchronize Shopware Products to Amazon",
            "Synchronize Amazon Orders to Shopware",
        ]
    );
    let credentials = at.app.own_credentials(&ada).unwrap();
    assert_eq!(credentials.len(), 2);
    let id_of = |name: &str| {
        let mut found = credentials
            .iter()
            .filter(|it| it.credential.component_name == name);
        let one = found.next().unwrap();
        assert!(one.credential.component_id.is_some());
        one.credential.id
    };
    assert_eq!(credentials[0].keys["marketplace"], "us");
    for flow in &flows {
        assert_eq!(flow.status, FlowStatus::Inactive);
        assert_eq!(flow.recipe_id.as_deref(), Some(DOCUMENTED));
        let kept = at.app.flow(&ada, flow.id).unwrap();
        for node in &kept.graph.nodes {
            let expected = id_of(node.command.component.as_str());
            assert_eq!(node.credential_id, Some(expected));
            assert_eq!(node.members["credentials_id"], expected.to_string());
        }
        assert!(kept.graph.edges[0].members["config"]["mapper"].is_object());
        let started = at.app.start_flow(&ada, flow.id).unwrap();
        assert_eq!(started.status, FlowStatus::Active);
    }
    assert_eq!(flows[0].cron.as_ref().unwrap().as_str(), "*/15 * * * *");
    assert_eq!(flows[1].cron.as_ref().unwrap().as_str(), "*/5 * * * *");
}

#[test]
fn a_fault_anywhere_changes_nothing() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let before = rows(&at);
    let broken = |pointer: &str, value: Value| {
        let mut accounts = documented();
        *accounts.pointer_mut(pointer).unwrap() = value;
        accounts
    };
    let user = "/shopware/credentials/user";
    let cases = [
        (json!({}), "accounts.amazonmws"),
        (broken("/shopware", json!(null)), "accounts.shopware"),
        (
            broken(user, json!(null)),
            "accounts.shopware.credentials.user",
        ),
        (broken(user, json!(1)), "accounts.shopware.credentials.user"),
        (
            broken(
                "/shopware",
                json!({ "credentials": documented()["shopware"]["credentials"], "name": "" }),
            ),
            "accounts.shopware.name",
        ),
        (
            broken(user, json!("x".repeat(70_000))),
            "accounts.shopware.credentials",
        ),
    ];
    for (accounts, place) in cases {
        let refused = activate(&at, &ada, DOCUMENTED, accounts).unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid);
        assert_eq!(refused.fields()[0].field, place);
        assert_eq!(rows(&at), before, "{place}");
    }
    let mut undeclared = documented();
    undeclared["mapper"] = json!({ "credentials": {} });
    let refused = activate(&at, &ada, DOCUMENTED, undeclared).unwrap_err();
    assert_eq!(refused.fields()[0].field, "accounts.mapper");
    let refused = activate(&at, &ada, "no_such_recipe", json!({})).unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
    assert_eq!(rows(&at), before);
    activate(&at, &ada, DOCUMENTED, documented()).unwrap();
    assert_eq!(rows(&at), [before[0] + 2, before[1] + 2, before[2] + 5]);
}

#[test]
fn recipes_without_accounts_activate_and_start() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    for recipe in ["timer_heartbeat", "scheduled_csv_import", "webhook_to_http"] {
        for flow in activate(&at, &ada, recipe, json!({})).unwrap() {
            let started = at.app.start_flow(&ada, flow.id).unwrap();
            assert_eq!(started.status, FlowStatus::Active, "{recipe}");
        }
    }
    assert!(at.app.own_credentials(&ada).unwrap().is_empty());
}

#[test]
fn a_recipe_with_missing_components_activates_and_its_start_names_them() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let steps = [
        "google_drive:list",
        "mapper:map",
        "shopware:createOrder",
        "mandrill:send",
    ];
    import(&at, "missing", &steps, None).unwrap();
    let recipe = at.app.recipe(&ada, &id("missing")).unwrap();
    let accounts = Value::from(recipe.accounts.unwrap());
    assert_eq!(
        accounts.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["google_drive", "shopware", "mandrill"]
    );
    let open = &accounts["google_drive"]["credentials"];
    assert_eq!(open["properties"], json!({}));
    assert_eq!(open["additionalProperties"], true);
    let given = json!({
        "shopware": documented()["shopware"],
        "google_drive": { "name": "Drive", "credentials": { "any": "key" } },
    });
    let flow = activate(&at, &ada, "missing", given).unwrap().remove(0);
    let made = at.app.own_credentials(&ada).unwrap();
    let drive = made
        .iter()
        .find(|it| it.credential.name == "Drive")
        .unwrap();
    assert_eq!(drive.credential.component_name, "google_drive");
    assert_eq!(flow.graph.nodes[0].credential_id, Some(drive.credential.id));
    assert_eq!(flow.graph.nodes[2].credential_id, None);
    let refused = at.app.start_flow(&ada, flow.id).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    let fields: Vec<&str> = refused
        .fields()
        .iter()
        .map(|it| it.field.as_str())
        .collect();
    assert_eq!(fields, ["s0", "s3"]);
    assert!(refused.message().contains("elasticio/google-drive"));
    assert!(refused.message().contains("elasticio/mandrill"));
}

#[test]
fn accounts_that_a_folder_does_not_name_follow_from_the_components() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let steps = ["amazonmws:getOrders", "mapper:map", "debug:log"];
    import(&at, "derived", &steps, None).unwrap();
    let recipe = at.app.recipe(&ada, &id("derived")).unwrap();
    let accounts = Value::from(recipe.accounts.unwrap());
    assert_eq!(
        accounts.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["amazonmws"]
    );
    assert_eq!(
        accounts["amazonmws"]["credentials"]["required"],
        json!(["sellerId", "marketplace"])
    );
    let refused = activate(&at, &ada, "derived", json!({})).unwrap_err();
    assert_eq!(refused.fields()[0].field, "accounts.amazonmws");
    let none = import(&at, "none", &steps, Some("{}")).unwrap();
    assert_eq!(none.accounts, Some(Map::new()));
    assert_eq!(activate(&at, &ada, "none", json!({})).unwrap().len(), 1);
}

#[test]
fn anothers_component_does_not_show_its_fields_through_a_recipe() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let eve = at.principal("eve@example.com");
    let own = at.app.create_component(&ada, None, Some("Shop")).unwrap();
    build(&at, &own);
    let connector = format!("{}/shop", own.team);
    import(&at, "private", &[&format!("{connector}:read")], None).unwrap();
    let accounts_for = |who: &Principal| {
        let recipe = at.app.recipe(who, &id("private")).unwrap();
        let accounts = recipe.accounts.unwrap();
        accounts.keys().cloned().collect::<Vec<_>>()
    };
    let shown = |who: &Principal| -> String {
        let recipe = at.app.recipe(who, &id("private")).unwrap();
        Value::from(recipe.accounts.unwrap()).to_string()
    };
    for who in [&ada, &operator(), &eve] {
        assert_eq!(accounts_for(who).join(" "), connector);
        assert_eq!(shown(who).contains("token"), who.user_id() != eve.user_id());
    }

    let given = json!({ connector.clone(): { "credentials": { "token": "t" } } });
    let flow = activate(&at, &ada, "private", given).unwrap().remove(0);
    let made = at.app.own_credentials(&ada).unwrap().remove(0);
    assert_eq!(made.credential.component_id, Some(own.id));
    assert_eq!(flow.graph.nodes[0].credential_id, Some(made.credential.id));
    at.app.start_flow(&ada, flow.id).unwrap();
    let flow = activate(&at, &eve, "private", json!({})).unwrap().remove(0);
    let refused = at.app.start_flow(&eve, flow.id).unwrap_err();
    assert!(
        refused.message().contains("which is not there"),
        "{refused}"
    );
}

#[test]
fn a_component_stays_while_a_flow_uses_it() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let own = at.app.create_component(&ada, None, Some("Shop")).unwrap();
    let step = format!("{}/shop:read", own.team);
    import(&at, "using", &[&step], Some("{}")).unwrap();
    let flow = activate(&at, &ada, "using", json!({})).unwrap().remove(0);
    let refused = at.app.delete_component(&ada, own.id).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    at.app.delete_flow(&ada, flow.id).unwrap();
    at.app.delete_component(&ada, own.id).unwrap();
}

#[test]
fn an_import_replaces_what_has_its_id_and_a_bad_folder_keeps_the_old() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    import(&at, "mine", &["timer:timer", "debug:log"], None).unwrap();
    let flow = activate(&at, &ada, "mine", json!({})).unwrap().remove(0);
    let refused = import(&at, "mine", &["timer"].map(|_| "mapper:map"), None).unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    let kept = at.app.recipe(&ada, &id("mine")).unwrap();
    assert_eq!(kept.flows[0].graph.nodes.len(), 2);
    import(&at, "mine", &["timer:timer"], None).unwrap();
    let now = at.app.recipe(&ada, &id("mine")).unwrap();
    assert_eq!(now.flows[0].graph.nodes.len(), 1);
    assert_eq!(now.origin, RecipeOrigin::Imported);
    assert_eq!(at.app.recipes(&ada).unwrap().len(), 5);
    let flow = at.app.flow(&ada, flow.id).unwrap();
    assert_eq!(flow.graph.nodes.len(), 2, "a flow is no part of its recipe");
    at.app.remove_recipe(&operator(), &id("mine")).unwrap();
    let seen = at.app.recipe(&ada, &id("mine")).map(|_| ());
    assert_eq!(seen.unwrap_err().kind(), Kind::Gone);
    let again = at.app.remove_recipe(&operator(), &id("mine"));
    assert_eq!(again.unwrap_err().kind(), Kind::NotFound);
    assert!(at.app.flow(&ada, flow.id).is_ok());
}

#[test]
fn only_administrators_import_and_remove() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let files = FolderFiles::default();
    for refused in [
        at.app.import_recipe(&ada, id("x"), &files).map(|_| ()),
        at.app.remove_recipe(&ada, &id("timer_heartbeat")),
    ] {
        assert_eq!(refused.unwrap_err().kind(), Kind::Forbidden);
    }
    let nobody = Principal {
        actor: elastane::domain::principal::Actor::Anonymous,
        ..ada
    };
    assert_eq!(
        at.app.recipes(&nobody).unwrap_err().kind(),
        Kind::Unauthenticated
    );
}
