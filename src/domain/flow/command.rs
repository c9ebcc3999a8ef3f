//! What a step runs: `team/repo:function`, with `@version` where one is pinned.

use std::fmt;

use crate::domain::slug::Slug;

/// The longest function name and version, in bytes: names in a descriptor and
/// git revisions are far shorter.
const PART_MAX_BYTES: usize = 128;

/// A function of a component (`v2.md 4.4`, `v1.md 3.6`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepCommand {
    /// The slug of the team.
    pub team: Slug,
    /// The slug of the repository.
    pub component: Slug,
    /// The trigger or action, as the descriptor names it.
    pub function: String,
    /// The revision, `latest`, or none, which means `latest`.
    pub version: Option<String>,
}

impl StepCommand {
    /// Reads a command; `None` where the text is not of its form.
    pub fn parse(text: &str) -> Option<Self> {
        let (team, rest) = text.split_once('/')?;
        let (component, rest) = rest.split_once(':')?;
        let (function, version) = match rest.split_once('@') {
            Some((function, version)) => (function, Some(version)),
            None => (rest, None),
        };
        if !is_function(function) || !version.is_none_or(is_version) {
            return None;
        }
        Some(Self {
            team: Slug::parse(team)?,
            component: Slug::parse(component)?,
            function: function.to_owned(),
            version: version.map(str::to_owned),
        })
    }

    /// Tells whether it is the mapper, which v1 has as a step and v2 as part of an edge.
    pub fn is_mapper(&self) -> bool {
        self.team.as_str() == crate::domain::team::BUILTIN_TEAM
            && self.component.as_str() == "mapper"
            && self.function == "map"
    }

    /// Returns the field of a built-in step that holds a JSONata expression, for the steps
    /// that have no other use (`builtin-components.md`).
    pub fn expression_field(&self) -> Option<&'static str> {
        if self.team.as_str() != crate::domain::team::BUILTIN_TEAM {
            return None;
        }
        match (self.component.as_str(), self.function.as_str()) {
            ("filter", "SimpleJSONataFilter") | ("splitter", "splitOnJsonataExpression") => {
                Some("expression")
            }
            ("filter", "filter") => Some("condition"),
            _ => None,
        }
    }

    /// Tells whether it is the router, whose edges have conditions (`runtime.md 4.3`).
    pub fn is_router(&self) -> bool {
        self.team.as_str() == crate::domain::team::BUILTIN_TEAM
            && self.component.as_str() == "router"
            && self.function == "route"
    }
}

/// Tells whether `text` is a name of a trigger or action (`runtime.md 1.5`).
fn is_function(text: &str) -> bool {
    text.len() <= PART_MAX_BYTES
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Tells whether `text` can be a revision or `latest`.
fn is_version(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= PART_MAX_BYTES
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

impl fmt::Display for StepCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.team, self.component, self.function)?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}
