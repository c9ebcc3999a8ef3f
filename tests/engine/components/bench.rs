//! Calls functions of components directly, over a real installation.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use elastane::domain::id::FlowId;
use elastane::domain::organization::Owner;
use elastane::domain::principal::Principal;
use elastane::domain::run::{Failure, LogLevel, Message};
use elastane::engine::component::{Emitter, Event, Function, Tools, Work};
use elastane::engine::components;
use serde_json::{Map, Value, json};

use crate::support::Installation;

/// The time at which every call happens: 2026-03-04T05:06:07.089Z.
pub(super) const NOW_MS: i64 = 1_772_600_767_089;

/// That time as text.
pub(super) const NOW: &str = "2026-03-04T05:06:07.089Z";

/// An installation that may call this machine, with the owner of a flow.
pub(super) struct Bench {
    /// The installation.
    pub(super) here: Installation,
    /// The owner, signed in.
    pub(super) who: Principal,
    /// The flow.
    pub(super) flow: FlowId,
}

/// What a call is made with; the test names what matters.
pub(super) struct Call {
    /// `component:function`.
    pub(super) function: &'static str,
    /// The configuration.
    pub(super) cfg: Value,
    /// The message.
    pub(super) message: Message,
    /// The snapshot.
    pub(super) snapshot: Value,
    /// The outputs of the steps before.
    pub(super) passthrough: Option<Value>,
    /// The flow's variables.
    pub(super) variables: Value,
    /// The time.
    pub(super) now_ms: i64,
}

/// Makes a call of a body alone.
pub(super) fn call(function: &'static str, cfg: Value, body: Value) -> Call {
    Call {
        function,
        cfg,
        message: Message::of_body(body),
        snapshot: json!({}),
        passthrough: None,
        variables: json!({}),
        now_ms: NOW_MS,
    }
}

/// What a call came to.
pub(super) struct Outcome {
    /// What was emitted, in order.
    pub(super) events: Vec<Event>,
    /// The failure that ended it.
    pub(super) failure: Option<Failure>,
}

/// Returns the function of a command.
pub(super) fn function(command: &str) -> &'static Function {
    let (component, name) = command.split_once(':').expect("a command");
    let component = components::find(component).expect(command);
    component.function(name).expect(command)
}

impl Bench {
    /// Makes an installation whose steps may call this machine.
    pub(super) fn new() -> Self {
        let here = Installation::with(|options| options.rules.allow_private_networks = true);
        let who = here.principal("owner@example.com");
        Self {
            here,
            who,
            flow: "64f0c0ffee64f0c0ffee64f0".parse().expect("an id"),
        }
    }

    /// Hands the tools of a step over.
    pub(super) fn with_tools<T>(&self, use_them: impl FnOnce(&Tools<'_>) -> T) -> T {
        use_them(&Tools {
            app: &self.here.app,
            owner: Owner::personal(self.who.user_id().expect("a user")),
            flow: self.flow,
            step: "step_2",
        })
    }

    /// Runs a call.
    pub(super) fn run(&self, call: &Call) -> Outcome {
        let mut emitter = Emitter::default();
        let message = Arc::new(call.message.clone());
        let gathered = call.passthrough.as_ref().map(object).cloned();
        let passthrough = LazyCell::new(move || gathered);
        let outcome = self.with_tools(|tools| {
            let work = Work {
                message: &message,
                cfg: object(&call.cfg),
                snapshot: &call.snapshot,
                passthrough: &passthrough,
                variables: object(&call.variables),
                attempt: 1,
                now_ms: call.now_ms,
                tools,
            };
            (function(call.function).process)(&work, &mut emitter)
        });
        Outcome {
            events: emitter.into_events(),
            failure: outcome.err(),
        }
    }

    /// Runs a call that must not fail, and returns the bodies that it emits.
    #[track_caller]
    pub(super) fn bodies(&self, function: &'static str, cfg: Value, body: Value) -> Vec<Value> {
        self.run(&call(function, cfg, body)).bodies()
    }

    /// Runs a call that must fail, and returns what the failure says.
    #[track_caller]
    pub(super) fn failure(&self, function: &'static str, cfg: Value, body: Value) -> String {
        let outcome = self.run(&call(function, cfg, body));
        let failure = outcome.failure.expect("a failure");
        failure.message
    }

    /// Asks a component whether the keys of a credential work.
    pub(super) fn verify(&self, component: &str, keys: &Value) -> Value {
        let verify = components::find(component)
            .expect(component)
            .verify
            .expect("a check of credentials");
        self.with_tools(|tools| verify(object(keys), tools))
            .expect("an answer")
    }

    /// Calls a method of a function's select models.
    pub(super) fn model(&self, command: &str, method: &str, cfg: &Value) -> Value {
        let models: BTreeMap<_, _> = function(command).select_models.iter().copied().collect();
        self.with_tools(|tools| models[method](object(cfg), tools))
            .expect("an answer")
    }

    /// Makes the metadata of a function.
    pub(super) fn metadata(&self, command: &str, cfg: &Value) -> Result<Value, Failure> {
        let make = function(command).meta_model.expect("a meta model");
        self.with_tools(|tools| make(object(cfg), tools))
    }
}

impl Outcome {
    /// Returns the messages, in order; the call must not have failed.
    #[track_caller]
    pub(super) fn messages(&self) -> Vec<&Message> {
        assert_eq!(self.failure, None);
        let events = self.events.iter();
        events
            .filter_map(|event| match event {
                Event::Data(message) => Some(&**message),
                _ => None,
            })
            .collect()
    }

    /// Returns the bodies of the messages.
    #[track_caller]
    pub(super) fn bodies(&self) -> Vec<Value> {
        let messages = self.messages().into_iter();
        messages.map(|message| message.body.clone()).collect()
    }

    /// Returns the last snapshot.
    pub(super) fn snapshot(&self) -> Option<&Value> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Snapshot(value) => Some(value),
            _ => None,
        })
    }

    /// Returns the entries for the log.
    pub(super) fn log(&self) -> Vec<(LogLevel, &str)> {
        let events = self.events.iter();
        events
            .filter_map(|event| match event {
                Event::Log(level, text) => Some((*level, text.as_str())),
                _ => None,
            })
            .collect()
    }
}

/// Returns what is wrong with a configuration.
pub(super) fn faults(command: &str, cfg: &Value) -> Vec<String> {
    (function(command).check)(object(cfg))
}

/// Returns the members of an object.
pub(super) fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}
