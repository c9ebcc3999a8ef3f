//! What shells and manuals get, and how wrong command lines end.

use super::Place;

#[test]
fn completions_are_made_for_every_shell() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = place.run(&["completions", shell]).succeeds();
        assert!(text.contains("maintenance"), "{shell}");
    }
    place.run(&["completions", "tcsh"]).fails(2);
}

#[test]
fn a_manual_page_is_made_for_every_command() {
    let place = Place::empty();
    let page = place.run(&["man"]).succeeds();
    assert!(page.contains(".TH elastane 1"), "{page}");
    assert!(page.contains("Exit codes"), "{page}");
    place.run(&["man", "pages"]).succeeds();
    for name in ["elastane.1", "elastane-user-add.1", "elastane-serve.1"] {
        let page = std::fs::read_to_string(place.path("pages").join(name));
        assert!(page.is_ok_and(|page| page.contains(".SH NAME")), "{name}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let place = Place::empty();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!("elastane {version}\n");
    assert_eq!(place.run(&["version"]).succeeds(), expected);
    assert_eq!(place.run(&["--version"]).succeeds(), expected);
    assert_eq!(place.run(&["version", "--json"]).json()["version"], version);
}

#[test]
fn the_description_of_the_api_needs_no_database() {
    let place = Place::empty();
    let text = place.run(&["openapi"]).succeeds();
    let printed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(printed, elastane::server::openapi_document());
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_wrong_command_line_ends_with_two() {
    let place = Place::empty();
    let told = place.run(&["usr", "list"]).fails(2);
    assert!(told.contains("'user'"), "{told}");
    place.run(&[]).fails(2);
    place.run(&["user", "list", "--frob"]).fails(2);
    place.run(&["key", "create", "x", "--days", "0"]).fails(2);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn help_needs_no_database_and_names_the_exit_codes() {
    let place = Place::empty();
    let text = place.run(&["--help"]).succeeds();
    assert!(text.contains("Exit codes:"), "{text}");
    assert!(!text.contains('\u{1b}'), "colours only on a terminal");
    place.run(&["user", "add", "--help"]).succeeds();
}
