//! Lists of flows, sorted, filtered and searched.

use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

use super::Read;
use super::flow::{SHOWN_COLUMNS, shown_of};
use crate::domain::Result;
use crate::domain::flow::{FlowKey, FlowList, FlowQuery, FlowType, ShownFlow};
use crate::domain::id::FlowId;

/// What narrows a list: `?2` to `?5` are what is asked for, each missing or not.
const NARROWED: &str = "(?2 IS NULL OR (status = 'active') = ?2)
     AND (?3 IS NULL OR type = ?3)
     AND (?4 IS NULL OR user_id = ?4)
     AND (?5 IS NULL OR name LIKE ?5 ESCAPE '~' OR description LIKE ?5 ESCAPE '~')";

/// The order of names; `like.rs` has its collation.
const BY_NAME: &str = "name COLLATE FOLDED";

/// What narrows nothing, so that an index answers without the rows.
const EVERYTHING: &str = "coalesce(?2, ?3, ?4, ?5) IS NULL";

/// What is kept of a list of flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowListState {
    /// How many flows it has.
    pub flows: u64,
    /// Equal as long as no part of the list, however narrowed, can have other flows but for
    /// their order.
    pub changes: i64,
    /// Equal, together with `changes`, as long as nothing that is shown of a flow changed.
    pub states: i64,
}

impl Read<'_> {
    /// Returns what triggers keep of a list.
    pub fn flow_list_state(&self, list: FlowList) -> Result<FlowListState> {
        let found = self.query_opt(
            "SELECT flows, changes, states FROM flow_lists WHERE owner_id = ?1",
            [owner_of(list)],
            |row| {
                Ok(FlowListState {
                    flows: row.get::<_, i64>(0)?.unsigned_abs(),
                    changes: row.get(1)?,
                    states: row.get(2)?,
                })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    /// Returns the id of the `step`th flow of a list after `after`, by id.
    pub fn flow_mark(
        &self,
        list: FlowList,
        after: Option<FlowId>,
        step: u32,
    ) -> Result<Option<FlowId>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let sql = format!(
            "SELECT id FROM flows WHERE {} AND id > ?2 ORDER BY id LIMIT 1 OFFSET ?3",
            owned_by(list)
        );
        self.query_opt(
            &sql,
            params![owner_of(list), after, i64::from(step) - 1],
            |row| row.get(0),
        )
    }

    /// Shows up to `limit` flows of a list after the first `offset` behind the id
    /// `after`, in an order; the id decides among equals.
    ///
    /// The rows are looked up once the ids of the part are known: what stands before the
    /// part is passed over in the index alone.
    pub fn flow_part(
        &self,
        list: FlowList,
        query: &FlowQuery,
        after: Option<FlowId>,
        offset: u64,
        limit: u32,
        mut show: impl FnMut(&ShownFlow<'_>),
    ) -> Result<()> {
        let order = order_of(query);
        let conditions = conditions_of(list, query);
        let sql = if query.is_everything() && order == "id" {
            // The index of the list yields them in this order, one look-up a row.
            format!(
                "SELECT {SHOWN_COLUMNS} FROM flows WHERE {conditions} AND id > ?6
                 ORDER BY id LIMIT ?7 OFFSET ?8"
            )
        } else {
            format!(
                "SELECT {SHOWN_COLUMNS} FROM flows WHERE id IN
                     (SELECT id FROM flows WHERE {conditions} AND id > ?6
                      ORDER BY {order} LIMIT ?7 OFFSET ?8)
                 ORDER BY {order}"
            )
        };
        let after = after.map_or_else(String::new, |id| id.to_string());
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let mut values = values_of(list, query);
        values.extend([Value::from(after), Value::from(limit), Value::from(offset)]);
        let rows = self.query_all(&sql, params_from_iter(values), |row| {
            show(&shown_of(row)?);
            Ok(())
        });
        rows.map(|_| ())
    }

    /// Counts the flows of a list that are asked for, one by one.
    pub fn count_flows(&self, list: FlowList, query: &FlowQuery) -> Result<u64> {
        let sql = format!(
            "SELECT count(*) FROM flows WHERE {}",
            conditions_of(list, query)
        );
        let values = params_from_iter(values_of(list, query));
        let count: i64 = self.query_one(&sql, values, |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}

/// Returns the conditions of a query; `?1` is whose list it is.
fn conditions_of(list: FlowList, query: &FlowQuery) -> String {
    let whose = owned_by(list);
    let narrowed = if query.is_everything() {
        EVERYTHING
    } else {
        NARROWED
    };
    format!("{whose} AND {narrowed}")
}

/// Returns the condition of a list; `?1` is whose it is.
fn owned_by(list: FlowList) -> &'static str {
    match list {
        FlowList::Personal(_) => "user_id = ?1 AND organization_id IS NULL",
        FlowList::Organization(_) => "organization_id = ?1",
    }
}

/// Returns whose a list is.
fn owner_of(list: FlowList) -> String {
    match list {
        FlowList::Personal(user) => user.to_string(),
        FlowList::Organization(organization) => organization.to_string(),
    }
}

/// Returns the values of `?1` to `?5`.
fn values_of(list: FlowList, query: &FlowQuery) -> Vec<Value> {
    let pattern = query.search.as_ref().map(|text| {
        let escaped = text
            .replace('~', "~~")
            .replace('%', "~%")
            .replace('_', "~_");
        format!("%{escaped}%")
    });
    vec![
        Value::from(owner_of(list)),
        Value::from(query.is_active),
        Value::from(
            query
                .flow_type
                .map(|kind| FlowType::as_str(kind).to_owned()),
        ),
        Value::from(query.user.map(|user| user.to_string())),
        Value::from(pattern),
    ]
}

/// Returns the order of a query. Ids begin with the time of their making, so the order of
/// creation is theirs.
fn order_of(query: &FlowQuery) -> String {
    let keys = query.order.iter().map(|key| {
        let column = match key.key {
            FlowKey::Name => BY_NAME,
            FlowKey::CreatedAt => "id",
            FlowKey::UpdatedAt => "updated_at",
        };
        let direction = if key.is_descending { " DESC" } else { "" };
        format!("{column}{direction}, ")
    });
    keys.chain(["id".to_owned()]).collect()
}
