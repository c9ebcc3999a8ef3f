//! Calls of components outside of flows: a credential is verified, metadata or the
//! options of a field are made (`v1.md 3.3`, `v2.md 4.7`).
//!
//! A call is scheduled, polled and read. A few threads make the calls, so a slow
//! component delays other calls and nothing else. What is asked stays in memory, since it
//! may hold keys; what came of it is on disk until it expires or is read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use serde_json::{Map, Value};

use super::App;
use super::component_runtime::{ServiceCall, ServiceMethod};
use super::run::merged;
use super::storage::{hash, is_token};
use crate::domain::id::{ComponentId, CredentialId, ScheduledExecutionId};
use crate::domain::organization::Owner;
use crate::domain::principal::{Principal, unauthenticated};
use crate::domain::scheduled_execution::{LIFETIME_MS, Outcome, ScheduledExecution, TIME_LIMIT_MS};
use crate::domain::{Error, Kind, Result};

/// Threads that call components: they wait for networks, and hardly compute.
const WORKERS: usize = 4;

/// Calls that wait for a thread: more than these would not begin before their time limit.
const QUEUE: usize = 64;

/// Results that one user may have at a time: a form asks for a few, and more is a loop.
pub const EXECUTIONS_OF_USER_MAX: i64 = 200;

/// The largest result in bytes as JSON: a list of options or fields is far below.
const RESULT_MAX_BYTES: usize = 1024 * 1024;

/// How long the token of a redirect is good, in milliseconds: clients follow it at once.
const TOKEN_LIFETIME_MS: i64 = 60 * 1_000;

/// How long it is known that a result expired, in milliseconds: a day.
const EXPIRED_KNOWN_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a component is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the keys of a credential work.
    VerifyCredentials,
    /// The metadata of a trigger or action.
    MetaModel {
        /// The trigger or action.
        function: String,
    },
    /// The options of a field.
    SelectModel {
        /// The trigger or action.
        function: String,
        /// The method that makes them.
        method: String,
    },
}

impl Question {
    /// Returns it as runtimes take it.
    fn as_method(&self) -> ServiceMethod<'_> {
        match self {
            Self::VerifyCredentials => ServiceMethod::VerifyCredentials,
            Self::MetaModel { function } => ServiceMethod::MetaModel { function },
            Self::SelectModel { function, method } => {
                ServiceMethod::SelectModel { function, method }
            }
        }
    }
}

/// A call to be scheduled. It may hold keys, so it has no `Debug`.
pub struct NewScheduledExecution {
    /// The component.
    pub component: ComponentId,
    /// What it is asked.
    pub question: Question,
    /// The fields, or the keys to verify.
    pub fields: Map<String, Value>,
    /// The caller's credential whose keys are merged into the fields.
    pub credential: Option<CredentialId>,
}

/// What a poll found.
#[derive(Debug)]
pub enum Polled {
    /// It is not over.
    Pending,
    /// There is a result, which this token reads once without other credentials.
    Ready {
        /// The token.
        token: String,
    },
}

/// What reading a result does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It is gone then (`v1.md 3.3`).
    Once,
    /// It stays until it expires (`v2.md 4.7`).
    Again,
    /// It stays, and so does the token: a look at the head of the answer.
    Head,
}

/// A call that waits for a thread.
struct Job {
    app: App,
    id: ScheduledExecutionId,
    scheduled_at_ms: i64,
    owner: Owner,
    team: String,
    component: String,
    question: Question,
    cfg: Map<String, Value>,
}

/// The threads that call components; they start with the first call, since most uses of
/// a database make none, and end with the application.
#[derive(Default)]
pub(super) struct Workers {
    queue: Mutex<Option<Sender<Job>>>,
}

impl Workers {
    /// Hands a call to the threads; too many for a full queue.
    fn submit(&self, job: Job) -> Result<()> {
        let mut slot = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let (queue, waiting) = bounded(QUEUE);
            for number in 1..=WORKERS {
                let waiting: Receiver<Job> = waiting.clone();
                crate::thread::spawn(&format!("exec {number}"), None, move || {
                    while let Ok(job) = waiting.recv() {
                        job.run();
                    }
                })
                .map_err(Error::internal)?;
            }
            *slot = Some(queue);
        }
        let queue = slot.as_ref().expect("the queue was made above");
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::too_many("too many executions are waiting", 10),
            TrySendError::Disconnected(_) => Error::internal("all threads of executions ended"),
        })
    }
}

impl Job {
    /// Makes the call and stores what came of it.
    fn run(self) {
        let is_late = |app: &App| app.now_ms() > self.scheduled_at_ms + TIME_LIMIT_MS;
        // Whoever reads a late one is told so, whatever the component would say.
        if is_late(&self.app) {
            return;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.call()))
            .unwrap_or_else(|_| Outcome::failed("the component broke down"));
        if is_late(&self.app) {
            return;
        }
        let id = self.id;
        let stored = self
            .app
            .inner
            .store
            .write(move |write| write.finish_scheduled_execution(id, &outcome));
        if let Err(error) = stored {
            tracing::warn!(%id, causes = %error.causes(), "can't keep a result: {error}");
        }
    }

    /// Calls the component.
    fn call(&self) -> Outcome {
        let Some(runtime) = self.app.component_runtime() else {
            return Outcome::failed("no component runs here");
        };
        let call = ServiceCall {
            team: &self.team,
            component: &self.component,
            method: self.question.as_method(),
            cfg: &self.cfg,
            owner: self.owner,
        };
        match runtime.call(&self.app, &call) {
            Ok(value) if value.to_string().len() > RESULT_MAX_BYTES => Outcome::failed(format!(
                "the result has more than {RESULT_MAX_BYTES} bytes as JSON"
            )),
            Ok(value) => Outcome::Done(value),
            Err(failure) => Outcome::failed(failure.message),
        }
    }
}

impl App {
    /// Finds a component that the caller may use by its id or, as v1 takes it too, by its
    /// name: a built-in one, one of the own teams, or `team/component`.
    pub fn component_named(&self, who: &Principal, name: &str) -> Result<ComponentId> {
        let user = who.require_user()?.id;
        if let Ok(id) = name.parse() {
            return Ok(self.component(who, id)?.component.id);
        }
        self.read(|read| super::credential::component_of(read, user, name))?
            .ok_or_else(|| Error::not_found("component"))
    }

    /// Schedules a call of a component.
    ///
    /// Errors: not found for a component that the caller may not use and for a credential
    /// that is not the caller's; invalid (`account_id`) where a component with credentials
    /// is asked without; too many. What the component lacks is the result's business
    /// (`v2.md 9`).
    pub fn schedule_execution(
        &self,
        who: &Principal,
        new: NewScheduledExecution,
    ) -> Result<ScheduledExecutionId> {
        let user = who.require_writer()?.id;
        let seen = self.component(who, new.component)?;
        let needs_keys = new.question != Question::VerifyCredentials
            && seen
                .version
                .is_some_and(|version| has_credentials(&version.descriptor));
        let keys = match new.credential {
            Some(id) => self.own_credential(who, id)?.keys,
            None if needs_keys => {
                let message = "is required: the component has credentials";
                return Err(Error::invalid("account_id", message));
            }
            None => Map::new(),
        };
        let id = self.inner.ids.next();
        let now_ms = self.now_ms();
        let execution = ScheduledExecution {
            id,
            user_id: user,
            outcome: None,
            created_at_ms: now_ms,
            expires_at_ms: now_ms + LIFETIME_MS,
        };
        self.act(who, move |act| {
            if act.count_scheduled_executions_of(user, act.now_ms)? >= EXECUTIONS_OF_USER_MAX {
                return Err(Error::too_many("too many results wait to be read", 60));
            }
            act.insert_scheduled_execution(&execution)
        })?;
        let submitted = self.inner.workers.submit(Job {
            app: self.clone(),
            id,
            scheduled_at_ms: now_ms,
            owner: Owner {
                user,
                organization: who.organization(),
            },
            team: seen.component.team.to_string(),
            component: seen.component.slug.to_string(),
            question: new.question,
            cfg: merged(Some(&Value::Object(new.fields)), keys),
        });
        if submitted.is_err() {
            self.inner
                .store
                .write(move |write| write.delete_scheduled_execution(id))?;
        }
        submitted.map(|()| id)
    }

    /// Tells whether a scheduled execution of the caller is over, and makes the token
    /// that reads its result; an earlier token ends.
    pub fn poll_execution(&self, who: &Principal, id: ScheduledExecutionId) -> Result<Polled> {
        let user = who.require_user()?.id;
        let now_ms = self.now_ms();
        let row = self
            .read(|read| read.scheduled_execution(id))?
            .filter(|row| row.execution.user_id == user)
            .ok_or_else(no_result)?;
        if row.execution.expires_at_ms <= now_ms {
            return Err(expired());
        }
        if row.execution.outcome_at(now_ms).is_none() {
            return Ok(Polled::Pending);
        }
        let token = self.token();
        let hashed = hash(&token);
        self.act(who, move |act| {
            let until_ms = act.now_ms + TOKEN_LIFETIME_MS;
            act.set_execution_token(id, Some((&hashed, until_ms)))
        })?;
        Ok(Polled::Ready { token })
    }

    /// Returns the result of a scheduled execution to whoever scheduled it or holds its
    /// token, which is good for one reading.
    ///
    /// Errors: unauthenticated without user and token; not found for others, and when it
    /// expired; a conflict while it is pending.
    pub fn execution_result(
        &self,
        who: &Principal,
        id: ScheduledExecutionId,
        token: Option<&str>,
        reading: Reading,
    ) -> Result<Outcome> {
        if who.user_id().is_none() && token.is_none() {
            return Err(unauthenticated());
        }
        let token = token.map(str::to_owned);
        self.act(who, move |act| {
            let row = act.scheduled_execution(id)?.ok_or_else(no_result)?;
            let is_own = act.who.user_id() == Some(row.execution.user_id);
            let has_token = match (&row.token_sha256, &token) {
                (Some(known), Some(sent)) => {
                    is_token(known, sent) && row.token_expires_at_ms > act.now_ms
                }
                _ => false,
            };
            if !is_own && !has_token {
                return Err(no_result());
            }
            if row.execution.expires_at_ms <= act.now_ms {
                return Err(expired());
            }
            let Some(outcome) = row.execution.outcome_at(act.now_ms) else {
                return Err(Error::new(Kind::Conflict, "Result is not ready yet"));
            };
            match reading {
                Reading::Once => act.delete_scheduled_execution(id)?,
                Reading::Again if has_token => act.set_execution_token(id, None)?,
                Reading::Again | Reading::Head => {}
            }
            Ok(outcome)
        })
    }

    /// Ends what a stopped server left pending: what it was asked is gone with it.
    pub(super) fn end_pending_executions(&self) -> Result<()> {
        let outcome = Outcome::failed("the server was restarted meanwhile: schedule it again");
        self.inner
            .store
            .write(move |write| write.finish_pending_executions(&outcome))
    }

    /// Removes results that have expired, and a day later what is known of them.
    pub fn sweep_executions(&self) -> Result<()> {
        let now_ms = self.now_ms();
        let before_ms = now_ms - EXPIRED_KNOWN_MS;
        if self.read(|read| read.has_old_scheduled_executions(now_ms, before_ms))? {
            self.inner
                .store
                .write(move |write| write.sweep_scheduled_executions(now_ms, before_ms))?;
        }
        Ok(())
    }
}

/// Tells whether a descriptor declares credentials.
fn has_credentials(descriptor: &Value) -> bool {
    descriptor
        .get("credentials")
        .and_then(Value::as_object)
        .is_some_and(|declared| !declared.is_empty())
}

/// The answer for a result that is not there, or not for the caller (`v1.md 3.3`).
fn no_result() -> Error {
    Error::new(Kind::NotFound, "Result does not exist.")
}

/// The answer for a result that is no more (`v1.md 3.3`).
fn expired() -> Error {
    Error::new(Kind::NotFound, "Expired.")
}
