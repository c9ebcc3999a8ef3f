//! Mappings in both languages.

use elastane::domain::expression::Scope;
use elastane::domain::mapping::{MESSAGES_MAX, MapperKind, Mapping};
use serde_json::{Map, Value, json};

/// Maps a body; an error becomes a text.
fn mapped(
    kind: MapperKind,
    mapper: &Value,
    tables: Option<&Value>,
    body: &Value,
) -> Result<Vec<Value>, String> {
    let mapping = Mapping::parse(mapper, kind, tables).map_err(|faults| format!("{faults:?}"))?;
    let variables = Map::new();
    let scope = Scope {
        body,
        passthrough: None,
        variables: &variables,
        now_ms: 0,
    };
    let known = |name: &str| match name {
        "countries" => json!({ "DE": "Germany", "1": 49 }).as_object().cloned(),
        _ => None,
    };
    mapping.apply(&scope, &known).map_err(|error| error.message)
}

/// Maps with templates.
#[track_caller]
fn handlebars(mapper: &Value, body: &Value) -> Vec<Value> {
    match mapped(MapperKind::Handlebars, mapper, None, body) {
        Ok(made) => made,
        Err(error) => panic!("{mapper}: {error}"),
    }
}

/// Renders one template.
#[track_caller]
fn rendered(template: &str, body: &Value) -> Value {
    let mut made = handlebars(&json!({ "x": template }), body);
    assert_eq!(made.len(), 1, "{template}");
    made.remove(0)["x"].take()
}

#[test]
fn jsonata_makes_one_typed_message() {
    let mapper = json!({
        "name": "first & \" \" & last",
        "total": "$sum(lines.(price * count))",
        "lines": "lines.{\"sku\": sku}",
        "fixed": 7, "flag": true, "nothing": "missing", "nested": { "a": ["first", "missing", 1] },
    });
    let body = json!({ "first": "Ada", "last": "M", "lines": [
        { "sku": "a", "price": 1.5, "count": 2 }, { "sku": "b", "price": 3, "count": 1 } ] });
    let made = mapped(MapperKind::Jsonata, &mapper, None, &body).unwrap();
    assert_eq!(
        made,
        [json!({
            "name": "Ada M", "total": 6, "lines": [{ "sku": "a" }, { "sku": "b" }],
            "fixed": 7, "flag": true, "nested": { "a": ["Ada", 1] },
        })]
    );
    let whole = |text: &str| mapped(MapperKind::Jsonata, &json!(text), None, &body).unwrap();
    assert_eq!(
        whole("lines[0]"),
        [json!({ "sku": "a", "price": 1.5, "count": 2 })]
    );
    assert_eq!(whole("missing"), [json!({})]);
}

#[test]
fn a_broken_mapping_names_its_places() {
    let mapper = json!({ "a": "1 +", "b": { "c": ["ok", "("] } });
    let faults = Mapping::parse(&mapper, MapperKind::Jsonata, None).unwrap_err();
    let places: Vec<&str> = faults.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["a", "b.c.1"]);
    let mapper =
        json!({ "a": "{{#if x}}", "b": "{{x", "c": "{{> other}}", "d": "{{#other x}}{{/other}}" });
    let faults = Mapping::parse(&mapper, MapperKind::Handlebars, None).unwrap_err();
    assert_eq!(faults.len(), 4, "{faults:?}");
    for kind in [MapperKind::Jsonata, MapperKind::Handlebars] {
        assert!(Mapping::parse(&json!(5), kind, None).is_err());
    }
    let error = mapped(
        MapperKind::Jsonata,
        &json!({ "a": "$number(\"x\")" }),
        None,
        &json!({}),
    );
    assert!(error.unwrap_err().starts_with("a: "));
}

#[test]
fn templates_always_give_texts_and_constants_pass() {
    let body =
        json!({ "a": { "b": { "c": 5 } }, "t": true, "z": null, "o": { "k": 1 }, "h": "<&\"'>" });
    for (template, expected) in [
        ("{{a.b.c}}", "5"),
        ("{{ a.b.c }}-{{t}}", "5-true"),
        ("{{missing.x}}", ""),
        ("{{z}}", ""),
        ("{{h}}{{{h}}}", "<&\"'><&\"'>"),
        ("{{this.a.b.c}}", "5"),
        ("{{o}}", "{\"k\":1}"),
        ("constant", "constant"),
        ("", ""),
        ("{{EIO_toFixed a.b.c 2}}", "5.00"),
        ("{{EIO_toFixed h 2}}", "<&\"'>"),
        ("{{#if t}}yes{{else}}no{{/if}}", "yes"),
        ("{{#if missing}}yes{{else if t}}{{h}}{{/if}}", "<&\"'>"),
        ("{{#unless z}}{{EIO_toFixed a.b.c 1}}{{/unless}}", "5.0"),
        ("{{! nothing }}x{{!-- {{nothing}} --}}", "x"),
    ] {
        assert_eq!(rendered(template, &body), json!(expected), "{template}");
    }
    let mapper = json!({ "n": 1, "t": true, "z": null, "l": ["{{t}}", 2] });
    assert_eq!(
        handlebars(&mapper, &body),
        [json!({ "n": 1, "t": true, "z": null, "l": ["true", 2] })]
    );
}

#[test]
fn numbers_are_written_as_javascript_writes_them() {
    for (number, expected) in [
        ("1.0", "1"),
        ("-5.0", "-5"),
        ("-0.0", "0"),
        ("1.50", "1.5"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("1.5e-7", "1.5e-7"),
        ("0.000001", "0.000001"),
        ("12345678901234567890", "12345678901234567890"),
    ] {
        let body: Value = serde_json::from_str(&format!("{{\"n\":{number}}}")).unwrap();
        for template in ["{{n}}", "{{#if t}}{{else}}{{n}}{{/if}}"] {
            assert_eq!(rendered(template, &body), json!(expected), "{template}");
        }
    }
    for (number, digits, expected) in [
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("0.5", 0, "1"),
        ("9.5", 0, "10"),
        ("-99.5", 0, "-100"),
        ("0.25", 1, "0.3"),
        ("0.125", 2, "0.13"),
        ("9.75", 1, "9.8"),
        ("1.005", 2, "1.00"),
        ("1.45", 1, "1.4"),
        ("8.345", 2, "8.35"),
        ("-1.5", 0, "-2"),
        ("1125899906842624.25", 1, "1125899906842624.3"),
        ("-0.0", 2, "0.00"),
        ("1e21", 2, "1e+21"),
    ] {
        let body: Value = serde_json::from_str(&format!("{{\"n\":{number}}}")).unwrap();
        let template = format!("{{{{EIO_toFixed n {digits}}}}}");
        assert_eq!(
            rendered(&template, &body),
            json!(expected),
            "{number} {digits}"
        );
        let template = format!("{{{{#if t}}}}{{{{else}}}}{template}{{{{/if}}}}");
        assert_eq!(
            rendered(&template, &body),
            json!(expected),
            "{number} {digits}"
        );
    }
}

#[test]
fn conditions_ask_for_whole_arrays_and_split_nothing() {
    let body = json!({ "none": [], "some": [1, 2], "rows": [{ "tags": [] }, { "tags": ["x"] }] });
    for (template, expected) in [
        ("{{#if none}}yes{{else}}no{{/if}}", "no"),
        ("{{#if some}}yes{{else}}no{{/if}}", "yes"),
        ("{{#unless none}}none{{/unless}}", "none"),
        ("{{#unless some}}none{{/unless}}", ""),
        (
            "{{#if missing}}a{{else if none}}b{{else if some}}c{{/if}}",
            "c",
        ),
        (
            "{{#if none}}{{#each none}}x{{/each}}{{else}}empty{{/if}}",
            "empty",
        ),
    ] {
        assert_eq!(rendered(template, &body), json!(expected), "{template}");
    }
    // An array on the way to the end splits, and so does a path that says that it does.
    let mapper = json!({ "k": "{{#if rows.tags}}yes{{else}}no{{/if}}" });
    assert_eq!(
        handlebars(&mapper, &body),
        [json!({ "k": "no" }), json!({ "k": "yes" })]
    );
    let mapper = json!({ "k": "{{#if none[*]}}yes{{else}}no{{/if}}" });
    assert_eq!(handlebars(&mapper, &body), [] as [Value; 0]);
}

#[test]
fn an_array_gives_one_message_for_each_element() {
    let body = json!({ "items": [{ "email": "a@x", "n": 1 }, { "email": "b@x" }], "who": "me" });
    for path in ["items[*]", "items"] {
        let mapper = json!({ "mail": format!("{{{{{path}.email}}}}"), "n": format!("{{{{{path}.n}}}}"), "who": "{{who}}" });
        assert_eq!(
            handlebars(&mapper, &body),
            [
                json!({ "mail": "a@x", "n": "1", "who": "me" }),
                json!({ "mail": "b@x", "n": "", "who": "me" })
            ]
        );
    }
    let one = handlebars(
        &json!({ "m": "{{items[*].email}}" }),
        &json!({ "items": { "email": "c" } }),
    );
    assert_eq!(one, [json!({ "m": "c" })]);
    assert!(
        handlebars(
            &json!({ "m": "{{items[*].email}}" }),
            &json!({ "items": [] })
        )
        .is_empty()
    );
    assert_eq!(
        rendered("{{items[1].email}}{{items.0.n}}", &body),
        json!("b@x1")
    );
    assert_eq!(
        handlebars(&json!({ "t": "{{tags}}" }), &json!({ "tags": ["a", "b"] })).len(),
        2
    );
}

#[test]
fn references_of_one_template_share_an_index() {
    let body = json!({ "c": [{ "a": 1, "b": 2 }, { "a": 3, "b": 4 }], "d": ["x", "y", "z"] });
    assert_eq!(
        handlebars(&json!({ "k": "{{c[*].a}}_{{c[*].b}}" }), &body),
        [json!({ "k": "1_2" }), json!({ "k": "3_4" })]
    );
    assert_eq!(
        handlebars(&json!({ "k": "{{c[*].a}}{{d[*]}}" }), &body),
        [
            json!({ "k": "1x" }),
            json!({ "k": "3y" }),
            json!({ "k": "z" })
        ]
    );
    // Nothing joins these two, so they multiply.
    assert_eq!(
        handlebars(&json!({ "k": "{{c[*].a}}", "l": "{{d[*]}}" }), &body).len(),
        6
    );
}

#[test]
fn nested_arrays_multiply() {
    for (orders, lines) in [(1, 1), (2, 3), (4, 5)] {
        let inner: Vec<Value> = (0..lines).map(|at| json!({ "sku": at })).collect();
        let outer: Vec<Value> = (0..orders)
            .map(|at| json!({ "id": at, "lines": inner }))
            .collect();
        let body = json!({ "orders": outer });
        let made = handlebars(
            &json!({ "id": "{{orders[*].id}}", "sku": "{{orders[*].lines[*].sku}}" }),
            &body,
        );
        let expected: Vec<Value> = (0..orders)
            .flat_map(|id| {
                (0..lines).map(move |sku| json!({ "id": id.to_string(), "sku": sku.to_string() }))
            })
            .collect();
        assert_eq!(made, expected);
    }
}

#[test]
fn a_target_that_collects_stays_in_one_message() {
    let mapper = json!({ "products[*]": { "title": "{{product[*].name}}", "type": "EAN" }, "shop": "{{shop}}" });
    let body = json!({ "product": [{ "name": "a" }, { "name": "b" }], "shop": "s" });
    assert_eq!(
        handlebars(&mapper, &body),
        [
            json!({ "products": [{ "title": "a", "type": "EAN" }, { "title": "b", "type": "EAN" }], "shop": "s" })
        ]
    );
    for empty in [
        json!({ "shop": "s" }),
        json!({ "product": [], "shop": "s" }),
    ] {
        assert_eq!(
            handlebars(&mapper, &empty),
            [json!({ "products": [], "shop": "s" })]
        );
    }
    let nested = json!({ "orders[*]": { "id": "{{orders[*].id}}", "lines[*]": { "sku": "{{orders[*].lines[*].sku}}" } } });
    let body = json!({ "orders": [{ "id": 1, "lines": [{ "sku": "a" }, { "sku": "b" }] }, { "id": 2, "lines": [] }] });
    assert_eq!(
        handlebars(&nested, &body),
        [
            json!({ "orders": [{ "id": "1", "lines": [{ "sku": "a" }, { "sku": "b" }] }, { "id": "2", "lines": [] }] })
        ]
    );
}

#[test]
fn blocks_split_outside_and_walk_inside() {
    let body = json!({ "rows": [{ "n": "a", "p": 1.005 }, { "n": "", "p": 2 }], "x": "X" });
    assert_eq!(
        handlebars(
            &json!({ "k": "{{#if rows[*].n}}{{rows[*].n}}{{else}}none{{/if}}" }),
            &body
        ),
        [json!({ "k": "a" }), json!({ "k": "none" })]
    );
    for (template, expected) in [
        (
            "{{#each rows}}{{n}}={{EIO_toFixed p 1}};{{/each}}",
            "a=1.0;=2.0;",
        ),
        (
            "{{#each rows}}{{@index}}{{this.n}}{{../x}}{{@root.x}} {{/each}}",
            "0aXX 1XX ",
        ),
        (
            "{{#each rows[*]}}{{#if n}}{{n}}{{else}}-{{/if}}{{/each}}",
            "a-",
        ),
        ("{{#each missing}}x{{else}}empty{{/each}}", "empty"),
    ] {
        assert_eq!(rendered(template, &body), json!(expected), "{template}");
    }
}

#[test]
fn lookup_tables_replace_texts() {
    let mapper = json!({ "country": "{{c}}", "deep": { "code": "{{n}}" }, "other": "{{c}}" });
    let tables = json!({ "country": "countries", "deep.code": { "1": "one" } });
    let map =
        |tables: &Value, body: &Value| mapped(MapperKind::Handlebars, &mapper, Some(tables), body);
    assert_eq!(
        map(&tables, &json!({ "c": "DE", "n": 1 })),
        Ok(vec![
            json!({ "country": "Germany", "deep": { "code": "one" }, "other": "DE" })
        ])
    );
    // What a table does not have stays as it is.
    assert_eq!(
        map(&tables, &json!({ "c": "FR", "n": 2 })),
        Ok(vec![
            json!({ "country": "FR", "deep": { "code": "2" }, "other": "FR" })
        ])
    );
    let gone = map(&json!({ "country": "gone" }), &json!({}));
    assert!(gone.unwrap_err().contains("country"));
}

#[test]
fn messages_and_bytes_are_bounded() {
    let list: Vec<Value> = (0..101).map(Value::from).collect();
    let body = json!({ "a": list, "b": list, "big": "x".repeat(1_000_000) });
    let bounded = |mapper: &Value| mapped(MapperKind::Handlebars, mapper, None, &body);
    assert!(
        bounded(&json!({ "k": "{{a}}", "l": "{{b}}" }))
            .unwrap_err()
            .contains("10000")
    );
    assert!(
        bounded(&json!({ "k": "{{a}}{{big}}" }))
            .unwrap_err()
            .contains("larger")
    );
    let blocks = json!({ "k": "{{#each a}}{{#each ../b}}{{@root.big}}{{/each}}{{/each}}" });
    assert!(bounded(&blocks).unwrap_err().contains("larger"));
    let most: Vec<Value> = (0..MESSAGES_MAX).map(Value::from).collect();
    assert_eq!(
        handlebars(&json!({ "k": "{{a}}" }), &json!({ "a": most })).len(),
        MESSAGES_MAX
    );
}

#[test]
fn odd_templates_never_panic() {
    let pieces = [
        "{{",
        "}}",
        "{{{",
        "}}}",
        "#if ",
        "#each ",
        "/if",
        "/each",
        "else",
        "a",
        "[*]",
        "[0]",
        ".",
        "..",
        "/",
        " ",
        "@root.",
        "@index",
        "EIO_toFixed ",
        "é",
        "\\",
        "!",
        "--",
        "(",
        "\"",
        "this",
    ];
    let mut seed = 99_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let body = json!({ "a": [{ "a": [1, 2] }, "é"] });
    for _ in 0..3_000 {
        let text: String = (0..next(14)).map(|_| pieces[next(pieces.len())]).collect();
        let _ = mapped(
            MapperKind::Handlebars,
            &json!({ "x[*]": text, "y": text }),
            None,
            &body,
        );
    }
    let deep = format!("{}x{}", "{{#if a}}".repeat(1_000), "{{/if}}".repeat(1_000));
    assert!(mapped(MapperKind::Handlebars, &json!(deep), None, &body).is_err());
}
