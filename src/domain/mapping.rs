//! Mappings: how a message is brought into the form of the next step
//! (`runtime.md 4.2`).
//!
//! There are two languages. JSONata makes one message out of one and keeps types.
//! Handlebars, the older one, makes texts, and one message for each element of an
//! array that a template refers to.

mod blocks;
mod path;
mod shape;
mod template;
mod typed;

use serde_json::{Map, Value};

use self::shape::Shape;
use self::typed::Typed;
use super::expression::{EvaluationError, Root, Scope};
pub use super::flow::options::MapperKind;

/// The most messages that come out of one: a bound for arrays that multiply.
pub const MESSAGES_MAX: usize = 10_000;

/// The deepest object of a mapping. Targets are a few levels deep.
const DEPTH_MAX: usize = 32;

/// A mapping that was read and can be applied from any thread.
#[derive(Clone, Debug)]
pub struct Mapping(Language);

/// A mapping in one of the languages.
#[derive(Clone, Debug)]
enum Language {
    Handlebars(Shape),
    Jsonata(Typed),
}

impl Mapping {
    /// Reads `mapper` of an edge or of a mapper's fields.
    ///
    /// `lookup_tables` names a table for target fields, as an id or a name, or has the
    /// table itself; only handlebars knows it. Errors are places below the mapper, such
    /// as `customer.name`, empty for the whole, each with half a sentence.
    pub fn parse(
        mapper: &Value,
        kind: MapperKind,
        lookup_tables: Option<&Value>,
    ) -> Result<Self, Vec<(String, String)>> {
        Ok(Self(match kind {
            MapperKind::Handlebars => Language::Handlebars(Shape::parse(mapper, lookup_tables)?),
            MapperKind::Jsonata => Language::Jsonata(Typed::parse(mapper)?),
        }))
    }

    /// Returns the language.
    pub fn kind(&self) -> MapperKind {
        match self.0 {
            Language::Handlebars(_) => MapperKind::Handlebars,
            Language::Jsonata(_) => MapperKind::Jsonata,
        }
    }

    /// Tells whether the mapping may read the passthrough: one of templates never does.
    pub fn reads_passthrough(&self) -> bool {
        match &self.0 {
            Language::Handlebars(_) => false,
            Language::Jsonata(typed) => typed.reads_passthrough(),
        }
    }

    /// Makes the bodies that come out of a message: one with JSONata, none to
    /// [`MESSAGES_MAX`] with handlebars. `tables` finds a lookup table by its id or
    /// name.
    pub fn apply(
        &self,
        scope: &Scope<'_>,
        tables: &dyn Fn(&str) -> Option<Map<String, Value>>,
    ) -> Result<Vec<Value>, EvaluationError> {
        match &self.0 {
            Language::Handlebars(shape) => shape.apply(scope.body, tables),
            Language::Jsonata(typed) => Ok(vec![typed.apply(&Root::new(*scope))?]),
        }
    }
}

/// Returns the place of a member below a place.
fn below(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

/// Makes an error of a mapping.
fn refusal(message: impl Into<String>) -> EvaluationError {
    EvaluationError {
        name: "MappingError",
        message: message.into(),
    }
}
