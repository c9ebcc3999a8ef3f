//! `elastane component run`: a component on the desk of whoever writes it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Place;
use crate::sailor::house::Sailor;

/// A component with a function for each habit.
const CODE: &str = r"
exports.hello = async function (msg, cfg, snapshot) {
    this.logger.info('said to %s', msg.body.name);
    console.error('plain words');
    await this.emit('snapshot', { seen: (snapshot.seen || 0) + 1 });
    await this.emit('updateSnapshot', { last: msg.body.name });
    await this.emit('data', { body: { greeting: cfg.word + ' ' + msg.body.name }, headers: { a: 1 } });
    await this.emit('httpReply', { statusCode: 201, body: 'x', headers: {} });
    await this.emit('rebound', 'later');
};
exports.fail = async function () { await this.emit('data', { body: {} }); throw new TypeError('no'); };
exports.crash = async function () { setImmediate(() => { throw new Error('boom'); }); await new Promise(() => {}); };
exports.never = function () {};
exports.late = async function () { setTimeout(() => this.emit('data', { body: { late: true } }), 300); };
exports.keys = async function (msg, cfg) {
    await this.emit('updateKeys', { token: 'new' });
    return { body: { token: cfg.token, field: cfg.word, own: process.env.OWN } };
};
exports.steal = async function (msg) { return { body: require('fs').readFileSync(msg.body.path, 'utf8') }; };
";

/// Writes the component and returns its place; with its sailor where `is_installed`.
fn component(place: &Place, is_installed: bool) -> String {
    let names = ["hello", "fail", "crash", "never", "late", "keys", "steal"];
    let folder = place.path("component");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("all.js"), CODE).expect("a file");
    let mut actions = serde_json::Map::new();
    for name in names {
        let file = format!("{name}.js");
        let code = format!("exports.process = require('./all').{name};");
        fs::write(folder.join(&file), code).expect("a file");
        actions.insert(
            name.to_owned(),
            json!({ "title": name, "main": format!("./{file}"), "metadata": {} }),
        );
    }
    let descriptor = json!({ "title": "Desk", "actions": actions });
    fs::write(folder.join("component.json"), descriptor.to_string()).expect("a file");
    fs::write(folder.join("package.json"), "{}").expect("a file");
    if is_installed {
        Sailor::New.install(&folder);
    }
    folder.to_string_lossy().into_owned()
}

/// Reads lines of JSON.
fn lines(text: &str) -> Vec<Value> {
    let parsed = text.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().expect("lines of JSON")
}

#[test]
fn all_that_is_emitted_is_a_line_of_json_and_all_that_is_logged_a_remark() {
    let place = Place::empty();
    let folder = component(&place, true);
    place.write("message.json", r#"{"body":{"name":"Bob"},"headers":{}}"#);
    place.write("fields.json", r#"{"word":"Hello"}"#);
    place.write("snapshot.json", r#"{"seen":4}"#);
    let mut words = vec!["component", "run", &folder, "--function", "hello"];
    words.extend(["--message", "message.json", "--fields", "fields.json"]);
    words.extend(["--snapshot", "snapshot.json"]);
    let (printed, remarks) = place.run(&words).ends(0);
    let printed = lines(&printed);
    let expected = json!([
        { "event": "snapshot", "snapshot": { "seen": 5 } },
        { "event": "updateSnapshot", "snapshot": { "last": "Bob" } },
        { "event": "data", "message": { "body": { "greeting": "Hello Bob" }, "headers": { "a": 1 } } },
        { "event": "httpReply", "reply": { "statusCode": 201, "body": "x", "headers": {} } },
        { "event": "rebound", "reason": "later" },
        { "event": "end" },
    ]);
    assert_eq!(json!(printed), expected);
    assert!(remarks.contains("info: said to Bob"), "{remarks}");
    assert!(remarks.contains("warn: plain words"), "{remarks}");
    // Nothing of an installation is left behind, or was there.
    assert!(!place.path("elastane.db").exists());
}

#[test]
fn a_component_that_fails_is_told_by_the_exit_code() {
    let place = Place::empty();
    let folder = component(&place, true);
    let run = |words: &[&str]| {
        let mut all = vec!["component", "run", &folder, "--function"];
        all.extend(words);
        let (printed, remarks) = place.run(&all).ends(8);
        (remarks, lines(&printed))
    };
    let (told, printed) = run(&["fail"]);
    assert!(told.contains("TypeError: no"), "{told}");
    assert_eq!(printed[0]["event"], "data");
    assert_eq!(printed[1]["error"]["name"], "TypeError");
    assert_eq!(printed[2]["event"], "end");
    let (told, _) = run(&["crash"]);
    assert!(
        told.contains("boom") && told.contains("ended before its message did"),
        "{told}"
    );
    let (told, printed) = run(&["never", "--time-limit", "2"]);
    assert!(told.contains("did not end within 2 s"), "{told}");
    assert_eq!(printed.len(), 1);
    let path = place.path("secret.json");
    place.write("secret.json", &json!({ "path": path }).to_string());
    let (told, _) = run(&["steal", "--message", "secret.json"]);
    assert!(told.contains("ENOENT"), "{told}");
}

#[test]
fn the_first_sailors_run_too() {
    let place = Place::empty();
    let folder = place.path("old");
    fs::create_dir(&folder).expect("a folder");
    let code = "exports.process = function (msg) {
        this.emit('data', { body: { got: msg.body }, headers: {} });
        this.emit('end');
    };";
    fs::write(folder.join("act.js"), code).expect("a file");
    let descriptor = json!({ "title": "Old", "actions": {
        "act": { "title": "Act", "main": "./act.js", "metadata": {} },
    } });
    fs::write(folder.join("component.json"), descriptor.to_string()).expect("a file");
    fs::write(folder.join("package.json"), "{}").expect("a file");
    Sailor::Old.install(&folder);
    let words = [
        "component",
        "run",
        "old",
        "--function",
        "act",
        "--message",
        "-",
    ];
    let printed = lines(&place.run_with(&words, &[], "[1,2]").succeeds());
    assert_eq!(printed[0]["message"]["body"], json!({ "got": [1, 2] }));
    assert_eq!(printed.len(), 2, "and the end");
}

#[test]
fn keys_variables_and_late_messages_are_there_too() {
    let place = Place::empty();
    let folder = component(&place, true);
    place.write("keys.json", r#"{"token":"old","word":"of the credential"}"#);
    place.write("fields.json", r#"{"word":"of the field"}"#);
    let mut words = vec!["component", "run", &folder, "--function", "keys"];
    words.extend(["--credentials", "keys.json", "--fields", "fields.json"]);
    words.extend(["--env", "OWN=mine"]);
    let printed = lines(&place.run(&words).succeeds());
    let body = &printed[0]["message"]["body"];
    let expected = json!({ "token": "old", "field": "of the field", "own": "mine" });
    assert_eq!(body, &expected);
    let changed = printed.last().expect("a line");
    assert_eq!(changed["event"], "updateKeys");
    assert_eq!(changed["keys"]["token"], "new");
    let mut words = vec!["component", "run", &folder, "--function", "late"];
    words.extend(["--linger", "2"]);
    let printed = lines(&place.run(&words).succeeds());
    assert_eq!(printed[0]["event"], "end");
    assert_eq!(printed[1]["message"]["body"], json!({ "late": true }));
}

#[test]
fn what_is_missing_is_told_before_anything_is_started() {
    let place = Place::empty();
    let folder = component(&place, false);
    let told = place
        .run(&["component", "run", &folder, "--function", "hello"])
        .fails(4);
    assert!(told.contains("run `npm install` in"), "{told}");
    let told = place
        .run(&["component", "run", &folder, "--function", "hullo"])
        .fails(4);
    assert!(told.contains("it has: hello, fail, crash"), "{told}");
    let told = place
        .run(&["component", "run", ".", "--function", "hello"])
        .fails(4);
    assert!(told.contains("component.json"), "{told}");
    let empty = Path::new(&folder).join("node_modules");
    assert!(!empty.exists());
}
