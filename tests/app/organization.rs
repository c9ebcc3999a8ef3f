//! Organizations: who sees and changes what, and what becomes of it when people go.

use elastane::app::credential::{CredentialChange, NewCredential};
use elastane::app::user::Role as UserRole;
use elastane::domain::credential::Credential;
use elastane::domain::flow::{Flow, FlowStatus, chain};
use elastane::domain::id::OrganizationId;
use elastane::domain::lookup::NewLookup;
use elastane::domain::organization::{Membership, NewInvite, Organization, Owner, Role, Scope};
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::domain::text::Email;
use elastane::domain::{Kind, Result};
use serde_json::{Map, json};

use super::given::{build, count, id_of, last_audit, operator, share};
use crate::support::Installation;

/// Registers a tenant administrator, as v2 sees one.
fn root(at: &Installation) -> Principal {
    let (user, _) = at.register("root@example.com", UserRole::TenantAdmin);
    Principal::user(user, Origin::local(Channel::Api)).with_passing_admin()
}

/// Makes an organization.
fn organization(at: &Installation) -> Organization {
    at.app.create_organization(&operator(), "Company").unwrap()
}

/// Registers a user as a member, acting for the organization.
fn member(at: &Installation, id: OrganizationId, email: &str, role: Role) -> Principal {
    let who = at.principal(email);
    at.app
        .add_member(&operator(), id, id_of(&who), role)
        .unwrap();
    acting(&who, id, role)
}

/// Returns somebody acting for an organization.
fn acting(who: &Principal, organization: OrganizationId, role: Role) -> Principal {
    who.clone()
        .in_scope(Scope::Organization(Membership { organization, role }))
}

/// Makes a flow of two steps, with a credential on the second where one is given.
fn flow(at: &Installation, who: &Principal, account: Option<&str>) -> Result<Flow> {
    let mut second = json!({ "action": "elasticio/debug:log" });
    if let Some(account) = account {
        second["account"] = account.into();
    }
    let nodes = json!([{ "action": "elasticio/timer:timer" }, second]);
    let graph = chain::parse(nodes.as_array().unwrap()).unwrap();
    at.app.create_chain_flow(who, "Flow", graph, None)
}

/// Makes a lookup.
fn lookup(title: &str) -> NewLookup {
    NewLookup::parse(Some(title), Some(Map::new())).unwrap()
}

#[test]
fn members_share_flows_and_guests_only_see_them() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let bea = member(&at, company, "bea@example.com", Role::Integrator);
    let guest = member(&at, company, "guest@example.com", Role::Guest);
    let eve = at.principal("eve@example.com");
    let made = flow(&at, &ada, None).unwrap();
    assert_eq!(made.organization_id, Some(company));
    for who in [&ada, &bea, &guest] {
        assert_eq!(at.app.flow(who, made.id).unwrap().id, made.id);
    }
    assert_eq!(
        at.app.flow(&eve, made.id).unwrap_err().kind(),
        Kind::NotFound
    );
    let refused = at.app.start_flow(&guest, made.id).unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    assert_eq!(flow(&at, &guest, None).unwrap_err().kind(), Kind::Forbidden);
    let started = at.app.start_flow(&bea, made.id).unwrap();
    assert_eq!(started.status, FlowStatus::Active);
    at.app.delete_flow(&bea, made.id).unwrap();
    for who in [&ada, &guest] {
        assert_eq!(at.app.flow(who, made.id).unwrap_err().kind(), Kind::Gone);
    }
    assert_eq!(
        at.app.flow(&eve, made.id).unwrap_err().kind(),
        Kind::NotFound
    );
}

#[test]
fn a_role_counts_as_it_is_when_something_changes() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let made = flow(&at, &ada, None).unwrap();
    at.app
        .set_member_role(&operator(), company, id_of(&ada), Role::Guest)
        .unwrap();
    // The principal still says integrator: it was signed in before.
    let refused = at.app.start_flow(&ada, made.id).unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
}

#[test]
fn what_was_ones_own_before_stays_ones_own() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = at.principal("ada@example.com");
    let own = flow(&at, &ada, None).unwrap();
    at.app
        .add_member(&operator(), company, id_of(&ada), Role::Admin)
        .unwrap();
    let bea = member(&at, company, "bea@example.com", Role::Admin);
    assert_eq!(own.organization_id, None);
    assert_eq!(
        at.app.flow(&bea, own.id).unwrap_err().kind(),
        Kind::NotFound
    );
    let as_member = acting(&ada, company, Role::Admin);
    assert_eq!(at.app.flow(&as_member, own.id).unwrap().id, own.id);
    let as_guest = acting(&ada, company, Role::Guest);
    let refused = at.app.start_flow(&as_guest, own.id).unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden, "a guest changes nothing");
}

#[test]
fn others_put_a_credential_on_a_flow_and_never_see_or_change_it() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let bea = member(&at, company, "bea@example.com", Role::Admin);
    let eve = at.principal("eve@example.com");
    let made = at
        .app
        .create_credential(&ada, NewCredential::default())
        .unwrap();
    let (id, text) = (made.credential.id, made.credential.id.to_string());
    let change = || CredentialChange {
        name: Some("mine".to_owned()),
        ..CredentialChange::default()
    };
    let refused = at.app.change_credential(&bea, id, change()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    for who in [&eve, &root(&at)] {
        let refused = at.app.change_credential(who, id, change()).unwrap_err();
        assert_eq!(refused.kind(), Kind::NotFound);
    }
    assert!(flow(&at, &bea, Some(&text)).is_ok());
    assert_eq!(
        flow(&at, &eve, Some(&text)).unwrap_err().kind(),
        Kind::Invalid
    );
    let personal = at
        .app
        .create_credential(&eve, NewCredential::default())
        .unwrap();
    let personal = personal.credential.id.to_string();
    assert_eq!(
        flow(&at, &bea, Some(&personal)).unwrap_err().kind(),
        Kind::Invalid
    );
}

#[test]
fn a_credential_of_one_organization_serves_no_flow_of_another() {
    let at = Installation::new();
    let (one, two) = (organization(&at).id, organization(&at).id);
    let ada = member(&at, one, "ada@example.com", Role::Integrator);
    let bea = member(&at, one, "bea@example.com", Role::Integrator);
    at.app
        .add_member(&operator(), two, id_of(&bea), Role::Integrator)
        .unwrap();
    let made = at
        .app
        .create_credential(&ada, NewCredential::default())
        .unwrap();
    let made = made.credential.id.to_string();
    let in_two = acting(&bea, two, Role::Integrator);
    let refused = flow(&at, &in_two, Some(&made)).unwrap_err();
    assert_eq!(refused.fields()[0].field, "nodes.1.account");
    assert!(flow(&at, &bea, Some(&made)).is_ok());
}

#[test]
fn members_edit_the_components_of_their_organizations_teams() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let bea = member(&at, company, "bea@example.com", Role::Integrator);
    let guest = member(&at, company, "guest@example.com", Role::Guest);
    let eve = at.principal("eve@example.com");
    let team = at.app.create_team(&ada, id_of(&ada), Some("Crew")).unwrap();
    assert_eq!(team.organization_id, Some(company));
    let made = at
        .app
        .create_component(&bea, Some(team.id), Some("Shop"))
        .unwrap();
    assert_eq!(at.app.team(&guest, team.id).unwrap().id, team.id);
    assert_eq!(
        at.app.team(&eve, team.id).unwrap_err().kind(),
        Kind::NotFound
    );
    assert_eq!(at.app.repository(&guest, made.id).unwrap().id, made.id);
    let listed = at.app.components_of(&bea, id_of(&bea), None, 10).unwrap();
    assert_eq!(listed.len(), 1, "though Bea is not of the team itself");
    assert_eq!(
        at.app.env_vars(&guest, made.id).unwrap_err().kind(),
        Kind::Forbidden
    );
    assert_eq!(
        at.app.delete_component(&guest, made.id).unwrap_err().kind(),
        Kind::Forbidden
    );
    assert_eq!(
        at.app
            .create_component(&guest, Some(team.id), None)
            .unwrap_err()
            .kind(),
        Kind::Forbidden
    );
    assert_eq!(
        at.app.delete_component(&eve, made.id).unwrap_err().kind(),
        Kind::NotFound
    );
    at.app.delete_component(&bea, made.id).unwrap();
}

#[test]
fn a_guest_who_is_of_a_team_edits_nothing_there_in_any_scope() {
    let at = Installation::new();
    let (one, two) = (organization(&at).id, organization(&at).id);
    let ada = member(&at, one, "ada@example.com", Role::Integrator);
    let guest = member(&at, one, "guest@example.com", Role::Guest);
    at.app
        .add_member(&operator(), two, id_of(&guest), Role::Admin)
        .unwrap();
    let team = at.app.create_team(&ada, id_of(&ada), Some("Crew")).unwrap();
    let made = at
        .app
        .create_component(&ada, Some(team.id), Some("Shop"))
        .unwrap();
    at.app
        .add_team_members(&ada, team.id, vec![id_of(&guest)])
        .unwrap();
    for who in [&guest, &acting(&guest, two, Role::Admin)] {
        let refused = at.app.delete_component(who, made.id).unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
        let refused = at.app.add_team_members(who, team.id, vec![]).unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
    }
}

#[test]
fn teams_are_changed_by_their_members_and_by_administrators() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let bea = member(&at, company, "bea@example.com", Role::Integrator);
    let boss = member(&at, company, "boss@example.com", Role::Admin);
    let team = at.app.create_team(&ada, id_of(&ada), Some("Crew")).unwrap();
    let add = |who: &Principal| at.app.add_team_members(who, team.id, vec![id_of(&bea)]);
    assert_eq!(add(&bea).unwrap_err().kind(), Kind::Forbidden);
    assert_eq!(add(&boss).unwrap().members.len(), 2);
    assert_eq!(add(&boss).unwrap().members.len(), 2, "twice is once");
    let all = vec![id_of(&ada), id_of(&bea)];
    let refused = at.app.remove_team_members(&ada, team.id, all).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert_eq!(at.app.team(&ada, team.id).unwrap().members.len(), 2);
    at.app
        .remove_team_members(&bea, team.id, vec![id_of(&ada)])
        .unwrap();
    let component = at.app.create_component(&bea, Some(team.id), None).unwrap();
    assert_eq!(
        at.app.delete_team(&boss, team.id).unwrap_err().kind(),
        Kind::Conflict
    );
    at.app.delete_component(&bea, component.id).unwrap();
    at.app.delete_team(&boss, team.id).unwrap();
    assert_eq!(at.app.team(&ada, team.id).unwrap_err().kind(), Kind::Gone);
}

/// Makes a credential with a token in it.
fn secret(at: &Installation, who: &Principal) -> Credential {
    let keys = json!({ "token": "secret" }).as_object().unwrap().clone();
    let new = NewCredential {
        keys,
        ..NewCredential::default()
    };
    at.app.create_credential(who, new).unwrap().credential
}

#[test]
fn everything_of_a_leaver_passes_in_one_step_and_nothing_else_does() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let bea = member(&at, company, "bea@example.com", Role::Admin);
    let root = root(&at);
    let own = ada.clone().in_scope(Scope::Personal);
    let kept = flow(&at, &own, None).unwrap();
    let kept_account = at
        .app
        .create_credential(&own, NewCredential::default())
        .unwrap();
    let account = secret(&at, &ada);
    let passed = flow(&at, &ada, Some(&account.id.to_string())).unwrap();
    let table = at.app.create_lookup(&ada, lookup("t")).unwrap();
    let team = at.app.create_team(&ada, id_of(&ada), Some("Crew")).unwrap();
    let private = at
        .app
        .create_team(&own, id_of(&ada), Some("Hobby"))
        .unwrap();
    at.app.start_flow(&ada, passed.id).unwrap();
    let told = format!(
        "SELECT count(*) FROM flow_events WHERE kind = 'changed' AND flow_id IN ('{}', '{}')",
        passed.id, kept.id
    );
    let before = count(&at, &told);
    at.app.remove_member(&root, company, id_of(&ada)).unwrap();
    assert_eq!(count(&at, &told), before + 2, "the engine looks again");
    let noted = last_audit(&at);
    assert_eq!(noted.action, "organization.member.remove");
    assert_eq!(
        noted.detail,
        Some(json!({
            "heir": id_of(&root).to_string(),
            "flows": 1, "credentials": 1, "lookups": 1, "samples": 0, "teams": 1,
        }))
    );
    let flow_now = at.app.flow(&bea, passed.id).unwrap();
    assert_eq!(flow_now.owner().user, id_of(&root));
    assert_eq!(flow_now.owner().organization, Some(company));
    assert_eq!(flow_now.status, FlowStatus::Active, "it runs on");
    let opened = at.app.own_credential(&root, account.id).unwrap();
    assert_eq!(opened.keys["token"], "secret");
    assert_eq!(
        at.app.lookup(&bea, table.id).unwrap().owner.user,
        id_of(&root)
    );
    assert_eq!(at.app.team(&bea, team.id).unwrap().members, [id_of(&root)]);
    let gone = own.clone();
    assert_eq!(
        at.app.flow(&gone, passed.id).unwrap_err().kind(),
        Kind::NotFound
    );
    assert!(at.app.own_credential(&gone, account.id).is_err());
    assert_eq!(
        at.app.lookup(&gone, table.id).unwrap_err().kind(),
        Kind::NotFound
    );
    assert_eq!(at.app.flow(&gone, kept.id).unwrap().id, kept.id);
    assert!(
        at.app
            .own_credential(&gone, kept_account.credential.id)
            .is_ok()
    );
    assert_eq!(
        at.app.team(&gone, private.id).unwrap().members,
        [id_of(&ada)]
    );
}

#[test]
fn the_operator_passes_things_on_to_an_administrator() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let made = flow(&at, &ada, None).unwrap();
    let alone = at.app.remove_member(&operator(), company, id_of(&ada));
    assert_eq!(alone.unwrap_err().kind(), Kind::Conflict, "to nobody");
    let bea = member(&at, company, "bea@example.com", Role::Admin);
    at.app
        .remove_member(&operator(), company, id_of(&ada))
        .unwrap();
    assert_eq!(at.app.flow(&bea, made.id).unwrap().user_id, id_of(&bea));
}

#[test]
fn a_member_of_an_organization_with_others_is_not_deleted() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let bea = member(&at, company, "bea@example.com", Role::Admin);
    for who in [&ada, &root(&at), &operator()] {
        let refused = at.app.remove_user(who, id_of(&ada)).unwrap_err();
        assert_eq!(refused.kind(), Kind::Conflict);
    }
    let refused = at.app.delete_user(&operator(), id_of(&ada)).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict, "in v1 too");
    at.app
        .remove_member(&operator(), company, id_of(&ada))
        .unwrap();
    at.app.remove_user(&ada, id_of(&ada)).unwrap();
    assert_eq!(at.app.members(&bea, company).unwrap().len(), 1);
}

#[test]
fn the_only_member_takes_the_organization_along() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Admin);
    let made = flow(&at, &ada, None).unwrap();
    at.app.start_flow(&ada, made.id).unwrap();
    at.app.create_lookup(&ada, lookup("t")).unwrap();
    at.app
        .create_credential(&ada, NewCredential::default())
        .unwrap();
    let team = at.app.create_team(&ada, id_of(&ada), None).unwrap();
    at.app.create_component(&ada, Some(team.id), None).unwrap();
    let new = NewInvite {
        email: Email::parse("email", "n@example.com").unwrap(),
        role: Role::Guest,
    };
    at.app.invite_member(&ada, company, new, None).unwrap();
    at.app.remove_user(&ada, id_of(&ada)).unwrap();
    for table in [
        "organizations",
        "organization_members",
        "organization_invites",
        "lookups",
        "credentials",
        "flows",
        "team_members",
        "components WHERE is_builtin = 0",
    ] {
        assert_eq!(
            count(&at, &format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
}

#[test]
fn what_an_administrator_took_over_goes_on_when_that_one_is_deleted() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let bea = member(&at, company, "bea@example.com", Role::Admin);
    let made = flow(&at, &ada, None).unwrap();
    let team = at.app.create_team(&ada, id_of(&ada), None).unwrap();
    at.app.create_component(&ada, Some(team.id), None).unwrap();
    at.register("second@example.com", UserRole::TenantAdmin);
    let root = root(&at);
    at.app.remove_member(&root, company, id_of(&ada)).unwrap();
    at.app.remove_user(&root, id_of(&root)).unwrap();
    assert_eq!(at.app.flow(&bea, made.id).unwrap().user_id, id_of(&bea));
    assert_eq!(at.app.team(&bea, team.id).unwrap().members, [id_of(&bea)]);
}

#[test]
fn an_account_is_deleted_by_oneself_or_an_administrator() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let eve = at.principal("eve@example.com");
    let root = root(&at);
    let nobody = "5f0000000000000000000abc".parse().unwrap();
    for id in [id_of(&ada), nobody] {
        let refused = at.app.remove_user(&eve, id).unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
    }
    at.app.remove_user(&ada, id_of(&ada)).unwrap();
    at.app.remove_user(&root, id_of(&eve)).unwrap();
    let again = at.app.remove_user(&root, id_of(&eve)).unwrap_err();
    assert_eq!(again.kind(), Kind::Gone);
    let last = at.app.remove_user(&root, id_of(&root)).unwrap_err();
    assert_eq!(last.kind(), Kind::Conflict, "the last tenant administrator");
}

#[test]
fn who_owns_a_public_component_of_others_flows_is_not_deleted() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let bob = at.principal("bob@example.com");
    let shop = at.app.create_component(&ada, None, Some("Shop")).unwrap();
    let descriptor = json!({ "title": "Shop", "actions": { "buy": { "main": "./b.js" } } });
    build(&at, &shop, 1, &descriptor);
    share(&at, &shop);
    let nodes = json!([
        { "action": "elasticio/timer:timer" },
        { "action": format!("{}/shop:buy", shop.team) },
    ]);
    let graph = chain::parse(nodes.as_array().unwrap()).unwrap();
    let made = at.app.create_chain_flow(&bob, "Flow", graph, None).unwrap();
    let refused = at.app.remove_user(&ada, id_of(&ada)).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    at.app.delete_flow(&bob, made.id).unwrap();
    at.app.remove_user(&ada, id_of(&ada)).unwrap();
    // Everybody could see it, so everybody is told.
    assert_eq!(
        at.app.repository(&bob, shop.id).unwrap_err().kind(),
        Kind::Gone
    );
}

#[test]
fn a_flow_finds_its_owners_lookups_by_id_and_by_title() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Integrator);
    let own = ada.clone().in_scope(Scope::Personal);
    let eve = at.principal("eve@example.com");
    let personal = at.app.create_lookup(&own, lookup("both")).unwrap();
    let shared = at.app.create_lookup(&ada, lookup("both")).unwrap();
    let only = at.app.create_lookup(&own, lookup("own")).unwrap();
    let anothers = at.app.create_lookup(&eve, lookup("eves")).unwrap();
    let in_company = Owner {
        user: id_of(&ada),
        organization: Some(company),
    };
    let alone = Owner::personal(id_of(&ada));
    let found = |owner, name: &str| {
        let found = at.app.lookup_for(owner, name).unwrap();
        found.map(|lookup| lookup.id)
    };
    assert_eq!(found(in_company, "both"), Some(shared.id));
    assert_eq!(found(alone, "both"), Some(personal.id));
    assert_eq!(found(in_company, "own"), Some(only.id));
    assert_eq!(
        found(in_company, &personal.id.to_string()),
        Some(personal.id)
    );
    assert_eq!(found(alone, &shared.id.to_string()), Some(shared.id));
    for name in [
        "eves".to_owned(),
        anothers.id.to_string(),
        "none".to_owned(),
    ] {
        assert_eq!(found(in_company, &name), None, "{name}");
        assert_eq!(found(alone, &name), None, "{name}");
    }
}

#[test]
fn an_invite_ends_after_its_time() {
    let at = Installation::new();
    let company = organization(&at).id;
    let ada = member(&at, company, "ada@example.com", Role::Admin);
    let bob = at.principal("bob@example.com");
    let new = || NewInvite {
        email: Email::parse("email", "n@example.com").unwrap(),
        role: Role::Guest,
    };
    let made = at.app.invite_member(&ada, company, new(), None).unwrap();
    assert_eq!(
        at.app
            .invite_member(&ada, company, new(), None)
            .err()
            .unwrap()
            .kind(),
        Kind::Conflict
    );
    super::given::change(&at, "UPDATE organization_invites SET expires_at = 1", []);
    let token = made.token.as_ref().unwrap().expose();
    assert_eq!(
        at.app.accept_invite(&bob, token).unwrap_err().kind(),
        Kind::Gone
    );
    assert!(at.app.invites(&ada, company).unwrap().is_empty());
    let again = at.app.invite_member(&ada, company, new(), None).unwrap();
    assert_eq!(
        at.app.accept_invite(&bob, token).unwrap_err().kind(),
        Kind::NotFound
    );
    let joined = at
        .app
        .accept_invite(&bob, again.token.unwrap().expose())
        .unwrap();
    assert_eq!(joined.role, Role::Guest);
    assert_eq!(last_audit(&at).action, "organization.invite.accept");
}
