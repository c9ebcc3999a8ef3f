//! What the components of `runtime.md 7` do, in components of our own: old callbacks and
//! new promises, chains with passthrough, and calls outside of flows.

use serde_json::{Value, json};

use super::house::{House, Sailor, wait_for};

/// Adds a component of one file; each function is `main` and a name in it.
fn add(house: &House, name: &str, sailor: Sailor, functions: &[&str], code: &str) -> String {
    let mut actions = serde_json::Map::new();
    let mut files = vec![("shared.js".to_owned(), code.to_owned())];
    for function in functions {
        let main = format!("./{function}.js");
        files.push((
            format!("{function}.js"),
            format!("Object.assign(exports, require('./shared').{function});"),
        ));
        actions.insert(
            (*function).to_owned(),
            json!({ "title": function, "main": main, "metadata": {} }),
        );
    }
    let descriptor = json!({ "title": name, "actions": actions });
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let component = house.component(name, sailor, &descriptor, &files);
    format!("{}/{}", component.team, component.slug)
}

fn node(id: &str, command: &str, fields: &Value) -> Value {
    json!({ "id": id, "command": command, "fields": fields })
}

#[test]
fn callbacks_of_the_first_sailors_work() {
    let house = House::new();
    let code = r"
exports.hello = { process: function (msg, cfg) {
    this.emit('data', { body: { greeting: msg.body.greeting + ' ' + cfg.name, originalGreeting: msg.body.greeting }, headers: {} });
    this.emit('end');
} };
exports.fail = { process: function () { this.emit('error', new Error('old trouble')); this.emit('end'); } };
";
    let name = add(&house, "old", Sailor::Old, &["hello", "fail"], code);
    let flow = house.flow(&[node(
        "step",
        &format!("{name}:hello"),
        &json!({ "name": "Bob" }),
    )]);
    let run = house.run(&flow, &json!({ "greeting": "hi" }));
    let expected = json!({ "greeting": "hi Bob", "originalGreeting": "hi" });
    assert_eq!(
        house.outputs(&run, "step"),
        [expected],
        "{}",
        house.log(&flow)
    );
    let flow = house.flow(&[node("step", &format!("{name}:fail"), &json!({}))]);
    let run = house.run(&flow, &json!({}));
    assert_eq!(house.error(&run, "step")["message"], "old trouble");
}

#[test]
fn a_chain_of_three_carries_its_passthrough() {
    let house = House::new();
    let code = r"
exports.configuration = { process: async function (msg, cfg) { return { body: JSON.parse(cfg.configData), headers: {} }; } };
exports.split = { process: async function (msg, cfg) {
    for (const body of msg.body[cfg.splitter]) await this.emit('data', { body, headers: {} });
} };
exports.code = { process: async function (msg, cfg, snapshot) {
    await this.emit('data', { body: { emitted: msg.body.n } });
    await this.emit('snapshot', { seen: msg.body.n });
    return { body: { n: msg.body.n, passthrough: msg.passthrough, snapshot }, headers: {} };
} };
";
    let name = add(
        &house,
        "chain",
        Sailor::New,
        &["configuration", "split", "code"],
        code,
    );
    let config = json!({ "configData": "{\"a\":1,\"list\":[{\"n\":1},{\"n\":2}]}" });
    let flow = house.flow(&[
        node("step_1", &format!("{name}:configuration"), &config),
        node(
            "step_2",
            &format!("{name}:split"),
            &json!({ "splitter": "list" }),
        ),
        node("step_3", &format!("{name}:code"), &json!({})),
    ]);
    let run = house.run(&flow, &json!({}));
    assert_eq!(
        run["attributes"]["status"],
        "success",
        "{}",
        house.log(&flow)
    );
    let whole = json!({ "a": 1, "list": [{ "n": 1 }, { "n": 2 }] });
    assert_eq!(house.outputs(&run, "step_1"), std::slice::from_ref(&whole));
    assert_eq!(
        house.outputs(&run, "step_2"),
        [json!({ "n": 1 }), json!({ "n": 2 })]
    );
    let out = house.outputs(&run, "step_3");
    let emitted: Vec<&Value> = out.iter().step_by(2).collect();
    assert_eq!(
        emitted,
        [&json!({ "emitted": 1 }), &json!({ "emitted": 2 })]
    );
    let out: Vec<&Value> = out.iter().skip(1).step_by(2).collect();
    assert_eq!(out.len(), 2, "what was returned");
    for (nth, body) in out.iter().enumerate() {
        assert_eq!(body["n"], nth + 1);
        assert_eq!(body["passthrough"]["step_1"]["body"], whole);
        assert_eq!(
            body["passthrough"]["step_2"]["body"],
            json!({ "n": nth + 1 })
        );
    }
    assert_eq!(out[0]["snapshot"], json!({}));
    assert_eq!(out[1]["snapshot"], json!({ "seen": 1 }));
}

#[test]
fn two_processes_share_the_messages_of_a_step() {
    let house = House::new();
    let code = r"
exports.slow = { process: async function (msg) {
    await new Promise((done) => setTimeout(done, 20));
    return { body: { n: msg.body.n, process: process.env.ELASTICIO_CONTAINER_ID }, headers: {} };
} };
";
    let name = add(&house, "slow", Sailor::New, &["slow"], code);
    let nodes = [
        node("hook", "elasticio/webhook:receive", &json!({})),
        node("step", &format!("{name}:slow"), &json!({})),
    ];
    let config = json!({ "step": { "prefetch": 2, "replicas": 2 } });
    let flow = house.flow_of(&nodes, &config);
    let count: usize = 40;
    for n in 0..count {
        assert_eq!(house.call(&flow, &json!({ "n": n })).status, 200);
    }
    let runs = house.ended_runs(&flow, count);
    let mut numbers = Vec::new();
    let mut processes = std::collections::BTreeSet::new();
    for run in &runs {
        let out = house.outputs(run, "step");
        assert_eq!(out.len(), 1);
        numbers.push(out[0]["n"].as_u64().expect("a number"));
        processes.insert(out[0]["process"].to_string());
    }
    numbers.sort_unstable();
    let all: Vec<u64> = (0..40).collect();
    assert_eq!(numbers, all, "each once");
    assert_eq!(processes.len(), 2);
}

#[test]
fn calls_outside_of_flows_are_answered() {
    let house = House::new();
    let code = r"
exports.pick = {
    process: async function () {},
    getMetaModel: async function (cfg) { return { in: { type: 'object', title: cfg.name }, out: {} }; },
    options: async function (cfg) { return { k: cfg.name }; },
    broken: function (cfg, cb) { cb(new Error('select failed')); },
};
";
    add(&house, "service", Sailor::New, &["pick"], code);
    let repos = house.ada.get("/v1/repos").json(200);
    let repo = repos.as_array().expect("a list")[0]["id"].clone();
    let ask = |kind: &str, method: Option<&str>| -> (u16, Value) {
        let mut sent = json!({
            "execution_type": kind, "component": repo, "action_or_trigger": "pick",
            "cfg": { "name": "Ada" },
        });
        if let Some(method) = method {
            sent["model_method"] = json!(method);
        }
        outcome(&house, &sent)
    };
    let (status, value) = ask("select_model", Some("options"));
    assert_eq!((status, value), (200, json!({ "data": { "k": "Ada" } })));
    let (status, value) = ask("get_meta_model", None);
    assert_eq!(status, 200);
    assert_eq!(value["data"]["in"]["title"], "Ada");
    let (status, value) = ask("select_model", Some("broken"));
    assert_eq!(status, 400);
    assert!(value.to_string().contains("select failed"), "{value}");
}

/// Schedules a call and waits for its result: the status, and the body.
fn outcome(house: &House, sent: &Value) -> (u16, Value) {
    let answer = house.ada.post("/v1/exec/schedule", sent);
    assert_eq!(answer.status, 202, "{}", answer.text);
    let path_of = |url: Option<&str>| {
        let url = url.expect("a place").to_owned();
        url.replace(&house.server.base, "")
    };
    let poll = path_of(answer.header("location"));
    wait_for("the result", || house.ada.get(&poll).status == 303);
    let polled = house.ada.get(&poll);
    let answer = house.ada.get(&path_of(polled.header("location")));
    let value = serde_json::from_str(&answer.text).unwrap_or_default();
    (answer.status, value)
}

#[test]
fn credentials_are_verified_in_every_style() {
    let house = House::new();
    let code = r"
module.exports = function (cfg, cb) {
    switch (cfg.how) {
        case 'well': return cb(null, { verified: true });
        case 'badly': return cb(null, { verified: false, details: 'd' });
        case 'error': return cb(new Error('nope'));
        case 'throw': throw new Error('thrown');
        case 'promise': return Promise.resolve('anything');
        default: return Promise.resolve({ verified: false });
    }
};
";
    let descriptor = json!({ "title": "Verifies", "actions": {
        "act": { "title": "Act", "main": "./act.js", "metadata": {} },
    } });
    let files = [
        ("act.js", "exports.process = async function () {};"),
        ("verifyCredentials.js", code),
    ];
    let component = house.component("verifies", Sailor::New, &descriptor, &files);
    for (how, expected) in [
        ("well", json!({ "verified": true })),
        ("badly", json!({ "verified": false, "details": "d" })),
        ("error", json!({ "verified": false, "reason": "nope" })),
        ("throw", json!({ "verified": false, "reason": "thrown" })),
        ("promise", json!({ "verified": true })),
        ("refusal", json!({ "verified": false })),
    ] {
        let sent = json!({
            "execution_type": "verify_credentials", "component": component.id.to_string(),
            "account_data": { "how": how },
        });
        let (status, value) = outcome(&house, &sent);
        assert_eq!((status, &value["data"]), (200, &expected), "{how}: {value}");
    }
}
