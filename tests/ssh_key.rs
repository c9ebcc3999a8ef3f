//! SSH public keys: agreement with the real `ssh-keygen`, the canonical line, and what
//! is refused (`refusals`).

mod refusals;
mod wire;

use std::process::Command;
use std::sync::OnceLock;

use elastane::app::ssh_key_policy::{KeyPolicy, RSA_BITS_MAX, parse_public_key};
use elastane::domain::ssh_key::{KeyAlgorithm, KeyRefusal, PublicKey};

use wire::Blob;

/// A DSA key of its own, since current versions of `ssh-keygen` no longer make any.
const DSA: &str = concat!(
    "ssh-dss AAAAB3NzaC1kc3MAAACBAMUk0f/lu2MGcdSl7vFmmMUI9lqxFgqpj4nkkCGhZ2rovUnfSVG0Sev093M188sc",
    "rbLYZpfdN3rk8H0xvrkH39apx8KfJHmPQuwRfbAcwQMDtLagxqtfIjHBFxqH5+eVanR1s1W6JZZ50dIbpx5spB1oes31",
    "X8ZZ1O9HBBObfOnTAAAAFQDuJXKIryDqd4ymyMeFE9xY4p8wRQAAAIEAwRWUbt6JPDNdoE3s947VvEw0U3wBewZFxAPa",
    "+CZc3M1uRdhafB5j+b5gZwoaSsjTdHH2xQLW9joLMxygbAlf2dCAxI1QcC99uNykfkqv3s0Z/W86hoUOBs2kZeHUcdwM",
    "gc1zWRTwHI/rXjGt8W4D5+psttT9JA7AzmHBsEKzjp8AAACBAJqsfi8yu+GfzNP5Rv9gaXJuPUzRFfF35fGq+eMe49RT",
    "v9N7sfHPsGq/NNdVV/Ggnn7Yz0fgF+gATa03fH26Yftx5dULpbP7BZQUwpoG/9qTgW/9JmGk6kYy3xJ8b1Nbo0XQu7G6",
    "/etn04VTzHyYA9gD4ucHq/+XgA5XI12Ahc1d old laptop",
);

/// A DSA key longer than `ssh-keygen` ever made, by OpenSSL.
const LONG_DSA: &str = concat!(
    "ssh-dss AAAAB3NzaC1kc3MAAAEBAOaz7mBgOu5xJ9ApRYV3MVcPtK2BTBzdv3gHXZ/yB9AKstS/lE6r0F9TuMdMEhq4",
    "mEKM0D4xAfG/lriMeYcaCY72aK/u29pMBol2ADfB4rJE9BzTWW7dQsWoGuVLHvekwPu16RTEWcoQsr5mlZ+aEoauDdFJ",
    "JQasRTohfQQdU/BpJVgw3kONdJVT23gezy8FAf8ys92twNnEeJvUCZT5Ml0c2H5RGkA9qgst8HmayG/mTcreqkAlN+ej",
    "II1TmvhJUxQy13Wp1S5LDE+hdUxP1lbSCAZOjRzkNaK5seoO/2VnJMWvvAmSj7oILAcxKBg66EXOEXJHl8E4BFotuvyw",
    "klMAAAAVAOY2pCnpYS09FMs1PghoCkUdVibjAAABAQCNNYIrlr7R9h9GItkGi9csBuidWnsWycPxMi3uxKQRg/mBAQc0",
    "9OO3lECVaH6sYa0PmajtU5pKYu/9riXyQYNrjQNgvfSvpGObcij9XXUT7LXPmODHcE2RmVKNZUxA5R+8vToDog/ad/kx",
    "ejLhNHFqj1vAEJ9gZuJCN9cezfHmKhOjFnTQtyxhGUKLhow0o+ClJl4bD2LOYSh3LrGRM8u9/IJHScbEsX8sIzbgidw/",
    "l8dOd1purCGD2wQxI0BNh2DbZgx2YBueR0Oqan4z3qEv/3hWtuwYEj8gRRjt9mZOapSeZ/O8egwYJxW8nK+BIijnkEKT",
    "fJcl/PLYcvvvt64DAAABAQCQ3NLXM8VtBWQFaI1+98KivtpkXSCy3meK+lY3/ddCzvecZ2FDVKBiTC4jFvUdCY1yPaMA",
    "/QmhzGiBxCsylG2raFBCNVADUYlDFSUGFux76B9GzRYpeC/J0NjcLHmvlc1eA61mo8Y7TgVSwaVXs1zzquVQ9gt+gSKP",
    "DwweU5cY5gXXmr2P/xVIcwmopWtrPy1VAhY0xSfkYFBrwXtdw++XdDepE57VFUaYfP8FzNHvGSBcXXzV1lDaVA+KG2sU",
    "08Fq4oNk0w5WTvlltD/eNnBeF4jcax8HYzIfRj8hthmVbhP4U4a8ryQMiYIlL33nYhUoZbYFM4TBnsfh46eoK4qF",
);

fn parse(text: &str) -> Result<PublicKey, KeyRefusal> {
    parse_public_key(text, &KeyPolicy::default())
}

fn ssh_keygen(arguments: &[&str]) -> String {
    let output = Command::new("ssh-keygen")
        .args(arguments)
        .output()
        .expect("ssh-keygen runs (package openssh-client)");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("ssh-keygen prints UTF-8")
}

/// Makes a pair with the real tool and returns the public line.
fn generated(kind: &str, bits: &str, comment: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory for one key");
    let file = directory.path().join("key");
    let file = file.to_str().expect("a plain path");
    let arguments = [
        "-q", "-t", kind, "-b", bits, "-N", "", "-C", comment, "-f", file,
    ];
    ssh_keygen(&arguments);
    std::fs::read_to_string(format!("{file}.pub")).expect("the tool wrote a .pub file")
}

/// Asks the real tool for size and fingerprint: the first two words of its answer.
fn listed(line: &str, hash: &str) -> (u32, String) {
    let directory = tempfile::tempdir().expect("a directory for one key");
    let file = directory.path().join("key.pub");
    std::fs::write(&file, format!("{line}\n")).expect("a file of one line");
    let answer = ssh_keygen(&["-E", hash, "-lf", file.to_str().expect("a plain path")]);
    let mut words = answer.split(' ');
    let bits = words.next().and_then(|word| word.parse().ok());
    let bits = bits.expect("the answer starts with a number of bits");
    let fingerprint = words.next().expect("a fingerprint comes second");
    (bits, fingerprint.to_owned())
}

/// Parses `text` and checks everything that the real tool can say about it.
fn agreed(text: &str) -> PublicKey {
    let key = parse(text).expect("a key of the real tool is accepted");
    let (bits, sha256) = listed(&key.line, "sha256");
    assert_eq!(key.fingerprint, sha256);
    assert_eq!(key.algorithm.bits(), bits);
    let (_, md5) = listed(&key.line, "md5");
    assert_eq!(format!("MD5:{}", key.fingerprint_md5), md5);
    assert_eq!(
        parse(&key.line),
        Ok(key.clone()),
        "a line is its own canonical form"
    );
    key
}

/// One key of each kind that most tests share: making them is the slow part.
struct Samples {
    ed25519: String,
    rsa: String,
    p256: String,
    p384: String,
    p521: String,
}

fn samples() -> &'static Samples {
    static SAMPLES: OnceLock<Samples> = OnceLock::new();
    let line = |kind, bits| {
        generated(kind, bits, "jane@example.org")
            .trim_end()
            .to_owned()
    };
    SAMPLES.get_or_init(|| Samples {
        ed25519: line("ed25519", "256"),
        rsa: line("rsa", "2048"),
        p256: line("ecdsa", "256"),
        p384: line("ecdsa", "384"),
        p521: line("ecdsa", "521"),
    })
}

fn every_sample() -> [&'static str; 6] {
    let of = samples();
    [&of.ed25519, &of.rsa, &of.p256, &of.p384, &of.p521, DSA]
}

#[test]
fn keys_of_every_kind_have_the_fingerprints_that_ssh_keygen_prints() {
    let kinds = [
        ("rsa", "2048", KeyAlgorithm::Rsa { bits: 2048 }),
        ("rsa", "3072", KeyAlgorithm::Rsa { bits: 3072 }),
        ("rsa", "4096", KeyAlgorithm::Rsa { bits: 4096 }),
        ("ecdsa", "256", KeyAlgorithm::EcdsaP256),
        ("ecdsa", "384", KeyAlgorithm::EcdsaP384),
        ("ecdsa", "521", KeyAlgorithm::EcdsaP521),
        ("ed25519", "256", KeyAlgorithm::Ed25519),
    ];
    for (kind, bits, algorithm) in kinds {
        let text = generated(kind, bits, "jane@example.org on a laptop");
        let key = agreed(&text);
        assert_eq!(key.algorithm, algorithm);
        assert_eq!(
            key.line,
            text.trim_end(),
            "the tool's own line is canonical"
        );
        assert_eq!(key.comment, "jane@example.org on a laptop");
        assert!(!key.algorithm.is_weak(), "{kind} {bits}");
    }
}

#[test]
fn a_dsa_key_is_accepted_and_weak() {
    // What OpenSSH 9.2 printed for them.
    let printed = [
        (
            DSA,
            1024,
            "SHA256:so6yWN5dAnyHm88AwmpuUVUNxO0gS7uhsJI+FAE0SKI",
            "6f:cb:8e:15:4e:08:43:15:ba:43:24:46:6e:a8:f4:92",
        ),
        (
            LONG_DSA,
            2048,
            "SHA256:4rmC+ZJAosDeAz5iCI60K58mcub0BnDeTY1ndH88bx4",
            "5e:25:0b:a3:dd:bd:7e:49:ca:50:39:74:5d:42:27:6d",
        ),
    ];
    for (line, bits, sha256, md5) in printed {
        let key = parse(line).unwrap();
        assert_eq!(key.algorithm, KeyAlgorithm::Dsa { bits });
        assert!(key.algorithm.is_weak());
        assert_eq!(key.line, line);
        assert_eq!(key.fingerprint, sha256);
        assert_eq!(key.fingerprint_md5, md5);
    }
}

#[test]
fn security_keys_have_the_fingerprints_that_ssh_keygen_prints() {
    let ed25519 = Blob::of_line(&samples().ed25519);
    let ed25519 = Blob::named("sk-ssh-ed25519@openssh.com")
        .string(ed25519.field(1))
        .string(b"ssh:");
    let key = agreed(&ed25519.line());
    assert_eq!(key.algorithm, KeyAlgorithm::SkEd25519);

    let p256 = Blob::of_line(&samples().p256);
    let p256 = Blob::named("sk-ecdsa-sha2-nistp256@openssh.com")
        .string(b"nistp256")
        .string(p256.field(2))
        .string(b"ssh:work");
    let key = agreed(&p256.line());
    assert_eq!(key.algorithm, KeyAlgorithm::SkEcdsaP256);
}

#[test]
fn the_longest_rsa_key_fits_and_one_bit_more_does_not() {
    for bits in [2048, 8192, RSA_BITS_MAX] {
        let key = agreed(&wire::rsa_of(bits).line());
        assert_eq!(key.algorithm, KeyAlgorithm::Rsa { bits });
    }
    let refused = parse(&wire::rsa_of(RSA_BITS_MAX + 1).line());
    let (bits, max_bits) = (RSA_BITS_MAX + 1, RSA_BITS_MAX);
    assert_eq!(refused, Err(KeyRefusal::RsaTooLong { bits, max_bits }));
}

#[test]
fn an_installation_may_ask_for_longer_rsa_keys_but_not_for_shorter_ones() {
    let strict = KeyPolicy { min_rsa_bits: 3072 };
    let (bits, min_bits) = (2048, 3072);
    let refused = parse_public_key(&samples().rsa, &strict);
    assert_eq!(refused, Err(KeyRefusal::RsaTooShort { bits, min_bits }));

    let lax = KeyPolicy { min_rsa_bits: 1024 };
    let (bits, min_bits) = (2047, 2048);
    let refused = parse_public_key(&wire::rsa_of(bits).line(), &lax);
    assert_eq!(refused, Err(KeyRefusal::RsaTooShort { bits, min_bits }));
}

#[test]
fn blanks_and_line_ends_around_the_parts_do_not_matter() {
    for line in every_sample() {
        let plain = parse(line).unwrap();
        let parts: Vec<&str> = line.splitn(3, ' ').collect();
        let (name, base64, comment) = (parts[0], parts[1], parts[2]);
        for text in [
            format!("  {line}\r\n"),
            format!("\n\n\t{line}\n\n"),
            format!("{name}  \t {base64}\t\t{comment} "),
            format!("{name}\u{a0}{base64} {comment}\u{a0}"),
            format!("{name} {} {comment}", base64.trim_end_matches('=')),
        ] {
            assert_eq!(parse(&text).as_ref(), Ok(&plain), "{text:?}");
        }
    }
}

#[test]
fn base64_with_stray_bits_is_printed_anew() {
    // 51 bytes need no padding; a security key's application of 4 leaves one byte over.
    let blob = Blob::named("sk-ssh-ed25519@openssh.com")
        .string(Blob::of_line(&samples().ed25519).field(1))
        .string(b"ssh:");
    let line = blob.line();
    assert!(line.ends_with('='), "this blob leaves bits over: {line}");
    let clean = line.trim_end_matches('=');
    let (start, last) = clean.split_at(clean.len() - 1);
    let last = last.bytes().next().unwrap();
    let stray = char::from(wire::next_in_alphabet(last));
    let text = format!("{start}{stray}{}", &line[clean.len()..]);
    assert_ne!(text, line);
    assert_eq!(parse(&text).unwrap().line, line);
}

#[test]
fn comments_keep_their_words_and_lose_their_tabs() {
    let bare = Blob::of_line(&samples().ed25519).line();
    let longest = "é".repeat(255);
    for (sent, kept) in [
        ("", ""),
        ("jane", "jane"),
        ("jane  doe", "jane  doe"),
        ("jane\tdoe", "jane doe"),
        ("Jürgen’s ключ 鍵 🔑", "Jürgen’s ключ 鍵 🔑"),
        ("my private key", "my private key"),
        ("the ssh-rsa one", "the ssh-rsa one"),
        ("#1 \"quoted\" <b>", "#1 \"quoted\" <b>"),
        (&longest, &longest),
    ] {
        let key = parse(&format!("{bare} {sent}")).unwrap();
        assert_eq!(key.comment, kept);
        let line = format!("{bare} {kept}");
        assert_eq!(key.line, line.trim_end());
        assert_eq!(parse(&key.line), Ok(key));
    }
}

#[test]
fn the_comment_does_not_change_the_identity() {
    let bare = Blob::of_line(&samples().rsa).line();
    let (one, other) = (
        parse(&bare).unwrap(),
        parse(&format!("{bare} other")).unwrap(),
    );
    assert_eq!(one.blob_sha256, other.blob_sha256);
    assert_eq!(one.fingerprint, other.fingerprint);
    assert_ne!(
        one.blob_sha256,
        parse(&samples().ed25519).unwrap().blob_sha256
    );
}

#[test]
fn every_type_name_is_listed_and_shown() {
    let sk = |name| Blob::named(name);
    let point = Blob::of_line(&samples().p256);
    let sk_ecdsa = sk("sk-ecdsa-sha2-nistp256@openssh.com").string(b"nistp256");
    let sk_ecdsa = sk_ecdsa.string(point.field(2)).string(b"ssh:").line();
    let point = Blob::of_line(&samples().ed25519);
    let sk_ed25519 = sk("sk-ssh-ed25519@openssh.com").string(point.field(1));
    let sk_ed25519 = sk_ed25519.string(b"ssh:").line();
    let lines = every_sample().into_iter().chain([&*sk_ecdsa, &*sk_ed25519]);
    let kinds: Vec<KeyAlgorithm> = lines.map(|line| parse(line).unwrap().algorithm).collect();
    for kind in &kinds {
        assert_eq!(KeyAlgorithm::of_name(kind.name(), kind.bits()), Some(*kind));
    }
    assert_eq!(KeyAlgorithm::of_name("ssh-ed448", 448), None);
    let mut names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    let mut listed = KeyAlgorithm::NAMES.to_vec();
    names.sort();
    listed.sort_unstable();
    assert_eq!(names, listed);
}

#[test]
fn a_damaged_key_is_refused_or_stays_its_own_canonical_form() {
    for line in every_sample() {
        let whole = Blob::of_line(line);
        let original = parse(line).unwrap();
        for at in 0..whole.bytes().len() {
            let mut bytes = whole.bytes().to_vec();
            bytes[at] ^= 1 << (at % 8);
            let Ok(key) = parse(&whole.with_bytes(bytes).line()) else {
                continue;
            };
            assert_ne!(key.blob_sha256, original.blob_sha256);
            assert_eq!(parse(&key.line), Ok(key));
        }
        for length in 0..whole.bytes().len() {
            let cut = whole.with_bytes(whole.bytes()[..length].to_vec());
            assert!(parse(&cut.line()).is_err(), "{length} bytes of {line}");
        }
    }
}
