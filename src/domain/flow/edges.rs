//! What edges say besides their ends: conditions and mappings (`runtime.md 4.2, 4.3`).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::graph::{Edge, Graph, Node};
use super::options::MapperKind;
use crate::domain::error::{Error, FieldError, Result};
use crate::domain::expression::Expression;
use crate::domain::mapping::Mapping;

impl Edge {
    /// Returns the condition, a JSONata expression; an empty one is none.
    pub fn condition(&self) -> Option<&str> {
        self.setting("condition")
            .and_then(Value::as_str)
            .filter(|text| !text.trim().is_empty())
    }

    /// Returns the language of the mapper; `default` is the flow's.
    pub fn mapper_kind(&self, default: MapperKind) -> MapperKind {
        self.named_kind().unwrap_or(default)
    }

    /// Returns the language that the edge itself names.
    fn named_kind(&self) -> Option<MapperKind> {
        self.setting("mapper_type")
            .and_then(Value::as_str)
            .and_then(MapperKind::parse)
    }

    /// Reads the mapping; `None` where the edge has none and messages pass unchanged.
    /// Errors are as [`Mapping::parse`] gives them.
    pub fn mapping(&self, default: MapperKind) -> Option<Result<Mapping, Vec<(String, String)>>> {
        let mapper = self.setting("mapper")?;
        let tables = self.setting("lookup_tables");
        Some(Mapping::parse(mapper, self.mapper_kind(default), tables))
    }

    /// Returns a member of the configuration; null is none.
    fn setting(&self, name: &str) -> Option<&Value> {
        let config: &Map<String, Value> = self.members.get("config")?.as_object()?;
        config.get(name).filter(|value| !value.is_null())
    }
}

impl Node {
    /// Tells whether it is marked as what receives the errors of all other steps
    /// (`runtime.md 4.8`).
    pub fn is_error_handler(&self) -> bool {
        self.members.get("error") == Some(&Value::Bool(true))
    }
}

impl Graph {
    /// Returns the ids of what receives errors: nodes that are marked so, and those
    /// that an edge without a source leads to.
    pub fn error_handlers(&self) -> HashSet<&str> {
        let marked = self.nodes.iter().filter(|node| node.is_error_handler());
        let unsourced = self.edges.iter().filter(|edge| edge.source.is_none());
        marked
            .map(|node| node.id.as_str())
            .chain(unsourced.map(|edge| edge.target.as_str()))
            .collect()
    }

    /// Checks every expression and every template, whatever says how it is written: the
    /// mappers of edges that name no type are of type `default`.
    ///
    /// Those in fields of steps are checked too, where a field can be nothing else.
    /// Fields of an error are paths such as `graph.edges.0.config.mapper.name`.
    pub fn check_expressions(&self, default: MapperKind) -> Result<()> {
        self.check_mappings(Some(default))?;
        let nodes = self.nodes.iter().enumerate();
        let faults = nodes.filter_map(|(at, node)| {
            let name = node.command.expression_field()?;
            let text = node.members.get("fields")?.get(name)?.as_str()?;
            // An empty one is a draft; the start asks for it.
            let text = Some(text).filter(|text| !text.trim().is_empty())?;
            Some(FieldError {
                field: format!("graph.nodes.{at}.fields.{name}"),
                message: Expression::parse(text)
                    .err()
                    .map(|reason| format!("is no JSONata expression: {reason}"))?,
            })
        });
        refuse(faults.collect())
    }

    /// Checks the mappings of edges and of mapper steps; those of edges without a type
    /// where there is a default alone.
    fn check_mappings(&self, default: Option<MapperKind>) -> Result<()> {
        let mut faults = Vec::new();
        for (at, edge) in self.edges.iter().enumerate() {
            if let Some(kind) = edge.named_kind().or(default)
                && let Some(Err(found)) = edge.mapping(kind)
            {
                add_faults(
                    &mut faults,
                    &format!("graph.edges.{at}.config.mapper"),
                    found,
                );
            }
        }
        for (at, node) in self.nodes.iter().enumerate() {
            let fields = node.members.get("fields").and_then(Value::as_object);
            if let Some(fields) = fields.filter(|_| node.command.is_mapper())
                && let Err(found) = check_templates(fields)
            {
                add_faults(
                    &mut faults,
                    &format!("graph.nodes.{at}.fields.mapper"),
                    found,
                );
            }
        }
        refuse(faults)
    }

    /// Checks what the edges say by themselves: types of mappers, conditions, mappers
    /// that name their type, and at most one default edge of each router.
    pub(super) fn check_edges(&self) -> Result<()> {
        let mut faults = Vec::new();
        let routers: HashSet<&str> = self
            .nodes
            .iter()
            .filter(|node| node.command.is_router())
            .map(|node| node.id.as_str())
            .collect();
        let mut with_default = HashSet::new();
        for (at, edge) in self.edges.iter().enumerate() {
            let mut fault = |name: &str, message: String| {
                faults.push(FieldError {
                    field: format!("graph.edges.{at}.config.{name}"),
                    message,
                });
            };
            if let Some(kind) = edge.setting("mapper_type")
                && kind.as_str().and_then(MapperKind::parse).is_none()
            {
                fault("mapper_type", "must be jsonata or handlebars".to_owned());
            }
            if edge.setting("condition").is_some_and(|it| !it.is_string()) {
                fault("condition", "must be a text".to_owned());
            }
            if let Some(Err(reason)) = edge.condition().map(Expression::parse) {
                fault("condition", format!("is no JSONata expression: {reason}"));
            }
            let router = edge.source.as_deref().filter(|id| routers.contains(id));
            if let Some(router) = router
                && edge.condition().is_none()
                && !with_default.insert(router)
            {
                fault(
                    "condition",
                    format!("is missing: {router} has another edge without one"),
                );
            }
        }
        refuse(faults)?;
        self.check_mappings(None)
    }
}

/// Checks the templates in the configuration of a mapper step; one without a mapping maps
/// nothing. Errors are as [`Mapping::parse`] gives them.
pub(super) fn check_templates(config: &Map<String, Value>) -> Result<(), Vec<(String, String)>> {
    let given = |name: &str| config.get(name).filter(|value| !value.is_null());
    let Some(mapper) = given("mapper") else {
        return Ok(());
    };
    let kind = given("mapper_type").and_then(Value::as_str);
    let kind = kind.and_then(MapperKind::parse);
    let tables = given("lookup_tables").or_else(|| given("lookupTables"));
    Mapping::parse(mapper, kind.unwrap_or(MapperKind::Handlebars), tables).map(drop)
}

/// Adds the faults of a mapper that stands at `mapper`.
pub(super) fn add_faults(faults: &mut Vec<FieldError>, mapper: &str, found: Vec<(String, String)>) {
    faults.extend(found.into_iter().map(|(place, message)| FieldError {
        field: if place.is_empty() {
            mapper.to_owned()
        } else {
            format!("{mapper}.{place}")
        },
        message,
    }));
}

/// Returns an error where there is a fault.
fn refuse(faults: Vec<FieldError>) -> Result<()> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid_fields(faults))
    }
}
