//! A flow's graph: steps and what joins them, as API v2 writes it (`v2.md 4.4`).
//!
//! Members that nobody here knows are kept verbatim, on nodes and on edges, so a
//! graph that goes in comes out the same.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::command::StepCommand;
use crate::domain::error::{Error, FieldError, Result};
use crate::domain::id::CredentialId;

/// The most nodes of a graph: far beyond what a person draws, and a bound for the checks.
pub const NODES_MAX: usize = 500;

/// The most edges of a graph: a router that leads everywhere still fits.
pub const EDGES_MAX: usize = 2_000;

/// The largest graph as JSON; the body limit of the API is the same.
pub const GRAPH_MAX_BYTES: usize = 1024 * 1024;

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The id, unique in the graph, such as `step_1`.
    pub id: String,
    /// What it runs.
    pub command: StepCommand,
    /// The credential that it uses.
    pub credential_id: Option<CredentialId>,
    /// All members of the node, `id` and `command` among them, as they were sent.
    pub members: Map<String, Value>,
}

/// What joins two steps; an error handler's edge has a target only (`settled.md`).
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The step that it leaves.
    pub source: Option<String>,
    /// The step that it leads to.
    pub target: String,
    /// All members of the edge, as they were sent.
    pub members: Map<String, Value>,
}

/// Steps and what joins them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Graph {
    /// The steps, in the order in which they were sent.
    pub nodes: Vec<Node>,
    /// What joins them.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// Tells whether two graphs have the same steps, of any version, joined in the same way.
    pub fn has_shape_of(&self, other: &Self) -> bool {
        let steps = |graph: &Self| -> BTreeSet<(String, StepCommand)> {
            let steps = graph.nodes.iter().map(|node| {
                let command = StepCommand {
                    version: None,
                    ..node.command.clone()
                };
                (node.id.clone(), command)
            });
            steps.collect()
        };
        let ends = |graph: &Self| -> BTreeSet<(Option<String>, String)> {
            let ends = graph.edges.iter();
            ends.map(|edge| (edge.source.clone(), edge.target.clone()))
                .collect()
        };
        steps(self) == steps(other) && ends(self) == ends(other)
    }

    /// Reads a graph and checks all its rules; fields of an error are paths such as
    /// `graph.nodes.0.command`.
    pub fn parse(value: &Value) -> Result<Self> {
        let mut faults = Faults(Vec::new());
        let nodes = parse_list(value, "nodes", NODES_MAX, &mut faults, parse_node);
        let edges = parse_list(value, "edges", EDGES_MAX, &mut faults, parse_edge);
        faults.result()?;
        if nodes.is_empty() {
            return Err(Error::invalid("graph.nodes", "must not be empty"));
        }
        let graph = Self { nodes, edges };
        graph.check()?;
        Ok(graph)
    }

    /// Reads a graph that was checked when it was stored; unreadable parts are left out.
    pub fn stored(value: &Value) -> Self {
        let mut faults = Faults(Vec::new());
        Self {
            nodes: parse_list(value, "nodes", usize::MAX, &mut faults, parse_node),
            edges: parse_list(value, "edges", usize::MAX, &mut faults, parse_edge),
        }
    }

    /// Returns the graph as API v2 shows it.
    pub fn to_value(&self) -> Value {
        let nodes: Vec<Value> = self
            .nodes
            .iter()
            .map(|node| node.members.clone().into())
            .collect();
        let edges: Vec<Value> = self
            .edges
            .iter()
            .map(|edge| edge.members.clone().into())
            .collect();
        serde_json::json!({ "nodes": nodes, "edges": edges })
    }

    /// Returns the step that a flow begins with: the one that no edge leads to. What
    /// receives errors is none, whatever leads to it (`settled.md`).
    pub fn first(&self) -> Option<&Node> {
        self.beginnings().next().map(|(_, node)| node)
    }

    /// Returns the nodes that no edge leads to and that receive no errors.
    fn beginnings(&self) -> impl Iterator<Item = (usize, &Node)> {
        let mut others = self.error_handlers();
        others.extend(self.edges.iter().map(|edge| edge.target.as_str()));
        self.nodes
            .iter()
            .enumerate()
            .filter(move |(_, node)| !others.contains(node.id.as_str()))
    }

    /// Checks what no single node or edge shows: unique ids, known ends, one beginning,
    /// no cycle.
    fn check(&self) -> Result<()> {
        let mut faults = Faults(Vec::new());
        let mut places = HashMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if places.insert(node.id.as_str(), at).is_some() {
                faults.add(
                    format!("graph.nodes.{at}.id"),
                    "is the id of another node too",
                );
            }
        }
        for (at, edge) in self.edges.iter().enumerate() {
            if edge
                .source
                .as_deref()
                .is_some_and(|source| !places.contains_key(source))
            {
                faults.add(format!("graph.edges.{at}.source"), "names no node");
            }
            if !places.contains_key(edge.target.as_str()) {
                faults.add(format!("graph.edges.{at}.target"), "names no node");
            }
        }
        faults.result()?;
        self.check_handler()?;
        self.check_beginning()?;
        self.check_cycles(&places)?;
        self.check_edges()
    }

    /// Checks that at most one node receives errors (`runtime.md 4.8`).
    fn check_handler(&self) -> Result<()> {
        let mut handlers = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.is_error_handler());
        match (handlers.next(), handlers.next()) {
            (Some(_), Some((at, _))) => Err(Error::invalid(
                format!("graph.nodes.{at}.error"),
                "marks a second error handler: a flow has one",
            )),
            _ => Ok(()),
        }
    }

    /// Checks that exactly one node has no edge that leads to it.
    fn check_beginning(&self) -> Result<()> {
        let mut beginnings = self.beginnings();
        match (beginnings.next(), beginnings.next()) {
            (Some(_), None) => Ok(()),
            (None, _) => Err(Error::invalid(
                "graph.edges",
                "must not form a cycle: nothing is left to begin with",
            )),
            (Some(_), Some((at, _))) => Err(Error::invalid(
                format!("graph.nodes.{at}"),
                "is a second node without an incoming edge: a flow has one beginning",
            )),
        }
    }

    /// Checks that no path leads back, by taking away nodes that nothing leads to.
    fn check_cycles(&self, places: &HashMap<&str, usize>) -> Result<()> {
        let mut incoming = vec![0_usize; self.nodes.len()];
        let mut outgoing = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            let Some(source) = edge.source.as_deref().and_then(|id| places.get(id)) else {
                continue;
            };
            if let Some(&target) = places.get(edge.target.as_str()) {
                incoming[target] += 1;
                outgoing[*source].push(target);
            }
        }
        let mut free: Vec<usize> = (0..self.nodes.len())
            .filter(|at| incoming[*at] == 0)
            .collect();
        let mut taken = 0;
        while let Some(at) = free.pop() {
            taken += 1;
            for &target in &outgoing[at] {
                incoming[target] -= 1;
                if incoming[target] == 0 {
                    free.push(target);
                }
            }
        }
        if taken == self.nodes.len() {
            Ok(())
        } else {
            Err(Error::invalid("graph.edges", "must not form a cycle"))
        }
    }
}

/// The faults found so far.
struct Faults(Vec<FieldError>);

impl Faults {
    /// Notes a fault at `field`.
    fn add(&mut self, field: String, message: &str) {
        self.0.push(FieldError {
            field,
            message: message.to_owned(),
        });
    }

    /// Returns an error where there is a fault.
    fn result(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(self.0))
        }
    }
}

/// Reads one list of the graph; a missing one is empty.
fn parse_list<T>(
    graph: &Value,
    name: &str,
    max: usize,
    faults: &mut Faults,
    parse: impl Fn(&Map<String, Value>, &str, &mut Faults) -> Option<T>,
) -> Vec<T> {
    let Some(graph) = graph.as_object() else {
        faults.add("graph".to_owned(), "must be an object");
        return Vec::new();
    };
    let list = match graph.get(name) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            faults.add(format!("graph.{name}"), "must be a list");
            return Vec::new();
        }
    };
    if list.len() > max {
        faults.add(format!("graph.{name}"), "has too many entries");
        return Vec::new();
    }
    let mut parsed = Vec::with_capacity(list.len());
    for (at, entry) in list.iter().enumerate() {
        let path = format!("graph.{name}.{at}");
        match entry.as_object() {
            Some(members) => parsed.extend(parse(members, &path, faults)),
            None => faults.add(path, "must be an object"),
        }
    }
    parsed
}

/// Reads a node.
fn parse_node(members: &Map<String, Value>, path: &str, faults: &mut Faults) -> Option<Node> {
    let id = non_empty(members, "id", path, faults);
    let command = non_empty(members, "command", path, faults).and_then(|text| {
        let command = StepCommand::parse(text);
        if command.is_none() {
            faults.add(
                format!("{path}.command"),
                "must be team/repo:function or team/repo:function@version",
            );
        }
        command
    });
    if members
        .get("fields")
        .is_some_and(|fields| !fields.is_object())
    {
        faults.add(format!("{path}.fields"), "must be an object");
    }
    let credential_id = match members.get("credentials_id") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let id = value.as_str().and_then(|text| text.parse().ok());
            if id.is_none() {
                faults.add(
                    format!("{path}.credentials_id"),
                    "must be the id of a credential",
                );
            }
            id
        }
    };
    Some(Node {
        id: id?.to_owned(),
        command: command?,
        credential_id,
        members: members.clone(),
    })
}

/// Reads an edge.
fn parse_edge(members: &Map<String, Value>, path: &str, faults: &mut Faults) -> Option<Edge> {
    let source = match members.get("source") {
        None | Some(Value::Null) => None,
        Some(_) => Some(non_empty(members, "source", path, faults)?.to_owned()),
    };
    if members
        .get("config")
        .is_some_and(|config| !config.is_object())
    {
        faults.add(format!("{path}.config"), "must be an object");
    }
    let target = non_empty(members, "target", path, faults)?.to_owned();
    Some(Edge {
        source,
        target,
        members: members.clone(),
    })
}

/// Returns a member that must be a text with something in it.
fn non_empty<'a>(
    members: &'a Map<String, Value>,
    name: &str,
    path: &str,
    faults: &mut Faults,
) -> Option<&'a str> {
    let text = members
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    if text.is_none() {
        faults.add(format!("{path}.{name}"), "is required and must be a text");
    }
    text
}
