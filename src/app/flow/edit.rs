//! Flows as API v2 makes and changes them (`v2.md 4.4`).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{check_flow_count, check_size, load_to_change, polls, usable_descriptor};
use crate::app::{App, credential};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::component::{FunctionKind, function_kind};
use crate::domain::flow::event::FlowEventKind;
use crate::domain::flow::graph::{Graph, Node};
use crate::domain::flow::options::{FlowOptions, MapperKind, Missed};
use crate::domain::flow::schedule::next_fire;
use crate::domain::flow::{Cron, Flow, FlowStatus, FlowType, NewFlow};
use crate::domain::id::{CredentialId, FlowId, UserId};
use crate::domain::organization::Owner;
use crate::domain::principal::Principal;
use crate::domain::{Error, FieldError, Kind, Result, text};
use crate::store::Read;

/// A change of a flow; what is missing stays.
#[derive(Clone, Debug, Default)]
pub struct FlowChange {
    /// When the flow last changed before, as the caller read it: one of these times, in
    /// milliseconds since 1970. Where it is another, the change is outdated.
    pub only_of: Option<Vec<i64>>,
    /// What it is called.
    pub name: Option<String>,
    /// What it is for; none clears it.
    pub description: Option<Option<String>>,
    /// How it is set off.
    pub flow_type: Option<FlowType>,
    /// The graph, which is replaced as a whole.
    pub graph: Option<Graph>,
    /// The schedule; none clears it.
    pub cron: Option<Option<Cron>>,
    /// The zone of its schedule; none clears it.
    pub time_zone: Option<Option<String>>,
    /// What becomes of missed runs.
    pub missed: Option<Missed>,
    /// The variables, which are replaced as a whole.
    pub variables: Option<Map<String, Value>>,
    /// How mappers are read that name no type; none clears it.
    pub default_mapper_type: Option<Option<MapperKind>>,
    /// Settings of single steps, which are replaced as a whole.
    pub nodes_config: Option<Map<String, Value>>,
}

impl App {
    /// Makes an inactive flow of the caller from a graph that [`Graph::parse`] read.
    ///
    /// A step whose component, build or function is not there is no error: it is refused
    /// on start, so that flows can be drafted before a build exists (`v2.md 4.4`).
    pub fn create_flow(&self, who: &Principal, new: NewFlow) -> Result<Flow> {
        let user = who.require_writer()?.id;
        let new = NewFlow {
            name: text::name("name", &new.name)?,
            ..new
        };
        check_size("graph", &new.graph)?;
        new.options.check()?;
        new.graph.check_expressions(new.options.mapper_kind())?;
        self.read(|read| check_flow_count(read, user, 1))?;
        let app = self.clone();
        self.act(who, move |act| {
            let owner = Owner {
                user,
                organization: act.who.organization(),
            };
            check_graph(act, owner, &new.graph, &[])?;
            app.insert_flow(act, user, new)
        })
    }

    /// Changes a flow; a new graph counts as a new version of it. An active flow goes on
    /// with what it is changed to.
    pub fn change_flow(&self, who: &Principal, id: FlowId, change: FlowChange) -> Result<Flow> {
        let name = change
            .name
            .as_deref()
            .map(|name| text::name("name", name))
            .transpose()?;
        if let Some(graph) = &change.graph {
            check_size("graph", graph)?;
        }
        let flow = self.act(who, move |act| {
            let mut flow = load_to_change(act, act.who, id)?;
            if let Some(read) = &change.only_of
                && !read.contains(&flow.updated_at_ms)
            {
                let told = "the flow has changed since: read it again";
                return Err(Error::new(Kind::Outdated, told));
            }
            let has_new_graph = match change.graph {
                Some(graph) if graph != flow.graph => {
                    refuse_if_suspended(&flow, &graph)?;
                    let had: Vec<CredentialId> = credentials_of(&flow.graph).collect();
                    check_graph(act, flow.owner(), &graph, &had)?;
                    flow.graph = graph;
                    flow.version += 1;
                    true
                }
                _ => false,
            };
            let had_mapper_type = flow.options.default_mapper_type;
            flow.name = name.unwrap_or(flow.name);
            flow.description = change.description.unwrap_or(flow.description);
            flow.flow_type = change.flow_type.unwrap_or(flow.flow_type);
            flow.cron = change.cron.unwrap_or(flow.cron);
            flow.options = FlowOptions {
                time_zone: change.time_zone.unwrap_or(flow.options.time_zone),
                missed: change.missed.unwrap_or(flow.options.missed),
                variables: change.variables.unwrap_or(flow.options.variables),
                default_mapper_type: change
                    .default_mapper_type
                    .unwrap_or(flow.options.default_mapper_type),
                nodes_config: change.nodes_config.unwrap_or(flow.options.nodes_config),
            };
            flow.options.check()?;
            if has_new_graph || flow.options.default_mapper_type != had_mapper_type {
                flow.graph.check_expressions(flow.options.mapper_kind())?;
            }
            flow.updated_at_ms = flow.next_update_ms(act.now_ms);
            act.update_flow(&flow)?;
            if has_new_graph {
                act.replace_flow_steps(&flow)?;
                act.insert_flow_version(id, flow.version, &flow.graph, act.now_ms)?;
            }
            if flow.status == FlowStatus::Active {
                let is_polling = polls(act, &flow)?;
                flow.due_at_ms = is_polling.then(|| next_fire(&flow, act.now_ms)).flatten();
                act.set_due(id, flow.due_at_ms)?;
            }
            act.add_flow_event(id, FlowEventKind::Changed, None, act.now_ms)?;
            act.audit(&NewAuditEntry::of("flow.update", ObjectKind::Flow, id))?;
            Ok(flow)
        })?;
        self.tell_runtime(id);
        Ok(flow)
    }
}

/// Returns the credentials on the steps of a graph.
fn credentials_of(graph: &Graph) -> impl Iterator<Item = CredentialId> + '_ {
    graph.nodes.iter().filter_map(|node| node.credential_id)
}

/// Checks what a graph says of the installation, every fault at once: the first step
/// names a trigger and all others actions, as far as they name anything that is there,
/// and credentials are the owner's. Those that the flow had already may be gone.
fn check_graph(read: &Read<'_>, owner: Owner, graph: &Graph, had: &[CredentialId]) -> Result<()> {
    let mut kinds: HashMap<String, Option<Value>> = HashMap::new();
    let mut faults = Vec::new();
    let first = graph.first().map(|node| node.id.as_str());
    for (at, node) in graph.nodes.iter().enumerate() {
        let kind = kind_of(read, owner.user, node, &mut kinds)?;
        let wrong = match (kind, first == Some(node.id.as_str())) {
            (Some(FunctionKind::Action), true) => Some("must be a trigger, as the first step"),
            (Some(FunctionKind::Trigger(_)), false) => {
                Some("must be an action: only the first step is a trigger")
            }
            _ => None,
        };
        faults.extend(wrong.map(|message| FieldError {
            field: format!("graph.nodes.{at}.command"),
            message: message.to_owned(),
        }));
        let Some(credential) = node.credential_id else {
            continue;
        };
        let serves = match read.credential(credential)? {
            Some(found) => credential::serves(read, &found, owner)?,
            None => false,
        };
        if !serves && !had.contains(&credential) {
            faults.push(FieldError {
                field: format!("graph.nodes.{at}.credentials_id"),
                message: "is not one of your credentials".to_owned(),
            });
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid_fields(faults))
    }
}

/// Returns what the function of a step is; none where it is not there.
fn kind_of(
    read: &Read<'_>,
    owner: UserId,
    node: &Node,
    known: &mut HashMap<String, Option<Value>>,
) -> Result<Option<FunctionKind>> {
    let command = &node.command;
    let version = command.version.as_deref().unwrap_or("latest");
    let key = format!("{}/{}@{version}", command.team, command.component);
    if !known.contains_key(&key) {
        known.insert(key.clone(), usable_descriptor(read, owner, command)?);
    }
    let descriptor = known.get(&key).and_then(Option::as_ref);
    Ok(descriptor.and_then(|descriptor| function_kind(descriptor, &command.function)))
}

/// Refuses to change which steps a suspended flow has and what leads to them: messages
/// wait in their queues (`runtime.md 4.10`). Versions, mappings, fields and credentials may
/// change.
fn refuse_if_suspended(flow: &Flow, graph: &Graph) -> Result<()> {
    if flow.status == FlowStatus::Suspended && !graph.has_shape_of(&flow.graph) {
        let told = "the flow is suspended, and its messages wait for the steps that it has: \
                    stop it to change its steps or edges";
        return Err(Error::new(Kind::Conflict, told));
    }
    Ok(())
}
