//! What of the network a component may reach, and what a build said.

use std::fs::File;
use std::io::Read;

use serde_json::json;

use super::missing_component;
use crate::app::App;
use crate::app::step_run::ComponentNetwork;
use crate::app::user::require_admin;
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::component::Component;
use crate::domain::id::ComponentId;
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};

/// The longest log of a build that is read: its lines are bounded in number and length.
const LOG_MAX_BYTES: u64 = 64 * 1024 * 1024;

impl App {
    /// Sets what of the network the processes of a component may reach; none takes what the
    /// installation has. For tenant administrators and the operator, since it may be more
    /// than that. It holds from the next process on.
    pub fn set_component_network(
        &self,
        who: &Principal,
        id: ComponentId,
        network: Option<ComponentNetwork>,
    ) -> Result<()> {
        require_admin(who)?;
        self.act(who, move |act| {
            if act.component(id)?.is_none_or(|it| it.is_builtin) {
                return Err(missing_component(act, act.who, id, "component")?);
            }
            let word = network.map(ComponentNetwork::as_str);
            if act.component_network(id)?.as_deref() == word {
                return Ok(());
            }
            act.set_component_network(id, word)?;
            let entry = NewAuditEntry::of("component.network", ObjectKind::Component, id);
            act.audit(&entry.with(json!({ "network": word })))
        })
    }

    /// Returns what of the network a component may reach, where that is set.
    pub fn component_network(&self, id: ComponentId) -> Result<Option<ComponentNetwork>> {
        let word = self.read(|read| read.component_network(id))?;
        Ok(word.as_deref().and_then(ComponentNetwork::parse))
    }

    /// Returns what a build of a component printed: of this revision, or the newest.
    pub fn build_log(&self, component: &Component, revision: Option<&str>) -> Result<String> {
        let id = component.id;
        let version = self.read(|read| match revision {
            None => read.latest_version(id),
            Some(revision) => read.component_version(id, revision),
        })?;
        let missing = || Error::new(Kind::NotFound, "there is no such build");
        let version = version.ok_or_else(missing)?;
        let path = self.build_path(id, &format!("{}.log", version.revision));
        let file = File::open(path).map_err(|_| {
            let message = "the log of this build is not there any more";
            Error::new(Kind::NotFound, message)
        })?;
        let mut text = String::new();
        let mut bounded = file.take(LOG_MAX_BYTES);
        bounded.read_to_string(&mut text).map_err(Error::internal)?;
        Ok(text)
    }
}
