//! What can be done about API keys and SSH keys. A secret is shown once, in a dialog of
//! its own, and wiped when that closes.

use super::confirm;
use super::deed::{Deed, KeyDeed};
use super::form::{self, Field, Values};
use super::keys::{Action, Binding, bind, letter};
use super::screen::Effect;
use super::table::related::{name_of, time_of, value_of};
use super::text;
use crate::domain::Result;
use crate::domain::id::{ApiKeyId, SshKeyId};
use crate::domain::listing::{ListOf, ListRow};

/// An hour in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// The keys of what can be done about an API key.
pub(super) const API_KEY_DEEDS: &[Binding] = &[
    bind(&[letter('a')], Action::Add, "make an API key")
        .short("add")
        .writing(),
    bind(
        &[letter('R')],
        Action::Rotate,
        "make a new key in its place",
    )
    .short("rotate")
    .writing(),
    bind(&[letter('d')], Action::Delete, "revoke the key")
        .short("revoke")
        .writing(),
];

/// The keys of what can be done about an SSH key.
pub(super) const SSH_KEY_DEEDS: &[Binding] = &[
    bind(&[letter('a')], Action::Add, "add an SSH key")
        .short("add")
        .writing(),
    bind(&[letter('d')], Action::Delete, "delete the key")
        .short("delete")
        .writing(),
];

/// Asks before something is done about API keys.
pub(super) fn act_on_api_key(rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    if action == Action::Add {
        return Some(vec![new_api_key("")]);
    }
    let row = rows.first()?;
    let id: ApiKeyId = row.id.parse().ok()?;
    let name = name_of(ListOf::ApiKeys, row);
    let user = value_of(ListOf::ApiKeys, row, "user").unwrap_or_default();
    Some(vec![match action {
        Action::Rotate => rotation(id, &name, &user, row),
        Action::Delete => Effect::ask_first(
            confirm::Model::new(
                format!("Revoke the API key {name} of {user}?"),
                Deed::Key(KeyDeed::RevokeApiKey(id)),
            )
            .of(id)
            .line("What uses it is refused at once. This can't be taken back."),
        ),
        _ => return None,
    }])
}

/// Asks before a key is rotated: its name is to be typed, and how long the old one still
/// works is chosen.
fn rotation(id: ApiKeyId, name: &str, user: &str, row: &ListRow) -> Effect {
    let deed = |hours: Option<i64>| {
        let grace_ms = hours.map(|hours| hours * HOUR_MS);
        Deed::Key(KeyDeed::RotateApiKey { id, grace_ms })
    };
    let last = match time_of(ListOf::ApiKeys, row, "last_used_at") {
        Some(at_ms) => format!("It last signed in at {}.", text::rfc3339(at_ms)),
        None => "It never signed in.".to_owned(),
    };
    let question = format!("Rotate the API key {name} of {user}?");
    let ask = confirm::Model::new(question, deed(None))
        .of(id)
        .line(last)
        .line("The new key is shown once.")
        .way("The old key keeps working for 24 h.", deed(Some(24)))
        .way("The old key keeps working for 7 days.", deed(Some(7 * 24)))
        .way("The old key is dead at once.", deed(None));
    Effect::ask_first(ask.typed(name))
}

/// Asks before something is done about SSH keys.
pub(super) fn act_on_ssh_key(rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    if action == Action::Add {
        return Some(vec![new_ssh_key("")]);
    }
    let row = rows.first().filter(|_| action == Action::Delete)?;
    let id: SshKeyId = row.id.parse().ok()?;
    let name = name_of(ListOf::SshKeys, row);
    let text = |key: &str| value_of(ListOf::SshKeys, row, key).unwrap_or_default();
    let ask = confirm::Model::new(
        format!("Delete the SSH key {name} of {}?", text("user")),
        Deed::Key(KeyDeed::DeleteSshKey(id)),
    );
    Some(vec![Effect::ask_first(
        ask.of(id)
            .line(text("fingerprint"))
            .line("git no longer accepts it."),
    )])
}

/// Offers the form of a new API key.
pub(super) fn new_api_key(user: &str) -> Effect {
    let fields = vec![
        user_field(user),
        Field::text("name", "Name", "console").required(),
    ];
    let make = |_: &str, values: &Values<'_>| -> Result<Deed> {
        Ok(Deed::Key(KeyDeed::AddApiKey {
            user: values.text("user").to_owned(),
            name: values.text("name").to_owned(),
        }))
    };
    Effect::fill_in(form::Model::new("Make an API key", "", fields, make))
}

/// Offers the form of a new SSH key.
pub(super) fn new_ssh_key(user: &str) -> Effect {
    let fields = vec![
        user_field(user),
        Field::text("title", "Title", "").help("empty for the comment of the key"),
        Field::text("key", "Public key", "")
            .required()
            .help("the line of a .pub file"),
    ];
    let make = |_: &str, values: &Values<'_>| -> Result<Deed> {
        let title = values.text("title");
        Ok(Deed::Key(KeyDeed::AddSshKey {
            user: values.text("user").to_owned(),
            title: (!title.is_empty()).then(|| title.to_owned()),
            key: values.text("key").to_owned(),
        }))
    };
    Effect::fill_in(form::Model::new("Add an SSH key", "", fields, make))
}

/// Makes the field for whose something is.
pub(super) fn user_field(user: &str) -> Field {
    Field::text("user", "User", user)
        .required()
        .help("an address or an id")
}
