//! Readers: what they see, what stops them, what they cannot do.

use std::panic::{AssertUnwindSafe, catch_unwind};

use elastane::domain::error::Kind;
use elastane::store::OpenMode;

use super::support::{Place, count, eventually, pairs, put_pair};

/// A query that ends only when somebody stops it.
pub(super) const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                                  SELECT count(*) FROM n";

#[test]
fn what_was_answered_is_seen_at_once() {
    let place = Place::new();
    let store = place.store();
    for job in 0..200 {
        store.write(move |write| put_pair(write, job)).unwrap();
        assert_eq!(pairs(&store), 2 * (job + 1));
    }
}

#[test]
fn a_read_sees_one_moment() {
    let place = Place::new();
    let store = place.store();
    let all = "SELECT count(*) FROM pairs";
    store
        .read(|read| {
            assert_eq!(count(read, all)?, 0);
            let other = store.clone();
            std::thread::scope(|scope| {
                scope.spawn(|| other.write(|write| put_pair(write, 1)).unwrap());
            });
            assert_eq!(count(read, all)?, 0);
            Ok(())
        })
        .unwrap();
    assert_eq!(pairs(&store), 2);
}

#[test]
fn a_reader_cannot_write() {
    let place = Place::new();
    let store = place.store();
    let refused = store.read(|read| {
        Ok(read
            .raw_for_tests()
            .execute("INSERT INTO owners VALUES (1)", [])?)
    });
    assert_eq!(refused.unwrap_err().kind(), Kind::Unavailable);
}

#[test]
fn a_slow_read_is_stopped_and_its_connection_still_works() {
    let place = Place::new();
    let store = place.store();
    for _ in 0..10 {
        let stopped = store.read_within(20, |read| count(read, ENDLESS));
        let stopped = stopped.unwrap_err();
        assert_eq!(stopped.kind(), Kind::Unavailable);
        assert!(stopped.retry_after_s().is_some());
    }
    assert_eq!(pairs(&store), 0);
    assert_eq!(store.stats().failed_reads, 10);
}

#[test]
fn panicking_reads_do_not_use_up_the_pool() {
    let place = Place::new();
    let store = place.store();
    for _ in 0..20 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            store.read(|read| {
                count(read, "SELECT count(*) FROM pairs")?;
                panic!("this read panics on purpose");
                #[expect(unreachable_code, reason = "gives the closure its type")]
                Ok(())
            })
        }));
        assert!(panicked.is_err());
    }
    store.write(|write| put_pair(write, 1)).unwrap();
    // A transaction that was left open would still see nothing.
    assert_eq!(pairs(&store), 2);
}

#[test]
fn with_all_readers_busy_the_next_one_is_told_to_come_back() {
    let place = Place::new();
    let store = place.store();
    let (release, wait) = crossbeam_channel::bounded::<()>(0);
    let (refused, seen) = crossbeam_channel::unbounded();
    std::thread::scope(|scope| {
        // One more than the largest pool, so that somebody finds no place.
        for _ in 0..9 {
            let (store, wait, refused) = (&store, wait.clone(), refused.clone());
            scope.spawn(move || {
                let read = store.read_within(60_000, |_| {
                    let _released = wait.recv();
                    Ok(())
                });
                if let Err(error) = read {
                    refused.send(error.kind()).unwrap();
                }
            });
        }
        assert_eq!(seen.recv().unwrap(), Kind::Unavailable);
        drop(release);
    });
    assert_eq!(pairs(&store), 0);
}

#[test]
fn a_store_opened_for_reading_only_reads() {
    let place = Place::new();
    let writing = place.store();
    writing.write(|write| put_pair(write, 1)).unwrap();
    let reading = place.open(OpenMode::ReadOnly).unwrap();
    assert!(reading.is_read_only() && !writing.is_read_only());
    assert_eq!(pairs(&reading), 2);
    let refused = reading.write(|write| put_pair(write, 2)).unwrap_err();
    assert_eq!(refused.kind(), Kind::Unavailable);
    writing.write(|write| put_pair(write, 3)).unwrap();
    assert_eq!(pairs(&reading), 4);
}

#[test]
fn a_write_of_another_program_moves_the_data_version() {
    let place = Place::new();
    let store = place.store();
    let before = store.data_version().unwrap();
    assert_eq!(store.data_version().unwrap(), before);
    let other = place.stranger();
    other.execute("INSERT INTO owners VALUES (1)", []).unwrap();
    let after = store.data_version().unwrap();
    assert_ne!(after, before);
    assert_eq!(store.data_version().unwrap(), after);
}

#[test]
fn two_stores_of_one_file_both_write() {
    let place = Place::new();
    let (one, other) = (place.store(), place.store());
    std::thread::scope(|scope| {
        for (store, base) in [(&one, 0), (&other, 1_000)] {
            scope.spawn(move || {
                for job in base..base + 100 {
                    store.write(move |write| put_pair(write, job)).unwrap();
                }
            });
        }
    });
    eventually("both see all", || {
        pairs(&one) == 400 && pairs(&other) == 400
    });
}
