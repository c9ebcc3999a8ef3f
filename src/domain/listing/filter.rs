//! What people type to narrow a list: words and `field:value`, all of which must fit.
//!
//! ```text
//! word            some text of the row has it
//! "two words"     the same with blanks in it
//! /^two wor[dk]s/ some text of the row fits the regular expression, whatever its case
//! !word           no text of the row has it
//! field:value     the field begins with it; field:/value/ has it or fits the regular
//!                 expression, field:=value is it
//! field:-         the field is empty
//! field:>3        numbers, sizes (>10k) and lengths of time (>2s); also >= < <= and =
//! age:>2h         times: more than two hours ago; <2h is within the last two hours
//! field:2026-01   times: in that month; >=2026-01-31T08:00 from then on
//! ```

use std::ops::RangeInclusive;

use regex::{Regex, RegexBuilder};

use super::columns::AHEAD;
use super::measure;
use super::{ColumnKind, ListColumn, ListOf};
use crate::domain::error::{Error, Result};
use crate::domain::id::ID_DIGITS;

/// The longest filter: more than a line of a terminal, and far from what would make the
/// search itself slow.
pub const FILTER_MAX_BYTES: usize = 1_000;

/// The most terms of a filter: each is looked at in every row that is searched.
pub const TERMS_MAX: usize = 16;

/// The largest program of a regular expression: far more than people type, and read in a
/// millisecond.
const EXPRESSION_MAX_BYTES: usize = 256 * 1024;

/// The field of an error about a filter.
const FIELD: &str = "filter";

/// What a row must have, or must not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListTest {
    /// The text has this in it, whatever the case of the letters a to z.
    Contains(String),
    /// The text fits this regular expression, which [`expression_of`] reads.
    Matches(String),
    /// The text begins with this, whatever the case of the letters a to z.
    StartsWith(String),
    /// The text is this, in the same case.
    Is(String),
    /// The number or moment lies between these, both included.
    Within(RangeInclusive<i64>),
    /// There is no value.
    Missing,
}

/// One demand on a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTerm {
    /// Whether the row must not pass the test.
    pub is_negative: bool,
    /// The place of the column that is looked at; all that is searched where missing.
    pub column: Option<usize>,
    /// The test.
    pub test: ListTest,
}

/// Which rows of a list are shown: those that meet every term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    terms: Vec<ListTerm>,
}

impl ListFilter {
    /// Reads what a person typed. An error of `filter` names the term that is at fault,
    /// and the fields that there are where that is the matter.
    pub fn parse(text: &str, of: ListOf, now_ms: i64) -> Result<Self> {
        if text.len() > FILTER_MAX_BYTES {
            let told = format!("must not be longer than {FILTER_MAX_BYTES} bytes");
            return Err(Error::invalid(FIELD, told));
        }
        let mut filter = Self::default();
        for typed in split(text) {
            let Some(term) = read(typed, of, now_ms)? else {
                continue;
            };
            if filter.terms.len() == TERMS_MAX {
                let told = format!("must not have more than {TERMS_MAX} terms");
                return Err(Error::invalid(FIELD, told));
            }
            filter.terms.push(term);
        }
        Ok(filter)
    }

    /// Returns the same filter with one more term: the column `key` of the list is `value`.
    #[must_use]
    pub fn and_is(self, of: ListOf, key: &str, value: impl Into<String>) -> Self {
        self.and(of, key, ListTest::Is(value.into()))
    }

    /// Returns the same filter with one more term about the column `key` of the list.
    #[must_use]
    pub fn and(mut self, of: ListOf, key: &str, test: ListTest) -> Self {
        let column = of.column(key);
        debug_assert!(column.is_some(), "{} have no {key}", of.as_str());
        self.terms.push(ListTerm {
            is_negative: false,
            column,
            test,
        });
        self
    }

    /// Returns the terms.
    pub fn terms(&self) -> &[ListTerm] {
        &self.terms
    }

    /// Tells whether every row passes.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }
}

/// Splits a filter at blanks that stand in no quotes and between no slashes. What is not
/// closed ends with the text: people see the result while they type.
fn split(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = end_of_term(rest);
        found.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    found
}

/// Returns where the first term of a text ends.
fn end_of_term(text: &str) -> usize {
    let mut closes = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match closes {
            Some(end) if c == end => closes = None,
            None if c.is_whitespace() => return at,
            // A slash inside a word is a slash.
            None if (c == '"' || c == '/') && matches!(before, ' ' | '!' | ':' | '=') => {
                closes = Some(c);
            }
            Some(_) | None => {}
        }
        before = c;
    }
    text.len()
}

/// Reads one term; none where nothing is asked yet.
fn read(typed: &str, of: ListOf, now_ms: i64) -> Result<Option<ListTerm>> {
    let (is_negative, rest) = match typed.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, typed),
    };
    let (column, test) = match field_of(rest) {
        Some((field, value)) => {
            let at = column_of(field, value, of)
                .ok_or_else(|| Error::invalid(FIELD, unknown(typed, field, of)))?;
            if value.is_empty() {
                return Ok(None);
            }
            let column = &of.columns()[at];
            let test = test_of(column, value, now_ms)
                .ok_or_else(|| Error::invalid(FIELD, unfit(typed, column)))?;
            (Some(at), test)
        }
        None => match bare(rest) {
            (text, true) => (None, expressed(text)),
            (text, false) => (None, ListTest::Contains(text.to_owned())),
        },
    };
    if test == ListTest::Contains(String::new()) {
        return Ok(None);
    }
    if let ListTest::Matches(text) = &test
        && expression_of(text).is_err()
    {
        let told = format!("has `{typed}`, which is no regular expression");
        return Err(Error::invalid(FIELD, told));
    }
    Ok(Some(ListTerm {
        is_negative,
        column,
        test,
    }))
}

/// Takes a field off the front of a term. A time has a colon too, so what stands before
/// one may be no field.
fn field_of(term: &str) -> Option<(&str, &str)> {
    term.split_once(':').filter(|(field, _)| {
        !field.is_empty() && field.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    })
}

/// Returns the place of the column that a field means. A flow has a state that tells how
/// it fares and a status that tells whether it runs, and people type either word.
fn column_of(field: &str, value: &str, of: ListOf) -> Option<usize> {
    const STATUS: [&str; 3] = ["active", "inactive", "suspended"];
    let is_status = |word: &str| {
        let word = word.trim_start_matches('=').to_lowercase();
        word.len() > 1 && STATUS.iter().any(|status| status.starts_with(&word))
    };
    if of == ListOf::Flows && field == "state" && is_status(value) {
        return of.column("status");
    }
    of.column(field)
}

/// Returns a value without its quotes or slashes, and whether it stood between slashes.
fn bare(value: &str) -> (&str, bool) {
    for (mark, is_slash) in [('"', false), ('/', true)] {
        if let Some(rest) = value.strip_prefix(mark) {
            return (rest.strip_suffix(mark).unwrap_or(rest), is_slash);
        }
    }
    (value, false)
}

/// Returns the test that a value asks of a column; `None` where its kind has no such values.
fn test_of(column: &ListColumn, value: &str, now_ms: i64) -> Option<ListTest> {
    if value == "-" {
        return Some(ListTest::Missing);
    }
    let range = match column.kind {
        ColumnKind::Text | ColumnKind::Id | ColumnKind::State | ColumnKind::Json => {
            return Some(text_test(column.kind, value));
        }
        ColumnKind::Number => measure::numbers(value),
        ColumnKind::Bytes => measure::sizes(value),
        ColumnKind::Duration => measure::durations(value),
        ColumnKind::Time => measure::moments(value, now_ms, AHEAD.contains(&column.key)),
        ColumnKind::Flag => match value.to_ascii_lowercase().as_str() {
            "y" | "yes" | "true" | "1" => Some(1..=1),
            "n" | "no" | "false" | "0" => Some(0..=0),
            _ => None,
        },
    };
    range.map(ListTest::Within)
}

/// Reads a regular expression of a filter: the case of letters does not count, and `^` and
/// `$` are the ends of a line, since some columns hold several texts, one a line.
///
/// Whatever it says, a text is looked at in a time that grows with its length alone.
pub fn expression_of(text: &str) -> std::result::Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(EXPRESSION_MAX_BYTES)
        .build()
}

/// Returns the test of what stands between slashes; where nothing of it has a meaning in a
/// regular expression, it stands for itself.
fn expressed(text: &str) -> ListTest {
    if regex::escape(text) == text {
        ListTest::Contains(text.to_owned())
    } else {
        ListTest::Matches(text.to_owned())
    }
}

/// Returns the test that a value asks of a text.
fn text_test(kind: ColumnKind, value: &str) -> ListTest {
    if let Some(whole) = value.strip_prefix('=') {
        return ListTest::Is(bare(whole).0.to_owned());
    }
    let (text, is_anywhere) = bare(value);
    if kind == ColumnKind::Id && text.len() == ID_DIGITS && !is_anywhere {
        // Nothing else begins with a whole id, and an index finds it.
        return ListTest::Is(text.to_ascii_lowercase());
    }
    if is_anywhere {
        expressed(text)
    } else if kind == ColumnKind::Json {
        ListTest::Contains(text.to_owned())
    } else {
        ListTest::StartsWith(text.to_owned())
    }
}

/// Says that a list has no such field, and which it has.
fn unknown(term: &str, field: &str, of: ListOf) -> String {
    let keys: Vec<&str> = of.columns().iter().map(|column| column.key).collect();
    format!(
        "has `{term}`, but {} have no field `{field}`; their fields are {}",
        of.as_str(),
        keys.join(", ")
    )
}

/// Says what a field takes.
fn unfit(term: &str, column: &ListColumn) -> String {
    let takes = match column.kind {
        ColumnKind::Number => "a number: 3, >3, <=3",
        ColumnKind::Bytes => "a size: >500, >10k, <=2m",
        ColumnKind::Duration => "a length of time: >500ms, <=2s, >1m",
        ColumnKind::Time if AHEAD.contains(&column.key) => {
            "a time from now, <2h, >3d, or a date, 2026-01, >=2026-01-31T08:00"
        }
        ColumnKind::Time => "an age, >2h, <3d, or a date, 2026-01, >=2026-01-31T08:00",
        ColumnKind::Flag => "yes or no",
        ColumnKind::Text | ColumnKind::Id | ColumnKind::State | ColumnKind::Json => "a text",
    };
    format!("has `{term}`, but {} takes {takes}", column.key)
}
