//! The writer: group commit, isolation of jobs, limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use elastane::domain::error::{Error, Kind};
use elastane::store::options::Options;
use elastane::store::{OpenMode, Store};

use super::support::{Held, Place, count, eventually, options, pairs, put_pair};

/// Runs `body` for each number below `threads`, at once.
fn at_once(threads: i64, body: impl Fn(i64) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..threads {
            let body = &body;
            scope.spawn(move || body(number));
        }
    });
}

#[test]
fn failing_and_panicking_jobs_undo_only_themselves() {
    let place = Place::new();
    let store = place.store();
    let held = Held::new(&store);
    std::thread::scope(|scope| {
        for number in 0..200_i64 {
            let store = &store;
            scope.spawn(move || {
                let done = store.write(move |write| {
                    put_pair(write, number)?;
                    match number % 10 {
                        3 => Err(Error::invalid("number", "must not end in 3")),
                        7 => panic!("this job panics on purpose"),
                        _ => Ok(number),
                    }
                });
                match number % 10 {
                    3 => assert_eq!(done.unwrap_err().kind(), Kind::Invalid),
                    7 => assert_eq!(done.unwrap_err().kind(), Kind::Internal),
                    _ => assert_eq!(done.unwrap(), number),
                }
            });
        }
        eventually("all jobs wait", || store.stats().queued == 200);
        drop(held);
    });
    let (good, bad) = store
        .read(|read| {
            let good = count(read, "SELECT count(*) FROM pairs")?;
            let bad = count(read, "SELECT count(*) FROM pairs WHERE job % 10 IN (3, 7)")?;
            Ok((good, bad))
        })
        .unwrap();
    assert_eq!((good, bad), (320, 0));
    let stats = store.stats();
    assert_eq!((stats.jobs, stats.failed_jobs), (201, 40));
    assert!(stats.largest_batch > 1, "{stats:?}");
}

#[test]
fn jobs_that_wait_share_a_commit() {
    let place = Place::new();
    let store = place.store();
    at_once(16, |thread| {
        for number in 0..50 {
            let job = thread * 1_000 + number;
            store.write(move |write| put_pair(write, job)).unwrap();
        }
    });
    let stats = store.stats();
    assert_eq!(
        (stats.jobs, stats.failed_jobs, stats.failed_commits),
        (800, 0, 0)
    );
    assert!(stats.commits < 800, "{stats:?}");
    assert_eq!(pairs(&store), 1_600);
}

#[test]
fn a_full_queue_is_refused_and_what_was_taken_is_done() {
    let place = Place::new();
    let small = Options {
        queue_jobs: 3,
        queue_wait_ms: 50,
        ..options()
    };
    let store = Store::open_with(&place.path(), OpenMode::Create, small).unwrap();
    let held = Held::new(&store);
    std::thread::scope(|scope| {
        for job in 0..3 {
            let store = &store;
            scope.spawn(move || store.write(move |write| put_pair(write, job)).unwrap());
        }
        eventually("the queue is full", || store.stats().queued == 3);
        let refused = store.write(|write| put_pair(write, 99)).unwrap_err();
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert_eq!(refused.retry_after_s(), Some(1));
        drop(held);
    });
    assert_eq!(pairs(&store), 6);
}

#[test]
fn a_transaction_inside_a_transaction_is_refused() {
    let place = Place::new();
    let store = place.store();
    let inner = store.clone();
    let (wrote, read) = store
        .write(move |_| {
            let wrote = inner
                .write(|write| put_pair(write, 1))
                .map_err(|e| e.kind());
            let read = inner.read(|_| Ok(())).map_err(|e| e.kind());
            Ok((wrote, read))
        })
        .unwrap();
    assert_eq!((wrote, read), (Err(Kind::Internal), Err(Kind::Internal)));
    let nested = store.read(|_| {
        let wrote = store
            .write(|write| put_pair(write, 1))
            .map_err(|e| e.kind());
        let read = store.read(|_| Ok(())).map_err(|e| e.kind());
        Ok((wrote, read))
    });
    assert_eq!(nested.unwrap(), (Err(Kind::Internal), Err(Kind::Internal)));
    assert_eq!(pairs(&store), 0);
}

#[test]
fn a_store_may_be_used_inside_another_one() {
    let (one, other) = (Place::new(), Place::new());
    let (one, other) = (one.store(), other.store());
    one.read(|_| other.write(|write| put_pair(write, 1)))
        .unwrap();
    assert_eq!(pairs(&other), 2);
}

#[test]
fn a_failed_commit_fails_every_job_of_it_and_the_next_one_works() {
    let place = Place::new();
    let store = place.store();
    let held = Held::new(&store);
    std::thread::scope(|scope| {
        for job in 0..4 {
            let store = &store;
            scope.spawn(move || {
                let done = store.write(move |write| {
                    put_pair(write, job)?;
                    if job == 0 {
                        // Nobody owns it, which only the commit finds out.
                        write
                            .raw_for_tests()
                            .execute("INSERT INTO owned VALUES (1, 12345)", [])?;
                    }
                    Ok(())
                });
                assert_eq!(done.unwrap_err().kind(), Kind::Internal);
            });
        }
        eventually("all jobs wait", || store.stats().queued == 4);
        drop(held);
    });
    assert_eq!(pairs(&store), 0);
    assert_eq!(store.stats().failed_commits, 1);
    store.write(|write| put_pair(write, 5)).unwrap();
    assert_eq!(pairs(&store), 2);
}

#[test]
fn jobs_whose_transaction_was_ended_under_them_are_told() {
    let place = Place::new();
    let store = place.store();
    let lost = store.write(|write| {
        put_pair(write, 1)?;
        // SQLite does this by itself on a full disk.
        write.raw_for_tests().execute_batch("ROLLBACK")?;
        Ok(())
    });
    assert_eq!(lost.unwrap_err().kind(), Kind::Unavailable);
    store.write(|write| put_pair(write, 2)).unwrap();
    assert_eq!(pairs(&store), 2);
}

#[test]
fn a_full_disk_is_unavailable_and_undoes_the_job() {
    let place = Place::new();
    let store = place.store();
    let full = store.write(|write| {
        let raw = write.raw_for_tests();
        let pages: i64 = raw.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        raw.pragma_update(None, "max_page_count", pages)?;
        for job in 0..10_000 {
            put_pair(write, job)?;
        }
        Ok(())
    });
    assert_eq!(full.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(pairs(&store), 0);
    store
        .write(|write| {
            let raw = write.raw_for_tests();
            Ok(raw.pragma_update(None, "max_page_count", 1_000_000)?)
        })
        .unwrap();
    store.write(|write| put_pair(write, 2)).unwrap();
    assert_eq!(pairs(&store), 2);
}

#[test]
fn a_job_that_runs_too_long_is_stopped() {
    let place = Place::new();
    let short = Options {
        job_limit_ms: 50,
        ..options()
    };
    let store = Store::open_with(&place.path(), OpenMode::Create, short).unwrap();
    let stopped = store.write(|write| {
        put_pair(write, 1)?;
        count(write, super::reading::ENDLESS)
    });
    assert_eq!(stopped.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(pairs(&store), 0);
    store.write(|write| put_pair(write, 2)).unwrap();
}

#[test]
fn a_taken_key_is_a_conflict_that_shows_no_value() {
    let place = Place::new();
    let store = place.store();
    store.write(|write| put_pair(write, 1)).unwrap();
    let taken = store.write(|write| put_pair(write, 1)).unwrap_err();
    assert_eq!(taken.kind(), Kind::Conflict);
    assert!(!taken.message().contains("pairs"), "{taken}");
}

#[test]
fn a_close_finishes_what_is_queued_and_refuses_what_comes_later() {
    let place = Place::new();
    let store = place.store();
    let held = Held::new(&store);
    let closed = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        for job in 0..20 {
            let store = &store;
            scope.spawn(move || store.write(move |write| put_pair(write, job)).unwrap());
        }
        eventually("all jobs wait", || store.stats().queued == 20);
        let (other, flag) = (store.clone(), Arc::clone(&closed));
        scope.spawn(move || {
            other.close();
            flag.store(true, Ordering::SeqCst);
        });
        eventually("the close began", || store.read(|_| Ok(())).is_err());
        assert!(!closed.load(Ordering::SeqCst));
        drop(held);
    });
    let late = store.write(|_| Ok(())).unwrap_err();
    assert_eq!(late.kind(), Kind::Unavailable);
    assert!(!store.stats().writer_alive);
    store.close();
    let names: Vec<_> = std::fs::read_dir(place.dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["elastane.db"], "the log is gone after a close");
    assert_eq!(pairs(&place.store()), 40);
}

#[test]
fn a_job_may_hold_the_last_handle() {
    let place = Place::new();
    let store = place.store();
    let held = Held::new(&store);
    let (last, (gone, seen)) = (store.clone(), crossbeam_channel::bounded(1));
    let caller = elastane::thread::spawn("caller", None, move || {
        let inside = last.clone();
        let _caller_has_one_too = last.write(move |write| {
            drop(inside);
            put_pair(write, 1)
        });
        drop(last);
        gone.send(()).unwrap();
    });
    eventually("the job waits", || store.stats().queued == 1);
    drop(store);
    drop(held);
    caller.unwrap().join().unwrap();
    seen.recv().unwrap();
    assert_eq!(pairs(&place.store()), 2);
}
