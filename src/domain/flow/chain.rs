//! v1's straight chain of nodes, as a graph (`v1.md 3.6`, `v2.md 9`, item 12).
//!
//! The ids of the steps tell the places in the chain: `step_3` is the third node,
//! also where a mapper before it became part of an edge. So an error about a step
//! leads back to the node that the client sent.

use serde_json::{Map, Value, json};

use super::command::StepCommand;
use super::edges::{add_faults, check_templates};
use super::graph::{Graph, NODES_MAX};
use crate::domain::error::{Error, FieldError, Result};
use crate::domain::id::CredentialId;

/// What v1's mappers are written in. It is said on every edge that was one, because
/// an edge that says nothing may mean another language in a later API.
pub const V1_MAPPER_TYPE: &str = "handlebars";

/// What the id of a step begins with; its place in the chain follows, from 1.
const STEP_PREFIX: &str = "step_";

/// A node of the chain, checked.
struct ChainNode {
    command: StepCommand,
    config: Map<String, Value>,
    credential_id: Option<CredentialId>,
}

/// Reads v1's `nodes`, a straight chain in order, into a graph.
///
/// A mapper becomes the `config` of the edge that it stands on, with all members of
/// its own `config` and with [`V1_MAPPER_TYPE`]. An edge carries one mapper: of two
/// in a row the second stays a step, and so does a mapper at the end. A mapper at
/// the beginning is an error. Fields of errors are places in the request, such as
/// `nodes.0.action`.
pub fn parse(nodes: &[Value]) -> Result<Graph> {
    if nodes.is_empty() {
        return Err(Error::invalid("nodes", "must not be empty"));
    }
    if nodes.len() > NODES_MAX {
        return Err(Error::invalid(
            "nodes",
            format!("must have at most {NODES_MAX} entries"),
        ));
    }
    let mut faults = Vec::new();
    let chain: Vec<Option<ChainNode>> = nodes
        .iter()
        .enumerate()
        .map(|(at, node)| parse_node(at, node, &mut faults))
        .collect();
    let starts_with_mapper = matches!(chain.first(), Some(Some(node)) if node.command.is_mapper());
    if starts_with_mapper {
        fault(
            &mut faults,
            "nodes.0.action".to_owned(),
            "must be a trigger: nothing comes to a mapper at the beginning",
        );
    }
    // Here, since mappers are no nodes of the graph any more.
    for (at, node) in chain.iter().enumerate() {
        if let Some(node) = node.as_ref().filter(|node| node.command.is_mapper())
            && let Err(found) = check_templates(&node.config)
        {
            add_faults(&mut faults, &format!("nodes.{at}.config.mapper"), found);
        }
    }
    if !faults.is_empty() {
        return Err(Error::invalid_fields(faults));
    }
    Graph::parse(&graph_of(chain.into_iter().flatten().collect()))
}

/// Returns the place in the request of a member of the step with this id, such as
/// `nodes.0.action` for `step_1`.
pub fn place_of(step_id: &str, member: &str) -> String {
    let position = step_id
        .strip_prefix(STEP_PREFIX)
        .and_then(|digits| digits.parse::<usize>().ok())
        .and_then(|position| position.checked_sub(1));
    match position {
        Some(at) => format!("nodes.{at}.{member}"),
        None => format!("nodes.{step_id}.{member}"),
    }
}

/// Joins the nodes, with mappers on the edges.
fn graph_of(chain: Vec<ChainNode>) -> Value {
    let last = chain.len();
    let mut nodes = Vec::new();
    let mut edges = Vec::new();
    let mut before: Option<String> = None;
    let mut mapping: Option<Map<String, Value>> = None;
    for (position, node) in (1..).zip(chain) {
        let is_on_edge = node.command.is_mapper() && position < last && mapping.is_none();
        if is_on_edge {
            mapping = Some(mapping_of(node.config));
            continue;
        }
        let id = format!("{STEP_PREFIX}{position}");
        if let Some(source) = before.replace(id.clone()) {
            let mut edge = json!({ "source": source, "target": id });
            if let Some(config) = mapping.take().filter(|config| !config.is_empty()) {
                edge["config"] = config.into();
            }
            edges.push(edge);
        }
        nodes.push(step_of(&id, node));
    }
    json!({ "nodes": nodes, "edges": edges })
}

/// Returns a node as API v2 shows it.
fn step_of(id: &str, node: ChainNode) -> Value {
    let mut step = json!({ "id": id, "command": node.command.to_string() });
    if !node.config.is_empty() {
        step["fields"] = node.config.into();
    }
    if let Some(credential) = node.credential_id {
        step["credentials_id"] = json!(credential.to_string());
    }
    step
}

/// Returns what an edge says of a mapper with this configuration.
///
/// A mapper without a mapping maps nothing, so its edge is a plain one and messages
/// pass unchanged; published recipes have such mappers.
pub(crate) fn mapping_of(mut config: Map<String, Value>) -> Map<String, Value> {
    if config.get("mapper").is_some_and(|mapper| !mapper.is_null()) {
        config
            .entry("mapper_type")
            .or_insert_with(|| json!(V1_MAPPER_TYPE));
    }
    config
}

/// Reads one node; what is wrong with it goes to `faults`.
fn parse_node(at: usize, node: &Value, faults: &mut Vec<FieldError>) -> Option<ChainNode> {
    let Some(members) = node.as_object() else {
        fault(faults, format!("nodes.{at}"), "must be an object");
        return None;
    };
    let given = |name: &str| members.get(name).filter(|value| !value.is_null());
    let command = given("action").or_else(|| given("function"));
    let command = match command.map(|value| value.as_str().map(StepCommand::parse)) {
        Some(Some(Some(command))) => Some(command),
        None => {
            fault(faults, format!("nodes.{at}.action"), "is required");
            None
        }
        Some(_) => {
            fault(
                faults,
                format!("nodes.{at}.action"),
                "must be team/repo:function",
            );
            None
        }
    };
    let config = match given("config") {
        None => Map::new(),
        Some(Value::Object(config)) => config.clone(),
        Some(_) => {
            fault(faults, format!("nodes.{at}.config"), "must be an object");
            Map::new()
        }
    };
    let credential_id = given("account").and_then(|value| {
        let id = value.as_str().and_then(|text| text.parse().ok());
        if id.is_none() {
            fault(
                faults,
                format!("nodes.{at}.account"),
                "must be the id of an account",
            );
        }
        id
    });
    Some(ChainNode {
        command: command?,
        config,
        credential_id,
    })
}

/// Notes a fault at a place in the request.
fn fault(faults: &mut Vec<FieldError>, field: String, message: &str) {
    faults.push(FieldError {
        field,
        message: message.to_owned(),
    });
}
