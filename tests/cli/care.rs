//! Health, backups, restoring, maintenance, and what is told when something is missing.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use super::Place;

const ADA: &str = "ada@example.com";

/// Returns the finding about a topic.
fn finding<'a>(findings: &'a Value, topic: &str) -> &'a Value {
    let all = findings.as_array().expect("an array");
    all.iter()
        .find(|finding| finding["topic"] == topic)
        .unwrap_or_else(|| panic!("no {topic} in {findings}"))
}

/// Runs `check`, which ends with `code`.
#[track_caller]
fn check(place: &Place, code: i32) -> Value {
    let (text, _) = place.run(&["check", "--json"]).ends(code);
    serde_json::from_str(&text).expect("JSON")
}

/// Sets the mode of a file.
fn set_mode(place: &Place, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).expect("set");
}

#[test]
fn a_sound_installation_has_only_good_findings() {
    let place = Place::installed();
    let findings = check(&place, 0);
    for topic in [
        "schema",
        "integrity",
        "references",
        "key",
        "free space",
        "log",
    ] {
        assert_eq!(finding(&findings, topic)["level"], "ok", "{findings}");
    }
    let text = place.run(&["check"]).succeeds();
    assert!(text.contains("ok       integrity: "), "{text}");
}

#[test]
fn each_fault_is_found_with_its_cure() {
    let place = Place::installed();
    set_mode(&place, "elastane.db", 0o644);
    let findings = check(&place, 0);
    let found = finding(&findings, "database permissions");
    assert_eq!(found["level"], "warning");
    assert!(
        found["cure"]
            .as_str()
            .is_some_and(|cure| cure.contains("chmod 600"))
    );
    set_mode(&place, "elastane.key", 0o640);
    let findings = check(&place, 8);
    assert_eq!(finding(&findings, "key permissions")["level"], "error");
    fs::remove_file(place.path("elastane.key")).expect("removed");
    let findings = check(&place, 8);
    assert_eq!(finding(&findings, "key")["level"], "error");
    assert_eq!(finding(&findings, "integrity")["level"], "ok");
    fs::remove_file(place.path("elastane.db")).expect("removed");
    let findings = check(&place, 8);
    let cure = finding(&findings, "database")["cure"].to_string();
    assert!(cure.contains("elastane init"), "{cure}");
}

#[test]
fn a_damaged_page_is_found() {
    let place = Place::installed();
    let path = place.path("elastane.db");
    let mut bytes = fs::read(&path).expect("the database");
    let middle = bytes.len() / 4096 / 2 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&path, bytes).expect("written");
    let findings = check(&place, 8);
    let found = finding(&findings, "integrity");
    assert_eq!(found["level"], "error", "{findings}");
    assert!(found["cure"].to_string().contains("elastane restore"));
}

#[test]
fn a_file_that_is_no_database_is_told_apart() {
    let place = Place::installed();
    place.write(
        "elastane.db",
        "this is a letter, and not a database at all\n",
    );
    let findings = check(&place, 8);
    assert_eq!(finding(&findings, "database")["level"], "error");
    let told = place.run(&["user", "list"]).fails(3);
    assert!(told.contains("is not an SQLite database"), "{told}");
}

#[test]
fn a_missing_wrong_or_open_key_file_is_refused_with_what_to_do() {
    let place = Place::installed();
    set_mode(&place, "elastane.key", 0o644);
    let told = place.run(&["user", "list"]).fails(3);
    assert!(told.contains("chmod 600"), "{told}");
    let other = Place::empty();
    other.run(&super::place::init_args()).succeeds();
    fs::copy(other.path("elastane.key"), place.path("elastane.key")).expect("copied");
    set_mode(&place, "elastane.key", 0o600);
    let told = place.run(&["user", "list"]).fails(3);
    assert!(told.contains("does not belong to this database"), "{told}");
    fs::remove_file(place.path("elastane.key")).expect("removed");
    let told = place.run(&["user", "list"]).fails(3);
    assert!(told.contains("elastane.key is missing"), "{told}");
    assert!(told.contains("hint: `elastane check` tells more"), "{told}");
}

#[test]
fn a_missing_database_is_told_with_how_to_make_one() {
    let place = Place::empty();
    let told = place.run(&["user", "list", "--db", "gone.db"]).fails(4);
    assert!(
        told.contains("hint: make it with `elastane init --db gone.db`"),
        "{told}"
    );
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_backup_is_private_whole_and_never_over_another_file() {
    let place = Place::installed();
    let text = place.run(&["backup", "copy.db"]).succeeds();
    assert!(text.contains("The key file is not in it"), "{text}");
    let mode = fs::metadata(place.path("copy.db"))
        .expect("made")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let told = place.run(&["backup", "copy.db"]).fails(5);
    assert!(told.contains("--replace"), "{told}");
    place.run(&["backup", "--replace", "copy.db"]).succeeds();
    place.run(&["backup", "--replace", "elastane.db"]).fails(5);
    let users = place
        .run(&["user", "list", "--json", "--db", "copy.db"])
        .json();
    assert_eq!(users[0]["email"], ADA);
}

#[test]
fn a_target_that_can_not_be_is_named_with_advice_that_helps() {
    let place = Place::installed();
    let told = place.run(&["backup", "gone/copy.db"]).fails(4);
    assert!(told.contains("/gone does not exist"), "{told}");
    assert!(told.contains("hint: make the directory"), "{told}");
    let key = fs::read(place.path("elastane.key")).expect("the key file");
    fs::create_dir(place.path("folder")).expect("made");
    for (target, fault) in [
        ("elastane.db", "is the database itself"),
        ("elastane.key", "is the key file"),
        ("folder", "is a directory"),
    ] {
        for args in [&["backup", target][..], &["backup", "--replace", target]] {
            let told = place.run(args).fails(5);
            assert!(told.contains(fault), "{told}");
            assert!(!told.contains("--replace"), "{told}");
        }
    }
    assert_eq!(fs::read(place.path("elastane.key")).expect("there"), key);
    let told = place.run(&["backup", "copy.db", "--db", "no.db"]).fails(4);
    assert!(told.contains("elastane init --db no.db"), "{told}");
    let names = place.names();
    assert!(
        !names
            .iter()
            .any(|name| name.contains("partial") || name == "no.db"),
        "{names:?}"
    );
}

#[test]
fn a_backup_comes_back_and_the_file_before_it_is_kept() {
    let place = Place::installed();
    place.run(&["backup", "copy.db"]).succeeds();
    let before = place.run(&["key", "list", ADA, "--json"]).json();
    place.run(&["key", "create", ADA]).succeeds();
    let told = place.run(&["restore", "copy.db"]).fails(2);
    assert!(told.contains("hint: add --yes"), "{told}");
    place.run(&["restore", "copy.db", "--yes"]).succeeds();
    let after = place.run(&["key", "list", ADA, "--json"]).json();
    assert_eq!(after, before);
    let names = place.names();
    let aside = names
        .iter()
        .find(|name| name.starts_with("elastane.db.before-restore-"))
        .expect("the file before");
    let kept = place
        .run(&["key", "list", ADA, "--json", "--db", aside])
        .json();
    assert_eq!(kept.as_array().map(Vec::len), Some(2));
    assert!(
        !names.iter().any(|name| name.contains("restoring")),
        "{names:?}"
    );
}

#[test]
fn the_folders_beside_the_database_go_with_its_backup_and_come_back() {
    let place = Place::installed();
    let body = "elastane.objects/ab/body";
    fs::create_dir_all(place.path("elastane.objects/ab")).expect("made");
    place.write(body, "a large body");
    let tree = "elastane.builds/ID/REVISION";
    fs::create_dir_all(place.path(tree)).expect("made");
    symlink("../lib/run.js", place.path(&format!("{tree}/run"))).expect("linked");

    let told = place.run(&["backup", "copy.db"]).succeeds();
    assert!(told.contains("Wrote copy.db.objects"), "{told}");
    let link = place.path("copy.db.builds/ID/REVISION/run");
    assert_eq!(
        fs::read_link(link).expect("copied").to_str(),
        Some("../lib/run.js")
    );
    place.write("copy.db.objects/ab/old", "of an older backup");
    place.run(&["backup", "copy.db"]).fails(5);
    place.run(&["backup", "--replace", "copy.db"]).succeeds();
    assert!(!place.path("copy.db.objects/ab/old").exists());
    // Its folders would be those of the database itself.
    let told = place.run(&["backup", "--replace", "elastane"]).fails(5);
    assert!(told.contains("belongs to the database itself"), "{told}");

    place.write(body, "another one");
    place.run(&["restore", "copy.db", "--yes"]).succeeds();
    let text = |name: &str| fs::read_to_string(place.path(name)).expect("there");
    assert_eq!(text(body), "a large body");
    let names = place.names();
    let is_aside = |name: &&String| {
        name.starts_with("elastane.db.before-restore-") && name.ends_with(".objects")
    };
    let aside = names.iter().find(is_aside).expect("the folder before");
    assert_eq!(text(&format!("{aside}/ab/body")), "another one");
    let before = aside.trim_end_matches(".objects");
    place.run(&["restore", before, "--yes"]).succeeds();
    assert_eq!(text(body), "another one");
    let is_partial = |name: &String| name.contains("restoring") || name.contains("partial");
    assert!(!place.names().iter().any(is_partial), "{names:?}");
}

#[test]
fn a_bad_backup_changes_nothing() {
    let place = Place::installed();
    let before = fs::read(place.path("elastane.db")).expect("the database");
    place.write(
        "letter.txt",
        "this is a letter, and not a database at all\n",
    );
    let told = place.run(&["restore", "letter.txt", "--yes"]).fails(3);
    assert_eq!(
        told,
        "error: letter.txt is not an SQLite database\nhint: nothing was changed\n"
    );
    place.run(&["restore", ".", "--yes"]).fails(3);
    let elsewhere = ["restore", "letter.txt", "--db", "gone/new.db"];
    let told = place.run(&elsewhere).fails(4);
    assert!(told.contains("the directory gone does not exist"), "{told}");
    place.run(&["restore", "gone.db", "--yes"]).fails(4);
    place.run(&["restore", "elastane.db", "--yes"]).fails(5);
    let other = Place::empty();
    other.run(&super::place::init_args()).succeeds();
    other.run(&["backup", "copy.db"]).succeeds();
    fs::copy(other.path("copy.db"), place.path("foreign.db")).expect("copied");
    let told = place.run(&["restore", "foreign.db", "--yes"]).fails(3);
    assert!(told.contains("--force"), "{told}");
    assert_eq!(fs::read(place.path("elastane.db")).expect("there"), before);
    let names = place.names();
    assert!(
        !names
            .iter()
            .any(|name| name.contains("restor") || name.contains("lock")),
        "{names:?}"
    );
    place
        .run(&["restore", "foreign.db", "--yes", "--force"])
        .succeeds();
}

#[test]
fn maintenance_is_kept_in_the_database() {
    let place = Place::installed();
    assert_eq!(place.run(&["maintenance", "show"]).succeeds(), "off\n");
    place
        .run(&["maintenance", "on", "--message", "back at noon"])
        .succeeds();
    let shown = place.run(&["maintenance", "show", "--json"]).json();
    assert_eq!(shown["maintenance"], true);
    assert_eq!(shown["message"], "back at noon");
    place.run(&["maintenance", "off"]).succeeds();
    assert_eq!(place.run(&["maintenance", "show"]).succeeds(), "off\n");
}
