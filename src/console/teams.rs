//! What can be done about teams.

use super::confirm;
use super::deed::{Deed, PeopleDeed};
use super::form::{self, Field, Values};
use super::keys::{Action, Binding, bind, letter};
use super::on_row::each_of;
use super::screen::Effect;
use super::table::related::{name_of, number_of};
use super::users::not_an_id;
use crate::domain::Result;
use crate::domain::id::TeamId;
use crate::domain::listing::{ListOf, ListRow};

/// The keys of what can be done about a team.
pub(super) const DEEDS: &[Binding] = &[
    bind(&[letter('a')], Action::Add, "make a team")
        .short("add")
        .writing(),
    bind(
        &[letter('m')],
        Action::AddMember,
        "put a user into the team",
    )
    .short("member")
    .writing(),
    bind(
        &[letter('x')],
        Action::RemoveMember,
        "take a user out of the team",
    )
    .writing(),
    bind(&[letter('e')], Action::Edit, "give the team another name").writing(),
    bind(&[letter('d')], Action::Delete, "delete the team")
        .short("delete")
        .writing(),
];

/// The keys of what can be done about the members of an open team.
pub(super) const MEMBER_DEEDS: &[Binding] = &[
    bind(
        &[letter('m')],
        Action::AddMember,
        "put a user into the team",
    )
    .short("member")
    .writing(),
    bind(
        &[letter('x')],
        Action::RemoveMember,
        "take the user out of the team",
    )
    .short("take out")
    .writing(),
];

/// Asks before something is done about the members of an open team: `rows` are users.
pub(super) fn act_on_members(
    team: &ListRow,
    rows: &[ListRow],
    action: Action,
) -> Option<Vec<Effect>> {
    if action != Action::RemoveMember {
        let is_here = action == Action::AddMember;
        return is_here.then(|| act(std::slice::from_ref(team), action))?;
    }
    let id: TeamId = team.id.parse().ok()?;
    let name = name_of(ListOf::Teams, team);
    each_of(rows, |row| {
        let user = name_of(ListOf::Users, row);
        let deed = Deed::People(PeopleDeed::RemoveMember(id, row.id.clone()));
        let ask = confirm::Model::new(format!("Take {user} out of {name}?"), deed)
            .of(&row.id)
            .line("What the user has of the team's components goes on in running tasks.");
        Some(vec![Effect::ask_first(ask)])
    })
}

/// Asks before something is done about teams.
pub(super) fn act(rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    if action == Action::Add {
        return Some(vec![new_team()]);
    }
    let row = rows.first()?;
    let id: TeamId = row.id.parse().ok()?;
    let name = name_of(ListOf::Teams, row);
    Some(vec![match action {
        Action::AddMember => member_form(id, format!("Put a user into {name}"), |about, values| {
            let team = about.parse().map_err(|_| not_an_id())?;
            let user = values.text("user").to_owned();
            Ok(Deed::People(PeopleDeed::AddMember(team, user)))
        }),
        Action::RemoveMember => {
            member_form(id, format!("Take a user out of {name}"), |about, values| {
                let team = about.parse().map_err(|_| not_an_id())?;
                let user = values.text("user").to_owned();
                Ok(Deed::People(PeopleDeed::RemoveMember(team, user)))
            })
        }
        Action::Edit => rename_form(id, &name),
        Action::Delete => {
            let count = |key: &str| number_of(ListOf::Teams, row, key).unwrap_or(0);
            let (components, members) = (count("components"), count("members_total"));
            Effect::ask_first(
                confirm::Model::new(
                    format!("Delete the team {name}?"),
                    Deed::People(PeopleDeed::DeleteTeam(id)),
                )
                .of(id)
                .line(format!(
                    "{components} components go with it; {members} members leave it."
                ))
                .line("This can't be taken back.")
                .typed(name),
            )
        }
        _ => return None,
    }])
}

/// Offers the form of another name.
fn rename_form(id: TeamId, name: &str) -> Effect {
    let field = Field::text("name", "Name", name).required();
    let make = |about: &str, values: &Values<'_>| -> Result<Deed> {
        let team = about.parse().map_err(|_| not_an_id())?;
        let name = values.text("name").to_owned();
        Ok(Deed::People(PeopleDeed::RenameTeam(team, name)))
    };
    let title = format!("Rename the team {name}");
    Effect::fill_in(form::Model::new(title, id.to_string(), vec![field], make))
}

/// Offers the form of a new team.
fn new_team() -> Effect {
    let fields = vec![
        Field::text("owner", "Owner", "")
            .required()
            .help("the address or the id of the first member"),
        Field::text("name", "Name", "").help("empty for a name that is made up"),
    ];
    let make = |_: &str, values: &Values<'_>| -> Result<Deed> {
        let name = values.text("name");
        Ok(Deed::People(PeopleDeed::AddTeam {
            owner: values.text("owner").to_owned(),
            name: (!name.is_empty()).then(|| name.to_owned()),
        }))
    };
    Effect::fill_in(form::Model::new("Make a team", "", fields, make))
}

/// Offers the form that asks for a user.
fn member_form(id: TeamId, title: String, make: form::MakeDeed) -> Effect {
    let field = Field::text("user", "User", "")
        .required()
        .help("an address or an id");
    Effect::fill_in(form::Model::new(title, id.to_string(), vec![field], make))
}
