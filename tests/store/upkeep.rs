//! The housekeeping of an idle writer.

use super::support::{Place, count, eventually, put_pair};

#[test]
fn the_log_is_emptied_when_nobody_writes() {
    let place = Place::new();
    let store = place.store();
    for job in 0..50 {
        store.write(move |write| put_pair(write, job)).unwrap();
    }
    assert!(store.wal_bytes() > 0);
    eventually("the log is empty", || store.wal_bytes() == 0);
    store.write(|write| put_pair(write, 99)).unwrap();
    assert!(store.wal_bytes() > 0);
}

#[test]
fn free_pages_go_back_to_the_system_when_nobody_writes() {
    let place = Place::new();
    let store = place.store();
    store
        .write(|write| {
            let raw = write.raw_for_tests();
            raw.execute_batch(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
                 INSERT INTO pairs SELECT i, 0, hex(randomblob(2000)) FROM n;
                 DELETE FROM pairs;",
            )?;
            Ok(())
        })
        .unwrap();
    let free = || {
        store
            .read(|read| count(read, "SELECT * FROM pragma_freelist_count"))
            .unwrap()
    };
    let limit = 4_096;
    assert!(free() > limit);
    eventually("free pages are given back", || free() <= limit);
}
