//! Flows; v1 calls one a task (`v1.md 2.6, 3.6`, `v2.md 4.4`).

pub mod chain;
pub mod command;
mod edges;
pub mod event;
pub mod graph;
pub mod options;
pub mod portable;
pub mod schedule;

use std::borrow::Cow;

use serde_json::{Map, Value};

use self::graph::Graph;
use self::options::{FlowOptions, MapperKind, Missed};
use super::error::{Error, Result};
use super::id::{FlowId, OrganizationId, UserId};
use super::organization::Owner;
use super::page::OrderBy;

/// The longest cron expression: five fields full of lists fit in.
const CRON_MAX_BYTES: usize = 256;

/// How a flow is set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowType {
    /// By its schedule or its webhook, sleeping in between.
    Ordinary,
    /// Always up: a real-time flow.
    LongRunning,
}

impl FlowType {
    /// Returns the word that the database and API v2 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::LongRunning => "long_running",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ordinary, Self::LongRunning]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// Whether a flow runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowStatus {
    /// It runs.
    Active,
    /// It does not.
    Inactive,
    /// It does not for now: what is queued is kept, and a start goes on with it.
    Suspended,
}

impl FlowStatus {
    /// Returns the word that the database and API v1 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Suspended => "suspended",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Inactive, Self::Suspended]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// A flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The id.
    pub id: FlowId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How it is set off.
    pub flow_type: FlowType,
    /// Whether it runs.
    pub status: FlowStatus,
    /// Its steps and what joins them.
    pub graph: Graph,
    /// Its schedule.
    pub cron: Option<Cron>,
    /// The recipe that it was made from.
    pub recipe_id: Option<String>,
    /// Counts the changes of the graph.
    pub version: i64,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
    /// When it was last started, in milliseconds since 1970.
    pub last_started_at_ms: Option<i64>,
    /// How it runs.
    pub options: FlowOptions,
    /// When its schedule fires next, in milliseconds since 1970.
    pub due_at_ms: Option<i64>,
    /// The organization that it belongs to.
    pub organization_id: Option<OrganizationId>,
}

impl Flow {
    /// Returns whose it is.
    pub fn owner(&self) -> Owner {
        Owner {
            user: self.user_id,
            organization: self.organization_id,
        }
    }

    /// Returns when a change of now is made: always after the last one, whatever the clock
    /// says, so that the time of the last change tells two states of a flow apart.
    pub fn next_update_ms(&self, now_ms: i64) -> i64 {
        now_ms.max(self.updated_at_ms + 1)
    }
}

/// A flow as it is shown. What is JSON in the database stays text: nobody reads it on its
/// way to the client, and reading and writing it again cost most of a page.
#[derive(Clone, Debug)]
pub struct ShownFlow<'a> {
    /// The id.
    pub id: Cow<'a, str>,
    /// The id of the user whose it is.
    pub user_id: Cow<'a, str>,
    /// What it is called.
    pub name: Cow<'a, str>,
    /// What it is for.
    pub description: Option<Cow<'a, str>>,
    /// How it is set off.
    pub flow_type: FlowType,
    /// Whether it runs.
    pub status: FlowStatus,
    /// The JSON of its graph.
    pub graph: Cow<'a, str>,
    /// Its schedule.
    pub cron: Option<Cow<'a, str>>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
    /// When it was last started, in milliseconds since 1970.
    pub last_started_at_ms: Option<i64>,
    /// The zone of its schedule.
    pub time_zone: Option<Cow<'a, str>>,
    /// What becomes of missed runs.
    pub missed: Missed,
    /// The JSON of its variables.
    pub variables: Cow<'a, str>,
    /// How mappers are read that name no type.
    pub default_mapper_type: Option<MapperKind>,
    /// The JSON of the settings of its steps.
    pub nodes_config: Cow<'a, str>,
    /// When its schedule fires next, in milliseconds since 1970.
    pub due_at_ms: Option<i64>,
    /// The organization that it belongs to.
    pub organization_id: Option<OrganizationId>,
}

impl<'a> From<&'a Flow> for ShownFlow<'a> {
    fn from(flow: &'a Flow) -> Self {
        let options = &flow.options;
        let text = |members: &Map<String, Value>| Value::from(members.clone()).to_string();
        let borrowed = |text: &'a str| Cow::Borrowed(text);
        Self {
            id: flow.id.to_string().into(),
            user_id: flow.user_id.to_string().into(),
            name: borrowed(&flow.name),
            description: flow.description.as_deref().map(borrowed),
            flow_type: flow.flow_type,
            status: flow.status,
            graph: flow.graph.to_value().to_string().into(),
            cron: flow.cron.as_ref().map(Cron::as_str).map(borrowed),
            created_at_ms: flow.created_at_ms,
            updated_at_ms: flow.updated_at_ms,
            last_started_at_ms: flow.last_started_at_ms,
            time_zone: options.time_zone.as_deref().map(borrowed),
            missed: options.missed,
            variables: text(&options.variables).into(),
            default_mapper_type: options.default_mapper_type,
            nodes_config: text(&options.nodes_config).into(),
            due_at_ms: flow.due_at_ms,
            organization_id: flow.organization_id,
        }
    }
}

/// A flow to be made; it begins inactive.
#[derive(Clone, Debug)]
pub struct NewFlow {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How it is set off.
    pub flow_type: FlowType,
    /// Its steps and what joins them.
    pub graph: Graph,
    /// Its schedule.
    pub cron: Option<Cron>,
    /// The recipe that it is made from.
    pub recipe_id: Option<String>,
    /// How it runs.
    pub options: FlowOptions,
}

/// Whose flows a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowList {
    /// Those that are a user's alone.
    Personal(UserId),
    /// Those of an organization.
    Organization(OrganizationId),
}

/// What flows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowKey {
    /// The name.
    Name,
    /// When it was made.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
}

/// Which flows are asked for, in which order; all where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowQuery {
    /// Whether it runs; a suspended one does not.
    pub is_active: Option<bool>,
    /// How it is set off.
    pub flow_type: Option<FlowType>,
    /// Whose it is.
    pub user: Option<UserId>,
    /// A part of the name or of the description, ignoring case.
    pub search: Option<String>,
    /// The order; by id where empty, and among equals.
    pub order: Vec<OrderBy<FlowKey>>,
}

impl FlowQuery {
    /// Tells whether every flow of the list is asked for.
    pub fn is_everything(&self) -> bool {
        let whole = Self {
            order: self.order.clone(),
            ..Self::default()
        };
        *self == whole
    }
}

/// A schedule: a cron expression of five fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron(String);

impl Cron {
    /// Checks an expression; `*/60` and the like are accepted, since public recipes
    /// have them (`settled.md`). One that can never fire, such as that of a 31 February,
    /// is refused: a flow that is active and silent looks broken.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() > CRON_MAX_BYTES {
            return Err(Error::invalid(field, "is too long for a cron expression"));
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        if fields.len() != 5 {
            return Err(Error::invalid(
                field,
                "must be a cron expression of five fields: minute hour day month weekday",
            ));
        }
        let text = fields.join(" ");
        if croner::parser::CronParser::new().parse(&text).is_err() {
            return Err(Error::invalid(field, fault_of(&fields)));
        }
        // Five fields name no year, so what fires once after any time fires again.
        if schedule::next_of(&text, None, 0).is_none() {
            return Err(Error::invalid(
                field,
                "never fires: none of its months has such a day",
            ));
        }
        Ok(Self(text))
    }

    /// Wraps an expression that was checked when it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the expression.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The fields of a cron expression, in order, with what each may hold.
const CRON_FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day", "1 to 31"),
    ("month", "1 to 12 or JAN to DEC"),
    ("weekday", "0 to 7 or SUN to SAT"),
];

/// Says which field of a refused expression is at fault, by trying each one alone.
fn fault_of(fields: &[&str]) -> String {
    let alone = |place: usize| {
        let mut parts = ["*"; 5];
        parts[place] = fields[place];
        let text = parts.join(" ");
        croner::parser::CronParser::new().parse(&text).is_ok()
    };
    match (0..CRON_FIELDS.len()).find(|place| !alone(*place)) {
        Some(place) => {
            let (name, range) = CRON_FIELDS[place];
            format!("is not a cron expression: its {name} must be of {range}, with * , - and /")
        }
        None => "is not a cron expression".to_owned(),
    }
}
