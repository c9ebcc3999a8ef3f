//! Bodies as others send them, turned into values: XML, forms, multipart.
//!
//! The webhook gateway reads what comes in with this, and HTTP steps what comes back
//! (`runtime.md 4.5`). All of it is pure, bounded, and takes bytes that nobody trusts.

pub mod form;
pub mod media;
pub mod multipart;
pub mod xml;

use std::borrow::Cow;

use crate::domain::{Error, Kind, Result};

/// Returns a body as text: UTF-8 unless `charset` names another one that loses nothing.
///
/// A byte order mark is dropped. Bytes that are not of the charset are refused, never
/// replaced: a message must be what was sent, or not be there.
pub fn text<'b>(bytes: &'b [u8], charset: Option<&str>) -> Result<Cow<'b, str>> {
    let named = charset.unwrap_or("utf-8").trim().to_ascii_lowercase();
    match named.as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            std::str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|fault| {
                    malformed(format!(
                        "the body is not text in UTF-8 (byte {})",
                        fault.valid_up_to()
                    ))
                })
        }
        // Each byte is the character of its number.
        "iso-8859-1" | "latin1" => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        _ => Err(malformed("the body must be text in UTF-8")),
    }
}

/// Makes the error of a body that can't be read.
fn malformed(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, message)
}
