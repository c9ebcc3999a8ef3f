//! SSH keys as records: whose, titled how, unique.

use elastane::app::ssh_key::SSH_KEYS_MAX;
use elastane::app::user::Role;
use elastane::domain::Kind;
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::domain::ssh_key::KeyAlgorithm;

use super::given::{ed25519_line, id_of, last_audit, operator, rows};
use crate::support::Installation;

#[test]
fn a_key_is_kept_in_its_canonical_line_and_listed() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let sent = format!("  {}   ada@laptop \n", ed25519_line(1));
    let added = here
        .app
        .add_ssh_key(&ada, id_of(&ada), Some("Laptop"), &sent)
        .unwrap();
    assert_eq!(added.title, "Laptop");
    let keys = here.app.ssh_keys_of(&ada, id_of(&ada), None, 10).unwrap();
    assert_eq!(keys.len(), 1);
    let key = &keys[0];
    assert_eq!(key.id, added.id);
    assert_eq!(key.line, format!("{} ada@laptop", ed25519_line(1)));
    assert_eq!(key.algorithm, KeyAlgorithm::Ed25519);
    assert!(key.fingerprint.starts_with("SHA256:"));
    assert_eq!(key.fingerprint_md5.split(':').count(), 16);
    assert!(!key.is_weak);
    let noted = last_audit(&here);
    assert_eq!(noted.action, "ssh_key.add");
    assert_eq!(noted.object_id, Some(key.id.to_string()));
}

#[test]
fn a_missing_title_is_the_comment_or_a_plain_one() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let title_of = |seed, comment: &str, title| {
        let line = format!("{} {comment}", ed25519_line(seed));
        here.app
            .add_ssh_key(&ada, id_of(&ada), title, &line)
            .map(|key| key.title)
    };
    assert_eq!(title_of(1, "ada at work", None).unwrap(), "ada at work");
    assert_eq!(title_of(2, "", None).unwrap(), "SSH key");
    assert_eq!(title_of(3, "comment", Some("Mine")).unwrap(), "Mine");
    let error = title_of(4, "comment", Some(" ")).unwrap_err();
    assert_eq!(error.fields()[0].field, "title");
}

#[test]
fn a_key_that_anybody_has_is_a_conflict_whatever_its_comment() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let added = here
        .app
        .add_ssh_key(&ada, id_of(&ada), None, &ed25519_line(1))
        .unwrap();
    for who in [&ada, &bob] {
        let again = format!("{} other comment", ed25519_line(1));
        let error = here
            .app
            .add_ssh_key(who, id_of(who), None, &again)
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert_eq!(error.fields()[0].field, "key");
        assert!(!error.message().contains("ada"));
    }
    // Once it is removed, somebody else may have it.
    here.app.delete_ssh_key(&ada, added.id).unwrap();
    here.app
        .add_ssh_key(&bob, id_of(&bob), None, &ed25519_line(1))
        .unwrap();
}

#[test]
fn a_text_that_is_no_public_key_is_refused_without_being_repeated() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let private =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----";
    for text in ["", "hello", private] {
        let error = here
            .app
            .add_ssh_key(&ada, id_of(&ada), None, text)
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{text}");
        assert_eq!(error.fields()[0].field, "key");
        assert!(!error.message().contains("c2VjcmV0"));
        assert!(!error.causes().contains("c2VjcmV0"));
    }
    assert!(
        here.app
            .ssh_keys_of(&ada, id_of(&ada), None, 10)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn someone_elses_key_is_not_there_even_for_a_tenant_administrator() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let (root, _) = here.register("root@example.com", Role::TenantAdmin);
    let root = Principal::user(root, Origin::local(Channel::Api));
    let id = here
        .app
        .add_ssh_key(&ada, id_of(&ada), None, &ed25519_line(1))
        .unwrap()
        .id;
    for who in [&bob, &root] {
        for error in [
            here.app.ssh_key(who, id).unwrap_err(),
            here.app.delete_ssh_key(who, id).unwrap_err(),
            here.app.ssh_keys_of(who, id_of(&ada), None, 1).unwrap_err(),
            here.app
                .add_ssh_key(who, id_of(&ada), None, &ed25519_line(2))
                .unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::NotFound);
        }
    }
    assert_eq!(here.app.ssh_key(&operator(), id).unwrap().id, id);
}

#[test]
fn a_deleted_key_is_gone_for_its_owner_and_not_found_for_others() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let bob = here.principal("bob@example.com");
    let id = here
        .app
        .add_ssh_key(&ada, id_of(&ada), None, &ed25519_line(1))
        .unwrap()
        .id;
    here.app.delete_ssh_key(&ada, id).unwrap();
    assert_eq!(last_audit(&here).action, "ssh_key.delete");
    let again = |who: &Principal| here.app.delete_ssh_key(who, id).unwrap_err().kind();
    assert_eq!(again(&ada), Kind::Gone);
    assert_eq!(again(&bob), Kind::NotFound);
}

#[test]
fn keys_of_a_user_have_a_limit_and_pages_meet() {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let add = |seed| {
        here.app
            .add_ssh_key(&ada, id_of(&ada), None, &ed25519_line(seed))
    };
    add(0).unwrap();
    // All but the last at once: one commit each would take the test's time.
    let filled = rows(&here).execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO ssh_keys (id, user_id, title, algorithm, bits, line, blob_sha256,
             fingerprint, fingerprint_md5, is_weak, created_at)
         SELECT printf('%024x', i), user_id, title, algorithm, bits, line, randomblob(32),
             fingerprint, fingerprint_md5, is_weak, created_at FROM n, ssh_keys",
        [SSH_KEYS_MAX - 2],
    );
    assert_eq!(filled.unwrap(), 198);
    add(1).unwrap();
    let error = add(2).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.message().contains("200"));
    let (mut read, mut last) = (0, None);
    loop {
        let page = here.app.ssh_keys_of(&ada, id_of(&ada), last, 70).unwrap();
        read += page.len();
        match page.last() {
            Some(key) => last = Some(key.id),
            None => break,
        }
    }
    assert_eq!(read, 200);
}
