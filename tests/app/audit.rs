//! The audit log: what is written, what is pruned.

use elastane::app::user::Role;
use elastane::app::{AppOptions, BasicCredentials, SecretText};
use elastane::clock::Clock;
use elastane::domain::audit::AuditEntry;
use elastane::domain::principal::{Channel, Origin, Principal};

use crate::support::Installation;

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn entries(here: &Installation) -> Vec<AuditEntry> {
    let operator = Principal::operator(Channel::Cli);
    here.app
        .audit_entries(&operator, None, 500)
        .expect("entries")
}

/// Waits until what was written without waiting is there.
fn settle(here: &Installation) {
    here.app.prove_writable().expect("a durable write");
}

#[test]
fn failures_are_written_with_the_account_and_an_attack_does_not_fill_the_log() {
    let here = Installation::new();
    let (ada, _) = here.register("ada@example.com", Role::Member);
    for _ in 0..30 {
        let sent = BasicCredentials {
            user: "ada@example.com".to_owned(),
            password: SecretText::new("wrong"),
        };
        here.app
            .sign_in(Some(&sent), Origin::local(Channel::Api))
            .expect_err("a wrong password");
    }
    settle(&here);
    let written = entries(&here);
    let of = |action: &str| {
        written
            .iter()
            .filter(|entry| entry.action == action)
            .count()
    };
    assert_eq!(of("sign_in.failure"), 5, "the account's limit");
    assert_eq!(of("sign_in.limited"), 1, "one in ten seconds");
    for entry in written
        .iter()
        .filter(|entry| entry.action.starts_with("sign_in"))
    {
        assert_eq!(
            entry.object_id.as_deref(),
            Some(ada.id.to_string().as_str())
        );
        assert!(!format!("{entry:?}").contains("wrong"));
    }
}

#[test]
fn a_registration_tells_of_its_key_and_a_deletion_of_what_went_with_the_user() {
    let here = Installation::new();
    let operator = Principal::operator(Channel::Cli);
    let (ada, _) = here.register("ada@example.com", Role::Member);
    let who = Principal::user(ada.clone(), Origin::local(Channel::Api));
    here.app
        .create_team(&who, ada.id, Some("Core"))
        .expect("a team");
    here.app.delete_user(&operator, ada.id).expect("deleted");
    let written = entries(&here);
    let newest: Vec<&str> = written
        .iter()
        .take(5)
        .map(|entry| entry.action.as_str())
        .collect();
    assert_eq!(
        newest,
        [
            "user.delete",
            "team.delete",
            "team.create",
            "api_key.create",
            "user.create"
        ]
    );
    let detail = written[0].detail.as_ref().expect("what went");
    assert_eq!(
        (&detail["teams"], &detail["api_keys"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn entries_are_pruned_batch_by_batch_once_they_are_old() {
    let clock = Clock::fixed(1_800_000_000_000);
    let here = Installation::with(|options: &mut AppOptions| options.clock = clock.clone());
    here.register("ada@example.com", Role::Member);
    let before = entries(&here).len();
    assert!(!here.app.prune_audit(30).expect("pruned"), "nothing is old");
    assert_eq!(entries(&here).len(), before);
    clock.advance(31 * DAY_MS);
    here.register("bob@example.com", Role::Member);
    assert!(
        !here.app.prune_audit(30).expect("pruned"),
        "one batch was enough"
    );
    assert_eq!(entries(&here).len(), 2, "Bob's");
}
