//! What the forced command of a key lets whom do: the doors of SSH, ours and an sshd's of
//! one's own.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use super::given::{House, Said};
use super::ssh::make_key;
use crate::support::Actor;
use crate::support::organization::Organization;

/// Registers a key of an actor; returns its id.
fn key_of(house: &House, actor: &Actor, name: &str) -> String {
    let key = make_key(house.desk.path(), name);
    let line = fs::read_to_string(key.with_extension("pub")).expect("the public key");
    let made = actor.post("/v1/sshkey", &json!({ "key": line })).json(201);
    made["id"].as_str().expect("an id").to_owned()
}

/// Runs the forced command of a key as an sshd does, for a client that came to `account`.
fn ask(house: &House, key: &str, account: &str, command: &str) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_elastane"))
        .args(["ssh", "serve", key, "--db"])
        .arg(house.server.installation.database())
        .env("LOGNAME", account)
        .env("SSH_ORIGINAL_COMMAND", command)
        .stdin(Stdio::null())
        .output();
    Said(output.expect("elastane"))
}

#[test]
fn every_door_of_ssh_asks_who_came_and_for_what() {
    let house = House::new();
    let bea = house.server.user("bea@example.com");
    house.add_to_team(&bea);
    let carl = house.server.user("carl@example.com");
    let root = house.server.admin("root@example.com");
    let organization = Organization::new(&house.server, "Acme");
    let ivy = organization.member(&house.server, "ivy@example.com", "integrator");
    let guest = organization.member(&house.server, "guest@example.com", "guest");
    let team = ivy.post("/v1/teams", &json!({ "name": "Acme" })).json(201);
    let sent = json!({ "name": "shop", "team_id": team["id"] });
    assert_eq!(ivy.post("/v1/repos", &sent).status, 201);
    let (missing, forbidden) = (
        Some("there is no such repository"),
        Some("you may clone this repository and not push to it"),
    );
    let ada = key_of(&house, &house.ada, "ada");
    let guest = key_of(&house, &guest, "guest");
    for (key, path, clones, pushes) in [
        (ada.clone(), "ada-s/hello.git", None, None),
        (ada.clone(), "ada-s/other.git", missing, missing),
        (ada.clone(), "acme/shop.git", missing, missing),
        (ada.clone(), "elasticio/timer.git", missing, missing),
        (key_of(&house, &bea, "bea"), "ada-s/hello.git", None, None),
        (
            key_of(&house, &carl, "carl"),
            "ada-s/hello.git",
            missing,
            missing,
        ),
        (
            key_of(&house, &root, "root"),
            "ada-s/hello.git",
            missing,
            missing,
        ),
        (key_of(&house, &ivy, "ivy"), "acme/shop.git", None, None),
        (guest.clone(), "acme/shop.git", None, forbidden),
        (guest, "ada-s/hello.git", missing, missing),
    ] {
        for (program, refusal) in [("git-upload-pack", clones), ("git-receive-pack", pushes)] {
            let said = ask(&house, &key, "elastane", &format!("{program} '{path}'"));
            match refusal {
                Some(text) => assert!(said.refused().contains(text), "{}", said.text()),
                // Git lists the refs, and is left alone.
                None => assert!(said.text().contains("capabilities^{}"), "{}", said.text()),
            }
        }
    }
    let removed = ask(
        &house,
        "7a00b1eca0a84cea84d2d262",
        "elastane",
        "git-upload-pack 'ada-s/hello.git'",
    );
    assert!(removed.refused().contains("missing or wrong credentials"));
}

#[test]
fn a_repository_is_found_by_the_account_as_its_team_or_as_the_only_one_of_its_name() {
    let house = House::new();
    let key = key_of(&house, &house.ada, "ada");
    let listed = |account: &str| ask(&house, &key, account, "git-upload-pack 'hello.git'").text();
    assert!(listed("elastane").contains("capabilities^{}"));
    let team = house
        .ada
        .post("/v1/teams", &json!({ "name": "Other" }))
        .json(201);
    let sent = json!({ "name": "hello", "team_id": team["id"] });
    assert_eq!(house.ada.post("/v1/repos", &sent).status, 201);
    let several = listed("elastane");
    for text in [
        "ada-s/hello",
        "other/hello",
        "the remote is elastane@HOST:TEAM/REPOSITORY.git",
    ] {
        assert!(several.contains(text), "{several}");
    }
    // As the platform has it: the account is the team.
    assert!(listed("ada-s").contains("capabilities^{}"));
    assert!(listed("other").contains("capabilities^{}"));
}
