//! Names what somebody pasted instead of a public key.
//!
//! Everything here only ever refuses; a text that none of these functions knows falls
//! through to a general refusal. Nothing here keeps or returns a part of the text.

use super::{cut, is_blank};
use crate::domain::ssh_key::{KeyAlgorithm, KeyRefusal};

/// U+FEFF, which some editors put in front of a UTF-8 file.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// How the blob of every SSH key begins in base64: the length of its type's name, a
/// 32-bit number whose upper bytes are zero.
const BLOB_START: &str = "AAAA";

/// `openssh-key-v1` in base64: how the inside of OpenSSH's private keys begins.
const OPENSSH_PRIVATE_START: &str = "b3BlbnNzaC1rZXktdjE";

/// How an ASN.1 sequence of 256 bytes or more begins in base64: a PEM file's inside.
const DER_START: &str = "MII";

/// Words that can stand in front of a key in `authorized_keys`, from sshd(8).
const OPTIONS: [&str; 22] = [
    "agent-forwarding",
    "cert-authority",
    "command",
    "environment",
    "expiry-time",
    "from",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-touch-required",
    "no-user-rc",
    "no-x11-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "principals",
    "pty",
    "restrict",
    "tunnel",
    "user-rc",
    "verify-required",
    "x11-forwarding",
];

/// Refuses every form of private key, before anything else looks at the text.
pub(super) fn refuse_private_key(text: &str) -> Result<(), KeyRefusal> {
    if text.contains("PuTTY-User-Key-File-") || text.contains("Private-Lines:") {
        return Err(KeyRefusal::PuttyPrivateKey);
    }
    if has_private_armour(text.as_bytes()) {
        return Err(KeyRefusal::PrivateKey);
    }
    if text.contains(OPENSSH_PRIVATE_START) {
        return Err(KeyRefusal::PrivateKeyBody);
    }
    if text.contains("\"kty\"") && text.contains("\"d\"") {
        return Err(KeyRefusal::PrivateJwk);
    }
    Ok(())
}

/// Looks for `PRIVATE KEY` in an armour line: with dashes after it, as a BEGIN or END
/// line has, so that a comment may well say "my private key".
fn has_private_armour(text: &[u8]) -> bool {
    const WORD: &[u8] = b"PRIVATE";
    text.windows(WORD.len()).enumerate().any(|(at, window)| {
        window.eq_ignore_ascii_case(WORD) && ends_private_armour(&text[at + WORD.len()..])
    })
}

fn ends_private_armour(after: &[u8]) -> bool {
    // A web form writes the blank as `+` or `%20`; word processors join the dashes.
    const BLANKS: [&str; 3] = [" ", "+", "%20"];
    const ENDS: [&str; 7] = [
        "--",
        "\u{2013}",
        "\u{2014}",
        " ----",
        "+----",
        "%20----",
        " FILE FORMAT",
    ];
    let Some(after) = without_one(after, &BLANKS).and_then(|rest| without_one(rest, &["KEY"]))
    else {
        return false;
    };
    let after = without_one(after, &[" BLOCK", "+BLOCK", "%20BLOCK"]).unwrap_or(after);
    without_one(after, &ENDS).is_some()
}

/// Takes the first of `prefixes` that fits off the front, in either case of letters.
fn without_one<'a>(text: &'a [u8], prefixes: &[&str]) -> Option<&'a [u8]> {
    prefixes.iter().find_map(|prefix| {
        let (head, rest) = text.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix.as_bytes()).then_some(rest)
    })
}

/// Refuses files of other kinds by how they begin; `text` is trimmed and not empty.
pub(super) fn refuse_other_file(text: &str) -> Result<(), KeyRefusal> {
    let refusal = match text.chars().next() {
        Some('#') => KeyRefusal::CommentLine,
        Some('-') => of_armour(text),
        Some('{') => KeyRefusal::Json,
        // `[host]:port` begins a line of known_hosts.
        Some('[') if text[1..].trim_start().starts_with(['"', '{', '[', ']']) => KeyRefusal::Json,
        Some('<') => KeyRefusal::Markup,
        Some('"' | '\'' | '`' | '\u{201c}' | '\u{2018}') => KeyRefusal::Quoted,
        _ if text.starts_with(DER_START) => KeyRefusal::BareDer,
        _ => return Ok(()),
    };
    Err(refusal)
}

fn of_armour(text: &str) -> KeyRefusal {
    const KINDS: [(&str, KeyRefusal); 6] = [
        ("BEGIN SSH2 PUBLIC KEY", KeyRefusal::Rfc4716),
        ("BEGIN RSA PUBLIC KEY", KeyRefusal::PemRsaPublicKey),
        ("BEGIN PUBLIC KEY", KeyRefusal::PemPublicKey),
        ("BEGIN PGP PUBLIC KEY", KeyRefusal::Pgp),
        ("BEGIN CERTIFICATE", KeyRefusal::X509),
        ("BEGIN NEW CERTIFICATE", KeyRefusal::X509),
    ];
    let head = text.trim_start_matches('-').trim_start();
    KINDS
        .iter()
        .find(|(start, _)| head.starts_with(start))
        .map_or(KeyRefusal::OtherPem, |(_, refusal)| *refusal)
}

/// Names what is wrong with a text of several lines, none of them a file's first line.
pub(super) fn of_lines<'a>(lines: impl Iterator<Item = &'a str>) -> KeyRefusal {
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let keys = lines.iter().filter(|line| has_key(line)).count();
    if keys > 1 {
        return KeyRefusal::TwoKeys;
    }
    let (first, rest) = cut(lines.first().copied().unwrap_or_default());
    if KeyAlgorithm::NAMES.contains(&first) {
        return KeyRefusal::BrokenLine;
    }
    of_line(first, rest)
}

/// Names what is wrong with a line whose first word is no key type.
pub(super) fn of_line(first: &str, rest: &str) -> KeyRefusal {
    let lower = first.to_ascii_lowercase();
    let second = cut(rest).0;
    if first.starts_with(BLOB_START) {
        KeyRefusal::TypeMissing
    } else if is_fingerprint(first) || (is_number(first) && is_fingerprint(second)) {
        KeyRefusal::Fingerprint
    } else if is_number(first) && is_number(second) {
        KeyRefusal::Ssh1
    } else if is_link(&lower) {
        KeyRefusal::Url
    } else if is_path(first, &lower) {
        KeyRefusal::FilePath
    } else if has_key(rest) || has_certificate(rest) {
        of_prefix(first, &lower, second)
    } else if lower.contains("-cert-v0") {
        KeyRefusal::Certificate
    } else if lower.starts_with("rsa-sha2-") || lower.starts_with("webauthn-sk-") {
        KeyRefusal::SignatureAlgorithm
    } else {
        of_type(first, &lower)
    }
}

/// Names what stands in front of a key that follows later in the line.
fn of_prefix(first: &str, lower: &str, second: &str) -> KeyRefusal {
    let option = lower.split(['=', ',']).next().unwrap_or_default();
    let host_only = KeyAlgorithm::NAMES.contains(&second) && !first.ends_with(':');
    if OPTIONS.contains(&option) {
        KeyRefusal::Options
    } else if host_only || lower == "@cert-authority" || lower == "@revoked" {
        KeyRefusal::KnownHosts
    } else {
        KeyRefusal::WordsInFront
    }
}

/// Names what is wrong with a word that looks most like a misspelt key type.
fn of_type(first: &str, lower: &str) -> KeyRefusal {
    let known = |start: &str| {
        KeyAlgorithm::NAMES
            .iter()
            .find(|name| start.starts_with(*name))
    };
    if !first.is_ascii() {
        return KeyRefusal::NotAscii;
    }
    if KeyAlgorithm::NAMES.contains(&lower) {
        return KeyRefusal::TypeCase;
    }
    let Some(name) = known(&lower.replace("%40", "@")) else {
        return KeyRefusal::UnknownType;
    };
    if first.contains("%20") || first.contains(&format!("+{BLOB_START}")) {
        KeyRefusal::UrlEncoded
    } else if first[name.len().min(first.len())..].starts_with(BLOB_START) {
        KeyRefusal::BlankMissing
    } else {
        KeyRefusal::UnknownType
    }
}

/// Names why the word after the key type is not base64.
pub(super) fn of_base64(encoded: &str) -> KeyRefusal {
    let url_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
    if encoded.contains("..") || encoded.contains('\u{2026}') {
        KeyRefusal::Abbreviated
    } else if !encoded.is_ascii() {
        KeyRefusal::NotAscii
    } else if encoded.contains('%') {
        KeyRefusal::UrlEncoded
    } else if encoded.contains(['-', '_']) && encoded.chars().all(url_safe) {
        KeyRefusal::Base64Url
    } else {
        KeyRefusal::Base64Broken
    }
}

/// Tells whether a known key type and the beginning of a blob stand side by side.
pub(super) fn has_key(text: &str) -> bool {
    has_typed_blob(text, |word| KeyAlgorithm::NAMES.contains(&word))
}

fn has_certificate(text: &str) -> bool {
    has_typed_blob(text, |word| word.contains("-cert-v0"))
}

fn has_typed_blob(text: &str, is_type: impl Fn(&str) -> bool) -> bool {
    let words = || text.split(is_blank).filter(|word| !word.is_empty());
    words()
        .zip(words().skip(1))
        .any(|(name, blob)| is_type(name) && blob.starts_with(BLOB_START))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_fingerprint(word: &str) -> bool {
    let is_hex_pair = |pair: &str| pair.len() == 2 && u8::from_str_radix(pair, 16).is_ok();
    word.starts_with("SHA256:")
        || word.starts_with("MD5:")
        || (word.contains(':') && word.split(':').all(is_hex_pair))
}

fn is_link(lower: &str) -> bool {
    ["http://", "https://", "ssh://", "git@"]
        .iter()
        .any(|start| lower.starts_with(start))
}

fn is_path(first: &str, lower: &str) -> bool {
    let starts = ["/", "~", "./", "../", "file:", "$home", "%userprofile%"];
    starts.iter().any(|start| lower.starts_with(start))
        || lower.get(1..3) == Some(":\\")
        || std::path::Path::new(first)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("pub"))
}
