//! Lists of flows in pages: their lengths are exact and their pages whole, whoever
//! changes the rows (`v2.md 2.5`).

use elastane::domain::flow::{FlowKey, FlowQuery, ShownFlow};
use elastane::domain::page::{OrderBy, Slice};
use elastane::domain::principal::Principal;
use rusqlite::{Connection, params};

use super::given::{id_of, rows};
use crate::support::Installation;

/// Adds flows with these numbers as ids, as another process would.
fn add(rows: &Connection, user: &Principal, numbers: std::ops::Range<u32>) {
    rows.execute_batch("BEGIN").unwrap();
    for number in numbers {
        rows.execute(
            "INSERT INTO flows (id, user_id, name, graph, created_at, updated_at)
             VALUES (?1, ?2, ?3, '{}', 1, 1)",
            params![
                id(number),
                id_of(user).to_string(),
                format!("flow {number:05}")
            ],
        )
        .unwrap();
    }
    rows.execute_batch("COMMIT").unwrap();
}

/// Returns the id with a number.
fn id(number: u32) -> String {
    format!("{number:024x}")
}

/// Returns the numbers of a part, and the length of the list.
fn part(at: &Installation, who: &Principal, query: &FlowQuery, offset: u64) -> (Vec<u32>, u64) {
    let slice = Slice { offset, limit: 3 };
    let write = |text: &mut Vec<u8>, flow: &ShownFlow<'_>| {
        text.extend_from_slice(flow.id.as_bytes());
    };
    let page = at.app.flow_part(who, query, slice, write).unwrap();
    let ids = page.text.chunks(24).map(|id| str::from_utf8(id).unwrap());
    let numbers = ids.map(|id| u32::from_str_radix(id, 16).unwrap());
    (numbers.collect(), page.total)
}

#[test]
fn a_page_is_where_counting_would_find_it() {
    let at = Installation::new();
    let (ada, eve) = (
        at.principal("ada@example.com"),
        at.principal("eve@example.com"),
    );
    let rows = rows(&at);
    let all = FlowQuery::default();
    assert_eq!(part(&at, &ada, &all, 0), (vec![], 0));
    add(&rows, &ada, 1..3_501);
    add(&rows, &eve, 4_000..4_002);
    assert_eq!(part(&at, &eve, &all, 0), (vec![4_000, 4_001], 2));
    for offset in [0, 998, 999, 1_000, 2_001, 3_000, 3_497] {
        let first = u32::try_from(offset).unwrap() + 1;
        let expected = vec![first, first + 1, first + 2];
        for _ in 0..2 {
            assert_eq!(part(&at, &ada, &all, offset), (expected.clone(), 3_500));
        }
    }
    assert_eq!(part(&at, &ada, &all, 3_499), (vec![3_500], 3_500));
    assert_eq!(part(&at, &ada, &all, 3_500), (vec![], 3_500));
    assert_eq!(part(&at, &ada, &all, u64::MAX), (vec![], 3_500));
    rows.execute("DELETE FROM flows WHERE id = ?1", [id(7)])
        .unwrap();
    assert_eq!(
        part(&at, &ada, &all, 2_000),
        (vec![2_002, 2_003, 2_004], 3_499)
    );
    add(&rows, &ada, 7..8);
    assert_eq!(
        part(&at, &ada, &all, 2_000),
        (vec![2_001, 2_002, 2_003], 3_500)
    );
    rows.execute(
        "UPDATE flows SET user_id = ?1 WHERE id <= ?2",
        params![id_of(&eve).to_string(), id(10)],
    )
    .unwrap();
    assert_eq!(
        part(&at, &ada, &all, 1_000),
        (vec![1_011, 1_012, 1_013], 3_490)
    );
    assert_eq!(part(&at, &eve, &all, 0), (vec![1, 2, 3], 12));
}

#[test]
fn what_a_filter_lets_through_is_counted_anew_after_every_change() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let rows = rows(&at);
    add(&rows, &ada, 1..6);
    let active = FlowQuery {
        is_active: Some(true),
        ..FlowQuery::default()
    };
    let found = FlowQuery {
        search: Some("00003".to_owned()),
        ..FlowQuery::default()
    };
    assert_eq!(part(&at, &ada, &active, 0), (vec![], 0));
    assert_eq!(part(&at, &ada, &found, 0), (vec![3], 1));
    rows.execute("UPDATE flows SET status = 'active' WHERE id > ?1", [id(3)])
        .unwrap();
    assert_eq!(part(&at, &ada, &active, 0), (vec![4, 5], 2));
    rows.execute("UPDATE flows SET name = 'x', description = 'is 00003'", [])
        .unwrap();
    assert_eq!(part(&at, &ada, &found, 3), (vec![4, 5], 5));
    let backwards = FlowQuery {
        order: vec![OrderBy {
            key: FlowKey::CreatedAt,
            is_descending: true,
        }],
        ..FlowQuery::default()
    };
    assert_eq!(part(&at, &ada, &backwards, 1), (vec![4, 3, 2], 5));
    rows.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    rows.execute("DELETE FROM users WHERE id = ?1", [id_of(&ada).to_string()])
        .unwrap();
    let left: i64 = rows
        .query_row("SELECT sum(flows) FROM flow_lists", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0, "what a cascade deletes is counted, too");
}
