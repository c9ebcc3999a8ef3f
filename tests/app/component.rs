//! Repositories and components.

use elastane::domain::Kind;
use elastane::domain::component::{FunctionKind, TriggerKind, function_kind};
use elastane::domain::principal::{Channel, Origin, Principal};
use serde_json::json;

use super::given::{build, count, flow_with, id_of, last_audit, member, operator, share};
use crate::support::Installation;

#[test]
fn a_repository_without_a_team_goes_to_a_team_that_is_made_with_it() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let made = here
        .app
        .create_component(&ada, None, Some("My Repo"))
        .unwrap();
    assert_eq!(made.name, "My Repo");
    assert_eq!(made.slug.as_str(), "my-repo");
    assert!(!made.access.is_shared());
    let teams = here.app.teams_of(&ada, id_of(&ada), None, 10).unwrap();
    assert_eq!(teams.len(), 1);
    assert_eq!(teams[0].id, made.team_id);
    assert_eq!(teams[0].name, "Team 1");
    // The second one finds the team.
    let second = here.app.create_component(&ada, None, None).unwrap();
    assert_eq!(second.team_id, made.team_id);
    assert_eq!(second.name, "Repository 2");
    assert_eq!(last_audit(&here).action, "component.create");
}

#[test]
fn a_repository_that_is_refused_leaves_no_team_behind() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let error = here
        .app
        .create_component(&ada, None, Some("???"))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(
        here.app
            .teams_of(&ada, id_of(&ada), None, 10)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_slug_is_unique_in_its_team_and_free_in_others() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let one = here
        .app
        .create_team(&ada, id_of(&ada), Some("one"))
        .unwrap();
    let two = here
        .app
        .create_team(&ada, id_of(&ada), Some("two"))
        .unwrap();
    let create = |team, name| here.app.create_component(&ada, Some(team), Some(name));
    create(one.id, "My Repo").unwrap();
    let error = create(one.id, "my-repo").unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(error.fields()[0].field, "name");
    create(two.id, "my-repo").unwrap();
    // A generated name steps over one that is taken.
    create(one.id, "Repository 3").unwrap();
    let generated = here.app.create_component(&ada, Some(one.id), None).unwrap();
    assert_eq!(generated.name, "Repository 4");
}

#[test]
fn an_unknown_team_is_not_found_and_a_visible_one_is_forbidden() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let repository = here.app.create_component(&ada, None, Some("mine")).unwrap();
    let team = repository.team_id;
    let kind_for = |who: &Principal| {
        here.app
            .create_component(who, Some(team), Some("another"))
            .map_or_else(|error| Some(error.kind()), |_| None)
    };
    assert_eq!(kind_for(&bob), Some(Kind::NotFound));
    share(&here, &repository);
    assert_eq!(kind_for(&bob), Some(Kind::Forbidden));
    member(&here, team, &bob);
    assert_eq!(kind_for(&bob), None);
    let unknown = "0123456789abcdef01234567".parse().unwrap();
    let error = here
        .app
        .create_component(&bob, Some(unknown), None)
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn nobody_adds_to_the_team_of_the_built_in_components() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let builtin = here.app.teams(&operator(), None, 1).unwrap().remove(0);
    for who in [ada, operator()] {
        let error = here
            .app
            .create_component(&who, Some(builtin.id), Some("timer2"))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden);
    }
}

#[test]
fn a_repository_is_there_for_its_team_and_gone_for_it_after_deletion() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let id = here.app.create_component(&ada, None, None).unwrap().id;
    assert_eq!(here.app.repository(&ada, id).unwrap().id, id);
    for error in [
        here.app.repository(&bob, id).unwrap_err(),
        here.app.delete_component(&bob, id).unwrap_err(),
        here.app.built_component(&bob, id).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::NotFound);
    }
    here.app.delete_component(&ada, id).unwrap();
    assert_eq!(last_audit(&here).action, "component.delete");
    for error in [
        here.app.repository(&ada, id).unwrap_err(),
        here.app.delete_component(&ada, id).unwrap_err(),
        here.app.built_component(&ada, id).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Gone);
    }
    assert_eq!(
        here.app.repository(&bob, id).unwrap_err().kind(),
        Kind::NotFound
    );
}

#[test]
fn a_shared_component_is_visible_and_only_its_team_changes_it() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let made = here.app.create_component(&ada, None, None).unwrap();
    share(&here, &made);
    let kinds = [
        here.app.repository(&bob, made.id).unwrap_err().kind(),
        here.app.delete_component(&bob, made.id).unwrap_err().kind(),
        here.app.env_vars(&bob, made.id).unwrap_err().kind(),
    ];
    assert_eq!(kinds, [Kind::NotFound, Kind::Forbidden, Kind::Forbidden]);
    // Without a build there is nothing to show, not even to its team.
    let error = here.app.built_component(&ada, made.id).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    build(&here, &made, 1, &json!({ "title": "Shown" }));
    let (component, version) = here.app.built_component(&bob, made.id).unwrap();
    assert_eq!(component.team_name, "Team 1");
    assert_eq!(version.descriptor, json!({ "title": "Shown" }));
}

#[test]
fn a_component_stays_while_anybodys_flow_uses_it() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let made = here.app.create_component(&ada, None, None).unwrap();
    share(&here, &made);
    flow_with(&here, &bob, &made);
    let error = here.app.delete_component(&ada, made.id).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(here.app.repository(&ada, made.id).unwrap().id, made.id);
    assert_eq!(count(&here, "SELECT count(*) FROM tombstones"), 0);
}

#[test]
fn a_built_in_component_stays_whoever_asks() {
    let here = Installation::new();
    let timer = here.app.shared_components(&operator(), None, 1).unwrap();
    let id = timer[0].component.id;
    let error = here.app.delete_component(&operator(), id).unwrap_err();
    assert_eq!(error.kind(), Kind::Forbidden);
    assert!(here.app.repository(&operator(), id).is_ok());
}

#[test]
fn own_components_are_listed_built_or_not_by_their_newest_title() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    here.app.create_component(&bob, None, None).unwrap();
    let plain = here
        .app
        .create_component(&ada, None, Some("plain"))
        .unwrap();
    let built = here
        .app
        .create_component(&ada, None, Some("built"))
        .unwrap();
    build(&here, &built, 1, &json!({ "title": "Old Title" }));
    build(&here, &built, 2, &json!({ "title": "New Title" }));
    let mine = here.app.components_of(&ada, id_of(&ada), None, 10).unwrap();
    let titles: Vec<_> = mine
        .iter()
        .map(|titled| (titled.component.id, titled.title.as_str()))
        .collect();
    assert_eq!(titles, [(plain.id, "plain"), (built.id, "New Title")]);
    let with_builds = here
        .app
        .built_components_of(&ada, id_of(&ada), None, 10)
        .unwrap();
    assert!(with_builds[0].1.is_none());
    assert_eq!(with_builds[1].1.as_ref().unwrap().number, 2);
    let other = here.app.components_of(&ada, id_of(&bob), None, 10);
    assert_eq!(other.unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn pages_of_own_components_meet_and_miss_nothing_over_several_teams() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let mut made = Vec::new();
    for name in ["one", "two", "three"] {
        let team = here.app.create_team(&ada, id_of(&ada), Some(name)).unwrap();
        for _ in 0..3 {
            let component = here.app.create_component(&ada, Some(team.id), None);
            made.push(component.unwrap().id);
        }
    }
    let (mut read, mut last) = (Vec::new(), None);
    loop {
        let page = here
            .app
            .components_of(&ada, id_of(&ada), last.as_ref(), 2)
            .unwrap();
        assert!(page.len() <= 2);
        read.extend(page.iter().map(|titled| titled.component.id));
        match page.into_iter().next_back() {
            Some(titled) => last = Some(titled.component),
            None => break,
        }
    }
    assert_eq!(read, made);
}

#[test]
fn the_public_list_has_shared_and_built_components_alone_and_pages_meet() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let private = here.app.create_component(&ada, None, None).unwrap();
    build(&here, &private, 1, &json!({ "title": "Private" }));
    let unbuilt = here.app.create_component(&ada, None, None).unwrap();
    share(&here, &unbuilt);
    let shared = here.app.create_component(&ada, None, None).unwrap();
    share(&here, &shared);
    build(&here, &shared, 1, &json!({ "title": "Shared" }));
    let (mut read, mut last) = (Vec::new(), None);
    loop {
        let page = here.app.shared_components(&bob, last.as_ref(), 5).unwrap();
        read.extend(page.iter().map(|titled| titled.component.clone()));
        match page.into_iter().next_back() {
            Some(titled) => last = Some(titled.component),
            None => break,
        }
    }
    assert_eq!(read.len(), 17, "sixteen are built in");
    let others: Vec<_> = read
        .iter()
        .filter(|component| !component.is_builtin)
        .collect();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].id, shared.id);
}

#[test]
fn nobody_lists_without_signing_in() {
    let here = Installation::new();
    let nobody = Principal::anonymous(Origin::local(Channel::Api));
    let listed = here.app.shared_components(&nobody, None, 1);
    assert_eq!(listed.unwrap_err().kind(), Kind::Unauthenticated);
    let made = here.app.create_component(&nobody, None, None);
    assert_eq!(made.unwrap_err().kind(), Kind::Unauthenticated);
}

#[test]
fn functions_are_triggers_by_type_or_actions() {
    let descriptor = json!({
        "triggers": { "poll": { "type": "polling" }, "hook": { "type": "webhook" }, "old": {} },
        "actions": { "act": {}, "broken": 7 },
    });
    let kind = |name| function_kind(&descriptor, name);
    let trigger = |kind| Some(FunctionKind::Trigger(kind));
    assert_eq!(kind("poll"), trigger(TriggerKind::Polling));
    assert_eq!(kind("hook"), trigger(TriggerKind::Webhook));
    assert_eq!(kind("old"), trigger(TriggerKind::Webhook));
    assert_eq!(kind("act"), Some(FunctionKind::Action));
    assert_eq!(kind("broken"), None);
    assert_eq!(kind("nothing"), None);
    assert_eq!(function_kind(&json!({}), "act"), None);
}
