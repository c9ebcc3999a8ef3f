//! Invites that ended: what is kept of them, and for how long.

use elastane::app::AppOptions;
use elastane::app::user::Role;
use elastane::clock::Clock;
use elastane::domain::Kind;
use elastane::domain::organization::{self, NewInvite};
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::domain::text::Email;

use crate::support::Installation;

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[test]
fn an_invite_that_ended_is_kept_for_a_month_and_goes_then() {
    let clock = Clock::fixed(1_800_000_000_000);
    let at = Installation::with(|options: &mut AppOptions| options.clock = clock.clone());
    let (root, _) = at.register("root@example.com", Role::TenantAdmin);
    let root = Principal::user(root, Origin::local(Channel::Api));
    let acme = at.app.create_organization(&root, "Acme").unwrap().id;
    let ada = at.principal("ada@example.com");
    let user = ada.user_id().unwrap();
    let guest = organization::Role::Guest;
    at.app.add_member(&root, acme, user, guest).unwrap();
    let invite = |address: &str| {
        let new = NewInvite {
            email: Email::parse("email", address).unwrap(),
            role: organization::Role::Guest,
        };
        at.app.invite_member(&root, acme, new, None).unwrap()
    };
    let old = invite("old@example.com");
    clock.advance(20 * DAY_MS);
    let young = invite("young@example.com");
    clock.advance(8 * DAY_MS);
    assert!(!at.app.prune_invites().unwrap(), "there are no more");
    let kind_of = |token: &str| at.app.invite_of_token(token).unwrap_err().kind();
    let old_token = old.token.unwrap();
    let young_token = young.token.unwrap();
    assert_eq!(kind_of(old_token.expose()), Kind::Gone, "it ended");
    clock.advance(9 * DAY_MS + 1);
    at.app.prune_invites().unwrap();
    assert_eq!(
        kind_of(old_token.expose()),
        Kind::NotFound,
        "it is not kept"
    );
    assert_eq!(kind_of(young_token.expose()), Kind::Gone, "it is kept yet");
    let asked = at.app.invite(&ada, acme, old.invite.id).unwrap_err();
    assert_eq!(asked.kind(), Kind::Gone, "who could see it is told so");
}

#[test]
fn many_invites_go_a_few_at_a_time() {
    let clock = Clock::fixed(1_800_000_000_000);
    let at = Installation::with(|options: &mut AppOptions| options.clock = clock.clone());
    let (root, _) = at.register("root@example.com", Role::TenantAdmin);
    let root = Principal::user(root, Origin::local(Channel::Api));
    let acme = at.app.create_organization(&root, "Acme").unwrap().id;
    for number in 0..201 {
        let new = NewInvite {
            email: Email::parse("email", &format!("{number}@example.com")).unwrap(),
            role: organization::Role::Guest,
        };
        at.app.invite_member(&root, acme, new, None).unwrap();
    }
    clock.advance(38 * DAY_MS);
    assert!(at.app.prune_invites().unwrap(), "one is left");
    assert!(!at.app.prune_invites().unwrap());
}
