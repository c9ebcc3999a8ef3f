//! Which files are opened, and what the others are told.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use elastane::domain::error::{Error, Kind};
use elastane::store::{OpenMode, Store};

use super::support::{Place, options, pairs, put_pair};

const MODES: [OpenMode; 4] = [
    OpenMode::Create,
    OpenMode::Migrate,
    OpenMode::Existing,
    OpenMode::ReadOnly,
];

fn refused(place: &Place, mode: OpenMode) -> Error {
    place.open(mode).map(|_| ()).unwrap_err()
}

#[test]
fn a_new_file_is_for_its_owner_alone() {
    let place = Place::new();
    let store = place.store();
    store.write(|write| put_pair(write, 1)).unwrap();
    for entry in fs::read_dir(place.dir()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn only_create_makes_a_file() {
    for mode in &MODES[1..] {
        let place = Place::new();
        let error = refused(&place, *mode);
        assert_eq!(error.kind(), Kind::NotFound, "{mode:?}");
        assert!(error.message().contains("elastane.db"), "{error}");
        assert!(!place.path().exists(), "{mode:?}");
    }
    let place = Place::new();
    let missing = place.dir().join("no").join("such.db");
    let error = Store::open(&missing, OpenMode::Create).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn a_stranger_s_database_is_refused_and_left_alone() {
    let place = Place::new();
    let other = place.stranger();
    other
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);")
        .unwrap();
    drop(other);
    let before = fs::read(place.path()).unwrap();
    for mode in MODES {
        let error = refused(&place, mode);
        assert_eq!(error.kind(), Kind::Invalid, "{mode:?}");
        assert!(
            error.message().contains("is not an Elastane database"),
            "{error}"
        );
    }
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    let text = "This is a letter, and not a short one. ".repeat(50);
    fs::write(place.path(), &text).unwrap();
    for mode in MODES {
        let error = refused(&place, mode);
        assert_eq!(error.kind(), Kind::Invalid, "{mode:?}: {error}");
    }
    assert_eq!(fs::read_to_string(place.path()).unwrap(), text);
}

#[test]
fn an_empty_file_is_a_new_database_for_create_alone() {
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    for mode in &MODES[1..] {
        assert_eq!(refused(&place, *mode).kind(), Kind::Invalid, "{mode:?}");
    }
    place.open(OpenMode::Create).unwrap();
}

#[test]
fn a_newer_database_is_refused_with_the_way_out() {
    let place = Place::new();
    drop(place.store());
    let other = place.stranger();
    other.pragma_update(None, "user_version", 7).unwrap();
    drop(other);
    for mode in MODES {
        let error = refused(&place, mode);
        assert_eq!(error.kind(), Kind::Conflict, "{mode:?}");
        let told = "this database was made by a newer elastane (schema 7, this binary knows 1): \
                    use that version";
        assert!(error.message().contains(told), "{error}");
    }
}

#[test]
fn a_name_that_looks_like_an_address_is_a_name() {
    let place = Place::new();
    let odd = place.dir().join("file:a b%20?mode=memory#x.db");
    let store = Store::open_with(&odd, OpenMode::Create, options()).unwrap();
    store.write(|write| put_pair(write, 1)).unwrap();
    store.close();
    assert!(odd.exists());
}

#[test]
fn a_copy_without_its_log_opens_where_no_log_can_be_made() {
    let place = Place::new();
    let store = place.store();
    store.write(|write| put_pair(write, 1)).unwrap();
    store.close();
    let odd = place.dir().join("a copy%20?x.db");
    fs::copy(place.path(), &odd).unwrap();
    // A link to nowhere stands for a disk on which nothing can be made.
    let nowhere = place.dir().join("no").join("where");
    std::os::unix::fs::symlink(nowhere, place.dir().join("a copy%20?x.db-shm")).unwrap();
    let copy = Store::open_with(&odd, OpenMode::ReadOnly, options()).unwrap();
    assert_eq!(pairs(&copy), 2);
    assert!(copy.check().unwrap().is_sound());
    // With a log beside it somebody may be writing, so its pages may change.
    fs::write(place.dir().join("a copy%20?x.db-wal"), "log").unwrap();
    let error = Store::open_with(&odd, OpenMode::ReadOnly, options()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[test]
fn many_may_create_the_same_file_at_once() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for job in 0..8 {
            let place = &place;
            scope.spawn(move || {
                let store = place.store();
                store.write(move |write| put_pair(write, job)).unwrap();
            });
        }
    });
    assert_eq!(pairs(&place.store()), 16);
}

#[test]
fn the_connections_have_their_settings() {
    let place = Place::new();
    let store = place.store();
    let facts = [
        ("journal_mode", "wal"),
        ("auto_vacuum", "2"),
        ("foreign_keys", "1"),
        ("trusted_schema", "0"),
        ("busy_timeout", "5000"),
        ("cell_size_check", "1"),
        ("mmap_size", "0"),
    ];
    let value = |raw: &rusqlite::Connection, name: &str| {
        let value: rusqlite::types::Value = raw
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap();
        match value {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => panic!("{name} is {other:?}"),
        }
    };
    let written = store.write(move |write| {
        let raw = write.raw_for_tests();
        for (name, expected) in facts {
            assert_eq!(value(raw, name), expected, "{name} of the writer");
        }
        assert_eq!(value(raw, "synchronous"), "2");
        assert_eq!(value(raw, "query_only"), "0");
        assert_eq!(value(raw, "journal_size_limit"), "67108864");
        Ok(())
    });
    written.unwrap();
    store
        .read(|read| {
            for (name, expected) in facts {
                assert_eq!(
                    value(read.raw_for_tests(), name),
                    expected,
                    "{name} of a reader"
                );
            }
            assert_eq!(value(read.raw_for_tests(), "query_only"), "1");
            Ok(())
        })
        .unwrap();
}
