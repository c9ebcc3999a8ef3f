//! The house's rules as tests: who may use what, sizes, words, dead files.
//!
//! Everything is judged by its text, so nothing here needs a compiler. Each check is a
//! function from a text to violations; beside each stands a test with a bad text, so
//! that a check that can't fail is seen.

mod code;
mod manifest;
mod reach;
mod readme;
mod rooms;
mod sizes;
mod tree;
mod words;

use tree::Tree;

/// A broken rule, at a line of a file; line 0 is the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    line: usize,
    text: String,
}

impl Violation {
    /// Makes a violation.
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}

/// Fails with every violation, one a line.
#[track_caller]
fn assert_none(mut violations: Vec<Violation>) {
    violations.sort();
    violations.dedup();
    let lines: Vec<String> = violations
        .iter()
        .map(|found| format!("{}:{}: {}", found.path, found.line, found.text))
        .collect();
    assert!(
        lines.is_empty(),
        "{} violations:\n{}",
        lines.len(),
        lines.join("\n")
    );
}

/// Runs a check over every Rust file of the repository.
#[track_caller]
fn assert_rust(check: impl Fn(&str, &str) -> Vec<Violation>) {
    let tree = Tree::of_repository();
    let files: Vec<_> = tree.rust().collect();
    assert!(!files.is_empty(), "no Rust file was found");
    assert_none(
        files
            .iter()
            .flat_map(|(path, text)| check(path, text))
            .collect(),
    );
}

#[test]
fn every_room_uses_only_what_the_table_allows() {
    assert_rust(rooms::check_paths);
}

#[test]
fn every_dependency_has_a_place_in_the_table_and_is_named() {
    let tree = Tree::of_repository();
    assert_none(rooms::check_dependencies(&tree));
}

#[test]
fn files_and_functions_stay_short() {
    assert_rust(sizes::check);
}

#[test]
fn forbidden_words_stand_nowhere() {
    let tree = Tree::of_repository();
    let files = tree.texts();
    assert_none(
        files
            .flat_map(|(path, text)| words::check(path, text))
            .collect(),
    );
}

#[test]
fn every_excused_lint_says_why() {
    assert_rust(words::check_reasons);
}

#[test]
fn every_rust_file_is_reached() {
    assert_none(reach::check_modules(&Tree::of_repository()));
}

#[test]
fn every_asset_is_named_by_the_code() {
    assert_none(reach::check_assets(&Tree::of_repository()));
}

#[test]
fn every_dependency_says_why() {
    let tree = Tree::of_repository();
    let manifests = tree
        .texts()
        .filter(|(path, _)| path.ends_with("Cargo.toml"));
    assert_none(
        manifests
            .flat_map(|(path, text)| manifest::check_comments(path, text))
            .collect(),
    );
}
