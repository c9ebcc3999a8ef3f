//! The dashboard: how much there is of everything, what ran in the last hour, what waits,
//! what failed lately, how large the database is.

mod draw;

use ratatui::layout::{Position, Rect};

use super::ask::{Answer, Ask};
use super::keys::Action;
use super::screen::{Effect, Screen};
use crate::app::App;
use crate::domain::Result;
use crate::domain::figures::Figures;
use crate::domain::listing::{Counted, ListFilter, ListOf, ListQuery, ListRow};
use crate::domain::principal::Principal;

/// The lists whose lengths are shown.
const COUNTED: [ListOf; 9] = [
    ListOf::Users,
    ListOf::Teams,
    ListOf::Flows,
    ListOf::Executions,
    ListOf::Recipes,
    ListOf::Components,
    ListOf::SshKeys,
    ListOf::ApiKeys,
    ListOf::Credentials,
];

/// The failed runs that are shown: as many as have room on the smallest usual screen.
const FAILED_SHOWN: u32 = 20;

/// What the dashboard shows.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The figures of the installation.
    pub figures: Figures,
    /// How many of each list there are.
    pub counts: Vec<(ListOf, Counted)>,
    /// The runs that failed last, the newest first.
    pub failed: Vec<ListRow>,
    /// What callers of the API are told while they are kept out; none where they are not.
    pub maintenance: Option<String>,
}

impl Overview {
    /// Gets all of it.
    pub fn of(app: &App, who: &Principal) -> Result<Self> {
        let counts = COUNTED.iter().map(|of| {
            let page = app.list(who, *of, &ListQuery::first(*of, 1))?;
            Ok((*of, page.total))
        });
        let of = ListOf::Executions;
        let failed = ListQuery {
            filter: ListFilter::default().and_is(of, "status", "error"),
            ..ListQuery::first(of, FAILED_SHOWN)
        };
        Ok(Self {
            counts: counts.collect::<Result<_>>()?,
            failed: app.list(who, of, &failed)?.rows,
            figures: app.figures(who)?,
            maintenance: app.maintenance()?,
        })
    }
}

/// The model of the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// What is shown; none until the first answer.
    overview: Option<Box<Overview>>,
    /// The line under the cursor: a list, or behind them a failed run.
    cursor: usize,
}

impl Model {
    /// Returns what the dashboard shows, as a question.
    pub fn ask(&self) -> Option<Ask> {
        Some(Ask::Overview)
    }

    /// Takes what came back.
    pub fn take(&mut self, answer: Answer) {
        if let Answer::Overview(overview) = answer {
            self.overview = Some(overview);
            self.cursor = self.cursor.min(self.last());
        }
    }

    /// Returns the runs that failed last.
    fn failed(&self) -> &[ListRow] {
        self.overview
            .as_ref()
            .map_or(&[], |overview| &overview.failed)
    }

    /// Returns the last line that the cursor goes to.
    fn last(&self) -> usize {
        COUNTED.len() + self.failed().len() - 1
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action) -> Option<Vec<Effect>> {
        match action {
            Action::Down => self.cursor = (self.cursor + 1).min(self.last()),
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            Action::Top => self.cursor = 0,
            Action::Bottom => self.cursor = self.last(),
            Action::NextPane | Action::PreviousPane => {
                let is_above = self.cursor < COUNTED.len();
                self.cursor = if is_above && !self.failed().is_empty() {
                    COUNTED.len()
                } else {
                    0
                };
            }
            Action::Open => return Some(self.open()),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Takes a click on a list: it goes there, and on the one under the cursor it opens it.
    pub fn click(&mut self, body: Rect, (column, line): (u16, u16)) -> Vec<Effect> {
        let (lists, failed) = draw::rows_of(body);
        let within = |area: Rect| area.contains(Position::new(column, line));
        let at = if within(lists) {
            Some(usize::from(line - lists.y)).filter(|at| *at < COUNTED.len())
        } else if within(failed) {
            let (cursor, height) = (self.cursor.saturating_sub(COUNTED.len()), failed.height);
            let first = (cursor + 1).saturating_sub(usize::from(height));
            let at = COUNTED.len() + first + usize::from(line - failed.y);
            Some(at).filter(|at| *at <= self.last())
        } else {
            None
        };
        match at {
            Some(at) if at == self.cursor => self.open(),
            Some(at) => {
                self.cursor = at;
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Opens the list or the run under the cursor.
    fn open(&self) -> Vec<Effect> {
        if let Some(list) = COUNTED.get(self.cursor) {
            return vec![Effect::Tab(*list)];
        }
        let row = self.failed().get(self.cursor - COUNTED.len());
        row.map_or_else(Vec::new, |row| {
            let screen = Screen::of_row(ListOf::Executions, row.clone());
            vec![Effect::Open(Box::new(screen))]
        })
    }
}
