//! Lists for the console and the command line, by one verb.

use super::flow::require_operator;
use super::{App, PAGE_MAX};
use crate::domain::listing::{ListOf, ListPage, ListQuery};
use crate::domain::principal::Principal;
use crate::domain::{Error, Result};

impl App {
    /// Returns a page of a list with rows of everybody; for the operator, at the console or
    /// the command line. At most [`PAGE_MAX`] rows come, and at least one is looked for.
    ///
    /// An order that the list does not have is an error of `sort`.
    pub fn list(&self, who: &Principal, of: ListOf, query: &ListQuery) -> Result<ListPage> {
        require_operator(who)?;
        let column = of.columns().get(query.sort.column);
        if !column.is_some_and(|column| column.sortable) {
            let told = format!("is not one that {} have", of.as_str());
            return Err(Error::invalid("sort", told));
        }
        let query = ListQuery {
            limit: query.limit.clamp(1, PAGE_MAX),
            ..query.clone()
        };
        self.read(|read| read.list(of, &query))
    }
}
