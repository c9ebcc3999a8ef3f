//! Credentials: sealed at rest, shown to their owner alone, noted when read.

use elastane::app::credential::{CREDENTIALS_MAX, CredentialChange, NewCredential};
use elastane::domain::Kind;
use elastane::domain::credential::OpenCredential;
use elastane::domain::id::CredentialId;
use elastane::domain::principal::{Channel, Principal};
use serde_json::{Map, Value, json};

use crate::support::Installation;

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// A credential of this type with these keys.
fn new(component_name: Option<&str>, keys: Value) -> NewCredential {
    NewCredential {
        name: None,
        component_name: component_name.map(str::to_owned),
        component_id: None,
        keys: members(keys),
    }
}

fn shown(credential: &OpenCredential) -> Value {
    json!([
        credential.credential.name,
        credential.credential.component_name,
        credential.keys,
    ])
}

/// The actions in the audit log, oldest first.
fn actions(at: &Installation) -> Vec<String> {
    let operator = Principal::operator(Channel::Cli);
    let mut entries = at.app.audit_entries(&operator, None, 500).expect("entries");
    entries.reverse();
    entries.into_iter().map(|entry| entry.action).collect()
}

#[test]
fn a_credential_has_a_name_and_a_type_also_where_none_is_given() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let made = at
        .app
        .create_credential(&ada, new(Some("shopware"), json!({ "user": "a" })))
        .unwrap();
    assert_eq!(
        shown(&made),
        json!(["shopware account", "shopware", { "user": "a" }])
    );
    let bare = at
        .app
        .create_credential(&ada, NewCredential::default())
        .unwrap();
    assert_eq!(shown(&bare), json!(["generic account", "generic", {}]));
    assert_eq!(bare.credential.component_id, None);
    let long = "x".repeat(255);
    let long = at
        .app
        .create_credential(&ada, new(Some(&long), json!({})))
        .unwrap();
    assert_eq!(long.credential.name.chars().count(), 255);
    let all = at.app.own_credentials(&ada).unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(shown(&all[0]), shown(&made));
}

#[test]
fn a_type_that_names_a_component_is_joined_with_it() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let component_of = |name: &str| {
        let made = at.app.create_credential(&ada, new(Some(name), json!({})));
        made.unwrap().credential.component_id
    };
    let shopware = component_of("shopware");
    assert!(shopware.is_some());
    assert_eq!(component_of("elasticio/shopware"), shopware);
    assert_eq!(component_of("Shopware"), shopware);
    assert_ne!(component_of("amazonmws"), shopware);
    for nobody in ["dropbox", "ours/shopware", "/", "elasticio/", "!"] {
        assert_eq!(component_of(nobody), None, "{nobody}");
    }
    let own = at
        .app
        .create_component(&ada, None, Some("My Shop"))
        .unwrap();
    assert_eq!(component_of("my-shop"), Some(own.id));
    assert_eq!(component_of(&format!("{}/my-shop", own.team)), Some(own.id));
    let eve = at.principal("eve@example.com");
    let name = format!("{}/my-shop", own.team);
    for name in ["my-shop", &name] {
        let made = at
            .app
            .create_credential(&eve, new(Some(name), json!({})))
            .unwrap();
        assert_eq!(made.credential.component_id, None, "{name}");
    }
}

#[test]
fn a_change_keeps_what_it_does_not_name_and_replaces_keys_as_a_whole() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let made = at
        .app
        .create_credential(&ada, new(Some("shopware"), json!({ "a": 1, "b": 2 })))
        .unwrap();
    let id = made.credential.id;
    let nothing = at
        .app
        .change_credential(&ada, id, CredentialChange::default())
        .unwrap();
    assert_eq!(shown(&nothing), shown(&made));
    let change = CredentialChange {
        keys: Some(members(json!({ "b": 3 }))),
        ..CredentialChange::default()
    };
    at.app.change_credential(&ada, id, change).unwrap();
    let change = CredentialChange {
        name: Some("Shop".to_owned()),
        component_name: Some("dropbox".to_owned()),
        keys: None,
    };
    at.app.change_credential(&ada, id, change).unwrap();
    let now = at.app.own_credential(&ada, id).unwrap();
    assert_eq!(shown(&now), json!(["Shop", "dropbox", { "b": 3 }]));
    assert_eq!(now.credential.component_id, None);
}

#[test]
fn anothers_credential_is_not_there_not_even_for_an_administrator() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let eve = at.principal("eve@example.com");
    let (admin, _) = at.register("root@example.com", elastane::app::user::Role::TenantAdmin);
    let admin = Principal::user(
        admin,
        elastane::domain::principal::Origin::local(Channel::Api),
    );
    let made = at
        .app
        .create_credential(&ada, new(None, json!({ "a": 1 })))
        .unwrap();
    let id = made.credential.id;
    for who in [&eve, &admin] {
        assert_eq!(
            at.app.own_credential(who, id).unwrap_err().kind(),
            Kind::NotFound
        );
        let change = CredentialChange {
            name: Some("Mine".to_owned()),
            ..CredentialChange::default()
        };
        let refused = at.app.change_credential(who, id, change).unwrap_err();
        assert_eq!(refused.kind(), Kind::NotFound);
        assert!(at.app.own_credentials(who).unwrap().is_empty());
        let refused = at.app.credentials(who, None, 10).unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
    }
    let never: CredentialId = "000000000000000000000000".parse().unwrap();
    assert_eq!(
        at.app.own_credential(&ada, never).unwrap_err().kind(),
        Kind::NotFound
    );
    let operator = Principal::operator(Channel::Console);
    assert_eq!(at.app.credentials(&operator, None, 10).unwrap().len(), 1);
    assert_eq!(
        shown(&at.app.own_credential(&ada, id).unwrap()),
        shown(&made)
    );
}

#[test]
fn keys_are_never_in_the_files_of_the_database_in_clear() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let first = "canary-0f2c4e-of-the-first";
    let second = "canary-91ab7d-of-the-second";
    let made = at
        .app
        .create_credential(&ada, new(Some("shopware"), json!({ "password": first })))
        .unwrap();
    let change = CredentialChange {
        keys: Some(members(json!({ "password": second }))),
        name: Some("visible-name-of-it".to_owned()),
        ..CredentialChange::default()
    };
    let changed = at
        .app
        .change_credential(&ada, made.credential.id, change)
        .unwrap();
    assert_eq!(changed.keys["password"], second);
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(at.dir.path()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(
        holds("visible-name-of-it"),
        "the search finds what is there"
    );
    assert!(!holds(first) && !holds(second));
    assert!(!format!("{changed:?}").contains(second));
}

#[test]
fn reading_keys_is_noted_before_they_are_shown() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    at.app.own_credentials(&ada).unwrap();
    let made = at
        .app
        .create_credential(&ada, new(None, json!({ "a": "s3cret" })))
        .unwrap();
    at.app.own_credentials(&ada).unwrap();
    at.app.own_credential(&ada, made.credential.id).unwrap();
    let actions = actions(&at);
    let tail = &actions[actions.len() - 3..];
    assert_eq!(
        tail,
        [
            "credential.create",
            "credential.read_all",
            "credential.read"
        ]
    );
    assert_eq!(
        actions
            .iter()
            .filter(|it| *it == "credential.read_all")
            .count(),
        1,
        "a list without keys is no reading"
    );
}

#[test]
fn names_types_and_sizes_are_checked_by_their_field() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let mut bad = new(None, json!({}));
    bad.name = Some(" ".to_owned());
    let cases = [
        (bad, "name"),
        (new(Some(""), json!({})), "type"),
        (new(None, json!({ "a": "x".repeat(70_000) })), "keys"),
    ];
    for (new, field) in cases {
        let refused = at.app.create_credential(&ada, new).unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid);
        assert_eq!(refused.fields()[0].field, field);
    }
    assert!(at.app.own_credentials(&ada).unwrap().is_empty());
    let nobody = Principal {
        actor: elastane::domain::principal::Actor::Anonymous,
        ..ada
    };
    let refused = at
        .app
        .create_credential(&nobody, new(None, json!({})))
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Unauthenticated);
}

#[test]
fn a_user_has_a_bounded_number_of_credentials() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..CREDENTIALS_MAX / 8 {
                    at.app
                        .create_credential(&ada, NewCredential::default())
                        .unwrap();
                }
            });
        }
    });
    let refused = at
        .app
        .create_credential(&ada, NewCredential::default())
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    let all = at.app.own_credentials(&ada).unwrap();
    assert_eq!(i64::try_from(all.len()).unwrap(), CREDENTIALS_MAX);
}
