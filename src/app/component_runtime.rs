//! The seam to whatever runs components: the engine puts itself here, since the verbs
//! may not name it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::App;
use crate::domain::flow::command::StepCommand;
use crate::domain::id::{FlowId, UserId};
use crate::domain::run::Failure;

/// What a component does besides steps (`runtime.md 2.4`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceMethod<'a> {
    /// Tells whether the keys of a credential work: `{verified, reason?}`.
    VerifyCredentials,
    /// Returns the metadata of a function: `{in, out}`.
    MetaModel {
        /// The trigger or action.
        function: &'a str,
    },
    /// Returns the options of a select field: key to label.
    SelectModel {
        /// The trigger or action.
        function: &'a str,
        /// The method that makes them.
        method: &'a str,
    },
}

/// One service call.
pub struct ServiceCall<'a> {
    /// The component, as commands name it; the function in it means nothing here.
    pub team: &'a str,
    /// The slug of its repository.
    pub component: &'a str,
    /// What is asked.
    pub method: ServiceMethod<'a>,
    /// The fields merged with the keys of the credential.
    pub cfg: &'a Map<String, Value>,
    /// Who asks, or whose flow it is.
    pub user: UserId,
}

/// Runs components.
pub trait ComponentRuntime: Send + Sync {
    /// Says what is wrong with a step before it runs, half a sentence a fault; nothing
    /// where it can run.
    fn check_step(&self, command: &StepCommand, cfg: &Map<String, Value>) -> Vec<String>;

    /// Answers a service call; an error is the component's own.
    fn call(&self, app: &App, call: &ServiceCall<'_>) -> Result<Value, Failure>;

    /// Hears that the work of this flow changed: it was started, stopped or changed, or
    /// has a new message. Called after the commit.
    fn flow_changed(&self, flow: FlowId);
}

impl App {
    /// Puts the runtime in place; the first one stays.
    pub fn set_component_runtime(&self, runtime: Arc<dyn ComponentRuntime>) {
        // Set twice only by a test that starts two engines over one application.
        let _ = self.inner.runtime.set(runtime);
    }

    /// Returns the runtime, where one is in place.
    pub fn component_runtime(&self) -> Option<&Arc<dyn ComponentRuntime>> {
        self.inner.runtime.get()
    }
}
