//! Screens: what a page of the console shows. The frame wraps each in [`Screen`], and
//! hears what it wants as [`Effect`]s.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::ask::{Answer, Ask};
use super::deed::Deed;
use super::keys::{Action, Place};
use super::look::Look;
use super::message::Level;
use super::overlay::Overlay;
use super::peek::Peek;
use super::view_name::ViewName;
use super::{confirm, dashboard, detail, execution, form, on_row, recipe, table, task, teams};
use crate::app::SecretText;
use crate::domain::listing::{ListOf, ListRow};
use crate::domain::recipe::RecipeId;

/// What every screen may know besides its own model.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The wall time in milliseconds since 1970.
    pub now_ms: i64,
    /// Whether nothing can be written.
    pub is_read_only: bool,
    /// How everything looks.
    pub look: Look,
}

/// What a screen wants of the frame.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask again what the screen asks for, at once.
    Load,
    /// Open a page on top of this one.
    Open(Box<Screen>),
    /// Open a list on top of this one, narrowed by a filter.
    OpenList {
        /// The list.
        of: ListOf,
        /// The filter, as a person would type it.
        filter: String,
    },
    /// Put a list, in its own view, in the place of this page.
    Tab(ListOf),
    /// Put a tab of a view in the place of this page.
    TabOf(ViewName, ListOf),
    /// Open a view.
    View(ViewName),
    /// Put something over the screen.
    Show(Box<Overlay>),
    /// Do something that was confirmed.
    Do(Deed),
    /// Copy a text.
    Copy {
        /// What it is, for the message.
        what: String,
        /// The text.
        text: String,
    },
    /// Copy a large text all the same: somebody was asked.
    CopyLarge {
        /// What it is, for the message.
        what: String,
        /// The text.
        text: String,
    },
    /// Copy a secret that is shown once.
    CopySecret {
        /// What it is, for the message.
        what: String,
        /// The secret; it wipes itself.
        text: SecretText,
    },
    /// Say something in the status line.
    Say(Level, String),
    /// Hand an action to the screen, as if its key had been pressed.
    Act(Action),
    /// Sort the list by this column.
    SortBy(usize),
    /// Narrow the list by this filter.
    FilterBy(String),
    /// One page back.
    Back,
}

impl Effect {
    /// Copies a text.
    pub fn copy(what: &str, text: String) -> Self {
        Self::Copy {
            what: what.to_owned(),
            text,
        }
    }

    /// Puts something over the screen.
    pub fn show(overlay: Overlay) -> Self {
        Self::Show(Box::new(overlay))
    }

    /// Asks before a deed.
    pub fn ask_first(ask: confirm::Model) -> Self {
        Self::show(Overlay::Confirm(ask))
    }

    /// Offers a form.
    pub fn fill_in(form: form::Model) -> Self {
        Self::show(Overlay::Form(form))
    }
}

/// What a page shows: a variant a screen.
#[derive(Clone, Debug)]
pub enum Screen {
    /// Numbers and charts.
    Dashboard(dashboard::Model),
    /// A list.
    Table(Box<table::Model>),
    /// The facts of one object.
    Detail(Box<detail::Model>),
    /// One task.
    Task(Box<task::Model>),
    /// One run.
    Execution(Box<execution::Model>),
    /// One recipe.
    Recipe(Box<recipe::Model>),
}

impl Screen {
    /// Makes the screen of one object of a list: its own where it has one, else its facts.
    pub fn of_row(of: ListOf, row: ListRow) -> Self {
        let of_id = match of {
            ListOf::Flows => row.id.parse().ok().map(|id| {
                let name = table::related::name_of(of, &row);
                Self::Task(Box::new(task::Model::new(id, name)))
            }),
            ListOf::Executions => row
                .id
                .parse()
                .ok()
                .map(|id| Self::Execution(Box::new(execution::Model::new(id)))),
            ListOf::Recipes => RecipeId::parse(&row.id).map(|id| {
                let name = table::related::name_of(of, &row);
                Self::Recipe(Box::new(recipe::Model::new(id, name, false)))
            }),
            _ => None,
        };
        of_id.unwrap_or_else(|| Self::Detail(Box::new(detail::Model::new(of, row))))
    }

    /// Returns the list that is shown, where one is.
    pub fn table_mut(&mut self) -> Option<&mut table::Model> {
        match self {
            Self::Table(model) => Some(model),
            Self::Detail(model) => model.list_mut(),
            _ => None,
        }
    }

    /// Returns what stands in the crumbs.
    pub fn crumb(&self) -> String {
        match self {
            Self::Dashboard(_) => ViewName::Dashboard.title().to_owned(),
            Self::Table(model) => model.crumb(),
            Self::Detail(model) => model.crumb(),
            Self::Task(model) => model.crumb(),
            Self::Execution(model) => model.crumb(),
            Self::Recipe(model) => model.crumb(),
        }
    }

    /// Returns what stands at the right end of the crumbs, such as the place in a list.
    pub fn place_text(&self, scene: &Scene) -> String {
        match self {
            Self::Table(model) => model.place_text(scene),
            Self::Task(model) => model.place_text(scene),
            Self::Execution(model) => model.place_text(scene),
            Self::Detail(model) => {
                let list = model.list();
                list.map_or_else(String::new, |list| list.place_text(scene))
            }
            Self::Dashboard(_) | Self::Recipe(_) => String::new(),
        }
    }

    /// Returns what the status line says where nothing else is to be said.
    pub fn status(&self) -> String {
        match self {
            Self::Table(model) => model.status(),
            Self::Detail(model) => model.list().map_or_else(String::new, table::Model::status),
            _ => String::new(),
        }
    }

    /// Returns whose keys hold.
    pub fn place(&self) -> Place {
        match self {
            Self::Dashboard(_) => Place::Dashboard,
            Self::Table(model) => Place::List(model.of()),
            Self::Detail(model) => match model.list() {
                Some(_) if model.has_members() => Place::Members,
                Some(list) => Place::List(list.of()),
                None => Place::Detail(model.of),
            },
            Self::Task(_) => Place::Task,
            Self::Execution(_) => Place::Execution,
            Self::Recipe(_) => Place::Recipe,
        }
    }

    /// Returns what the screen shows, as a question; none where it knows all.
    pub fn ask(&mut self, scene: &Scene, reason: Reason) -> Option<Ask> {
        match self {
            Self::Dashboard(model) => model.ask(),
            Self::Table(model) => model.ask(scene, reason),
            Self::Detail(model) => model.ask(scene, reason),
            Self::Task(model) => Some(model.ask()),
            Self::Execution(model) => model.ask(reason),
            Self::Recipe(model) => model.ask(),
        }
    }

    /// Takes what came back.
    pub fn take(&mut self, answer: Answer) {
        match (self, answer) {
            (Self::Table(model), Answer::List(pages)) => model.take(pages),
            (Self::Detail(model), Answer::Row(row)) => model.take(row),
            (Self::Detail(model), Answer::List(pages)) => model.take_list(pages),
            (Self::Task(model), Answer::Task(page)) => model.take(*page),
            (Self::Execution(model), Answer::Execution(page)) => model.take(*page),
            (Self::Recipe(model), Answer::Recipe(recipe)) => model.take(*recipe),
            (Self::Dashboard(model), answer) => model.take(answer),
            // An answer to what the page showed before.
            _ => {}
        }
    }

    /// Returns the row of which more is to be asked: it is shown beside its list or facts.
    pub fn peeked(&self) -> Option<(ListOf, String)> {
        match self {
            Self::Table(model) => model.peeked(),
            Self::Detail(model) => model.peeked(),
            _ => None,
        }
    }

    /// Takes more of a row.
    pub fn take_peek(&mut self, peek: Box<Peek>) {
        match self {
            Self::Table(model) => model.take_peek(peek),
            Self::Detail(model) => model.take_peek(peek),
            _ => {}
        }
    }

    /// Returns what is to be done now that an answer came.
    pub fn arrived(&mut self) -> Vec<Effect> {
        match self {
            Self::Recipe(model) => model.arrived(),
            Self::Table(model) => model.arrived(),
            Self::Task(model) => model.arrived(),
            Self::Detail(model) => model.list().map_or_else(Vec::new, table::Model::arrived),
            _ => Vec::new(),
        }
    }

    /// Does what a key asks for; none where the screen does not know it.
    pub fn act(&mut self, action: Action, scene: &Scene) -> Option<Vec<Effect>> {
        let own = match self {
            Self::Dashboard(model) => model.act(action),
            Self::Table(model) => model.act(action, scene),
            Self::Detail(model) => model.act(action, scene),
            Self::Task(model) => model.act(action, scene),
            Self::Execution(model) => model.act(action, scene),
            Self::Recipe(model) => model.act(action),
        };
        own.or_else(|| {
            if let Self::Detail(model) = self
                && let Some(list) = model.list().filter(|_| model.has_members())
            {
                return teams::act_on_members(&model.row, &list.meant(), action);
            }
            let (of, rows) = self.rows_meant()?;
            on_row::act(of, &rows, action)
        })
    }

    /// Returns what a deed is about: the marked rows of a list, else the one under the
    /// cursor, else the object that is open.
    fn rows_meant(&self) -> Option<(ListOf, Vec<ListRow>)> {
        match self {
            Self::Dashboard(_) | Self::Task(_) | Self::Execution(_) | Self::Recipe(_) => None,
            Self::Table(model) => Some((model.of(), model.meant())),
            Self::Detail(model) => match model.list() {
                Some(list) => Some((list.of(), list.meant())),
                None => Some((model.of, vec![model.row.clone()])),
            },
        }
    }

    /// Takes a click at a place of the body; twice opens.
    pub fn click(&mut self, scene: &Scene, body: Rect, at: (u16, u16)) -> Vec<Effect> {
        match self {
            Self::Dashboard(model) => model.click(body, at),
            Self::Table(model) => model.click(body, at),
            Self::Detail(model) => model.click(body, at, scene.now_ms),
            Self::Task(model) => model.click(body, at),
            Self::Execution(model) => model.click(body, at),
            Self::Recipe(_) => Vec::new(),
        }
    }

    /// Learns how much room there is.
    pub fn resize(&mut self, body: Rect) {
        match self {
            Self::Table(model) => model.resize(body),
            Self::Detail(model) => model.resize(body),
            Self::Task(model) => model.resize(body),
            Self::Execution(model) => model.resize(body),
            Self::Recipe(model) => model.resize(body),
            Self::Dashboard(_) => {}
        }
    }

    /// Draws the screen into the body.
    pub fn view(&self, scene: &Scene, frame: &mut Frame<'_>, body: Rect) {
        match self {
            Self::Dashboard(model) => model.view(scene, frame, body),
            Self::Table(model) => model.view(scene, frame, body),
            Self::Detail(model) => model.view(scene, frame, body),
            Self::Task(model) => model.view(scene, frame, body),
            Self::Execution(model) => model.view(scene, frame, body),
            Self::Recipe(model) => model.view(scene, frame, body),
        }
    }
}

/// Why a screen is asked what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody wants to see it.
    Person,
    /// Time has passed: what is shown must not jump.
    Time,
}
