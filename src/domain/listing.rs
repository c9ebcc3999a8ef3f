//! Lists as people look at them: columns, filters, sorting and pages, for the console
//! and the command line alike.
//!
//! A list is asked for by [`ListQuery`] and comes as a [`ListPage`]. Pages are found by
//! the place of a row, a [`ListCursor`], never by a number of rows to pass over, so a
//! row that comes or goes before a page leaves the page as it is.

mod columns;
mod filter;
mod measure;

use serde_json::Value;

use super::error::{Error, Result};

pub use filter::{FILTER_MAX_BYTES, ListFilter, ListTerm, ListTest, TERMS_MAX, expression_of};

/// What can be listed. Repositories are the components of teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListOf {
    /// Users.
    Users,
    /// Developer teams.
    Teams,
    /// Flows; v1 calls one a task.
    Flows,
    /// Runs of flows.
    Executions,
    /// Recipes.
    Recipes,
    /// Components, and the repositories that they are built from.
    Components,
    /// SSH public keys.
    SshKeys,
    /// API keys, without the keys.
    ApiKeys,
    /// Credentials, without what they hold.
    Credentials,
    /// Entries of the audit log.
    Audit,
    /// Organizations.
    Organizations,
    /// Lookup tables.
    Lookups,
}

/// The words for each list, the first of which is the word that we write.
const WORDS: &[(ListOf, &[&str])] = &[
    (ListOf::Users, &["users", "user"]),
    (ListOf::Teams, &["teams", "team"]),
    (ListOf::Flows, &["flows", "flow", "tasks", "task"]),
    (ListOf::Executions, &["executions", "execution", "exec"]),
    (ListOf::Recipes, &["recipes", "recipe"]),
    (
        ListOf::Components,
        &["components", "component", "repos", "repo"],
    ),
    (
        ListOf::SshKeys,
        &["ssh_keys", "sshkeys", "sshkey", "ssh_key"],
    ),
    (ListOf::ApiKeys, &["api_keys", "keys", "key", "api_key"]),
    (
        ListOf::Credentials,
        &["credentials", "credential", "accounts", "account"],
    ),
    (ListOf::Audit, &["audit"]),
    (ListOf::Organizations, &["organizations", "organization"]),
    (ListOf::Lookups, &["lookups", "lookup"]),
];

impl ListOf {
    /// All of them, in the order of the console's views.
    pub const ALL: [Self; 12] = [
        Self::Users,
        Self::Teams,
        Self::Flows,
        Self::Executions,
        Self::Recipes,
        Self::Components,
        Self::SshKeys,
        Self::ApiKeys,
        Self::Credentials,
        Self::Audit,
        Self::Organizations,
        Self::Lookups,
    ];

    /// Returns the word for the list, such as `users`.
    pub fn as_str(self) -> &'static str {
        let found = WORDS.iter().find(|(of, _)| *of == self);
        found.expect("every list has words").1[0]
    }

    /// Reads a word for a list, in the plural or the singular; v1's `tasks` are flows.
    pub fn parse(word: &str) -> Result<Self> {
        let word = word.to_ascii_lowercase();
        let found = WORDS
            .iter()
            .find(|(_, words)| words.contains(&word.as_str()));
        found.map(|(of, _)| *of).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|of| of.as_str()).collect();
            Error::invalid("list", format!("must be one of {}", known.join(", ")))
        })
    }

    /// Returns the columns of the list, the object's id first.
    pub fn columns(self) -> &'static [ListColumn] {
        columns::of(self)
    }

    /// Returns the place of a column by its key, or by another word that people use for
    /// it: `state` and `status`, `user` and `owner`, `age` for the time that counts.
    pub fn column(self, field: &str) -> Option<usize> {
        let place = |key: &str| self.columns().iter().position(|column| column.key == key);
        place(field).or_else(|| {
            columns::ALIASES
                .iter()
                .filter(|(alias, _)| *alias == field)
                .find_map(|(_, key)| place(key))
        })
    }

    /// Returns the order in which the list comes where nobody says another.
    pub fn default_sort(self) -> ListSort {
        let (key, descending) = columns::default_sort(self);
        let column = self.column(key).expect("a list has what it is sorted by");
        ListSort { column, descending }
    }
}

/// What kind of values a column has: how they are compared, filtered and drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Texts.
    Text,
    /// Ids, which may be shortened.
    Id,
    /// Words of a small set that say how something stands.
    State,
    /// Numbers.
    Number,
    /// Sizes in bytes.
    Bytes,
    /// Lengths of time in milliseconds.
    Duration,
    /// Moments in milliseconds since 1970.
    Time,
    /// Yes or no.
    Flag,
    /// Any JSON value.
    Json,
}

/// A column of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListColumn {
    /// Its name in JSON, CSV, filters and sorting.
    pub key: &'static str,
    /// Its title in a table; none where only JSON, CSV and details show it.
    pub title: Option<&'static str>,
    /// The kind of its values.
    pub kind: ColumnKind,
    /// Whether the list can be sorted by it.
    pub sortable: bool,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum ListCell {
    /// A text.
    Text(String),
    /// A number, a size in bytes or a length of time in milliseconds.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A moment in milliseconds since 1970.
    Time(i64),
    /// Several texts.
    Texts(Vec<String>),
    /// Anything, as it is.
    Json(Value),
    /// Nothing.
    Empty,
}

impl ListCell {
    /// Makes a cell of a text.
    pub fn text<T: ToString + ?Sized>(text: &T) -> Self {
        Self::Text(text.to_string())
    }

    /// Makes a cell of a text that may be missing.
    pub fn maybe<T: ToString>(text: Option<T>) -> Self {
        text.map_or(Self::Empty, |text| Self::text(&text))
    }

    /// Makes a cell of a moment that may be missing.
    pub fn time(at_ms: Option<i64>) -> Self {
        at_ms.map_or(Self::Empty, Self::Time)
    }
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRow {
    /// The object's id: what a selection is pinned to.
    pub id: String,
    /// One cell a column.
    pub cells: Vec<ListCell>,
}

/// By which column a list is sorted; rows with equal values come by the time of their
/// making, rows without a value last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListSort {
    /// The place of the column.
    pub column: usize,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl ListSort {
    /// Reads `field`, `field:asc`, `field:desc` or `-field`; an error of `sort` names the
    /// fields that a list can be sorted by.
    pub fn parse(text: &str, of: ListOf) -> Result<Self> {
        let (field, descending) = match (text.strip_prefix('-'), text.split_once(':')) {
            (Some(field), None) | (None, Some((field, "desc"))) => (field, true),
            (None, Some((field, "asc"))) => (field, false),
            _ => (text, false),
        };
        let column = of
            .column(field)
            .filter(|at| of.columns()[*at].sortable)
            .ok_or_else(|| {
                let sortable = of.columns().iter().filter(|column| column.sortable);
                let keys: Vec<&str> = sortable.map(|column| column.key).collect();
                let told = format!(
                    "can't be `{field}`: {} are sorted by {}",
                    of.as_str(),
                    keys.join(", ")
                );
                Error::invalid("sort", told)
            })?;
        Ok(Self { column, descending })
    }
}

/// A value that rows are put in order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortValue {
    /// A row without a value.
    Missing,
    /// A number or a moment.
    Number(i64),
    /// A text.
    Text(String),
}

/// The place of a row in a list: good for the order and the filter that it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCursor {
    /// The row's value in the column that the list is sorted by.
    pub value: SortValue,
    /// What tells the row from all others.
    pub key: SortValue,
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListAt {
    /// The first rows.
    #[default]
    Start,
    /// The rows behind this place.
    After(ListCursor),
    /// The last rows before this place.
    Before(ListCursor),
    /// The last rows.
    End,
}

/// What is asked of a list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Which rows.
    pub filter: ListFilter,
    /// In which order.
    pub sort: ListSort,
    /// Which part of them.
    pub at: ListAt,
    /// The most rows of the part.
    pub limit: u32,
}

impl ListQuery {
    /// Makes the query for the first rows of a whole list in its usual order.
    pub fn first(of: ListOf, limit: u32) -> Self {
        Self {
            filter: ListFilter::default(),
            sort: of.default_sort(),
            at: ListAt::Start,
            limit,
        }
    }
}

/// A number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many were counted.
    pub n: u64,
    /// Whether these are all; otherwise there are at least so many.
    pub is_exact: bool,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The rows, in the order that was asked for.
    pub rows: Vec<ListRow>,
    /// The place before which more rows may be; none at the start of the list.
    pub before: Option<ListCursor>,
    /// The place behind which more rows may be; none at the end of the list.
    pub after: Option<ListCursor>,
    /// How many rows the filter lets through.
    pub matched: Counted,
    /// How many rows the whole list has.
    pub total: Counted,
    /// Whether nothing was left out between the rows: false where the search ended at its
    /// bound before the page was full, and goes on behind `after` or before `before`; and
    /// where only the newest rows were sorted.
    pub is_complete: bool,
}
