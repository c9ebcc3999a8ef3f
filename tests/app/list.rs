//! Lists of the console and the command line: every order, every page, every filter.

mod cases;

use std::cmp::Ordering;

use elastane::domain::Kind;
use elastane::domain::listing::{
    ListAt, ListCell, ListFilter, ListOf, ListPage, ListQuery, ListSort,
};
use elastane::domain::principal::{Channel, Principal};
use rusqlite::Connection;

use self::cases::CASES;
use super::given::rows;
use crate::support::Installation;

/// How many rows each list gets besides what an installation has.
const ROWS: u32 = 31;

/// Rows for every list, with equal and missing values among the others; `n` has numbers.
const FILL: &str = "PRAGMA foreign_keys = OFF;
     BEGIN;
     INSERT INTO users (id, email, email_key, first_name, last_name, company, password_hash,
         state, created_at, updated_at, last_login_at)
     SELECT printf('aa%022x', i), 'User' || i || '@example.com', 'user' || i || '@example.com',
         'First' || (i % 3), 'last' || (i % 5), nullif('Firm ' || (i % 4), 'Firm 0'), '',
         iif(i % 6 = 0, 'disabled', 'active'), i % 7, i % 4, nullif(i % 5, 0) FROM n;
     INSERT INTO organizations (id, name, created_at)
     SELECT printf('bb%022x', i), 'Org ' || (i % 9), i % 4 FROM n;
     INSERT INTO organization_members (organization_id, user_id, role, added_at)
     SELECT printf('bb%022x', i), printf('aa%022x', 1 + i % 5), 'guest', i FROM n;
     INSERT INTO teams (id, name, slug, created_at, organization_id)
     SELECT printf('cc%022x', i), 'Team ' || (i % 4), 'team-' || i, i % 3,
         iif(i % 3 = 0, printf('bb%022x', i), NULL) FROM n;
     INSERT INTO team_members (team_id, user_id, added_at)
     SELECT printf('cc%022x', t.i), printf('aa%022x', u.i), 50 - u.i
     FROM n t JOIN n u ON u.i <= t.i % 4;
     INSERT INTO components (id, team_id, name, slug, access, created_at)
     SELECT printf('dd%022x', i), printf('cc%022x', 1 + i % 6), 'Repo ' || (i % 5),
         'repo-' || i, iif(i % 2, 'team', 'global'), i % 8 FROM n;
     INSERT INTO component_versions (component_id, revision, number, title, descriptor,
         created_at)
     SELECT printf('dd%022x', c.i), 'r' || b.i, b.i, 'Title ' || (c.i % 3), '{}', 1
     FROM n c JOIN n b ON b.i <= c.i % 3;
     INSERT INTO recipes (id, title, description, accounts, flows, origin, created_at,
         updated_at)
     SELECT 'recipe-' || i, 'Recipe ' || (i % 6), 'What it does', '{}',
         iif(i % 2, '[]', '[1,2]'), 'imported', i % 5, i % 3 FROM n;
     INSERT INTO ssh_keys (id, user_id, title, algorithm, bits, line, blob_sha256,
         fingerprint, fingerprint_md5, is_weak, created_at, last_used_at)
     SELECT printf('ee%022x', i), printf('aa%022x', 1 + i % 4), 'Key ' || (i % 3),
         'ssh-ed25519', 256, 'ssh-ed25519 AAAA', randomblob(32), 'SHA256:' || i, 'md5',
         i % 2, i % 6, nullif(i % 3, 0) FROM n;
     INSERT INTO api_keys (id, user_id, name, prefix, hash, created_at, last_used_at,
         expires_at)
     SELECT printf('ff%022x', i), printf('aa%022x', 1 + i % 4), 'Client ' || (i % 3),
         'abcd' || i, randomblob(32), i % 5, nullif(i % 4, 0), nullif(i % 2, 0) FROM n;
     INSERT INTO credentials (id, user_id, name, type, key_version, sealed, created_at,
         updated_at)
     SELECT printf('ab%022x', i), printf('aa%022x', 1 + i % 4), 'Shop ' || (i % 3),
         'team/repo', 1, randomblob(40), i % 5, i % 4 FROM n;
     INSERT INTO flows (id, user_id, name, description, status, graph, cron, created_at,
         updated_at, due_at)
     SELECT printf('ac%022x', i), printf('aa%022x', 1 + i % 4), 'flow ' || (i % 8),
         nullif('does ' || (i % 3), 'does 0'),
         CASE i % 5 WHEN 0 THEN 'inactive' WHEN 1 THEN 'suspended' ELSE 'active' END, '{}',
         iif(i % 2, '* * * * *', NULL), i, i % 6, nullif(i % 4, 0) FROM n;
     INSERT INTO flow_steps (flow_id, position, step_id, team, component, credential_id)
     SELECT printf('ac%022x', i), 0, 'step_1', 'team-' || (1 + 1 + i % 6), 'repo-' || (i % 9),
         iif(i % 3 = 0, printf('ab%022x', 1 + i % 7), NULL) FROM n;
     INSERT INTO executions (id, flow_id, flow_version, trigger, status, started_at,
         finished_at, parts, steps_total, errors_total, queued, has_bodies)
     SELECT printf('ad%022x', i), printf('ac%022x', 1 + i % 11), 1, 'schedule',
         CASE i % 8 WHEN 0 THEN 'error' WHEN 1 THEN 'waiting' WHEN 2 THEN 'running'
             WHEN 3 THEN 'cancelled' WHEN 4 THEN 'interrupted' ELSE 'success' END, i * 1000,
         iif(i % 8 IN (1, 2), NULL, i * 1000 + (i % 4) * 100), 1, i % 3, i % 8 = 0, i % 2, 0
     FROM n;
     INSERT INTO lookups (id, user_id, title, data, created_at, updated_at)
     SELECT printf('ae%022x', i), printf('aa%022x', 1 + i % 4), 'Table ' || (i % 5),
         iif(i % 2, '{\"a\":1}', '{}'), 1, i % 3 FROM n;
     INSERT INTO audit_log (at, actor_kind, actor_id, channel, action, object_kind,
         object_id, detail)
     SELECT 4102444800000 + i, iif(i % 2, 'user', 'operator'),
         iif(i % 2, printf('aa%022x', 1 + i % 4), NULL), 'api', 'flow.start', 'flow',
         printf('ac%022x', i), '{\"n\":' || i || '}' FROM n;
     COMMIT;";

/// Fills every list.
fn fill(rows: &Connection) {
    rows.execute_batch(&format!(
        "CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS
             (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT i FROM n;"
    ))
    .unwrap();
    rows.execute_batch(FILL).unwrap();
}

/// Returns an installation with rows in every list.
fn filled() -> Installation {
    let at = Installation::new();
    fill(&rows(&at));
    at
}

/// Returns whom the lists are for.
fn operator() -> Principal {
    Principal::operator(Channel::Console)
}

/// Returns the query of a filter and a sort.
fn query(of: ListOf, filter: &str, sort: ListSort, limit: u32) -> ListQuery {
    ListQuery {
        filter: ListFilter::parse(filter, of, 1_000_000).expect(filter),
        sort,
        at: ListAt::Start,
        limit,
    }
}

/// Returns a page.
fn page(at: &Installation, of: ListOf, query: &ListQuery) -> ListPage {
    at.app.list(&operator(), of, query).unwrap()
}

/// Walks a list page by page from its start, or from its end; returns ids in list order.
fn walked(at: &Installation, of: ListOf, query: &ListQuery, from_end: bool) -> Vec<String> {
    let mut query = query.clone();
    let mut pages: Vec<Vec<String>> = Vec::new();
    if from_end {
        query.at = ListAt::End;
    }
    loop {
        let page = page(at, of, &query);
        assert!(page.rows.len() <= query.limit as usize);
        pages.push(page.rows.into_iter().map(|row| row.id).collect());
        let next = if from_end { page.before } else { page.after };
        match next {
            Some(place) if from_end => query.at = ListAt::Before(place),
            Some(place) => query.at = ListAt::After(place),
            None => break,
        }
        assert!(pages.len() < 1_000, "the walk ends");
    }
    if from_end {
        pages.reverse();
    }
    pages.concat()
}

/// Compares two cells as a sorted list does; those without a value come last.
fn compare(one: &ListCell, other: &ListCell, descending: bool) -> Ordering {
    let order = match (one, other) {
        (ListCell::Empty, ListCell::Empty) => return Ordering::Equal,
        (ListCell::Empty, _) => return Ordering::Greater,
        (_, ListCell::Empty) => return Ordering::Less,
        (ListCell::Text(one), ListCell::Text(other)) => {
            one.to_lowercase().cmp(&other.to_lowercase())
        }
        (
            ListCell::Number(one) | ListCell::Time(one),
            ListCell::Number(two) | ListCell::Time(two),
        ) => one.cmp(two),
        (ListCell::Flag(one), ListCell::Flag(other)) => one.cmp(other),
        other => panic!("no order between {other:?}"),
    };
    if descending { order.reverse() } else { order }
}

#[test]
fn every_order_of_every_list_is_right_and_its_pages_are_whole_both_ways() {
    let at = filled();
    for of in ListOf::ALL {
        for (column, known) in of.columns().iter().enumerate() {
            if !known.sortable {
                continue;
            }
            for descending in [false, true] {
                let sort = ListSort { column, descending };
                let what = format!("{} by {} {descending}", of.as_str(), known.key);
                let all = page(&at, of, &query(of, "", sort, 500));
                assert!(all.rows.len() >= ROWS as usize, "{what}");
                assert!(all.is_complete && all.after.is_none(), "{what}");
                assert_eq!(all.total.n, all.rows.len() as u64, "{what}");
                assert!(all.total.is_exact && all.matched == all.total, "{what}");
                for pair in all.rows.windows(2) {
                    let (one, two) = (&pair[0].cells[column], &pair[1].cells[column]);
                    let order = compare(one, two, descending);
                    assert_ne!(order, Ordering::Greater, "{what}: {one:?} {two:?}");
                }
                let ids: Vec<String> = all.rows.into_iter().map(|row| row.id).collect();
                for limit in [7, 500] {
                    let paged = query(of, "", sort, limit);
                    assert_eq!(walked(&at, of, &paged, false), ids, "{what} by {limit}");
                    assert_eq!(
                        walked(&at, of, &paged, true),
                        ids,
                        "{what} by {limit}, back"
                    );
                }
            }
        }
    }
}

#[test]
fn a_page_leads_back_to_the_one_before() {
    let at = filled();
    let sort = ListSort::parse("next", ListOf::Flows).unwrap();
    let first = page(&at, ListOf::Flows, &query(ListOf::Flows, "", sort, 10));
    assert_eq!(first.before, None);
    let mut next = query(ListOf::Flows, "", sort, 10);
    next.at = ListAt::After(first.after.unwrap());
    let second = page(&at, ListOf::Flows, &next);
    next.at = ListAt::Before(second.before.unwrap());
    let back = page(&at, ListOf::Flows, &next);
    assert_eq!(back.rows, first.rows);
    assert_eq!(back.before, None);
    next.at = ListAt::After(back.after.unwrap());
    assert_eq!(page(&at, ListOf::Flows, &next).rows, second.rows);
}

/// Returns the value of a cell as one text, for the reference below.
fn text(cell: &ListCell) -> String {
    match cell {
        ListCell::Text(text) => text.clone(),
        ListCell::Number(number) | ListCell::Time(number) => number.to_string(),
        ListCell::Flag(flag) => i64::from(*flag).to_string(),
        ListCell::Texts(texts) => texts.join("\n"),
        ListCell::Json(value) => value.to_string(),
        ListCell::Empty => String::new(),
    }
}

#[test]
fn filters_let_through_what_a_look_at_each_row_would() {
    let at = filled();
    for (of, filter, fits) in CASES {
        let all = page(&at, *of, &query(*of, "", of.default_sort(), 500));
        let kept = all.rows.iter().filter(|row| {
            let cell = |key: &str| text(&row.cells[of.column(key).expect(key)]);
            fits(&cell)
        });
        let mut expected: Vec<String> = kept.map(|row| row.id.clone()).collect();
        let found = page(&at, *of, &query(*of, filter, of.default_sort(), 500));
        assert_eq!(found.matched.n, expected.len() as u64, "{filter}");
        assert!(found.matched.is_exact && found.is_complete, "{filter}");
        assert_eq!(found.total, all.total);
        let ids: Vec<String> = found.rows.iter().map(|row| row.id.clone()).collect();
        assert_eq!(ids, expected, "{filter}");
        expected.sort();
        for (column, known) in of.columns().iter().enumerate() {
            if !known.sortable {
                continue;
            }
            for from_end in [false, true] {
                let sort = ListSort {
                    column,
                    descending: from_end,
                };
                let mut ids = walked(&at, *of, &query(*of, filter, sort, 4), from_end);
                ids.sort();
                assert_eq!(ids, expected, "{filter} by {}", known.key);
            }
        }
    }
}

#[test]
fn a_search_in_a_large_table_ends_at_its_bound_and_goes_on() {
    let at = Installation::new();
    rows(&at)
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
             INSERT INTO flows (id, user_id, name, graph, created_at, updated_at, due_at)
             SELECT printf('ac%022x', i), 'aa', iif(i % 12000 = 0, 'rare ', 'flow ') || i, '{}',
                 i, i, iif(i % 2, i, NULL) FROM n;",
        )
        .unwrap();
    let of = ListOf::Flows;
    let ids = |filter: &str, sort: &str, from_end: bool| {
        let sort = ListSort::parse(sort, of).unwrap();
        walked(&at, of, &query(of, filter, sort, 5), from_end)
    };
    let rare = [format!("ac{:022x}", 12_000), format!("ac{:022x}", 24_000)];
    for sort in ["created_at", "name", "updated_at", "next"] {
        assert_eq!(ids("rare", sort, false), rare, "{sort}");
        assert_eq!(ids("rare", sort, true), rare, "{sort}");
    }
    let sort = ListSort::parse("created", of).unwrap();
    let first = page(&at, of, &query(of, "rare", sort, 5));
    assert!(first.rows.is_empty() && !first.is_complete && first.after.is_some());
    assert_eq!((first.matched.n, first.matched.is_exact), (0, false));
    assert_eq!((first.total.n, first.total.is_exact), (25_000, true));
    // All of them fit, so the page is full long before the bound.
    let full = page(&at, of, &query(of, "flow", sort, 5));
    assert!(full.rows.len() == 5 && full.is_complete && !full.matched.is_exact);
}

#[test]
fn a_large_table_without_an_index_is_sorted_in_its_newest_rows() {
    let at = Installation::new();
    rows(&at)
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20005)
             INSERT INTO executions (id, flow_id, flow_version, trigger, status, started_at,
                 finished_at, parts, steps_total, errors_total, queued, has_bodies)
             SELECT printf('ad%022x', i), printf('ac%022x', i % 2), 1, 'manual', 'success', i,
                 i + i, 1, 1, 0, 0, 0 FROM n;",
        )
        .unwrap();
    let of = ListOf::Executions;
    let by = |filter: &str| {
        let sort = ListSort::parse("took", of).unwrap();
        page(&at, of, &query(of, filter, sort, 1))
    };
    let shortest = by("");
    assert_eq!(shortest.rows[0].id, format!("ad{:022x}", 6));
    assert!(!shortest.is_complete && !shortest.matched.is_exact);
    let of_flow = by(&format!("flow:ac{:022x}", 1));
    assert_eq!(of_flow.rows[0].id, format!("ad{:022x}", 1));
    assert!(of_flow.is_complete && of_flow.matched.is_exact);
    assert_eq!(of_flow.matched.n, 10_003);
}

#[test]
fn lists_are_for_the_operator_and_refuse_orders_that_they_do_not_have() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let first = ListQuery::first(ListOf::Users, 10);
    let refused = at.app.list(&ada, ListOf::Users, &first).unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    for column in [2, 99] {
        let mut wrong = ListQuery::first(ListOf::Users, 10);
        wrong.sort.column = column;
        let refused = at.app.list(&operator(), ListOf::Users, &wrong).unwrap_err();
        assert_eq!(refused.fields()[0].field, "sort");
    }
    let none = ListQuery::first(ListOf::Users, 0);
    assert_eq!(
        at.app
            .list(&operator(), ListOf::Users, &none)
            .unwrap()
            .rows
            .len(),
        1
    );
}

#[test]
fn no_list_shows_a_secret() {
    let at = filled();
    for of in ListOf::ALL {
        let keys: Vec<&str> = of.columns().iter().map(|column| column.key).collect();
        for secret in ["password_hash", "hash", "sealed", "token_hash"] {
            assert!(!keys.contains(&secret), "{} {secret}", of.as_str());
        }
        let all = page(&at, of, &ListQuery::first(of, 500));
        let shown = format!("{:?}", all.rows);
        assert!(!shown.contains("$argon2"), "{}", of.as_str());
    }
}
