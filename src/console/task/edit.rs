//! A task as a text that is edited, and the change that comes of it.

use serde_json::Value;

use crate::app::flow::FlowChange;
use crate::console::deed::Deed;
use crate::console::editor;
use crate::console::message::Level;
use crate::console::overlay::Overlay;
use crate::console::screen::Effect;
use crate::domain::flow::Flow;
use crate::domain::flow::graph::Graph;
use crate::domain::flow::portable::PortableFlow;
use crate::domain::id::FlowId;
use crate::domain::{Error, Result};

/// What stands where a secret is: nobody enters it as one.
const MASK: &str = "(hidden)";

/// Returns a graph as JSON in which these fields of steps are hidden.
pub(super) fn masked(graph: &Graph, secrets: &[(String, String)]) -> Value {
    let mut graph = graph.to_value();
    let nodes = graph.get_mut("nodes").and_then(Value::as_array_mut);
    for node in nodes.into_iter().flatten() {
        for (step, field) in secrets {
            if node["id"] == step.as_str()
                && let Some(value) = node["fields"].get_mut(field)
            {
                *value = Value::from(MASK);
            }
        }
    }
    graph
}

/// Puts the values of before where a graph has hidden ones.
pub(in crate::console) fn unmask(graph: &mut Graph, before: &Graph, secrets: &[(String, String)]) {
    for (step, field) in secrets {
        let old = before.nodes.iter().find(|node| node.id == *step);
        let old = old.and_then(|node| node.members.get("fields")?.get(field));
        let new = graph.nodes.iter_mut().find(|node| node.id == *step);
        let new = new.and_then(|node| node.members.get_mut("fields")?.get_mut(field));
        if let (Some(old), Some(new)) = (old, new)
            && *new == MASK
        {
            *new = old.clone();
        }
    }
}

/// Offers a task in an editor.
pub(super) fn edit(flow: &Flow, secrets: &[(String, String)]) -> Effect {
    let file = PortableFlow {
        name: flow.name.clone(),
        description: flow.description.clone(),
        flow_type: flow.flow_type,
        graph: flow.graph.clone(),
        cron: flow.cron.clone(),
        options: flow.options.clone(),
        credentials: std::collections::BTreeMap::new(),
    };
    let mut attributes = file.to_value()["data"]["attributes"].take();
    attributes["graph"] = masked(&flow.graph, secrets);
    let text = serde_json::to_string_pretty(&attributes).unwrap_or_default();
    if text.len() > editor::TEXT_MAX_BYTES {
        let told = "it is too large to be edited here: `elastane flow export` writes it";
        return Effect::Say(Level::Note, told.to_owned());
    }
    let about = format!("{}/{}", flow.id, flow.updated_at_ms);
    let title = format!("Task {}", flow.name);
    let editor = editor::Model::new(title, about, &text, ("save the task", change_of));
    Effect::show(Overlay::Editor(Box::new(editor)))
}

/// Makes the change of an edited text; `about` is the task and when it last changed.
fn change_of(about: &str, text: &str) -> Result<Deed> {
    let of_nobody = || Error::invalid("id", "is not a task's");
    let (id, read_at) = about.split_once('/').ok_or_else(of_nobody)?;
    let id: FlowId = id.parse().map_err(|_| of_nobody())?;
    let read_at: i64 = read_at.parse().map_err(|_| of_nobody())?;
    let file = PortableFlow::parse(text.as_bytes())?;
    // A file leaves credentials out; this text names those of the installation.
    let whole: Value = serde_json::from_str(text)
        .map_err(|fault| Error::invalid("the task", format!("is not JSON: {fault}")))?;
    let graph = whole.get("graph").unwrap_or(&Value::Null);
    let change = FlowChange {
        only_of: Some(vec![read_at]),
        name: Some(file.name),
        description: Some(file.description),
        flow_type: Some(file.flow_type),
        graph: Some(Graph::parse(graph)?),
        cron: Some(file.cron),
        time_zone: Some(file.options.time_zone),
        missed: Some(file.options.missed),
        variables: Some(file.options.variables),
        default_mapper_type: Some(file.options.default_mapper_type),
        nodes_config: Some(file.options.nodes_config),
    };
    let change = Box::new(change);
    Ok(Deed::ChangeFlow { id, change })
}

/// Returns the change that makes a task what it was.
pub(in crate::console) fn change_to(flow: Flow) -> FlowChange {
    FlowChange {
        only_of: None,
        name: Some(flow.name),
        description: Some(flow.description),
        flow_type: Some(flow.flow_type),
        graph: Some(flow.graph),
        cron: Some(flow.cron),
        time_zone: Some(flow.options.time_zone),
        missed: Some(flow.options.missed),
        variables: Some(flow.options.variables),
        default_mapper_type: Some(flow.options.default_mapper_type),
        nodes_config: Some(flow.options.nodes_config),
    }
}
