//! The facts about a database file that a person needs to trust it.

use crate::domain::error::Result;
use crate::store::connect::Source;
use crate::store::migrate;

/// What SQLite finds when it looks at every page and every reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is wrong with the pages and indexes; empty when all is well.
    pub integrity: Vec<String>,
    /// The rows that refer to nothing; empty when all is well.
    pub orphans: Vec<Orphan>,
    /// The number of applied migrations.
    pub user_version: i64,
    /// The pages of the file.
    pub page_count: i64,
    /// The pages of them that hold nothing.
    pub freelist_count: i64,
    /// The bytes of a page.
    pub page_size: i64,
    /// The bytes of the write-ahead log.
    pub wal_bytes: u64,
}

impl Check {
    /// Tells whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.integrity.is_empty() && self.orphans.is_empty()
    }
}

/// A row that refers to a row that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The table of the row.
    pub table: String,
    /// The row's number; missing in tables without one.
    pub rowid: Option<i64>,
    /// The table in which the other row should be.
    pub parent: String,
}

/// Looks at everything, on a connection of its own and without a time limit.
pub(in crate::store) fn check(source: &Source) -> Result<Check> {
    let link = source.reader()?;
    let conn = &link.conn;
    let number = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let integrity = conn
        .prepare("PRAGMA integrity_check")?
        .query_map([], |row| row.get::<_, String>(0))?
        .filter(|line| !line.as_ref().is_ok_and(|line| line == "ok"))
        .collect::<rusqlite::Result<_>>()?;
    let orphans = conn
        .prepare("PRAGMA foreign_key_check")?
        .query_map([], |row| {
            Ok(Orphan {
                table: row.get(0)?,
                rowid: row.get(1)?,
                parent: row.get(2)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Check {
        integrity,
        orphans,
        user_version: migrate::user_version(conn)?,
        page_count: number("page_count")?,
        freelist_count: number("freelist_count")?,
        page_size: number("page_size")?,
        wal_bytes: source.wal_bytes(),
    })
}
