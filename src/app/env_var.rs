//! Verbs about the environment variables of components (`v1.md 3.4`).
//!
//! Values are secrets: sealed in the database, never in the log, and whoever reads them
//! leaves a trace in the audit log, with the names alone.

use std::collections::BTreeMap;

use serde_json::json;
use zeroize::Zeroizing;

use super::component::{editable, usable_by};
use super::vault::{Place, Sealed, Vault};
use super::{Act, App, SecretText};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::env_var::{ENV_VARS_MAX, EnvChange};
use crate::domain::id::ComponentId;
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};
use crate::store::{Read, SealedEnvVar};

/// The table, as sealed values name their place.
const TABLE: &str = "env_vars";

/// Variables in clear, by name.
pub type EnvVars = BTreeMap<String, SecretText>;

impl App {
    /// Returns the variables of a component to the members of its team, or to everyone
    /// who may use it where the installation is set so; and notes in the audit log that
    /// they were read: so this is a write, which a database opened for looking refuses.
    pub fn env_vars(&self, who: &Principal, component: ComponentId) -> Result<EnvVars> {
        let app = self.clone();
        self.act(who, move |act| {
            if app.inner.rules.env_readable_by_users {
                usable_by(act, act.who, component)?;
            } else {
                editable(act, act.who, component)?;
            }
            let variables = opened(act, &app.inner.vault, component)?;
            let names: Vec<&String> = variables.keys().collect();
            act.audit(
                &NewAuditEntry::of("env.read", ObjectKind::Component, component)
                    .with(json!({ "names": names })),
            )?;
            Ok(variables)
        })
    }

    /// Merges a change into the variables of a component and returns all of them
    /// (`v1.md 3.4`): what the change does not name stays.
    ///
    /// The values are opened inside the transaction, so a row that does not open undoes
    /// the change instead of failing after it.
    pub fn merge_env_vars(
        &self,
        who: &Principal,
        component: ComponentId,
        change: EnvChange,
    ) -> Result<EnvVars> {
        let app = self.clone();
        self.act(who, move |act| {
            editable(act, act.who, component)?;
            apply(act, &app.inner.vault, component, change)?;
            opened(act, &app.inner.vault, component)
        })
    }
}

impl App {
    /// Replaces the variables of a component as a whole and returns them (`v2.md 4.1`);
    /// a change that removes one by name says so twice, and is invalid.
    pub fn replace_env_vars(
        &self,
        who: &Principal,
        component: ComponentId,
        all: EnvChange,
    ) -> Result<EnvVars> {
        if let Some((name, _)) = all.iter().find(|(_, value)| value.is_none()) {
            return Err(Error::invalid(name.clone(), "must not be null"));
        }
        let app = self.clone();
        self.act(who, move |act| {
            editable(act, act.who, component)?;
            let mut change = all;
            for old in act.env_vars_of(component, ENV_VARS_MAX)? {
                change.entry(old.name).or_insert(None);
            }
            apply(act, &app.inner.vault, component, change)?;
            opened(act, &app.inner.vault, component)
        })
    }
}

/// Writes a change and its audit entry.
fn apply(act: &Act<'_>, vault: &Vault, component: ComponentId, change: EnvChange) -> Result<()> {
    let row = component.to_string();
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    for (name, value) in change {
        if let Some(value) = value.map(Zeroizing::new) {
            let sealed = vault.seal(&place(&row, &name), value.as_bytes())?;
            act.set_env_var(
                component,
                &SealedEnvVar {
                    name: name.clone(),
                    key_version: sealed.key_version,
                    sealed: sealed.blob,
                },
            )?;
            set.push(name);
        } else if act.delete_env_var(component, &name)? {
            removed.push(name);
        }
    }
    if act.env_vars_of(component, ENV_VARS_MAX + 1)?.len() > ENV_VARS_MAX {
        return Err(Error::new(
            Kind::Conflict,
            format!("a component has at most {ENV_VARS_MAX} variables"),
        ));
    }
    act.audit(
        &NewAuditEntry::of("env.change", ObjectKind::Component, component)
            .with(json!({ "set": set, "removed": removed })),
    )
}

/// Returns all variables of a component in clear.
pub(super) fn opened(read: &Read<'_>, vault: &Vault, component: ComponentId) -> Result<EnvVars> {
    let row = component.to_string();
    read.env_vars_of(component, ENV_VARS_MAX)?
        .into_iter()
        .map(|variable| {
            let sealed = Sealed {
                key_version: variable.key_version,
                blob: variable.sealed,
            };
            let plain = vault.open(&place(&row, &variable.name), &sealed)?;
            let value = std::str::from_utf8(&plain).map_err(Error::internal)?;
            Ok((variable.name, SecretText::new(value)))
        })
        .collect()
}

/// Returns the place to which a value is bound.
fn place<'a>(row: &'a str, name: &'a str) -> Place<'a> {
    Place {
        table: TABLE,
        row,
        field: name,
    }
}
