//! Forms.

use elastane::domain::codec::form::{PAIRS_MAX, object, pairs};
use serde_json::{Value, json};

use super::refused;

#[test]
fn a_name_that_occurs_again_becomes_a_list() {
    for (form, expected) in [
        ("", json!({})),
        ("&&", json!({})),
        ("a=1", json!({"a": "1"})),
        ("a", json!({"a": ""})),
        ("=1", json!({"": "1"})),
        ("a=1=2", json!({"a": "1=2"})),
        ("a=1&b=2&a=3&a=", json!({"a": ["1", "3", ""], "b": "2"})),
        (
            "na+me=v+1%2B1&x%3Dy=%E2%82%AC",
            json!({"na me": "v 1+1", "x=y": "€"}),
        ),
        ("a%5Bb%5D=1&c[]=2", json!({"a[b]": "1", "c[]": "2"})),
        ("Zoë=ü", json!({"Zoë": "ü"})),
    ] {
        assert_eq!(
            Value::Object(object(form.as_bytes()).unwrap()),
            expected,
            "{form}"
        );
    }
}

#[test]
fn the_order_of_a_form_is_kept() {
    let form = object(b"z=1&a=2&z=3&m=4").unwrap();
    assert_eq!(form.keys().collect::<Vec<_>>(), ["z", "a", "m"]);
}

#[test]
fn what_can_only_be_guessed_is_refused() {
    for form in ["a=%", "a=%2", "a=%zz", "%=1", "a=%+1", "a=%ff", "a=%c3%28"] {
        refused(object(form.as_bytes()));
    }
    refused(object(b"a=\xff"));
}

#[test]
fn a_form_has_a_limit_of_pairs() {
    let most = "a=1&".repeat(PAIRS_MAX);
    assert_eq!(pairs(most.as_bytes(), PAIRS_MAX).unwrap().len(), PAIRS_MAX);
    refused(object(format!("{most}b=1").as_bytes()));
    refused(pairs(b"a=1&b=2", 1));
}
