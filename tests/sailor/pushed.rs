//! A component from `git push` to the output of its flow.

use serde_json::{Value, json};

use crate::git::given::{House, git};
use crate::support::running::{call, ended, id_of, runs_of, seen, started, steps_of};

#[test]
fn what_is_pushed_by_git_runs_in_a_flow() {
    let house = House::new();
    let descriptor = json!({
        "title": "Hello", "description": "Greets", "version": "1.0.0", "credentials": {},
        "actions": { "say": {
            "title": "Say", "main": "./lib/say.js", "metadata": { "in": {}, "out": {} },
        } },
    });
    let package = json!({
        "name": "hello", "version": "1.0.0",
        "dependencies": { "elasticio-sailor-nodejs": "2.7.8" },
    });
    let code = "exports.process = async function (msg, cfg) {
        return { body: { said: cfg.word + ' ' + msg.body.name } };
    };";
    let (descriptor, package) = (descriptor.to_string(), package.to_string());
    let files = [
        ("component.json", descriptor.as_str()),
        ("package.json", package.as_str()),
        ("lib/say.js", code),
    ];
    let clone = house.committed("clone", "master", &files);
    let url = house.url(&house.ada, "ada-s/hello.git");
    let said = git(&clone, &["push", &url, "master"]).well();
    assert!(said.contains("Build completed successfully"), "{said}");
    let nodes = json!([
        { "id": "hook", "command": "elasticio/webhook:receive" },
        { "id": "say", "command": "ada-s/hello:say@latest", "fields": { "word": "Hello" } },
    ]);
    let flow = started(
        &house.ada,
        &nodes,
        &json!([{ "source": "hook", "target": "say" }]),
    );
    let body = json!({ "name": "Bob" });
    assert_eq!(call(&house.server, &flow, &body).status, 200);
    let run = seen("a run", || runs_of(&house.ada, &flow).pop());
    let id = id_of(&run);
    assert_eq!(ended(&house.ada, &id)["status"], "success");
    let steps: Vec<Value> = steps_of(&house.ada, &id);
    assert_eq!(
        steps[1]["outputs"][0]["body"],
        json!({ "said": "Hello Bob" })
    );
}
