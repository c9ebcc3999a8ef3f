//! The acceptance checklist (`v1.md 6`), with real curl, line by line.
//!
//! Line 4 (`exec.pollResult`) and line 7 (the component runtime) need what runs flows.

use super::curl::curl;
use super::documented::{id_of, repo, task};
use crate::clients::run_node;
use crate::support::TestServer;

#[test]
fn line_1_three_ways_to_send_a_key_give_the_same_200() {
    let server = TestServer::start();
    let ada = server.user("me@example.com");
    let key = &ada.key;
    let first = curl(&server, &["-u", &format!("{key}:"), "/v1/users"]);
    let second = curl(&server, &["-u", &format!("{key}:x"), "/v1/users/"]);
    let third = curl(
        &server,
        &["-u", &format!("me@example.com:{key}"), "/v1/users"],
    );
    assert_eq!(first.json(200)["id"], ada.id());
    for other in [second, third] {
        assert_eq!((other.status, &other.text), (200, &first.text));
    }
}

#[test]
fn line_2_a_body_without_a_header_makes_a_repository() {
    let server = TestServer::start();
    let ada = server.user("me@example.com");
    let user = format!("{}:", ada.key);
    let body = r#"{"name":"My Repo"}"#;
    let made = curl(&server, &["-u", &user, "-d", body, "/v1/repos/"]).json(201);
    let mut members: Vec<&String> = made.as_object().expect("a repository").keys().collect();
    members.sort();
    assert_eq!(members, ["id", "is_public", "name", "team_id"]);
    assert_eq!(made["name"], "My Repo");
}

#[test]
fn line_3_curl_and_the_node_client_both_start_a_task() {
    let server = TestServer::start();
    let ada = server.user("me@example.com");
    let (first, second) = (task(&ada), task(&ada));
    let user = format!("{}:", ada.key);
    let path = format!("/v1/tasks/start/{first}");
    let told = curl(&server, &["-X", "POST", "-u", &user, &path]).json(200);
    assert_eq!(
        (&told["id"], &told["status"]),
        (&first.into(), &"active".into())
    );
    run_node(
        &server,
        "start_task.mjs",
        &[("ADA_KEY", &ada.key), ("TASK_ID", &second)],
    );
}

#[test]
fn line_5_the_public_components_are_byte_identical_under_their_three_names() {
    let server = TestServer::start();
    let ada = server.user("me@example.com");
    let user = format!("{}:", ada.key);
    let lists: Vec<String> = [
        "/v1/components",
        "/v1/components/public",
        "/v1/components/public/",
    ]
    .into_iter()
    .map(|path| {
        let answer = curl(&server, &["-u", &user, path]);
        assert!(answer.json(200)["components"].is_object(), "{path}");
        answer.text
    })
    .collect();
    assert!(lists.iter().all(|list| list == &lists[0]));
    let later = [
        "-u",
        &user,
        "-H",
        "X-Elastane-Compat: later",
        "/v1/components",
    ];
    let later = curl(&server, &later).json(200);
    assert!(
        later["components"]
            .as_array()
            .is_some_and(|list| !list.is_empty())
    );
}

#[test]
fn line_6_wrong_methods_types_and_keys_are_told_apart() {
    let server = TestServer::start();
    let ada = server.user("me@example.com");
    let user = format!("{}:", ada.key);
    let path = format!("/v1/repos/{}", id_of(&repo(&ada, "My Repo")));
    let method = curl(&server, &["-X", "PATCH", "-u", &user, &path]);
    assert_eq!(
        (method.status, method.header("allow")),
        (405, Some("DELETE, GET, HEAD"))
    );
    let accept = ["-u", &user, "-H", "Accept: text/xml", "/v1/users"];
    assert_eq!(curl(&server, &accept).status, 406);
    let wrong = ["-u", "7a00b1ec-a0a8-4cea-84d2-d26052c8b788:", "/v1/users"];
    let wrong = curl(&server, &wrong);
    assert_eq!(
        (wrong.status, wrong.header("www-authenticate")),
        (401, Some("Basic realm=\"Elastane\", charset=\"UTF-8\""))
    );
}
