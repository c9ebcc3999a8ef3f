//! JSONata expressions over messages.

use elastane::domain::expression::{EXPRESSION_MAX_BYTES, Expression, Scope};
use serde_json::{Map, Value, json};

/// A time: 2024-02-29T13:05:09.007Z.
const NOW_MS: i64 = 1_709_211_909_007;

/// Evaluates an expression over a body; an error becomes a text.
fn value_of(text: &str, body: &Value) -> Result<Option<Value>, String> {
    let variables = Map::new();
    let scope = Scope {
        body,
        passthrough: None,
        variables: &variables,
        now_ms: NOW_MS,
    };
    let expression = Expression::parse(text)?;
    expression.evaluate(&scope).map_err(|error| error.message)
}

/// Evaluates an expression that has a value.
#[track_caller]
fn some(text: &str, body: &Value) -> Value {
    match value_of(text, body) {
        Ok(Some(value)) => value,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_documented_router_sends_to_both_conditions() {
    let variables = Map::new();
    let is_true = |text: &str, body: &Value| {
        let scope = Scope {
            body,
            passthrough: None,
            variables: &variables,
            now_ms: 0,
        };
        Expression::parse(text).unwrap().is_true(&scope)
    };
    let body = json!({ "test": "12345" });
    assert_eq!(is_true("$number(test) > 10", &body), Ok(true));
    assert_eq!(is_true("$number(test) > 20", &body), Ok(true));
    let body = json!({ "test": "15" });
    assert_eq!(is_true("$number(test) > 20", &body), Ok(false));
    for not_true in ["1", "\"true\"", "test", "nothing", "{}", "[true]"] {
        assert_eq!(is_true(not_true, &body), Ok(false), "{not_true}");
    }
    assert!(is_true("$number(\"x\") > 1", &body).is_err());
}

#[test]
fn values_keep_their_types() {
    let body = json!({ "n": 1, "f": 1.5, "b": true, "z": null, "s": "x", "a": [1], "e": [], "big": 9_007_199_254_740_993_i64 });
    for name in ["n", "f", "b", "z", "s", "a", "e", "big"] {
        assert_eq!(some(name, &body), body[name], "{name}");
    }
    assert_eq!(some("n + 1", &body), json!(2));
    assert_eq!(some("f * 3", &body), json!(4.5));
    assert_eq!(some("$", &json!([1, 2])), json!([1, 2]));
    assert_eq!(value_of("missing.more", &body), Ok(None));
}

#[test]
fn plain_expressions_give_what_the_language_gives() {
    let body = json!({
        "s": "x", "n": 7, "f": 1.25, "t": true, "z": null, "o": { "p": "q", "e": [] },
        "one": [5], "many": [1, [2, 3]], "none": [], "rows": [{ "k": 1 }, { "k": 2 }, {}],
        "single": [{ "k": [1] }], "with space": 1,
    });
    let parts = [
        "s",
        "n",
        "f",
        "t",
        "z",
        "o",
        "o.p",
        "o.e",
        "o.p.r",
        "one",
        "many",
        "none",
        "rows",
        "rows.k",
        "single.k",
        "missing",
        "n.x",
        "z.x",
        "`with space`",
        "\"text\"",
        "12",
        "null",
    ];
    for one in parts {
        // In brackets the expression is a block, which only the crate evaluates.
        assert_eq!(
            value_of(one, &body),
            value_of(&format!("({one})"), &body),
            "{one}"
        );
        for two in parts {
            for text in [
                format!("{one} & {two} & \"!\""),
                format!("{{\"a\": {one}, \"b\": {two}}}"),
            ] {
                assert_eq!(
                    value_of(&text, &body),
                    value_of(&format!("({text})"), &body),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn what_reads_no_passthrough_is_known_by_its_text() {
    let reads = |text: &str| Expression::parse(text).expect(text).reads_passthrough();
    for text in [
        "elasticio.step_1.body",
        "$getPassthrough()",
        "*",
        "a.*",
        "x and *",
        "[*, 1]",
        "2 * *",
        "**.id",
        "$keys($)",
    ] {
        assert!(reads(text), "{text}");
    }
    for text in [
        "price * 2",
        "$sum(items.(price * quantity))",
        "items[0] * (1 + tax)*3",
        "name.first & \" \" & name.last",
    ] {
        assert!(!reads(text), "{text}");
    }
}

#[test]
fn the_passthrough_is_a_member_and_a_function() {
    let body = json!({ "a": 1 });
    let passthrough = json!({ "step_1": { "body": { "id": "x" } } });
    let variables = json!({ "region": "eu" });
    let scope = |body| Scope {
        body,
        passthrough: passthrough.as_object(),
        variables: variables.as_object().unwrap(),
        now_ms: 0,
    };
    let value = |text: &str, body| Expression::parse(text).unwrap().evaluate(&scope(body));
    assert_eq!(
        value("elasticio.step_1.body.id", &body),
        Ok(Some(json!("x")))
    );
    assert_eq!(
        value("$.elasticio.step_1.body.id", &body),
        Ok(Some(json!("x")))
    );
    assert_eq!(
        value("$getPassthrough().\"step_1\".body.id", &body),
        Ok(Some(json!("x")))
    );
    assert_eq!(
        value("$getFlowVariables().region & a", &body),
        Ok(Some(json!("eu1")))
    );
    assert_eq!(value("$count($keys($))", &body), Ok(Some(json!(2))));
    let taken = json!({ "elasticio": 1, "a": 1 });
    assert!(value("a", &taken).unwrap_err().message.contains("reserved"));
    // Without a passthrough the name is free, and the functions give nothing.
    assert_eq!(some("elasticio", &taken), json!(1));
    assert_eq!(value_of("$getPassthrough()", &body), Ok(None));
    assert_eq!(some("$getFlowVariables()", &body), json!({}));
}

#[test]
fn times_follow_the_time_that_is_given() {
    let body = json!({ "at": "2024-01-31T10:20:30Z" });
    for (text, expected) in [
        ("$millis()", json!(NOW_MS)),
        ("$now()", json!("2024-02-29T13:05:09.007Z")),
        ("$now('[Y]')", json!("2024")),
        ("$moment().format('YYYY-MM-DD')", json!("2024-02-29")),
        ("$moment()", json!("2024-02-29T13:05:09.007Z")),
        ("$moment().toISOString()", json!("2024-02-29T13:05:09.007Z")),
        (
            "$moment(at).format('DD.MM.YYYY HH:mm')",
            json!("31.01.2024 10:20"),
        ),
        ("$moment(at).format()", json!("2024-01-31T10:20:30+00:00")),
        (
            "$moment(at).format('[Week] W, dddd Do MMM YY h:mm a')",
            json!("Week 5, Wednesday 31st Jan 24 10:20 am"),
        ),
        (
            "$moment(at).add(1, 'month').format('YYYY-MM-DD')",
            json!("2024-02-29"),
        ),
        (
            "$moment(at).subtract(2, 'days').add({'hours': 3}).toISOString()",
            json!("2024-01-29T13:20:30.000Z"),
        ),
        (
            "$moment(at).startOf('month').toISOString()",
            json!("2024-01-01T00:00:00.000Z"),
        ),
        (
            "$moment(at).endOf('day').toISOString()",
            json!("2024-01-31T23:59:59.999Z"),
        ),
        ("$moment(at).year() + $moment(at).month()", json!(2024)),
        (
            "[$moment(at).date(), $moment(at).day(), $moment(at).hour(), $moment(at).minute(), $moment(at).second()]",
            json!([31, 3, 10, 20, 30]),
        ),
        ("$moment(at).valueOf()", json!(1_706_696_430_000_i64)),
        ("$moment(at).unix()", json!(1_706_696_430)),
        ("$moment().diff($$.at, 'days')", json!(29)),
        ("$moment().diff($moment($$.at), 'months')", json!(0)),
        ("$moment(at).isBefore($moment())", json!(true)),
        ("$moment(at).isSame('2024-01-01', 'month')", json!(true)),
        (
            "$moment('31/12/2023 11:30 PM', 'DD/MM/YYYY hh:mm A').utc().toISOString()",
            json!("2023-12-31T23:30:00.000Z"),
        ),
        (
            "$moment(0).utcOffset('+02:00').format()",
            json!("1970-01-01T02:00:00+02:00"),
        ),
        ("$moment('nonsense').isValid()", json!(false)),
        ("$moment('nonsense').format('YYYY')", json!("Invalid date")),
        ("($m := $moment(at); $m.hours(5).format('H'))", json!("5")),
    ] {
        assert_eq!(value_of(text, &body), Ok(Some(expected)), "{text}");
    }
}

#[test]
fn moments_tell_how_far_they_lie_apart_and_take_lists() {
    let body = json!({ "at": "2024-01-31T10:20:30Z" });
    for (text, expected) in [
        (
            "$moment('2024-02-02T09:50:30Z').diff($$.at, 'hours', true)",
            json!(47.5),
        ),
        (
            "$moment('2024-02-02T09:50:30Z').diff($$.at, 'hours')",
            json!(47),
        ),
        (
            "$moment('2024-02-15').diff('2024-01-01', 'months', true)",
            json!(1.0 + 14.0 / 29.0),
        ),
        (
            "$moment('2024-01-01').diff('2024-02-15', 'months', true)",
            json!(-1.0 - 14.0 / 29.0),
        ),
        (
            "$moment('2025-07-01').diff('2024-01-01', 'years', true)",
            json!(1.5),
        ),
        ("$moment(at).fromNow()", json!("a month ago")),
        ("$moment().add(2, 'hours').fromNow()", json!("in 2 hours")),
        (
            "$moment().subtract(44, 'seconds').fromNow()",
            json!("a few seconds ago"),
        ),
        (
            "$moment().subtract(26, 'hours').fromNow(true)",
            json!("a day"),
        ),
        ("$moment().add(3, 'years').fromNow()", json!("in 3 years")),
        (
            "$moment('2024-01-01').from('2024-01-06')",
            json!("5 days ago"),
        ),
        ("$moment(at).locale()", json!("en")),
        ("$moment(at).locale('en').format('MMMM')", json!("January")),
        (
            "$moment([2024, 1, 29, 13]).toISOString()",
            json!("2024-02-29T13:00:00.000Z"),
        ),
        (
            "$moment([2024]).toISOString()",
            json!("2024-01-01T00:00:00.000Z"),
        ),
        ("$moment([2024, 12]).isValid()", json!(false)),
        (
            "$moment('2024-12-29').format('gggg-ww gg GGGG-WW GG')",
            json!("2025-01 25 2024-52 24"),
        ),
        ("$moment('2027-01-02').format('gggg w')", json!("2027 1")),
    ] {
        assert_eq!(value_of(text, &body), Ok(Some(expected)), "{text}");
    }
}

#[test]
fn what_is_no_expression_says_why() {
    for text in ["", "a.b[0", "foo(", "\"open", "a b", "1 +", "{\"a\":}"] {
        let reason = Expression::parse(text).unwrap_err();
        assert!(
            !reason.is_empty() && !reason.contains('\n'),
            "{text}: {reason}"
        );
    }
    assert!(Expression::parse(&"a".repeat(EXPRESSION_MAX_BYTES + 1)).is_err());
}

#[test]
fn a_function_is_no_value_of_a_message() {
    for text in [
        "$sum",
        "function($x){$x}",
        "{\"f\": function($x){$x}}",
        "/a/",
    ] {
        assert!(value_of(text, &json!({})).is_err(), "{text}");
    }
}

#[test]
fn hostile_expressions_end_with_an_error() {
    for text in [
        "($f := function($n){ $f($n + 1) }; $f(1))",
        "($f := function($n){ 1 + $f($n + 1) }; $f(1))",
        "[1..10000000]",
        "$pad(\"x\", 1000000000)",
        "$pad(\"x\", -1e308)",
        "$formatInteger(1e30, \"I\")",
        "$fromMillis(0, \"[f,1-99999999]\")",
        "$contains(\"a\", /((a{100}){100}){100}/)",
        "($a := function($d){ $d = 0 ? {\"x\": 1} : ($v := $a($d - 1); {\"l\": $v, \"r\": $v}) }; $a(40))",
        "($a := function($d){ $d = 0 ? 1 : [[$a($d - 1)]] }; $a(200))",
        "1 / 0",
        "$eval(\"1\")",
    ] {
        assert!(value_of(text, &json!({})).is_err(), "{text}");
    }
    // And the next one is as if nothing had been.
    assert_eq!(some("1 + 1", &json!({})), json!(2));
}

#[test]
fn deep_texts_are_refused_and_odd_ones_do_no_harm() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{\"a\":", "}"), ("$f(", ")")] {
        let text = format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
        assert!(Expression::parse(&text).is_err(), "{open}");
    }
    for piece in [
        "-",
        "a.",
        "1+",
        "a&",
        "a?",
        "function($x){",
        "**",
        "%",
        "a~>",
        "a^(",
        "`",
        "/",
        "\u{0}",
        "é",
        "\\",
    ] {
        let _ = Expression::parse(&piece.repeat(5_000));
        let _ = value_of(&format!("{}a", piece.repeat(50)), &json!({ "a": 1 }));
    }
}

#[test]
fn random_texts_never_panic() {
    let pieces = [
        "a",
        ".",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "$",
        "$sum",
        "\"x\"",
        "1",
        "-",
        "&",
        "~>",
        "?",
        ":",
        ":=",
        ";",
        "%",
        "*",
        "**",
        "^",
        "@$v",
        "#$i",
        "|",
        ",",
        "function($x)",
        "null",
        "/r/",
        "$map",
        "$sort",
        "$split",
        "$substring",
        "1e308",
        "..",
        " in ",
        " and ",
        "$moment()",
    ];
    let mut seed = 12_345_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let body = json!({ "a": [{ "b": 1 }, "é", -1] });
    for _ in 0..3_000 {
        let text: String = (0..next(12)).map(|_| pieces[next(pieces.len())]).collect();
        let _ = value_of(&text, &body);
    }
}

#[test]
fn an_expression_goes_from_thread_to_thread() {
    let expression = Expression::parse("$uppercase(a) & $moment(0).format('YYYY')").unwrap();
    let work = |_| {
        let expression = expression.clone();
        std::thread::scope(|scope| {
            scope
                .spawn(move || {
                    let body = json!({ "a": "x" });
                    let variables = Map::new();
                    expression.evaluate(&Scope {
                        body: &body,
                        passthrough: None,
                        variables: &variables,
                        now_ms: 0,
                    })
                })
                .join()
                .unwrap()
        })
    };
    assert!(
        (0..3)
            .map(work)
            .all(|value| value == Ok(Some(json!("X1970"))))
    );
}
