//! Each row of `runtime.md 7`, with the outputs that stand there, by components of our own
//! that do what those do.

use elastane::domain::id::FlowId;
use serde_json::{Value, json};

use super::house::{House, Sailor, wait_for};

const CONFIGURATION: &str = r"
exports.process = async function (msg, cfg) {
    return { body: JSON.parse(cfg.configData), headers: {} };
};
";

const SPLITTER: &str = r#"
exports.process = async function (msg, cfg) {
    const found = msg.body[cfg.splitter];
    if (!found) throw new Error(`Could not find properties by following path: "${cfg.splitter}"!`);
    for (const body of found) await this.emit('data', { body, headers: {} });
};
"#;

/// Runs code of the flow's author, as that component does.
const CODE: &str = r"
const co = require('co');
const vm = require('vm');
const messages = { newMessageWithBody: (body) => ({ body, headers: {}, attachments: {} }) };
exports.process = async function (msg, cfg, snapshot) {
    const globals = { msg, cfg, snapshot, emitter: this, messages, console };
    vm.runInNewContext(cfg.code, globals);
    if (!globals.run) return;
    const made = globals.run.call(this, msg, cfg, snapshot);
    const result = typeof made.next === 'function' ? await co(made) : await made;
    if (result) await this.emit('data', messages.newMessageWithBody(result));
};
";

const TIMER: &str = r"
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
exports.process = async function (msg, cfg, snapshot) {
    const fireTime = new Date().toISOString();
    const lastPoll = snapshot.lastPoll || new Date(0).toISOString();
    if (cfg.startTime && !ISO.test(cfg.startTime))
        throw new Error(`Date ${cfg.startTime} must be in ISO format (1970-01-01T00:00:00.000Z)`);
    if (cfg.startTime > fireTime) return;
    await this.emit('data', { body: { fireTime, lastPoll }, headers: {} });
    await this.emit('snapshot', { lastPoll: fireTime });
};
";

/// Old style: callbacks, messages of the helper package, an `end` of its own.
const HELLO: &str = r"
function message(body) { return { id: 'm' + Math.random(), attachments: {}, body, headers: {}, metadata: {} }; }
exports.get = function (msg, cfg, next, snapshot) {
    const self = this;
    setTimeout(function () {
        self.emit('data', message({ greeting: 'Hello ' + (cfg.name || 'World') + '!' }));
        self.emit('end');
    }, 1);
};
exports.update = function (msg, cfg) {
    const original = msg.body.greeting;
    this.emit('data', message({ greeting: cfg.name + ' How are you today?', originalGreeting: original }));
    this.emit('end');
};
";

/// Adds a component of one action; returns its command.
fn action(house: &House, name: &str, sailor: Sailor, code: &str) -> String {
    let descriptor = json!({ "title": name, "actions": {
        "act": { "title": "Act", "main": "./act.js", "metadata": {} },
    } });
    let component = house.component(name, sailor, &descriptor, &[("act.js", code)]);
    format!("{}/{}:act", component.team, component.slug)
}

/// Runs one message through one step; returns what it made, or the error's message.
fn run(house: &House, command: &str, fields: &Value, body: &Value) -> Result<Value, String> {
    let node = json!({ "id": "step", "command": command, "fields": fields });
    let flow = house.flow(&[node]);
    let run = house.run(&flow, body);
    let error = house.error(&run, "step");
    if let Some(message) = error["message"].as_str() {
        let name = error["name"].as_str().unwrap_or_default();
        return Err(format!("{name}: {message}"));
    }
    let steps = house.steps(&run);
    let step = steps.iter().find(|it| it["step_id"] == "step");
    let outputs = step.expect("the step")["outputs"].as_array().cloned();
    for message in outputs.iter().flatten() {
        assert_eq!(message["headers"], json!({}), "{message}");
    }
    Ok(json!(house.outputs(&run, "step")))
}

#[test]
fn configuration_emits_its_configuration() {
    let house = House::new();
    let command = action(&house, "configuration", Sailor::New, CONFIGURATION);
    let fields = json!({ "configData": "{\"env\":\"test\",\"n\":[1,2]}" });
    let made = run(&house, &command, &fields, &json!({}));
    assert_eq!(made, Ok(json!([{ "env": "test", "n": [1, 2] }])));
    let made = run(
        &house,
        &command,
        &json!({ "configData": "nope" }),
        &json!({}),
    );
    let told = made.expect_err("no JSON");
    // The wording is that of Node 20.
    assert!(told.starts_with("SyntaxError: Unexpected token"), "{told}");
}

#[test]
fn the_splitter_splits() {
    let house = House::new();
    let command = action(&house, "splitter", Sailor::New, SPLITTER);
    let body = json!({ "users": [{ "name": "John" }, { "name": "Mike" }] });
    let made = run(&house, &command, &json!({ "splitter": "users" }), &body);
    assert_eq!(made, Ok(json!([{ "name": "John" }, { "name": "Mike" }])));
    let made = run(&house, &command, &json!({ "splitter": "nope" }), &body);
    let told = "Error: Could not find properties by following path: \"nope\"!";
    assert_eq!(made, Err(told.to_owned()));
}

#[test]
fn code_emits_and_returns_in_every_style() {
    let house = House::new();
    let command = action(&house, "code", Sailor::New, CODE);
    let of = |code: &str, body: &Value| run(&house, &command, &json!({ "code": code }), body);
    let code = "async function run() { await this.emit('data', { body: { result: 'Hello world!' }, headers: {} }); }";
    assert_eq!(
        of(code, &json!({})),
        Ok(json!([{ "result": "Hello world!" }]))
    );
    let code = "emitter.emit('data', messages.newMessageWithBody({hi: msg.body.name}));";
    let node = json!({ "id": "step", "command": command, "fields": { "code": code } });
    let flow = house.flow(&[node]);
    let ended = house.run(&flow, &json!({ "name": "Bob" }));
    // The code does not wait until it is emitted, so the end may come first.
    wait_for("the message", || {
        house.outputs(&ended, "step") == [json!({ "hi": "Bob" })]
    });
    let code =
        "function* run(msg) { const {a, b} = yield Promise.resolve(msg.body); return {sum: a+b}; }";
    let made = of(code, &json!({ "a": 2, "b": 3 }));
    assert_eq!(made, Ok(json!([{ "sum": 5 }])));
}

#[test]
fn the_simple_trigger_remembers_its_last_poll() {
    let house = House::new();
    let descriptor = json!({ "title": "Timer", "triggers": {
        "timer": { "title": "Timer", "type": "polling", "main": "./timer.js", "metadata": {} },
    } });
    let files = [("timer.js", TIMER)];
    let component = house.component("timer", Sailor::New, &descriptor, &files);
    let command = format!("{}/{}:timer", component.team, component.slug);
    let app = &house.server.installation.app;
    let flow_of = |fields: &Value| -> (String, FlowId) {
        let node = json!({ "id": "step", "command": command, "fields": fields });
        // Its schedule is far away: the test alone sets it off.
        let sent = json!({ "data": { "type": "flow", "attributes": {
            "name": "Flow", "type": "ordinary", "cron": "0 0 29 2 *",
            "graph": { "nodes": [node], "edges": [] },
        } } });
        let made = house.ada.post("/v2/flows", &sent).json(201);
        let id = made["data"]["id"].as_str().expect("an id").to_owned();
        let started = house.ada.post(&format!("/v2/flows/{id}/start"), &json!({}));
        assert_eq!(started.status, 202, "{}", started.text);
        let parsed = id.parse().expect("an id");
        (id, parsed)
    };
    let poll = |(flow, id): &(String, FlowId), nth: usize| -> Value {
        app.run_flow_now(&house.who, *id).expect("a run");
        house.ended_runs(flow, nth)[nth - 1].clone()
    };
    let flow = flow_of(&json!({}));
    let first = house.outputs(&poll(&flow, 1), "step");
    assert_eq!(first[0]["lastPoll"], "1970-01-01T00:00:00.000Z");
    let snapshot = app.step_snapshot(flow.1, "step").expect("a reader");
    let expected = json!({ "lastPoll": first[0]["fireTime"] });
    assert_eq!(snapshot, Some(expected));
    let second = house.outputs(&poll(&flow, 2), "step");
    assert_eq!(second[0]["lastPoll"], first[0]["fireTime"]);
    let flow = flow_of(&json!({ "startTime": "2999-01-01T00:00:00.000Z" }));
    let run = poll(&flow, 1);
    assert_eq!(run["attributes"]["status"], "success");
    assert!(house.outputs(&run, "step").is_empty());
    let flow = flow_of(&json!({ "startTime": "bad" }));
    let error = house.error(&poll(&flow, 1), "step");
    let told = "Date bad must be in ISO format (1970-01-01T00:00:00.000Z)";
    assert_eq!(error["message"], told);
}

#[test]
fn hello_world_greets_under_the_first_sailors() {
    let house = House::new();
    let descriptor = json!({ "title": "Hello", "actions": {
        "getHello": { "title": "Get", "main": "./get.js", "metadata": {} },
        "updateHello": { "title": "Update", "main": "./update.js", "metadata": {} },
    } });
    let files = [
        ("hello.js", HELLO),
        ("get.js", "exports.process = require('./hello').get;"),
        ("update.js", "exports.process = require('./hello').update;"),
    ];
    let component = house.component("hello", Sailor::Old, &descriptor, &files);
    let name = format!("{}/{}", component.team, component.slug);
    let bob = json!({ "name": "Bob" });
    let made = run(&house, &format!("{name}:getHello"), &bob, &json!({}));
    assert_eq!(made, Ok(json!([{ "greeting": "Hello Bob!" }])));
    // So does versions-test, which has no name.
    let made = run(&house, &format!("{name}:getHello"), &json!({}), &json!({}));
    assert_eq!(made, Ok(json!([{ "greeting": "Hello World!" }])));
    let body = json!({ "greeting": "hi" });
    let made = run(&house, &format!("{name}:updateHello"), &bob, &body);
    let expected = json!([{ "greeting": "Bob How are you today?", "originalGreeting": "hi" }]);
    assert_eq!(made, Ok(expected));
}
