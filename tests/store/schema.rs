//! The schema: what `schema.sql` says, what migrations reach, what they refuse.

use std::collections::BTreeMap;

use elastane::domain::error::Kind;
use elastane::store::options::Options;
use elastane::store::{MIGRATIONS, Migration, OpenMode, Plan, SCHEMA, Store};

use super::support::Place;

const FIRST: Migration = Migration {
    name: "first",
    sql: "CREATE TABLE people (
              id INTEGER PRIMARY KEY,
              name TEXT NOT NULL -- as it is spoken
          ) STRICT;
          CREATE TABLE dogs (
              id INTEGER PRIMARY KEY,
              owner INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE
          ) STRICT;
          INSERT INTO people VALUES (1, 'Ada');
          INSERT INTO dogs VALUES (1, 1);",
};

/// Rebuilds a table that another one refers to, which needs foreign keys off.
const REBUILD: Migration = Migration {
    name: "rebuild",
    sql: "CREATE TABLE new_people (
              id INTEGER PRIMARY KEY,
              name TEXT NOT NULL CHECK (name <> '')
          ) STRICT;
          INSERT INTO new_people SELECT id, name FROM people;
          DROP TABLE people;
          ALTER TABLE new_people RENAME TO people;
          ALTER TABLE people ADD COLUMN age INTEGER;
          CREATE INDEX people_by_name ON people (name) WHERE age > 3;",
};

const WHOLE: &str = "
    CREATE TABLE people (
        id INTEGER PRIMARY KEY,           -- a number
        name TEXT NOT NULL CHECK (name <> ''),
        age INTEGER
    ) STRICT;
    CREATE INDEX people_by_name ON people (name) WHERE age > 3;
    CREATE TABLE dogs (
        id INTEGER PRIMARY KEY,
        owner INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE
    ) STRICT;";

fn open(place: &Place, mode: OpenMode, plan: Plan) -> elastane::domain::error::Result<Store> {
    let options = Options {
        plan,
        ..Options::default()
    };
    Store::open_with(&place.path(), mode, options)
}

fn plan(schema: &'static str, migrations: &'static [Migration]) -> Plan {
    Plan { schema, migrations }
}

/// Makes a database of the first migration and brings it up to date with the rest.
fn migrated(place: &Place, migrations: &'static [Migration]) -> Store {
    let first = plan(migrations[0].sql, &migrations[..1]);
    drop(open(place, OpenMode::Create, first).unwrap());
    open(place, OpenMode::Migrate, plan("", migrations)).unwrap()
}

#[test]
fn the_migrations_reach_the_schema() {
    let (old, new) = (Place::new(), Place::new());
    let reached = migrated(&old, MIGRATIONS);
    let fresh = open(&new, OpenMode::Create, plan(SCHEMA, MIGRATIONS)).unwrap();
    assert_eq!(reached.schema().unwrap(), fresh.schema().unwrap());
    assert!(reached.check().unwrap().is_sound());
}

#[test]
fn a_rebuilt_table_equals_the_written_one_and_keeps_its_rows() {
    let (old, new) = (Place::new(), Place::new());
    let reached = migrated(&old, &[FIRST, REBUILD]);
    let fresh = open(&new, OpenMode::Create, plan(WHOLE, &[FIRST, REBUILD])).unwrap();
    assert_eq!(reached.schema().unwrap(), fresh.schema().unwrap());
    let dogs = reached.read(|read| super::support::count(read, "SELECT count(*) FROM dogs"));
    assert_eq!(dogs.unwrap(), 1);
    assert!(reached.check().unwrap().is_sound());
}

#[test]
fn the_audit_log_keeps_its_entries_and_numbers_when_it_gets_the_door_of_ssh() {
    const BEFORE: Migration = Migration {
        name: "entries, the newest of which was pruned",
        sql: "INSERT INTO audit_log (id, at, actor_kind, channel, action)
                  VALUES (7, 1, 'user', 'api', 'a'), (9, 1, 'user', 'cli', 'b');
              DELETE FROM audit_log WHERE id = 9;",
    };
    const AFTER: Migration = Migration {
        name: "one of the new door",
        sql: "INSERT INTO audit_log (at, actor_kind, channel, action)
                  VALUES (1, 'user', 'ssh', 'c');",
    };
    let rest = MIGRATIONS[1..].iter().map(|one| Migration {
        name: one.name,
        sql: one.sql,
    });
    let first = Migration {
        name: MIGRATIONS[0].name,
        sql: MIGRATIONS[0].sql,
    };
    let all: Vec<_> = [first, BEFORE]
        .into_iter()
        .chain(rest)
        .chain([AFTER])
        .collect();
    let place = Place::new();
    let store = migrated(&place, all.leak());
    let numbers = store.read(|read| {
        let mut statement = read
            .raw_for_tests()
            .prepare("SELECT id FROM audit_log ORDER BY id")?;
        let numbers = statement.query_map([], |row| row.get::<_, i64>(0))?;
        Ok(numbers.collect::<rusqlite::Result<Vec<_>>>()?)
    });
    assert_eq!(numbers.unwrap(), [7, 10]);
}

#[test]
fn the_description_tells_schemas_apart() {
    let describe = |schema: &'static str| {
        let place = Place::new();
        let store = open(&place, OpenMode::Create, plan(schema, &[FIRST])).unwrap();
        store.schema().unwrap()
    };
    let base = "CREATE TABLE t (a INTEGER, b TEXT CHECK (b <> '')) STRICT;";
    let others = [
        "CREATE TABLE t (a INTEGER, b TEXT CHECK (b <> 'x')) STRICT;",
        "CREATE TABLE t (a INTEGER NOT NULL, b TEXT CHECK (b <> '')) STRICT;",
        "CREATE TABLE t (a INTEGER, b TEXT CHECK (b <> ''));",
        "CREATE TABLE t (a INTEGER, b TEXT CHECK (b <> '')) STRICT; CREATE INDEX i ON t (a);",
        "CREATE TABLE t (a INTEGER REFERENCES t (a), b TEXT CHECK (b <> '')) STRICT;",
    ];
    assert_eq!(
        describe(base),
        describe("create table T(\n a integer, -- x\n b text check(b<>''))strict;")
            .replace("table T on T", "table t on t")
            .replace(" T:", " t:")
    );
    for other in others {
        assert_ne!(describe(base), describe(other), "{other}");
    }
}

#[test]
fn migrating_twice_changes_nothing() {
    let place = Place::new();
    let once = migrated(&place, &[FIRST, REBUILD]);
    let (schema, version) = (once.schema().unwrap(), once.check().unwrap().user_version);
    assert_eq!(version, 2);
    drop(once);
    for mode in [
        OpenMode::Migrate,
        OpenMode::Create,
        OpenMode::Existing,
        OpenMode::ReadOnly,
    ] {
        let again = open(&place, mode, plan("", &[FIRST, REBUILD])).unwrap();
        assert_eq!(again.schema().unwrap(), schema);
        assert_eq!(again.check().unwrap().user_version, 2);
    }
}

#[test]
fn an_old_database_is_migrated_only_by_who_may() {
    let place = Place::new();
    drop(open(&place, OpenMode::Create, plan(FIRST.sql, &[FIRST])).unwrap());
    for mode in [OpenMode::Existing, OpenMode::ReadOnly] {
        let error = open(&place, mode, plan("", &[FIRST, REBUILD])).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        let told = "this database has schema 1, this binary needs 2: run `elastane serve` once";
        assert!(error.message().contains(told), "{error}");
    }
    open(&place, OpenMode::Create, plan("", &[FIRST, REBUILD])).unwrap();
}

#[test]
fn a_failed_migration_leaves_the_database_as_it_was() {
    const BROKEN: Migration = Migration {
        name: "broken",
        sql: "ALTER TABLE people ADD COLUMN age INTEGER; SELECT nonsense;",
    };
    const ORPHANS: Migration = Migration {
        name: "orphans",
        sql: "DELETE FROM people;",
    };
    const ESCAPES: Migration = Migration {
        name: "escapes",
        sql: "COMMIT;",
    };
    const LISTS: [&[Migration]; 3] = [&[FIRST, BROKEN], &[FIRST, ORPHANS], &[FIRST, ESCAPES]];
    for migrations in LISTS {
        let place = Place::new();
        let before = open(&place, OpenMode::Create, plan(FIRST.sql, &[FIRST])).unwrap();
        let schema = before.schema().unwrap();
        drop(before);
        let error = open(&place, OpenMode::Migrate, plan("", migrations)).unwrap_err();
        assert_eq!(error.kind(), Kind::Internal);
        let after = open(&place, OpenMode::Existing, plan("", &[FIRST])).unwrap();
        assert_eq!(after.schema().unwrap(), schema, "{}", migrations[1].name);
        assert!(after.check().unwrap().is_sound());
        let people = after.read(|read| super::support::count(read, "SELECT count(*) FROM people"));
        assert_eq!(people.unwrap(), 1);
    }
}

#[test]
fn every_table_is_strict_and_no_key_may_be_missing() {
    let place = Place::new();
    let store = open(&place, OpenMode::Create, plan(SCHEMA, MIGRATIONS)).unwrap();
    let list = |sql: &'static str| {
        store
            .read(|read| {
                let mut statement = read.raw_for_tests().prepare(sql)?;
                let names = statement.query_map([], |row| row.get::<_, String>(0))?;
                Ok(names.collect::<rusqlite::Result<Vec<_>>>()?)
            })
            .unwrap()
    };
    let lax = list(
        "SELECT name FROM pragma_table_list
         WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
    );
    assert_eq!(lax, Vec::<String>::new(), "tables that are not STRICT");
    let tables = list("SELECT name FROM pragma_table_list WHERE type = 'table' AND strict");
    assert!(!tables.is_empty());
}

/// Returns the columns of a schema's text that have no comment, as `table.column`.
///
/// A comment stands on the line of its column or on the line before.
fn uncommented(schema: &str, columns: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut missing = Vec::new();
    for (table, columns) in columns {
        let head = format!("CREATE TABLE {table} (");
        let body = schema.split_once(&head).map_or("", |(_, rest)| rest);
        let body = body.split_once("\n)").map_or("", |(body, _)| body);
        let lines: Vec<&str> = body.lines().map(str::trim).collect();
        for column in columns {
            let at = lines
                .iter()
                .position(|line| line.split_whitespace().next() == Some(column));
            let told = at.is_some_and(|at| {
                let before = at > 0 && lines[at - 1].starts_with("-- ");
                before || lines[at].contains("-- ")
            });
            if !told {
                missing.push(format!("{table}.{column}"));
            }
        }
    }
    missing
}

/// Returns the columns of each table of a schema.
fn columns_of(schema: &'static str) -> BTreeMap<String, Vec<String>> {
    let place = Place::new();
    let store = open(&place, OpenMode::Create, plan(schema, &[FIRST])).unwrap();
    let sql = "SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_xinfo(s.name) c
               WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite~_%' ESCAPE '~'";
    let pairs: Vec<(String, String)> = store
        .read(|read| {
            let mut statement = read.raw_for_tests().prepare(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    let mut columns = BTreeMap::<String, Vec<String>>::new();
    for (table, column) in pairs {
        columns.entry(table).or_default().push(column);
    }
    columns
}

#[test]
fn every_column_has_a_comment() {
    let columns = columns_of(SCHEMA);
    assert!(!columns.is_empty());
    assert_eq!(uncommented(SCHEMA, &columns), Vec::<String>::new());
}

#[test]
fn a_column_without_a_comment_is_found() {
    let schema = "CREATE TABLE t (\n    a INTEGER, -- told\n    -- told too\n    b TEXT,\n\n    c TEXT\n) STRICT;";
    assert_eq!(uncommented(schema, &columns_of(schema)), ["t.c"]);
}
