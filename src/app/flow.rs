//! Verbs about flows; v1 calls one a task (`v1.md 2.6, 3.6`).

mod edit;
mod listing;
mod transfer;

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Act, App, PAGE_MAX, component, credential, owned};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::component::{FunctionKind, TriggerKind, function_kind};
use crate::domain::flow::chain;
use crate::domain::flow::command::StepCommand;
use crate::domain::flow::event::FlowEventKind;
use crate::domain::flow::graph::{GRAPH_MAX_BYTES, Graph, Node};
use crate::domain::flow::options::FlowOptions;
use crate::domain::flow::schedule::next_fire;
use crate::domain::flow::{Cron, Flow, FlowStatus, FlowType, NewFlow};
use crate::domain::id::{FlowId, UserId};
use crate::domain::organization::Owner;
use crate::domain::principal::Principal;
use crate::domain::recipe::accounts::required_fields;
use crate::domain::run::RunStatus;
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::{Error, FieldError, Kind, Result, text};
use crate::store::{FlowCounts, Read};

pub use edit::FlowChange;
pub(super) use listing::FlowLists;
pub use listing::FlowPage;
pub(super) use transfer::secret_fields;

/// The most flows of one user: far beyond what a person keeps, and no more than a
/// reader counts in 10 ms (80 ms for a million). The count walks an index, so it is
/// taken from a reader, ahead of the write; who is near the limit may pass it by as
/// many as are made at once.
pub const FLOWS_MAX: i64 = 100_000;

impl App {
    /// Makes an inactive flow of the caller from a chain that `chain::parse` read.
    ///
    /// Every step must name a function of a component that the caller may use, with a
    /// build: the first a trigger, all others an action. Credentials must be the
    /// caller's own. Fields of errors are places in the chain, `nodes.0.action`.
    pub fn create_chain_flow(
        &self,
        who: &Principal,
        name: &str,
        graph: Graph,
        cron: Option<Cron>,
    ) -> Result<Flow> {
        let user = who.require_writer()?.id;
        let new = NewFlow {
            name: text::name("name", name)?,
            description: None,
            flow_type: FlowType::Ordinary,
            graph,
            cron,
            recipe_id: None,
            options: FlowOptions::default(),
        };
        check_size("nodes", &new.graph)?;
        self.read(|read| check_flow_count(read, user, 1))?;
        let app = self.clone();
        self.act(who, move |act| {
            let owner = Owner {
                user,
                organization: act.who.organization(),
            };
            check_chain(act, owner, &new.graph)?;
            app.insert_flow(act, user, new)
        })
    }

    /// Returns a flow: one's own, or anybody's for the operator.
    pub fn flow(&self, who: &Principal, id: FlowId) -> Result<Flow> {
        self.read(|read| load(read, who, id))
    }

    /// Returns up to `limit` flows of a user after `after`, by id: one's own, or
    /// anybody's for the operator.
    pub fn flows_of(
        &self,
        who: &Principal,
        user: UserId,
        after: Option<FlowId>,
        limit: u32,
    ) -> Result<Vec<Flow>> {
        if who.user_id() != Some(user) {
            require_operator(who)?;
        }
        self.read(|read| read.flows_of(user, after, limit.min(PAGE_MAX)))
    }

    /// Returns up to `limit` flows of everybody after `after`, by id; for the operator.
    pub fn flows(&self, who: &Principal, after: Option<FlowId>, limit: u32) -> Result<Vec<Flow>> {
        require_operator(who)?;
        self.read(|read| read.flows(after, limit.min(PAGE_MAX)))
    }

    /// Counts all flows by status; for the operator.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the path of a method is not general enough over the reader's lifetime"
    )]
    pub fn flow_counts(&self, who: &Principal) -> Result<FlowCounts> {
        require_operator(who)?;
        self.read(|read| read.flow_counts())
    }

    /// Starts a flow: one's own, or anybody's for the operator. An active one stays so.
    ///
    /// A flow that can't run is refused with every step and its reason.
    pub fn start_flow(&self, who: &Principal, id: FlowId) -> Result<Flow> {
        self.check_steps(who, id, None)?;
        let flow = self.act(who, move |act| {
            let flow = load_runnable(act, act.who, id)?;
            if flow.status == FlowStatus::Active {
                return Ok(flow);
            }
            act.set_start_failures(id, 0)?;
            let polls = polls(act, &flow)?;
            let flow = set_status(act, flow, FlowStatus::Active, "flow.start")?;
            let due_at_ms = polls.then(|| next_fire(&flow, act.now_ms)).flatten();
            act.set_due(id, due_at_ms)?;
            Ok(Flow { due_at_ms, ..flow })
        })?;
        self.tell_runtime(id);
        Ok(flow)
    }

    /// Checks the steps of a flow that `who` may see with what runs its components:
    /// unknown functions and configurations that can't work, each named with its step.
    /// Those of an older version of its graph where one is given.
    pub(super) fn check_steps(
        &self,
        who: &Principal,
        id: FlowId,
        version: Option<i64>,
    ) -> Result<()> {
        self.read(|read| load_to_change(read, who, id))?;
        let runnable = match version {
            Some(version) => self.runnable_flow_at(id, version)?,
            None => self.runnable_flow(id)?,
        };
        let (Some(runtime), Some(runnable)) = (self.component_runtime(), runnable) else {
            return Ok(());
        };
        let owner = runnable.flow.owner();
        let nodes = runnable.flow.graph.nodes.iter();
        let faults: Vec<FieldError> = nodes
            .zip(&runnable.configs)
            .flat_map(|(node, config)| {
                let reasons = runtime.check_step(owner, &node.command, config);
                reasons.into_iter().map(|message| FieldError {
                    field: node.id.clone(),
                    message,
                })
            })
            .collect();
        refuse_start(faults)
    }

    /// Stops a flow: one's own, or anybody's for the operator. What was queued is
    /// dropped. Stopping an inactive flow changes nothing.
    pub fn stop_flow(&self, who: &Principal, id: FlowId) -> Result<Flow> {
        let flow = self.act(who, move |act| {
            let flow = load_to_change(act, act.who, id)?;
            stop(act, flow)
        })?;
        self.tell_runtime(id);
        Ok(flow)
    }

    /// Suspends a flow: one's own, or anybody's for the operator. What was queued is
    /// kept, and a start goes on with it.
    ///
    /// It does so whatever the status was, since `v1.md 3.6` knows one answer only. An
    /// inactive flow may be suspended too: it has nothing queued, and still does not
    /// run before a start has checked it.
    pub fn suspend_flow(&self, who: &Principal, id: FlowId) -> Result<Flow> {
        let flow = self.act(who, move |act| {
            let flow = load_to_change(act, act.who, id)?;
            act.set_due(id, None)?;
            set_status(act, flow, FlowStatus::Suspended, "flow.suspend")
        })?;
        self.tell_runtime(id);
        Ok(flow)
    }

    /// Deletes a flow, stopped first where it runs: one's own, or anybody's for the
    /// operator. Its owner is told afterwards that it is gone.
    pub fn delete_flow(&self, who: &Principal, id: FlowId) -> Result<Flow> {
        let flow = self.act(who, move |act| {
            let flow = load_to_change(act, act.who, id)?;
            let flow = stop(act, flow)?;
            act.delete_flow(id)?;
            act.add_flow_event(id, FlowEventKind::Changed, None, act.now_ms)?;
            act.insert_tombstone(&Tombstone {
                kind: ObjectKind::Flow,
                id: id.to_string(),
                seen_by: SeenBy::of(flow.owner()),
                deleted_at_ms: act.now_ms,
            })?;
            act.audit(
                &NewAuditEntry::of("flow.delete", ObjectKind::Flow, id)
                    .with(json!({ "name": flow.name })),
            )?;
            Ok(flow)
        })?;
        self.tell_runtime(id);
        Ok(flow)
    }

    /// Adds an inactive flow in the transaction of `act`; the caller checked the graph.
    pub(super) fn insert_flow(&self, act: &Act<'_>, user: UserId, new: NewFlow) -> Result<Flow> {
        let flow = Flow {
            id: self.inner.ids.next(),
            user_id: user,
            name: new.name,
            description: new.description,
            flow_type: new.flow_type,
            status: FlowStatus::Inactive,
            graph: new.graph,
            cron: new.cron,
            recipe_id: new.recipe_id,
            version: 1,
            created_at_ms: act.now_ms,
            updated_at_ms: act.now_ms,
            last_started_at_ms: None,
            options: new.options,
            due_at_ms: None,
            organization_id: act.who.organization(),
        };
        act.insert_flow(&flow)?;
        act.insert_flow_version(flow.id, flow.version, &flow.graph, act.now_ms)?;
        act.audit(
            &NewAuditEntry::of("flow.create", ObjectKind::Flow, flow.id)
                .with(json!({ "name": flow.name, "recipe_id": flow.recipe_id })),
        )?;
        Ok(flow)
    }
}

/// Refuses a graph that is too large to be kept; `field` is what the client calls it.
fn check_size(field: &str, graph: &Graph) -> Result<()> {
    if graph.to_value().to_string().len() > GRAPH_MAX_BYTES {
        return Err(Error::invalid(
            field,
            format!("must have at most {GRAPH_MAX_BYTES} bytes as JSON"),
        ));
    }
    Ok(())
}

/// Refuses `more` flows over the limit of a user.
pub(super) fn check_flow_count(read: &Read<'_>, user: UserId, more: usize) -> Result<()> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    if read.count_flows_of(user, FLOWS_MAX)?.saturating_add(more) > FLOWS_MAX {
        return Err(Error::new(
            Kind::Conflict,
            format!("a user has at most {FLOWS_MAX} flows: delete one first"),
        ));
    }
    Ok(())
}

/// Returns the descriptor of a step's component, as far as `user` may use it.
pub(super) fn usable_descriptor(
    read: &Read<'_>,
    user: UserId,
    command: &StepCommand,
) -> Result<Option<Value>> {
    let (team, slug) = (&command.team, &command.component);
    let Some(usable) = component::usable(read, user, team, slug)? else {
        return Ok(None);
    };
    Ok(component::build_of(read, &usable, command)?.map(|version| version.descriptor))
}

/// Returns the flow with this id as far as `who` may see it.
pub(super) fn load(read: &Read<'_>, who: &Principal, id: FlowId) -> Result<Flow> {
    owned::visible(read, who, read.flow(id)?, Flow::owner, &named(id))
}

/// Returns the flow with this id as far as `who` may change it.
pub(super) fn load_to_change(read: &Read<'_>, who: &Principal, id: FlowId) -> Result<Flow> {
    owned::changeable(read, who, read.flow(id)?, Flow::owner, &named(id))
}

/// Names a flow for errors.
fn named(id: FlowId) -> owned::Named<'static> {
    owned::Named {
        kind: ObjectKind::Flow,
        id: id.to_string(),
        what: "flow",
    }
}

/// Returns the flow with this id as far as `who` may see it, where it can run.
pub(super) fn load_runnable(read: &Read<'_>, who: &Principal, id: FlowId) -> Result<Flow> {
    let flow = load_to_change(read, who, id)?;
    if flow.status != FlowStatus::Active {
        check_runnable(read, &flow)?;
    }
    Ok(flow)
}

/// Reads a flow that is to run by hand. A suspended one is refused: the run would wait for
/// a start, which nobody can tell from work.
pub(super) fn load_to_run(read: &Read<'_>, who: &Principal, id: FlowId) -> Result<Flow> {
    let flow = load_runnable(read, who, id)?;
    if flow.status == FlowStatus::Suspended {
        let told = "the flow is suspended: start it first";
        return Err(Error::new(Kind::Conflict, told));
    }
    Ok(flow)
}

/// Tells whether a flow is set off by its schedule (`runtime.md 4.4`).
pub(super) fn polls(read: &Read<'_>, flow: &Flow) -> Result<bool> {
    let Some(first) = flow.graph.first() else {
        return Ok(false);
    };
    let descriptor = usable_descriptor(read, flow.user_id, &first.command)?;
    let kind = descriptor.and_then(|it| function_kind(&it, &first.command.function));
    Ok(kind == Some(FunctionKind::Trigger(TriggerKind::Polling)))
}

/// Stops a flow in the transaction of `act`: what was queued is dropped, and runs that
/// are not over end as cancelled (`runtime.md 4.10`).
fn stop(act: &Act<'_>, flow: Flow) -> Result<Flow> {
    act.end_executions_of(flow.id, RunStatus::Cancelled, act.now_ms)?;
    act.set_due(flow.id, None)?;
    let flow = set_status(act, flow, FlowStatus::Inactive, "flow.stop")?;
    Ok(Flow {
        due_at_ms: None,
        ..flow
    })
}

/// Sets the status of a flow and notes it; one that it has already changes nothing.
fn set_status(act: &Act<'_>, flow: Flow, status: FlowStatus, action: &'static str) -> Result<Flow> {
    if flow.status == status {
        return Ok(flow);
    }
    act.set_flow_status(flow.id, status, act.now_ms)?;
    act.add_flow_event(flow.id, FlowEventKind::Changed, None, act.now_ms)?;
    act.audit(
        &NewAuditEntry::of(action, ObjectKind::Flow, flow.id)
            .with(json!({ "was": flow.status.as_str() })),
    )?;
    let started_at_ms = (status == FlowStatus::Active).then_some(act.now_ms);
    Ok(Flow {
        status,
        updated_at_ms: flow.next_update_ms(act.now_ms),
        last_started_at_ms: started_at_ms.or(flow.last_started_at_ms),
        ..flow
    })
}

/// Checks the steps and credentials of a new chain, every fault at once.
fn check_chain(read: &Read<'_>, owner: Owner, graph: &Graph) -> Result<()> {
    let mut steps = Steps::new(read, owner);
    let mut faults = Vec::new();
    let first = graph.first().map(|node| node.id.as_str());
    for node in &graph.nodes {
        let found = steps.find(node, first == Some(node.id.as_str()))?;
        if let Err(reason) = found {
            faults.push(FieldError {
                field: chain::place_of(&node.id, "action"),
                message: reason,
            });
        }
        if node.credential_id.is_some() && !steps.has_credential(node)? {
            faults.push(FieldError {
                field: chain::place_of(&node.id, "account"),
                message: "is not one of your accounts".to_owned(),
            });
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid_fields(faults))
    }
}

/// Checks that a flow can run, for its owner, and names every step that can't.
fn check_runnable(read: &Read<'_>, flow: &Flow) -> Result<()> {
    let mut steps = Steps::new(read, flow.owner());
    let mut faults = Vec::new();
    let first = flow.graph.first().map(|node| node.id.as_str());
    for node in &flow.graph.nodes {
        let reason = match steps.find(node, first == Some(node.id.as_str()))? {
            Err(reason) => Some(reason),
            Ok(needs) => steps.credential_fault(node, &needs)?,
        };
        faults.extend(reason.map(|message| FieldError {
            field: node.id.clone(),
            message,
        }));
    }
    refuse_start(faults)
}

/// Refuses to start a flow for these faults, each under the id of its step.
fn refuse_start(faults: Vec<FieldError>) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.message))
        .collect();
    let message = format!("it can't be started: {}", listed.join("; "));
    Err(Error::conflict_fields(message, faults))
}

/// Looks up what the steps of one flow need, each component once.
struct Steps<'a> {
    read: &'a Read<'a>,
    owner: Owner,
    descriptors: HashMap<String, Result<Value, String>>,
}

impl<'a> Steps<'a> {
    /// Begins to look, with the eyes of the flow's owner.
    fn new(read: &'a Read<'a>, owner: Owner) -> Self {
        Self {
            read,
            owner,
            descriptors: HashMap::new(),
        }
    }

    /// Finds the function of a step and returns the credential's fields that it needs,
    /// or half a sentence that says why the step can't run.
    fn find(&mut self, node: &Node, is_first: bool) -> Result<Result<Vec<String>, String>> {
        let command = &node.command;
        let name = format!("{}/{}", command.team, command.component);
        let key = format!("{name}@{}", command.version.as_deref().unwrap_or("latest"));
        if !self.descriptors.contains_key(&key) {
            let found = self.descriptor(command, &name)?;
            self.descriptors.insert(key.clone(), found);
        }
        let descriptor = match &self.descriptors[&key] {
            Ok(descriptor) => descriptor,
            Err(reason) => return Ok(Err(reason.clone())),
        };
        let function = &command.function;
        let is_action = match function_kind(descriptor, function) {
            Some(kind) => kind == FunctionKind::Action,
            None => {
                return Ok(Err(format!(
                    "names {function}, which the component {name} does not have"
                )));
            }
        };
        Ok(match (is_first, is_action) {
            (true, true) => Err(format!(
                "must be a trigger, as the first step; {function} is an action"
            )),
            (false, false) => Err(format!(
                "must be an action; {function} is a trigger, which only the first step can be"
            )),
            _ => Ok(required_fields(descriptor)
                .into_iter()
                .map(str::to_owned)
                .collect()),
        })
    }

    /// Returns the descriptor of a step's component, or what is missing.
    fn descriptor(&self, command: &StepCommand, name: &str) -> Result<Result<Value, String>> {
        let (team, slug) = (&command.team, &command.component);
        let Some(usable) = component::usable(self.read, self.owner.user, team, slug)? else {
            return Ok(Err(format!(
                "names the component {name}, which is not there"
            )));
        };
        Ok(match component::build_of(self.read, &usable, command)? {
            Some(version) => Ok(version.descriptor),
            None => Err(match &command.version {
                Some(version) => {
                    format!("names the component {name}, which has no build {version}")
                }
                None => format!("names the component {name}, which has no build"),
            }),
        })
    }

    /// Tells whether the credential on a step is there and one of the owner's.
    fn has_credential(&self, node: &Node) -> Result<bool> {
        let Some(id) = node.credential_id else {
            return Ok(false);
        };
        match self.read.credential(id)? {
            Some(credential) => credential::serves(self.read, &credential, self.owner),
            None => Ok(false),
        }
    }

    /// Returns what is wrong with the credential of a step that needs these fields.
    fn credential_fault(&self, node: &Node, needs: &[String]) -> Result<Option<String>> {
        if node.credential_id.is_some() {
            let is_there = self.has_credential(node)?;
            return Ok((!is_there).then(|| "has an account that is not there".to_owned()));
        }
        Ok((!needs.is_empty()).then(|| {
            format!(
                "needs an account for {}/{} ({})",
                node.command.team,
                node.command.component,
                needs.join(", ")
            )
        }))
    }
}

/// Refuses everyone but the operator.
pub(super) fn require_operator(who: &Principal) -> Result<()> {
    if who.is_operator() {
        Ok(())
    } else {
        Err(Error::forbidden(
            "this is for the operator of the installation",
        ))
    }
}
