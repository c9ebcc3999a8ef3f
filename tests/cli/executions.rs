//! Runs of flows from the command line.

use serde_json::{Value, json};

use super::Place;

/// Imports a flow of two steps and returns its id.
fn flow(place: &Place) -> String {
    let file = json!({ "data": { "type": "flow", "attributes": {
        "name": "Orders", "type": "ordinary",
        "graph": {
            "nodes": [
                { "id": "step_1", "command": "elasticio/timer:timer" },
                { "id": "step_2", "command": "elasticio/debug:log" },
            ],
            "edges": [{ "source": "step_1", "target": "step_2" }],
        },
    } } });
    place.write("in.json", &file.to_string());
    let args = [
        "flow",
        "import",
        "in.json",
        "--user",
        "ada@example.com",
        "--json",
    ];
    let made = place.run(&args).json();
    made["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_run_is_listed_shown_retried_and_cancelled() {
    let place = Place::installed();
    let flow = flow(&place);
    let run = place.run(&["flow", "run", &flow, "--json"]).json();
    let id = run["id"].as_str().expect("an id");
    let list = |args: &[&str]| -> Vec<Value> {
        let all = [&["execution", "list", "--json"], args].concat();
        place.run(&all).json().as_array().expect("a list").clone()
    };
    let listed = list(&["--flow", &flow]);
    assert_eq!(listed[0]["id"], id);
    assert_eq!(listed[0]["status"], "waiting");
    assert_eq!(listed[0].get("steps"), None);
    assert_eq!(list(&["--status", "error"]), [] as [Value; 0]);
    assert_eq!(list(&["--since", "2100-01-01T00:00:00Z"]), [] as [Value; 0]);
    let shown = place.run(&["execution", "show", id, "--json"]).json();
    assert_eq!(shown["trigger"], "manual");
    assert_eq!(shown["steps"][0]["step_id"], "step_1");
    assert_eq!(shown["steps"][0]["input"]["body"], json!({}));
    let text = place.run(&["execution", "show", id]).succeeds();
    assert!(text.contains("step_1 waiting"), "{text}");
    let cancelled = place.run(&["execution", "cancel", id, "--json"]).json();
    assert_eq!(cancelled["status"], "cancelled");
    place.run(&["execution", "cancel", id]).succeeds();
    place.write("message.json", r#"{ "body": { "n": 7 } }"#);
    let args = [
        "execution",
        "retry",
        id,
        "--input",
        "message.json",
        "--json",
    ];
    let again = place.run(&args).json();
    assert_eq!(again["retry_of"], id);
    let new = again["id"].as_str().expect("an id");
    let shown = place.run(&["execution", "show", new, "--json"]).json();
    assert_eq!(shown["steps"][0]["input"]["body"], json!({ "n": 7 }));
    assert_eq!(list(&[]).len(), 2);
}

#[test]
fn what_can_not_be_meant_is_refused() {
    let place = Place::installed();
    for id in ["5a4dfa6a6c1b9e0007c2bd45", "no-id"] {
        for verb in ["show", "retry", "cancel"] {
            let told = place.run(&["execution", verb, id]).fails(4);
            assert!(told.contains("elastane execution list"), "{told}");
        }
    }
    for args in [
        ["list", "--flow", "nothing"],
        ["list", "--status", "done"],
        ["list", "--since", "yesterday"],
    ] {
        place.run(&[&["execution"], &args[..]].concat()).fails(2);
    }
    let some = "5a4dfa6a6c1b9e0007c2bd45";
    let args = ["execution", "retry", some, "--mode", "step"];
    place.run(&args).fails(2);
    place.write("message.json", "[1]");
    let args = ["execution", "retry", some, "--input", "message.json"];
    place.run(&args).fails(3);
}
