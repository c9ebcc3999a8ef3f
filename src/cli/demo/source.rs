//! What the demo consists of: the files under `assets/demo`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::domain::{Error, Result};

/// What a user may do.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum UserRole {
    /// Administers the installation.
    Admin,
    /// Is an ordinary user.
    Member,
}

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum UserState {
    /// May.
    Active,
    /// May not.
    Disabled,
}

/// A user of the demo, with secrets in clear: they are printed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoUser {
    /// The address.
    pub(super) email: String,
    /// The given name.
    pub(super) first_name: String,
    /// The family name.
    pub(super) last_name: String,
    /// The company.
    pub(super) company: Option<String>,
    /// What the user may do.
    pub(super) role: UserRole,
    /// Whether the user may sign in.
    pub(super) state: UserState,
    /// The login password.
    pub(super) password: String,
    /// The API key.
    pub(super) api_key: String,
}

/// A team of the demo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoTeam {
    /// The address of its member.
    pub(super) owner: String,
    /// Its name.
    pub(super) name: String,
    /// What it owns.
    pub(super) repositories: Vec<DemoRepository>,
}

/// A repository of the demo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoRepository {
    /// Its name.
    pub(super) name: String,
    /// Its environment variables.
    pub(super) env: BTreeMap<String, String>,
}

/// An SSH public key of the demo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoSshKey {
    /// The address of its owner.
    pub(super) user: String,
    /// Its title.
    pub(super) title: String,
    /// The key, as a line of OpenSSH.
    pub(super) key: String,
}

/// A recipe that somebody activates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoTasks {
    /// The address of the tasks' owner.
    pub(super) user: String,
    /// The id of the recipe.
    pub(super) recipe: String,
    /// The accounts, as `POST /v1/recipes` takes them.
    pub(super) accounts: Map<String, Value>,
    /// The titles of the tasks that run.
    pub(super) active: Vec<String>,
}

/// What ran of a task in the last hour of the demo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoRuns {
    /// The task's name.
    pub(super) task: String,
    /// What set it off.
    pub(super) trigger: String,
    /// The minute of the first run, the minutes between two, and how many there are.
    pub(super) minutes: (u32, u32, u32),
    /// What each run does, in order.
    pub(super) steps: Vec<DemoStep>,
    /// The runs that fail.
    pub(super) failures: Vec<DemoFailure>,
}

/// What a step does in each run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoStep {
    /// The id of the step.
    pub(super) step: String,
    /// How long it takes at least, in microseconds.
    pub(super) took_us: u64,
    /// The bodies that it makes; `{run}` and `{time}` in their texts are those of the run.
    pub(super) outputs: Value,
    /// What it says, with the same signs.
    pub(super) log: Option<String>,
}

/// How a run fails.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoFailure {
    /// The run, from 0.
    pub(super) run: u32,
    /// The step.
    pub(super) step: String,
    /// The attempts that it took.
    pub(super) attempts: u32,
    /// The name of the error.
    pub(super) name: String,
    /// What it says.
    pub(super) message: String,
    /// The status that a waiting caller gets.
    pub(super) status: u16,
}

/// Returns what ran in the last hour.
pub(super) fn history() -> Result<Vec<DemoRuns>> {
    read(include_str!("../../../assets/demo/history.json"))
}

/// Returns the users.
pub(super) fn users() -> Result<Vec<DemoUser>> {
    read(include_str!("../../../assets/demo/users.json"))
}

/// Returns the teams.
pub(super) fn teams() -> Result<Vec<DemoTeam>> {
    read(include_str!("../../../assets/demo/teams.json"))
}

/// Returns the SSH keys.
pub(super) fn ssh_keys() -> Result<Vec<DemoSshKey>> {
    read(include_str!("../../../assets/demo/ssh_keys.json"))
}

/// Returns the recipes that are activated.
pub(super) fn tasks() -> Result<Vec<DemoTasks>> {
    read(include_str!("../../../assets/demo/tasks.json"))
}

/// Reads one embedded file; a fault in it is ours.
fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}
