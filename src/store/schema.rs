//! Describes the schema of a live database as text, so that two can be compared.
//!
//! Tables, columns, indexes and foreign keys come from SQLite's own catalogue;
//! `CHECK`s and partial indexes show only in the statements, so those are there too,
//! without what carries no meaning: comments, spaces, case, needless quotes.

use std::fmt::Write as _;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::domain::error::Result;

/// Returns the schema as lines, equal for equal schemas.
pub(in crate::store) fn describe(conn: &Connection) -> Result<String> {
    let mut text = String::new();
    let mut statement = conn.prepare(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema
         WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY type, name",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let name: String = row.get(1)?;
        let table: String = row.get(2)?;
        let sql: Option<String> = row.get(3)?;
        line(&mut text, &format!("{kind} {name} on {table}"));
        line(&mut text, &format!("  {}", plain(&sql.unwrap_or_default())));
        if kind == "table" {
            describe_table(conn, &name, &mut text)?;
        }
    }
    Ok(text)
}

/// Adds what the catalogue knows of one table.
fn describe_table(conn: &Connection, table: &str, text: &mut String) -> Result<()> {
    facts(conn, "table_xinfo", table, text)?;
    facts(conn, "foreign_key_list", table, text)?;
    let mut statement = conn.prepare(
        "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1) ORDER BY name",
    )?;
    let indexes = statement
        .query_map([table], |row| {
            Ok((
                row.get::<_, String>(0)?,
                format!(
                    "{:?} {:?} {:?}",
                    row.get::<_, Value>(1)?,
                    row.get::<_, Value>(2)?,
                    row.get::<_, Value>(3)?
                ),
            ))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for (name, traits) in indexes {
        line(text, &format!("  index {name}: {traits}"));
        facts(conn, "index_xinfo", &name, text)?;
    }
    Ok(())
}

/// Adds the rows of one pragma, one a line.
fn facts(conn: &Connection, pragma: &str, of: &str, text: &mut String) -> Result<()> {
    let mut statement = conn.prepare(&format!("SELECT * FROM pragma_{pragma}(?1)"))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([of])?;
    while let Some(row) = rows.next()? {
        let mut fact = format!("  {pragma} {of}:");
        for (at, column) in columns.iter().enumerate() {
            write!(fact, " {column}={:?}", row.get::<_, Value>(at)?)
                .expect("a String takes all that is written");
        }
        line(text, &fact);
    }
    Ok(())
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Returns a statement without comments, needless spaces, case and quotes.
pub(in crate::store) fn plain(sql: &str) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (token, length) = token(rest, first);
        rest = &rest[length..];
        if token.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&token);
    }
    out
}

/// Returns the first token of `rest`, empty for spaces and comments, and its length.
fn token(rest: &str, first: char) -> (String, usize) {
    let until = |end: &str, from: usize| rest[from..].find(end).map(|at| from + at + end.len());
    if rest.starts_with("--") {
        return (String::new(), until("\n", 2).unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (String::new(), until("*/", 2).unwrap_or(rest.len()));
    }
    if first.is_whitespace() {
        return (String::new(), first.len_utf8());
    }
    if first == '\'' || first == '"' {
        let length = quoted_length(rest, first);
        let inner = rest[..length].trim_matches('"');
        let simple = first == '"' && inner.chars().all(|c| c.is_alphanumeric() || c == '_');
        let text = if simple {
            inner.to_lowercase()
        } else {
            rest[..length].to_owned()
        };
        return (text, length);
    }
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    if word(first) {
        let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
        return (rest[..length].to_lowercase(), length);
    }
    (first.to_string(), first.len_utf8())
}

/// Returns the length of a quoted token, in which a doubled quote is one.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return at + 1;
            }
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_carries_no_meaning_is_gone_and_the_rest_stays() {
        let one = "CREATE TABLE \"Users\" ( id TEXT, -- the id's text\n  n INTEGER /* x */ )";
        assert_eq!(plain(one), plain("create table users(id text,n integer)"));
        assert_ne!(plain("CHECK (a > 1)"), plain("CHECK (a > 2)"));
        assert_ne!(plain("DEFAULT 'A -- b'"), plain("DEFAULT 'a -- b'"));
        assert_eq!(plain("'it''s'  x"), "'it''s' x");
        assert_eq!(plain("'open"), "'open");
    }
}
