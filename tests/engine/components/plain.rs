//! Components that compute from their message alone.

use elastane::domain::run::{HttpReply, LogLevel, Message, ReplyBody};
use elastane::engine::component::{Event, Nature};
use serde_json::{Value, json};

use super::bench::{Bench, NOW, NOW_MS, call, faults, function, object};

#[test]
fn what_takes_time_or_has_state_is_queued_and_the_rest_is_pure() {
    let queued = [
        "simple-trigger:timer",
        "code:execute",
        "code:executeTrigger",
        "rest-api:httpRequestAction",
        "rest-api:httpRequestTrigger",
        "email:send",
        "webhook:post",
        "splitter:reassemble",
        "amazonmws:getOrders",
        "amazonmws:submitProductFeed",
        "shopware:getProducts",
        "shopware:createOrder",
        "request-reply:replyWithAttachment",
    ];
    for component in elastane::engine::components::all() {
        for function in component.functions {
            let command = format!("{}:{}", component.name, function.name);
            let is_queued = function.nature == Nature::Queued;
            assert_eq!(is_queued, queued.contains(&command.as_str()), "{command}");
        }
    }
}

#[test]
fn only_steps_that_reply_hold_a_call_back() {
    assert!(function("request-reply:reply").may_reply);
    assert!(function("code:execute").may_reply);
    assert!(!function("webhook:receive").may_reply);
}

#[test]
fn the_timer_emits_the_time() {
    let bench = Bench::new();
    let bodies = bench.bodies("timer:timer", json!({}), json!({}));
    assert_eq!(bodies, [json!({ "fireTime": NOW })]);
}

#[test]
fn the_timer_accepts_the_intervals_of_its_choices_alone() {
    for interval in ["minute", "hour", "day", "week", ""] {
        assert_eq!(
            faults("timer:timer", &json!({ "interval": interval })),
            Vec::<String>::new()
        );
    }
    assert_eq!(
        faults("timer:timer", &json!({ "interval": "year" })).len(),
        1
    );
}

#[test]
fn the_simple_trigger_tells_the_time_before() {
    let bench = Bench::new();
    let mut call = call("simple-trigger:timer", json!({}), json!({}));
    let first = bench.run(&call);
    let epoch = "1970-01-01T00:00:00.000Z";
    assert_eq!(
        first.bodies(),
        [json!({ "fireTime": NOW, "lastPoll": epoch })]
    );
    assert_eq!(first.snapshot(), Some(&json!({ "lastPoll": NOW })));

    call.snapshot = first.snapshot().unwrap().clone();
    call.now_ms = NOW_MS + 60_000;
    let second = bench.run(&call).bodies();
    assert_eq!(second[0]["lastPoll"], NOW);
}

#[test]
fn the_simple_trigger_emits_inside_its_window_alone() {
    let bench = Bench::new();
    let outside = [
        json!({ "startTime": "2999-01-01T00:00:00.000Z" }),
        json!({ "endTime": "2026-03-04T05:06:07.088Z" }),
    ];
    for cfg in outside {
        let outcome = bench.run(&call("simple-trigger:timer", cfg, json!({})));
        assert_eq!(outcome.bodies(), Vec::<Value>::new());
        assert_eq!(outcome.snapshot(), None);
    }
    let window = json!({ "startTime": "2026-01-01T00:00:00.000Z", "endTime": NOW });
    let bodies = bench.bodies("simple-trigger:timer", window, json!({}));
    assert_eq!(bodies[0]["lastPoll"], "2026-01-01T00:00:00.000Z");
}

#[test]
fn the_simple_trigger_refuses_times_of_another_form() {
    let bench = Bench::new();
    let format = "(1970-01-01T00:00:00.000Z)";
    for bad in [
        "bad",
        "2026-01-01",
        "2026-13-01T00:00:00.000Z",
        "2026-01-01T00:00:00Z",
    ] {
        let cfg = json!({ "startTime": bad });
        assert_eq!(
            bench.failure("simple-trigger:timer", cfg.clone(), json!({})),
            format!("Date {bad} must be in ISO format {format}")
        );
        assert_eq!(faults("simple-trigger:timer", &cfg).len(), 1);
    }
    let turned = json!({ "startTime": NOW, "endTime": "2020-01-01T00:00:00.000Z" });
    assert!(
        bench
            .failure("simple-trigger:timer", turned, json!({}))
            .contains("startTime")
    );
}

#[test]
fn receive_puts_what_the_gateway_says_into_the_body() {
    let bench = Bench::new();
    let mut call = call("webhook:receive", json!({}), Value::Null);
    call.message = Message::from_value(json!({
        "body": { "a": 1 },
        "headers": { "x-a": "1" },
        "attachments": { "f": { "url": "u" } },
        "method": "POST",
        "url": "/hook/1/sub?x=1",
        "query": { "x": "1" },
        "additionalUrlPath": "/sub",
    }));
    let outcome = bench.run(&call);
    let message = outcome.messages()[0];
    assert_eq!(
        message.body,
        json!({
            "a": 1, "_query": { "x": "1" }, "_headers": { "x-a": "1" }, "_method": "POST",
            "_url": "/hook/1/sub?x=1", "_additionalUrlPath": "/sub",
        })
    );
    assert_eq!(message.headers, call.message.headers);
    assert_eq!(message.attachments, call.message.attachments);
    assert_eq!(message.rest, call.message.rest);
}

#[test]
fn receive_leaves_a_body_alone_that_is_no_object() {
    let bench = Bench::new();
    let bodies = bench.bodies("webhook:receive", json!({}), json!([1, 2]));
    assert_eq!(bodies, [json!([1, 2])]);
}

#[test]
fn route_passes_its_whole_message_on() {
    let bench = Bench::new();
    let mut call = call("router:route", json!({}), json!({ "a": 1 }));
    call.message.headers.insert("h".to_owned(), json!("v"));
    assert_eq!(bench.run(&call).messages(), [&call.message]);
}

#[test]
fn emit_config_emits_the_parsed_object() {
    let bench = Bench::new();
    for data in [
        json!("{\"env\":\"test\",\"n\":[1,2]}"),
        json!({ "env": "test", "n": [1, 2] }),
    ] {
        let bodies = bench.bodies(
            "configuration:emitConfig",
            json!({ "configData": data }),
            json!({}),
        );
        assert_eq!(bodies, [json!({ "env": "test", "n": [1, 2] })]);
    }
}

#[test]
fn emit_config_says_why_a_text_is_no_object() {
    let bench = Bench::new();
    let cases = [
        ("nope", "Unexpected token 'o', \"nope\" is not valid JSON"),
        ("{\"a\":1", "Unexpected end of JSON input"),
        ("", "Unexpected end of JSON input"),
        ("[1]", "`configData` must be one JSON object"),
        (
            "{\"first\": \"one\", \"second\": two, \"third\": 3, \"fourth\": 4}",
            "Unexpected token 'w', ...\"second\": two, \"third\"... is not valid JSON",
        ),
    ];
    for (text, message) in cases {
        let cfg = json!({ "configData": text });
        assert_eq!(
            bench.failure("configuration:emitConfig", cfg.clone(), json!({})),
            message
        );
        assert_eq!(faults("configuration:emitConfig", &cfg).len(), 1, "{text}");
    }
    let outcome = bench.run(&call(
        "configuration:emitConfig",
        json!({ "configData": "x" }),
        json!({}),
    ));
    assert_eq!(outcome.failure.unwrap().name, "SyntaxError");
    assert_eq!(
        faults("configuration:emitConfig", &json!({})),
        ["has no `configData`"]
    );
}

/// Returns the reply of a call.
#[track_caller]
fn reply_of(bench: &Bench, body: Value) -> (HttpReply, Value) {
    let outcome = bench.run(&call("request-reply:reply", json!({}), body));
    let passed = outcome.bodies();
    let Event::Reply(reply) = &outcome.events[0] else {
        panic!("no reply: {:?}", outcome.events);
    };
    (reply.clone(), passed[0].clone())
}

#[test]
fn reply_answers_the_call_and_passes_its_input_on() {
    let bench = Bench::new();
    let body = json!({
        "responseBody": "<a/>", "statusCode": "201", "contentType": "application/xml",
        "customHeaders": { "X-A": 1, "content-length": "9", "X-B": null },
    });
    let (reply, passed) = reply_of(&bench, body.clone());
    assert_eq!(passed, body);
    assert_eq!(reply.status, 201);
    assert_eq!(
        reply.headers,
        *object(&json!({ "Content-Type": "application/xml", "X-A": "1" }))
    );
    assert_eq!(reply.body, ReplyBody::Value(json!("<a/>")));
}

#[test]
fn reply_is_json_with_status_200_unless_the_message_says_otherwise() {
    let bench = Bench::new();
    let (reply, _) = reply_of(&bench, json!({ "responseBody": { "a": 1 } }));
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.headers,
        *object(&json!({ "Content-Type": "application/json" }))
    );
    assert_eq!(reply.body, ReplyBody::Value(json!({ "a": 1 })));
    // Without a body of its own it answers with all that it has.
    let (reply, _) = reply_of(&bench, json!({ "a": 2 }));
    assert_eq!(reply.body, ReplyBody::Value(json!({ "a": 2 })));
    let (reply, _) = reply_of(
        &bench,
        json!({ "responseBody": "", "customHeaders": { "content-type": "text/plain" } }),
    );
    assert_eq!(
        reply.headers,
        *object(&json!({ "content-type": "text/plain" }))
    );
}

#[test]
fn reply_refuses_what_can_not_be_sent() {
    let bench = Bench::new();
    for (body, word) in [
        (json!({ "statusCode": 99 }), "statusCode"),
        (json!({ "statusCode": 600 }), "statusCode"),
        (json!({ "statusCode": "ok" }), "statusCode"),
        (json!({ "contentType": "a\r\nX: y" }), "contentType"),
        (json!({ "customHeaders": { "a b": "1" } }), "a b"),
        (json!({ "customHeaders": { "X-A": "1\nX-B: 2" } }), "X-A"),
        (json!({ "customHeaders": 5 }), "customHeaders"),
    ] {
        let failure = bench.failure("request-reply:reply", json!({}), body);
        assert!(failure.contains(word), "{failure}");
    }
}

#[test]
fn code_emits_what_it_returns_and_what_it_emits() {
    let bench = Bench::new();
    let cases = [
        (
            "async function run() { await emitter.emit('data', messages.newMessageWithBody({ result: 'Hello world!' })); }",
            json!({}),
            json!({ "result": "Hello world!" }),
        ),
        (
            "emitter.emit('data', messages.newMessageWithBody({hi: msg.body.name}));",
            json!({ "name": "Bob" }),
            json!({ "hi": "Bob" }),
        ),
        (
            "function* run(msg) { return { sum: msg.body.a + msg.body.b }; }",
            json!({ "a": 2, "b": 3 }),
            json!({ "sum": 5 }),
        ),
    ];
    for (code, body, expected) in cases {
        for function in ["code:execute", "code:executeTrigger"] {
            let bodies = bench.bodies(function, json!({ "code": code }), body.clone());
            assert_eq!(bodies, std::slice::from_ref(&expected), "{code}");
        }
    }
}

#[test]
fn code_has_its_step_around_it() {
    let bench = Bench::new();
    let code = "async function run(msg, cfg, snapshot) {
        await this.emit('snapshot', { seen: snapshot.seen + 1 });
        await this.emit('updateSnapshot', { more: true });
        console.warn('careful');
        await this.emit('httpReply', { statusCode: 202, body: 'b', headers: { a: '1' } });
        return { before: msg.passthrough.step_1.body.n, colour: cfg.colour,
                 who: this.getFlowVariables().who };
    }";
    let mut call = call(
        "code:execute",
        json!({ "code": code, "colour": "red" }),
        json!({}),
    );
    call.snapshot = json!({ "seen": 1 });
    call.passthrough = Some(json!({ "step_1": { "body": { "n": 7 } } }));
    call.variables = json!({ "who": "me" });
    let outcome = bench.run(&call);
    assert_eq!(
        outcome.bodies(),
        [json!({ "before": 7, "colour": "red", "who": "me" })]
    );
    assert_eq!(outcome.snapshot(), Some(&json!({ "seen": 2 })));
    assert_eq!(outcome.log(), [(LogLevel::Warn, "careful")]);
    let more = object(&json!({ "more": true })).clone();
    assert!(outcome.events.contains(&Event::UpdateSnapshot(more)));
    let reply = HttpReply {
        status: 202,
        headers: object(&json!({ "a": "1" })).clone(),
        body: ReplyBody::Value(json!("b")),
    };
    assert!(outcome.events.contains(&Event::Reply(reply)));
}

#[test]
fn what_code_throws_is_the_error_of_the_step() {
    let bench = Bench::new();
    let code = "async function run() {
        await emitter.emit('data', { body: { n: 1 } });
        await emitter.emit('error', new Error('first'));
        await emitter.emit('rebound', 'later');
        throw new TypeError('second');
    }";
    let outcome = bench.run(&call("code:execute", json!({ "code": code }), json!({})));
    let failure = outcome.failure.unwrap();
    assert_eq!(
        (failure.name.as_str(), failure.message.as_str()),
        ("TypeError", "second")
    );
    assert!(failure.stack.unwrap().contains("code.js:5"));
    assert_eq!(outcome.events.len(), 3);
    assert!(
        matches!(&outcome.events[0], Event::Data(message) if message.body == json!({ "n": 1 }))
    );
    assert!(matches!(&outcome.events[1], Event::Error(error) if error.message == "first"));
    assert_eq!(outcome.events[2], Event::Rebound("later".to_owned()));
}

#[test]
fn code_that_can_not_be_read_is_refused_before_it_runs() {
    assert_eq!(faults("code:execute", &json!({})), ["has no `code`"]);
    let fault = faults("code:execute", &json!({ "code": "function (" }));
    assert!(fault[0].contains("SyntaxError"), "{fault:?}");
    assert_eq!(
        faults(
            "code:execute",
            &json!({ "code": "async function run() {}" })
        ),
        Vec::<String>::new()
    );
}
