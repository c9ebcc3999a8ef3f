//! What can be done with the objects of a list, in the list and where one is open: a table
//! of keys and a function a list. A screen's file has both; here is only who has which.

use super::keys::{Action, Binding};
use super::screen::{Effect, Scene};
use crate::domain::listing::{ListOf, ListRow};

/// Returns the keys of what can be done with the objects of a list.
pub fn deeds_of(of: ListOf) -> &'static [Binding] {
    match of {
        ListOf::Users
        | ListOf::Teams
        | ListOf::Flows
        | ListOf::Executions
        | ListOf::Recipes
        | ListOf::Components
        | ListOf::SshKeys
        | ListOf::ApiKeys
        | ListOf::Credentials
        | ListOf::Audit
        | ListOf::Organizations
        | ListOf::Lookups => &[],
    }
}

/// Does what a key asks for with rows of a list: all that are marked, else the one under
/// the cursor; none where an empty list has neither. None is returned where the list knows
/// nothing of the action.
///
/// Nothing is changed here: a confirmation or a form comes first.
pub fn act(of: ListOf, rows: &[ListRow], action: Action, scene: &Scene) -> Option<Vec<Effect>> {
    let _ = (rows, action, scene);
    match of {
        ListOf::Users
        | ListOf::Teams
        | ListOf::Flows
        | ListOf::Executions
        | ListOf::Recipes
        | ListOf::Components
        | ListOf::SshKeys
        | ListOf::ApiKeys
        | ListOf::Credentials
        | ListOf::Audit
        | ListOf::Organizations
        | ListOf::Lookups => None,
    }
}
