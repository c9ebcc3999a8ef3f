//! The large lists walk along their indexes: what SQLite says that it will do.

use super::*;
use crate::domain::listing::{ListFilter, ListSort};
use crate::store::{OpenMode, Store};

/// Lists, filters, sorts, and how SQLite says that it looks the rows up.
const CASES: &[(ListOf, &str, &str, &str)] = &[
    (
        ListOf::Flows,
        "",
        "name",
        "INDEX flows_name (name>? AND name<?)",
    ),
    (
        ListOf::Flows,
        "a",
        "-name",
        "INDEX flows_name (name>? AND name<?)",
    ),
    (
        ListOf::Flows,
        "state:fail",
        "updated",
        "INDEX flows_updated (updated_at>? AND updated_at<?)",
    ),
    (
        ListOf::Flows,
        "status:active",
        "next",
        "INDEX flows_due (due_at>? AND due_at<?)",
    ),
    (
        ListOf::Flows,
        "a",
        "created",
        "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    ),
    (
        ListOf::Users,
        "state:active",
        "email",
        "sqlite_autoindex_users_2 (email_key>? AND email_key<?)",
    ),
    (
        ListOf::Executions,
        "",
        "started",
        "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    ),
    (
        ListOf::Executions,
        "state:success",
        "-started",
        "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    ),
    (
        ListOf::Executions,
        "age:<1h",
        "-started",
        "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    ),
    (
        ListOf::Executions,
        "state:error",
        "-started",
        "INDEX executions_errors (seq>? AND seq<?)",
    ),
    (
        ListOf::Executions,
        "errors:>0",
        "started",
        "INDEX executions_errors (seq>? AND seq<?)",
    ),
    (
        ListOf::Executions,
        "state:canc",
        "started",
        "INDEX executions_ended (seq>? AND seq<?)",
    ),
    (
        ListOf::Executions,
        "flow:ac0000000000000000000003",
        "-started",
        "INDEX executions_flow (flow_id=? AND seq>? AND seq<?)",
    ),
    (
        ListOf::Executions,
        "flow:ac0000000000000000000003 state:error",
        "-started",
        "INDEX executions_failed (flow_id=? AND seq>? AND seq<?)",
    ),
    (
        ListOf::Audit,
        "actor_id:ac0000000000000000000003",
        "-at",
        "INDEX audit_log_actor (actor_id=? AND id>? AND id<?)",
    ),
    (
        ListOf::Audit,
        "object:=flow/ac0000000000000000000003",
        "-at",
        "INDEX audit_log_object (object_kind=? AND object_id=? AND id>? AND id<?)",
    ),
];

/// Returns the plan of a walk through a list from a place on, a line a loop.
fn plan(read: &Read<'_>, list: ListOf, filter: &str, sort: &str) -> Vec<String> {
    let sort = ListSort::parse(sort, list).expect("a sort");
    let place = ListCursor {
        value: SortValue::Number(1),
        key: SortValue::Number(1),
    };
    let filter = ListFilter::parse(filter, list, 1_000_000_000).expect("a filter");
    let search = Search {
        list,
        source: source::of(list),
        rows: Rows::of(read, list, &filter).expect("rows"),
        descending: sort.descending,
        backwards: false,
        from: Some(&place),
        wanted: 10,
    };
    let (along, condition) = match search.source.columns[sort.column].order {
        Order::Made => (None, String::new()),
        Order::Index(along) => (Some(along), String::new()),
        Order::PartIndex(along) => (Some(along), format!(" AND {along} IS NOT NULL")),
        other => panic!("{other:?} is no walk"),
    };
    let leg = Leg {
        search: &search,
        along,
        condition,
        has_value: along.is_some(),
    };
    let mut sql = Piece::of("EXPLAIN QUERY PLAN ");
    sql.append(&leg.select(Some(&place), Some(&place)));
    sql.append(&search.rows.asked);
    sql.push(&leg.order());
    let values = params_from_iter(&sql.values);
    let lines = read.query_all(&sql.text, values, |row| row.get(3));
    lines.expect("a plan")
}

#[test]
fn walks_use_their_indexes_at_both_ends_and_sort_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store =
        Store::open(&folder.path().join("elastane.db"), OpenMode::Create).expect("a database");
    store
        .read(|read| {
            for (list, filter, sort, expected) in CASES {
                let plan = plan(read, *list, filter, sort);
                let what = format!("{} {filter} by {sort}: {plan:?}", list.as_str());
                assert!(plan[0].starts_with("SEARCH x USING"), "{what}");
                assert!(plan[0].contains(expected), "{what}");
                assert!(
                    !plan.iter().any(|line| line.contains("TEMP B-TREE")),
                    "{what}"
                );
            }
            Ok(())
        })
        .expect("plans");
}
