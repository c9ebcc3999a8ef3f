//! What is refused, each mistake with its message.

mod blobs;
mod texts;

use std::collections::HashSet;

use elastane::domain::ssh_key::KeyRefusal::{self, *};

use super::wire::Blob;
use super::{parse, samples};

/// Every refusal with its whole message.
const MESSAGES: &[(KeyRefusal, &str)] = &[
    (
        Empty,
        "is empty: paste the one line of a .pub file, such as ~/.ssh/id_ed25519.pub",
    ),
    (
        TooLong { max_bytes: 16_384 },
        "is longer than 16384 bytes: paste the one line of a single .pub file",
    ),
    (
        PrivateKey,
        "is a private key, which must never leave its machine: treat it as leaked, remove its \
        public key wherever it is trusted, make a new pair with `ssh-keygen -t ed25519`, and \
        paste the new .pub file",
    ),
    (
        PrivateKeyBody,
        "is the inside of a private key file, which must never leave its machine: treat it as \
        leaked, make a new pair with `ssh-keygen -t ed25519`, and paste the new .pub file",
    ),
    (
        PuttyPrivateKey,
        "is a PuTTY .ppk file, which holds the private key: treat it as leaked, make a new \
        pair with PuTTYgen, and paste the text of its box \"Public key for pasting\"",
    ),
    (
        PrivateJwk,
        "is a JSON Web Key with its private part: treat it as leaked, make a new pair with \
        `ssh-keygen -t ed25519`, and paste the new .pub file",
    ),
    (
        BareDer,
        "is base64 of a PEM file without its BEGIN line: if that file is a private key, treat \
        it as leaked; if it is a public one, convert the file with `ssh-keygen -i -m PKCS8 \
        -f FILE`",
    ),
    (
        Rfc4716,
        "is in the SSH2 form of RFC 4716, as PuTTYgen saves it: convert it with `ssh-keygen \
        -i -f FILE`, and paste the line that this prints",
    ),
    (
        PemPublicKey,
        "is a PEM public key: convert it with `ssh-keygen -i -m PKCS8 -f FILE`, and paste the \
        line that this prints",
    ),
    (
        PemRsaPublicKey,
        "is a PEM RSA public key: convert it with `ssh-keygen -i -m PEM -f FILE`, and paste \
        the line that this prints",
    ),
    (
        X509,
        "is an X.509 certificate, as web servers use it: an SSH key is needed, made with \
        `ssh-keygen -t ed25519`",
    ),
    (
        Pgp,
        "is a PGP key: print its authentication subkey with `gpg --export-ssh-key KEY-ID`, \
        and paste that line",
    ),
    (
        OtherPem,
        "is a PEM file without a public key in it: paste the one line of a .pub file",
    ),
    (
        Certificate,
        "is an OpenSSH certificate, a key signed by an authority: paste the plain key, the \
        .pub file without `-cert` in its name",
    ),
    (
        KnownHosts,
        "is a line of known_hosts, which names a server's key: paste your own key, the one \
        line of a .pub file",
    ),
    (
        Options,
        "has options in front, as in authorized_keys, which have no effect here: leave them \
        out and start with the key type",
    ),
    (
        WordsInFront,
        "has words in front of the key type: leave them out and start with the key type",
    ),
    (
        CommentLine,
        "starts with `#`, which marks a comment: paste only the line of the key",
    ),
    (
        Ssh1,
        "is a key of SSH protocol 1, which is out of use: make a new pair with `ssh-keygen -t \
        ed25519`",
    ),
    (Json, "is JSON: send only the key's line, as one string"),
    (
        Markup,
        "is XML or HTML: paste the one line of a .pub file, as plain text",
    ),
    (
        Quoted,
        "starts with a quotation mark: paste the key without marks around it",
    ),
    (
        Fingerprint,
        "is a fingerprint, from which no key can be made: paste the one line of the .pub file \
        itself",
    ),
    (
        FilePath,
        "is the name of a file: paste its content, as `cat FILE` prints it",
    ),
    (Url, "is a link: open it, and paste the one line of the key"),
    (
        ByteOrderMark,
        "starts with a byte order mark: save the file as UTF-8 without one, or leave it out",
    ),
    (
        HiddenCharacter,
        "has a control character or an invisible one, which the text form of a key cannot \
        have: copy the line again from the .pub file",
    ),
    (TwoKeys, "has more than one key: add each key on its own"),
    (
        BrokenLine,
        "is broken over several lines: join them to one line, without blanks inside the \
        base64 part",
    ),
    (
        NotAscii,
        "has a character outside ASCII before the comment, such as a long dash from a word \
        processor: copy the line again from the .pub file",
    ),
    (
        UrlEncoded,
        "is URL-encoded: send it as plain text inside JSON, with its blanks and signs",
    ),
    (
        TypeMissing,
        "has no key type in front: put it there, for example `ssh-ed25519`, or copy the whole \
        line from the .pub file",
    ),
    (
        TypeCase,
        "has its key type in capital letters: write it in small letters, such as `ssh-rsa`",
    ),
    (
        BlankMissing,
        "has no blank between the key type and the base64 part: put one there",
    ),
    (
        SignatureAlgorithm,
        "starts with the name of a signature algorithm instead of a key type: an RSA key \
        starts with `ssh-rsa`, a security key's with `sk-`",
    ),
    (
        UnknownType,
        "does not start with a known key type: use ssh-ed25519, ecdsa-sha2-nistp256, \
        -nistp384 or -nistp521, ssh-rsa, ssh-dss, or their sk- forms for security keys",
    ),
    (
        CommentTooLong { max_chars: 255 },
        "has a comment longer than 255 characters: shorten what follows the key",
    ),
    (
        BlobMissing,
        "ends after the key type: the base64 part is missing, copy the whole line",
    ),
    (
        Abbreviated,
        "is shortened with dots: copy the whole line from the .pub file",
    ),
    (
        Base64Url,
        "is in base64url, with `-` and `_`: SSH writes `+` and `/`",
    ),
    (
        Base64Broken,
        "has broken base64 after the key type: copy the whole line from the .pub file",
    ),
    (
        BlobForeign,
        "has something else than an SSH key after the key type, since a key begins with \
        `AAAA`: copy the whole line from the .pub file",
    ),
    (
        Truncated,
        "is cut short: copy the whole line, in which the base64 part has no blank and no line \
        break",
    ),
    (
        TrailingBytes,
        "has extra bytes after the key in its base64 part: copy the line again",
    ),
    (
        TypeMismatch,
        "says one key type in front and another inside its base64 part: copy the whole line \
        from one .pub file",
    ),
    (
        CurveMismatch,
        "says one curve in its type and another inside: make a new pair with `ssh-keygen`",
    ),
    (
        Malformed,
        "is damaged inside its base64 part: copy the whole line from the .pub file",
    ),
    (
        NotPositive,
        "has a number in it that is not positive: it is no real key, make a new pair",
    ),
    (
        NotShortest,
        "has a number in it that is not in its shortest form: export the key again",
    ),
    (
        RsaTooShort {
            bits: 0,
            min_bits: 2048,
        },
        "is an RSA key of {bits} bits, and at least 2048 are needed: make a new pair with \
        `ssh-keygen -t ed25519`",
    ),
    (
        RsaTooLong {
            bits: 0,
            max_bits: 16_384,
        },
        "is an RSA key of {bits} bits, and at most 16384 are accepted: make a shorter one",
    ),
    (
        RsaWeakModulus,
        "is an RSA key with a modulus that is easy to factor: it is damaged, or it is no real \
        key; make a new pair",
    ),
    (
        RsaExponent,
        "is an RSA key with a wrong exponent, which must be odd and at least 3: make a new \
        pair",
    ),
    (
        RsaExponentTooLong { max_bits: 64 },
        "is an RSA key with an exponent over 64 bits: make a new pair",
    ),
    (
        DsaSize,
        "is a DSA key of unusual size: make a new pair with `ssh-keygen -t ed25519`, since \
        DSA is out of use",
    ),
    (
        DsaNumbers,
        "is a DSA key with numbers that do not fit together: make a new pair with `ssh-keygen \
        -t ed25519`",
    ),
    (
        PointCompressed,
        "has a compressed curve point, and SSH uses the full form: export the key again",
    ),
    (
        PointOffCurve,
        "has a point that is not on its curve: it is no real key, make a new pair",
    ),
    (
        Ed25519Length,
        "is an Ed25519 key of a wrong length, which must be 32 bytes: copy the line again",
    ),
    (
        Ed25519OffCurve,
        "is an Ed25519 key that is no point of its curve: copy the line again",
    ),
    (
        Ed25519Weak,
        "is an Ed25519 key for which anybody could sign: it is no real key, make a new pair",
    ),
    (
        SkApplication,
        "is a security key with a broken application name: make it again with `ssh-keygen -t \
        ed25519-sk`",
    ),
];

/// Fills in the placeholders of a text.
fn filled(text: &str) -> String {
    let line = &samples().ed25519;
    let (name, rest) = line.split_once(' ').expect("a sample has three parts");
    let (base64, _) = rest.split_once(' ').expect("a sample has three parts");
    text.replace("{line}", line)
        .replace("{name}", name)
        .replace("{base64}", base64)
        .replace("{other}", &samples().p256)
        .replace("{PRIV}", "PRIVATE")
}

fn over_a_limit() -> Vec<(String, KeyRefusal)> {
    let line = &samples().ed25519;
    let bare = Blob::of_line(line).line();
    let max_bytes = 16 * 1024;
    let max_chars = 255;
    let padding = " ".repeat(max_bytes + 1 - line.len());
    vec![
        (format!("{line}{padding}"), TooLong { max_bytes }),
        ("A".repeat(1024 * 1024), TooLong { max_bytes }),
        (
            format!("{}{bare}", " ".repeat(max_bytes)),
            TooLong { max_bytes },
        ),
        (
            format!("{bare} {}", "é".repeat(256)),
            CommentTooLong { max_chars },
        ),
        (
            format!("{bare} {}", "a ".repeat(128) + "a"),
            CommentTooLong { max_chars },
        ),
    ]
}

fn every_case() -> Vec<(String, KeyRefusal)> {
    let texts = texts::TEXTS
        .iter()
        .map(|(text, refusal)| (filled(text), *refusal));
    let blobs = blobs::every_broken_blob().into_iter();
    texts
        .chain(over_a_limit())
        .chain(blobs.map(|(blob, refusal)| (format!("{} jane", blob.line()), refusal)))
        .collect()
}

/// The pinned message; the numbers of a refusal are part of it.
fn pinned(refusal: KeyRefusal) -> String {
    let same_kind =
        |other: &KeyRefusal| std::mem::discriminant(other) == std::mem::discriminant(&refusal);
    let (_, message) = MESSAGES
        .iter()
        .find(|(other, _)| same_kind(other))
        .unwrap_or_else(|| panic!("{refusal:?} has no pinned message"));
    match refusal {
        RsaTooShort { bits, .. } | RsaTooLong { bits, .. } => {
            message.replace("{bits}", &bits.to_string())
        }
        _ => (*message).to_owned(),
    }
}

#[test]
fn every_mistake_is_refused_with_its_own_message() {
    let cases = every_case();
    assert!(cases.len() >= 200, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (text, refusal) in cases {
        let answer = parse(&text).map(|key| key.line);
        let shown: String = text.chars().take(100).collect();
        if answer != Err(refusal) {
            wrong.push(format!("{shown:?}: {answer:?} instead of {refusal:?}"));
        } else if refusal.to_string() != pinned(refusal) {
            wrong.push(format!("{refusal:?} says: {refusal}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_refusal_is_met_and_no_two_share_a_message() {
    let met: HashSet<_> = every_case()
        .iter()
        .map(|(_, refusal)| std::mem::discriminant(refusal))
        .collect();
    for (refusal, _) in MESSAGES {
        let kind = std::mem::discriminant(refusal);
        assert!(met.contains(&kind), "no case meets {refusal:?}");
    }
    let messages: HashSet<_> = MESSAGES.iter().map(|(_, message)| message).collect();
    assert_eq!(messages.len(), MESSAGES.len());
    assert_eq!(met.len(), MESSAGES.len());
}

#[test]
fn no_refusal_repeats_a_word_of_the_text() {
    for (text, _) in every_case() {
        let Err(refusal) = parse(&text) else { continue };
        let said = format!("{refusal} {refusal:?}");
        let words = text.split(|c: char| c.is_whitespace() || "\"'=,<>".contains(c));
        // Shorter words are the language's own and names of types.
        for word in words.filter(|word| word.len() > 12 && !said_anyway(word)) {
            assert!(!said.contains(word), "{said}");
        }
    }
}

/// Words that messages give as examples.
fn said_anyway(word: &str) -> bool {
    [
        "ecdsa-sha2-nistp256",
        "~/.ssh/id_ed25519.pub",
        "id_ed25519.pub",
    ]
    .contains(&word)
}

#[test]
fn only_what_may_hold_a_private_key_counts_as_a_leak() {
    for (text, _) in every_case() {
        let Err(refusal) = parse(&text) else {
            continue;
        };
        let secret = matches!(
            refusal,
            PrivateKey | PrivateKeyBody | PuttyPrivateKey | PrivateJwk | BareDer
        );
        assert_eq!(refusal.is_leak(), secret, "{refusal:?}");
    }
}
