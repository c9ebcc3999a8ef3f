//! API keys, teams and SSH keys from the command line.

use super::Place;

const ADA: &str = "ada@example.com";
const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

#[test]
fn a_key_is_made_listed_and_revoked() {
    let place = Place::installed();
    let args = [
        "key", "create", ADA, "--name", "ci", "--days", "3", "--json",
    ];
    let made = place.run(&args).json();
    let secret = made["api_secret"].as_str().expect("a key");
    let listed = place.run(&["key", "list", ADA, "--json"]).json();
    assert_eq!(listed[1]["id"], made["id"]);
    assert_eq!(listed[1]["name"], "ci");
    assert!(listed[1]["expires_at"].is_string());
    assert!(secret.starts_with(listed[1]["prefix"].as_str().expect("a text")));
    assert!(!listed.to_string().contains(secret));
    let id = made["id"].as_str().expect("an id");
    let rotated = place.run(&["key", "rotate", id, "--json"]).json();
    assert_ne!(rotated["api_secret"], made["api_secret"]);
    let after = place.run(&["key", "list", ADA, "--json"]).json();
    assert_eq!(after[1]["id"], rotated["id"]);
    assert_eq!(after[1]["name"], "ci");
    assert_eq!(after[1]["expires_at"], listed[1]["expires_at"]);
    place.run(&["key", "rotate", id]).fails(4);
    let id = rotated["id"].as_str().expect("an id");
    let kept = ["key", "rotate", id, "--keep", "1", "--json"];
    let second = place.run(&kept).json();
    let both = place.run(&["key", "list", ADA, "--json"]).json();
    let end_of = |key: &serde_json::Value| {
        let keys = both.as_array().expect("keys");
        let found = keys.iter().find(|other| other["id"] == *key);
        found.expect("a key")["expires_at"].clone()
    };
    assert_eq!(end_of(&second["id"]), listed[1]["expires_at"]);
    assert_ne!(end_of(&rotated["id"]), listed[1]["expires_at"]);
    place.run(&["key", "rotate", id, "--keep", "721"]).fails(2);
    place.run(&["key", "revoke", id]).succeeds();
    place.run(&["key", "revoke", id]).fails(4);
    place.run(&["key", "revoke", "one"]).fails(2);
}

#[test]
fn a_key_that_a_client_has_is_taken_over_once() {
    let place = Place::installed();
    let args = ["key", "create", ADA, "--secret-stdin"];
    let told = place.run_with(&args, &[], "letmein\n").fails(3);
    assert!(told.contains("must be a UUID"), "{told}");
    assert!(!told.contains("letmein"), "{told}");
    let text = place.run_with(&args, &[], &format!("{UUID}\n")).succeeds();
    assert!(!text.contains(UUID), "{text}");
    let told = place.run_with(&args, &[], UUID).fails(5);
    assert!(told.contains("is a key already"), "{told}");
}

#[test]
fn lists_without_rows_are_empty_and_no_error() {
    let place = Place::installed();
    let json = place.run(&["sshkey", "list", "--json"]).json();
    assert_eq!(json, serde_json::json!([]));
    let (table, told) = place.run(&["sshkey", "list", ADA]).ends(0);
    assert_eq!((table.as_str(), told.as_str()), ("", "nothing found\n"));
    let csv = place.run(&["sshkey", "list", "--csv"]).succeeds();
    assert!(csv.starts_with("id,user_id,user,title"), "{csv}");
}

#[test]
fn an_organization_is_made_listed_and_shown() {
    let place = Place::installed();
    let made = place
        .run(&["organization", "create", "The Company", "--json"])
        .json();
    assert_eq!(made["name"], "The Company");
    let id = made["id"].as_str().expect("an id");
    let listed = place.run(&["organization", "list", "--json"]).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    for key in ["id", "name", "members", "invites", "created_at"] {
        assert_eq!(listed[0][key], made[key], "{key}");
    }
    let shown = place.run(&["organization", "show", id, "--json"]).json();
    assert_eq!(shown, made);
    let told = place.run(&["organization", "show", "x"]).fails(4);
    assert!(told.contains("elastane organization list"), "{told}");
    place.run(&["organization", "create", " "]).fails(3);
    let lookups = place.run(&["lookup", "list", "--json"]).json();
    assert_eq!(lookups, serde_json::json!([]));
}

#[test]
fn the_team_of_the_built_in_components_is_shown() {
    let place = Place::installed();
    let teams = place.run(&["team", "list", "--json"]).json();
    let team = teams
        .as_array()
        .expect("an array")
        .iter()
        .find(|team| team["slug"] == "elasticio")
        .expect("the team of the built-in components");
    let shown = place.run(&["team", "show", "elasticio", "--json"]).json();
    assert_eq!(shown["id"], team["id"]);
    let told = place.run(&["team", "show", "nobody"]).fails(4);
    assert!(told.contains("elastane team list"), "{told}");
}
