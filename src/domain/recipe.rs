//! Recipes: flows with blanks, ready to be activated (`v1.md 2.2`).

pub mod accounts;
pub mod folder;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::error::{Error, Result};
use super::flow::graph::Graph;
use super::id::RawId;

/// The longest slug of a recipe.
const RECIPE_SLUG_MAX_BYTES: usize = 100;

/// The id of a recipe: 24 hex digits, or a slug of letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipeId(String);

impl RecipeId {
    /// Reads an id; `None` where the text can't be one, which the API answers with 404.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.parse::<RawId>().is_ok();
        let is_slug = !text.is_empty()
            && text.len() <= RECIPE_SLUG_MAX_BYTES
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        (is_hex || is_slug).then(|| Self(text.to_owned()))
    }

    /// Makes the id of a recipe folder: its name, `-` as `_`, in lower case.
    pub fn of_folder(name: &str) -> Result<Self> {
        Self::parse(&name.to_lowercase().replace('-', "_")).ok_or_else(|| {
            Error::invalid(
                "folder",
                "must be called by 24 hex digits or by letters, digits, - and _",
            )
        })
    }

    /// Wraps an id that was checked when it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecipeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a recipe comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipeOrigin {
    /// Embedded in the binary.
    Bundled,
    /// Imported by the operator.
    Imported,
}

impl RecipeOrigin {
    /// Returns the word that the database stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bundled => "bundled",
            Self::Imported => "imported",
        }
    }

    /// Reads that word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Bundled, Self::Imported]
            .into_iter()
            .find(|origin| origin.as_str() == word)
    }
}

/// A flow that activation makes.
#[derive(Clone, Debug)]
pub struct FlowTemplate {
    /// The flow's name.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its schedule.
    pub cron: Option<String>,
    /// Its graph, without credentials.
    pub graph: Graph,
    /// Step to what the recipe's own file calls the account of the step: the connector
    /// as it is spelled there, or the declared credential (`runtime.md 5.2, 5.3`). A
    /// step that is not in it takes the account of its component.
    pub accounts: BTreeMap<String, String>,
}

/// What a recipe of API v2 says besides its flows (`runtime.md 5.3`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// The `declarations` as they were sent: `credentials`, `variables`, `topics`.
    pub declarations: Map<String, Value>,
    /// The `info` as it was sent: `title`, `author`, `description`, `short_description`.
    pub info: Map<String, Value>,
}

impl Declared {
    /// Returns the variables that the flows read, each with what it begins with: the
    /// declared `default`, else an empty text, so that a mapping which reads a variable
    /// that nobody set gives a text all the same.
    pub fn variables(&self) -> Map<String, Value> {
        let list = self.declarations.get("variables").and_then(Value::as_array);
        let with_default = |it: &Value| {
            let id = it.get("id")?.as_str()?.to_owned();
            let default = it.get("default").filter(|value| !value.is_null());
            Some((id, default.cloned().unwrap_or_else(|| "".into())))
        };
        list.into_iter()
            .flatten()
            .filter_map(with_default)
            .collect()
    }
}

/// A recipe.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The id.
    pub id: RecipeId,
    /// What it is called.
    pub title: String,
    /// What it does, Markdown.
    pub description: String,
    /// Connector to `{"credentials": <schema>}`, as `GET /v1/recipes/{id}` shows it;
    /// none where the folder names none: they follow from the descriptors of the
    /// steps then, see [`accounts::needed`], each time that somebody looks.
    pub accounts: Option<Map<String, Value>>,
    /// The flows to make, in order.
    pub flows: Vec<FlowTemplate>,
    /// What it declares, where it is one of API v2.
    pub declared: Option<Declared>,
    /// Where it comes from.
    pub origin: RecipeOrigin,
}

/// A recipe in a list: what `GET /v1/recipes` promises, and where it comes from.
#[derive(Clone, Debug)]
pub struct RecipeTitle {
    /// The id.
    pub id: RecipeId,
    /// What it is called.
    pub title: String,
    /// Where it comes from.
    pub origin: RecipeOrigin,
}
