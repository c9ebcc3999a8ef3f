//! What can be done about users and organizations.

use super::confirm;
use super::deed::{Deed, PeopleDeed};
use super::form::{self, Field, Values};
use super::keys::{Action, Binding, bind, letter};
use super::screen::Effect;
use super::table::related::{name_of, number_of, value_of};
use crate::app::SecretText;
use crate::domain::Result;
use crate::domain::id::UserId;
use crate::domain::listing::{ListOf, ListRow};
use crate::domain::user::{NewUser, UserState};

/// The keys of what can be done about a user.
pub(super) const DEEDS: &[Binding] = &[
    bind(&[letter('a')], Action::Add, "register a user")
        .short("add")
        .writing(),
    bind(
        &[letter('D')],
        Action::Disable,
        "keep the user out, or let in again",
    )
    .short("disable")
    .writing(),
    bind(&[letter('P')], Action::Password, "set the user's password").writing(),
    bind(
        &[letter('K')],
        Action::NewKey,
        "make an API key for the user",
    )
    .short("key")
    .writing(),
    bind(
        &[letter('L')],
        Action::NewSshKey,
        "add an SSH key of the user",
    )
    .writing(),
    bind(&[letter('d')], Action::Delete, "delete the user")
        .short("delete")
        .writing(),
];

/// The keys of what can be done about an organization.
pub(super) const ORGANIZATION_DEEDS: &[Binding] = &[
    bind(&[letter('a')], Action::Add, "make an organization")
        .short("add")
        .writing(),
    bind(&[letter('i')], Action::Invite, "invite somebody")
        .short("invite")
        .writing(),
];

/// Asks before something is done about users.
pub(super) fn act(rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    if action == Action::Add {
        return Some(vec![registration()]);
    }
    let row = rows.first()?;
    let id: UserId = row.id.parse().ok()?;
    let email = name_of(ListOf::Users, row);
    Some(vec![match action {
        Action::Disable => disable(id, &email, row),
        Action::Password => ask_password(id, &email),
        Action::NewKey => super::access::new_api_key(&email),
        Action::NewSshKey => super::access::new_ssh_key(&email),
        Action::Delete => delete(id, &email, row),
        _ => return None,
    }])
}

/// Offers the form of a registration.
fn registration() -> Effect {
    let fields = vec![
        Field::text("email", "E-mail", "").required(),
        Field::text("first_name", "First name", "").required(),
        Field::text("last_name", "Last name", "").required(),
        Field::text("company", "Company", ""),
        Field::secret("password", "Password").required(),
        Field::choice(
            "role",
            "Role",
            vec!["member".to_owned(), "admin".to_owned()],
        )
        .help("an admin administers the installation"),
    ];
    let make = |_: &str, values: &Values<'_>| -> Result<Deed> {
        let text = |key: &str| Some(values.text(key)).filter(|text| !text.is_empty());
        Ok(Deed::People(PeopleDeed::AddUser {
            new: NewUser::parse(
                text("email"),
                text("first_name"),
                text("last_name"),
                text("company"),
            )?,
            password: SecretText::new(values.raw("password").to_owned()),
            is_admin: values.text("role") == "admin",
        }))
    };
    Effect::fill_in(form::Model::new("Register a user", "", fields, make))
}

/// Asks before a user is kept out, or let in again.
fn disable(id: UserId, email: &str, row: &ListRow) -> Effect {
    let is_disabled = value_of(ListOf::Users, row, "state").as_deref() == Some("disabled");
    let deed = |state: UserState| Deed::People(PeopleDeed::SetState(id, state));
    let ask = if is_disabled {
        confirm::Model::new(
            format!("Let {email} sign in again?"),
            deed(UserState::Active),
        )
        .of(id)
    } else {
        confirm::Model::new(format!("Keep {email} out?"), deed(UserState::Disabled))
            .of(id)
            .line("Everything of the user stays; passwords and keys stop working.")
            .line(what_goes(row))
    };
    Effect::ask_first(ask)
}

/// Offers the form of a new password.
fn ask_password(id: UserId, email: &str) -> Effect {
    let fields = vec![
        Field::secret("password", "New password").required(),
        Field::secret("again", "Once more").required(),
    ];
    let make = |about: &str, values: &Values<'_>| -> Result<Deed> {
        if values.raw("password") != values.raw("again") {
            return Err(crate::domain::Error::invalid("again", "is another one"));
        }
        let id = about.parse().map_err(|_| not_an_id())?;
        let password = SecretText::new(values.raw("password").to_owned());
        Ok(Deed::People(PeopleDeed::SetPassword(id, password)))
    };
    let title = format!("Password of {email}");
    Effect::fill_in(form::Model::new(title, id.to_string(), fields, make))
}

/// Asks before a user is deleted: the address is to be typed.
fn delete(id: UserId, email: &str, row: &ListRow) -> Effect {
    let deed = Deed::People(PeopleDeed::DeleteUser(id));
    Effect::ask_first(
        confirm::Model::new(format!("Delete the user {email}?"), deed)
            .of(id)
            .line(what_goes(row))
            .line("This can't be taken back; D keeps the user out and everything else.")
            .typed(email),
    )
}

/// Says what stops with a user.
fn what_goes(row: &ListRow) -> String {
    let count = |key: &str| number_of(ListOf::Users, row, key).unwrap_or(0);
    format!(
        "{} tasks, {} API keys and {} SSH keys stop.",
        count("tasks"),
        count("keys"),
        count("ssh_keys")
    )
}

/// Asks before something is done about organizations.
pub(super) fn act_on_organization(rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    if action == Action::Add {
        let fields = vec![Field::text("name", "Name", "").required()];
        let make = |_: &str, values: &Values<'_>| -> Result<Deed> {
            let name = values.text("name").to_owned();
            Ok(Deed::People(PeopleDeed::AddOrganization(name)))
        };
        let form = form::Model::new("Make an organization", "", fields, make);
        return Some(vec![Effect::fill_in(form)]);
    }
    let row = rows.first().filter(|_| action == Action::Invite)?;
    let roles = ["integrator", "admin", "guest"].map(str::to_owned).to_vec();
    let fields = vec![
        Field::text("email", "E-mail", "").required(),
        Field::choice("role", "Role", roles),
    ];
    let make = |about: &str, values: &Values<'_>| -> Result<Deed> {
        Ok(Deed::People(PeopleDeed::Invite {
            organization: about.parse().map_err(|_| not_an_id())?,
            email: values.text("email").to_owned(),
            role: values.text("role").to_owned(),
        }))
    };
    let title = format!("Invite to {}", name_of(ListOf::Organizations, row));
    Some(vec![Effect::fill_in(form::Model::new(
        title,
        row.id.clone(),
        fields,
        make,
    ))])
}

/// Says that what a form is about has no id.
pub(super) fn not_an_id() -> crate::domain::Error {
    crate::domain::Error::invalid("id", "is none of ours")
}
