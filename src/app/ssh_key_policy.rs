//! The policy for SSH public keys: from a hostile text to a key that is safe to store.
//!
//! `ssh-key` parses, and accepts too much: keys of 8 bits, points off their curve,
//! line breaks inside the comment (reliability.md 4). So this room takes the line
//! apart, checks the key's numbers, and prints the key anew. What people paste by
//! mistake gets a refusal that names the mistake; no refusal repeats the text.

mod material;
mod mistake;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::{Digest, Md5};

use crate::domain::ssh_key::{KeyAlgorithm, KeyRefusal, PublicKey};

/// Longest text that is looked at, in bytes: an RSA key of [`RSA_BITS_MAX`] with the
/// longest comment needs 4 KiB; the rest is room for blanks.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Longest comment, in characters: it becomes the title of a key, which lists show.
pub const COMMENT_CHARS_MAX: usize = 255;

/// Shortest RSA modulus, in bits: NIST has disallowed less since 2014, and the other
/// git hosts refuse it too.
pub const RSA_BITS_MIN: u32 = 2048;

/// Longest RSA modulus, in bits: OpenSSH refuses more, and checking costs the cube.
pub const RSA_BITS_MAX: u32 = 16_384;

/// Base64 as people send it: padding may be missing and unused bits may be set. The
/// key is printed anew, so neither survives.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What an installation may choose about the keys that it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// Shortest RSA modulus in bits; a value under [`RSA_BITS_MIN`] counts as that.
    pub min_rsa_bits: u32,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            min_rsa_bits: RSA_BITS_MIN,
        }
    }
}

/// Reads one public key in OpenSSH's one-line form and checks it against `policy`.
///
/// Blanks around and between the parts may be any number, tabs in the comment become
/// blanks, and the base64 may lack its padding; everything else is refused with the
/// mistake's name. Parsing the returned line gives the same key again.
pub fn parse_public_key(text: &str, policy: &KeyPolicy) -> Result<PublicKey, KeyRefusal> {
    mistake::refuse_private_key(text)?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(KeyRefusal::TooLong {
            max_bytes: TEXT_BYTES_MAX,
        });
    }
    let line = single_line(text)?;
    let (name, rest) = cut(line);
    let (encoded, comment) = cut(rest);
    if !KeyAlgorithm::NAMES.contains(&name) {
        return Err(mistake::of_line(name, rest));
    }
    if encoded.is_empty() {
        return Err(KeyRefusal::BlobMissing);
    }
    let comment = accepted_comment(comment)?;
    let blob = decoded(encoded)?;
    let (algorithm, key) = material::examine(name, &blob, *policy)?;
    Ok(assembled(algorithm, &key, &blob, comment))
}

/// Finds the only line of `text`, without blanks at its ends or hidden characters.
fn single_line(text: &str) -> Result<&str, KeyRefusal> {
    if text.starts_with(mistake::BYTE_ORDER_MARK) {
        return Err(KeyRefusal::ByteOrderMark);
    }
    let text = text.trim_matches(|c| is_blank(c) || is_line_end(c));
    if text.is_empty() {
        return Err(KeyRefusal::Empty);
    }
    mistake::refuse_other_file(text)?;
    if text.contains(is_line_end) {
        return Err(mistake::of_lines(text.split(is_line_end).map(trimmed)));
    }
    if text.contains(|c| is_hidden(c) && c != '\t') {
        return Err(KeyRefusal::HiddenCharacter);
    }
    Ok(text)
}

fn accepted_comment(comment: &str) -> Result<String, KeyRefusal> {
    if mistake::has_key(comment) {
        return Err(KeyRefusal::TwoKeys);
    }
    if comment.chars().count() > COMMENT_CHARS_MAX {
        return Err(KeyRefusal::CommentTooLong {
            max_chars: COMMENT_CHARS_MAX,
        });
    }
    Ok(comment.replace('\t', " "))
}

fn decoded(encoded: &str) -> Result<Vec<u8>, KeyRefusal> {
    LENIENT
        .decode(encoded)
        .map_err(|_| mistake::of_base64(encoded))
}

fn assembled(
    algorithm: KeyAlgorithm,
    key: &ssh_key::PublicKey,
    blob: &[u8],
    comment: String,
) -> PublicKey {
    let sha256 = key.fingerprint(ssh_key::HashAlg::Sha256);
    let blob_sha256 = sha256
        .sha256()
        .expect("a fingerprint made with SHA-256 holds SHA-256");
    let mut line = format!("{algorithm} {}", STANDARD.encode(blob));
    if !comment.is_empty() {
        line.push(' ');
        line.push_str(&comment);
    }
    let md5: Vec<String> = Md5::digest(blob)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    PublicKey {
        algorithm,
        line,
        comment,
        blob_sha256,
        fingerprint: sha256.to_string(),
        fingerprint_md5: md5.join(":"),
    }
}

/// Splits off the first word: it, and the rest without blanks in front.
fn cut(text: &str) -> (&str, &str) {
    match text.find(is_blank) {
        Some(end) => (&text[..end], text[end..].trim_start_matches(is_blank)),
        None => (text, ""),
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// Blanks, the no-break blank of web pages among them, but no line separators.
fn is_blank(c: char) -> bool {
    c == '\t' || (c.is_whitespace() && !is_hidden(c))
}

fn is_line_end(c: char) -> bool {
    c == '\n' || c == '\r'
}

/// Characters that a terminal or an editor obeys instead of showing: controls, line
/// and paragraph separators, marks that reorder text, and marks without any width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | mistake::BYTE_ORDER_MARK
        )
}
