//! Repositories: seed examples 11 to 14, and their variables (`v1.md 2.5, 3.4`).

use serde_json::json;

use super::compare::{Golden, a_boolean, an_id};
use super::documented::{Labelled, NOTHING, curl_data, curl_line, id_of, repo, user};
use crate::support::TestServer;

/// The documented repository; the list and the single call show the same.
const REPO: &str = r#"
  {
    "id": "555c5ade13c2298a9d32fe67",
    "name": "testrepo",
    "team_id": "5538bc1c9c0f0522391900d4"
  }"#;

#[test]
fn example_11_get_the_users_repositories() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    assert_eq!(curl_line(&ada, "GET", "/v1/repos/").json(200), json!([]));
    let made = repo(&ada, "testrepo");
    let answer = curl_line(&ada, "GET", "/v1/repos/");
    let list = Golden::documented(&format!("[{REPO}]"))
        .hide("/*/id", an_id)
        .hide("/*/team_id", an_id)
        .may_have("/*/is_public", a_boolean)
        .is(&answer, 200);
    assert_eq!(list[0]["id"], made["id"]);
    let bob = user(&server, "bob@example.com");
    assert_eq!(bob.get("/v1/repos/").json(200), json!([]));
}

#[test]
fn example_12_get_a_users_repository() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let made = repo(&ada, "testrepo");
    let path = format!("/v1/repos/{}", id_of(&made));
    let one = Golden::documented(REPO)
        .hide("/id", an_id)
        .hide("/team_id", an_id)
        .may_have("/is_public", a_boolean)
        .is(&curl_line(&ada, "GET", &path), 200);
    assert_eq!(one["id"], made["id"]);
    assert_eq!(one["team_id"], made["team_id"]);
    let bob = user(&server, "bob@example.com");
    assert_eq!(bob.get(&path).status, 404);
    assert_eq!(ada.get("/v1/repos/not-an-id").status, 404);
    assert_eq!(ada.get(&format!("/v1/repos/{NOTHING}")).status, 404);
}

#[test]
fn example_13_create_a_repository() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let body = r#"
   {
       "name": "My Repo"
   }"#;
    let answer = curl_data(&ada, "/v1/repos/", Labelled::AsForm, body);
    let made = Golden::documented(
        r#"{
            "name":"repository name",
            "id": "repo_id",
            "team_id": "team_id",
             "is_public": false
        }"#,
    )
    .with("/name", "My Repo")
    .hide("/id", an_id)
    .hide("/team_id", an_id)
    .is(&answer, 201);
    let teams = ada.get("/v1/teams").json(200);
    assert_eq!(teams[0]["id"], made["team_id"], "a team was made for it");
    let again = curl_data(
        &ada,
        "/v1/repos/",
        Labelled::AsForm,
        r#"{"name":"my repo"}"#,
    );
    assert_eq!(again.status, 400, "the same slug");
}

#[test]
fn example_14_delete_a_repository() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let path = format!("/v1/repos/{}", id_of(&repo(&ada, "testrepo")));
    let bob = user(&server, "bob@example.com");
    assert_eq!(bob.delete(&path).status, 404);
    Golden::documented("{}").is(&curl_line(&ada, "DELETE", &path), 200);
    assert_eq!(ada.get(&path).status, 410, "it was there for its team");
    assert_eq!(bob.get(&path).status, 404);
    assert_eq!(ada.get("/v1/repos/").json(200), json!([]));
}

#[test]
fn later_environment_variables_are_merged_into_the_map() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let path = format!("/v1/repos/{}/env/", id_of(&repo(&ada, "testrepo")));
    let put = |body: &str| {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        ada.send("PUT", &path, &form, body)
    };
    Golden::documented("{}").is(&curl_line(&ada, "GET", &path), 200);
    Golden::documented(r#"{ "USERNAME": "admin", "PASSWORD": "secret" }"#).is(
        &put(r#"{ "USERNAME": "admin", "PASSWORD": "secret" }"#),
        200,
    );
    Golden::documented(r#"{ "PASSWORD": "secret", "PORT": "8080", "DEBUG": "true" }"#).is(
        &put(r#"{ "USERNAME": null, "PORT": 8080, "DEBUG": true }"#),
        200,
    );
    let wrong = [
        (r#"{ "A": "1", "ELASTICIO_X": "1" }"#, "ELASTICIO_X"),
        (r#"{ "A": "1", "1A": "1" }"#, "1A"),
        (r#"{ "A": "1", "B": {} }"#, "B"),
        (r#"{ "A": "1", "B": [] }"#, "B"),
    ];
    for (body, named) in wrong {
        let told = put(body).json(400);
        assert!(told.to_string().contains(named), "{told}");
    }
    Golden::documented(r#"{ "PASSWORD": "secret", "PORT": "8080", "DEBUG": "true" }"#)
        .is(&curl_line(&ada, "GET", &path), 200);
    let bob = user(&server, "bob@example.com");
    assert_eq!(bob.get(&path).status, 404);
}
