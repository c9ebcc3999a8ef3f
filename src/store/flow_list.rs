//! Lists of flows, sorted, filtered and searched.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::Read;
use super::flow::{FLOW_COLUMNS, flow_of};
use crate::domain::Result;
use crate::domain::flow::{Flow, FlowKey, FlowList, FlowQuery, FlowType};

/// What narrows a list: `?2` to `?5` are what is asked for, each missing or not.
const NARROWED: &str = "(?2 IS NULL OR (status = 'active') = ?2)
     AND (?3 IS NULL OR type = ?3)
     AND (?4 IS NULL OR user_id = ?4)
     AND (?5 IS NULL OR name LIKE ?5 ESCAPE '~' OR description LIKE ?5 ESCAPE '~')";

/// What narrows nothing, so that an index answers without the rows.
const EVERYTHING: &str = "coalesce(?2, ?3, ?4, ?5) IS NULL";

impl Read<'_> {
    /// Returns up to `limit` flows of a list after the first `offset`, in an order; the
    /// id decides among equals.
    ///
    /// The rows are looked up once the ids of the part are known: what stands before the
    /// part is passed over in the index alone.
    pub fn flow_part(
        &self,
        list: FlowList,
        query: &FlowQuery,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Flow>> {
        let order = order_of(query);
        let sql = format!(
            "SELECT {FLOW_COLUMNS} FROM flows WHERE id IN
                 (SELECT id FROM flows WHERE {} ORDER BY {order} LIMIT ?6 OFFSET ?7)
             ORDER BY {order}",
            conditions_of(list, query)
        );
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let mut values = values_of(list, query);
        values.extend([Value::from(limit), Value::from(offset)]);
        self.query_all(&sql, params_from_iter(values), flow_of)
    }

    /// Counts the flows of a list that are asked for.
    pub fn count_flows(&self, list: FlowList, query: &FlowQuery) -> Result<u64> {
        let sql = format!(
            "SELECT count(*) FROM flows WHERE {}",
            conditions_of(list, query)
        );
        let count: i64 = self.query_one(&sql, params_from_iter(values_of(list, query)), |row| {
            row.get(0)
        })?;
        Ok(count.unsigned_abs())
    }
}

/// Returns the conditions of a query; `?1` is whose list it is.
fn conditions_of(list: FlowList, query: &FlowQuery) -> String {
    let whose = match list {
        FlowList::Personal(_) => "user_id = ?1 AND organization_id IS NULL",
        FlowList::Organization(_) => "organization_id = ?1",
    };
    let narrowed = if query.is_everything() {
        EVERYTHING
    } else {
        NARROWED
    };
    format!("{whose} AND {narrowed}")
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
        Value::from(match list {
            FlowList::Personal(user) => user.to_string(),
            FlowList::Organization(organization) => organization.to_string(),
        }),
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
            FlowKey::Name => "name COLLATE NOCASE",
            FlowKey::CreatedAt => "id",
            FlowKey::UpdatedAt => "updated_at",
        };
        let direction = if key.is_descending { " DESC" } else { "" };
        format!("{column}{direction}, ")
    });
    keys.chain(["id".to_owned()]).collect()
}
