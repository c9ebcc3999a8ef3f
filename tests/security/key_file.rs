//! The key file: made once, read with care, silent about what it holds.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use elastane::app::key_file::{KeyRing, create_key_file, key_file_beside, read_key_file};
use elastane::app::random::Random;
use elastane::app::vault::{Place, Vault};
use elastane::domain::error::Kind;
use tempfile::TempDir;

const KEY_1: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const KEY_2: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn place_for_a_key() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = key_file_beside(&directory.path().join("elastane.db"));
    (directory, path)
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_key_file_is_its_owners_alone_and_reads_back() {
    let (_directory, path) = place_for_a_key();
    assert_eq!(path.file_name().unwrap(), "elastane.key");
    let made = create_key_file(&path, &Random::system()).unwrap();
    let permissions = fs::metadata(&path).unwrap().permissions();
    assert_eq!(permissions.mode() & 0o7777, 0o600);
    let again = read_key_file(&path).unwrap();
    assert_eq!(*made.to_text(), *again.to_text());
}

#[test]
fn a_key_file_that_is_there_is_left_as_it_is() {
    let (_directory, path) = place_for_a_key();
    write(&path, "precious", 0o600);
    let error = create_key_file(&path, &Random::system()).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_key_file_in_a_missing_directory_says_what_to_check() {
    let (_directory, path) = place_for_a_key();
    let path = path.with_file_name("nowhere").join("elastane.key");
    let error = create_key_file(&path, &Random::system()).unwrap_err();
    assert!(error.message().contains("check the directory"), "{error}");
}

#[test]
fn a_key_file_that_others_may_read_is_refused_with_the_command_that_mends_it() {
    let (_directory, path) = place_for_a_key();
    create_key_file(&path, &Random::system()).unwrap();
    for mode in [0o640, 0o604, 0o644, 0o660, 0o610] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = read_key_file(&path).unwrap_err();
        let command = format!("chmod 600 {}", path.display());
        assert!(error.message().contains(&command), "{mode:o}: {error}");
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        read_key_file(&path).unwrap();
    }
}

#[test]
fn a_missing_key_file_and_what_is_no_file_say_so() {
    let (directory, path) = place_for_a_key();
    assert!(
        read_key_file(&path)
            .unwrap_err()
            .message()
            .contains("is missing")
    );
    assert!(
        read_key_file(directory.path())
            .unwrap_err()
            .message()
            .contains("is not a file")
    );
    assert!(
        read_key_file(Path::new("/dev/null"))
            .unwrap_err()
            .message()
            .contains("is not a file")
    );
}

#[test]
fn every_damage_to_a_key_file_is_told_without_its_content() {
    let short = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
    let long = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let very_long = "A".repeat(400);
    let head = "elastane-key-file 1\n";
    let cases = [
        (String::new(), "does not begin with"),
        (format!("v1 {KEY_1}\n"), "does not begin with"),
        (
            format!("elastane-key-file 2\nv1 {KEY_1}\n"),
            "does not begin with",
        ),
        (format!("\u{feff}{head}v1 {KEY_1}\n"), "does not begin with"),
        (head.to_owned(), "holds no key"),
        (format!("{head}# v1 {KEY_1}\n"), "holds no key"),
        (format!("{head}v1 {short}\n"), "32 bytes"),
        (format!("{head}v1 {long}\n"), "32 bytes"),
        (format!("{head}v1 {very_long}\n"), "32 bytes"),
        (format!("{head}v1 {}\n", &KEY_1[..43]), "base64"),
        (format!("{head}v1 {KEY_1} {KEY_2}\n"), "base64"),
        (format!("{head}v1\n"), "is not of the form"),
        (format!("{head}1 {KEY_1}\n"), "is not of the form"),
        (format!("{head}v0 {KEY_1}\n"), "a number from 1 on"),
        (format!("{head}v {KEY_1}\n"), "a number from 1 on"),
        (format!("{head}v-1 {KEY_1}\n"), "a number from 1 on"),
        (format!("{head}v01 {KEY_1}\n"), "a number from 1 on"),
        (
            format!("{head}v99999999999 {KEY_1}\n"),
            "a number from 1 on",
        ),
        (
            format!("{head}v1 {KEY_1}\n\nv1 {KEY_2}\n"),
            "line 4 repeats",
        ),
    ];
    for (text, told) in cases {
        let error = KeyRing::parse(&text).unwrap_err();
        assert!(error.message().starts_with("key_file "), "{error}");
        assert!(error.message().contains(told), "{text:?}: {error}");
        assert!(!format!("{error:?}").contains("AAAA"), "{error:?}");
    }
}

#[test]
fn a_wrong_path_is_not_read_whole() {
    let (_directory, path) = place_for_a_key();
    write(&path, &"x".repeat(20_000), 0o600);
    assert!(
        read_key_file(&path)
            .unwrap_err()
            .message()
            .contains("too long")
    );
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(
        read_key_file(&path)
            .unwrap_err()
            .message()
            .contains("not text")
    );
}

#[test]
fn the_newest_key_seals_and_all_of_them_open() {
    let place = Place {
        table: "credential",
        row: "1",
        field: "fields",
    };
    let old_text = format!("elastane-key-file 1\nv1 {KEY_1}\n");
    let old = Vault::new(KeyRing::parse(&old_text).unwrap(), Random::system());
    let sealed = old.seal(&place, b"secret").unwrap();
    // The order of lines is the hand's that wrote them; CRLF is an editor's.
    let both_text = format!("elastane-key-file 1\r\nv10 {KEY_2}\r\n# older\r\nv1  {KEY_1}\r\n");
    let both = Vault::new(KeyRing::parse(&both_text).unwrap(), Random::system());
    assert_eq!(both.key_version(), 10);
    assert_eq!(both.seal(&place, b"new").unwrap().key_version, 10);
    assert_eq!(both.open(&place, &sealed).unwrap().as_slice(), b"secret");
}

#[test]
fn nothing_prints_a_key() {
    let ring = KeyRing::generate(&Random::seeded(3));
    assert_eq!(format!("{ring:?}"), "KeyRing(***)");
}
