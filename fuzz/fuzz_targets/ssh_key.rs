//! Any text, and any key inside under any type name: no panic, and what is accepted is
//! safe to store and its own canonical form.

#![no_main]

use elastane::app::ssh_key_policy::{COMMENT_CHARS_MAX, KeyPolicy, parse_public_key};
use elastane::domain::ssh_key::KeyAlgorithm;
use libfuzzer_sys::fuzz_target;

/// Base64 without padding, so that this crate needs no library for it.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |six_bits: u32| char::from(ALPHABET[(six_bits % 64) as usize]);
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=chunk.len() {
            text.push(letter(bits >> (18 - 6 * place)));
        }
    }
    text
}

/// Puts `fields` under a type name, so that mutations reach the checks of the numbers.
fn line_around(choice: u8, fields: &[u8]) -> String {
    let name = KeyAlgorithm::NAMES[usize::from(choice) % KeyAlgorithm::NAMES.len()];
    let mut blob = (name.len() as u32).to_be_bytes().to_vec();
    blob.extend_from_slice(name.as_bytes());
    blob.extend_from_slice(fields);
    format!("{name} {} fuzz", base64(&blob))
}

fn check(text: &str) {
    let policy = KeyPolicy::default();
    let Ok(key) = parse_public_key(text, &policy) else {
        return;
    };
    assert!(!key.line.contains(char::is_control));
    assert!(key.comment.chars().count() <= COMMENT_CHARS_MAX);
    assert!(key.line.starts_with(key.algorithm.name()));
    assert_eq!(parse_public_key(&key.line, &policy), Ok(key));
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        check(text);
    }
    if let Some((choice, fields)) = data.split_first() {
        check(&line_around(*choice, fields));
    }
});
