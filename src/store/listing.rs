//! Pages of lists: filtered and sorted in SQL, found by the place of a row.
//!
//! A page costs what it shows, or at most a bound. Where an index has the order, the walk
//! along it ends when the page is full; with a filter it ends behind so many rows, and the
//! page says where to go on. Where no index has the order, the newest rows are sorted,
//! which are all of them in all tables but the large ones. Nothing counts a large table.

mod condition;
mod source;

use std::cmp::min;

use rusqlite::params_from_iter;
use rusqlite::types::{Value, ValueRef};

use self::condition::{Piece, Rows, Span};
use self::source::{Order, Origin, Source};
use super::Read;
use crate::domain::Result;
use crate::domain::listing::{
    ColumnKind, Counted, ListAt, ListCell, ListCursor, ListOf, ListPage, ListQuery, ListRow,
    SortValue,
};

/// The most rows that one page sorts: some 30 ms, and all users of a large installation.
const SORT_ROWS_MAX: u32 = 20_000;

/// The most rows that are counted: a person reads no more than the first digits, and more
/// would take longer than the page itself.
const COUNT_ROWS_MAX: u32 = 100_000;

/// A row that was found: its rowid, and its value in the order.
struct Hit {
    key: i64,
    value: SortValue,
}

impl Hit {
    /// Returns the place of the row.
    fn cursor(&self) -> ListCursor {
        ListCursor {
            value: self.value.clone(),
            key: SortValue::Number(self.key),
        }
    }
}

/// How a page is found.
struct Search<'q> {
    list: ListOf,
    source: &'static Source,
    rows: Rows,
    /// Whether the largest comes first on the way, which may lead backwards.
    descending: bool,
    /// Whether the way leads backwards, from the end of the list.
    backwards: bool,
    from: Option<&'q ListCursor>,
    /// One more than the page has, to see whether there are more.
    wanted: usize,
}

/// What was found.
struct Findings {
    hits: Vec<Hit>,
    /// Where the search ended at its bound.
    stopped: Option<ListCursor>,
    /// How many rows the filter lets through, where that came with it.
    matched: Option<Counted>,
    /// Whether all rows were sorted.
    is_sorted: bool,
}

impl Read<'_> {
    /// Returns a page of a list. The query's column is one that the list is sorted by.
    pub fn list(&self, list: ListOf, query: &ListQuery) -> Result<ListPage> {
        let backwards = matches!(query.at, ListAt::Before(_) | ListAt::End);
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let search = Search {
            list,
            source: source::of(list),
            rows: Rows::of(self, list, &query.filter)?,
            descending: query.sort.descending != backwards,
            backwards,
            from: match &query.at {
                ListAt::After(cursor) | ListAt::Before(cursor) => Some(cursor),
                ListAt::Start | ListAt::End => None,
            },
            wanted: wanted.saturating_add(1),
        };
        let origin = &search.source.columns[query.sort.column];
        let mut found = search.find(self, origin)?;
        let has_more = found.hits.len() > wanted;
        found.hits.truncate(wanted);
        let total = search.total(self)?;
        let is_whole = search.from.is_none() && !has_more && found.stopped.is_none();
        let matched = match found.matched {
            Some(matched) => matched,
            None if query.filter.is_everything() => total,
            None if is_whole => exactly(found.hits.len()),
            // The search just looked at as many rows as a count would.
            None if search.from.is_none() && !has_more => Counted {
                n: found.hits.len() as u64,
                is_exact: false,
            },
            None => search.matched(self)?,
        };
        let rows = found.hits.iter();
        let rows = rows.filter_map(|hit| search.row(self, hit.key).transpose());
        let mut rows: Vec<ListRow> = rows.collect::<Result<_>>()?;
        let is_complete = found.is_sorted && (has_more || found.stopped.is_none());
        let beyond = if has_more {
            found.hits.last().map(Hit::cursor)
        } else {
            found.stopped
        };
        let behind = search.from.map(|from| {
            let first = found.hits.first().map(Hit::cursor);
            first.unwrap_or_else(|| from.clone())
        });
        let (before, after) = if backwards {
            rows.reverse();
            (beyond, behind)
        } else {
            (behind, beyond)
        };
        Ok(ListPage {
            rows,
            before,
            after,
            matched,
            total,
            is_complete,
        })
    }
}

/// Returns an exact count.
fn exactly(n: usize) -> Counted {
    Counted {
        n: n as u64,
        is_exact: true,
    }
}

impl Search<'_> {
    /// Finds the rows of the page in the order of the way.
    fn find(&self, read: &Read<'_>, origin: &Origin) -> Result<Findings> {
        let is_narrow = self.rows.is_narrow;
        match origin.order {
            Order::Made if self.rows.is_ordered => self.walk(read, None, false),
            Order::Index(expression) if !is_narrow => self.walk(read, Some(expression), false),
            Order::PartIndex(expression) if !is_narrow => self.walk(read, Some(expression), true),
            Order::Made | Order::None => self.sort(read, "x.rowid"),
            Order::Index(expression)
            | Order::PartIndex(expression)
            | Order::SortedBy(expression) => self.sort(read, expression),
            Order::Sorted => self.sort(read, origin.value),
            Order::SortedText => self.sort(read, &format!("({}) COLLATE NOCASE", origin.value)),
        }
    }

    /// Walks along an index, or along the rowids where none is named. Rows without a value
    /// come last, in a walk of their own.
    fn walk(&self, read: &Read<'_>, along: Option<&str>, has_gaps: bool) -> Result<Findings> {
        let mut legs: Vec<bool> = if has_gaps {
            vec![true, false]
        } else {
            vec![true]
        };
        if self.backwards {
            legs.reverse();
        }
        let mut from = self.from;
        if let Some(cursor) = from.filter(|_| has_gaps) {
            let has_value = cursor.value != SortValue::Missing;
            legs = legs
                .into_iter()
                .skip_while(|leg| *leg != has_value)
                .collect();
        }
        let mut found = Findings {
            hits: Vec::new(),
            stopped: None,
            matched: None,
            is_sorted: true,
        };
        for has_value in legs {
            let leg = Leg {
                search: self,
                along: along.filter(|_| has_value),
                condition: match along {
                    Some(along) if has_gaps && has_value => format!(" AND {along} IS NOT NULL"),
                    Some(along) if has_gaps => format!(" AND {along} IS NULL"),
                    _ => String::new(),
                },
                has_value: has_value && along.is_some(),
            };
            let wanted = self.wanted - found.hits.len();
            found.stopped = leg.end(read, from)?;
            let more = leg.hits(read, from, found.stopped.as_ref(), wanted)?;
            found.hits.extend(more);
            if found.hits.len() >= self.wanted || found.stopped.is_some() {
                break;
            }
            from = None;
        }
        Ok(found)
    }

    /// Sorts the newest rows.
    fn sort(&self, read: &Read<'_>, by: &str) -> Result<Findings> {
        let newest = self.newest(read, SORT_ROWS_MAX)?;
        let mut sql = Piece::of(format!(
            "WITH w (k, s) AS MATERIALIZED (SELECT x.rowid, {by} "
        ));
        self.push_asked(&mut sql, newest);
        // The order of texts is that of the expression, which the names do not take over.
        let s = if by.ends_with("COLLATE NOCASE") {
            "s COLLATE NOCASE"
        } else {
            "s"
        };
        let (sign, direction) = self.direction();
        sql.push(") SELECT k, s, (SELECT count(*) FROM w) FROM w WHERE ");
        let key = |cursor: &ListCursor| value_of(&cursor.key);
        match self.from {
            None => sql.push("1"),
            Some(cursor) if cursor.value == SortValue::Missing => {
                let others = if self.backwards {
                    "s IS NOT NULL OR "
                } else {
                    ""
                };
                let text = format!("({others}(s IS NULL AND k {sign} ?))");
                sql.with(&text, [key(cursor)]);
            }
            Some(cursor) => {
                let others = if self.backwards { "" } else { "s IS NULL OR " };
                let text = format!("({others}({s}, k) {sign} (?, ?))");
                sql.with(&text, [value_of(&cursor.value), key(cursor)]);
            }
        }
        let gaps = if self.backwards { "DESC" } else { "ASC" };
        sql.with(
            &format!(" ORDER BY s IS NULL {gaps}, {s} {direction}, k {direction} LIMIT ?"),
            [limit_of(self.wanted)],
        );
        let mut counted = None;
        let hits = read.query_all(&sql.text, params_from_iter(&sql.values), |row| {
            counted = Some(row.get::<_, i64>(2)?);
            Ok(Hit {
                key: row.get(0)?,
                value: sort_value(row.get_ref(1)?),
            })
        })?;
        let matched = counted.map(|n| Counted {
            n: n.unsigned_abs(),
            is_exact: newest.is_none(),
        });
        Ok(Findings {
            hits,
            stopped: None,
            matched,
            is_sorted: newest.is_none(),
        })
    }

    /// Returns the comparison and the direction of the way.
    fn direction(&self) -> (&'static str, &'static str) {
        if self.descending {
            ("<", "DESC")
        } else {
            (">", "ASC")
        }
    }

    /// Adds the rows that are asked for, of those behind the rowid `newest`.
    fn push_asked(&self, sql: &mut Piece, newest: Option<i64>) {
        sql.append(&self.rows.base);
        self.span_behind(newest).push(sql, self.rowid());
        sql.append(&self.rows.asked);
    }

    /// Returns between which rowids the rows behind `newest` lie.
    fn span_behind(&self, newest: Option<i64>) -> Span {
        newest.map_or(self.rows.span, |newest| self.rows.span.and(">", newest))
    }

    /// Returns the rowid in a form that keeps the index in use.
    fn rowid(&self) -> &'static str {
        if self.rows.is_narrow && !self.rows.is_ordered {
            "+x.rowid"
        } else {
            "x.rowid"
        }
    }

    /// Returns the rowid behind which the newest `rows` rows are; none where that is all.
    fn newest(&self, read: &Read<'_>, rows: u32) -> Result<Option<i64>> {
        let mut sql = Piece::of("SELECT x.rowid ");
        sql.append(&self.rows.base);
        self.rows.span.push(&mut sql, self.rowid());
        let order = format!(" ORDER BY {} DESC LIMIT 1 OFFSET ?", self.rowid());
        sql.with(&order, [Value::from(rows)]);
        read.query_opt(&sql.text, params_from_iter(&sql.values), |row| row.get(0))
    }

    /// Counts what the filter lets through, as far as the bounds allow.
    fn matched(&self, read: &Read<'_>) -> Result<Counted> {
        if self.rows.asked.text.is_empty() {
            return self.count(read, None);
        }
        let newest = self.newest(read, self.source.scan_rows)?;
        let counted = self.count(read, newest)?;
        Ok(Counted {
            is_exact: counted.is_exact && newest.is_none(),
            ..counted
        })
    }

    /// Counts the rows that are asked for, of those behind the rowid `newest`.
    fn count(&self, read: &Read<'_>, newest: Option<i64>) -> Result<Counted> {
        let mut sql = Piece::of("SELECT count(*) FROM (SELECT 1 ");
        self.push_asked(&mut sql, newest);
        sql.with(" LIMIT ?)", [Value::from(COUNT_ROWS_MAX + 1)]);
        let n = read.query_one(&sql.text, params_from_iter(&sql.values), |row| row.get(0))?;
        Ok(bounded(n))
    }

    /// Counts the rows of the whole list; of flows, triggers keep the count.
    fn total(&self, read: &Read<'_>) -> Result<Counted> {
        if self.list == ListOf::Flows {
            let sql = "SELECT coalesce(sum(flows), 0) FROM flow_lists";
            let n: i64 = read.query_one(sql, [], |row| row.get(0))?;
            return Ok(Counted {
                n: n.unsigned_abs(),
                is_exact: true,
            });
        }
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?)",
            self.source.table
        );
        let n = read.query_one(&sql, [COUNT_ROWS_MAX + 1], |row| row.get(0))?;
        Ok(bounded(n))
    }

    /// Reads a row of the list.
    fn row(&self, read: &Read<'_>, key: i64) -> Result<Option<ListRow>> {
        let columns = self.source.columns.iter();
        let values = columns.map(|origin| format!("{} AS \"{}\"", origin.value, origin.key));
        let values: Vec<String> = values.collect();
        let sql = format!(
            "SELECT {} FROM {} x WHERE x.rowid = ?",
            values.join(", "),
            self.source.table
        );
        read.query_opt(&sql, [key], |row| {
            let columns = self.list.columns().iter().zip(self.source.columns);
            let cells = columns.enumerate().map(|(at, (column, origin))| {
                let value = row.get_ref(at)?;
                Ok(cell_of(value, column.kind, origin.is_lines))
            });
            let cells: Vec<ListCell> = cells.collect::<rusqlite::Result<_>>()?;
            let id = match &cells[0] {
                ListCell::Number(id) => id.to_string(),
                ListCell::Text(id) => id.clone(),
                _ => String::new(),
            };
            Ok(ListRow { id, cells })
        })
    }
}

/// A walk along one index, through the rows with a value or through those without.
struct Leg<'s> {
    search: &'s Search<'s>,
    /// The expression of the index; none for the rowids.
    along: Option<&'s str>,
    /// ` AND …`, which rows these are.
    condition: String,
    has_value: bool,
}

impl Leg<'_> {
    /// Returns the place of the last row that a filter may look at; none where the leg
    /// ends before, or there is no filter.
    fn end(&self, read: &Read<'_>, from: Option<&ListCursor>) -> Result<Option<ListCursor>> {
        if self.search.rows.asked.text.is_empty() {
            return Ok(None);
        }
        let mut sql = self.select(from, None);
        sql.push(&self.order());
        let last = self.search.source.scan_rows - 1;
        sql.with(" LIMIT 1 OFFSET ?", [Value::from(last)]);
        let last = read.query_opt(&sql.text, params_from_iter(&sql.values), |row| {
            hit_of(row, self.has_value)
        })?;
        Ok(last.map(|hit| hit.cursor()))
    }

    /// Returns up to `wanted` rows that are asked for, none behind `end`.
    fn hits(
        &self,
        read: &Read<'_>,
        from: Option<&ListCursor>,
        end: Option<&ListCursor>,
        wanted: usize,
    ) -> Result<Vec<Hit>> {
        let mut sql = self.select(from, end);
        sql.append(&self.search.rows.asked);
        sql.push(&self.order());
        sql.with(" LIMIT ?", [limit_of(wanted)]);
        read.query_all(&sql.text, params_from_iter(&sql.values), |row| {
            hit_of(row, self.has_value)
        })
    }

    /// Begins a statement that yields the rows behind a place, none behind `end`.
    fn select(&self, from: Option<&ListCursor>, end: Option<&ListCursor>) -> Piece {
        let along = self.along;
        let value = along.map_or(String::new(), |along| format!(", {along}"));
        let mut sql = Piece::of(format!("SELECT x.rowid{value} "));
        sql.append(&self.search.rows.base);
        sql.push(&self.condition);
        let last = if self.search.descending { ">=" } else { "<=" };
        let bounds = [(self.search.direction().0, from), (last, end)];
        let mut span = self.search.rows.span;
        for (sign, place) in bounds {
            let Some(place) = place else { continue };
            match (along, &place.key) {
                (Some(along), _) => push_bound(&mut sql, along, sign, place),
                (None, SortValue::Number(key)) => span = span.and(sign, *key),
                (None, _) => {}
            }
        }
        span.push(&mut sql, "x.rowid");
        sql
    }

    /// Returns the order of the walk.
    fn order(&self) -> String {
        let direction = self.search.direction().1;
        match self.along {
            Some(along) => format!(" ORDER BY {along} {direction}, x.rowid {direction}"),
            None => format!(" ORDER BY x.rowid {direction}"),
        }
    }
}

/// Adds that rows lie before or behind a place in the order of an expression.
fn push_bound(sql: &mut Piece, along: &str, sign: &str, place: &ListCursor) {
    let (value, key) = (value_of(&place.value), value_of(&place.key));
    if along.contains(" COLLATE ") {
        // A pair with a collation is no end of an index to SQLite, two comparisons are.
        let bare = sign.trim_end_matches('=');
        let text = format!(" AND {along} {bare}= ? AND ({along} {bare} ? OR x.rowid {sign} ?)");
        sql.with(&text, [value.clone(), value, key]);
    } else {
        let text = format!(" AND ({along}, x.rowid) {sign} (?, ?)");
        sql.with(&text, [value, key]);
    }
}

/// Reads a row of `rowid`, with the value in the order where there is one.
fn hit_of(row: &rusqlite::Row<'_>, has_value: bool) -> rusqlite::Result<Hit> {
    Ok(Hit {
        key: row.get(0)?,
        value: if has_value {
            sort_value(row.get_ref(1)?)
        } else {
            SortValue::Missing
        },
    })
}

/// Returns a count that ended at its bound or before.
fn bounded(n: i64) -> Counted {
    let most = u64::from(COUNT_ROWS_MAX);
    Counted {
        n: min(n.unsigned_abs(), most),
        is_exact: n.unsigned_abs() <= most,
    }
}

/// Returns a number of rows as a value.
fn limit_of(rows: usize) -> Value {
    Value::from(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// Reads a value that rows are put in order by.
fn sort_value(value: ValueRef<'_>) -> SortValue {
    match value {
        ValueRef::Integer(number) => SortValue::Number(number),
        ValueRef::Text(text) => SortValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => SortValue::Missing,
    }
}

/// Returns such a value for a statement.
fn value_of(value: &SortValue) -> Value {
    match value {
        SortValue::Missing => Value::Null,
        SortValue::Number(number) => Value::from(*number),
        SortValue::Text(text) => Value::from(text.clone()),
    }
}

/// Reads a cell.
fn cell_of(value: ValueRef<'_>, kind: ColumnKind, is_lines: bool) -> ListCell {
    match value {
        ValueRef::Integer(number) => match kind {
            ColumnKind::Time => ListCell::Time(number),
            ColumnKind::Flag => ListCell::Flag(number != 0),
            _ => ListCell::Number(number),
        },
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text).into_owned();
            if is_lines {
                return ListCell::Texts(text.lines().map(str::to_owned).collect());
            }
            if kind == ColumnKind::Json {
                return serde_json::from_str(&text).map_or(ListCell::Text(text), ListCell::Json);
            }
            ListCell::Text(text)
        }
        ValueRef::Null if is_lines => ListCell::Texts(Vec::new()),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => ListCell::Empty,
    }
}

#[cfg(test)]
mod plans;
