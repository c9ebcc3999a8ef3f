//! The nodes of a recipe's flow and what joins them.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Faults, given};
use crate::domain::flow::command::StepCommand;
use crate::domain::flow::graph::NODES_MAX;
use crate::domain::slug::Slug;
use crate::domain::team::BUILTIN_TEAM;

/// A node and its command.
pub(super) struct Step {
    pub(super) id: String,
    /// The component, as the file spells it.
    pub(super) connector: String,
    pub(super) command: StepCommand,
}

/// The nodes of a flow and what joins them, by place in the list of nodes.
pub(super) struct Steps {
    pub(super) nodes: Vec<Step>,
    pub(super) connections: Vec<(usize, usize)>,
}

/// Reads nodes and connections and checks all that names can tell: unique ids, known
/// ends, one beginning, and that it is a trigger's place and not a mapper's.
pub(super) fn read_steps(
    flow: &Map<String, Value>,
    place: &str,
    faults: &mut Faults,
) -> Option<Steps> {
    let before = faults.0.len();
    let place = format!("{place}.recipe");
    let Some(recipe) = given(flow, "recipe").and_then(Value::as_object) else {
        faults.at(&place, "is required and must be an object");
        return None;
    };
    let list = given(recipe, "nodes").and_then(Value::as_array);
    let Some(list) = list.filter(|list| !list.is_empty() && list.len() <= NODES_MAX) else {
        faults.at(
            &format!("{place}.nodes"),
            &format!("is required and must have 1 to {NODES_MAX} entries"),
        );
        return None;
    };
    let mut nodes = Vec::new();
    let mut places = HashMap::new();
    let mut firsts = Vec::new();
    for (at, node) in list.iter().enumerate() {
        let node_place = format!("{place}.nodes.{at}");
        let Some(step) = read_node(node, &node_place, faults) else {
            continue;
        };
        if node.get("first") == Some(&Value::Bool(true)) {
            firsts.push(nodes.len());
        }
        if places.insert(step.id.clone(), nodes.len()).is_some() {
            faults.at(&format!("{node_place}.id"), "is the id of another node too");
        }
        nodes.push(step);
    }
    if faults.0.len() > before {
        return None;
    }
    let connections = read_connections(recipe, &place, &places, faults);
    check_beginning(&nodes, &connections, &firsts, &place, faults);
    (faults.0.len() == before).then_some(Steps { nodes, connections })
}

/// Checks that exactly one node is marked as the first, and that the connections
/// agree.
fn check_beginning(
    nodes: &[Step],
    connections: &[(usize, usize)],
    firsts: &[usize],
    place: &str,
    faults: &mut Faults,
) {
    let [first] = firsts else {
        faults.at(
            &format!("{place}.nodes"),
            "must have exactly one node with \"first\": true",
        );
        return;
    };
    let targets: HashSet<usize> = connections.iter().map(|(_, to)| *to).collect();
    if targets.contains(first) {
        faults.at(
            &format!("{place}.nodes.{first}"),
            "is the first, but a connection leads to it",
        );
    }
    if nodes[*first].command.is_mapper() {
        faults.at(
            &format!("{place}.nodes.{first}"),
            "is a mapper, which can't be the first",
        );
    }
    for at in 0..nodes.len() {
        if at != *first && !targets.contains(&at) {
            faults.at(
                &format!("{place}.nodes.{at}"),
                "is not the first, and no connection leads to it",
            );
        }
    }
}

/// Reads one node.
fn read_node(node: &Value, place: &str, faults: &mut Faults) -> Option<Step> {
    let Some(members) = node.as_object() else {
        faults.at(place, "must be an object");
        return None;
    };
    let mut text = |name: &str| {
        let text = given(members, name).and_then(Value::as_str);
        let text = text.filter(|text| !text.is_empty());
        if text.is_none() {
            faults.at(&format!("{place}.{name}"), "is required and must be a text");
        }
        text
    };
    let (id, component, function) = (text("id"), text("compId"), text("function"));
    let (id, component, function) = (id?, component?, function?);
    let command = command_of(component, function);
    if command.is_none() {
        faults.at(
            &format!("{place}.compId"),
            "and function must name a component and a function of it",
        );
    }
    Some(Step {
        id: id.to_owned(),
        connector: component.to_owned(),
        command: command?,
    })
}

/// Returns the command of a `compId`: a repository of the team of the built-in
/// components, or `team/repository`.
///
/// Names become slugs, as a repository of that name would have it: published recipes
/// write `google_drive`.
pub(super) fn command_of(component: &str, function: &str) -> Option<StepCommand> {
    let (team, component) = component
        .split_once('/')
        .unwrap_or((BUILTIN_TEAM, component));
    let team = Slug::of_name("compId", team).ok()?;
    let component = Slug::of_name("compId", component).ok()?;
    StepCommand::parse(&format!("{team}/{component}:{function}"))
}

/// Reads the connections.
fn read_connections(
    recipe: &Map<String, Value>,
    place: &str,
    places: &HashMap<String, usize>,
    faults: &mut Faults,
) -> Vec<(usize, usize)> {
    let list = match given(recipe, "connections") {
        None => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            faults.at(&format!("{place}.connections"), "must be a list");
            return Vec::new();
        }
    };
    let mut connections = Vec::new();
    for (at, connection) in list.iter().enumerate() {
        let mut end = |name: &str| {
            let id = connection.get(name).and_then(Value::as_str);
            let found = id.and_then(|id| places.get(id)).copied();
            if found.is_none() {
                faults.at(
                    &format!("{place}.connections.{at}.{name}"),
                    "must be the id of a node",
                );
            }
            found
        };
        if let (Some(from), Some(to)) = (end("from"), end("to")) {
            connections.push((from, to));
        }
    }
    connections
}
