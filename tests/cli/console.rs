//! The console where there is no terminal.

use super::Place;

#[test]
fn without_a_terminal_it_names_the_command_that_prints_the_same() {
    let place = Place::installed();
    let told = place.run(&["console"]).fails(2);
    assert!(told.contains("`elastane user list`"), "{told}");
    let told = place.run(&["console", "--view", "tasks"]).fails(2);
    assert!(told.contains("`elastane flow list`"), "{told}");
    let told = place.run(&["demo", "--console"]).fails(2);
    assert!(told.contains("needs a terminal"), "{told}");
    assert_eq!(
        place.names(),
        ["elastane.db", "elastane.key"],
        "nothing was made"
    );
}

#[test]
fn one_frame_is_printed_in_the_size_that_was_asked_for_and_changes_nothing() {
    let place = Place::installed();
    let frame = place
        .run(&["console", "--once", "--view", "users", "--size", "100x30"])
        .succeeds();
    assert_eq!(frame.lines().count(), 30);
    assert!(frame.contains("ada@example.com"), "{frame}");
    assert!(frame.contains("  RO  "), "{frame}");
    assert!(
        frame.lines().all(|line| line.chars().count() <= 100),
        "{frame}"
    );
    let none = place
        .run(&["console", "--once", "--view", "users", "--filter", "!ada"])
        .succeeds();
    assert!(none.contains("Nothing fits"), "{none}");
}

#[test]
fn what_can_not_be_shown_is_refused_with_the_argument_at_fault() {
    let place = Place::installed();
    for (args, code, named) in [
        (&["--once", "--view", "nothing"][..], 3, "--view"),
        (
            &["--once", "--view", "users", "--filter", "nosuch:1"],
            3,
            "nosuch",
        ),
        (&["--once", "--filter", "ada"], 2, "--view"),
        (&["--once", "--size", "0x0"], 2, "--size"),
        (&["--once", "--size", "wide"], 2, "--size"),
        (&["--once", "--theme", "pink"], 2, "high-contrast"),
        (&["--once", "--refresh", "0"], 2, "--refresh"),
        (&["--once", "--refresh", "NaN"], 2, "--refresh"),
    ] {
        let args: Vec<&str> = ["console"].iter().chain(args).copied().collect();
        let told = place.run(&args).fails(code);
        assert!(told.contains(named), "{args:?}: {told}");
    }
    let told = Place::empty().run(&["console", "--once"]).fails(4);
    assert!(told.contains("elastane init"), "{told}");
}

#[test]
fn a_locale_without_utf_8_gets_ascii() {
    let place = Place::installed();
    let args = ["console", "--once", "--view", "users"];
    let frame = place.run_with(&args, &[("LC_ALL", "C")], "").succeeds();
    assert!(frame.is_ascii(), "{frame}");
    let frame = place
        .run_with(&args, &[("LC_ALL", "C.UTF-8")], "")
        .succeeds();
    assert!(!frame.is_ascii(), "{frame}");
}
