//! `multipart/form-data` (RFC 7578): fields and files of one body.
//!
//! The body is in memory already, and parts are slices of it: a hostile one costs no
//! more than its own length.

use super::malformed;
use super::media::MediaType;
use crate::domain::{Error, Result};

/// The most parts of a body: no form has as many, and each becomes a member or a file.
pub const PARTS_MAX: usize = 1_000;

/// The most headers of a part; three have a meaning.
const HEADERS_MAX: usize = 16;

/// The longest head of a part, as long as names of files with their encoding get.
const HEAD_MAX_BYTES: usize = 8 * 1024;

/// The longest boundary (RFC 2046 5.1.1).
const BOUNDARY_MAX_BYTES: usize = 70;

/// One part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'b> {
    /// The name of the field.
    pub name: String,
    /// The name of the file, without folders; a part that has one is a file. It may be
    /// empty.
    pub filename: Option<String>,
    /// The media type that the part names.
    pub content_type: Option<String>,
    /// What it holds.
    pub bytes: &'b [u8],
}

impl<'b> Part<'b> {
    /// Tells whether it is a file, which becomes an attachment.
    pub fn is_file(&self) -> bool {
        self.filename.is_some()
    }

    /// Returns the value of a field, which must be UTF-8.
    pub fn text(&self) -> Result<&'b str> {
        std::str::from_utf8(self.bytes)
            .map_err(|_| malformed(format!("the field `{}` is not text in UTF-8", self.name)))
    }
}

/// Splits a body into its parts; `content_type` is the header's value, which names the
/// boundary.
pub fn parts<'b>(content_type: &MediaType, body: &'b [u8]) -> Result<Vec<Part<'b>>> {
    let boundary = content_type
        .parameter("boundary")
        .filter(|text| is_boundary(text))
        .ok_or_else(|| malformed("the Content-Type names no boundary of the parts"))?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first delimiter may open the body, without the line break of the others.
    let mut rest = match body.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => behind(body, &delimiter).ok_or_else(cut_off)?.1,
    };
    let mut found = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(found);
        }
        if found.len() >= PARTS_MAX {
            return Err(malformed(format!(
                "the body has more than {PARTS_MAX} parts"
            )));
        }
        // Blanks may stand between a delimiter and the end of its line.
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        let line = &rest[blanks.count()..];
        // A part without headers begins with an empty line, so the break stays.
        if !line.starts_with(b"\r\n") {
            return Err(malformed("a line of the multipart body is malformed"));
        }
        let (part, after) = behind(line, &delimiter).ok_or_else(cut_off)?;
        let part = part_of(part)?;
        // What a page sends where nobody chose a file.
        let is_nothing = part.bytes.is_empty() && part.filename.as_deref() == Some("");
        found.extend((!is_nothing).then_some(part));
        rest = after;
    }
}

/// Reads one part, from the line break before its headers to its last byte.
fn part_of(part: &[u8]) -> Result<Part<'_>> {
    let (head, bytes) = behind(part, b"\r\n\r\n")
        .filter(|(head, _)| head.len() <= HEAD_MAX_BYTES)
        .ok_or_else(|| malformed("a part has no end of its headers, or too long ones"))?;
    let head = std::str::from_utf8(head)
        .map_err(|_| malformed("the headers of a part are not in UTF-8"))?;
    let mut disposition = None;
    let mut content_type = None;
    for (count, line) in head
        .split("\r\n")
        .filter(|line| !line.is_empty())
        .enumerate()
    {
        let header = line
            .split_once(':')
            .filter(|(name, _)| count < HEADERS_MAX && is_token(name))
            .ok_or_else(|| malformed("a header of a part is malformed"))?;
        let value = header.1.trim();
        match header.0.to_ascii_lowercase().as_str() {
            "content-disposition" if disposition.is_none() => {
                disposition = MediaType::parse(value);
            }
            "content-type" => content_type = Some(value.to_owned()),
            // Deprecated by RFC 7578; what it means is not done, so it must not be said.
            "content-transfer-encoding"
                if !["7bit", "8bit", "binary"]
                    .iter()
                    .any(|plain| value.eq_ignore_ascii_case(plain)) =>
            {
                return Err(malformed("a part has a Content-Transfer-Encoding"));
            }
            _ => {}
        }
    }
    let disposition = disposition
        .filter(|found| found.essence == "form-data")
        .ok_or_else(|| malformed("a part has no Content-Disposition of a form"))?;
    let name = disposition
        .parameter("name")
        .ok_or_else(|| malformed("a part has no name"))?;
    let filename = filename_of(&disposition)?;
    let is_type = |text: &String| MediaType::parse(text).is_some();
    Ok(Part {
        name: unescaped(name),
        filename,
        content_type: content_type.filter(is_type),
        bytes,
    })
}

/// Returns the name of a part's file: its last segment, since folders are the sender's.
fn filename_of(disposition: &MediaType) -> Result<Option<String>> {
    let encoded = disposition.parameter("filename*");
    let plain = disposition.parameter("filename");
    let whole = match (encoded.and_then(extended), plain) {
        (Some(name), _) => name,
        (None, Some(plain)) => unescaped(plain),
        (None, None) if encoded.is_some() => {
            return Err(malformed("the name of a file is malformed"));
        }
        (None, None) => return Ok(None),
    };
    let last = whole.rsplit(['/', '\\']).next().unwrap_or_default();
    Ok(Some(match last {
        "." | ".." => "file".to_owned(),
        name => name.to_owned(),
    }))
}

/// Decodes a value of RFC 5987: `UTF-8''na%C3%AFve.txt`.
fn extended(text: &str) -> Option<String> {
    let (charset, rest) = text.split_once('\'')?;
    let (_language, value) = rest.split_once('\'')?;
    charset.eq_ignore_ascii_case("utf-8").then_some(())?;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let decoded = String::from_utf8(bytes).ok()?;
    (!decoded.chars().any(char::is_control)).then_some(decoded)
}

/// Undoes what browsers do to names: a quote is `%22`; line breaks stay encoded, so no
/// name can break a line later.
fn unescaped(text: &str) -> String {
    text.replace("%22", "\"")
}

/// Returns what stands before and behind the first `needle`.
fn behind<'b>(text: &'b [u8], needle: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = text
        .windows(needle.len())
        .position(|window| window == needle)?;
    Some((&text[..at], &text[at + needle.len()..]))
}

/// Tells whether a text may be a boundary (RFC 2046 5.1.1).
fn is_boundary(text: &str) -> bool {
    let signs = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    (1..=BOUNDARY_MAX_BYTES).contains(&text.len())
        && text.bytes().all(signs)
        && !text.ends_with(' ')
}

/// Tells whether a text may be the name of a header.
fn is_token(text: &str) -> bool {
    let signs = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(signs)
}

/// Makes the error of a body that ends before its last delimiter.
fn cut_off() -> Error {
    malformed("the multipart body ends before its last boundary")
}
