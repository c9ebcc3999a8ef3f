//! Teams as API v2 shows and renames them (`v2.md 3, 6.3`).

use super::editable;
use crate::app::App;
use crate::app::component::REPOSITORIES_MAX;
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::id::{ComponentId, TeamId};
use crate::domain::principal::Principal;
use crate::domain::team::Team;
use crate::domain::{Result, text};

impl App {
    /// Returns the components of a team to those who may see the team, by id.
    pub fn team_components(&self, who: &Principal, id: TeamId) -> Result<Vec<ComponentId>> {
        let team = self.team(who, id)?;
        let limit = u32::try_from(REPOSITORIES_MAX).unwrap_or(u32::MAX);
        self.read(|read| read.component_ids_of_team(team.id, limit))
    }

    /// Gives a team another name; its slug stays, since commands and addresses have it.
    pub fn rename_team(&self, who: &Principal, id: TeamId, name: &str) -> Result<Team> {
        let name = text::name("name", name)?;
        self.act(who, move |act| {
            let team = editable(act, act.who, id)?;
            act.set_team_name(id, &name)?;
            act.audit(&NewAuditEntry::of("team.rename", ObjectKind::Team, id))?;
            Ok(Team { name, ..team })
        })
    }
}
