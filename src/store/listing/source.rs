//! Where the columns of lists come from: a table, and an expression a column.
//!
//! Every table is `x` here. What orders rows with equal values, and tells a row from all
//! others, is the rowid: rows get it in the order of their making, and every index ends
//! with it, so a walk along an index needs no sorting.

mod flows;
mod people;
mod things;

use crate::domain::listing::ListOf;

/// Where a list comes from.
pub(super) struct Source {
    /// The table, as `x`.
    pub(super) table: &'static str,
    /// The most rows that one page with a filter looks at, and as many again to count: less
    /// where rows are large or lie apart, so that a page comes within 50 ms.
    pub(super) scan_rows: u32,
    /// One entry a column of the list, in the list's order.
    pub(super) columns: &'static [Origin],
    /// Columns of which a given value leads to few rows.
    pub(super) narrowing: &'static [Narrowing],
}

/// A column of which an index finds a given value.
pub(super) struct Narrowing {
    /// The column's name, as the domain says it.
    pub(super) key: &'static str,
    /// The condition; each of its question marks is the value.
    pub(super) condition: &'static str,
    /// Whether rows with the same value come in the order of their making.
    pub(super) is_ordered: bool,
}

/// Makes a column of which an index finds a value.
const fn narrowed(key: &'static str, condition: &'static str) -> Narrowing {
    Narrowing {
        key,
        condition,
        is_ordered: false,
    }
}

/// Makes a column of which an index finds a value, in the order of the rows' making.
const fn in_order(key: &'static str, condition: &'static str) -> Narrowing {
    Narrowing {
        key,
        condition,
        is_ordered: true,
    }
}

/// Where a column comes from.
pub(super) struct Origin {
    /// The column's name, as the domain says it.
    pub(super) key: &'static str,
    /// The expression of its value.
    pub(super) value: &'static str,
    /// How the list is sorted by it.
    pub(super) order: Order,
    /// Whether a word without a field is looked for in it.
    pub(super) is_searched: bool,
    /// Whether the value is a list of texts, a line each.
    pub(super) is_lines: bool,
}

/// How a list is sorted by a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Not at all.
    None,
    /// By the order of the rows' making, which is the column's.
    Made,
    /// Along the index on this expression.
    Index(&'static str),
    /// Along the index on this expression, which has no value in some rows.
    PartIndex(&'static str),
    /// By sorting the newest rows: for tables that are not large.
    Sorted,
    /// The same by another expression, which has the same order and costs less.
    SortedBy(&'static str),
    /// The same with texts, ignoring the case of letters.
    SortedText,
}

impl Origin {
    /// Makes a column with its expression.
    const fn of(key: &'static str, value: &'static str) -> Self {
        Self {
            key,
            value,
            order: Order::None,
            is_searched: false,
            is_lines: false,
        }
    }

    /// Makes words without a field be looked for in the column.
    const fn searched(mut self) -> Self {
        self.is_searched = true;
        self
    }

    /// Makes the list be sorted by the column.
    const fn by(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Makes the value a list of texts, a line each.
    const fn lines(mut self) -> Self {
        self.is_lines = true;
        self
    }
}

/// Returns where a list comes from.
pub(super) fn of(list: ListOf) -> &'static Source {
    match list {
        ListOf::Users => &people::USERS,
        ListOf::Teams => &people::TEAMS,
        ListOf::Organizations => &people::ORGANIZATIONS,
        ListOf::SshKeys => &people::SSH_KEYS,
        ListOf::ApiKeys => &people::API_KEYS,
        ListOf::Flows => &flows::FLOWS,
        ListOf::Executions => &flows::EXECUTIONS,
        ListOf::Recipes => &things::RECIPES,
        ListOf::Components => &things::COMPONENTS,
        ListOf::Credentials => &things::CREDENTIALS,
        ListOf::Lookups => &things::LOOKUPS,
        ListOf::Audit => &things::AUDIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_domain_has_an_origin_and_an_order_where_it_says_so() {
        for list in ListOf::ALL {
            let origins = of(list).columns;
            let keys: Vec<&str> = origins.iter().map(|origin| origin.key).collect();
            let columns: Vec<&str> = list.columns().iter().map(|column| column.key).collect();
            assert_eq!(keys, columns, "{}", list.as_str());
            for (column, origin) in list.columns().iter().zip(origins) {
                let is_sorted = origin.order != Order::None;
                assert_eq!(
                    column.sortable,
                    is_sorted,
                    "{} {}",
                    list.as_str(),
                    column.key
                );
            }
            for narrowing in of(list).narrowing {
                let key = narrowing.key;
                assert!(columns.contains(&key), "{} {key}", list.as_str());
            }
        }
    }
}
