//! Filters as SQL: what leads to rows by an index, and what is looked at in each row.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::source::{self, Narrowing, Origin};
use crate::domain::Result;
use crate::domain::listing::{ListFilter, ListOf, ListTerm, ListTest};
use crate::domain::run::RunStatus;
use crate::store::Read;
use crate::store::execution_list::{DISORDER_MS, Timed};

/// The most rows that the beginning of an id leads to: they are sorted for each page.
const FEW_ROWS: u32 = 4_000;

/// A piece of a statement and the values of its question marks, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Piece {
    /// Makes a piece of a text.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            values: Vec::new(),
        }
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a text with the values of its question marks.
    pub(super) fn with(&mut self, text: &str, values: impl IntoIterator<Item = Value>) {
        self.push(text);
        self.values.extend(values);
    }

    /// Adds another piece.
    pub(super) fn append(&mut self, other: &Self) {
        self.with(&other.text, other.values.iter().cloned());
    }
}

/// Rowids between two bounds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    /// The first.
    from: Option<i64>,
    /// The one behind the last.
    to: Option<i64>,
}

impl Span {
    /// Narrows the span to rowids that compare so with `key`. One bound an end is kept:
    /// of two, SQLite would begin its walk at either.
    pub(super) fn and(mut self, sign: &str, key: i64) -> Self {
        match sign {
            ">" => self.from = self.from.max(Some(key.saturating_add(1))),
            ">=" => self.from = self.from.max(Some(key)),
            "<" => self.to = Some(self.to.map_or(key, |to| to.min(key))),
            _ => self = self.and("<", key.saturating_add(1)),
        }
        self
    }

    /// Adds the bounds to a statement that calls the rowid so.
    pub(super) fn push(self, sql: &mut Piece, rowid: &str) {
        for (sign, bound) in [(">=", self.from), ("<", self.to)] {
            if let Some(bound) = bound {
                sql.with(&format!(" AND {rowid} {sign} ?"), [Value::from(bound)]);
            }
        }
    }
}

/// The rows that are walked through, and what is asked of each.
pub(super) struct Rows {
    /// `FROM … WHERE …`: all rows of the table, or those that an index leads to.
    pub(super) base: Piece,
    /// Between which rowids they lie.
    pub(super) span: Span,
    /// Whether an index leads to the rows.
    pub(super) is_narrow: bool,
    /// Whether the index yields the rows in the order of their making.
    pub(super) is_ordered: bool,
    /// ` AND …` for what is looked at in each row; empty where nothing is.
    pub(super) asked: Piece,
}

impl Rows {
    /// Finds the rows that a filter asks for.
    pub(super) fn of(read: &Read<'_>, list: ListOf, filter: &ListFilter) -> Result<Self> {
        let source = source::of(list);
        let mut found = Found::default();
        let mut asked = Piece::default();
        for term in filter.terms() {
            if !found.take(read, list, term)? {
                asked.push(" AND ");
                asked.append(&condition(list, term));
            }
        }
        let index = found.index();
        let mut base = Piece::of(format!("FROM {} x", source.table));
        if let Some(index) = index {
            base.push(" INDEXED BY ");
            base.push(index);
        }
        base.push(" WHERE 1");
        if let Some((narrowing, value)) = &found.is {
            let marks = narrowing.condition.matches('?').count();
            let values = std::iter::repeat_n(value.clone(), marks);
            base.with(&format!(" AND {}", narrowing.condition), values);
        }
        if let Some(runs) = found.runs {
            base.push(" AND ");
            base.push(runs.condition());
        }
        if let Some(begin) = &found.begin {
            begin.push(&mut base);
        }
        let in_order = found.runs != Some(Runs::Open) && found.begin.is_none();
        Ok(Self {
            base,
            span: found.span,
            is_narrow: found.is.is_some() || index.is_some() || found.begin.is_some(),
            is_ordered: in_order && found.is.is_none_or(|(is, _)| is.is_ordered),
            asked,
        })
    }
}

/// What leads to rows by an index.
#[derive(Default)]
struct Found {
    is: Option<(&'static Narrowing, Value)>,
    runs: Option<Runs>,
    span: Span,
    /// How the ids begin, where few begin so.
    begin: Option<Begin>,
}

/// Ids that begin with some digits.
struct Begin(String);

impl Begin {
    /// Returns the ids that begin so, where a list has ids of this kind and few begin so.
    fn few(read: &Read<'_>, list: ListOf, digits: &str) -> Result<Option<Self>> {
        let source = source::of(list);
        let has_ids = source
            .narrowing
            .iter()
            .any(|narrowing| narrowing.key == "id");
        if !has_ids || digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let begin = Self(digits.to_ascii_lowercase());
        let mut sql = Piece::of(format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} x WHERE 1",
            source.table
        ));
        begin.push(&mut sql);
        sql.with(" LIMIT ?)", [Value::from(FEW_ROWS + 1)]);
        let count: u32 =
            read.query_one(&sql.text, params_from_iter(&sql.values), |row| row.get(0))?;
        Ok((count <= FEW_ROWS).then_some(begin))
    }

    /// Adds the condition to a statement.
    fn push(&self, sql: &mut Piece) {
        // Digits end with f, so nothing that begins so lies behind the letter g.
        let to = format!("{}g", self.0);
        sql.with(
            " AND x.id >= ? AND x.id < ?",
            [Value::from(self.0.clone()), Value::from(to)],
        );
    }
}

impl Found {
    /// Takes what an index answers out of a term; tells whether nothing of it is left.
    fn take(&mut self, read: &Read<'_>, list: ListOf, term: &ListTerm) -> Result<bool> {
        let Some(at) = term.column.filter(|_| !term.is_negative) else {
            return Ok(false);
        };
        let key = list.columns()[at].key;
        match &term.test {
            ListTest::Is(text) if self.is.is_none() => {
                let narrowing = source::of(list).narrowing;
                if let Some(narrowing) = narrowing.iter().find(|narrowing| narrowing.key == key) {
                    self.is = Some((narrowing, Value::from(text.clone())));
                    return Ok(true);
                }
            }
            // The index takes the place of the walk, so it leads to few rows or is left.
            ListTest::StartsWith(text) if key == "id" && self.begin.is_none() => {
                self.begin = Begin::few(read, list, text)?;
                return Ok(self.begin.is_some());
            }
            ListTest::Within(range) => {
                if let Some(table) = timed(list, key) {
                    let (from, to) = (*range.start(), *range.end());
                    if from > i64::MIN {
                        let at_ms = from.saturating_sub(DISORDER_MS);
                        self.span = self.span.and(">=", read.first_since(table, at_ms)?);
                    }
                    if to < i64::MAX {
                        let at_ms = to.saturating_add(DISORDER_MS + 1);
                        self.span = self.span.and("<", read.first_since(table, at_ms)?);
                    }
                }
            }
            _ => {}
        }
        if list == ListOf::Executions && self.runs.is_none() {
            self.runs = Runs::of(key, &term.test);
        }
        Ok(false)
    }

    /// Returns the index that must be used, since another would be possible.
    fn index(&self) -> Option<&'static str> {
        let is_of_flow = self.is.as_ref().is_some_and(|(is, _)| is.key == "flow");
        match (self.runs?, is_of_flow) {
            (Runs::Failed, true) => Some("executions_failed"),
            (Runs::Failed, false) => Some("executions_errors"),
            (Runs::Open, _) => Some("executions_open"),
            (Runs::Ended, false) => Some("executions_ended"),
            (Runs::Ended, true) => None,
        }
    }
}

/// Runs of which there are few, each with an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    Failed,
    Open,
    Ended,
}

impl Runs {
    /// Returns the runs that a test leaves, where there are few of them.
    fn of(key: &str, test: &ListTest) -> Option<Self> {
        match (key, test) {
            ("errors_total", ListTest::Within(range)) if *range.start() > 0 => Some(Self::Failed),
            ("status", ListTest::Is(word) | ListTest::StartsWith(word)) => {
                let word = word.to_ascii_lowercase();
                let fits = |status: &&RunStatus| status.as_str().starts_with(&word);
                let kinds: Vec<Self> = RunStatus::ALL
                    .iter()
                    .filter(fits)
                    .map(|status| Self::with(*status))
                    .collect::<Option<_>>()?;
                let first = *kinds.first()?;
                kinds.iter().all(|kind| *kind == first).then_some(first)
            }
            _ => None,
        }
    }

    /// Returns the runs of a status.
    fn with(status: RunStatus) -> Option<Self> {
        match status {
            RunStatus::Error => Some(Self::Failed),
            RunStatus::Running | RunStatus::Waiting => Some(Self::Open),
            RunStatus::Interrupted | RunStatus::Cancelled => Some(Self::Ended),
            RunStatus::Success => None,
        }
    }

    /// Returns the condition of their index, word by word.
    fn condition(self) -> &'static str {
        match self {
            Self::Failed => "x.errors_total > 0",
            Self::Open => "x.finished_at IS NULL",
            Self::Ended => "x.status IN ('interrupted', 'cancelled')",
        }
    }
}

/// Returns the table whose rowids and times of this column grow together.
fn timed(list: ListOf, key: &str) -> Option<Timed> {
    match (list, key) {
        (ListOf::Executions, "started_at") => Some(Timed::EXECUTIONS),
        (ListOf::Audit, "at") => Some(Timed::AUDIT),
        _ => None,
    }
}

/// Returns the condition of a term. No index is used for it: a plus stands before each
/// value, so that nothing but the walk decides which rows are looked at.
fn condition(list: ListOf, term: &ListTerm) -> Piece {
    let origins = source::of(list).columns;
    let mut piece = Piece::of(if term.is_negative {
        "NOT coalesce(("
    } else {
        "coalesce(("
    });
    if let Some(at) = term.column {
        piece.append(&tested(&origins[at], &term.test));
    } else {
        let searched = origins.iter().filter(|origin| origin.is_searched);
        for (at, origin) in searched.enumerate() {
            piece.push(if at == 0 { "" } else { " OR " });
            piece.append(&tested(origin, &term.test));
        }
    }
    piece.push("), 0)");
    piece
}

/// Returns the condition that a test puts on a column.
fn tested(origin: &Origin, by: &ListTest) -> Piece {
    let value = origin.value;
    let mut piece = Piece::default();
    let mut like = |value: &str, pattern: String| {
        let text = format!("+({value}) LIKE ? ESCAPE '~'");
        piece.with(&text, [Value::from(pattern)]);
    };
    match by {
        ListTest::Contains(text) => like(value, format!("%{}%", escaped(text))),
        ListTest::Matches(text) => {
            piece.with(&format!("+({value}) REGEXP ?"), [Value::from(text.clone())]);
        }
        // Of several texts, one a line, any may begin so, or be it.
        ListTest::StartsWith(text) if origin.is_lines => like(
            &format!("char(10) || {value}"),
            format!("%\n{}%", escaped(text)),
        ),
        ListTest::StartsWith(text) => like(value, format!("{}%", escaped(text))),
        ListTest::Is(text) if origin.is_lines => like(
            &format!("char(10) || {value} || char(10)"),
            format!("%\n{}\n%", escaped(text)),
        ),
        ListTest::Is(text) => {
            piece.with(&format!("+({value}) = ?"), [Value::from(text.clone())]);
        }
        ListTest::Within(range) => piece.with(
            &format!("+({value}) BETWEEN ? AND ?"),
            [Value::from(*range.start()), Value::from(*range.end())],
        ),
        ListTest::Missing => {
            piece.push(&format!("coalesce(({value}), '') = ''"));
        }
    }
    piece
}

/// Returns a text as a pattern that stands for itself.
fn escaped(text: &str) -> String {
    text.replace('~', "~~")
        .replace('%', "~%")
        .replace('_', "~_")
}
