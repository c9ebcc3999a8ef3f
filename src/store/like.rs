//! `LIKE` that ignores case in every script, in place of SQLite's, which knows A to Z alone;
//! the collation `FOLDED`, which sorts so; and `REGEXP`, which SQLite leaves to the application.
//!
//! Only the form with `ESCAPE` is replaced: it is the one that searches texts of people.
//! Two characters are alike where their small letters are, after a way over the capital
//! ones: so `ß` is `ss`, and both small sigmas are one. Marks are not taken off, `e` is
//! not `é`. Nothing that the file keeps depends on it, so other tools read the file as before.

use std::array::IntoIter;
use std::cmp::Ordering;
use std::iter::Take;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::domain::listing::expression_of;

/// Teaches a connection to ignore case in every script.
pub(in crate::store) fn teach(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("like", 3, flags, like)?;
    // No index may have it: the file would depend on this program.
    conn.create_collation("FOLDED", in_order)?;
    conn.create_scalar_function("regexp", 2, flags, fits)
}

/// Answers `regexp(expression, text)`, which `text REGEXP expression` calls.
fn fits(call: &mut Context<'_>) -> rusqlite::Result<Option<bool>> {
    let expression: Arc<regex::Regex> = call.get_or_create_aux(0, |value| {
        expression_of(value.as_str()?).map_err(|error| {
            // The filter was read before, so it is one.
            rusqlite::Error::UserFunctionError(Box::new(error))
        })
    })?;
    Ok(match call.get_raw(1) {
        ValueRef::Text(text) => {
            Some(std::str::from_utf8(text).is_ok_and(|it| expression.is_match(it)))
        }
        ValueRef::Integer(number) => Some(expression.is_match(&number.to_string())),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    })
}

/// Answers `like(pattern, text, escape)`, which `text LIKE pattern ESCAPE escape` calls.
fn like(call: &mut Context<'_>) -> rusqlite::Result<Option<bool>> {
    if [0, 1, 2]
        .iter()
        .any(|at| call.get_raw(*at) == ValueRef::Null)
    {
        return Ok(None);
    }
    let escape: String = call.get(2)?;
    let pattern: Arc<Pattern> = call.get_or_create_aux(0, |value| {
        let text = value.as_str()?;
        Ok::<_, rusqlite::types::FromSqlError>(Pattern::read(text, escape.chars().next()))
    })?;
    Ok(Some(match call.get_raw(1) {
        // Most texts are: ids, addresses, words of ours. It takes a tenth of the time.
        ValueRef::Text(text) if text.is_ascii() => pattern.fits_ascii(text),
        ValueRef::Text(text) => std::str::from_utf8(text).is_ok_and(|text| pattern.fits(text)),
        ValueRef::Integer(number) => pattern.fits(&number.to_string()),
        ValueRef::Real(number) => pattern.fits(&number.to_string()),
        ValueRef::Null | ValueRef::Blob(_) => false,
    }))
}

/// Compares two texts by their folded characters.
fn in_order(one: &str, other: &str) -> Ordering {
    // Most names are, and a sort compares each of them many times.
    if one.is_ascii() && other.is_ascii() {
        let small = |byte: u8| byte.to_ascii_lowercase();
        return one.bytes().map(small).cmp(other.bytes().map(small));
    }
    let (one, other) = (one.chars(), other.chars());
    one.flat_map(folded).cmp(other.flat_map(folded))
}

/// A pattern, read once a statement.
#[derive(Debug)]
struct Pattern(Vec<Part>);

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// `%`: anything, nothing too.
    Any,
    /// `_`: one character.
    One,
    /// A character, folded.
    This(char),
}

impl Pattern {
    /// Reads a pattern; what stands behind `escape` stands for itself.
    fn read(text: &str, escape: Option<char>) -> Self {
        let mut parts = Vec::new();
        let mut chars = text.chars();
        while let Some(next) = chars.next() {
            match next {
                _ if Some(next) == escape => {
                    let escaped = chars.next().into_iter().flat_map(folded);
                    parts.extend(escaped.map(Part::This));
                }
                // Two in a row say what one says.
                '%' if parts.last() == Some(&Part::Any) => {}
                '%' => parts.push(Part::Any),
                '_' => parts.push(Part::One),
                _ => parts.extend(folded(next).map(Part::This)),
            }
        }
        Self(parts)
    }

    /// Tells the same as [`fits`](Self::fits) of a text that is ASCII, each character of
    /// which is folded to one.
    fn fits_ascii(&self, text: &[u8]) -> bool {
        let (mut at, mut place) = (0, 0);
        let mut again = None;
        loop {
            let found = text
                .get(place)
                .map(|byte| char::from(byte.to_ascii_lowercase()));
            match (self.0.get(at), found) {
                (Some(Part::Any), _) => {
                    at += 1;
                    again = Some((at, place));
                }
                (Some(Part::This(wanted)), Some(found)) if *wanted == found => {
                    at += 1;
                    place += 1;
                }
                (Some(Part::One), Some(_)) => {
                    at += 1;
                    place += 1;
                }
                (None, None) => return true,
                (_, None) => return false,
                (_, Some(_)) => {
                    let Some((after, from)) = again else {
                        return false;
                    };
                    at = after;
                    place = from + 1;
                    again = Some((after, place));
                }
            }
        }
    }

    /// Tells whether a whole text fits.
    ///
    /// It goes back no further than to the last `%`: what stood before that one fits
    /// already, and taking more for an earlier one gains nothing.
    fn fits(&self, text: &str) -> bool {
        let mut rest = text.chars().flat_map(folded);
        let mut at = 0;
        let mut again = None;
        loop {
            let before = rest.clone();
            match (self.0.get(at), rest.next()) {
                (Some(Part::Any), _) => {
                    at += 1;
                    rest = before;
                    again = Some((at, rest.clone()));
                }
                (Some(Part::One), Some(_)) => at += 1,
                (Some(Part::This(wanted)), Some(found)) if *wanted == found => at += 1,
                (None, None) => return true,
                (_, None) => return false,
                (_, Some(_)) => {
                    let Some((after, mut from)) = again else {
                        return false;
                    };
                    if from.next().is_none() {
                        return false;
                    }
                    at = after;
                    rest = from.clone();
                    again = Some((after, from));
                }
            }
        }
    }
}

/// The most characters that one is folded to: three, and one to spare.
const FOLDED_MAX: usize = 4;

/// Folds a character.
fn folded(c: char) -> Take<IntoIter<char, FOLDED_MAX>> {
    let mut all = [c.to_ascii_lowercase(); FOLDED_MAX];
    let mut count = 1;
    if !c.is_ascii() {
        let large = c.to_lowercase().flat_map(char::to_uppercase);
        count = 0;
        for (place, small) in all.iter_mut().zip(large.flat_map(char::to_lowercase)) {
            *place = small;
            count += 1;
        }
    }
    all.into_iter().take(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_is_folded_to_more_than_there_is_room_for() {
        for c in char::MIN..=char::MAX {
            let large = c.to_lowercase().flat_map(char::to_uppercase);
            let small = large.flat_map(char::to_lowercase);
            assert!((1..=FOLDED_MAX).contains(&small.count()), "{c:?}");
        }
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a function is asked, and no file is read"
    )]
    fn patterns_fit_as_they_do_in_sqlite_and_ignore_case_in_every_script() {
        let database = Connection::open_in_memory().expect("memory");
        teach(&database).expect("taught");
        let cases = [
            ("ÄRGER im Büro", "%ärger%", true),
            ("straße", "STRASSE", true),
            ("ΟΔΟΣ", "%οδος", true),
            ("Заказ", "заКАЗ", true),
            ("Zahlung", "%ZAHL%", true),
            ("café", "cafe", false),
            ("100 %", "100 ~%", true),
            ("100 x", "100 ~%", false),
            ("a_b", "a~_b", true),
            ("axb", "a~_b", false),
            ("axb", "a_b", true),
            ("", "%", true),
            ("", "_", false),
            ("aXbXc", "a%b%c", true),
            ("abab", "%ab", true),
            ("abax", "%ab", false),
            ("ab", "ab%%", true),
            ("abc", "ab", false),
        ];
        for (text, pattern, fits) in cases {
            if text.is_ascii() {
                let pattern = Pattern::read(pattern, Some('~'));
                assert_eq!(pattern.fits(text), fits, "{text} {pattern:?}");
                assert_eq!(
                    pattern.fits_ascii(text.as_bytes()),
                    fits,
                    "{text} {pattern:?}"
                );
            }
            let like = |sql: &str| {
                database
                    .query_row(sql, [text, pattern], |row| row.get::<_, bool>(0))
                    .expect("an answer")
            };
            assert_eq!(
                like("SELECT ?1 LIKE ?2 ESCAPE '~'"),
                fits,
                "{text} {pattern}"
            );
            if text.is_ascii() {
                let other = Connection::open_in_memory().expect("memory");
                let theirs: bool = other
                    .query_row("SELECT ?1 LIKE ?2 ESCAPE '~'", [text, pattern], |row| {
                        row.get(0)
                    })
                    .expect("an answer");
                assert_eq!(theirs, fits, "{text} {pattern}");
            }
        }
        let others: (Option<bool>, bool, bool) = database
            .query_row(
                "SELECT NULL LIKE '%' ESCAPE '~', 1234 LIKE '%23%' ESCAPE '~',
                     x'00' LIKE '%' ESCAPE '~'",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .expect("an answer");
        assert_eq!(others, (None, true, false));
    }
}
