//! What is masked in what people see of runs: the keys of the credentials that a flow
//! uses and used, and the values of its secret fields.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::app::flow::secret_fields;
use crate::app::{App, component};
use crate::domain::Result;
use crate::domain::flow::command::StepCommand;
use crate::domain::flow::graph::Graph;
use crate::domain::run::mask::{Mask, secret_members};
use crate::store::{Read, SealedCredential, SupersededKeys};

/// The most former keys of one credential that are masked: a token that is refreshed
/// hourly has 720 in the days that history is kept.
const SUPERSEDED_MAX: u32 = 1_000;

/// What is to be masked, as it is stored. It holds secrets, so it has no `Debug`.
#[derive(Default)]
pub(super) struct Secrets {
    sealed: Vec<SealedCredential>,
    superseded: Vec<SupersededKeys>,
    values: Vec<Value>,
}

impl Secrets {
    /// Reads what the nodes of these graphs know.
    pub(super) fn of(read: &Read<'_>, graphs: &[Graph]) -> Result<Self> {
        let nodes = || graphs.iter().flat_map(|graph| &graph.nodes);
        let mut ids: Vec<_> = nodes().filter_map(|node| node.credential_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut secrets = Self::default();
        for id in ids {
            secrets.sealed.extend(read.sealed_credential(id)?);
            let superseded = read.superseded_keys(id, SUPERSEDED_MAX)?;
            secrets.superseded.extend(superseded);
        }
        let mut names = HashMap::new();
        for node in nodes() {
            let Some(fields) = node.members.get("fields") else {
                continue;
            };
            let mut found = Vec::new();
            secret_members(fields, &mut found);
            let command = node.command.to_string();
            let hidden = match names.get(&command) {
                Some(hidden) => hidden,
                None => names
                    .entry(command)
                    .or_insert(hidden_fields(read, &node.command)?),
            };
            found.extend(hidden.iter().filter_map(|name| fields.get(name)));
            secrets.values.extend(found.into_iter().cloned());
        }
        Ok(secrets)
    }
}

impl App {
    /// Makes the mask of these secrets.
    pub(super) fn mask(&self, secrets: Secrets) -> Result<Mask> {
        let present = secrets.sealed.into_iter().map(|row| {
            let open = self.open_keys(row)?;
            Ok(open.keys)
        });
        let former = secrets
            .superseded
            .into_iter()
            .map(|row| self.open_sealed(row.credential, row.key_version, row.sealed));
        let opened = present.chain(former).collect::<Result<Vec<_>>>()?;
        Ok(Mask::of(&opened, &secrets.values))
    }
}

/// Returns the names of the fields of a step that a person enters as passwords. Who may
/// use the component is no question here: what hides must not be hidden.
fn hidden_fields(read: &Read<'_>, command: &StepCommand) -> Result<HashSet<String>> {
    let Some(found) = read.component_by_slug(&command.team, &command.component)? else {
        return Ok(HashSet::new());
    };
    let build = match component::build_of(read, &found, command)? {
        Some(build) => Some(build),
        None => read.latest_version(found.id)?,
    };
    Ok(build.map_or_else(HashSet::new, |build| {
        secret_fields(&build.descriptor, &command.function)
    }))
}
