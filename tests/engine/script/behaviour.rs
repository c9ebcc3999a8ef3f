//! What the platform's code component does, and what a script finds around it.

use elastane::domain::run::LogLevel;
use elastane::engine::script::{ScriptError, ScriptEvent, check};
use serde_json::{Value, json};

use super::{bodies, bodies_on, failure, run_on};

#[test]
fn the_three_documented_examples_give_their_documented_results() {
    // runtime.md 7, code.execute.
    let emits = "async function run(msg, cfg, snapshot) {
        await this.emit('data', messages.newMessageWithBody({result: 'Hello world!'}));
    }";
    assert_eq!(bodies(emits), [json!({"result": "Hello world!"})]);
    let at_top = "emitter.emit('data', messages.newMessageWithBody({hi: msg.body.name}));";
    assert_eq!(
        bodies_on(&json!({"name": "Bob"}), at_top),
        [json!({"hi": "Bob"})]
    );
    let generator = "function* run(msg) {
        const a = yield Promise.resolve(msg.body.a);
        const b = yield wait(1).then(() => msg.body.b);
        return {sum: a + b};
    }";
    assert_eq!(
        bodies_on(&json!({"a": 2, "b": 3}), generator),
        [json!({"sum": 5})]
    );
}

#[test]
fn what_run_returns_is_the_body_whatever_kind_of_function_it_is() {
    for code in [
        "async function run(msg, cfg) { return {who: cfg.name}; }",
        "function run(msg, cfg) { return {who: cfg.name}; }",
        "function run(msg, cfg) { return new Promise((ok) => ok({who: cfg.name})); }",
        "function* run(msg, cfg) { return {who: cfg.name}; }",
        "const run = async (msg, cfg) => ({who: cfg.name});",
        "var run = function () { return {who: arguments[1].name}; };",
    ] {
        assert_eq!(bodies(code), [json!({"who": "Bob"})], "{code}");
    }
    assert_eq!(
        bodies("async function run() { return 'text'; }"),
        [json!("text")]
    );
    assert_eq!(
        bodies("async function run() { return true; }"),
        [json!(true)]
    );
}

#[test]
fn what_is_falsy_is_no_message() {
    for result in ["", "null", "undefined", "0", "''", "false", "NaN"] {
        let code = format!("async function run() {{ return {result}; }}");
        assert!(bodies(&code).is_empty(), "{code}");
    }
    assert!(bodies("const a = 1;").is_empty());
    assert!(bodies("").is_empty());
}

#[test]
fn a_script_sees_message_fields_snapshot_and_variables() {
    let code = "async function run(given, cfg, snapshot) {
        return [given === msg, given.headers.a, given.passthrough.step_1.body, cfg.name,
            snapshot.seen, this.getFlowVariables().stage, getFlowVariables().stage];
    }";
    let expected = json!([true, "b", 1, "Bob", 1, "test", "test"]);
    assert_eq!(bodies(code), [expected]);
}

#[test]
fn a_message_keeps_what_it_is_given() {
    let code = "emitter.emit('data', {body: {n: 1}, headers: {h: 'x'}, attachments: {}, id: 'i'});";
    let (events, outcome) = run_on(&json!({}), code);
    assert_eq!(outcome, Ok(()));
    let message = json!({"body": {"n": 1}, "headers": {"h": "x"}, "attachments": {}, "id": "i"});
    assert_eq!(events, [ScriptEvent::Data(message)]);
    let empty = "emitter.emit('data', messages.newEmptyMessage());";
    let message = json!({"attachments": {}, "body": {}, "headers": {}, "metadata": {}});
    assert_eq!(
        run_on(&json!({}), empty).0,
        [ScriptEvent::Data(message)],
        "a new message has all parts"
    );
}

#[test]
fn events_come_in_the_order_in_which_they_are_emitted() {
    let code = "async function run(msg, cfg, snapshot) {
        await this.emit('data', {body: {n: 1}});
        await emitter.emit('snapshot', {seen: snapshot.seen + 1});
        await this.emit('updateSnapshot', {more: true});
        await this.emit('rebound', new Error('come again'));
        await this.emit('rebound', 'later');
        await this.emit('httpReply', {statusCode: 201, body: 'made', headers: {}});
        await this.emit('error', 'told');
        return {n: 2};
    }";
    let (events, outcome) = run_on(&json!({}), code);
    assert_eq!(outcome, Ok(()));
    let told = ScriptError {
        name: "Error".to_owned(),
        message: "told".to_owned(),
        stack: "Not Available".to_owned(),
        status: None,
    };
    let reply = json!({"statusCode": 201, "body": "made", "headers": {}});
    let last = json!({"attachments": {}, "body": {"n": 2}, "headers": {}, "metadata": {}});
    assert_eq!(
        events,
        [
            ScriptEvent::Data(json!({"body": {"n": 1}})),
            ScriptEvent::Snapshot(json!({"seen": 2})),
            ScriptEvent::UpdateSnapshot(json!({"more": true})),
            ScriptEvent::Rebound("come again".to_owned()),
            ScriptEvent::Rebound("later".to_owned()),
            ScriptEvent::HttpReply(reply),
            ScriptEvent::Error(told),
            ScriptEvent::Data(last),
        ]
    );
}

#[test]
fn emit_is_asynchronous_and_tells_whether_it_knows_the_event() {
    let code = "async function run() {
        const known = this.emit('data', {body: 1});
        const unknown = emitter.emit('constructor', {body: 2});
        return [known instanceof Promise, await known, await unknown];
    }";
    assert_eq!(bodies(code), [json!(1), json!([true, true, false])]);
}

#[test]
fn an_emitted_error_has_name_message_and_stack() {
    let code = "function run() {\n  this.emit('error', new TypeError('no such thing'));\n}";
    let (events, outcome) = run_on(&json!({}), code);
    assert_eq!(outcome, Ok(()));
    let [ScriptEvent::Error(error)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(error.to_string(), "TypeError: no such thing");
    assert!(error.stack.contains("at run (code.js:2:"), "{error:?}");
}

#[test]
fn timers_run_in_the_order_in_which_they_are_due() {
    let code = "
        setTimeout((n) => emitter.emit('data', {body: n}), 9, 'third');
        setTimeout(() => emitter.emit('data', {body: 'second'}), 3);
        setImmediate(() => emitter.emit('data', {body: 'first'}));
        clearTimeout(setTimeout(() => emitter.emit('data', {body: 'never'}), 1));
        let ticks = 0;
        const clock = setInterval(() => { if (++ticks === 3) clearInterval(clock); }, 1);
        setTimeout(() => emitter.emit('data', {body: ticks}), 40);
        emitter.emit('data', {body: 'before'});";
    let expected = [
        json!("before"),
        json!("first"),
        json!("second"),
        json!("third"),
        json!(3),
    ];
    assert_eq!(bodies(code), expected);
}

#[test]
fn end_ends_a_run_whatever_is_still_set() {
    let code = "setInterval(() => {}, 1); setTimeout(() => emitter.emit('end'), 5);
        async function run() { await new Promise(() => {}); }";
    assert!(bodies(code).is_empty());
}

#[test]
fn async_code_and_await_at_the_top_level_are_waited_for() {
    let code = "(async () => { await wait(2); emitter.emit('data', {body: 'inner'}); })();";
    assert_eq!(bodies(code), [json!("inner")]);
    let code =
        "await wait(1); function run() { return later; } const later = await wait(1) ?? 'x';";
    assert_eq!(bodies(code), [json!("x")]);
}

#[test]
fn a_generator_gets_back_what_its_promises_come_to() {
    let code = "function* inner() { return yield Promise.resolve(3); }
        function* run() {
            let caught;
            try { yield Promise.reject(new Error('no')); } catch (error) { caught = error.message; }
            return [caught, yield [Promise.resolve(1), 2], yield inner(), yield {a: 1}];
        }";
    assert_eq!(bodies(code), [json!(["no", [1, 2], 3, {"a": 1}])]);
}

#[test]
fn a_script_logs_by_console_and_by_logger() {
    let code = "console.log('a %s of %d%%', {n: 1}, 5, [2]);
        console.error(new RangeError('far').message, undefined, null, Symbol('s'));
        function run() { this.logger.child({}).debug({}, 'text'); console.warn(1n); }";
    let (events, outcome) = run_on(&json!({}), code);
    assert_eq!(outcome, Ok(()));
    let line = |level, message: &str| ScriptEvent::Log {
        level,
        message: message.to_owned(),
    };
    assert_eq!(
        events,
        [
            line(LogLevel::Info, "a {\"n\":1} of 5% [2]"),
            line(LogLevel::Error, "far undefined null Symbol(s)"),
            line(LogLevel::Debug, "{} text"),
            line(LogLevel::Warn, "1"),
        ]
    );
}

#[test]
fn values_become_json_as_json_stringify_says() {
    let code = "async function run() {
        return {nan: NaN, inf: -Infinity, date: new Date(0), fn() {}, symbol: Symbol('s'),
            undef: undefined, list: [undefined, () => 1], nested: {toJSON: () => 'own'},
            big: 2 ** 70, minus: -0, whole: 5.0, map: new Map([[1, 2]]), half: '\\ud800!',
            pair: '\\ud83d\\ude00', slash: '\\\\ud800', boxed: new Number(3)};
    }";
    let expected = json!({
        "nan": null, "inf": null, "date": "1970-01-01T00:00:00.000Z",
        "list": [null, null], "nested": "own", "big": 1_180_591_620_717_411_303_424_f64,
        "minus": 0, "whole": 5, "map": {}, "half": "\u{fffd}!", "pair": "\u{1f600}",
        "slash": "\\ud800", "boxed": 3,
    });
    assert_eq!(bodies(code), [expected]);
}

#[test]
fn a_throw_is_told_with_name_message_and_the_authors_own_lines() {
    let code =
        "function inner() {\n  null.x;\n}\nasync function run() {\n  await null;\n  inner();\n}";
    let error = failure(code);
    assert_eq!(error.name, "TypeError");
    assert_eq!(error.message, "cannot read property 'x' of null");
    let lines: Vec<&str> = error.stack.lines().collect();
    assert_eq!(lines[0], error.to_string());
    assert!(
        lines[1].starts_with("    at inner (code.js:2:"),
        "{error:?}"
    );
    assert!(lines[2].starts_with("    at run (code.js:6:"), "{error:?}");
    assert_eq!(lines.len(), 3, "{error:?}");
}

#[test]
fn whatever_is_thrown_has_words() {
    for (thrown, name, message) in [
        ("'text'", "Error", "text"),
        ("undefined", "Error", "undefined"),
        ("7n", "Error", "7"),
        ("Symbol('s')", "Error", "Symbol(s)"),
        ("{message: 'own'}", "Error", "own"),
        ("{code: 4}", "Error", "{\"code\":4}"),
        (
            "{name: 'N', message: 5}",
            "N",
            "{\"name\":\"N\",\"message\":5}",
        ),
        ("new (class Mine extends Error {})('m')", "Error", "m"),
        (
            "Object.assign(new Error('m'), {name: 'Named'})",
            "Named",
            "m",
        ),
        ("new Error('\\ud800')", "Error", "\u{fffd}"),
        (
            "{get name() { throw 1; }, get message() { throw 2; }, get stack() { throw 3; }, \
             toJSON() { throw 4; }, toString() { throw 5; }}",
            "Error",
            "a value that has no text",
        ),
        ("Object.create(null)", "Error", "{}"),
        (
            "new Proxy({}, {get() { throw 1; }})",
            "Error",
            "a value that has no text",
        ),
    ] {
        for code in [
            format!("throw {thrown};"),
            format!("async function run() {{ throw {thrown}; }}"),
            format!("setTimeout(() => {{ throw {thrown}; }});"),
            format!("Promise.reject({thrown}); async function run() {{ return 1; }}"),
        ] {
            let error = failure(&code);
            assert_eq!((&*error.name, &*error.message), (name, message), "{code}");
        }
    }
}

#[test]
fn a_rejection_is_an_error_unless_somebody_handles_it() {
    let error = failure("async function run() { (async () => { throw new Error('lost'); })(); }");
    assert_eq!(error.message, "lost");
    let handled = "async function run() {
        const failing = Promise.reject(new Error('late'));
        await null;
        await failing.catch(() => {});
        return 'handled';
    }";
    assert_eq!(bodies(handled), [json!("handled")]);
}

#[test]
fn what_was_emitted_before_an_error_is_handed_over() {
    let (events, outcome) = run_on(
        &json!({}),
        "emitter.emit('data', {body: 1}); console.log('x'); throw new Error('then');",
    );
    assert_eq!(
        outcome.map_err(|error| error.message),
        Err("then".to_owned())
    );
    assert_eq!(events.len(), 2);
}

#[test]
fn a_promise_that_nothing_settles_is_an_error() {
    for code in [
        "async function run() { await new Promise(() => {}); }",
        "await new Promise(() => {});",
    ] {
        let message = "the script waits for a promise that nothing is left to settle, \
                       or its memory ran out";
        assert_eq!(failure(code).message, message, "{code}");
    }
}

#[test]
fn what_emit_can_not_take_is_an_error_that_names_it() {
    for (payload, message) in [
        ("'data'", "emit('data') needs an object, not undefined"),
        ("'data', 'x'", "emit('data') needs an object, not x"),
        (
            "'snapshot', null",
            "emit('snapshot') needs an object, not null",
        ),
    ] {
        for code in [
            format!("emitter.emit({payload});"),
            format!("async function run() {{ await this.emit({payload}); }}"),
        ] {
            let error = failure(&code);
            assert_eq!((&*error.name, &*error.message), ("TypeError", message));
        }
    }
}

#[test]
fn there_are_no_modules_files_network_and_process() {
    let error = failure("const _ = require('lodash');");
    let message =
        "require('lodash') is not possible: scripts run without modules, files and network";
    assert_eq!(error.message, message);
    assert!(error.stack.contains("code.js:1:"), "{error:?}");
    for name in [
        "process",
        "fetch",
        "XMLHttpRequest",
        "Buffer",
        "_",
        "std",
        "os",
        "Deno",
    ] {
        let error = failure(&format!("{name}.x"));
        assert_eq!(
            error.to_string(),
            format!("ReferenceError: {name} is not defined")
        );
    }
    for code in [
        "await import('fs')",
        "async function run() { return import('std'); }",
    ] {
        assert!(
            failure(code).message.contains("could not load"),
            "{:?}",
            failure(code)
        );
    }
}

#[test]
fn the_usual_globals_are_there() {
    let code = "const copy = structuredClone({a: [1]});
        const same = eval('1 + 1') === new Function('return 2')();
        await new Promise((ok) => queueMicrotask(ok));
        emitter.emit('data', {body: [copy, same, atob(btoa('hi')), typeof Date.now(),
            Math.max(1, 2), [...new Set([1, 1])], /a(?<n>.)/.exec('ab').groups.n,
            encodeURIComponent('ä'), parseInt('12px'), typeof global.setTimeout]});";
    let expected = json!([{"a": [1]}, true, "hi", "number", 2, [1], "b", "%C3%A4", 12, "function"]);
    assert_eq!(bodies(code), [expected]);
}

#[test]
fn nothing_survives_a_run() {
    let code = "async function run(msg) {
        const before = [globalThis.kept, Object.prototype.kept, msg.kept, JSON.kept];
        globalThis.kept = Object.prototype.kept = msg.kept = JSON.kept = 1;
        return before.every((value) => value === undefined);
    }";
    assert_eq!(bodies(code), [json!(true)]);
    assert_eq!(bodies(code), [json!(true)]);
}

#[test]
fn names_of_ours_may_be_used_for_the_authors_own() {
    let code = "const msg = 1; let console = 2; function wait() { return 3; } var emitter = 4;
        async function run() { return [msg, console, wait(), emitter]; }";
    assert_eq!(bodies(code), [json!([1, 2, 3, 4])]);
}

#[test]
fn code_that_can_not_be_parsed_is_refused_with_its_place() {
    for good in [
        "",
        "async function run() {}",
        "await 1",
        "throw 1",
        "x.y.z()",
        "let msg",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for (bad, place) in [
        ("let a = ;", "(line 1, column 9)"),
        ("let a;\nlet b = 1 +;\n", "(line 2, column 12)"),
        ("async function run() {", "(line 1, column"),
        ("return 1;", "(line 1, column"),
        ("});", "(line 1, column 1)"),
        ("let a; let a;", "(line 1, column"),
    ] {
        let refusal = check(bad).expect_err(bad);
        assert!(refusal.starts_with("SyntaxError: "), "{refusal}");
        assert!(refusal.contains(place), "{bad}: {refusal}");
        let error = failure(bad);
        assert_eq!(error.name, "SyntaxError", "{bad}");
        assert!(error.stack.contains("code.js:"), "{error:?}");
    }
    assert_eq!(check("while (true) {}"), Ok(()), "checked code is not run");
}

#[test]
fn numbers_texts_and_keys_of_a_message_arrive_whole() {
    let body = json!({"n": -1.5, "big": 9_007_199_254_740_991_i64, "s": "a\u{0}\u{2028}\"\\\u{1f600}",
        "__proto__": {"x": 1}, "": [], "constructor": null});
    let code = "async function run(msg) { return msg.body; }";
    assert_eq!(bodies_on(&body, code)[0], body);
    assert_eq!(
        bodies_on(&Value::Null, "emitter.emit('data', {body: [msg.body]})"),
        [json!([null])]
    );
}
