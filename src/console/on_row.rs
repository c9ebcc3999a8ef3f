//! What can be done with the objects of a list, in the list and where one is open: a table
//! of keys and a function a list. A screen's file has both; here is only who has which.

use super::keys::{Action, Binding};
use super::screen::Effect;
use super::{access, execution, recipe, task, teams, users};
use crate::domain::listing::{ListOf, ListRow};

/// Returns the keys of what can be done with the objects of a list.
pub fn deeds_of(of: ListOf) -> &'static [Binding] {
    match of {
        ListOf::Users => users::DEEDS,
        ListOf::Teams => teams::DEEDS,
        ListOf::Flows => task::DEEDS,
        ListOf::Executions => execution::LIST_DEEDS,
        ListOf::Recipes => recipe::DEEDS,
        ListOf::SshKeys => access::SSH_KEY_DEEDS,
        ListOf::ApiKeys => access::API_KEY_DEEDS,
        ListOf::Organizations => users::ORGANIZATION_DEEDS,
        ListOf::Components | ListOf::Credentials | ListOf::Audit | ListOf::Lookups => &[],
    }
}

/// Does what a key asks for with rows of a list: all that are marked, else the one under
/// the cursor; none where an empty list has neither. None is returned where the list knows
/// nothing of the action.
///
/// Nothing is changed here: a confirmation or a form comes first.
pub fn act(of: ListOf, rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    match of {
        ListOf::Users => users::act(rows, action),
        ListOf::Teams => teams::act(rows, action),
        ListOf::Flows => task::act_on_row(rows, action),
        ListOf::Executions => execution::act_on_row(rows, action),
        ListOf::Recipes => recipe::act_on_row(rows, action),
        ListOf::SshKeys => access::act_on_ssh_key(rows, action),
        ListOf::ApiKeys => access::act_on_api_key(rows, action),
        ListOf::Organizations => users::act_on_organization(rows, action),
        ListOf::Components | ListOf::Credentials | ListOf::Audit | ListOf::Lookups => None,
    }
}
