//! The engine as the application sees it: it checks steps, answers service calls,
//! accepts webhook calls.

use std::sync::Arc;

use serde_json::{Value, json};

use super::component::Tools;
use super::components;
use super::gateway;
use super::plan::{StepFunction, function_of};
use super::sailor;
use super::shared::Shared;
use crate::app::App;
use crate::app::component_runtime::{
    ComponentRuntime, FillMessage, ServiceCall, ServiceMethod, WebhookAnswer, WebhookCall,
};
use crate::app::step_run::StepConfig;
use crate::domain::Result;
use crate::domain::error::Error;
use crate::domain::flow::command::StepCommand;
use crate::domain::id::{FlowId, RawId};
use crate::domain::organization::Owner;
use crate::domain::run::Failure;
use crate::domain::team::BUILTIN_TEAM;

/// What runs components: the engine of a server, or the built-in functions alone where
/// none serves.
pub struct Runtime {
    pub(super) shared: Option<Arc<Shared>>,
}

impl Runtime {
    /// Makes a runtime that checks steps and answers service calls, but runs no flow:
    /// for the command line and the console.
    pub fn without_engine() -> Self {
        Self { shared: None }
    }
}

/// Returns what a function may use that is not called for a flow.
fn tools<'a>(app: &'a App, owner: Owner, name: &'a str) -> Tools<'a> {
    Tools {
        app,
        owner,
        flow: FlowId::new(RawId::from_parts(0, [0; 8])),
        step: name,
    }
}

impl ComponentRuntime for Runtime {
    fn check_step(&self, owner: Owner, command: &StepCommand, config: &StepConfig) -> Vec<String> {
        match function_of(command, config.build.as_ref(), 1) {
            Ok(StepFunction::BuiltIn(function)) => {
                let faults = (function.check)(&config.fields);
                match (&self.shared, function.needs) {
                    (Some(shared), Some(needs)) if faults.is_empty() => {
                        needs(&config.fields, &tools(&shared.app, owner, function.name))
                    }
                    _ => faults,
                }
            }
            Ok(StepFunction::Process(_)) => Vec::new(),
            Err(reason) => vec![reason],
        }
    }

    fn call(&self, app: &App, call: &ServiceCall<'_>) -> std::result::Result<Value, Failure> {
        if call.team != BUILTIN_TEAM {
            let shared = self.shared.as_ref();
            let shared = shared.ok_or_else(|| Failure::new("no engine runs here"))?;
            return sailor::call(shared, call);
        }
        let found = (call.team == BUILTIN_TEAM)
            .then(|| components::find(call.component))
            .flatten();
        let component = found.ok_or_else(|| {
            Failure::new(format!(
                "{}/{} can't be run by this server",
                call.team, call.component
            ))
        })?;
        let (function, name) = match call.method {
            ServiceMethod::VerifyCredentials => (None, ""),
            ServiceMethod::MetaModel { function } | ServiceMethod::SelectModel { function, .. } => {
                (component.function(function), function)
            }
        };
        let tools = tools(app, call.owner, name);
        let missing = |method: &str| {
            Failure::new(format!(
                "Method \"{method}\" is not found in \"{name}\" action or trigger"
            ))
        };
        match call.method {
            ServiceMethod::VerifyCredentials => match component.verify {
                Some(verify) => Ok(verify(call.cfg, &tools).unwrap_or_else(
                    |failure| json!({ "verified": false, "reason": failure.message }),
                )),
                None => Ok(json!({ "verified": true })),
            },
            ServiceMethod::MetaModel { .. } => {
                let service = function.and_then(|it| it.meta_model);
                service.ok_or_else(|| missing("getMetaModel"))?(call.cfg, &tools)
            }
            ServiceMethod::SelectModel { method, .. } => {
                let services = function.map_or(&[][..], |it| it.select_models);
                let service = services.iter().find(|(known, _)| *known == method);
                service.ok_or_else(|| missing(method))?.1(call.cfg, &tools)
            }
        }
    }

    fn flow_changed(&self, _flow: FlowId) {
        let Some(shared) = &self.shared else {
            return;
        };
        if let Err(error) = shared.take_events() {
            // The watcher looks again within a moment.
            tracing::warn!(causes = %error.causes(), "can't take over a change: {error}");
        }
    }

    fn accept(&self, call: WebhookCall, fill: FillMessage<'_>) -> Result<WebhookAnswer> {
        match &self.shared {
            Some(shared) => gateway::accept(shared, call, fill),
            None => Err(Error::unavailable("no engine runs here", 5)),
        }
    }
}
