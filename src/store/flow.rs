//! Rows of flows and of their steps.

use std::borrow::Cow;

use rusqlite::{Row, params};
use serde_json::{Map, Value};

use super::component::unreadable;
use super::sql::Json;
use super::{Read, Write};
use crate::domain::Result;
use crate::domain::flow::graph::Graph;
use crate::domain::flow::options::{FlowOptions, MapperKind, Missed};
use crate::domain::flow::{Cron, Flow, FlowStatus, FlowType, ShownFlow};
use crate::domain::id::{FlowId, UserId};
use crate::domain::slug::Slug;

/// The columns that [`flow_of`] reads, in its order.
pub(super) const FLOW_COLUMNS: &str = "id, user_id, name, description, type, status, graph, cron, \
     recipe_id, version, created_at, updated_at, last_started_at, time_zone, missed, \
     variables, default_mapper_type, nodes_config, due_at, organization_id";

/// Reads a flow from a row of [`FLOW_COLUMNS`].
pub(super) fn flow_of(row: &Row<'_>) -> rusqlite::Result<Flow> {
    Ok(Flow {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        flow_type: FlowType::parse(row.get_ref(4)?.as_str()?)
            .ok_or_else(|| unreadable(4, "an unknown type"))?,
        status: status_of(row, 5)?,
        graph: Graph::stored(&row.get::<_, Json>(6)?.0),
        cron: row.get::<_, Option<String>>(7)?.map(Cron::stored),
        recipe_id: row.get(8)?,
        version: row.get(9)?,
        created_at_ms: row.get(10)?,
        updated_at_ms: row.get(11)?,
        last_started_at_ms: row.get(12)?,
        options: options_of(row)?,
        due_at_ms: row.get(18)?,
        organization_id: row.get(19)?,
    })
}

/// The columns that [`shown_of`] reads, in its order.
pub(super) const SHOWN_COLUMNS: &str = "id, user_id, name, description, type, status, graph, cron, \
     created_at, updated_at, last_started_at, time_zone, missed, variables, \
     default_mapper_type, nodes_config, due_at, organization_id";

/// Reads a flow to be shown from a row of [`SHOWN_COLUMNS`], whose texts it borrows.
pub(super) fn shown_of<'r>(row: &'r Row<'_>) -> rusqlite::Result<ShownFlow<'r>> {
    let text = |at| Ok::<_, rusqlite::Error>(Cow::Borrowed(row.get_ref(at)?.as_str()?));
    let maybe = |at| {
        let text = row.get_ref(at)?.as_str_or_null()?;
        Ok::<_, rusqlite::Error>(text.map(Cow::Borrowed))
    };
    Ok(ShownFlow {
        id: text(0)?,
        user_id: text(1)?,
        name: text(2)?,
        description: maybe(3)?,
        flow_type: FlowType::parse(row.get_ref(4)?.as_str()?)
            .ok_or_else(|| unreadable(4, "an unknown type"))?,
        status: status_of(row, 5)?,
        graph: text(6)?,
        cron: maybe(7)?,
        created_at_ms: row.get(8)?,
        updated_at_ms: row.get(9)?,
        last_started_at_ms: row.get(10)?,
        time_zone: maybe(11)?,
        missed: Missed::parse(row.get_ref(12)?.as_str()?)
            .ok_or_else(|| unreadable(12, "an unknown policy"))?,
        variables: text(13)?,
        default_mapper_type: row
            .get_ref(14)?
            .as_str_or_null()?
            .and_then(MapperKind::parse),
        nodes_config: text(15)?,
        due_at_ms: row.get(16)?,
        organization_id: row.get(17)?,
    })
}

/// Reads how a flow runs, from column 13 on.
fn options_of(row: &Row<'_>) -> rusqlite::Result<FlowOptions> {
    let mapper = row.get_ref(16)?.as_str_or_null()?;
    Ok(FlowOptions {
        time_zone: row.get(13)?,
        missed: Missed::parse(row.get_ref(14)?.as_str()?)
            .ok_or_else(|| unreadable(14, "an unknown policy"))?,
        variables: object_of(row, 15)?,
        default_mapper_type: mapper.and_then(MapperKind::parse),
        nodes_config: object_of(row, 17)?,
    })
}

/// Reads an object, empty where the value is of another type.
fn object_of(row: &Row<'_>, at: usize) -> rusqlite::Result<Map<String, Value>> {
    Ok(match row.get::<_, Json>(at)?.0 {
        Value::Object(map) => map,
        _ => Map::new(),
    })
}

/// Reads a status.
fn status_of(row: &Row<'_>, at: usize) -> rusqlite::Result<FlowStatus> {
    FlowStatus::parse(row.get_ref(at)?.as_str()?).ok_or_else(|| unreadable(at, "an unknown status"))
}

/// How many flows there are of each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounts {
    /// Those that run.
    pub active: i64,
    /// Those that do not.
    pub inactive: i64,
    /// Those that do not for now.
    pub suspended: i64,
}

impl Read<'_> {
    /// Returns the flow with this id.
    pub fn flow(&self, id: FlowId) -> Result<Option<Flow>> {
        let sql = format!("SELECT {FLOW_COLUMNS} FROM flows WHERE id = ?1");
        self.query_opt(&sql, params![id], flow_of)
    }

    /// Returns whether a flow runs.
    pub fn flow_status(&self, id: FlowId) -> Result<Option<FlowStatus>> {
        self.query_opt(
            "SELECT status FROM flows WHERE id = ?1",
            params![id],
            |row| status_of(row, 0),
        )
    }

    /// Returns how often in a row a component of a flow could not be started.
    pub fn start_failures(&self, id: FlowId) -> Result<u32> {
        let failures = self.query_opt(
            "SELECT start_failures FROM flows WHERE id = ?1",
            params![id],
            |row| row.get(0),
        )?;
        Ok(failures.unwrap_or(0))
    }

    /// Returns up to `limit` flows of a user with ids after `after`, by id.
    pub fn flows_of(&self, user: UserId, after: Option<FlowId>, limit: u32) -> Result<Vec<Flow>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT {FLOW_COLUMNS} FROM flows WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
        );
        self.query_all(&sql, params![user, after, limit], flow_of)
    }

    /// Returns up to `limit` flows of everybody with ids after `after`, by id.
    pub fn flows(&self, after: Option<FlowId>, limit: u32) -> Result<Vec<Flow>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!("SELECT {FLOW_COLUMNS} FROM flows WHERE id > ?1 ORDER BY id LIMIT ?2");
        self.query_all(&sql, params![after, limit], flow_of)
    }

    /// Counts the flows of a user, but stops at `at_most`: the count walks the index.
    pub fn count_flows_of(&self, user: UserId, at_most: i64) -> Result<i64> {
        self.query_one(
            "SELECT count(*) FROM (SELECT 1 FROM flows WHERE user_id = ?1 LIMIT ?2)",
            params![user, at_most],
            |row| row.get(0),
        )
    }

    /// Counts all flows by status.
    pub fn flow_counts(&self) -> Result<FlowCounts> {
        let count_of = |status: &str| -> Result<i64> {
            self.query_one(
                "SELECT count(*) FROM flows WHERE status = ?1 AND status <> 'inactive'",
                params![status],
                |row| row.get(0),
            )
        };
        let (active, suspended) = (count_of("active")?, count_of("suspended")?);
        let all: i64 = self.query_one("SELECT count(*) FROM flows", params![], |row| row.get(0))?;
        Ok(FlowCounts {
            active,
            inactive: all - active - suspended,
            suspended,
        })
    }

    /// Returns up to `limit` flows, of anybody, with a step of the component
    /// `team/component`.
    pub fn flows_using_component(
        &self,
        team: &Slug,
        component: &Slug,
        limit: u32,
    ) -> Result<Vec<FlowId>> {
        self.query_all(
            "SELECT DISTINCT flow_id FROM flow_steps WHERE team = ?1 AND component = ?2 LIMIT ?3",
            params![team.as_str(), component.as_str(), limit],
            |row| row.get(0),
        )
    }
}

impl Write<'_> {
    /// Adds a flow and its steps.
    ///
    /// The credentials of the steps must be there: checked before, in the same job.
    pub fn insert_flow(&self, flow: &Flow) -> Result<()> {
        self.execute(
            "INSERT INTO flows (id, user_id, name, description, type, status, graph, cron,
                 recipe_id, version, created_at, updated_at, last_started_at,
                 time_zone, missed, variables, default_mapper_type, nodes_config, due_at,
                 organization_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                 ?17, ?18, ?19, ?20)",
            params![
                flow.id,
                flow.user_id,
                flow.name,
                flow.description,
                flow.flow_type.as_str(),
                flow.status.as_str(),
                Json(flow.graph.to_value()),
                flow.cron.as_ref().map(Cron::as_str),
                flow.recipe_id,
                flow.version,
                flow.created_at_ms,
                flow.updated_at_ms,
                flow.last_started_at_ms,
                flow.options.time_zone,
                flow.options.missed.as_str(),
                Json(flow.options.variables.clone().into()),
                flow.options.default_mapper_type.map(MapperKind::as_str),
                Json(flow.options.nodes_config.clone().into()),
                flow.due_at_ms,
                flow.organization_id,
            ],
        )?;
        self.insert_flow_steps(flow)
    }

    /// Replaces a flow but for its id, owner, status and times of starts; tells whether
    /// it is there. The steps stay as they are.
    pub fn update_flow(&self, flow: &Flow) -> Result<bool> {
        let changed = self.execute(
            "UPDATE flows SET name = ?2, description = ?3, type = ?4, graph = ?5, cron = ?6,
                 version = ?7, updated_at = ?8, time_zone = ?9, missed = ?10, variables = ?11,
                 default_mapper_type = ?12, nodes_config = ?13 WHERE id = ?1",
            params![
                flow.id,
                flow.name,
                flow.description,
                flow.flow_type.as_str(),
                Json(flow.graph.to_value()),
                flow.cron.as_ref().map(Cron::as_str),
                flow.version,
                flow.updated_at_ms,
                flow.options.time_zone,
                flow.options.missed.as_str(),
                Json(flow.options.variables.clone().into()),
                flow.options.default_mapper_type.map(MapperKind::as_str),
                Json(flow.options.nodes_config.clone().into()),
            ],
        )?;
        Ok(changed == 1)
    }

    /// Replaces the steps of a flow by those of its graph.
    ///
    /// A credential that is gone is none, since the graph may name one that was deleted.
    pub fn replace_flow_steps(&self, flow: &Flow) -> Result<()> {
        self.execute(
            "DELETE FROM flow_steps WHERE flow_id = ?1",
            params![flow.id],
        )?;
        self.insert_flow_steps(flow)
    }

    /// Adds the steps of a flow.
    fn insert_flow_steps(&self, flow: &Flow) -> Result<()> {
        for (position, node) in (0_i64..).zip(&flow.graph.nodes) {
            self.execute(
                "INSERT INTO flow_steps (flow_id, position, step_id, team, component, credential_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, (SELECT id FROM credentials WHERE id = ?6))",
                params![
                    flow.id,
                    position,
                    node.id,
                    node.command.team.as_str(),
                    node.command.component.as_str(),
                    node.credential_id,
                ],
            )?;
        }
        Ok(())
    }

    /// Sets whether a flow runs; tells whether it is there. Going active counts as a start.
    /// The time of the change is after the last one's, as [`Flow::next_update_ms`] has it.
    pub fn set_flow_status(&self, id: FlowId, status: FlowStatus, now_ms: i64) -> Result<bool> {
        let started_at = (status == FlowStatus::Active).then_some(now_ms);
        let changed = self.execute(
            "UPDATE flows SET status = ?2, updated_at = max(?3, updated_at + 1),
                 last_started_at = coalesce(?4, last_started_at) WHERE id = ?1",
            params![id, status.as_str(), now_ms, started_at],
        )?;
        Ok(changed == 1)
    }

    /// Deletes a flow and its steps; tells whether it was there.
    pub fn delete_flow(&self, id: FlowId) -> Result<bool> {
        Ok(self.execute("DELETE FROM flows WHERE id = ?1", params![id])? == 1)
    }
}
