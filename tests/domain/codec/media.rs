//! Media types.

use elastane::domain::codec::media::{BodyKind, MediaType};

#[test]
fn a_media_type_says_what_kind_of_body_comes() {
    for (text, kind) in [
        ("application/json", BodyKind::Json),
        ("Application/JSON; charset=utf-8", BodyKind::Json),
        ("application/vnd.api+json", BodyKind::Json),
        ("text/xml", BodyKind::Xml),
        ("application/soap+xml; action=\"a;b\"", BodyKind::Xml),
        ("image/svg+xml", BodyKind::Binary),
        ("application/x-www-form-urlencoded", BodyKind::Form),
        ("multipart/form-data; boundary=x", BodyKind::Multipart),
        ("multipart/mixed; boundary=x", BodyKind::Binary),
        ("text/plain", BodyKind::PlainText),
        ("text/html", BodyKind::Text),
        ("text/csv", BodyKind::Binary),
        ("application/octet-stream", BodyKind::Binary),
        ("image/png", BodyKind::Binary),
    ] {
        assert_eq!(MediaType::parse(text).unwrap().kind(), kind, "{text}");
    }
}

#[test]
fn parameters_are_taken_out_of_their_quotes() {
    let text = r#"form-data; Name="a\"b;c"; filename="C:\dir\x.txt" ; x=y;"#;
    let parsed = MediaType::parse(text).unwrap();
    assert_eq!(parsed.essence, "form-data");
    assert_eq!(parsed.parameter("name"), Some("a\"b;c"));
    assert_eq!(parsed.parameter("filename"), Some(r"C:\dir\x.txt"));
    assert_eq!(parsed.parameter("x"), Some("y"));
    assert_eq!(parsed.parameter("none"), None);
    let charset = MediaType::parse("text/plain;charset=\"UTF-8\"").unwrap();
    assert_eq!(charset.charset(), Some("UTF-8"));
}

#[test]
fn malformed_values_are_none() {
    for text in [
        "",
        " ",
        ";a=b",
        "a; b",
        "a; =c",
        "a; b=",
        "a; b=c d",
        "a; b=\"c",
        "a; b=\"c\"d",
        "a; b=c; B=d",
        "a\r\nb",
        "a; b=\"c\u{0}\"",
        &format!("a; b={}", "c".repeat(5_000)),
    ] {
        assert_eq!(MediaType::parse(text), None, "{text:?}");
    }
}
