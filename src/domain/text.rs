//! Rules for the short texts that people type: names, titles, e-mail addresses.

use super::error::{Error, Result};

/// The longest name or title, in characters: a line on a wide screen, and no way
/// to fill a database through a name.
pub const NAME_MAX_CHARS: usize = 255;

/// The longest address that SMTP can carry (RFC 5321: 64 + 1 + 255, less the path's
/// angle brackets).
pub const EMAIL_MAX_BYTES: usize = 254;

/// The longest local part of an address (RFC 5321).
const EMAIL_LOCAL_MAX_BYTES: usize = 64;

/// The longest label of a domain name (RFC 1035).
const DOMAIN_LABEL_MAX_BYTES: usize = 63;

/// Checks a name that `field` carries: trimmed of outer blanks, not empty, no
/// control characters, at most [`NAME_MAX_CHARS`].
pub fn name(field: &str, text: &str) -> Result<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    if trimmed.chars().count() > NAME_MAX_CHARS {
        return Err(Error::invalid(
            field,
            format!("must have at most {NAME_MAX_CHARS} characters"),
        ));
    }
    if trimmed.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(Error::invalid(field, "must not have control characters"));
    }
    Ok(trimmed.to_owned())
}

/// Tells whether a character changes how others read and is not seen itself: marks of
/// direction, blanks of no width, the byte order mark. The joiners of emoji are let through.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// An e-mail address that can be written on an envelope.
///
/// It keeps the spelling that was given; two addresses are the same when their
/// [`Email::key`] is (`v1.md 2.1`: unique ignoring case).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks an address: one `@`, a local part of dot-atoms, a domain of labels.
    ///
    /// Quoted local parts and address literals are refused: nobody has one, and
    /// they open doors in mail headers.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        let text = text.trim();
        let valid = text.len() <= EMAIL_MAX_BYTES
            && text
                .rsplit_once('@')
                .is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::invalid(field, "must be a valid e-mail address"))
        }
    }

    /// Wraps an address that was checked when it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form by which addresses are compared and found.
    pub fn key(&self) -> String {
        email_key(&self.0)
    }
}

/// Returns the form by which an address is found, also of one that was not checked.
pub fn email_key(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Tells whether `local` is dot-separated atoms; letters beyond ASCII are let through.
fn is_local_part(local: &str) -> bool {
    let atom = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || (!c.is_ascii() && c.is_alphanumeric())
    };
    local.len() <= EMAIL_LOCAL_MAX_BYTES
        && local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom))
}

/// Tells whether `domain` is dot-separated labels; one label will do (`root@localhost`).
fn is_domain(domain: &str) -> bool {
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= DOMAIN_LABEL_MAX_BYTES
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    domain.split('.').all(label)
}

/// Writes bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(DIGITS[usize::from(digit)]));
            }
            text
        })
}
