//! Environment variables of components.

use std::collections::BTreeMap;

use elastane::app::env_var::EnvVars;
use elastane::domain::Kind;
use elastane::domain::env_var::{ENV_VARS_MAX, EnvChange, parse_change};
use elastane::domain::id::ComponentId;
use elastane::domain::principal::Principal;
use rusqlite::params;
use serde_json::{Value, json};

use super::given::{change, count, last_audit};
use crate::support::Installation;

/// Reads a change as a request's body has it.
fn parsed(body: &Value) -> EnvChange {
    parse_change(body.as_object().unwrap()).unwrap()
}

/// Shows variables with their values.
fn shown(variables: &EnvVars) -> BTreeMap<&str, &str> {
    variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect()
}

/// An installation with a user and a repository of the user's.
fn with_repository() -> (Installation, Principal, ComponentId) {
    let here = Installation::new();
    let ada = here.principal("ada@example.com");
    let id = here.app.create_component(&ada, None, None).unwrap().id;
    (here, ada, id)
}

#[test]
fn a_change_merges_removes_and_answers_the_whole_map() {
    let (here, ada, id) = with_repository();
    assert!(here.app.env_vars(&ada, id).unwrap().is_empty());
    let merge = |body: &Value| here.app.merge_env_vars(&ada, id, parsed(body)).unwrap();
    merge(&json!({ "A": "1", "B": "two", "C": true, "D": 4.5 }));
    let after = merge(&json!({ "A": null, "B": "2", "E": "", "NOT_THERE": null }));
    let expected = BTreeMap::from([("B", "2"), ("C", "true"), ("D", "4.5"), ("E", "")]);
    assert_eq!(shown(&after), expected);
    assert_eq!(shown(&here.app.env_vars(&ada, id).unwrap()), expected);
}

#[test]
fn values_are_sealed_in_the_file_and_never_in_the_audit_log() {
    let (here, ada, id) = with_repository();
    let body = json!({ "TOKEN": "hunter2-hunter2", "OTHER": "x" });
    here.app.merge_env_vars(&ada, id, parsed(&body)).unwrap();
    let changed = last_audit(&here);
    assert_eq!(changed.action, "env.change");
    assert_eq!(changed.object_id, Some(id.to_string()));
    assert_eq!(
        changed.detail,
        Some(json!({ "set": ["OTHER", "TOKEN"], "removed": [] }))
    );
    let read = here.app.env_vars(&ada, id).unwrap();
    assert!(!format!("{read:?}").contains("hunter2"));
    let noted = last_audit(&here);
    assert_eq!(noted.action, "env.read");
    assert_eq!(noted.detail, Some(json!({ "names": ["OTHER", "TOKEN"] })));
    let removal = json!({ "TOKEN": null, "GONE": null });
    here.app.merge_env_vars(&ada, id, parsed(&removal)).unwrap();
    assert_eq!(
        last_audit(&here).detail,
        Some(json!({ "set": [], "removed": ["TOKEN"] }))
    );
    let mut left = vec![here.dir.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let bytes = std::fs::read(path).unwrap();
            assert!(!bytes.windows(7).any(|part| part == b"hunter2"));
            files += 1;
        }
    }
    assert!(files > 1, "the database and the key file are looked at");
}

#[test]
fn a_value_that_is_moved_to_another_name_does_not_open_and_undoes_the_change() {
    let (here, ada, id) = with_repository();
    let body = json!({ "A": "secret of A" });
    here.app.merge_env_vars(&ada, id, parsed(&body)).unwrap();
    change(
        &here,
        "UPDATE env_vars SET name = 'B' WHERE component_id = ?1",
        params![id.to_string()],
    );
    let error = here.app.env_vars(&ada, id).unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    assert!(!error.message().contains("secret"));
    let error = here
        .app
        .merge_env_vars(&ada, id, parsed(&json!({ "C": "c" })))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    assert_eq!(count(&here, "SELECT count(*) FROM env_vars"), 1);
}

#[test]
fn variables_have_a_limit_and_one_over_it_changes_nothing() {
    let (here, ada, id) = with_repository();
    let full: EnvChange = (0..ENV_VARS_MAX)
        .map(|number| (format!("V{number}"), Some("v".to_owned())))
        .collect();
    here.app.merge_env_vars(&ada, id, full).unwrap();
    let over = json!({ "V0": "changed", "ONE_MORE": "v" });
    let error = here
        .app
        .merge_env_vars(&ada, id, parsed(&over))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    let kept = here.app.env_vars(&ada, id).unwrap();
    assert_eq!(kept.len(), ENV_VARS_MAX);
    assert_eq!(kept["V0"].expose(), "v");
    // One out and one in is the same number.
    let swap = json!({ "V0": null, "ONE_MORE": "v" });
    let swapped = here.app.merge_env_vars(&ada, id, parsed(&swap)).unwrap();
    assert_eq!(swapped.len(), ENV_VARS_MAX);
}

#[test]
fn variables_are_not_there_for_others_and_go_with_their_component() {
    let (here, ada, id) = with_repository();
    let bob = here.principal("bob@example.com");
    let body = json!({ "A": "1" });
    here.app.merge_env_vars(&ada, id, parsed(&body)).unwrap();
    for error in [
        here.app.env_vars(&bob, id).unwrap_err(),
        here.app
            .merge_env_vars(&bob, id, parsed(&body))
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::NotFound);
    }
    here.app.delete_component(&ada, id).unwrap();
    assert_eq!(here.app.env_vars(&ada, id).unwrap_err().kind(), Kind::Gone);
    assert_eq!(count(&here, "SELECT count(*) FROM env_vars"), 0);
}

#[test]
fn reserved_and_malformed_names_and_nested_values_are_refused_by_name() {
    for (name, value) in [
        ("ELASTICIO_API_KEY", json!("x")),
        ("1A", json!("x")),
        ("A-B", json!("x")),
        ("", json!("x")),
        ("OK", json!({ "a": 1 })),
        ("OK", json!(["a"])),
        ("OK", json!("a\0b")),
    ] {
        let body = json!({ name: value, "FINE": "x" });
        let error = parse_change(body.as_object().unwrap()).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{name}");
        assert_eq!(error.fields().len(), 1);
        assert_eq!(error.fields()[0].field, name);
    }
}
