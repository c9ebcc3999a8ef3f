//! `init` makes all or nothing, and shows the key once.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Place;
use super::place::init_args;

#[test]
fn the_answer_names_the_administrator_and_the_key() {
    let place = Place::empty();
    let made = place.run(&init_args()).json();
    let members: Vec<&String> = made.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["id", "email", "api_secret"]);
    assert_eq!(made["email"], "ada@example.com");
    assert_eq!(made["id"].as_str().map(str::len), Some(24));
    assert_eq!(made["api_secret"].as_str().map(str::len), Some(36));
    let users = place.run(&["user", "list", "--json"]).json();
    assert_eq!(users[0]["id"], made["id"]);
    assert_eq!(users[0]["role"], "admin");
}

#[test]
fn the_files_are_the_owners_alone() {
    let place = Place::installed();
    for name in ["elastane.db", "elastane.key"] {
        let mode = fs::metadata(place.path(name)).expect("made").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_second_init_is_refused_and_touches_nothing() {
    let place = Place::installed();
    let before = fs::read(place.path("elastane.db")).expect("the database");
    let told = place.run(&init_args()).fails(5);
    assert!(told.contains("elastane.db exists already"), "{told}");
    assert!(told.contains("hint: "), "{told}");
    assert_eq!(fs::read(place.path("elastane.db")).expect("there"), before);
}

#[test]
fn a_missing_directory_is_named_once() {
    let place = Place::empty();
    let mut args = init_args().to_vec();
    args.extend(["--db", "missing/dir.db"]);
    let told = place.run(&args).fails(4);
    assert_eq!(
        told,
        "error: the directory missing does not exist\n\
         hint: make it with `mkdir -p missing`, or name another path with --db\n"
    );
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_key_file_that_was_there_is_said_to_be_used() {
    let place = Place::empty();
    let args = &init_args()[..9];
    let text = place.run(args).succeeds();
    assert!(text.contains("and its key file elastane.key."), "{text}");
    let key = fs::read(place.path("elastane.key")).expect("a key file");
    let second = [args, &["--db", "second.db"]].concat();
    let text = place.run(&second).succeeds();
    assert!(
        text.contains("Made the database second.db; it uses the key file elastane.key"),
        "{text}"
    );
    assert_eq!(fs::read(place.path("elastane.key")).expect("there"), key);
}

#[test]
fn bad_input_names_every_field_and_leaves_no_file() {
    let place = Place::empty();
    let mut args = init_args();
    args[2] = "no address";
    args[4] = " ";
    let told = place.run(&args).fails(3);
    assert!(told.contains("error: email must be a valid"), "{told}");
    assert!(
        told.contains("error: first_name must not be empty"),
        "{told}"
    );
    args = init_args();
    args[8] = "short";
    let told = place.run(&args).fails(3);
    assert!(told.contains("password must have at least 6"), "{told}");
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_password_comes_from_stdin_and_is_not_asked_for_without_a_terminal() {
    let place = Place::empty();
    let mut args = init_args()[..7].to_vec();
    let told = place.run(&args).fails(2);
    assert!(told.contains("hint: add --password-stdin"), "{told}");
    args.extend(["--password-stdin"]);
    let text = place.run_with(&args, &[], "analytical\n").succeeds();
    assert!(text.contains("API key:"), "{text}");
    assert!(!text.contains("analytical"), "{text}");
}
