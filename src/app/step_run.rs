//! Steps that run as processes: the builds that they run, and what their processes may
//! ask of the API (`runtime.md 3.6`, `v1.md 4`).
//!
//! Each process has a user name and a key of its own, which are good for its step alone
//! and end with it. They are in memory: a process dies with its server.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::credential::CredentialChange;
use super::env_var::EnvVars;
use super::{App, SecretText};
use crate::domain::flow::Flow;
use crate::domain::flow::command::StepCommand;
use crate::domain::id::{ComponentId, CredentialId, ExecutionId, FlowId};
use crate::domain::organization::{Owner, Scope};
use crate::domain::principal::{Origin, Principal, unauthenticated};
use crate::domain::run::part::NewLogEntry;
use crate::domain::team::BUILTIN_TEAM;
use crate::domain::text::hex;
use crate::domain::{Error, Kind, Result};
use crate::store::Read;

/// What the user name of a process begins with; the flow's id follows (`v1.md 4`).
pub const STEP_USER_PREFIX: &str = "task-";

/// The key under which a step keeps what its start-up hook returned.
const STARTUP_KEY: &str = "elastane:startup";

/// The largest answer of a start-up hook, as JSON: what a third party names a webhook by
/// fits many times.
const STARTUP_MAX_BYTES: usize = 64 * 1024;

/// What of the network processes of components may reach, by TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComponentNetwork {
    /// The server's own two ports.
    None,
    /// And port 443 of any machine.
    Https,
    /// Everything.
    Any,
}

impl ComponentNetwork {
    /// Every reach with the word of the settings and of the database.
    pub const WORDS: [(&str, Self); 3] = [
        ("none", Self::None),
        ("https", Self::Https),
        ("any", Self::Any),
    ];

    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, network)| *network == self);
        found.map_or("none", |(word, _)| *word)
    }

    /// Reads the word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, network)| *network)
    }
}

/// A build that a step runs.
#[derive(Clone, Debug, PartialEq)]
pub struct StepBuild {
    /// The component.
    pub component: ComponentId,
    /// The revision.
    pub revision: String,
    /// Its descriptor.
    pub descriptor: Value,
    /// The tree of the build.
    pub folder: PathBuf,
}

/// The configuration of a step.
pub struct StepConfig {
    /// The fields of the node merged with the keys of its credential.
    pub fields: Map<String, Value>,
    /// Whether the node names a credential that the flow can't use: it is gone, or is not
    /// for whoever owns the flow now.
    pub lacks_credential: bool,
    /// The credential of the node, where the flow can use it.
    pub credential: Option<CredentialId>,
    /// The build that it runs; none where it is built in, and where there is none that the
    /// flow's owner may use.
    pub build: Option<StepBuild>,
}

/// What a process runs and may know. It holds secrets: no `Debug`.
pub struct StepRun {
    /// The flow.
    pub flow: FlowId,
    /// The id of the step.
    pub step: String,
    /// Whose flow it is.
    pub owner: Owner,
    /// The component.
    pub component: ComponentId,
    /// The trigger or action.
    pub function: String,
    /// The fields merged with the keys of the credential.
    pub config: Map<String, Value>,
    /// The credential, which the process may change (`updateKeys`).
    pub credential: Option<CredentialId>,
    /// Whether messages carry the outputs of the steps before.
    pub passes_through: bool,
    /// The flow's variables.
    pub variables: Map<String, Value>,
    /// The snapshot that it begins with, in place of the one that is kept.
    pub snapshot: Option<Value>,
    /// What the start-up hook returned, for the hook that takes that back: the flow may be
    /// gone already.
    pub startup: Option<Value>,
    /// Who waits for the one result of a call outside of flows.
    pub result: Option<Sender<Value>>,
}

/// What a process signs in with.
#[derive(Clone)]
pub struct StepKey {
    /// The user name.
    pub user: String,
    /// The key.
    pub key: SecretText,
}

impl fmt::Debug for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepKey({}, …)", self.user)
    }
}

/// The processes that may ask.
#[derive(Default)]
pub(super) struct StepRuns {
    /// By the SHA-256 of their keys.
    by_key: Mutex<HashMap<[u8; 32], Arc<StepRun>>>,
}

impl App {
    /// Returns the id of a run by its seq.
    pub fn execution_id_of(&self, seq: i64) -> Result<Option<ExecutionId>> {
        let found = self.read(|read| read.execution_by_seq(seq))?;
        Ok(found.map(|run| run.id))
    }

    /// Lets a process ask about its step, until [`App::end_step_run`].
    pub fn begin_step_run(&self, run: StepRun) -> StepKey {
        let key = self.token();
        let user = format!("{STEP_USER_PREFIX}{}", run.flow);
        self.step_runs().insert(hash(&key), Arc::new(run));
        StepKey {
            user,
            key: SecretText::new(key),
        }
    }

    /// Locks the steps whose processes may ask, by the hash of their keys.
    fn step_runs(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<StepRun>>> {
        let runs = &self.inner.step_runs.by_key;
        runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes what a process and the server know and nobody else: a password, and an
    /// initialisation vector of 16 ASCII characters (`runtime.md 3.4`).
    pub fn new_process_secret(&self) -> (String, [u8; 16]) {
        let mut iv = [0; 16];
        iv.copy_from_slice(hex(&self.inner.random.bytes::<8>()).as_bytes());
        (self.token(), iv)
    }

    /// Ends what a process may ask.
    pub fn end_step_run(&self, key: &StepKey) {
        self.step_runs().remove(&hash(key.key.expose()));
    }

    /// Signs a process in: its step, and the flow's owner as the one who acts.
    pub fn sign_in_step(
        &self,
        user: &str,
        key: &SecretText,
        origin: Origin,
    ) -> Result<(Principal, Arc<StepRun>)> {
        let hashed = hash(key.expose());
        let run = self.step_runs().get(&hashed).map(Arc::clone);
        let run = run.ok_or_else(unauthenticated)?;
        let expected = format!("{STEP_USER_PREFIX}{}", run.flow);
        if !bool::from(expected.as_bytes().ct_eq(user.as_bytes())) {
            return Err(unauthenticated());
        }
        let owner = run.owner.user;
        let (user, memberships) = self.read(|read| {
            let user = read.user(owner)?.ok_or_else(unauthenticated)?;
            Ok((user, read.memberships_of(owner)?))
        })?;
        let who = Principal::user(user, origin).in_scope(Scope::decide(None, &memberships));
        Ok((who, run))
    }

    /// Returns what a process reads when it starts (`runtime.md 3.6`).
    pub fn step_info(&self, run: &StepRun) -> Result<Value> {
        let snapshot = match &run.snapshot {
            Some(given) => Some(given.clone()),
            None => self.step_snapshot(run.flow, &run.step)?,
        };
        let mut config = run.config.clone();
        if let Some(credential) = run.credential {
            config.insert("_account".to_owned(), json!(credential.to_string()));
        }
        Ok(json!({
            "id": run.step,
            "comp_id": run.component.to_string(),
            "function": run.function,
            "config": config,
            "snapshot": snapshot.unwrap_or_else(|| json!({})),
            "is_passthrough": run.passes_through,
            "variables": run.variables,
        }))
    }

    /// Replaces keys of the credential of a process's step: those that the component
    /// emitted, and the others stay.
    pub fn update_step_keys(
        &self,
        who: &Principal,
        run: &StepRun,
        id: CredentialId,
        keys: Map<String, Value>,
    ) -> Result<()> {
        if run.credential != Some(id) {
            return Err(Error::not_found("account"));
        }
        let mut merged = self.own_credential(who, id)?.keys;
        merged.extend(keys);
        let change = CredentialChange {
            name: None,
            component_name: None,
            keys: Some(merged),
        };
        self.change_credential(who, id, change).map(drop)
    }

    /// Keeps what the start-up hook of a step returned; a conflict where something is kept
    /// already.
    pub fn keep_startup_data(&self, run: &StepRun, data: Value) -> Result<()> {
        if crate::domain::run::message::size_of(&data) > STARTUP_MAX_BYTES {
            let message = format!("startup data has at most {STARTUP_MAX_BYTES} bytes as JSON");
            return Err(Error::new(Kind::TooLarge, message));
        }
        let (flow, step, now_ms) = (run.flow, run.step.clone(), self.now_ms());
        self.inner.store.write(move |write| {
            if write.step_datum(flow, &step, STARTUP_KEY)?.is_some() {
                return Err(Error::new(Kind::Conflict, "startup data is kept already"));
            }
            write.keep_step_datum(flow, &step, STARTUP_KEY, Some(&data), now_ms)
        })
    }

    /// Returns what the start-up hook of a process's step returned, where something is kept.
    pub fn startup_data_of(&self, run: &StepRun) -> Result<Option<Value>> {
        match &run.startup {
            Some(data) => Ok(Some(data.clone())),
            None => self.startup_data(run.flow, &run.step),
        }
    }

    /// Returns the flows that have processes without messages: real-time ones that are
    /// active, and those of which start-up data is kept.
    pub fn flows_to_attend(&self) -> Result<Vec<FlowId>> {
        self.read(|read| read.flows_to_attend(STARTUP_KEY))
    }

    /// Returns what the start-up hook of a step returned, where something is kept.
    pub fn startup_data(&self, flow: FlowId, step: &str) -> Result<Option<Value>> {
        self.step_datum(flow, step, STARTUP_KEY)
    }

    /// Forgets what the start-up hook of a step returned.
    pub fn drop_startup_data(&self, run: &StepRun) -> Result<()> {
        let (flow, step, now_ms) = (run.flow, run.step.clone(), self.now_ms());
        self.inner
            .store
            .write(move |write| write.keep_step_datum(flow, &step, STARTUP_KEY, None, now_ms))
    }

    /// Returns the environment variables of a component, for its own processes; nobody
    /// reads them by this.
    pub fn variables_of_component(&self, component: ComponentId) -> Result<EnvVars> {
        self.read(|read| super::env_var::opened(read, &self.inner.vault, component))
    }

    /// Notes, without waiting, what a process logged; each with the seq of its run, where
    /// it has one.
    pub fn log_step_later(&self, flow: FlowId, entries: Vec<(Option<i64>, NewLogEntry)>) {
        self.inner.store.write_later(move |write| {
            for (run, entry) in &entries {
                write.add_log_entry(flow, *run, entry)?;
            }
            Ok(())
        });
    }

    /// Notes that a component of a flow could be started: failures are counted in a row.
    pub fn note_start(&self, flow: FlowId) -> Result<()> {
        self.inner
            .store
            .write(move |write| write.set_start_failures(flow, 0))
    }

    /// Returns the build that a command means for the owner of a flow.
    pub(super) fn step_build(
        &self,
        read: &Read<'_>,
        flow: &Flow,
        command: &StepCommand,
    ) -> Result<Option<StepBuild>> {
        if command.team.as_str() == BUILTIN_TEAM {
            return Ok(None);
        }
        let usable =
            super::component::usable(read, flow.user_id, &command.team, &command.component)?;
        let Some(component) = usable else {
            return Ok(None);
        };
        let build = super::component::build_of(read, &component, command)?;
        Ok(build.map(|version| StepBuild {
            folder: self.build_path(component.id, &version.revision),
            component: component.id,
            revision: version.revision,
            descriptor: version.descriptor,
        }))
    }

    /// Returns the newest build of a component that somebody may use, for calls outside of
    /// flows.
    pub fn newest_build(&self, team: &str, component: &str) -> Result<Option<StepBuild>> {
        let slugs = (
            crate::domain::slug::Slug::parse(team),
            crate::domain::slug::Slug::parse(component),
        );
        let (Some(team), Some(slug)) = slugs else {
            return Ok(None);
        };
        self.read(|read| {
            let Some(component) = read.component_by_slug(&team, &slug)? else {
                return Ok(None);
            };
            let version = read.latest_version(component.id)?;
            Ok(version.map(|version| StepBuild {
                folder: self.build_path(component.id, &version.revision),
                component: component.id,
                revision: version.revision,
                descriptor: version.descriptor,
            }))
        })
    }
}

/// Hashes a key.
fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}
