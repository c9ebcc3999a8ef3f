//! Copies of a live database.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use elastane::domain::error::Kind;
use elastane::store::{IfExists, OpenMode, Store};

use super::support::{Place, count, options, pairs, put_pair};

#[test]
fn a_backup_taken_under_writes_is_whole_and_opens() {
    let place = Place::new();
    let store = place.store();
    for job in 0..500 {
        store.write(move |write| put_pair(write, job)).unwrap();
    }
    let target = place.dir().join("backup.db");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut job = 1_000;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                store.write(move |write| put_pair(write, job)).unwrap();
                job += 1;
            }
        });
        let done = store.backup_to(&target, IfExists::Refuse);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        done.unwrap();
    });
    let mode = fs::metadata(&target).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let copy = Store::open_with(&target, OpenMode::Existing, options()).unwrap();
    assert_eq!(copy.schema().unwrap(), store.schema().unwrap());
    let halves = "SELECT count(*) FROM (SELECT 1 FROM pairs GROUP BY job HAVING count(*) <> 2)";
    copy.read(|read| {
        assert!(count(read, "SELECT count(*) FROM pairs")? >= 1_000);
        assert_eq!(count(read, halves)?, 0);
        Ok(())
    })
    .unwrap();
    assert!(copy.check().unwrap().is_sound());
    copy.write(|write| put_pair(write, -1)).unwrap();
}

#[test]
fn a_backup_equals_its_original() {
    let place = Place::new();
    let store = place.store();
    for job in 0..50 {
        store.write(move |write| put_pair(write, job)).unwrap();
    }
    let target = place.dir().join("backup.db");
    store.backup_to(&target, IfExists::Refuse).unwrap();
    let copy = Store::open_with(&target, OpenMode::ReadOnly, options()).unwrap();
    let rows = |store: &Store| {
        store.read(|read| {
            let mut statement = read
                .raw_for_tests()
                .prepare("SELECT job, half, body FROM pairs")?;
            let rows = statement.query_map([], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, String>(2)?,
                ))
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    };
    assert_eq!(rows(&copy).unwrap(), rows(&store).unwrap());
    assert_eq!(
        copy.check().unwrap().user_version,
        store.check().unwrap().user_version
    );
}

#[test]
fn a_backup_overwrites_only_when_told_and_never_its_original() {
    let place = Place::new();
    let store = place.store();
    let target = place.dir().join("backup.db");
    fs::write(&target, "something else").unwrap();
    let refused = store.backup_to(&target, IfExists::Refuse).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert_eq!(fs::read(&target).unwrap(), b"something else");
    store.backup_to(&target, IfExists::Replace).unwrap();
    let copy = Store::open_with(&target, OpenMode::Existing, options()).unwrap();
    copy.write(|write| put_pair(write, 1)).unwrap();
    let in_use = store.backup_to(&target, IfExists::Replace).unwrap_err();
    assert_eq!(
        in_use.kind(),
        Kind::Conflict,
        "an open database is not replaced"
    );
    assert_eq!(pairs(&copy), 2);
    copy.close();
    std::os::unix::fs::symlink(place.path(), place.dir().join("alias.db")).unwrap();
    for own in [
        "elastane.db",
        "elastane.db-wal",
        "elastane.db-shm",
        "alias.db",
    ] {
        let itself = store.backup_to(&place.dir().join(own), IfExists::Replace);
        assert_eq!(itself.unwrap_err().kind(), Kind::Conflict, "{own}");
    }
    let leftovers = fs::read_dir(place.dir()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("partial")
    });
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn a_damaged_file_is_reported() {
    let place = Place::new();
    let store = place.store();
    for job in 0..500 {
        store.write(move |write| put_pair(write, job)).unwrap();
    }
    assert!(store.check().unwrap().is_sound());
    store.close();
    let mut bytes = fs::read(place.path()).unwrap();
    let from = bytes.len() - 3 * 4_096;
    bytes[from..from + 4_096].fill(0xa5);
    fs::write(place.path(), bytes).unwrap();
    let store = place.open(OpenMode::ReadOnly).unwrap();
    let found = store.check();
    assert!(!found.is_ok_and(|check| check.is_sound()));
    let target = place.dir().join("backup.db");
    store.backup_to(&target, IfExists::Refuse).unwrap_err();
    assert!(!target.exists(), "a damaged copy gets no name");
}

#[test]
fn a_row_that_refers_to_nothing_is_reported() {
    let place = Place::new();
    let store = place.store();
    let other = place.stranger();
    other
        .execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO owned VALUES (5, 12345);")
        .unwrap();
    let check = store.check().unwrap();
    assert_eq!(check.orphans.len(), 1);
    assert_eq!(check.orphans[0].table, "owned");
    assert_eq!(check.orphans[0].rowid, Some(5));
    assert!(!check.is_sound());
}
