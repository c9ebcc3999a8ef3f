//! Flows: made from chains, started only where they can run, gone for their owner.

use elastane::app::App;
use elastane::app::credential::NewCredential;
use elastane::domain::flow::{Cron, Flow, FlowStatus, chain};
use elastane::domain::id::FlowId;
use elastane::domain::principal::{Channel, Principal};
use elastane::domain::{Error, Kind, Result};
use serde_json::{Value, json};

use crate::support::Installation;

const TIMER: &str = "elasticio/timer:timer";
const LOG: &str = "elasticio/debug:log";
const SHOP: &str = "elasticio/shopware:createOrder";

/// A verb about one flow.
type Verb = fn(&App, &Principal, FlowId) -> Result<Flow>;

/// Makes a flow of a chain.
fn make(at: &Installation, who: &Principal, nodes: &Value) -> Result<Flow> {
    let graph = chain::parse(nodes.as_array().expect("a list"))?;
    at.app.create_chain_flow(who, "A flow", graph, None)
}

/// Makes the id of a credential of `who`.
fn account(at: &Installation, who: &Principal) -> String {
    let new = NewCredential::default();
    let made = at.app.create_credential(who, new).expect("a credential");
    made.credential.id.to_string()
}

fn fields(error: &Error) -> Vec<&str> {
    error
        .fields()
        .iter()
        .map(|fault| fault.field.as_str())
        .collect()
}

fn count(at: &Installation) -> usize {
    let operator = Principal::operator(Channel::Console);
    at.app.flows(&operator, None, 500).expect("flows").len()
}

#[test]
fn a_chain_becomes_an_inactive_flow() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let nodes = json!([
        { "action": TIMER },
        { "action": "elasticio/mapper:map", "config": { "mapper": { "a": "{{b}}" } } },
        { "action": SHOP, "account": account(&at, &ada) },
    ]);
    let graph = chain::parse(nodes.as_array().unwrap()).unwrap();
    let cron = Cron::parse("cron", "*/5 * * * *").unwrap();
    let made = at
        .app
        .create_chain_flow(&ada, " Orders ", graph.clone(), Some(cron.clone()))
        .unwrap();
    let kept = at.app.flow(&ada, made.id).unwrap();
    for flow in [&made, &kept] {
        assert_eq!(flow.name, "Orders");
        assert_eq!(flow.status, FlowStatus::Inactive);
        assert_eq!(flow.cron.as_ref(), Some(&cron));
        assert_eq!(flow.graph, graph);
        assert_eq!((flow.version, flow.last_started_at_ms), (1, None));
    }
}

#[test]
fn an_action_that_resolves_to_nothing_is_named_by_its_node_and_nothing_is_kept() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let eve = at.principal("eve@example.com");
    let own = at.app.create_component(&ada, None, Some("Shop")).unwrap();
    let unbuilt = format!("{}/shop:buy", own.team);
    let anothers = account(&at, &eve);
    let cases = [
        (json!([{ "action": LOG }]), vec!["nodes.0.action"]),
        (
            json!([{ "action": TIMER }, { "action": TIMER }]),
            vec!["nodes.1.action"],
        ),
        (
            json!([
                { "action": TIMER },
                { "action": "elasticio/mapper:map" },
                { "action": "elasticio/nothing:log" },
                { "action": "elasticio/debug:nothing" },
                { "action": "elasticio/debug:log@0000" },
                { "action": unbuilt },
            ]),
            vec![
                "nodes.2.action",
                "nodes.3.action",
                "nodes.4.action",
                "nodes.5.action",
            ],
        ),
        (
            json!([{ "action": TIMER }, { "action": SHOP, "account": anothers }]),
            vec!["nodes.1.account"],
        ),
        (
            json!([{ "action": TIMER, "account": "000000000000000000000000" }]),
            vec!["nodes.0.account"],
        ),
    ];
    for (nodes, places) in cases {
        let refused = make(&at, &ada, &nodes).unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid, "{nodes}");
        assert_eq!(fields(&refused), places, "{nodes}");
    }
    let graph = chain::parse(&[json!({ "action": TIMER })]).unwrap();
    let refused = at.app.create_chain_flow(&ada, "", graph, None).unwrap_err();
    assert_eq!(fields(&refused), ["name"]);
    let big = json!([{ "action": TIMER, "config": { "x": "x".repeat(1024 * 1024) } }]);
    assert_eq!(fields(&make(&at, &ada, &big).unwrap_err()), ["nodes"]);
    assert_eq!(count(&at), 0);
}

#[test]
fn a_flow_starts_stops_and_suspends_and_saying_it_twice_is_saying_it_once() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let id = make(&at, &ada, &json!([{ "action": TIMER }, { "action": LOG }]))
        .unwrap()
        .id;
    let app = &at.app;
    for _ in 0..2 {
        let flow = app.start_flow(&ada, id).unwrap();
        assert_eq!(flow.status, FlowStatus::Active);
        assert!(flow.last_started_at_ms.is_some());
    }
    for _ in 0..2 {
        let flow = app.suspend_flow(&ada, id).unwrap();
        assert_eq!(flow.status, FlowStatus::Suspended);
    }
    let operator = Principal::operator(Channel::Console);
    let counts = app.flow_counts(&operator).unwrap();
    assert_eq!(
        (counts.active, counts.inactive, counts.suspended),
        (0, 0, 1)
    );
    app.start_flow(&operator, id).unwrap();
    for _ in 0..2 {
        let flow = app.stop_flow(&ada, id).unwrap();
        assert_eq!(flow.status, FlowStatus::Inactive);
        assert!(flow.last_started_at_ms.is_some());
    }
    assert_eq!(
        app.suspend_flow(&ada, id).unwrap().status,
        FlowStatus::Suspended
    );
    let mut entries = app.audit_entries(&operator, None, 500).unwrap();
    entries.reverse();
    let actions: Vec<&str> = entries
        .iter()
        .map(|entry| entry.action.as_str())
        .filter(|action| action.starts_with("flow."))
        .collect();
    assert_eq!(
        actions,
        [
            "flow.create",
            "flow.start",
            "flow.suspend",
            "flow.start",
            "flow.stop",
            "flow.suspend"
        ]
    );
}

#[test]
fn what_can_not_run_does_not_start_and_every_step_says_why() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let nodes =
        json!([{ "action": TIMER }, { "action": SHOP }, { "action": LOG }, { "action": SHOP }]);
    let id = make(&at, &ada, &nodes).unwrap().id;
    let refused = at.app.start_flow(&ada, id).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert_eq!(fields(&refused), ["step_2", "step_4"]);
    assert!(
        refused
            .message()
            .contains("step_4 needs an account for elasticio/shopware")
    );
    assert_eq!(at.app.flow(&ada, id).unwrap().status, FlowStatus::Inactive);
    let nodes = json!([{ "action": TIMER }, { "action": SHOP, "account": account(&at, &ada) }]);
    let id = make(&at, &ada, &nodes).unwrap().id;
    assert_eq!(
        at.app.start_flow(&ada, id).unwrap().status,
        FlowStatus::Active
    );
}

#[test]
fn a_deleted_flow_is_gone_for_its_owner_and_never_was_for_others() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let eve = at.principal("eve@example.com");
    let nodes = json!([{ "action": TIMER }, { "action": SHOP, "account": account(&at, &ada) }]);
    let id = make(&at, &ada, &nodes).unwrap().id;
    at.app.start_flow(&ada, id).unwrap();
    let verbs: [Verb; 5] = [
        |app, who, id| app.flow(who, id),
        |app, who, id| app.start_flow(who, id),
        |app, who, id| app.stop_flow(who, id),
        |app, who, id| app.suspend_flow(who, id),
        |app, who, id| app.delete_flow(who, id),
    ];
    for verb in verbs {
        let refused = verb(&at.app, &eve, id).unwrap_err();
        assert_eq!(refused.kind(), Kind::NotFound);
    }
    assert_eq!(count(&at), 1);
    let deleted = at.app.delete_flow(&ada, id).unwrap();
    assert_eq!(deleted.status, FlowStatus::Inactive);
    for verb in verbs {
        assert_eq!(verb(&at.app, &ada, id).unwrap_err().kind(), Kind::Gone);
        assert_eq!(verb(&at.app, &eve, id).unwrap_err().kind(), Kind::NotFound);
    }
    assert_eq!(count(&at), 0);
}

#[test]
fn lists_come_in_pages_and_to_those_who_may() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let eve = at.principal("eve@example.com");
    let nodes = json!([{ "action": TIMER }]);
    let mut made: Vec<FlowId> = (0..5)
        .map(|_| make(&at, &ada, &nodes).unwrap().id)
        .collect();
    make(&at, &eve, &nodes).unwrap();
    made.sort();
    let user = ada.user_id().unwrap();
    let mut read = Vec::new();
    let mut after = None;
    loop {
        let page = at.app.flows_of(&ada, user, after, 2).unwrap();
        after = page.last().map(|flow| flow.id);
        read.extend(page.iter().map(|flow| flow.id));
        if page.is_empty() {
            break;
        }
    }
    assert_eq!(read, made);
    assert_eq!(count(&at), 6);
    for refused in [
        at.app.flows_of(&eve, user, None, 9).map(|_| ()),
        at.app.flows(&eve, None, 9).map(|_| ()),
        at.app.flow_counts(&eve).map(|_| ()),
    ] {
        assert_eq!(refused.unwrap_err().kind(), Kind::Forbidden);
    }
    let operator = Principal::operator(Channel::Console);
    let own = at.app.flows_of(&operator, user, None, 9).unwrap();
    assert_eq!(own.len(), 5);
}

#[test]
fn the_operator_deletes_any_flow_and_its_owner_is_told() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let id = make(&at, &ada, &json!([{ "action": TIMER }])).unwrap().id;
    let operator = Principal::operator(Channel::Cli);
    at.app.delete_flow(&operator, id).unwrap();
    let refused = at.app.flow(&ada, id).unwrap_err();
    assert_eq!(refused.kind(), Kind::Gone);
}
