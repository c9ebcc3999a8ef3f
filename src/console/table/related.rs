//! What belongs to a row: the lists that `o` offers, and the call of the API that `c` copies.

use crate::console::menu::MenuItem;
use crate::console::view_name::list_title;
use crate::domain::listing::{ListCell, ListOf, ListRow};

/// A list that belongs to the rows of another: the field of its filter must have the value
/// that the row has in a column.
type Related = (ListOf, &'static str, ListOf, &'static str, &'static str);

/// What belongs to what: of which list, what it is called, which list it is, the field of
/// its filter, the column of the row.
#[rustfmt::skip]
const RELATED: &[Related] = &[
    (ListOf::Users, "Tasks of the user", ListOf::Flows, "user_id", "id"),
    (ListOf::Users, "Teams of the user", ListOf::Teams, "user_id", "id"),
    (ListOf::Users, "API keys of the user", ListOf::ApiKeys, "user_id", "id"),
    (ListOf::Users, "SSH keys of the user", ListOf::SshKeys, "user_id", "id"),
    (ListOf::Users, "Credentials of the user", ListOf::Credentials, "user_id", "id"),
    (ListOf::Users, "What the user did", ListOf::Audit, "actor_id", "id"),
    (ListOf::Users, "What was done to the user", ListOf::Audit, "object_id", "id"),
    (ListOf::Teams, "Components of the team", ListOf::Components, "team_id", "id"),
    (ListOf::Teams, "Members of the team", ListOf::Users, "team_id", "id"),
    (ListOf::Teams, "What was done to the team", ListOf::Audit, "object_id", "id"),
    (ListOf::Flows, "Executions of the task", ListOf::Executions, "flow", "id"),
    (ListOf::Flows, "Owner of the task", ListOf::Users, "id", "user_id"),
    (ListOf::Flows, "What was done to the task", ListOf::Audit, "object_id", "id"),
    (ListOf::Executions, "Task of the execution", ListOf::Flows, "id", "flow"),
    (ListOf::Executions, "Executions of the same task", ListOf::Executions, "flow", "flow"),
    (ListOf::Recipes, "Tasks of the recipe", ListOf::Flows, "recipe_id", "id"),
    (ListOf::Components, "Team of the component", ListOf::Teams, "id", "team_id"),
    (ListOf::Components, "Tasks with the component", ListOf::Flows, "component", "component"),
    (ListOf::Credentials, "Tasks with the credential", ListOf::Flows, "credential", "id"),
    (ListOf::Components, "Credentials of the component", ListOf::Credentials, "component_id", "id"),
    (ListOf::SshKeys, "Owner of the key", ListOf::Users, "id", "user_id"),
    (ListOf::ApiKeys, "Owner of the key", ListOf::Users, "id", "user_id"),
    (ListOf::Credentials, "Owner of the credential", ListOf::Users, "id", "user_id"),
    (ListOf::Lookups, "Owner of the lookup", ListOf::Users, "id", "user_id"),
    (ListOf::Audit, "Who did it", ListOf::Users, "id", "actor_id"),
    (ListOf::Audit, "The same object", ListOf::Audit, "object_id", "object_id"),
    (ListOf::Organizations, "Tasks of the organization", ListOf::Flows, "organization_id", "id"),
];

/// Returns the menu of what belongs to a row; what the row has no value for is left out.
pub fn related_to(of: ListOf, row: &ListRow) -> Vec<MenuItem> {
    RELATED
        .iter()
        .filter(|(whose, ..)| *whose == of)
        .filter_map(|(_, label, list, field, key)| {
            let value = value_of(of, row, key)?;
            Some(MenuItem::list(label, *list, format!("{field}:={value}")))
        })
        .collect()
}

/// Returns the lists that belong to a row, for tabs: a title, the list, its filter. What
/// the row itself belongs to is left out.
pub fn tabs_of(of: ListOf, row: &ListRow) -> Vec<(&'static str, ListOf, String)> {
    RELATED
        .iter()
        .filter(|(whose, _, _, field, key)| *whose == of && *key == "id" && *field != "id")
        .map(|(_, _, list, field, _)| {
            let title = match *field {
                "actor_id" => "Acts",
                // The line of tabs is full on the smallest screen.
                _ if *list == ListOf::Credentials => "Creds",
                "team_id" if *list == ListOf::Users => "Members",
                _ => list_title(*list),
            };
            (title, *list, format!("{field}:={}", row.id))
        })
        .collect()
}

/// Returns the text of a row's column.
pub fn value_of(of: ListOf, row: &ListRow, key: &str) -> Option<String> {
    match row.cells.get(of.column(key)?)? {
        ListCell::Text(text) => Some(text.clone()),
        ListCell::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// Returns the number in a row's column.
pub fn number_of(of: ListOf, row: &ListRow, key: &str) -> Option<i64> {
    match row.cells.get(of.column(key)?)? {
        ListCell::Number(n) => Some(*n),
        _ => None,
    }
}

/// Returns the time in a row's column, in milliseconds since 1970.
pub fn time_of(of: ListOf, row: &ListRow, key: &str) -> Option<i64> {
    match row.cells.get(of.column(key)?)? {
        ListCell::Time(at_ms) => Some(*at_ms),
        _ => None,
    }
}

/// Returns what people call the object of a row: its name, else its id.
pub fn name_of(of: ListOf, row: &ListRow) -> String {
    ["email", "name", "title", "component", "action"]
        .into_iter()
        .filter(|key| of.columns().iter().any(|column| column.key == *key))
        .find_map(|key| value_of(of, row, key))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| row.id.clone())
}

/// Returns the call of the API that shows an object; none where the API does not show it.
pub fn curl(of: ListOf, id: &str) -> Option<String> {
    let place = match of {
        ListOf::Users => "v2/users",
        ListOf::Teams => "v2/teams",
        ListOf::Flows => "v2/flows",
        ListOf::Executions => "v2/flow-executions",
        ListOf::Recipes => "v2/recipes",
        ListOf::Components => "v2/components",
        ListOf::Credentials => "v2/credentials",
        ListOf::Lookups => "v2/lookups",
        ListOf::Organizations => "v2/organizations",
        ListOf::SshKeys => "v2/sshkeys",
        ListOf::ApiKeys => "v2/api-keys",
        ListOf::Audit => return None,
    };
    // The key and the address are left to the shell: neither is known here.
    Some(format!(
        "curl -u \"$ELASTANE_EMAIL:$ELASTANE_KEY\" \"$ELASTANE_URL/{place}/{id}\""
    ))
}
