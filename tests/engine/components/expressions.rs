//! Components that evaluate expressions, templates and paths.

use elastane::domain::lookup::NewLookup;
use elastane::domain::run::LogLevel;
use serde_json::{Value, json};

use super::bench::{Bench, call, faults, object};

#[test]
fn a_filter_passes_its_message_on_where_the_expression_is_true() {
    let bench = Bench::new();
    for (function, field) in [
        ("filter:SimpleJSONataFilter", "expression"),
        ("filter:filter", "condition"),
    ] {
        let mut call = call(
            function,
            json!({ field: "count > 1" }),
            json!({ "count": 2 }),
        );
        call.message.headers.insert("h".to_owned(), json!("v"));
        assert_eq!(bench.run(&call).messages(), [&call.message]);
        call.message.body = json!({ "count": 1 });
        assert_eq!(bench.run(&call).bodies(), Vec::<Value>::new());
    }
}

#[test]
fn a_filter_takes_for_true_what_javascript_does() {
    let bench = Bench::new();
    for (expression, passes) in [
        ("true", true),
        ("\"text\"", true),
        ("5", true),
        ("{}", true),
        ("false", false),
        ("0", false),
        ("\"\"", false),
        ("null", false),
        ("missing", false),
    ] {
        let cfg = json!({ "expression": expression });
        let bodies = bench.bodies("filter:SimpleJSONataFilter", cfg, json!({ "a": 1 }));
        assert_eq!(bodies.len(), usize::from(passes), "{expression}");
    }
}

#[test]
fn an_asserted_filter_fails_with_its_expression() {
    let bench = Bench::new();
    for on in [json!(true), json!("on"), json!("true")] {
        let cfg = json!({ "expression": "count > 1", "assertion": on });
        assert_eq!(
            bench.failure("filter:SimpleJSONataFilter", cfg, json!({ "count": 1 })),
            "Condition not met on JSONata expression: count > 1"
        );
    }
    for off in [json!(false), json!(""), json!("off"), Value::Null] {
        let cfg = json!({ "expression": "count > 1", "assertion": off });
        let bodies = bench.bodies("filter:SimpleJSONataFilter", cfg, json!({ "count": 1 }));
        assert_eq!(bodies, Vec::<Value>::new());
    }
}

#[test]
fn a_filter_sees_the_passthrough_and_the_variables() {
    let bench = Bench::new();
    let expression = "elasticio.step_1.body.n = 7 and $getFlowVariables().who = \"me\" \
                      and $getPassthrough().step_1.body.n = 7";
    let mut call = call(
        "filter:SimpleJSONataFilter",
        json!({ "expression": expression, "assertion": true }),
        json!({}),
    );
    call.passthrough = Some(json!({ "step_1": { "body": { "n": 7 } } }));
    call.variables = json!({ "who": "me" });
    assert_eq!(bench.run(&call).bodies(), [json!({})]);
}

#[test]
fn what_is_no_expression_is_refused_before_it_runs() {
    let bench = Bench::new();
    for (function, field) in [
        ("filter:SimpleJSONataFilter", "expression"),
        ("filter:filter", "condition"),
        ("splitter:splitOnJsonataExpression", "expression"),
    ] {
        assert_eq!(faults(function, &json!({})), [format!("has no `{field}`")]);
        let cfg = json!({ field: "a +" });
        let fault = faults(function, &cfg);
        assert!(fault[0].contains("no JSONata expression"), "{fault:?}");
        let outcome = bench.run(&call(function, cfg, json!({})));
        assert_eq!(outcome.failure.unwrap().name, "JSONataError");
    }
}

#[test]
fn log_writes_the_body_or_the_value_of_an_expression() {
    let bench = Bench::new();
    let body = json!({ "n": 1, "who": "Ada" });
    for (cfg, level, text) in [
        (json!({}), LogLevel::Info, "{\"n\":1,\"who\":\"Ada\"}"),
        (
            json!({ "level": "warn", "message": "who & \"!\"" }),
            LogLevel::Warn,
            "Ada!",
        ),
        (
            json!({ "level": "error", "message": "n" }),
            LogLevel::Error,
            "1",
        ),
        (
            json!({ "level": "debug", "message": "x" }),
            LogLevel::Debug,
            "(no value)",
        ),
    ] {
        let outcome = bench.run(&call("debug:log", cfg, body.clone()));
        assert_eq!(outcome.bodies(), std::slice::from_ref(&body));
        assert_eq!(outcome.log(), [(level, text)]);
    }
}

#[test]
fn an_entry_shows_nothing_under_names_that_look_secret() {
    let bench = Bench::new();
    let body = json!({
        "n": 1, "password": "hunter2", "_headers": { "authorization": "Basic YTpi", "cookie": "c" },
        "_url": "/?api_key=k",
    });
    for (cfg, text) in [
        (
            json!({}),
            "{\"n\":1,\"password\":\"***\",\"_headers\":{\"authorization\":\"***\",\
             \"cookie\":\"***\"},\"_url\":\"/?api_key=***\"}",
        ),
        (
            json!({ "message": "_headers" }),
            "{\"authorization\":\"***\",\"cookie\":\"***\"}",
        ),
        (json!({ "message": "_url" }), "/?api_key=***"),
    ] {
        let outcome = bench.run(&call("debug:log", cfg, body.clone()));
        assert_eq!(outcome.log(), [(LogLevel::Info, text)]);
        assert_eq!(
            outcome.bodies(),
            std::slice::from_ref(&body),
            "it goes on whole"
        );
    }
}

#[test]
fn a_long_entry_is_cut_and_its_message_is_not() {
    let bench = Bench::new();
    let body = json!({ "text": "ü".repeat(10_000) });
    let outcome = bench.run(&call("debug:log", json!({}), body.clone()));
    assert_eq!(outcome.bodies(), [body]);
    let entry = outcome.log()[0].1;
    assert!(
        entry.len() <= 8 * 1024 + 3 && entry.ends_with('…'),
        "{}",
        entry.len()
    );
}

#[test]
fn log_refuses_an_unknown_level_and_what_is_no_expression() {
    let cfg = json!({ "level": "loud", "message": "a +" });
    assert_eq!(faults("debug:log", &cfg).len(), 2);
    assert_eq!(
        faults("debug:log", &json!({ "level": "" })),
        Vec::<String>::new()
    );
    let failure = Bench::new().failure("debug:log", cfg, json!({}));
    assert!(failure.contains("level"), "{failure}");
}

#[test]
fn split_emits_each_element_at_its_path() {
    let bench = Bench::new();
    let users = json!([{ "name": "John" }, { "name": "Mike" }]);
    for (path, body) in [
        ("users", json!({ "users": users })),
        ("a.users", json!({ "a": { "users": users } })),
        ("a[1].users", json!({ "a": [{}, { "users": users }] })),
        ("a[\"x.y\"]", json!({ "a": { "x.y": users } })),
        ("x.y", json!({ "x.y": users })),
        ("$", users.clone()),
    ] {
        let bodies = bench.bodies("splitter:split", json!({ "splitter": path }), body);
        assert_eq!(Value::from(bodies), users, "{path}");
    }
    // An object alone is one element.
    let one = json!({ "user": { "name": "John" } });
    let bodies = bench.bodies("splitter:split", json!({ "splitter": "user" }), one);
    assert_eq!(bodies, [json!({ "name": "John" })]);
    let none = json!({ "users": [] });
    let bodies = bench.bodies("splitter:split", json!({ "splitter": "users" }), none);
    assert_eq!(bodies, Vec::<Value>::new());
}

#[test]
fn split_refuses_a_path_that_leads_nowhere_and_elements_that_are_no_objects() {
    let bench = Bench::new();
    let body = json!({ "users": [{}], "n": [1], "mixed": [{}, null], "text": "x", "zero": 0 });
    for path in ["nope", "users.nope", "users[7].a", "zero", "users[", "a..b"] {
        assert_eq!(
            bench.failure("splitter:split", json!({ "splitter": path }), body.clone()),
            format!("Could not find properties by following path: \"{path}\"!")
        );
    }
    for path in ["n", "mixed", "text"] {
        assert_eq!(
            bench.failure("splitter:split", json!({ "splitter": path }), body.clone()),
            "Splitting arrays of objects only!"
        );
    }
    assert_eq!(faults("splitter:split", &json!({})), ["has no `splitter`"]);
}

#[test]
fn split_on_an_expression_emits_each_object_of_its_array() {
    let bench = Bench::new();
    let body = json!({ "users": [
        { "name": "John", "age": 20 }, { "name": "Mike", "age": 40 }, { "name": "Ada", "age": 60 },
    ] });
    let split = |expression: &str| {
        let cfg = json!({ "expression": expression });
        bench.bodies("splitter:splitOnJsonataExpression", cfg, body.clone())
    };
    assert_eq!(
        split("users[age > 30].{ \"who\": name }"),
        [json!({ "who": "Mike" }), json!({ "who": "Ada" })]
    );
    // JSONata makes one element of an array of one.
    assert_eq!(
        split("users[age > 50].{ \"who\": name }"),
        [json!({ "who": "Ada" })]
    );
    for expression in ["users.name", "users.age", "\"x\"", "missing", "[1, {}]"] {
        let cfg = json!({ "expression": expression });
        let failure = bench.failure("splitter:splitOnJsonataExpression", cfg, body.clone());
        assert_eq!(failure, "Splitting arrays of objects only!", "{expression}");
    }
}

#[test]
fn map_makes_one_message_for_each_element_that_a_template_refers_to() {
    let bench = Bench::new();
    let cfg = json!({ "mapper": { "who": "{{users[*].name}}", "fixed": "x" } });
    let body = json!({ "users": [{ "name": "John" }, { "name": "Mike" }] });
    assert_eq!(
        bench.bodies("mapper:map", cfg, body),
        [
            json!({ "who": "John", "fixed": "x" }),
            json!({ "who": "Mike", "fixed": "x" })
        ]
    );
}

#[test]
fn map_without_a_mapping_passes_its_message_on() {
    let bench = Bench::new();
    for cfg in [json!({}), json!({ "mapper": null })] {
        assert_eq!(faults("mapper:map", &cfg), Vec::<String>::new());
        let mut call = call("mapper:map", cfg, json!({ "a": 1 }));
        call.message.headers.insert("h".to_owned(), json!("v"));
        assert_eq!(bench.run(&call).messages(), [&call.message]);
    }
}

#[test]
fn map_translates_through_the_lookup_tables_of_its_owner() {
    let bench = Bench::new();
    let data = object(&json!({ "DE": "Germany" })).clone();
    let new = NewLookup::parse(Some("Countries"), Some(data)).unwrap();
    let made = bench.here.app.create_lookup(&bench.who, new).unwrap();
    for field in ["lookup_tables", "lookupTables"] {
        for table in ["Countries".to_owned(), made.id.to_string()] {
            let cfg = json!({ "mapper": { "country": "{{code}}" }, field: { "country": table } });
            let bodies = bench.bodies("mapper:map", cfg, json!({ "code": "DE" }));
            assert_eq!(bodies, [json!({ "country": "Germany" })], "{field}");
        }
    }
}

#[test]
fn jsonata_map_keeps_types_and_takes_one_expression_too() {
    let bench = Bench::new();
    let body = json!({ "n": 2, "list": [1, 2] });
    let cfg = json!({ "mapper": { "double": "n * 2", "deep": { "list": "list" } } });
    assert_eq!(
        bench.bodies("mapper:jsonataMap", cfg, body.clone()),
        [json!({ "double": 4, "deep": { "list": [1, 2] } })]
    );
    let cfg = json!({ "mapper": "{ \"sum\": $sum(list) }" });
    assert_eq!(
        bench.bodies("mapper:jsonataMap", cfg, body),
        [json!({ "sum": 3 })]
    );
}

#[test]
fn mappings_that_can_not_be_read_are_refused_before_they_run() {
    assert_eq!(faults("mapper:jsonataMap", &json!({})), ["has no `mapper`"]);
    let failure = Bench::new().failure("mapper:jsonataMap", json!({}), json!({}));
    assert_eq!(failure, "`mapper` is required");
    let bad = json!({ "mapper": { "a": { "b": "x +" } } });
    let fault = faults("mapper:jsonataMap", &bad);
    assert!(fault[0].contains("a.b"), "{fault:?}");
    let bad = json!({ "mapper": { "a": "{{#if x}}" } });
    assert_eq!(faults("mapper:map", &bad).len(), 1);
}
