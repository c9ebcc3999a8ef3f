//! What screens ask the application for, as data, and what they get. The worker performs it.
//!
//! A screen that needs something else adds a variant to [`Ask`] and to [`Answer`], and a
//! line to [`Ask::perform`].

use super::dashboard::Overview;
use super::execution::{self, ExecutionPage};
use super::peek::{self, Peek};
use super::task::{self, TaskPage};
use crate::app::App;
use crate::domain::Result;
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::listing::{
    ListAt, ListFilter, ListOf, ListPage, ListQuery, ListRow, ListSort, ListTest,
};
use crate::domain::principal::Principal;
use crate::domain::recipe::{Recipe, RecipeId};

/// The rows that are asked for at once: several screens, so that moving seldom waits, and
/// few enough that a page is drawn from memory.
pub const PART_ROWS: u32 = 200;

/// The rows of each list that the palette finds.
const FOUND_MAX: u32 = 5;

/// The pieces of a long list that are searched for an object: a person who types waits no
/// longer than for a few of them.
const FIND_PIECES_MAX: usize = 8;

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A part of a list, or several that follow each other.
    List(ListAsk),
    /// One row of a list.
    Row {
        /// The list.
        of: ListOf,
        /// The object.
        id: String,
    },
    /// What the dashboard shows.
    Overview,
    /// A run, with its steps from a place on.
    Execution {
        /// The run.
        id: ExecutionId,
        /// The steps before the first one that is wanted.
        offset: u64,
    },
    /// A task.
    Task(FlowId),
    /// A recipe.
    Recipe(RecipeId),
    /// More of a row.
    Peek {
        /// Its list.
        of: ListOf,
        /// The object.
        id: String,
    },
    /// Objects whose names hold a text, of each list that is named.
    Find {
        /// The lists.
        of: Vec<ListOf>,
        /// The text.
        text: String,
    },
}

/// The parts of a list that a table holds.
#[derive(Clone, Debug)]
pub struct ListAsk {
    /// The list.
    pub of: ListOf,
    /// Which rows.
    pub filter: ListFilter,
    /// In which order.
    pub sort: ListSort,
    /// Where the first part is.
    pub at: ListAt,
    /// How many parts, one behind the other.
    pub parts: usize,
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The parts of a list; at least one.
    List(Vec<ListPage>),
    /// The row, where the object is still there.
    Row(Option<Box<ListRow>>),
    /// What the dashboard shows.
    Overview(Box<Overview>),
    /// A run.
    Execution(Box<ExecutionPage>),
    /// A task.
    Task(Box<TaskPage>),
    /// A recipe.
    Recipe(Box<Recipe>),
    /// More of a row.
    Peek(Box<Peek>),
    /// The rows that were found, with their lists.
    Found(Vec<(ListOf, ListRow)>),
}

impl Ask {
    /// Gets it.
    pub fn perform(&self, app: &App, who: &Principal) -> Result<Answer> {
        match self {
            Self::List(ask) => ask.perform(app, who).map(Answer::List),
            Self::Row { of, id } => {
                let filter = ListFilter::default().and_is(*of, "id", id.as_str());
                let row = find(app, who, *of, filter, 1)?.pop();
                Ok(Answer::Row(row.map(Box::new)))
            }
            Self::Overview => Overview::of(app, who).map(|all| Answer::Overview(Box::new(all))),
            Self::Execution { id, offset } => {
                let page = execution::load(app, who, *id, *offset)?;
                Ok(Answer::Execution(Box::new(page)))
            }
            Self::Recipe(id) => Ok(Answer::Recipe(Box::new(app.recipe(who, id)?))),
            Self::Task(id) => Ok(Answer::Task(Box::new(task::load(app, who, *id)?))),
            Self::Peek { of, id } => {
                let peek = peek::load(app, who, *of, id)?;
                Ok(Answer::Peek(Box::new(peek)))
            }
            Self::Find { of, text } => {
                let mut found = Vec::new();
                for list in of {
                    let filter = found_by(text, *list, app.now_ms())?;
                    let rows = find(app, who, *list, filter, FOUND_MAX)?;
                    found.extend(rows.into_iter().map(|row| (*list, row)));
                }
                Ok(Answer::Found(found))
            }
        }
    }
}

impl ListAsk {
    /// Gets the parts, each behind the one before it.
    fn perform(&self, app: &App, who: &Principal) -> Result<Vec<ListPage>> {
        let mut pages: Vec<ListPage> = Vec::new();
        let mut at = self.at.clone();
        for _ in 0..self.parts.max(1) {
            let query = ListQuery {
                filter: self.filter.clone(),
                sort: self.sort,
                at,
                limit: PART_ROWS,
            };
            let page = app.list(who, self.of, &query)?;
            let after = page.after.clone();
            pages.push(page);
            let Some(after) = after else { break };
            at = ListAt::After(after);
        }
        Ok(pages)
    }
}

/// Returns the filter of what the palette finds: an execution is named by how its id begins.
fn found_by(text: &str, of: ListOf, now_ms: i64) -> Result<ListFilter> {
    let is_id = text.chars().all(|c| c.is_ascii_hexdigit());
    if of == ListOf::Executions && is_id && !text.is_empty() {
        let begin = ListTest::StartsWith(text.to_ascii_lowercase());
        return Ok(ListFilter::default().and(of, "id", begin));
    }
    ListFilter::parse(text, of, now_ms)
}

/// Returns the first rows of a list that a filter lets through.
pub(super) fn find(
    app: &App,
    who: &Principal,
    of: ListOf,
    filter: ListFilter,
    limit: u32,
) -> Result<Vec<ListRow>> {
    let mut query = ListQuery {
        filter,
        ..ListQuery::first(of, limit)
    };
    let mut rows: Vec<ListRow> = Vec::new();
    for _ in 0..FIND_PIECES_MAX {
        let page = app.list(who, of, &query)?;
        rows.extend(page.rows);
        match page.after {
            // The search ended at its bound before it found enough.
            Some(after) if rows.len() < limit as usize => query.at = ListAt::After(after),
            _ => break,
        }
    }
    rows.truncate(limit as usize);
    Ok(rows)
}
