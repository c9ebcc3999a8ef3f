//! Flows from the command line, and as files between installations.

use serde_json::{Value, json};

use super::Place;

/// A flow as a file, with everything that one may hold.
fn file() -> Value {
    json!({ "data": { "type": "flow", "attributes": {
        "name": "Orders", "description": "Each morning", "type": "ordinary",
        "cron": "0 6 * * *", "time_zone": "Europe/Berlin", "missed": "skip",
        "default_mapper_type": "jsonata", "variables": { "region": "north" },
        "nodes_config": { "step_2": { "prefetch": 4 } },
        "graph": {
            "nodes": [
                { "id": "step_1", "command": "elasticio/timer:timer@0a1b2c",
                  "fields": { "interval": "day" } },
                { "id": "step_2", "command": "elasticio/debug:log", "name": "Note" },
            ],
            "edges": [{ "source": "step_1", "target": "step_2" }],
        },
    } } })
}

/// Imports a flow and returns it as the command shows it.
fn import(place: &Place, file: &Value) -> Value {
    place.write("in.json", &file.to_string());
    let args = [
        "flow",
        "import",
        "in.json",
        "--user",
        "ada@example.com",
        "--json",
    ];
    place.run(&args).json()
}

#[test]
fn a_flow_is_listed_shown_started_and_stopped() {
    let place = Place::installed();
    let made = import(&place, &file());
    let id = made["id"].as_str().expect("an id");
    assert_eq!(made["status"], "inactive");
    let listed = place.run(&["flow", "list", "--json", "--filter", "state:inactive"]);
    let listed = listed.json();
    assert_eq!(listed[0]["id"], id);
    assert_eq!(listed[0]["user"], "ada@example.com");
    assert_eq!(listed[0].get("graph"), None);
    let args = ["flow", "list", "--csv", "--user", "ada@example.com"];
    let csv = place.run(&args).succeeds();
    assert!(
        csv.starts_with("id,state,name,user_id,user,status"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 2);
    let told = place.run(&["flow", "start", id]).succeeds();
    assert_eq!(told, format!("Started Orders (id {id})\n"));
    let active = place.run(&["flow", "list", "--json", "--filter", "status:active"]);
    assert_eq!(active.json().as_array().map(Vec::len), Some(1));
    let stopped = place.run(&["flow", "stop", id, "--json"]).json();
    assert_eq!(stopped["status"], "inactive");
    let shown = place.run(&["flow", "show", id, "--json"]).json();
    assert_eq!(shown["graph"]["nodes"][1]["name"], "Note");
    assert_eq!(shown["variables"], json!({ "region": "north" }));
    let text = place.run(&["flow", "show", id]).succeeds();
    assert!(
        text.contains("time zone            Europe/Berlin"),
        "{text}"
    );
    for id in ["5a4dfa6a6c1b9e0007c2bd45", "no-id"] {
        let told = place.run(&["flow", "start", id]).fails(4);
        assert!(told.contains("elastane flow list"), "{told}");
    }
    let args = ["flow", "list", "--user", "nobody@example.com"];
    place.run(&args).fails(4);
}

#[test]
fn a_flow_is_run_once_by_hand() {
    let place = Place::installed();
    let made = import(&place, &file());
    let id = made["id"].as_str().expect("an id");
    let run = place.run(&["flow", "run", id, "--json"]).json();
    assert_eq!(run["flow"], id);
    assert_eq!(run["id"].as_str().map(str::len), Some(24));
    let told = place.run(&["flow", "run", id]).succeeds();
    assert!(told.starts_with("Queued the execution "), "{told}");
    let log = place.run(&["audit", "list", "--json", "--filter", "action:flow.run"]);
    assert_eq!(log.json().as_array().map(Vec::len), Some(2));
    place
        .run(&["flow", "run", "5a4dfa6a6c1b9e0007c2bd45"])
        .fails(4);
}

#[test]
fn a_flow_leaves_and_comes_back_as_it_was() {
    let place = Place::installed();
    let first = import(&place, &file());
    let id = first["id"].as_str().expect("an id");
    let told = place.run(&["flow", "export", id, "out.json"]).succeeds();
    assert_eq!(told, "Wrote Orders to out.json\n");
    let told = place.run(&["flow", "export", id, "out.json"]).fails(5);
    assert!(told.contains("--replace"), "{told}");
    let args = ["flow", "export", id, "out.json", "--replace", "--json"];
    assert_eq!(
        place.run(&args).json(),
        json!({ "id": id, "file": "out.json" })
    );
    let mut expected = file();
    expected["data"]["attributes"]["graph"]["nodes"][0]["command"] =
        json!("elasticio/timer:timer@latest");
    let exported = place.run(&["flow", "export", id]).json();
    assert_eq!(exported, expected);
    let second = import(&place, &exported);
    assert_ne!(second["id"], id);
    let again = second["id"].as_str().expect("an id");
    assert_eq!(place.run(&["flow", "export", again]).json(), exported);
}

#[test]
fn a_file_that_can_not_run_here_is_refused_with_the_step_and_leaves_nothing() {
    let place = Place::installed();
    let refused = |change: &dyn Fn(&mut Value), code: i32| {
        let mut file = file();
        change(&mut file["data"]["attributes"]);
        place.write("in.json", &file.to_string());
        let args = ["flow", "import", "in.json", "--user", "ada@example.com"];
        place.run(&args).fails(code)
    };
    let told = refused(
        &|flow| {
            flow["graph"]["nodes"][0]["command"] = json!("elasticio/till:sales");
            flow["graph"]["nodes"][1]["credential"] =
                json!({ "name": "Mine", "component": "debug" });
        },
        3,
    );
    let missing = "error: step_1 names the component elasticio/till, which is not there";
    assert!(told.contains(missing), "{told}");
    let account =
        "error: step_2 needs the account \"Mine\" for debug, which the user does not have";
    assert!(told.contains(account), "{told}");
    assert!(told.contains("hint: nothing was kept"), "{told}");
    let told = refused(
        &|flow| flow["graph"]["nodes"][1]["command"] = json!("elasticio/debug:no"),
        3,
    );
    assert!(
        told.contains("step_2 names no, which the component"),
        "{told}"
    );
    for (name, value, wanted) in [
        ("name", json!(null), "name is required"),
        ("cron", json!("often"), "cron must be a cron expression"),
        (
            "missed",
            json!("never"),
            "missed is not one of the known words",
        ),
        (
            "time_zone",
            json!("Mars/Base"),
            "time_zone must be an IANA time zone",
        ),
        ("variables", json!([]), "variables must be an object"),
        ("graph", json!(null), "graph is required"),
        (
            "graph",
            json!({ "nodes": [] }),
            "graph.nodes must not be empty",
        ),
    ] {
        let told = refused(&|flow| flow[name] = value.clone(), 3);
        assert!(told.contains(wanted), "{wanted} in {told}");
    }
    for (name, text, code) in [("torn.json", "{\"data\":", 3), ("list.json", "[1]", 3)] {
        place.write(name, text);
        place
            .run(&["flow", "import", name, "--user", "ada@example.com"])
            .fails(code);
    }
    place.write("huge.json", &" ".repeat(3_000_000));
    for (name, code) in [("huge.json", 3), ("gone.json", 4), (".", 3)] {
        place
            .run(&["flow", "import", name, "--user", "ada@example.com"])
            .fails(code);
    }
    assert_eq!(place.run(&["flow", "list", "--json"]).json(), json!([]));
}
