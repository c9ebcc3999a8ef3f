//! Teams: seed examples 17 and 18 (`v1.md 2.7`).

use serde_json::json;

use super::compare::{Golden, a_text, an_id};
use super::documented::{Labelled, curl_data, curl_line, user};
use crate::support::TestServer;

/// The documented body of a creation.
const NEW_TEAM: &str = r#"
   {
       "name": "My team"
   }"#;

#[test]
fn example_17_get_the_users_teams() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    assert_eq!(curl_line(&ada, "GET", "/v1/teams/").json(200), json!([]));
    let made = curl_data(&ada, "/v1/teams", Labelled::Json, NEW_TEAM).json(201);
    let list = Golden::documented(
        r#"[
            {
                "id":"55083c567aea6f030000001a",
                "name":"My team",
                "members":[
                    "5508411b34e5ac0300000019",
                    "510fc14d173cff0200000003"
                ]
            }
        ]"#,
    )
    // Only v2 adds members: the creator is the one that there is.
    .with("/0/members", json!([ada.id()]))
    .hide("/*/id", an_id)
    .is(&curl_line(&ada, "GET", "/v1/teams/"), 200);
    assert_eq!(list, json!([made]));
    let bob = user(&server, "bob@example.com");
    assert_eq!(bob.get("/v1/teams/").json(200), json!([]));
}

#[test]
fn example_18_create_a_team() {
    let server = TestServer::start();
    let ada = user(&server, "ada@example.com");
    let answer = curl_data(&ada, "/v1/teams", Labelled::Json, NEW_TEAM);
    let documented = r#"{
        "id":"55083c567aea6f030000001a",
        "name":"My team",
        "members":["5508411b34e5ac0300000019"]
    }"#;
    Golden::documented(documented)
        .with("/members/0", ada.id())
        .hide("/id", an_id)
        .is(&answer, 201);
    let bob = user(&server, "bob@example.com");
    let taken = curl_data(&bob, "/v1/teams", Labelled::Json, NEW_TEAM).json(400);
    assert_eq!(taken["errors"][0]["field"], "name");
    assert_eq!(bob.get("/v1/teams/").json(200), json!([]));
    for body in ["{}", ""] {
        let unnamed = curl_data(&bob, "/v1/teams/", Labelled::Json, body);
        Golden::documented(documented)
            .with("/members/0", bob.id())
            .hide("/id", an_id)
            .hide("/name", a_text)
            .is(&unnamed, 201);
    }
}
