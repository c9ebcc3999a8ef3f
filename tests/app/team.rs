//! Teams.

use elastane::app::user::Role;
use elastane::domain::Kind;
use elastane::domain::principal::{Channel, Origin, Principal};

use super::given::{id_of, last_audit, member, operator};
use crate::support::Installation;

#[test]
fn the_creator_is_the_only_member_and_the_name_is_kept() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let team = here
        .app
        .create_team(&ada, id_of(&ada), Some("My Döner Team"))
        .unwrap();
    assert_eq!(team.name, "My Döner Team");
    assert_eq!(team.slug.as_str(), "my-d-ner-team");
    assert_eq!(team.members, [id_of(&ada)]);
    let listed = here.app.teams_of(&ada, id_of(&ada), None, 10).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, team.id);
    assert_eq!(listed[0].members, [id_of(&ada)]);
    let noted = last_audit(&here);
    assert_eq!(noted.action, "team.create");
    assert_eq!(noted.object_id, Some(team.id.to_string()));
    assert_eq!(noted.actor_id, Some(id_of(&ada).to_string()));
}

#[test]
fn a_missing_name_is_generated_and_never_one_that_is_taken() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let create = |name| here.app.create_team(&ada, id_of(&ada), name).unwrap().name;
    assert_eq!(create(None), "Team 1");
    create(Some("TEAM-2"));
    create(Some("Team 3"));
    assert_eq!(create(None), "Team 4");
    assert_eq!(create(None), "Team 5");
}

#[test]
fn a_name_that_differs_by_case_or_signs_alone_is_taken_by_anybody() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    here.app
        .create_team(&ada, id_of(&ada), Some("Blue Team"))
        .unwrap();
    for name in ["blue team", "Blue_Team!", "Elasticio"] {
        let error = here
            .app
            .create_team(&bob, id_of(&bob), Some(name))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict, "{name}");
        assert_eq!(error.fields()[0].field, "name");
    }
    assert!(
        here.app
            .teams_of(&bob, id_of(&bob), None, 10)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_name_without_letters_or_digits_is_refused() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    for name in ["", "   ", "!!!", "a\u{7}b"] {
        let error = here
            .app
            .create_team(&ada, id_of(&ada), Some(name))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{name:?}");
        assert_eq!(error.fields()[0].field, "name");
    }
}

#[test]
fn teams_are_there_for_their_members_alone() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let team = here.app.create_team(&ada, id_of(&ada), None).unwrap();
    assert_eq!(
        here.app.team(&bob, team.id).unwrap_err().kind(),
        Kind::NotFound
    );
    assert_eq!(
        here.app
            .teams_of(&bob, id_of(&ada), None, 10)
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    member(&here, team.id, &bob);
    let seen = here.app.team(&bob, team.id).unwrap();
    assert_eq!(seen.members.len(), 2);
}

#[test]
fn all_teams_are_for_tenant_administrators_and_the_operator() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let (root, _) = here.register("root@example.com", Role::TenantAdmin);
    let root = Principal::user(root, Origin::local(Channel::Api));
    let team = here.app.create_team(&ada, id_of(&ada), None).unwrap();
    assert_eq!(
        here.app.teams(&ada, None, 10).unwrap_err().kind(),
        Kind::Forbidden
    );
    for who in [root, operator()] {
        // The team of the built-in components stands first.
        let all = here.app.teams(&who, None, 10).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].id, team.id);
        assert_eq!(here.app.teams(&who, Some(all[0].id), 10).unwrap().len(), 1);
    }
}
