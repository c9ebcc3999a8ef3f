//! A flow, compiled: its steps with their functions and configurations, its edges with
//! their conditions and mappings.

mod feeds;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::board::Rule;
use super::component::{Function, Nature};
use super::components;
use super::run::StepShape;
use super::sailor;
use crate::app::run::RunnableFlow;
use crate::app::step_run::StepBuild;
use crate::domain::expression::{EvaluationError, Expression, Scope, names_passthrough};
use crate::domain::flow::command::StepCommand;
use crate::domain::flow::graph::Edge as GraphEdge;
use crate::domain::flow::options::MapperKind;
use crate::domain::flow::{Flow, FlowStatus, FlowType};
use crate::domain::id::{CredentialId, FlowId};
use crate::domain::mapping::Mapping;
use crate::domain::organization::Owner;
use crate::domain::run::{Failure, Message};
use crate::domain::team::BUILTIN_TEAM;

/// The messages of a pure step that one worker takes along: large enough that a commit
/// costs little a message.
const PURE_BATCH: usize = 256;

/// A step.
pub struct Step {
    /// The id of the node.
    pub id: Arc<str>,
    /// What it runs; else why it can't.
    pub function: Result<StepFunction, String>,
    /// The credential that its configuration has the keys of.
    pub credential: Option<CredentialId>,
    /// Its configuration.
    pub cfg: Map<String, Value>,
    /// Whether it names a credential that the flow can't use.
    pub lacks_credential: bool,
    /// Where its messages go.
    pub edges: Vec<Edge>,
    /// Whether its messages carry the outputs of the steps before.
    pub passes_through: bool,
    /// How it is worked on.
    pub rule: Rule,
}

/// What a step runs.
#[derive(Clone)]
pub enum StepFunction {
    /// A function of a built-in component.
    BuiltIn(&'static Function),
    /// A trigger or action of a build, in a process of its own.
    Process(Arc<Program>),
}

/// What a process runs.
pub struct Program {
    /// The build.
    pub build: StepBuild,
    /// The trigger or action.
    pub function: String,
    /// Whether its code may answer a waiting webhook call.
    pub may_reply: bool,
    /// Whether its code may have a hook that runs when a flow starts.
    pub has_startup: bool,
    /// The most processes at once.
    pub replicas: usize,
}

/// What leads from a step to another.
pub struct Edge {
    /// The step, by its place.
    pub target: usize,
    /// When it is taken; always where missing and no other edge has one.
    condition: Option<Result<Expression, Failure>>,
    /// What makes the target's input.
    mapping: Option<Result<Mapping, Failure>>,
}

/// A message on its way along an edge.
pub struct Routed {
    /// The step that it leads to, by its place.
    pub target: usize,
    /// The mapped bodies; none where the message goes on as it is.
    pub bodies: Option<Vec<Value>>,
    /// Why the mapping failed.
    pub fault: Option<Failure>,
}

/// A flow, compiled.
pub struct FlowPlan {
    /// The flow.
    pub flow: FlowId,
    /// Whose it is.
    pub owner: Owner,
    /// The version of its graph.
    pub version: i64,
    /// Whether it runs.
    pub status: FlowStatus,
    /// The steps.
    pub steps: Vec<Step>,
    /// How the planner sees them.
    pub shapes: Vec<StepShape>,
    /// The step that it begins with, by its place.
    pub first: usize,
    /// The steps into whose queues a message that comes from outside may come: while one
    /// of them is full, none is taken.
    pub entry: Vec<String>,
    /// The error handler, by its place.
    pub handler: Option<usize>,
    /// What leads to it: an edge with a target only (`settled.md`).
    handler_edge: Option<Edge>,
    /// The flow's variables.
    pub variables: Map<String, Value>,
    /// Whether a step of it may answer a waiting webhook call.
    pub may_reply: bool,
    /// Whether its schedule sets it off, and not its webhook.
    pub polls: bool,
    /// Whether it is real-time: the process of its trigger stays up, and may work on a
    /// message for as long as it likes.
    pub is_long_running: bool,
    /// The version of the graph, where it is an older one that a run keeps to.
    pub kept_version: Option<i64>,
    places: HashMap<Arc<str>, usize>,
}

impl FlowPlan {
    /// Compiles a flow. An expression or a template that can't be read fails each message
    /// that meets it: they are checked when a flow is saved, and older flows were not.
    pub fn compile(runnable: RunnableFlow) -> Self {
        let RunnableFlow {
            flow,
            configs,
            polls,
            kept_version,
        } = runnable;
        let mut steps = Vec::with_capacity(flow.graph.nodes.len());
        let mut places = HashMap::new();
        let handlers = flow.graph.error_handlers();
        let mut handler = None;
        for (place, (node, config)) in flow.graph.nodes.iter().zip(configs).enumerate() {
            let id: Arc<str> = Arc::from(node.id.as_str());
            if handlers.contains(node.id.as_str()) {
                handler.get_or_insert(place);
            }
            let replicas = flow.options.replicas(&node.id) as usize;
            let function = function_of(&node.command, config.build.as_ref(), replicas);
            let (is_pure, is_serial, processes) = match &function {
                Ok(StepFunction::BuiltIn(it)) => (it.nature == Nature::Pure, it.is_serial, 1),
                Ok(StepFunction::Process(_)) => (false, false, replicas),
                Err(_) => (false, false, 1),
            };
            let wanted = flow.options.prefetch(&node.id) as usize * processes;
            let prefetch = if is_serial { 1 } else { wanted };
            places.insert(Arc::clone(&id), place);
            steps.push(Step {
                passes_through: flow.options.passes_through(&node.id),
                rule: Rule {
                    prefetch,
                    batch: if is_pure { PURE_BATCH } else { 1 },
                    feeds: Vec::new(),
                },
                id,
                function,
                credential: config.credential,
                cfg: config.fields,
                lacks_credential: config.lacks_credential,
                edges: Vec::new(),
            });
        }
        let handler_edge = join(&flow, &places, handler, &mut steps);
        let first = flow
            .graph
            .first()
            .and_then(|node| places.get(node.id.as_str()));
        let first = first.copied().unwrap_or(0);
        let entry = feeds::set(&mut steps, first, handler);
        Self {
            flow: flow.id,
            owner: flow.owner(),
            version: flow.version,
            status: flow.status,
            shapes: steps.iter().map(Step::shape).collect(),
            first,
            entry,
            handler,
            handler_edge,
            may_reply: steps.iter().any(Step::may_reply),
            steps,
            is_long_running: flow.flow_type == FlowType::LongRunning,
            variables: flow.options.variables,
            polls,
            kept_version,
            places,
        }
    }

    /// Returns the place of the step with this id.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Tells whether the messages of a step carry the outputs of the steps before.
    pub fn passes_through(&self, step: &str) -> bool {
        self.place(step)
            .is_none_or(|at| self.steps[at].passes_through)
    }

    /// Tells whether the process of a step stays up without messages.
    pub fn stays_up(&self, step: usize) -> bool {
        self.is_long_running && step == self.first
    }

    /// Returns what the first step runs, where that is a process.
    pub fn first_program(&self) -> Option<&Arc<Program>> {
        match self.steps.get(self.first)?.function.as_ref().ok()? {
            StepFunction::Process(program) => Some(program),
            StepFunction::BuiltIn(_) => None,
        }
    }

    /// Returns how the steps are worked on.
    pub fn rules(&self) -> HashMap<String, Rule> {
        self.steps
            .iter()
            .map(|step| (step.id.to_string(), step.rule.clone()))
            .collect()
    }

    /// Returns where a message of a step goes (`runtime.md 4.3`): along every edge whose
    /// condition holds; along the edges without one where none has a condition, or none
    /// holds. An error is the source's: a condition that can't be evaluated.
    pub fn route(
        &self,
        source: usize,
        message: &Message,
        passthrough: Option<&Map<String, Value>>,
        now_ms: i64,
        tables: &dyn Fn(&str) -> Option<Map<String, Value>>,
    ) -> Result<Vec<Routed>, Failure> {
        let scope = Scope {
            body: &message.body,
            passthrough,
            variables: &self.variables,
            now_ms,
        };
        let edges = &self.steps[source].edges;
        let mut taken: Vec<&Edge> = Vec::new();
        for edge in edges {
            if let Some(condition) = &edge.condition {
                let condition = condition.as_ref().map_err(Clone::clone)?;
                if condition.is_true(&scope).map_err(failure_of)? {
                    taken.push(edge);
                }
            }
        }
        if taken.is_empty() {
            taken.extend(edges.iter().filter(|edge| edge.condition.is_none()));
        }
        Ok(taken
            .into_iter()
            .map(|edge| edge.map(&scope, tables))
            .collect())
    }

    /// Maps what the error handler gets; none where it gets it as it is.
    pub fn map_to_handler(
        &self,
        body: &Value,
        now_ms: i64,
        tables: &dyn Fn(&str) -> Option<Map<String, Value>>,
    ) -> Option<Routed> {
        let edge = self.handler_edge.as_ref()?;
        let scope = Scope {
            body,
            passthrough: None,
            variables: &self.variables,
            now_ms,
        };
        Some(edge.map(&scope, tables))
    }

    /// Maps a message along the edge from `source` to `target`, for a retry of a step
    /// whose mapping failed.
    pub fn map_along(
        &self,
        source: usize,
        target: usize,
        scope: &Scope<'_>,
        tables: &dyn Fn(&str) -> Option<Map<String, Value>>,
    ) -> Option<Routed> {
        let edge = self.steps[source]
            .edges
            .iter()
            .find(|it| it.target == target)?;
        Some(edge.map(scope, tables))
    }
}

impl Step {
    /// Returns how the planner sees the step.
    fn shape(&self) -> StepShape {
        StepShape {
            is_queued: !matches!(
                &self.function,
                Ok(StepFunction::BuiltIn(it)) if it.nature == Nature::Pure
            ),
        }
    }

    /// Tells whether the edges that leave the step read what the steps before made, for a
    /// message of this body: else nobody has to gather it.
    pub fn routes_by_passthrough(&self, body: &Value) -> bool {
        self.edges.iter().any(Edge::reads_passthrough) || names_passthrough(body)
    }

    /// Tells whether the step may answer a waiting webhook call: a reply step, or code
    /// that mentions the event.
    fn may_reply(&self) -> bool {
        let may = match &self.function {
            Ok(StepFunction::BuiltIn(it)) => it.may_reply,
            Ok(StepFunction::Process(program)) => return program.may_reply,
            Err(_) => false,
        };
        let code = self.cfg.get("code").and_then(Value::as_str);
        may && code.is_none_or(|code| code.contains("httpReply"))
    }
}

impl Edge {
    /// Compiles an edge.
    fn compile(edge: &GraphEdge, target: usize, default_kind: MapperKind) -> Self {
        let condition = edge.condition().map(|text| {
            Expression::parse(text).map_err(|reason| Failure::named("JSONataError", reason))
        });
        let mapping = edge.mapping(default_kind).map(|read| {
            read.map_err(|faults| {
                let reasons: Vec<String> = faults
                    .into_iter()
                    .map(|(place, reason)| format!("{place} {reason}").trim_start().to_owned())
                    .collect();
                Failure::named("MappingError", reasons.join("; "))
            })
        });
        Self {
            target,
            condition,
            mapping,
        }
    }

    /// Tells whether its condition or its mapping may read the passthrough.
    fn reads_passthrough(&self) -> bool {
        let condition = self.condition.as_ref().and_then(|it| it.as_ref().ok());
        let mapping = self.mapping.as_ref().and_then(|it| it.as_ref().ok());
        condition.is_some_and(Expression::reads_passthrough)
            || mapping.is_some_and(Mapping::reads_passthrough)
    }

    /// Maps a message.
    fn map(
        &self,
        scope: &Scope<'_>,
        tables: &dyn Fn(&str) -> Option<Map<String, Value>>,
    ) -> Routed {
        let (bodies, fault) = match &self.mapping {
            None => (None, None),
            Some(Err(failure)) => (None, Some(failure.clone())),
            Some(Ok(mapping)) => match mapping.apply(scope, tables) {
                Ok(bodies) => (Some(bodies), None),
                Err(error) => (None, Some(failure_of(error))),
            },
        };
        Routed {
            target: self.target,
            bodies,
            fault,
        }
    }
}

/// Gives steps the edges that leave them; returns what leads to the error handler.
fn join(
    flow: &Flow,
    places: &HashMap<Arc<str>, usize>,
    handler: Option<usize>,
    steps: &mut [Step],
) -> Option<Edge> {
    let mut handler_edge = None;
    for edge in &flow.graph.edges {
        let Some(&target) = places.get(edge.target.as_str()) else {
            continue;
        };
        let compile = || Edge::compile(edge, target, flow.options.mapper_kind());
        match edge.source.as_deref() {
            Some(source) => {
                if let Some(&source) = places.get(source) {
                    steps[source].edges.push(compile());
                }
            }
            None if handler == Some(target) => handler_edge = Some(compile()),
            None => {}
        }
    }
    handler_edge
}

/// Returns the failure of a step for an error of an expression.
fn failure_of(error: EvaluationError) -> Failure {
    Failure::named(error.name, error.message)
}

/// Returns what a command runs, or why it can't be run.
pub fn function_of(
    command: &StepCommand,
    build: Option<&StepBuild>,
    replicas: usize,
) -> Result<StepFunction, String> {
    let name = format!("{}/{}", command.team, command.component);
    if command.team.as_str() != BUILTIN_TEAM {
        let build = build.ok_or_else(|| format!("runs {name}, which has no such build"))?;
        let mentions = sailor::mentions(&build.folder);
        let program = Program {
            may_reply: mentions.reply,
            has_startup: mentions.startup,
            build: build.clone(),
            function: command.function.clone(),
            replicas,
        };
        sailor::check(&program)
            .map_err(|reason| format!("runs {}, but {reason}", command.function))?;
        return Ok(StepFunction::Process(Arc::new(program)));
    }
    let component = components::find(command.component.as_str())
        .ok_or_else(|| format!("needs the component {name}, which is not there"))?;
    component
        .function(&command.function)
        .map(StepFunction::BuiltIn)
        .ok_or_else(|| format!("runs {}, which {name} does not have", command.function))
}
