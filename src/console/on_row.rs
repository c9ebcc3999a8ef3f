//! What can be done with the objects of a list, in the list and where one is open: a table
//! of keys and a function a list. A screen's file has both; here is only who has which.

use super::confirm::{self, Demand};
use super::deed::{Deed, KeyDeed};
use super::keys::{Action, Binding};
use super::message::Level;
use super::overlay::Overlay;
use super::screen::Effect;
use super::{access, execution, recipe, task, teams, users};
use crate::domain::listing::{ListOf, ListRow};

/// The questions of several deeds that a box has room for on the smallest screen.
const QUESTIONS_SHOWN: usize = 8;

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
    match rows {
        [] | [_] => act_on_one(of, rows, action),
        _ if action == Action::Add => act_on_one(of, rows, action),
        many => act_on_many(many, |row| {
            act_on_one(of, std::slice::from_ref(row), action)
        }),
    }
}

/// Does it with one row, or with each of several after one question for all of them.
pub(super) fn each_of(
    rows: &[ListRow],
    one: impl Fn(&ListRow) -> Option<Vec<Effect>>,
) -> Option<Vec<Effect>> {
    match rows {
        [] => Some(Vec::new()),
        [row] => one(row),
        many => act_on_many(many, one),
    }
}

/// Does it with each of several rows, after one question for all of them.
fn act_on_many(
    rows: &[ListRow],
    one: impl Fn(&ListRow) -> Option<Vec<Effect>>,
) -> Option<Vec<Effect>> {
    let mut questions: Vec<String> = Vec::new();
    let mut deeds: Vec<Deed> = Vec::new();
    let mut is_typed = false;
    for row in rows {
        for effect in one(row)? {
            match effect {
                Effect::Show(over) => match *over {
                    // Of several secrets that are shown once, some would be lost.
                    Overlay::Confirm(ask)
                        if !matches!(ask.deed, Deed::Key(KeyDeed::RotateApiKey { .. })) =>
                    {
                        is_typed |= matches!(ask.demand, Demand::Typed(_));
                        questions.push(ask.question);
                        deeds.push(ask.deed);
                    }
                    _ => return Some(vec![one_at_a_time()]),
                },
                Effect::Do(deed) => deeds.push(deed),
                // A page of its own, with a form or an editor over it.
                Effect::Open(_) => return Some(vec![one_at_a_time()]),
                // Nothing is to be done with this one, such as starting what runs.
                _ => {}
            }
        }
    }
    Some(vec![match (deeds.len(), questions.len()) {
        (0, _) => Effect::Say(Level::Note, "that is so already".to_owned()),
        (_, 0) => Effect::Do(Deed::Many(deeds)),
        (count, _) => Effect::ask_first(all_of(count, questions, deeds, is_typed)),
    }])
}

/// Asks before several deeds; how many they are is to be typed where a name would be.
fn all_of(
    count: usize,
    questions: Vec<String>,
    deeds: Vec<Deed>,
    is_typed: bool,
) -> confirm::Model {
    let mut ask = confirm::Model::new(format!("All these {count}?"), Deed::Many(deeds));
    let more = questions.len().saturating_sub(QUESTIONS_SHOWN);
    for question in questions.into_iter().take(QUESTIONS_SHOWN) {
        ask = ask.line(question);
    }
    if more > 0 {
        ask = ask.line(format!("and {more} more"));
    }
    if is_typed {
        ask.typed(count.to_string())
    } else {
        ask
    }
}

/// Says that this can't be done with several.
fn one_at_a_time() -> Effect {
    let told = "one at a time: Esc takes the marks away".to_owned();
    Effect::Say(Level::Note, told)
}

/// Does it with one row, or with none.
fn act_on_one(of: ListOf, rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
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
