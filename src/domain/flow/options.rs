//! How a flow runs, besides its graph: zone, missed runs, variables, settings of steps
//! (`v2.md 6.4`, `settled.md`).

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::domain::error::{Error, FieldError, Result};

/// The most messages of one step at once; a step's workers are shared by all flows.
pub const PREFETCH_MAX: u32 = 32;

/// The largest settings of steps and the largest variables, as JSON.
const OPTIONS_MAX_BYTES: usize = 64 * 1024;

/// What becomes of runs that were due while the server was down (`settled.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// None is made up for.
    Skip,
    /// One run stands for all of them.
    #[default]
    Once,
    /// Each is made up for.
    All,
}

impl Missed {
    /// Returns the word that the database and API v2 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Skip, Self::Once, Self::All]
            .into_iter()
            .find(|missed| missed.as_str() == word)
    }
}

/// The language of mappers (`runtime.md 4.2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapperKind {
    /// One message in, one out, typed.
    Jsonata,
    /// The older one: texts, and a message for each element of a list.
    Handlebars,
}

impl MapperKind {
    /// Returns the word that the database and API v2 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jsonata => "jsonata",
            Self::Handlebars => "handlebars",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Jsonata, Self::Handlebars]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// The most processes of one step (`runtime.md 4.1`).
pub const REPLICAS_MAX: u32 = 5;

/// How a flow runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowOptions {
    /// The IANA zone of the schedule; UTC where missing.
    pub time_zone: Option<String>,
    /// What becomes of missed runs.
    pub missed: Missed,
    /// The flow's variables, which mappers read.
    pub variables: Map<String, Value>,
    /// How mappers are read that name no type; handlebars where missing, since the
    /// first documents knew no other.
    pub default_mapper_type: Option<MapperKind>,
    /// Settings of single steps by their ids: `prefetch`, `passthrough.disabled`.
    pub nodes_config: Map<String, Value>,
}

impl FlowOptions {
    /// Checks sizes, the zone and the settings of steps; fields of errors are the
    /// attributes' names.
    pub fn check(&self) -> Result<()> {
        let mut faults = Vec::new();
        let mut fault = |field: String, message: &str| {
            faults.push(FieldError {
                field,
                message: message.to_owned(),
            });
        };
        if let Some(zone) = &self.time_zone
            && TimeZone::get(zone).is_err()
        {
            fault(
                "time_zone".to_owned(),
                "must be an IANA time zone, such as Europe/Berlin",
            );
        }
        for (name, map) in [
            ("variables", &self.variables),
            ("nodes_config", &self.nodes_config),
        ] {
            if serde_json::to_string(map).map_or(0, |text| text.len()) > OPTIONS_MAX_BYTES {
                fault(name.to_owned(), "is too large");
            }
        }
        for (step, config) in &self.nodes_config {
            if !config.is_object() {
                fault(format!("nodes_config.{step}"), "must be an object");
            }
            let prefetch = config.get("prefetch");
            if prefetch.is_some_and(|value| prefetch_of(value).is_none()) {
                fault(
                    format!("nodes_config.{step}.prefetch"),
                    &format!("must be a whole number from 1 to {PREFETCH_MAX}"),
                );
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(faults))
        }
    }

    /// Returns how many messages of a step may be worked on at once; 1 keeps their order.
    pub fn prefetch(&self, step: &str) -> u32 {
        let config = self.nodes_config.get(step);
        config
            .and_then(|config| prefetch_of(config.get("prefetch")?))
            .unwrap_or(1)
    }

    /// Returns how many processes of a step may run at once.
    pub fn replicas(&self, step: &str) -> u32 {
        let config = self.nodes_config.get(step);
        let wanted = config.and_then(|config| config.get("replicas")?.as_u64());
        let wanted = wanted.and_then(|wanted| u32::try_from(wanted).ok());
        wanted.unwrap_or(1).clamp(1, REPLICAS_MAX)
    }

    /// Tells whether the messages of a step carry the outputs of the steps before.
    pub fn passes_through(&self, step: &str) -> bool {
        let disabled = self
            .nodes_config
            .get(step)
            .and_then(|config| config.get("passthrough")?.get("disabled")?.as_bool());
        disabled != Some(true)
    }

    /// Returns the language of mappers that name none.
    pub fn mapper_kind(&self) -> MapperKind {
        self.default_mapper_type.unwrap_or(MapperKind::Handlebars)
    }
}

/// Reads a prefetch.
fn prefetch_of(value: &Value) -> Option<u32> {
    let number = u32::try_from(value.as_u64()?).ok()?;
    (1..=PREFETCH_MAX).contains(&number).then_some(number)
}
