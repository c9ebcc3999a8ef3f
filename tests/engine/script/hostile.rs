//! Scripts that mean harm, or are merely wrong in a large way: each ends as an error
//! that says why, and none takes anything with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use elastane::domain::run::LogLevel;
use elastane::engine::script::{
    CODE_BYTES_MAX, ERROR_BYTES_MAX, LOG_BYTES_MAX, LOGS_MAX, ScriptError, ScriptEvent,
    ScriptLimits, check, run,
};
use serde_json::{Value, json};

use super::{Ran, bodies, failure, run_within};

/// Runs code that would go on for ever, for a fifth of a second.
fn run_briefly(code: &str) -> Ran {
    let limits = ScriptLimits {
        time_ms: 200,
        ..ScriptLimits::default()
    };
    run_within(&limits, &json!({}), &json!({}), code)
}

/// Returns the error of code that runs in little memory, with time enough.
fn failure_in_8_mb(code: &str) -> ScriptError {
    let limits = ScriptLimits {
        memory_bytes: 8 * 1024 * 1024,
        ..ScriptLimits::default()
    };
    let (_, outcome) = run_within(&limits, &json!({}), &json!({}), code);
    outcome.expect_err(code)
}

#[test]
fn endless_code_ends_when_its_time_is_up() {
    for code in [
        "while (true) {}",
        "for (;;) try { for (;;); } catch {} finally { for (;;); }",
        "async function run() { for (;;) await null; }",
        "async function run() { for (;;) await wait(1); }",
        "async function run() { await wait(1e9); }",
        "setInterval(() => {}, 0);",
        "function again() { queueMicrotask(again); } again();",
        "function* run() { for (;;) yield 1; }",
        "/(a+)+$/.test('a'.repeat(40) + 'b');",
        "function f() { try { f(); } catch { f(); } } f();",
        "async function run() { return {get body() { for (;;); }}; }",
        "async function run() { return {then() { for (;;); }}; }",
        "async function run() { throw {get message() { for (;;); }}; }",
        "Error.prepareStackTrace = () => { for (;;); }; null.x;",
        "const r = new FinalizationRegistry(() => { for (;;); }); r.register({});",
        "Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1);",
    ] {
        let (_, outcome) = run_briefly(code);
        let error = outcome.expect_err(code);
        assert_eq!(error.name, "TimeoutError", "{code}: {error}");
        assert_eq!(error.message, "the script ran longer than 200 ms", "{code}");
    }
}

#[test]
fn code_that_takes_all_memory_is_told_so() {
    for code in [
        "const all = []; for (;;) all.push(new Uint8Array(1e5));",
        "'x'.repeat(2 ** 28);",
        "Array.from({length: 2 ** 32 - 1});",
        "const all = new Map(); for (let i = 0; ; i++) all.set(i, i);",
        "const all = {}; for (let i = 0; ; i++) all['k' + i] = i;",
        "throw new Error('x'.repeat(7e6));",
    ] {
        let error = failure_in_8_mb(code);
        assert_eq!(error.name, "RangeError", "{code}: {error}");
        assert!(
            error.message.starts_with("out of memory"),
            "{code}: {error}"
        );
    }
    let error = failure_in_8_mb("'x'.repeat(2 ** 28);");
    assert_eq!(error.message, "out of memory: a script may use 8 MB");
}

#[test]
fn memory_may_run_out_anywhere_without_harm() {
    let code = "const all = []; async function run(msg) {
        for (let i = 0; ; i++) {
            all.push({i, text: 'x' + i, date: new Date(i), re: /a/g, f: () => i, big: 2n ** 70n});
            await emitter.emit('data', {body: JSON.parse(JSON.stringify(all[i]))});
            try { all.push(eval('[' + i + ', new Map([[1, 2]])]')); } catch (error) { console.log(error); }
        }
    }";
    for kilobytes in (64..1_200).step_by(7) {
        let limits = ScriptLimits {
            memory_bytes: kilobytes * 1024,
            ..ScriptLimits::default()
        };
        let (_, outcome) = run_within(&limits, &json!({"a": 1}), &json!({}), code);
        assert!(outcome.is_err(), "{kilobytes} KB");
    }
}

#[test]
fn recursion_ends_at_the_stacks_limit() {
    for code in [
        "function f() { return f() + 1; } f();",
        "new Proxy({}, {get(target, key, receiver) { return receiver[key]; }}).x;",
        "JSON.parse('['.repeat(1e6));",
        "eval('('.repeat(1e5));",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x;",
        "let d = []; for (let i = 0; i < 1e5; i++) d = [d]; emitter.emit('data', {body: d});",
    ] {
        let error = failure(code);
        assert_eq!(
            error.to_string(),
            "RangeError: Maximum call stack size exceeded",
            "{code}"
        );
    }
    let deep = "let d = {}; for (let i = 0; i < 1e6; i++) d = {d}; d = null;";
    assert!(
        bodies(deep).is_empty(),
        "deep values are freed without recursion"
    );
}

#[test]
fn results_that_are_no_json_are_errors_of_the_step() {
    for (result, expected) in [
        (
            "{get a() { throw new RangeError('got'); }}",
            "RangeError: got",
        ),
        ("{toJSON() { throw new Error('no'); }}", "Error: no"),
        (
            "{a: 1n}",
            "TypeError: BigInt are forbidden in JSON.stringify",
        ),
        (
            "(() => { const a = {}; a.a = a; return a; })()",
            "TypeError: circular reference",
        ),
        (
            "new Proxy({a: 1}, {ownKeys() { throw new Error('keys'); }})",
            "Error: keys",
        ),
    ] {
        let error = failure(&format!("async function run() {{ return {result}; }}"));
        assert_eq!(error.to_string(), expected, "{result}");
    }
    let nested =
        "let d = []; for (let i = 0; i < 200; i++) d = [d]; async function run() { return d; }";
    assert!(
        failure(nested)
            .message
            .starts_with("emit('data'): recursion limit")
    );
}

#[test]
fn what_the_author_breaks_is_the_authors_own() {
    for code in [
        "globalThis.JSON = null;",
        "Promise.prototype.then = () => { throw 1; };",
        "Array.prototype[Symbol.iterator] = null;",
        "Object.freeze(globalThis);",
        "Object.defineProperty(Object.prototype, 'data', {get() { throw 1; }});",
        "Function.prototype.call = Function.prototype.apply = null;",
        "emitter.emit = null;",
        "messages.newMessageWithBody = null;",
    ] {
        let code = format!("{code} async function run() {{ return {{a: 1}}; }}");
        assert_eq!(bodies(&code), [json!({"a": 1})], "{code}");
    }
    for code in [
        "String.prototype.split = null;",
        "Array.prototype.filter = null; String.prototype.toWellFormed = null;",
        "globalThis.Error = globalThis.String = undefined;",
        "for (const key of Reflect.ownKeys(globalThis)) delete globalThis[key];",
        "Object.defineProperty(Error.prototype, 'stack', {get() { throw 1; }});",
        "Error.prepareStackTrace = () => ({});",
        "Error.stackTraceLimit = 1e9;",
    ] {
        failure(&format!(
            "{code} throw new (class extends TypeError {{}})('x');"
        ));
    }
    let getter = "Object.defineProperty(globalThis, 'run', {get() { throw new Error('mine'); }});";
    assert_eq!(failure(getter).message, "mine");
}

#[test]
fn an_uncaught_error_may_be_of_any_size() {
    let error =
        failure("throw Object.assign(new Error('ä'.repeat(1e6)), {name: 'n'.repeat(1e6)});");
    for text in [&error.name, &error.message, &error.stack] {
        assert!(text.len() <= ERROR_BYTES_MAX && text.len() > ERROR_BYTES_MAX - 4);
    }
}

#[test]
fn events_are_bounded_in_number_and_size() {
    let limits = ScriptLimits {
        events: 10,
        message_bytes: 1_000,
        output_bytes: 3_000,
        ..ScriptLimits::default()
    };
    let emitted = |code: &str| run_within(&limits, &json!({}), &json!({}), code);
    for (code, kept, message) in [
        (
            "for (;;) try { emitter.emit('data', {body: 1}); } catch {}",
            10,
            "the script emitted more than 10 events",
        ),
        (
            "for (;;) emitter.emit('snapshot', ['x'.repeat(900)]);",
            3,
            "the script emitted more than 3000 bytes",
        ),
        (
            "async function run() { return 'x'.repeat(1000); }",
            0,
            "emit('data'): 1055 bytes are more than the 1000 of a message",
        ),
    ] {
        let (events, outcome) = emitted(code);
        assert_eq!(events.len(), kept, "{code}");
        let error = outcome.expect_err(code);
        assert_eq!(
            (&*error.name, &*error.message),
            ("RangeError", message),
            "{code}"
        );
    }
    let fits = "for (let i = 0; i < 10; i++) emitter.emit('data', {body: i});";
    assert_eq!(emitted(fits).0.len(), 10);
}

#[test]
fn log_lines_are_bounded_in_number_and_size() {
    let code =
        "for (let i = 0; i < 5000; i++) console.log('ä'.repeat(6000)); emitter.emit('data', {});";
    let (events, outcome) = run_within(&ScriptLimits::default(), &json!({}), &json!({}), code);
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        events.len(),
        LOGS_MAX + 2,
        "the lines, a word about the rest, the message"
    );
    for event in &events[..LOGS_MAX] {
        let ScriptEvent::Log { message, .. } = event else {
            panic!("{event:?}");
        };
        assert_eq!(message.len(), LOG_BYTES_MAX);
    }
    let message = "more than 1000 log lines in one run: the rest is dropped".to_owned();
    let level = LogLevel::Warn;
    assert_eq!(events[LOGS_MAX], ScriptEvent::Log { level, message });
}

#[test]
fn a_cancelled_run_ends_whatever_it_does() {
    let cancelled = Arc::new(AtomicBool::new(false));
    let limits = ScriptLimits {
        cancelled: Some(Arc::clone(&cancelled)),
        ..ScriptLimits::default()
    };
    for code in [
        "await emitter.emit('data', {}); await wait(1e9);",
        "await emitter.emit('data', {}); await null; await wait(1); for (;;);",
    ] {
        cancelled.store(false, Ordering::SeqCst);
        let input = elastane::engine::script::ScriptInput {
            code,
            msg: &Value::Null,
            cfg: &Value::Null,
            snapshot: &Value::Null,
            variables: &Value::Null,
        };
        let mut on_event = |_| cancelled.store(true, Ordering::SeqCst);
        let error = run(&input, &limits, &mut on_event).expect_err(code);
        assert_eq!(error.to_string(), "AbortError: the run was cancelled");
    }
}

#[test]
fn long_loops_of_the_engine_are_refused() {
    for code in [
        "'a'.repeat(5e6).indexOf('a'.repeat(2e6) + 'b');",
        "'a'.repeat(5e6).split('a'.repeat(2e6) + 'b');",
        "'a'.repeat(5e6).replaceAll('a'.repeat(2e6) + 'b', '');",
        "'\\u0301\\u0323'.repeat(1e5).normalize();",
        "new Array(2 ** 32 - 1).join();",
        "[].concat(new Array(2 ** 32 - 1));",
        "Array.prototype.reverse.call({length: 2 ** 53 - 1});",
        "String.raw({raw: {length: 2 ** 53 - 1}});",
    ] {
        let error = failure(code);
        assert_eq!(error.name, "RangeError", "{code}: {error}");
        assert!(error.message.contains("too "), "{code}: {error}");
    }
    let usual = "async function run() { return ['a-b'.split('-').reverse().join('+'), 'abc'.includes('b'),
        'aXbX'.replaceAll('X', (x) => x + 1), 'x'.replace(/x/, 'y'), [3, 1].sort(), [1].concat([2], 3),
        String.raw`a\\n${1}`, 'e\\u0301'.normalize().length, 'abca'.lastIndexOf('a', 2)]; }";
    let expected = json!(["b+a", true, "aX1bX1", "y", [1, 3], [1, 2, 3], "a\\n1", 1, 0]);
    assert_eq!(bodies(usual), [expected]);
}

#[test]
fn a_run_that_nothing_interrupts_is_given_up() {
    // Each turn takes a while and asks nobody: interrupts come every 10,000 turns.
    let code = "const text = 'x'.repeat(3e6); for (let i = 0; i < 400; i++) text.toUpperCase();";
    let (_, outcome) = run_briefly(code);
    let error = outcome.expect_err("is given up");
    assert_eq!(error.message, "the script ran longer than 200 ms");
}

#[test]
fn code_that_no_parser_should_see_is_refused() {
    let long = " ".repeat(CODE_BYTES_MAX + 1);
    let message = "the code is longer than 1048576 bytes";
    assert_eq!(check(&long), Err(message.to_owned()));
    assert_eq!(failure(&long).message, message);
    assert_eq!(failure("a\0b").message, "the code holds a NUL character");
    for code in [
        "(".repeat(1_000_000),
        "`${".repeat(300_000),
        "a?".repeat(500_000),
    ] {
        assert!(check(&code).is_err());
    }
    assert_eq!(check(&" ".repeat(CODE_BYTES_MAX)), Ok(()));
}
