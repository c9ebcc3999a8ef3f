//! The target of a mapping with templates, and the splitting over arrays.
//!
//! A template that refers to an array gives one message for each element. References
//! that stand in one template share one index, and so do all references to one array.
//! Arrays that no template joins multiply, as an array inside an array does. A target
//! whose name ends with `[*]` collects instead: its elements stay in one message.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::path::{Found, Indexes, text_of};
use super::template::Template;
use super::{DEPTH_MAX, MESSAGES_MAX, below, refusal};
use crate::domain::expression::{EvaluationError, RESULT_MAX_BYTES};

/// What a target that collects ends with.
const COLLECTS: &str = "[*]";

/// A part of the target.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Constant(Value),
    Leaf(Leaf),
    Object(Vec<(String, Shape)>),
    Array(Vec<Shape>),
    Collected(Box<Shape>),
}

/// A template with its place and its table.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    place: String,
    template: Template,
    table: Option<Table>,
}

/// A lookup table of a target field.
#[derive(Clone, Debug)]
enum Table {
    Named(String),
    Inlined(Map<String, Value>),
}

/// Finds a table by its id or name.
type Tables<'a> = &'a dyn Fn(&str) -> Option<Map<String, Value>>;

/// Places and reasons of what is wrong.
type Faults = Vec<(String, String)>;

impl Shape {
    /// Reads a mapping.
    pub(super) fn parse(mapper: &Value, lookup_tables: Option<&Value>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let tables = match lookup_tables {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(tables)) => tables.clone(),
            Some(_) => {
                faults.push((String::new(), "must have lookup tables by field".to_owned()));
                Map::new()
            }
        };
        if !mapper.is_object() && !mapper.is_string() {
            faults.push((String::new(), "must be an object or a template".to_owned()));
        }
        let shape = read(mapper, "", 0, &tables, &mut faults);
        if faults.is_empty() {
            Ok(shape)
        } else {
            Err(faults)
        }
    }

    /// Makes the messages.
    pub(super) fn apply(
        &self,
        body: &Value,
        tables: Tables<'_>,
    ) -> Result<Vec<Value>, EvaluationError> {
        let mut maker = Maker {
            body,
            tables,
            left_messages: MESSAGES_MAX,
            left_bytes: RESULT_MAX_BYTES,
        };
        let mut made = Vec::new();
        maker.expand(self, &mut Indexes::new(), false, &mut made)?;
        Ok(made)
    }

    /// Calls a function for every leaf that is not collected.
    fn leaves<'a>(&'a self, found: &mut Vec<&'a Leaf>) {
        match self {
            Self::Constant(_) | Self::Collected(_) => {}
            Self::Leaf(leaf) => found.push(leaf),
            Self::Object(members) => members.iter().for_each(|(_, part)| part.leaves(found)),
            Self::Array(items) => items.iter().for_each(|part| part.leaves(found)),
        }
    }
}

/// Makes messages within the limits.
struct Maker<'a> {
    body: &'a Value,
    tables: Tables<'a>,
    left_messages: usize,
    left_bytes: usize,
}

impl Maker<'_> {
    /// Makes one value, or one for each element of the arrays that are not split yet.
    fn expand(
        &mut self,
        shape: &Shape,
        indexes: &mut Indexes,
        is_collected: bool,
        made: &mut Vec<Value>,
    ) -> Result<(), EvaluationError> {
        let mut leaves = Vec::new();
        shape.leaves(&mut leaves);
        let Some((group, length)) = self.next_group(&leaves, indexes, is_collected) else {
            self.left_messages = self.left_messages.checked_sub(1).ok_or_else(|| {
                refusal(format!(
                    "The mapping makes more than {MESSAGES_MAX} messages"
                ))
            })?;
            made.push(self.make(shape, indexes)?);
            return Ok(());
        };
        for index in 0..length {
            for place in &group {
                indexes.insert(place.clone(), index);
            }
            self.expand(shape, indexes, is_collected, made)?;
        }
        for place in &group {
            indexes.remove(place);
        }
        Ok(())
    }

    /// Finds the first arrays without an index, with all that share one with them, and
    /// the length of the longest; `None` where there are none.
    fn next_group(
        &self,
        leaves: &[&Leaf],
        indexes: &Indexes,
        is_collected: bool,
    ) -> Option<(HashSet<String>, usize)> {
        let open: Vec<Vec<(String, usize)>> = leaves
            .iter()
            .map(|leaf| self.open_arrays(leaf, indexes))
            .collect();
        let Some(first) = open.iter().find(|arrays| !arrays.is_empty()) else {
            return (is_collected && indexes.is_empty() && self.is_missing(leaves))
                .then(|| (HashSet::new(), 0));
        };
        let mut group: HashSet<String> = first.iter().map(|(place, _)| place.clone()).collect();
        loop {
            let before = group.len();
            for arrays in &open {
                if arrays.iter().any(|(place, _)| group.contains(place)) {
                    group.extend(arrays.iter().map(|(place, _)| place.clone()));
                }
            }
            if group.len() == before {
                break;
            }
        }
        let length = open
            .iter()
            .flatten()
            .filter(|(place, _)| group.contains(place))
            .map(|(_, length)| *length)
            .max()?;
        Some((group, length))
    }

    /// Returns the arrays on the paths of a leaf that have no index.
    fn open_arrays(&self, leaf: &Leaf, indexes: &Indexes) -> Vec<(String, usize)> {
        let paths = leaf.template.paths();
        paths
            .into_iter()
            .filter_map(|(path, is_whole)| {
                let found = if is_whole {
                    path.find_whole(self.body, indexes)
                } else {
                    path.find(self.body, indexes)
                };
                match found {
                    Found::Array(place, length) => Some((place, length)),
                    _ => None,
                }
            })
            .collect()
    }

    /// Tells whether templates say `[*]` and nothing of it is there: then a target that
    /// collects stays empty.
    fn is_missing(&self, leaves: &[&Leaf]) -> bool {
        let mut paths = leaves
            .iter()
            .flat_map(|leaf| leaf.template.paths())
            .map(|(path, _)| path)
            .filter(|path| path.says_each())
            .peekable();
        paths.peek().is_some()
            && paths.all(|path| matches!(path.find(self.body, &Indexes::new()), Found::Nothing))
    }

    /// Makes one value with an index for every array.
    fn make(&mut self, shape: &Shape, indexes: &mut Indexes) -> Result<Value, EvaluationError> {
        Ok(match shape {
            Shape::Constant(value) => {
                self.take(value.to_string().len())?;
                value.clone()
            }
            Shape::Leaf(leaf) => {
                let text = leaf.template.render(self.body, indexes)?;
                let text = self.looked_up(leaf, text)?;
                self.take(text.len() + 2)?;
                Value::String(text)
            }
            Shape::Object(members) => {
                let mut made = Map::with_capacity(members.len());
                for (name, part) in members {
                    self.take(name.len() + 4)?;
                    made.insert(name.clone(), self.make(part, indexes)?);
                }
                Value::Object(made)
            }
            Shape::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|part| self.make(part, indexes))
                    .collect::<Result<_, _>>()?,
            ),
            Shape::Collected(part) => {
                let mut made = Vec::new();
                self.expand(part, indexes, true, &mut made)?;
                Value::Array(made)
            }
        })
    }

    /// Replaces a text through the leaf's table. A text that the table does not have
    /// stays: an unknown code says more to the next step than nothing.
    fn looked_up(&self, leaf: &Leaf, text: String) -> Result<String, EvaluationError> {
        let found = match &leaf.table {
            None => return Ok(text),
            Some(Table::Inlined(table)) => table.get(&text).map(text_of),
            Some(Table::Named(name)) => match (self.tables)(name) {
                Some(table) => table.get(&text).map(text_of),
                None => {
                    return Err(refusal(format!(
                        "{}: there is no lookup table {name}",
                        leaf.place
                    )));
                }
            },
        };
        Ok(found.unwrap_or(text))
    }

    /// Takes bytes from what is left.
    fn take(&mut self, bytes: usize) -> Result<(), EvaluationError> {
        self.left_bytes = self.left_bytes.checked_sub(bytes).ok_or_else(|| {
            refusal(format!(
                "The mapped messages are larger than {RESULT_MAX_BYTES} bytes"
            ))
        })?;
        Ok(())
    }
}

/// Reads a part of the target.
fn read(
    value: &Value,
    place: &str,
    depth: usize,
    tables: &Map<String, Value>,
    faults: &mut Faults,
) -> Shape {
    if depth > DEPTH_MAX {
        faults.push((place.to_owned(), "is nested too deep".to_owned()));
        return Shape::Constant(Value::Null);
    }
    match value {
        Value::String(text) => leaf_of(text, place, tables, faults),
        Value::Object(members) => Shape::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let part = read(value, &below(place, name), depth + 1, tables, faults);
                    match name.strip_suffix(COLLECTS) {
                        Some(name) => (name.to_owned(), Shape::Collected(Box::new(part))),
                        None => (name.clone(), part),
                    }
                })
                .collect(),
        ),
        Value::Array(items) => Shape::Array(
            items
                .iter()
                .enumerate()
                .map(|(at, value)| {
                    read(
                        value,
                        &below(place, &at.to_string()),
                        depth + 1,
                        tables,
                        faults,
                    )
                })
                .collect(),
        ),
        other => Shape::Constant(other.clone()),
    }
}

/// Reads a template and its table.
fn leaf_of(text: &str, place: &str, tables: &Map<String, Value>, faults: &mut Faults) -> Shape {
    let bare = place.replace(COLLECTS, "");
    let table = match tables.get(place).or_else(|| tables.get(&bare)) {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) if name.is_empty() => None,
        Some(Value::String(name)) => Some(Table::Named(name.clone())),
        Some(Value::Object(table)) => Some(Table::Inlined(table.clone())),
        Some(_) => {
            faults.push((place.to_owned(), "must have a lookup table".to_owned()));
            None
        }
    };
    match Template::parse(text) {
        Ok(template) => Shape::Leaf(Leaf {
            place: place.to_owned(),
            template,
            table,
        }),
        Err(reason) => {
            faults.push((place.to_owned(), reason));
            Shape::Constant(Value::Null)
        }
    }
}
