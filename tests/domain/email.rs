//! E-mail addresses.

use elastane::domain::text::Email;

use super::fields_of;

#[test]
fn an_address_keeps_its_spelling_and_is_compared_without_case() {
    let email = Email::parse("email", "  Ada.Lovelace+x@Example.COM ").unwrap();
    assert_eq!(email.as_str(), "Ada.Lovelace+x@Example.COM");
    assert_eq!(email.key(), "ada.lovelace+x@example.com");
}

#[test]
fn addresses_of_one_label_and_of_other_alphabets_are_accepted() {
    for text in [
        "root@localhost",
        "jürgen@müller.example",
        "a@1.2",
        "o'neil@x.io",
    ] {
        assert!(Email::parse("email", text).is_ok(), "{text}");
    }
}

#[test]
fn what_can_not_be_an_address_is_refused() {
    let long = format!("{}@example.com", "a".repeat(65));
    let longest = format!("a@{}.com", "b.".repeat(130));
    for text in [
        "",
        "ada",
        "@example.com",
        "ada@",
        "a b@example.com",
        "ada@@example.com",
        "a@b@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..b@example.com",
        "ada@-example.com",
        "ada@example..com",
        "ada@example.com\nbcc: eve@example.com",
        "\"ada\"@example.com",
        "ada@[127.0.0.1]",
        long.as_str(),
        longest.as_str(),
    ] {
        assert_eq!(
            fields_of(Email::parse("email", text)),
            ["email"],
            "{text:?}"
        );
    }
}
