//! The two handles through which statements run: [`Read`] and [`Write`].
//!
//! Resources add their statements here, each in its own file: queries to `Read`,
//! changes to `Write`. A `Write` exists only inside a job of the writer, so a change
//! outside a transaction does not compile.

use std::ops::Deref;

use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::domain::error::Result;
use crate::store::connect::{Deadline, Link};
use crate::store::sql::too_long;

/// One transaction that may look: everything in it sees the same moment.
pub struct Read<'c> {
    conn: &'c Connection,
    deadline: &'c Deadline,
}

impl<'c> Read<'c> {
    /// Wraps a connection in which a transaction is open.
    pub(in crate::store) fn new(link: &'c Link) -> Self {
        Self {
            conn: &link.conn,
            deadline: &link.deadline,
        }
    }

    /// Returns the connection, for statements that the helpers do not fit.
    pub(in crate::store) fn conn(&self) -> &Connection {
        self.conn
    }

    /// Returns the connection to the tests of the store, which bring tables of their own.
    ///
    /// No file under `src/` but this one may say `raw_for_tests`; `tests/tidy.rs` looks.
    #[doc(hidden)]
    pub fn raw_for_tests(&self) -> &Connection {
        self.conn
    }

    /// Returns the first row as a value, or nothing where there is no row.
    pub(in crate::store) fn query_opt<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.in_time()?;
        let mut statement = self.conn().prepare_cached(sql)?;
        Ok(statement.query_row(params, map).optional()?)
    }

    /// Returns the one row of a statement that always has one, such as a count.
    pub(in crate::store) fn query_one<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.in_time()?;
        let mut statement = self.conn().prepare_cached(sql)?;
        Ok(statement.query_row(params, map)?)
    }

    /// Returns all rows as values; the statement has a `LIMIT` where a table may be large.
    pub(in crate::store) fn query_all<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.in_time()?;
        let mut statement = self.conn().prepare_cached(sql)?;
        let rows = statement.query_map(params, map)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Refuses to begin a statement after the deadline.
    ///
    /// SQLite looks at the clock only while it works, so many short statements, or
    /// a pause between two of them, would pass its eye.
    fn in_time(&self) -> Result<()> {
        if self.deadline.passed() {
            return Err(too_long());
        }
        Ok(())
    }
}

/// One transaction that may change: a job of the writer.
pub struct Write<'c> {
    read: Read<'c>,
}

impl<'c> Write<'c> {
    /// Wraps the writer's connection inside a job's savepoint.
    pub(in crate::store) fn new(link: &'c Link) -> Self {
        Self {
            read: Read::new(link),
        }
    }

    /// Runs a statement that changes rows; returns how many it changed.
    pub(in crate::store) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.in_time()?;
        let mut statement = self.conn().prepare_cached(sql)?;
        Ok(statement.execute(params)?)
    }
}

impl<'c> Deref for Write<'c> {
    type Target = Read<'c>;

    fn deref(&self) -> &Read<'c> {
        &self.read
    }
}
