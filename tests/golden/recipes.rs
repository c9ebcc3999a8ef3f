//! Recipes: seed examples 3 to 5 (`v1.md 2.2`).

use elastane::domain::recipe::RecipeId;
use elastane::domain::recipe::folder::FolderFiles;
use serde_json::{Value, json};

use super::compare::{Golden, an_id};
use super::documented::{
    ACTIVATION, Labelled, NOTHING, RECIPE_ID, curl_data, curl_line, operator, user,
};
use crate::support::TestServer;

#[test]
fn example_3_retrieve_all_recipes() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let documented: Vec<Value> = serde_json::from_str(
        r#"[
            {
                "id": "google_contacts_to_mailjet",
                "title": "Google Contacts to Mailjet"
            },
            {
                "id": "mandrill_to_keenio",
                "title": "Mandrill to Keen.io"
            },
            {
                "id": "salesforce_to_debitoor",
                "title": "Salesforce to Debitoor"
            }
        ]"#,
    )
    .expect("documented JSON");
    let bundled = curl_line(&ada, "GET", "/v1/recipes/").json(200);
    for recipe in &documented {
        let text = |name: &str| recipe[name].as_str().expect("a text").to_owned();
        import(&server, &text("id"), &text("title"));
    }
    let listed = curl_line(&ada, "GET", "/v1/recipes/").json(200);
    let (listed, bundled) = (items(&listed), items(&bundled));
    for recipe in documented.iter().chain(bundled) {
        assert!(listed.contains(recipe), "{recipe} in {listed:#?}");
    }
    assert_eq!(listed.len(), documented.len() + bundled.len());
    for recipe in listed {
        let members: Vec<&String> = recipe.as_object().expect("a recipe").keys().collect();
        assert_eq!(members, ["id", "title"]);
    }
}

#[test]
fn example_4_retrieve_a_recipe() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let answer = curl_line(&ada, "GET", &format!("/v1/recipes/{RECIPE_ID}"));
    Golden::documented(include_str!("recipe.json")).is(&answer, 200);
}

#[test]
fn example_5_activate_a_recipe() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let answer = curl_data(&ada, "/v1/recipes", Labelled::Json, ACTIVATION);
    let made = Golden::documented(
        r#"{
          "tasks" : [
            {
              "id" : "540492e623773659c5000002",
              "title" : "Synchronize Shopware Products to Amazon"
            },
            {
              "id" : "540490c023773659c5000001",
              "title" : "Synchronize Amazon Orders to Shopware"
            }
          ]
        }"#,
    )
    .hide("/tasks/*/id", an_id)
    .is(&answer, 200);
    assert_ne!(made["tasks"][0]["id"], made["tasks"][1]["id"]);

    let accounts = ada.get("/v1/accounts/").json(200);
    let sent: Value = serde_json::from_str(ACTIVATION).expect("documented JSON");
    for (connector, given) in sent["accounts"].as_object().expect("a map") {
        let of_type: Vec<&Value> = items(&accounts)
            .iter()
            .filter(|account| account["type"] == connector.as_str())
            .collect();
        assert_eq!(of_type.len(), 1, "one account for {connector}");
        assert_eq!(of_type[0]["keys"], given["credentials"]);
    }
    for task in items(&made["tasks"]) {
        let id = task["id"].as_str().expect("an id");
        let stopped = ada.post(&format!("/v1/tasks/stop/{id}"), &json!({}));
        assert_eq!(stopped.json(200)["status"], "inactive");
    }
}

#[test]
fn a_refused_activation_names_the_field_and_leaves_nothing() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let right: Value = serde_json::from_str(ACTIVATION).expect("documented JSON");
    let change = |pointer: &str, value: Value| {
        let mut body = right.clone();
        *body.pointer_mut(pointer).expect("a member") = value;
        body
    };
    let mut undeclared = right.clone();
    undeclared["accounts"]["dropbox"] = json!({ "credentials": {} });
    let mut no_seller = right.clone();
    no_seller["accounts"]["amazonmws"]["credentials"] = json!({ "marketplace": "us" });
    let cases = [
        (change("/accounts", json!({})), "amazonmws"),
        (undeclared, "dropbox"),
        (no_seller, "sellerId"),
        (
            change("/accounts/amazonmws/credentials/sellerId", json!(7)),
            "sellerId",
        ),
        (
            change("/accounts/shopware/credentials", json!("x")),
            "shopware",
        ),
        (change("/accounts", json!([])), "accounts"),
    ];
    for (body, named) in cases {
        let told = ada.post("/v1/recipes", &body).json(400);
        assert!(told.to_string().contains(named), "{named} in {told}");
        assert_eq!(ada.get("/v1/accounts").json(200), json!([]), "{told}");
    }
    let unknown = change("/recipeId", json!(NOTHING));
    assert_eq!(ada.post("/v1/recipes", &unknown).status, 404);
}

/// Imports a recipe of built-in components.
fn import(server: &TestServer, id: &str, title: &str) {
    let recipe = json!({
        "recipes": [{
            "title": title,
            "recipe": {
                "nodes": [
                    { "id": "step_1", "compId": "timer", "function": "timer", "first": true },
                    { "id": "step_2", "compId": "debug", "function": "log" },
                ],
                "connections": [{ "from": "step_1", "to": "step_2" }],
            },
        }],
    })
    .to_string();
    let files = FolderFiles {
        recipe: Some(recipe.as_bytes()),
        title: Some(title.as_bytes()),
        description: Some(title.as_bytes()),
        accounts: None,
    };
    let id = RecipeId::parse(id).expect("a documented id");
    let app = &server.installation.app;
    app.import_recipe(&operator(), id, &files)
        .expect("imported");
}

/// Returns the elements of an array.
fn items(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}
