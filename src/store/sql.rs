//! The one place where an error of SQLite becomes an error of the house, and where
//! domain values become columns.
//!
//! Extended result codes decide, never texts: a text changes with the version and
//! holds values of the row.

use rusqlite::ffi;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde_json::Value;

use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::{
    ApiKeyId, ComponentId, CredentialId, DataSampleId, ExecutionId, FlowId, InviteId, LookupId,
    ObjectId, OrganizationId, ScheduledExecutionId, SshKeyId, TeamId, UserId,
};

/// A person has to come first; clients need not ask often.
const DAMAGED_RETRY_S: u32 = 300;

/// The seconds after which a busy or full database is worth another try: long
/// enough for a checkpoint or a rival's commit, short enough for a person.
pub(in crate::store) const RETRY_S: u32 = 1;

/// Maps an error of SQLite.
///
/// A taken key is a [`Kind::Conflict`]; what may pass by itself (full disk, failed
/// I/O, locks, a query stopped for its length, no memory) is [`Kind::Unavailable`];
/// all else is a fault of ours. The source is for the log.
pub(in crate::store) fn sql(error: rusqlite::Error) -> Error {
    let shape = shape(&error);
    dress(shape).caused_by(error)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        sql(error)
    }
}

/// Names the field of a conflict: `or_taken(result, "email", "is taken")`.
///
/// Only the caller knows which of its columns are unique, since the code does not
/// say and the text is not read. Other errors pass unchanged.
pub(in crate::store) fn or_taken<T>(result: Result<T>, field: &str, message: &str) -> Result<T> {
    result.map_err(|error| match error.kind() {
        Kind::Conflict => Error::conflict(field, message).caused_by(error),
        _ => error,
    })
}

/// The answer that a result code asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Shape {
    Taken,
    TooLong,
    Full,
    Closed,
    Busy,
    Damaged,
    Fault,
}

/// Returns the answer that an error asks for.
pub(in crate::store) fn shape(error: &rusqlite::Error) -> Shape {
    let Some(cause) = error.sqlite_error() else {
        return Shape::Fault;
    };
    match cause.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => return Shape::Taken,
        _ => {}
    }
    // The low byte is the primary code; the rest only says where it happened.
    match cause.extended_code & 0xff {
        ffi::SQLITE_INTERRUPT => Shape::TooLong,
        ffi::SQLITE_FULL => Shape::Full,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => Shape::Damaged,
        ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY => Shape::Closed,
        ffi::SQLITE_BUSY
        | ffi::SQLITE_LOCKED
        | ffi::SQLITE_PROTOCOL
        | ffi::SQLITE_IOERR
        | ffi::SQLITE_NOMEM => Shape::Busy,
        _ => Shape::Fault,
    }
}

/// Returns the error of a shape, without its source.
pub(in crate::store) fn dress(shape: Shape) -> Error {
    match shape {
        Shape::Taken => Error::new(Kind::Conflict, "it exists already"),
        Shape::TooLong => too_long(),
        Shape::Full => Error::unavailable("the disk of the database is full", 60),
        Shape::Closed | Shape::Busy => {
            Error::unavailable("the database cannot be used at the moment", RETRY_S)
        }
        Shape::Damaged => Error::unavailable(
            "the database file is damaged: run `elastane check`, and restore a backup",
            DAMAGED_RETRY_S,
        ),
        Shape::Fault => Error::new(Kind::Internal, "internal error"),
    }
}

/// Returns the error of a query that was stopped because it ran too long.
pub(in crate::store) fn too_long() -> Error {
    Error::unavailable("the database took too long; ask for less", RETRY_S)
}

macro_rules! id_columns {
    ($($id:ty),* $(,)?) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.to_string()))
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(FromSqlError::other)
            }
        }
    )*};
}

// Ids are columns of 24 hex digits: they read well in a console of SQLite, and they
// sort by the time of their making.
id_columns!(
    UserId,
    ApiKeyId,
    TeamId,
    ComponentId,
    SshKeyId,
    CredentialId,
    FlowId,
    ExecutionId,
    ScheduledExecutionId,
    OrganizationId,
    InviteId,
    LookupId,
    DataSampleId,
    ObjectId,
);

/// A JSON value in a TEXT column with `CHECK (json_valid(col))`.
///
/// Bound as it is, a `Value` would store `null` as SQL's NULL and a number as a number.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Json(pub(in crate::store) Value);

impl ToSql for Json {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_string()))
    }
}

impl FromSql for Json {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let parsed = serde_json::from_str(value.as_str()?).map_err(FromSqlError::other)?;
        Ok(Self(parsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("row: secret".to_owned()))
    }

    #[test]
    fn codes_become_kinds_and_texts_stay_inside() {
        let cases = [
            (2067, Kind::Conflict),
            (1555, Kind::Conflict),
            (2579, Kind::Conflict),
            (787, Kind::Internal),
            (1299, Kind::Internal),
            (275, Kind::Internal),
            (3091, Kind::Internal),
            (ffi::SQLITE_FULL, Kind::Unavailable),
            (ffi::SQLITE_IOERR_FSYNC, Kind::Unavailable),
            (ffi::SQLITE_BUSY_SNAPSHOT, Kind::Unavailable),
            (ffi::SQLITE_LOCKED, Kind::Unavailable),
            (ffi::SQLITE_READONLY, Kind::Unavailable),
            (ffi::SQLITE_INTERRUPT, Kind::Unavailable),
            (ffi::SQLITE_CORRUPT, Kind::Unavailable),
        ];
        for (code, kind) in cases {
            let error = sql(failure(code));
            assert_eq!(error.kind(), kind, "code {code}");
            assert!(!error.message().contains("secret"), "code {code}");
            assert!(error.causes().contains("secret"), "code {code}");
            let retry = error.retry_after_s().is_some();
            assert_eq!(retry, kind == Kind::Unavailable, "code {code}");
        }
    }

    #[test]
    fn a_conflict_gets_the_name_of_its_field() {
        let taken = or_taken::<()>(Err(sql(failure(2067))), "email", "is taken");
        let error = taken.unwrap_err();
        assert_eq!(error.fields()[0].field, "email");
        let other = or_taken::<()>(Err(sql(failure(787))), "email", "is taken");
        assert_eq!(other.unwrap_err().kind(), Kind::Internal);
    }

    #[test]
    fn an_id_and_a_json_value_survive_their_columns() {
        let id: UserId = "5f0000000000000000000abc".parse().unwrap();
        let ToSqlOutput::Owned(rusqlite::types::Value::Text(text)) = id.to_sql().unwrap() else {
            panic!("an id is stored as text");
        };
        let back = UserId::column_result(ValueRef::Text(text.as_bytes())).unwrap();
        assert_eq!(back, id);
        assert!(UserId::column_result(ValueRef::Text(b"5F")).is_err());
        let null = Json(Value::Null);
        let ToSqlOutput::Owned(rusqlite::types::Value::Text(text)) = null.to_sql().unwrap() else {
            panic!("JSON null is a text, not NULL");
        };
        let back = Json::column_result(ValueRef::Text(text.as_bytes())).unwrap();
        assert_eq!(back, null);
    }
}
