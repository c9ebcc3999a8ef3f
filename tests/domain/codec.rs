//! Bodies of others, turned into values.

mod form;
mod media;
mod multipart;
mod xml;

use elastane::domain::codec;
use elastane::domain::{Kind, Result};

/// Asserts that a body was refused as invalid, and returns the message.
#[track_caller]
fn refused<T>(result: Result<T>) -> String {
    let Err(error) = result else {
        panic!("it was accepted");
    };
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    error.message().to_owned()
}

#[test]
fn text_is_what_was_sent_or_refused() {
    let read = |bytes, charset| codec::text(bytes, charset).map(std::borrow::Cow::into_owned);
    for charset in [
        None,
        Some("utf-8"),
        Some("UTF8"),
        Some(" Utf-8 "),
        Some("us-ascii"),
    ] {
        assert_eq!(read("Zoë €".as_bytes(), charset).unwrap(), "Zoë €");
        assert!(
            refused(read(b"Zo\xeb", charset)).contains("byte 2"),
            "{charset:?}"
        );
    }
    assert_eq!(
        read(b"\xef\xbb\xbf{}", None).unwrap(),
        "{}",
        "a byte order mark goes"
    );
    assert_eq!(read(b"Zo\xeb", Some("ISO-8859-1")).unwrap(), "Zoë");
    for charset in ["utf-16", "shift_jis", "", "x"] {
        refused(read(b"a", Some(charset)));
    }
}
