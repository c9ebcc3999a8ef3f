//! Users from the command line, and the forms of lists.

use super::Place;

/// Adds an ordinary user.
fn add_bob(place: &Place) -> serde_json::Value {
    let args = [
        "user",
        "add",
        "--email",
        "bob@example.com",
        "--first-name",
        "Bob",
        "--last-name",
        "Kahn, \"B\"",
        "--password-stdin",
        "--json",
    ];
    place.run_with(&args, &[], "datagram").json()
}

#[test]
fn lists_come_as_table_json_and_csv() {
    let place = Place::installed();
    let bob = add_bob(&place);
    let table = place.run(&["user", "list"]).succeeds();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("ID  "), "{table}");
    assert!(lines[1].contains("ada@example.com  Ada"), "{table}");
    let json = place.run(&["user", "list", "--json"]).json();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
    assert_eq!(json[1]["id"], bob["id"]);
    assert_eq!(json[1]["last_name"], "Kahn, \"B\"");
    let csv = place.run(&["user", "list", "--csv"]).succeeds();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0].starts_with("id,email,first_name,last_name"),
        "{csv}"
    );
    assert!(lines[2].contains(r#"Bob,"Kahn, ""B""","#), "{csv}");
    place.run(&["user", "list", "--json", "--csv"]).fails(2);
}

#[test]
fn filters_keep_what_fits_and_refuse_unknown_fields() {
    let place = Place::installed();
    add_bob(&place);
    let emails = |filter: &str| -> Vec<String> {
        let found = place
            .run(&["user", "list", "--json", "--filter", filter])
            .json();
        let rows = found.as_array().expect("an array");
        rows.iter()
            .map(|row| row["email"].as_str().expect("a text").to_owned())
            .collect()
    };
    assert_eq!(emails("role:member"), ["bob@example.com"]);
    assert_eq!(emails("!role:member"), ["ada@example.com"]);
    assert_eq!(emails("state:active kahn"), ["bob@example.com"]);
    assert_eq!(emails("nobody"), Vec::<String>::new());
    let told = place
        .run(&["user", "list", "--filter", "colour:red"])
        .fails(2);
    assert!(told.contains("no field `colour`"), "{told}");
}

#[test]
fn a_user_is_shown_disabled_enabled_and_deleted() {
    let place = Place::installed();
    add_bob(&place);
    let bob = "bob@example.com";
    place.run(&["user", "disable", bob]).succeeds();
    let shown = place.run(&["user", "show", bob, "--json"]).json();
    assert_eq!(shown["state"], "disabled");
    place.run(&["user", "enable", bob]).succeeds();
    let told = place.run(&["user", "delete", bob]).fails(2);
    assert!(told.contains("hint: add --yes"), "{told}");
    place.run(&["user", "delete", bob, "--yes"]).succeeds();
    let told = place.run(&["user", "show", bob]).fails(4);
    assert!(told.contains("elastane user list"), "{told}");
}

#[test]
fn a_new_password_follows_the_policy() {
    let place = Place::installed();
    let args = ["user", "passwd", "ada@example.com", "--password-stdin"];
    place.run_with(&args, &[], "a new one\n").succeeds();
    let strict = [("ELASTANE_PASSWORD_POLICY", "strict")];
    let told = place.run_with(&args, &strict, "a new one\n").fails(3);
    assert!(told.contains("a letter, a digit and a symbol"), "{told}");
}

#[test]
fn the_last_administrator_stays() {
    let place = Place::installed();
    let told = place.run(&["user", "disable", "ada@example.com"]).fails(5);
    assert!(told.contains("last tenant administrator"), "{told}");
    place
        .run(&["user", "delete", "ada@example.com", "--yes"])
        .fails(5);
}

#[test]
fn what_is_done_stands_in_the_audit_log() {
    let place = Place::installed();
    add_bob(&place);
    place
        .run(&["user", "disable", "bob@example.com"])
        .succeeds();
    let log = place
        .run(&["audit", "list", "--json", "--filter", "action:user"])
        .json();
    let newest = &log[0];
    assert_eq!(newest["action"], "user.disable");
    assert_eq!(newest["actor_kind"], "operator");
    assert_eq!(newest["channel"], "cli");
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    use std::process::Stdio;
    let place = Place::installed();
    let mut child = place
        .command()
        .args(["user", "list", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
