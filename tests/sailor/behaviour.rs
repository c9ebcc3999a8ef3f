//! What a component may do, and what becomes of it (`runtime.md 2, 3`).

use serde_json::{Value, json};

use super::house::{House, Sailor, restless, wait_for};

/// One component with an action for each habit.
const ACTIONS: &str = r"
exports.echo = async function (msg, cfg, snapshot) {
    return { body: { got: msg.body, cfg, snapshot }, headers: { a: '1' } };
};
exports.twice = async function (msg) {
    await this.emit('data', { body: { nth: 1 } });
    await this.emit('data', { body: { nth: 2 } });
};
exports.fail = async function () { throw new TypeError('no such thing'); };
exports.errorThenData = async function () {
    await this.emit('error', new Error('first'));
    await this.emit('data', { body: { after: true } });
};
exports.count = async function (msg, cfg, snapshot) {
    const seen = (snapshot.seen || 0) + 1;
    await this.emit('updateSnapshot', { seen });
    return { body: { seen } };
};
exports.rebound = async function (msg) { await this.emit('rebound', 'later please'); };
exports.reply = async function (msg) {
    await this.emit('httpReply', { statusCode: 201, body: { hi: msg.body.name }, headers: { 'x-mine': 'yes' } });
};
exports.late = async function (msg) {
    setTimeout(() => this.emit('data', { body: { late: msg.body.n } }), 300);
};
exports.crashOnce = async function (msg, cfg, snapshot) {
    if (snapshot.crashed) return { body: { survived: true } };
    await this.emit('snapshot', { crashed: true });
    setImmediate(() => { throw new Error('boom'); });
    await new Promise(() => {});
};
exports.never = async function () { await new Promise(() => {}); };
exports.log = async function (msg) {
    this.logger.warn('careful with %s', msg.body.n);
    console.log('plain words');
};
exports.environment = async function () { return { body: process.env }; };
";

/// Makes a function's file.
fn module_of(name: &str) -> String {
    format!("exports.process = require('../actions').{name};")
}

const NAMES: [&str; 12] = [
    "echo",
    "twice",
    "fail",
    "errorThenData",
    "count",
    "rebound",
    "reply",
    "late",
    "crashOnce",
    "never",
    "log",
    "environment",
];

/// Adds the component with all its actions.
fn habits(house: &House) -> String {
    let mut actions = serde_json::Map::new();
    let mut files = vec![("actions.js".to_owned(), ACTIONS.to_owned())];
    for name in NAMES {
        let main = format!("./lib/{name}.js");
        let metadata = json!({ "in": {}, "out": {} });
        actions.insert(
            name.to_owned(),
            json!({ "title": name, "main": main, "metadata": metadata }),
        );
        files.push((format!("lib/{name}.js"), module_of(name)));
    }
    let descriptor = json!({ "title": "Habits", "actions": actions });
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let component = house.component("habits", Sailor::New, &descriptor, &files);
    format!("{}/{}", component.team, component.slug)
}

/// A node of the component.
fn node(component: &str, function: &str, fields: &Value) -> Value {
    json!({ "id": "step", "command": format!("{component}:{function}"), "fields": fields })
}

/// Makes a house with the component and a flow of one of its actions.
fn flow_of(function: &str) -> (House, String) {
    let house = House::new();
    let component = habits(&house);
    let flow = house.flow(&[node(&component, function, &json!({ "k": "v" }))]);
    (house, flow)
}

#[test]
fn a_message_goes_through_a_process_with_its_configuration() {
    let (house, flow) = flow_of("echo");
    let run = house.run(&flow, &json!({ "name": "Grüße" }));
    assert_eq!(run["attributes"]["status"], "success", "{run:#}");
    let out = house.outputs(&run, "step");
    assert_eq!(out.len(), 1);
    assert_eq!(out[0]["got"]["name"], "Grüße");
    assert_eq!(out[0]["cfg"], json!({ "k": "v" }));
    assert_eq!(out[0]["snapshot"], json!({}));
}

#[test]
fn everything_that_is_emitted_goes_on_in_order() {
    let house = House::new();
    let component = habits(&house);
    let mut after = node(&component, "echo", &json!({}));
    after["id"] = json!("after");
    let flow = house.flow(&[node(&component, "twice", &json!({})), after]);
    let run = house.run(&flow, &json!({}));
    let out = house.outputs(&run, "step");
    assert_eq!(out, [json!({ "nth": 1 }), json!({ "nth": 2 })]);
    let steps = house.steps(&run);
    let of_step = steps.iter().filter(|it| it["step_id"] == "step");
    assert_eq!(of_step.count(), 1, "one call is one step");
    assert_eq!(
        run["attributes"]["steps_total"], 4,
        "hook, step, after twice"
    );
    let got: Vec<Value> = house.outputs(&run, "after");
    let got: Vec<&Value> = got.iter().map(|body| &body["got"]["nth"]).collect();
    assert_eq!(got, [&json!(1), &json!(2)]);
}

#[test]
fn what_a_component_throws_is_the_error_of_its_step() {
    let (house, flow) = flow_of("fail");
    let run = house.run(&flow, &json!({}));
    assert_eq!(run["attributes"]["status"], "error");
    let error = house.error(&run, "step");
    assert_eq!(error["name"], "TypeError");
    assert_eq!(error["message"], "no such thing");
    assert!(
        error["stack"]
            .as_str()
            .is_some_and(|it| it.contains("actions.js"))
    );
}

#[test]
fn an_error_stops_no_data() {
    let (house, flow) = flow_of("errorThenData");
    let run = house.run(&flow, &json!({}));
    assert_eq!(run["attributes"]["status"], "error");
    assert_eq!(house.outputs(&run, "step"), [json!({ "after": true })]);
    assert_eq!(house.error(&run, "step")["message"], "first");
    assert_eq!(run["attributes"]["steps_total"], 2, "hook and step");
    assert_eq!(run["attributes"]["errors_total"], 1);
}

#[test]
fn snapshots_outlive_the_process() {
    let house = House::with(|options| options.sailor = restless());
    let component = habits(&house);
    let flow = house.flow(&[node(&component, "count", &json!({}))]);
    for nth in 1..=3 {
        let _answer = house.call(&flow, &json!({}));
        let runs = house.ended_runs(&flow, nth);
        let last = house.outputs(&runs[nth - 1], "step");
        assert_eq!(last, [json!({ "seen": nth })]);
        wait_for("the process to leave", || !is_running(&house));
    }
}

/// Tells whether a process of a component runs.
fn is_running(house: &House) -> bool {
    let scratch = house
        .server
        .installation
        .dir
        .path()
        .join("elastane.scratch");
    std::fs::read_dir(scratch).is_ok_and(|entries| entries.count() > 0)
}

#[test]
fn a_waiting_caller_gets_the_reply() {
    let (house, flow) = flow_of("reply");
    let answer = house.call(&flow, &json!({ "name": "Bob" }));
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json(201), json!({ "hi": "Bob" }));
    assert_eq!(answer.header("x-mine"), Some("yes"));
}

#[test]
fn what_is_emitted_after_the_end_belongs_to_the_same_run() {
    let house = House::new();
    let component = habits(&house);
    let mut after = node(&component, "echo", &json!({}));
    after["id"] = json!("after");
    let flow = house.flow(&[node(&component, "late", &json!({})), after]);
    let _answer = house.call(&flow, &json!({ "n": 7 }));
    wait_for("what comes late", || {
        let runs = house.ended_runs(&flow, 1);
        runs[0]["attributes"]["steps_total"] == 3
    });
    let runs = house.ended_runs(&flow, 1);
    assert_eq!(runs.len(), 1, "no run of its own");
    assert_eq!(runs[0]["attributes"]["status"], "success");
    let late = house.outputs(&runs[0], "step");
    assert_eq!(late, [json!({ "late": 7 })]);
    let out = house.outputs(&runs[0], "after");
    assert_eq!(out[0]["got"], json!({ "late": 7 }));
}

#[test]
fn a_message_outlives_the_crash_of_its_process() {
    let (house, flow) = flow_of("crashOnce");
    let run = house.run(&flow, &json!({}));
    assert_eq!(house.outputs(&run, "step"), [json!({ "survived": true })]);
}

#[test]
fn a_message_that_never_ends_is_ended() {
    let house = House::with(|options| options.step_limit_ms = 1_500);
    let component = habits(&house);
    let flow = house.flow(&[node(&component, "never", &json!({}))]);
    let run = house.run(&flow, &json!({}));
    assert_eq!(house.error(&run, "step")["name"], "TimeoutError");
}

#[test]
fn a_component_that_can_not_start_suspends_its_flow() {
    let house = House::with(|options| options.sailor = restless());
    let descriptor = json!({ "title": "Broken", "actions": {
        "gone": { "title": "Gone", "main": "./nope.js", "metadata": {} },
    } });
    let component = house.component("broken", Sailor::New, &descriptor, &[]);
    let name = format!("{}/{}", component.team, component.slug);
    let flow = house.flow(&[node(&name, "gone", &json!({}))]);
    let _answer = house.call(&flow, &json!({}));
    let path = format!("/v2/flows/{flow}");
    wait_for("the flow to be suspended", || {
        house.ada.get(&path).json(200)["data"]["attributes"]["current_status"] == "suspended"
    });
    let log = house.log(&flow);
    assert!(log.contains("Cannot find module"), "{log}");
}

#[test]
fn a_component_whose_init_fails_suspends_its_flow_and_the_log_says_why() {
    let house = House::with(|options| options.sailor = restless());
    let descriptor = json!({ "title": "Picky", "actions": {
        "act": { "title": "Act", "main": "./act.js", "metadata": {} },
    } });
    let code = "
        exports.init = async function (cfg) { throw new Error('not with ' + cfg.k); };
        exports.process = async function () { return { body: {} }; };";
    let component = house.component("picky", Sailor::New, &descriptor, &[("act.js", code)]);
    let name = format!("{}/{}", component.team, component.slug);
    let flow = house.flow(&[node(&name, "act", &json!({ "k": "v" }))]);
    let _answer = house.call(&flow, &json!({}));
    let path = format!("/v2/flows/{flow}");
    wait_for("the flow to be suspended", || {
        house.ada.get(&path).json(200)["data"]["attributes"]["current_status"] == "suspended"
    });
    let log = house.log(&flow);
    assert!(
        log.contains("suspended: Error: not with v") || log.contains("suspended: not with v"),
        "{log}"
    );
}

#[test]
fn an_error_handler_that_is_a_component_gets_the_error_and_its_input() {
    let house = House::new();
    let component = habits(&house);
    let nodes = json!([
        { "id": "hook", "command": "elasticio/webhook:receive" },
        { "id": "step", "command": format!("{component}:fail") },
        { "id": "handler", "command": format!("{component}:echo"), "error": true },
    ]);
    let edges = json!([{ "source": "hook", "target": "step" }, { "target": "handler" }]);
    let flow = crate::support::running::started(&house.ada, &nodes, &edges);
    let run = house.run(&flow, &json!({ "n": 1 }));
    let got = house.outputs(&run, "handler").remove(0)["got"].clone();
    assert_eq!(got["error"]["name"], "TypeError", "{got}");
    assert_eq!(got["error"]["message"], "no such thing");
    assert_eq!(got["errorInput"]["body"]["n"], 1);
}

#[test]
fn what_a_component_logs_is_in_the_flow_s_log() {
    let (house, flow) = flow_of("log");
    house.run(&flow, &json!({ "n": 5 }));
    wait_for("the log", || {
        let log = house.log(&flow);
        log.contains("careful with 5") && log.contains("plain words")
    });
}

#[test]
fn a_process_knows_nothing_of_the_server_s_environment() {
    let (house, flow) = flow_of("environment");
    let run = house.run(&flow, &json!({}));
    let out = house.outputs(&run, "step");
    let names = out[0].as_object().expect("variables");
    assert!(names.contains_key("ELASTICIO_FLOW_ID"));
    assert!(!names.contains_key("CARGO_MANIFEST_DIR"), "{names:#?}");
}
