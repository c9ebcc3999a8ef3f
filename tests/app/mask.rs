//! Secrets in what people see of runs: of credentials, also those of before, of fields,
//! of headers and of queries.

use elastane::app::Pruning;
use elastane::app::credential::{CredentialChange, NewCredential};
use elastane::clock::Clock;
use elastane::domain::flow::Flow;
use elastane::domain::id::CredentialId;
use elastane::domain::principal::Principal;
use elastane::store::{OpenMode, Store};
use serde_json::{Map, Value, json};

use super::given::count;
use crate::support::Installation;
use crate::support::history::{commit, finished, flow_with};

/// Returns the members of an object.
fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// Makes a flow whose second step has a credential with these keys.
fn with_keys(at: &Installation, who: &Principal, keys: &Value) -> (Flow, CredentialId) {
    let new = NewCredential {
        component_name: Some("shopware".to_owned()),
        keys: members(keys),
        ..NewCredential::default()
    };
    let id = at.app.create_credential(who, new).unwrap().credential.id;
    let step = json!({ "action": "elasticio/shopware:createOrder", "account": id.to_string() });
    (flow_with(&at.app, who, &step), id)
}

/// Returns a body as it is shown in the steps of a run, and a text in the flow's log.
fn shown(
    at: &Installation,
    who: &Principal,
    flow: &Flow,
    body: Value,
    text: &str,
) -> (Value, String) {
    let run = finished(&at.app, flow, body, None);
    commit(&at.app, flow, &[], &[text]);
    let (steps, _) = at.app.execution_steps(who, run, 0, 10).unwrap();
    let log = at.app.flow_log(who, flow.id, None, None, 1).unwrap();
    let input = steps[1].input.as_ref().expect("an input");
    (input["body"].clone(), log[0].message.clone())
}

/// Changes the keys of a credential.
fn change(at: &Installation, who: &Principal, id: CredentialId, keys: &Value) {
    let change = CredentialChange {
        keys: Some(members(keys)),
        ..CredentialChange::default()
    };
    at.app.change_credential(who, id, change).unwrap();
}

#[test]
fn keys_of_before_are_masked_until_history_is_gone() {
    let clock = Clock::fixed(1_700_000_000_000);
    let at = Installation::with(|options| options.clock = clock.clone());
    let ada = at.principal("ada@example.com");
    let (flow, id) = with_keys(&at, &ada, &json!({ "key": "first-value" }));
    let body = json!({ "all": "first-value second-value third-value" });
    let look = || shown(&at, &ada, &flow, body.clone(), "first-value second-value");
    change(&at, &ada, id, &json!({ "key": "second-value" }));
    let (input, log) = look();
    assert_eq!(input["all"], "*** *** third-value");
    assert_eq!(log, "*** ***");
    // A new name is no new key.
    let renamed = CredentialChange {
        name: Some("Another".to_owned()),
        ..CredentialChange::default()
    };
    at.app.change_credential(&ada, id, renamed).unwrap();
    let kept = || count(&at, "SELECT count(*) FROM superseded_keys");
    assert_eq!(kept(), 1);
    at.app.delete_credential(&ada, id).unwrap();
    assert_eq!(kept(), 2);
    assert_eq!(look().0["all"], "*** *** third-value");
    let prune = || {
        let mut round = Pruning::default();
        while at.app.prune_runs(&mut round).unwrap() {}
    };
    prune();
    clock.advance(29 * 24 * 60 * 60 * 1_000);
    prune();
    assert_eq!(kept(), 2, "runs of before are still there");
    clock.advance(2 * 24 * 60 * 60 * 1_000);
    prune();
    assert_eq!(kept(), 0);
}

#[test]
fn fields_that_hold_secrets_are_masked_by_their_values() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let store = Store::open(&at.database(), OpenMode::Existing).unwrap();
    store
        .write(|write| {
            let sql = "UPDATE component_versions SET descriptor =
                json_set(descriptor, '$.actions.log.fields.phrase',
                    json('{\"viewClass\": \"PasswordFieldView\", \"label\": \"Phrase\"}'))
                WHERE component_id IN (SELECT id FROM components WHERE slug = 'debug')";
            assert_eq!(write.raw_for_tests().execute(sql, []).unwrap(), 1);
            Ok(())
        })
        .unwrap();
    let flow = flow_with(
        &at.app,
        &ada,
        &json!({
            "action": "elasticio/debug:log",
            "config": {
                "apiSecret": "by-its-name", "phrase": "by-its-view", "message": "in-the-open",
                "deep": [{ "password": "far-inside" }],
            },
        }),
    );
    let all = "by-its-name by-its-view far-inside in-the-open";
    let (input, log) = shown(&at, &ada, &flow, json!({ "all": all }), all);
    assert_eq!(input["all"], "*** *** *** in-the-open");
    assert_eq!(log, "*** *** *** in-the-open");
}

#[test]
fn what_a_credential_sends_is_masked_as_it_is_sent() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let keys = json!({ "auth": {
        "basic": { "username": "shop", "password": "pa:ss" },
        "apiKey": { "headerName": "X-Shop", "headerValue": "k1" },
    } });
    let (flow, _) = with_keys(&at, &ada, &keys);
    let body = json!({
        "sent": "Basic c2hvcDpwYTpzcw==", "x-shop": "k1", "other": "k1",
        "url": "/a?api_key=k1&n=1&user[token]=t#k", "originalUrl": "/hook/x?api_key=k1",
        "none": "a ? b & token = c", "empty": "/?token=&secret",
    });
    let text = r#"{"x-shop":"k1","X-Shop":"k1","other":"k1"} /a?pin=12 c2hvcDpwYTpzcw=="#;
    let (input, log) = shown(&at, &ada, &flow, body, text);
    assert_eq!(
        input,
        json!({
            "sent": "Basic ***", "x-shop": "***", "other": "k1",
            "url": "/a?api_key=***&n=1&user[token]=***#k", "originalUrl": "/hook/x?api_key=***",
            "none": "a ? b & token = c", "empty": "/?token=&secret",
        })
    );
    assert_eq!(
        log,
        r#"{"x-shop":"***","X-Shop":"***","other":"k1"} /a?pin=*** ***"#
    );
}
