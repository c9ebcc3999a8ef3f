//! Slugs.

use elastane::domain::slug::{SLUG_MAX_CHARS, Slug};

use super::fields_of;

fn slug_of(name: &str) -> String {
    Slug::of_name("name", name).expect("a slug").to_string()
}

#[test]
fn a_name_becomes_lower_case_with_single_hyphens() {
    assert_eq!(slug_of("My Repo"), "my-repo");
    assert_eq!(slug_of("google_drive"), "google-drive");
    assert_eq!(slug_of("--Shop  &  Co. (EU)--"), "shop-co-eu");
    assert_eq!(slug_of("Größe 2"), "gr-e-2");
}

#[test]
fn a_long_name_is_cut_and_never_ends_in_a_hyphen() {
    let name = format!("{} rest", "a".repeat(SLUG_MAX_CHARS - 1));
    assert_eq!(slug_of(&name), "a".repeat(SLUG_MAX_CHARS - 1));
    assert_eq!(slug_of(&"b".repeat(500)).len(), SLUG_MAX_CHARS);
}

#[test]
fn a_name_without_letters_and_digits_has_none() {
    for name in ["", "  ", "---", "日本"] {
        assert_eq!(fields_of(Slug::of_name("name", name)), ["name"], "{name:?}");
    }
}

#[test]
fn only_a_slug_is_taken_as_one() {
    assert!(Slug::parse("rest-api").is_some());
    for text in [
        "Rest-Api",
        "rest--api",
        "-rest",
        "rest-",
        "rest_api",
        "",
        "a/b",
        "a b",
    ] {
        assert!(Slug::parse(text).is_none(), "{text:?}");
    }
}
