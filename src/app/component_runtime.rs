//! The seam to whatever runs components: the engine puts itself here, since the verbs
//! may not name it.

use std::sync::{Arc, PoisonError, RwLockWriteGuard};

use serde_json::{Map, Value};

use super::step_run::StepConfig;
use super::{App, SecretText};
use crate::domain::Result;
use crate::domain::flow::command::StepCommand;
use crate::domain::id::{ExecutionId, FlowId};
use crate::domain::organization::Owner;
use crate::domain::run::{Failure, HttpReply, Message};

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
    /// For whom: the user that asks and the organization for which, or whose flow it is.
    pub owner: Owner,
}

/// A call of a flow's webhook (`runtime.md 4.5`). It holds secrets: no `Debug`.
pub struct WebhookCall {
    /// The flow.
    pub flow: FlowId,
    /// What its first step gets.
    pub message: Message,
    /// The body as it came, for signatures.
    pub body: Vec<u8>,
    /// User and password of HTTP Basic.
    pub basic: Option<(String, SecretText)>,
    /// The id of the request, which the caller is given.
    pub request_id: String,
}

impl WebhookCall {
    /// Returns a header of the call; the message has their names in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.message.headers.get(&name).and_then(Value::as_str)
    }
}

/// What a call of a webhook is answered.
#[derive(Clone, Debug)]
pub struct WebhookAnswer {
    /// The run that it began.
    pub execution: ExecutionId,
    /// The answer.
    pub reply: WebhookReply,
}

/// The answer to a call of a webhook.
#[derive(Clone, Debug)]
pub enum WebhookReply {
    /// The message was accepted, and nobody replies.
    Accepted,
    /// A step replied.
    Reply(HttpReply),
    /// The run failed before a step replied.
    Failed(Failure),
    /// Nobody replied in time; the run goes on.
    TimedOut,
    /// The run was ended or suspended before a step replied: why.
    Ended(&'static str),
}

/// Reads the body of a call into its message.
pub type FillMessage<'a> = &'a mut dyn FnMut(&mut Message, &[u8]) -> Result<()>;

/// Runs components.
pub trait ComponentRuntime: Send + Sync {
    /// Says what is wrong with a step of a flow of `owner` before it runs, half a sentence
    /// a fault; nothing where it can run. What the configuration needs to be there is only
    /// known where an engine runs.
    fn check_step(&self, owner: Owner, command: &StepCommand, config: &StepConfig) -> Vec<String>;

    /// Answers a service call; an error is the component's own.
    fn call(&self, app: &App, call: &ServiceCall<'_>) -> std::result::Result<Value, Failure>;

    /// Hears that the work of this flow changed: it was started, stopped or changed, or
    /// has a new message. Called after the commit.
    fn flow_changed(&self, flow: FlowId);

    /// Accepts a call of a flow's webhook: its message is on disk when this returns well.
    ///
    /// `fill` reads the body into the message. It is called once the call is let in, and
    /// not before: files of a body are stored, which nobody else may cause.
    ///
    /// Errors: not found for a flow that can't be called, unauthenticated, too many for
    /// a full queue, and those of `fill`.
    fn accept(&self, call: WebhookCall, fill: FillMessage<'_>) -> Result<WebhookAnswer>;
}

impl App {
    /// Puts a runtime in place of the one that is there.
    pub fn set_component_runtime(&self, runtime: Arc<dyn ComponentRuntime>) {
        *self.runtime_slot() = Some(runtime);
    }

    /// Takes the runtime away: it holds the application, so both would live for ever.
    pub fn clear_component_runtime(&self) {
        *self.runtime_slot() = None;
    }

    /// Returns the runtime, where one is in place.
    pub fn component_runtime(&self) -> Option<Arc<dyn ComponentRuntime>> {
        let slot = self.inner.runtime.read();
        slot.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the place of the runtime.
    fn runtime_slot(&self) -> RwLockWriteGuard<'_, Option<Arc<dyn ComponentRuntime>>> {
        let slot = self.inner.runtime.write();
        slot.unwrap_or_else(PoisonError::into_inner)
    }
}
