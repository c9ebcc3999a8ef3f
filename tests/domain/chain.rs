//! v1's chain of nodes as a graph (`v1.md 3.6`).

use elastane::domain::flow::chain::{parse, place_of};
use elastane::domain::flow::graph::NODES_MAX;
use serde_json::{Value, json};

use super::fields_of;

const TIMER: &str = "elasticio/timer:timer";
const MAPPER: &str = "elasticio/mapper:map";
const LOG: &str = "elasticio/debug:log";

fn list(nodes: Value) -> Vec<Value> {
    match nodes {
        Value::Array(nodes) => nodes,
        other => panic!("{other} is no list"),
    }
}

fn graph_of(nodes: Value) -> Value {
    parse(&list(nodes)).expect("a good chain").to_value()
}

fn faults_of(nodes: Value) -> Vec<String> {
    fields_of(parse(&list(nodes)))
}

#[test]
fn a_mapper_becomes_a_part_of_its_edge_and_ids_tell_the_place_in_the_chain() {
    let graph = graph_of(json!([
        { "action": TIMER, "config": { "interval": "hour" } },
        { "action": MAPPER, "config": { "mapper": { "to": "{{fireTime}}" }, "lookup_tables": { "to": "5f00" }, "x": 1 } },
        { "function": LOG, "account": "5f0000000000000000000abc", "config": { "level": "info" } },
    ]));
    assert_eq!(
        graph,
        json!({
            "nodes": [
                { "id": "step_1", "command": TIMER, "fields": { "interval": "hour" } },
                { "id": "step_3", "command": LOG, "fields": { "level": "info" },
                  "credentials_id": "5f0000000000000000000abc" },
            ],
            "edges": [{ "source": "step_1", "target": "step_3", "config": {
                "mapper": { "to": "{{fireTime}}" }, "lookup_tables": { "to": "5f00" }, "x": 1,
                "mapper_type": "handlebars" } }],
        })
    );
}

#[test]
fn a_mapper_at_the_end_stays_a_step() {
    let graph = graph_of(json!([
        { "action": TIMER },
        { "action": MAPPER, "config": { "mapper": { "a": "b" } } },
    ]));
    assert_eq!(
        graph["nodes"][1],
        json!({ "id": "step_2", "command": MAPPER, "fields": { "mapper": { "a": "b" } } })
    );
    assert_eq!(
        graph["edges"],
        json!([{ "source": "step_1", "target": "step_2" }])
    );
}

#[test]
fn of_two_mappers_in_a_row_the_first_is_on_the_edge_to_the_second() {
    let graph = graph_of(json!([
        { "action": TIMER },
        { "action": MAPPER, "config": { "mapper": { "a": "1" } } },
        { "action": MAPPER, "config": { "mapper": { "b": "2" } } },
        { "action": LOG },
    ]));
    assert_eq!(graph["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(graph["nodes"][1]["id"], "step_3");
    assert_eq!(graph["nodes"][1]["fields"]["mapper"]["b"], "2");
    assert_eq!(graph["edges"][0]["config"]["mapper"]["a"], "1");
    assert_eq!(graph["edges"][0]["target"], "step_3");
    assert_eq!(
        graph["edges"][1],
        json!({ "source": "step_3", "target": "step_4" })
    );
}

#[test]
fn a_mapper_without_a_mapping_leaves_a_plain_edge() {
    let graph = graph_of(json!([{ "action": TIMER }, { "action": MAPPER }, { "action": LOG }]));
    assert_eq!(
        graph["edges"],
        json!([{ "source": "step_1", "target": "step_3" }])
    );
}

#[test]
fn a_mapper_of_somebody_else_is_an_ordinary_step() {
    let graph = graph_of(json!([
        { "action": TIMER },
        { "action": "ours/mapper:map" },
        { "action": "elasticio/mapper:jsonataMap" },
        { "action": LOG },
    ]));
    assert_eq!(graph["nodes"].as_array().unwrap().len(), 4);
}

#[test]
fn faults_are_named_by_their_place_in_the_request() {
    assert_eq!(faults_of(json!([])), ["nodes"]);
    assert_eq!(
        faults_of(json!([{ "action": MAPPER }, { "action": LOG }])),
        ["nodes.0.action"]
    );
    assert_eq!(
        faults_of(json!([
            {},
            { "action": "log" },
            { "action": 7 },
            { "action": LOG, "config": "x" },
            { "action": LOG, "account": "mine" },
            "log",
        ])),
        [
            "nodes.0.action",
            "nodes.1.action",
            "nodes.2.action",
            "nodes.3.config",
            "nodes.4.account",
            "nodes.5",
        ]
    );
    let many = vec![json!({ "action": LOG }); NODES_MAX + 1];
    assert_eq!(fields_of(parse(&many)), ["nodes"]);
}

#[test]
fn the_id_of_a_step_leads_back_to_its_node() {
    assert_eq!(place_of("step_1", "action"), "nodes.0.action");
    assert_eq!(place_of("step_12", "account"), "nodes.11.account");
    assert_eq!(place_of("step_0", "action"), "nodes.step_0.action");
}
