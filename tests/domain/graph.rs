//! The rules of a graph.

use elastane::domain::flow::graph::{Graph, NODES_MAX};
use elastane::domain::flow::options::MapperKind;
use serde_json::{Value, json};

use super::fields_of;

/// A graph of nodes that all run the same, and of edges by their ends.
fn graph(ids: &[&str], edges: &[(&str, &str)]) -> Value {
    let nodes: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "id": id, "command": "elasticio/debug:log" }))
        .collect();
    let edges: Vec<Value> = edges
        .iter()
        .map(|(source, target)| json!({ "source": source, "target": target }))
        .collect();
    json!({ "nodes": nodes, "edges": edges })
}

#[test]
fn what_nobody_knows_comes_out_as_it_went_in() {
    let sent = json!({
        "nodes": [
            { "id": "a", "command": "team/repo:run@latest", "name": "First", "x": { "y": [1, null] },
              "credentials_id": "5f0000000000000000000abc" },
            { "id": "b", "command": "team/repo:act" },
        ],
        "edges": [{ "id": "a:b", "source": "a", "target": "b", "config": { "condition": "true" }, "z": 1.5 }],
    });
    let graph = Graph::parse(&sent).unwrap();
    assert_eq!(graph.to_value(), sent);
    assert_eq!(Graph::stored(&sent), graph);
    assert_eq!(graph.first().unwrap().id, "a");
}

#[test]
fn paths_may_part_and_meet() {
    let sent = graph(
        &["a", "b", "c", "d"],
        &[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")],
    );
    assert!(Graph::parse(&sent).is_ok());
}

#[test]
fn a_circle_is_refused_wherever_it_lies() {
    for edges in [
        &[("a", "b"), ("b", "a")][..],
        &[("a", "a")],
        &[("a", "b"), ("b", "c"), ("c", "b")],
    ] {
        let fields = fields_of(Graph::parse(&graph(&["a", "b", "c"][..], edges)));
        assert!(
            fields == ["graph.edges"] || fields == ["graph.nodes.2"],
            "{fields:?}"
        );
    }
}

#[test]
fn a_graph_has_one_beginning_and_at_least_one_node() {
    assert_eq!(fields_of(Graph::parse(&json!({}))), ["graph.nodes"]);
    assert_eq!(fields_of(Graph::parse(&json!([]))), ["graph", "graph"]);
    let two = graph(&["a", "b", "c"], &[("a", "c")]);
    assert_eq!(fields_of(Graph::parse(&two)), ["graph.nodes.1"]);
}

#[test]
fn every_fault_of_nodes_and_edges_is_named_at_once() {
    let sent = json!({
        "nodes": [
            { "id": "", "command": "team/repo:run" },
            { "id": "b", "command": "repo:run" },
            { "id": "c", "command": "team/repo:run", "fields": [], "credentials_id": "mine" },
            "d",
        ],
        "edges": [{ "source": "b" }, { "target": "c", "config": 1 }],
    });
    assert_eq!(
        fields_of(Graph::parse(&sent)),
        [
            "graph.nodes.0.id",
            "graph.nodes.1.command",
            "graph.nodes.2.fields",
            "graph.nodes.2.credentials_id",
            "graph.nodes.3",
            "graph.edges.0.target",
            "graph.edges.1.config",
        ]
    );
    let twice = graph(&["a", "a"], &[("a", "z"), ("y", "a")]);
    assert_eq!(
        fields_of(Graph::parse(&twice)),
        [
            "graph.nodes.1.id",
            "graph.edges.0.target",
            "graph.edges.1.source"
        ]
    );
}

#[test]
fn a_graph_beyond_its_limit_is_refused_without_being_walked() {
    let ids: Vec<String> = (0..=NODES_MAX).map(|at| format!("n{at}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(fields_of(Graph::parse(&graph(&ids, &[]))), ["graph.nodes"]);
}

/// Two steps with an edge of this configuration.
fn with_config(config: &Value) -> Value {
    json!({
        "nodes": [
            { "id": "a", "command": "elasticio/router:route" },
            { "id": "b", "command": "elasticio/debug:log" },
        ],
        "edges": [{ "source": "a", "target": "b", "config": config }],
    })
}

#[test]
fn what_edges_say_is_checked() {
    for (config, fields) in [
        (json!({ "condition": "$number(test) > 10" }), &[][..]),
        (json!({ "condition": null, "mapper_type": null }), &[]),
        (
            json!({ "condition": "a >" }),
            &["graph.edges.0.config.condition"],
        ),
        (
            json!({ "condition": true }),
            &["graph.edges.0.config.condition"],
        ),
        (
            json!({ "mapper_type": "xslt" }),
            &["graph.edges.0.config.mapper_type"],
        ),
        (
            json!({ "mapper_type": "jsonata", "mapper": { "name": "a +", "b": { "c": "(" } } }),
            &[
                "graph.edges.0.config.mapper.name",
                "graph.edges.0.config.mapper.b.c",
            ],
        ),
        (
            json!({ "mapper_type": "jsonata", "mapper": "{" }),
            &["graph.edges.0.config.mapper"],
        ),
        (
            json!({ "mapper_type": "handlebars", "mapper": { "name": "{{a", "b": "{{a}}" } }),
            &["graph.edges.0.config.mapper.name"],
        ),
        (
            json!({ "mapper": { "name": "{{a" } }), // no type yet
            &[],
        ),
    ] {
        let sent = with_config(&config);
        let found = match Graph::parse(&sent) {
            Ok(_) => Vec::new(),
            Err(error) => fields_of::<()>(Err(error)),
        };
        assert_eq!(found, fields, "{config}");
    }
}

#[test]
fn a_mapper_without_a_type_is_of_the_flows() {
    let graph = Graph::parse(&with_config(&json!({ "mapper": { "n": "{{a.b}}" } }))).unwrap();
    assert!(graph.check_expressions(MapperKind::Handlebars).is_ok());
    assert_eq!(
        fields_of(graph.check_expressions(MapperKind::Jsonata)),
        ["graph.edges.0.config.mapper.n"]
    );
}

#[test]
fn an_expression_in_a_field_of_a_step_is_read_when_it_is_saved() {
    for (command, field, text, is_read) in [
        ("elasticio/filter:filter", "condition", "total >", false),
        ("elasticio/filter:filter", "condition", "total > 1", true),
        // What is empty or missing is asked for at the start.
        ("elasticio/filter:filter", "condition", " ", true),
        ("elasticio/filter:filter", "other", "total >", true),
        (
            "elasticio/filter:SimpleJSONataFilter",
            "expression",
            "(",
            false,
        ),
        (
            "elasticio/splitter:splitOnJsonataExpression",
            "expression",
            "a[",
            false,
        ),
        ("elasticio/splitter:split", "expression", "a[", true),
        ("acme/filter:filter", "condition", "total >", true),
    ] {
        let sent = json!({
            "nodes": [
                { "id": "step_1", "command": "elasticio/timer:timer" },
                { "id": "step_2", "command": command, "fields": { field: text } },
            ],
            "edges": [{ "source": "step_1", "target": "step_2" }],
        });
        let checked = Graph::parse(&sent)
            .unwrap()
            .check_expressions(MapperKind::Jsonata);
        let place = format!("graph.nodes.1.fields.{field}");
        match checked {
            Ok(()) => assert!(is_read, "{command} {text}"),
            Err(error) => {
                assert!(!is_read, "{command} {text}");
                assert_eq!(fields_of::<()>(Err(error)), [place]);
            }
        }
    }
}

#[test]
fn a_router_has_one_default_edge() {
    let edges = |conditions: [Value; 2]| {
        json!({
            "nodes": [
                { "id": "a", "command": "elasticio/router:route" },
                { "id": "b", "command": "elasticio/debug:log" },
                { "id": "c", "command": "elasticio/debug:log" },
            ],
            "edges": [
                { "source": "a", "target": "b", "config": { "condition": conditions[0] } },
                { "source": "a", "target": "c", "config": { "condition": conditions[1] } },
            ],
        })
    };
    assert!(Graph::parse(&edges([json!("a"), json!(null)])).is_ok());
    assert_eq!(
        fields_of(Graph::parse(&edges([json!(null), json!("")]))),
        ["graph.edges.1.config.condition"]
    );
    // A list of receivers needs no conditions.
    let mut plain = edges([json!(null), json!(null)]);
    plain["nodes"][0]["command"] = json!("elasticio/timer:timer");
    assert!(Graph::parse(&plain).is_ok());
}

#[test]
fn what_receives_errors_is_no_beginning() {
    let mut sent = graph(&["handler", "a", "b"], &[("a", "b")]);
    assert!(Graph::parse(&sent).is_err());
    sent["nodes"][0]["error"] = json!(true);
    assert_eq!(Graph::parse(&sent).unwrap().first().unwrap().id, "a");
    let mut with_edge = sent.clone();
    with_edge["edges"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "target": "handler" }));
    assert_eq!(Graph::parse(&with_edge).unwrap().first().unwrap().id, "a");
    sent["nodes"][1]["error"] = json!(true);
    assert_eq!(fields_of(Graph::parse(&sent)), ["graph.nodes.1.error"]);
}
