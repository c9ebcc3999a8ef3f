//! Request heads: the whole way from bytes to framing and target, at any split of the bytes.

#![no_main]

use elastane::http::Target;
use elastane::http::framing::framing;
use elastane::http::head::{Head, HeadLimits, Scan};
use libfuzzer_sys::fuzz_target;

const LIMITS: HeadLimits = HeadLimits {
    head_bytes: 512,
    request_line_bytes: 256,
    headers: 16,
};

fuzz_target!(|bytes: &[u8]| {
    let mut at_once = Scan::default();
    let whole = at_once.advance(bytes, &LIMITS);

    // However the bytes arrive, a head ends in the same place or is refused all the same.
    let mut dripping = Scan::default();
    let mut dripped = Ok(None);
    for end in 1..=bytes.len() {
        dripped = dripping.advance(&bytes[..end], &LIMITS);
        if !matches!(dripped, Ok(None)) {
            break;
        }
    }
    match (&whole, &dripped) {
        (Ok(whole), Ok(dripped)) => assert_eq!(whole, dripped),
        (whole, dripped) => assert_eq!(whole.is_err(), dripped.is_err()),
    }

    let Ok(Some((start, end))) = whole else {
        return;
    };
    assert!(start < end && end - start <= LIMITS.head_bytes);
    let mut head = Head::new();
    if head.parse(&bytes[start..end], &LIMITS).is_err() {
        return;
    }
    assert!(!head.method().is_empty() && !head.target().is_empty());
    let mut fields = 0;
    for (name, value) in head.fields() {
        assert!(!name.is_empty() && !name.contains([' ', '\t', ':', '\r', '\n', '\0']));
        assert!(!value.contains(['\r', '\n', '\0']));
        fields += 1;
    }
    assert!(fields <= LIMITS.headers);
    let _either = framing(&head);
    if let Ok(target) = Target::parse(head.method(), head.target(), 8) {
        assert!(target.query.len() <= 8);
        assert!(
            target
                .path
                .segments()
                .all(|segment| segment != ".." && !segment.chars().any(char::is_control))
        );
    }
});
