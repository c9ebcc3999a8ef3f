//! Components and their repositories: one id for both (`v1.md 2.4, 2.5`, `v2.md 1`).

pub mod descriptor;
pub mod release;

use serde_json::Value;

use super::id::{ComponentId, TeamId};
use super::slug::Slug;

/// Who may use a component (`v2.md 4.1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The team alone.
    Team,
    /// Everyone on the installation.
    Tenant,
    /// Everyone; a standard component.
    Global,
}

impl Access {
    /// Returns the word that the database and API v2 use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Tenant => "tenant",
            Self::Global => "global",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Team, Self::Tenant, Self::Global]
            .into_iter()
            .find(|access| access.as_str() == word)
    }

    /// Tells whether others than the team may use it; v1 calls that `is_public`.
    pub fn is_shared(self) -> bool {
        self != Self::Team
    }
}

/// The longest logo as base64: 256 kB as a file, which is large for a logo; it is part of
/// every list of components.
pub const ICON_MAX_BYTES: usize = 350_000;

/// Which of the components that somebody may use are asked for (`v2.md 4.1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the own teams.
    Private,
    /// Shared ones of other teams.
    Public,
    /// Both.
    All,
}

/// A repository, and the component built from it.
#[derive(Clone, Debug)]
pub struct Component {
    /// The id of both; v1 `repo_id`.
    pub id: ComponentId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The slug of that team, as commands name it.
    pub team: Slug,
    /// The name of that team, as lists and descriptors show it.
    pub team_name: String,
    /// The repository's name as it was given.
    pub name: String,
    /// The name in git addresses and commands, unique in the team.
    pub slug: Slug,
    /// Who may use it.
    pub access: Access,
    /// Whether it is embedded in the binary.
    pub is_builtin: bool,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
}

/// A component in a list, with the title of its latest build.
#[derive(Clone, Debug)]
pub struct ComponentTitle {
    /// The component.
    pub component: Component,
    /// The title of the latest descriptor, else the repository's name (`v1.md 2.4`).
    pub title: String,
}

/// A successful build.
#[derive(Clone, Debug)]
pub struct ComponentVersion {
    /// The component.
    pub component_id: ComponentId,
    /// The git revision; for a built-in component a hash of its descriptor.
    pub revision: String,
    /// 1, 2, 3 in the order of builds.
    pub number: i64,
    /// The title of the descriptor.
    pub title: String,
    /// The descriptor: component.json (`runtime.md 1`) plus `language` and `sailor_version`.
    pub descriptor: Value,
    /// The logo as base64.
    pub icon: Option<String>,
    /// When it was built, in milliseconds since 1970.
    pub created_at_ms: i64,
}

/// How a trigger is set off (`runtime.md 1.3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerKind {
    /// By the flow's schedule.
    Polling,
    /// By a call to the flow's webhook.
    Webhook,
}

/// What a function of a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// It starts a flow.
    Trigger(TriggerKind),
    /// It is a step inside a flow.
    Action,
}

/// Returns what the function called `name` is; `None` where the descriptor has none.
///
/// A trigger without a known `type` is a webhook, the documented default
/// (`runtime.md 1.3`).
pub fn function_kind(descriptor: &Value, name: &str) -> Option<FunctionKind> {
    let function = |group: &str| descriptor.get(group)?.get(name)?.as_object();
    if let Some(trigger) = function("triggers") {
        let kind = match trigger.get("type").and_then(Value::as_str) {
            Some("polling") => TriggerKind::Polling,
            _ => TriggerKind::Webhook,
        };
        return Some(FunctionKind::Trigger(kind));
    }
    function("actions").map(|_| FunctionKind::Action)
}
