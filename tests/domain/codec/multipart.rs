//! Forms with files.

use elastane::domain::Result;
use elastane::domain::codec::media::MediaType;
use elastane::domain::codec::multipart::{PARTS_MAX, Part, parts};

use super::refused;

/// Reads a body whose boundary is `XX`; `\n` in it stands for a line break of the wire.
fn read(body: &str) -> Result<Vec<Part<'static>>> {
    let body = body.replace('\n', "\r\n").into_bytes();
    let body: &'static [u8] = Vec::leak(body);
    parts(
        &MediaType::parse("multipart/form-data; boundary=XX").expect("a media type"),
        body,
    )
}

/// Reads a body of one part with this head.
fn read_head(head: &str) -> Result<Vec<Part<'static>>> {
    read(&format!("--XX\n{head}\n\nv\n--XX--"))
}

#[test]
fn fields_and_files_are_told_apart() {
    let body = "a preamble\n--XX\nContent-Disposition: form-data; name=\"title\"\n\nZoë\n\
         --XX  \ncontent-type: text/csv; charset=utf-8\nCONTENT-DISPOSITION: form-data; \
         name=\"up\"; filename=\"a b.csv\"\n\n1,2\n--XY\n--\n--XX\n\
         Content-Disposition: form-data; name=\"empty\"\n\n\n--XX--\nan epilogue\n--XX\n";
    let parts = read(body).unwrap();
    assert_eq!(parts.len(), 3);
    assert_eq!(
        (parts[0].name.as_str(), parts[0].text().unwrap()),
        ("title", "Zoë")
    );
    assert!(!parts[0].is_file());
    assert!(parts[1].is_file());
    assert_eq!(parts[1].filename.as_deref(), Some("a b.csv"));
    assert_eq!(
        parts[1].content_type.as_deref(),
        Some("text/csv; charset=utf-8")
    );
    assert_eq!(parts[1].bytes, b"1,2\r\n--XY\r\n--");
    assert_eq!(parts[2].text().unwrap(), "");
}

#[test]
fn bytes_of_a_file_are_kept_as_they_are() {
    let all: Vec<u8> = (0..=255).collect();
    let mut body = b"--XX\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n".to_vec();
    body.extend(&all);
    body.extend(b"\r\n--XX--\r\n");
    let media_type = MediaType::parse("multipart/form-data; boundary=\"XX\"").unwrap();
    let found = parts(&media_type, &body).unwrap();
    assert_eq!(found[0].bytes, all);
    refused(found[0].text());
}

#[test]
fn the_name_of_a_file_has_no_folders() {
    for (disposition, expected) in [
        (r#"filename="/etc/passwd""#, "passwd"),
        (r#"filename="..\..\x.txt""#, "x.txt"),
        (r#"filename=".." "#, "file"),
        (r#"filename="a%22b""#, "a\"b"),
        (r#"filename="a\"b""#, "a\"b"),
        ("filename=\"Zoë.txt\"", "Zoë.txt"),
        ("filename=old; filename*=UTF-8''n%C3%A4w.txt", "näw.txt"),
        ("filename*=utf-8'de'a%2Fb", "b"),
        ("filename=old; filename*=UTF-8''%0d%0aX", "old"),
    ] {
        let head = format!("Content-Disposition: form-data; name=f; {disposition}");
        let parts = read_head(&head).unwrap();
        assert_eq!(
            parts[0].filename.as_deref(),
            Some(expected),
            "{disposition}"
        );
    }
}

#[test]
fn a_file_that_nobody_chose_is_not_there() {
    let body = "--XX\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\n\
         Content-Type: application/octet-stream\n\n\n--XX--";
    assert_eq!(read(body).unwrap(), []);
    assert_eq!(read("--XX--").unwrap(), [], "a form without fields");
}

#[test]
fn broken_bodies_are_refused() {
    for body in [
        "",
        "x",
        "--XX",
        "--XX\n",
        "--XX\nContent-Disposition: form-data; name=a\n\nv",
        "--XX\nContent-Disposition: form-data; name=a\n\nv\n--XX",
        "--XX\nContent-Disposition: form-data; name=a\n\nv--XX--",
        "--XX\nContent-Disposition: form-data; name=a\n--XX--",
        "--XXContent-Disposition: form-data; name=a\n\nv\n--XX--",
        "--XX\n\nno name\n--XX--",
    ] {
        refused(read(body));
    }
    let bare = "--XX\nContent-Disposition: form-data; name=a\n\nv\n--XX--";
    let media_type = MediaType::parse("multipart/form-data; boundary=XX").unwrap();
    refused(parts(&media_type, bare.as_bytes()));
}

#[test]
fn broken_heads_of_parts_are_refused() {
    for head in [
        "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data",
        "Content-Disposition: form-data; name",
        "Content-Disposition form-data; name=a",
        "Content-Disposition : form-data; name=a",
        "Content-Disposition: form-data; name=a\n folded: x",
        "Content-Disposition: form-data; name=a; filename*=x",
        "Content-Disposition: form-data; name=a\nContent-Transfer-Encoding: base64",
        &format!(
            "Content-Disposition: form-data; name=a{}",
            "\nx: y".repeat(16)
        ),
        &format!(
            "Content-Disposition: form-data; name=a\nx: {}",
            "y".repeat(8 * 1024)
        ),
    ] {
        refused(read_head(head));
    }
    assert!(
        read_head("Content-Disposition: form-data; name=a\nContent-Transfer-Encoding: 8BIT")
            .is_ok()
    );
}

#[test]
fn a_boundary_is_needed_and_has_its_form() {
    let long = "x".repeat(71);
    for boundary in [
        "",
        "; boundary=\"\"",
        "; boundary=\"a \"",
        "; boundary=\"a\u{e9}\"",
        &format!("; boundary={long}"),
    ] {
        let media_type = MediaType::parse(&format!("multipart/form-data{boundary}")).unwrap();
        refused(parts(&media_type, b"--a--"));
    }
}

#[test]
fn a_body_has_a_limit_of_parts() {
    let part = "--XX\nContent-Disposition: form-data; name=a\n\nv\n";
    let most = format!("{}--XX--", part.repeat(PARTS_MAX));
    assert_eq!(read(&most).unwrap().len(), PARTS_MAX);
    refused(read(&format!("{part}{most}")));
}
