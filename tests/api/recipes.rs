//! Recipes on the wire (`v1.md 2.2`).

use elastane::domain::principal::{Channel, Principal};
use elastane::domain::recipe::RecipeId;
use elastane::domain::recipe::folder::FolderFiles;
use serde_json::{Value, json};

use crate::support::TestServer;

const DOCUMENTED: &str = "53d61965a6b9e9183f000001";

/// The `accounts` of the documented activation.
fn accounts() -> Value {
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

#[test]
fn a_list_has_ids_and_titles_and_one_recipe_has_the_documented_shape() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let list = ada.get("/v1/recipes/").json(200);
    assert_eq!(
        list[0],
        json!({ "id": DOCUMENTED, "title": "Synchronise Amazon MWS and your Shopware data" })
    );
    let one = ada.get(&format!("/v1/recipes/{DOCUMENTED}")).json(200);
    let members: Vec<&String> = one.as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "title", "description", "accounts"]);
    assert_eq!(
        one["accounts"]["shopware"],
        json!({ "credentials": {
            "type": "object",
            "properties": {
                "baseUrl": { "type": "string", "description": "Your Shopware domain" },
                "user": { "type": "string", "description": "Your username" },
                "password": { "type": "string", "description": "Your Password" },
            },
            "required": ["baseUrl", "user", "password"],
        } })
    );
    for path in ["/v1/recipes/nothing", "/v1/recipes/NO-id"] {
        assert_eq!(ada.get(path).status, 404, "{path}");
    }
}

#[test]
fn activation_answers_the_tasks_whether_the_id_is_in_the_body_or_in_the_path() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let in_path = format!("/v1/recipes/{DOCUMENTED}");
    let both = json!({ "recipeId": DOCUMENTED, "accounts": accounts() });
    for (path, body) in [
        ("/v1/recipes", &both),
        (in_path.as_str(), &json!({ "accounts": accounts() })),
        (in_path.as_str(), &both),
    ] {
        let answer = ada.post(path, body).json(200);
        let tasks = answer["tasks"].as_array().unwrap();
        assert_eq!(tasks.len(), 2);
        assert_eq!(tasks[1]["title"], "Synchronize Amazon Orders to Shopware");
        let id = tasks[1]["id"].as_str().unwrap();
        let started = ada.send("POST", &format!("/v1/tasks/start/{id}"), &[], "");
        assert_eq!(started.json(200), json!({ "id": id, "status": "active" }));
    }
}

#[test]
fn a_bad_activation_is_400_and_an_unknown_recipe_404() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let field_of = |path: &str, body: Value| {
        let answer = ada.post(path, &body).json(400);
        answer["errors"][0]["field"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        field_of("/v1/recipes", json!({ "accounts": {} })),
        "recipeId"
    );
    assert_eq!(
        field_of(
            "/v1/recipes",
            json!({ "recipeId": DOCUMENTED, "accounts": [] })
        ),
        "accounts"
    );
    assert_eq!(
        field_of(
            &format!("/v1/recipes/{DOCUMENTED}"),
            json!({ "recipeId": "timer_heartbeat", "accounts": {} })
        ),
        "recipeId"
    );
    assert_eq!(
        field_of(
            "/v1/recipes",
            json!({ "recipeId": DOCUMENTED, "accounts": {} })
        ),
        "accounts.amazonmws"
    );
    let unknown = json!({ "recipeId": "nothing", "accounts": {} });
    assert_eq!(ada.post("/v1/recipes", &unknown).status, 404);
    assert_eq!(ada.get("/v1/accounts").json(200), json!([]));
}

#[test]
fn a_removed_recipe_is_gone_for_everyone_until_it_is_imported_again() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let operator = Principal::operator(Channel::Cli);
    let app = &server.installation.app;
    let id = RecipeId::parse("timer_heartbeat").expect("an id");
    app.remove_recipe(&operator, &id).expect("removed");
    assert_eq!(ada.get("/v1/recipes/timer_heartbeat").status, 410);
    assert_eq!(ada.get("/v1/recipes/never_was").status, 404);
    let file = |name: &str| {
        let path = format!(
            "{}/assets/recipes/timer_heartbeat/{name}",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::read(path).expect("a bundled file")
    };
    let (recipe, title, description) = (
        file("recipe.json"),
        file("title.txt"),
        file("description.md"),
    );
    let files = FolderFiles {
        recipe: Some(&recipe),
        title: Some(&title),
        description: Some(&description),
        accounts: None,
    };
    app.import_recipe(&operator, id, &files).expect("imported");
    assert_eq!(ada.get("/v1/recipes/timer_heartbeat").status, 200);
}

#[test]
fn the_start_of_a_task_whose_components_are_missing_is_400_and_names_them() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let operator = Principal::operator(Channel::Cli);
    let flow = json!({ "title": "Files", "recipe": {
        "nodes": [
            { "id": "step_1", "compId": "google_drive", "function": "list", "first": true },
            { "id": "step_2", "compId": "podio", "function": "createItem" },
        ],
        "connections": [{ "from": "step_1", "to": "step_2" }],
    } });
    let recipe = json!({ "recipes": [flow] }).to_string();
    let files = FolderFiles {
        recipe: Some(recipe.as_bytes()),
        title: Some(b"Files"),
        description: Some(b"Moves files"),
        accounts: None,
    };
    let id = RecipeId::of_folder("drive_to_podio").expect("an id");
    let app = &server.installation.app;
    app.import_recipe(&operator, id, &files).expect("imported");
    let one = ada.get("/v1/recipes/drive_to_podio").json(200);
    let accounts = one["accounts"].as_object().unwrap();
    let names: Vec<&String> = accounts.keys().collect();
    assert_eq!(names, ["google_drive", "podio"]);
    let given = json!({ "accounts": {
        "google_drive": { "name": "Drive", "credentials": { "oauth": {} } },
    } });
    let answer = ada.post("/v1/recipes/drive_to_podio", &given).json(200);
    let task = answer["tasks"][0]["id"].as_str().unwrap();
    let refused = ada.send("POST", &format!("/v1/tasks/start/{task}"), &[], "");
    let told = refused.json(400).to_string();
    for component in ["elasticio/google-drive", "elasticio/podio"] {
        assert!(told.contains(component), "{told}");
    }
}
