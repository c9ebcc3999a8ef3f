//! Brings a database file to the schema of this binary, or says why it can't.
//!
//! `schema.sql` is the truth: a new database is made from it in one transaction. Old
//! databases walk the append-only list [`MIGRATIONS`] to the same place, which
//! `tests/store/schema.rs` proves. `user_version` is the number of applied migrations.
//!
//! Rules for a migration: it is never changed once released; it has no `BEGIN` and no
//! `COMMIT`; it may rebuild tables, since foreign keys are off while it runs and are
//! checked before its commit; a new column stands at the end of its table in
//! `schema.sql`, where `ALTER TABLE` puts it.

use rusqlite::Connection;

use crate::domain::error::{Error, Kind, Result};
use crate::store::connect::Source;

/// The whole current schema.
pub const SCHEMA: &str = include_str!("../../schema.sql");

/// Every step from the first release to now; entry 0 is the first schema, frozen.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "the first schema",
        sql: include_str!("migrations/0001.sql"),
    },
    Migration {
        name: "the engine",
        sql: include_str!("migrations/0002.sql"),
    },
    Migration {
        name: "organizations, lookups and data samples",
        sql: include_str!("migrations/0003.sql"),
    },
    Migration {
        name: "the object storage",
        sql: include_str!("migrations/0004.sql"),
    },
    Migration {
        name: "the lengths of lists of flows",
        sql: include_str!("migrations/0005.sql"),
    },
    Migration {
        name: "scheduled executions",
        sql: include_str!("migrations/0006.sql"),
    },
    Migration {
        name: "orders of lists",
        sql: include_str!("migrations/0007.sql"),
    },
    Migration {
        name: "large bodies as files",
        sql: include_str!("migrations/0008.sql"),
    },
    Migration {
        name: "logos of components, ends of invites",
        sql: include_str!("migrations/0009.sql"),
    },
    Migration {
        name: "states of lists of flows",
        sql: include_str!("migrations/0010.sql"),
    },
    Migration {
        name: "the network of components",
        sql: include_str!("migrations/0011.sql"),
    },
    Migration {
        name: "the audit log's door of SSH",
        sql: include_str!("migrations/0012.sql"),
    },
    Migration {
        name: "superseded keys of credentials",
        sql: include_str!("migrations/0013.sql"),
    },
    Migration {
        name: "history without a check of its JSON",
        sql: include_str!("migrations/0014.sql"),
    },
    Migration {
        name: "tombstones for administrators",
        sql: include_str!("migrations/0015.sql"),
    },
];

/// The mark of our files, which `file` and SQLite's tools show: the letters "elas".
pub const APPLICATION_ID: i32 = 0x656c_6173;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// What it does, for the log.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// A schema and the way to it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The whole schema, for new databases.
    pub schema: &'static str,
    /// The steps, for old ones.
    pub migrations: &'static [Migration],
}

impl Plan {
    /// Returns the plan that this binary knows.
    pub fn of_this_binary() -> Self {
        Self {
            schema: SCHEMA,
            migrations: MIGRATIONS,
        }
    }

    /// Returns the number that a database of the current schema bears.
    pub fn version(&self) -> i64 {
        i64::try_from(self.migrations.len()).expect("a list of migrations fits in an i64")
    }
}

/// What a database file is to this binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Empty,
    Old(i64),
    Current,
}

/// Refuses files that are not ours, or of a newer binary, before anything is changed.
pub(in crate::store) fn refuse_strangers(source: &Source, conn: &Connection) -> Result<()> {
    standing(source, conn).map(|_| ())
}

/// Accepts a database of exactly the current schema and refuses all others.
pub(in crate::store) fn require_current(source: &Source, conn: &Connection) -> Result<()> {
    let plan = &source.options().plan;
    match standing(source, conn)? {
        Standing::Current => Ok(()),
        Standing::Empty => Err(foreign(source)),
        Standing::Old(version) => {
            let message = format!(
                "{}: this database has schema {version}, this binary needs {}: \
                 run `elastane serve` once, which brings it up to date",
                source.path().display(),
                plan.version()
            );
            Err(Error::new(Kind::Conflict, message))
        }
    }
}

/// Makes the schema in an empty file, if `create`; brings an old one up to date.
pub(in crate::store) fn bring_up_to_date(
    source: &Source,
    conn: &Connection,
    create: bool,
) -> Result<()> {
    loop {
        match standing(source, conn)? {
            Standing::Current => return Ok(()),
            Standing::Empty if create => make(source, conn)?,
            Standing::Empty => return Err(foreign(source)),
            Standing::Old(version) => step(source, conn, version)?,
        }
    }
}

/// The marks of a database file.
struct Marks {
    application: i32,
    version: i64,
    objects: i64,
}

/// Reads the marks of one moment; another process may be making the schema.
fn marks(conn: &Connection) -> rusqlite::Result<Marks> {
    let alone = conn.is_autocommit();
    if alone {
        conn.execute_batch("BEGIN")?;
    }
    let read = || {
        Ok(Marks {
            application: application_id(conn)?,
            version: user_version(conn)?,
            objects: conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?,
        })
    };
    let marks = read();
    if alone {
        conn.execute_batch("ROLLBACK")?;
    }
    marks
}

/// Finds out what a database file is; refuses strangers and newer ones.
fn standing(source: &Source, conn: &Connection) -> Result<Standing> {
    let plan = &source.options().plan;
    let found = marks(conn).map_err(|error| source.explain(error))?;
    let version = found.version;
    if found.application != APPLICATION_ID {
        if found.application == 0 && version == 0 && found.objects == 0 {
            return Ok(Standing::Empty);
        }
        return Err(foreign(source));
    }
    if version > plan.version() {
        let message = format!(
            "{}: this database was made by a newer elastane (schema {version}, \
             this binary knows {}): use that version",
            source.path().display(),
            plan.version()
        );
        return Err(Error::new(Kind::Conflict, message));
    }
    if version == plan.version() {
        return Ok(Standing::Current);
    }
    Ok(Standing::Old(version))
}

/// Makes the whole schema, if the file is still empty once we hold the lock.
fn make(source: &Source, conn: &Connection) -> Result<()> {
    let plan = &source.options().plan;
    in_transaction(conn, || {
        if standing(source, conn)? != Standing::Empty {
            return Ok(());
        }
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
        conn.execute_batch(plan.schema)?;
        finish(conn, plan.version())
    })
}

/// Applies the migration after `version`, unless another process just did.
fn step(source: &Source, conn: &Connection, version: i64) -> Result<()> {
    let plan = &source.options().plan;
    let next = usize::try_from(version)
        .ok()
        .and_then(|at| plan.migrations.get(at));
    let Some(migration) = next else {
        return Err(foreign(source));
    };
    // Inside a transaction this pragma would do nothing, and say nothing.
    conn.pragma_update(None, "foreign_keys", false)?;
    let done = in_transaction(conn, || {
        if standing(source, conn)? != Standing::Old(version) {
            return Ok(());
        }
        tracing::info!(
            version = version + 1,
            name = migration.name,
            "migrating the database"
        );
        conn.execute_batch(migration.sql)?;
        refuse_orphans(conn, migration)?;
        finish(conn, version + 1)
    });
    conn.pragma_update(None, "foreign_keys", true)?;
    done
}

/// Runs `body` in one writing transaction; an error undoes everything.
fn in_transaction(conn: &Connection, body: impl FnOnce() -> Result<()>) -> Result<()> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let done = body().and_then(|()| Ok(conn.execute_batch("COMMIT")?));
    if done.is_err() && !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    done
}

/// Writes the version, if the statements before left the transaction open.
fn finish(conn: &Connection, version: i64) -> Result<()> {
    if conn.is_autocommit() {
        return Err(Error::internal("a migration ended its own transaction"));
    }
    conn.pragma_update(None, "user_version", version)?;
    Ok(())
}

/// Refuses a migration that leaves references to nothing.
fn refuse_orphans(conn: &Connection, migration: &Migration) -> Result<()> {
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    if let Some(row) = rows.next()? {
        let table: String = row.get(0)?;
        let message = format!("migration {:?} leaves orphans in {table}", migration.name);
        return Err(Error::internal(message));
    }
    Ok(())
}

/// Returns the mark of the program that made the file; 0 where none set it.
pub(in crate::store) fn application_id(conn: &Connection) -> rusqlite::Result<i32> {
    conn.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// Returns the number of applied migrations.
pub(in crate::store) fn user_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn foreign(source: &Source) -> Error {
    let message = format!("{} is not an Elastane database", source.path().display());
    Error::new(Kind::Invalid, message)
}
