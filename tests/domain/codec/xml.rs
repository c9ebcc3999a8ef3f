//! XML.

use std::fmt::Write;

use elastane::domain::codec::xml::{DEPTH_MAX, NODES_MAX, parse};
use serde_json::{Value, json};

use super::refused;

/// Reads a document.
fn read(text: &str) -> Value {
    parse(text.as_bytes(), None).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn one_child_is_a_value_and_several_are_a_list() {
    for (text, expected) in [
        ("<a/>", json!({"a": ""})),
        ("<a></a>", json!({"a": ""})),
        ("<a>  </a>", json!({"a": "  "})),
        ("<a> x </a>", json!({"a": " x "})),
        ("<a><b>1</b></a>", json!({"a": {"b": "1"}})),
        (
            "<a><b>1</b><b>2</b><c/><b/></a>",
            json!({"a": {"b": ["1", "2", ""], "c": ""}}),
        ),
        ("<a>\n <b>1</b>\n</a>", json!({"a": {"b": "1"}})),
        ("<a>x<b>1</b>y</a>", json!({"a": {"_": "xy", "b": "1"}})),
        (
            "<?xml version='1.0' encoding='UTF-8'?><!-- c --><a><b><c>1</c></b><b>2</b></a>\n<?p?>",
            json!({"a": {"b": [{"c": "1"}, "2"]}}),
        ),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn attributes_stand_under_their_name_and_colons_go_from_elements() {
    for (text, expected) in [
        (
            "<a x='1' y=\"&lt;2&#x20;\"/>",
            json!({"a": {"_attr": {"x": "1", "y": "<2 "}}}),
        ),
        (
            "<a x='1'>t</a>",
            json!({"a": {"_": "t", "_attr": {"x": "1"}}}),
        ),
        ("<a x='1'> </a>", json!({"a": {"_attr": {"x": "1"}}})),
        (
            "<s:a xmlns:s='urn:s'><s:b-c s:d='e'/></s:a>",
            json!({"s-a": {"_attr": {"xmlns:s": "urn:s"}, "s-b-c": {"_attr": {"s:d": "e"}}}}),
        ),
        (
            "<a x='1'><_>2</_></a>",
            json!({"a": {"_attr": {"x": "1"}, "_": "2"}}),
        ),
        ("<é ü='1'/>", json!({"é": {"_attr": {"ü": "1"}}})),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn cdata_and_the_entities_of_xml_are_text() {
    for (text, expected) in [
        (
            "<a><![CDATA[<b>&amp;</b>]]></a>",
            json!({"a": "<b>&amp;</b>"}),
        ),
        (
            "<a>x<![CDATA[ y]]>&amp;&lt;&gt;&quot;&apos;&#65;&#x1F600;</a>",
            json!({"a": "x y&<>\"'A😀"}),
        ),
        (
            "<a z='1'><![CDATA[ ]]></a>",
            json!({"a": {"_": " ", "_attr": {"z": "1"}}}),
        ),
        ("<a>1\r\n2\r3</a>", json!({"a": "1\n2\n3"})),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn no_entity_is_expanded_and_nothing_is_fetched() {
    let harmless = "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a>1</a>";
    assert_eq!(read(harmless), json!({"a": "1"}));
    for text in [
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x 'y'><!ENTITY z '&x;&x;&x;'>]><a b='&z;'/>",
        "<a>&nbsp;</a>",
    ] {
        refused(parse(text.as_bytes(), None));
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        " ",
        "x",
        "{\"a\": 1}",
        "<a>",
        "</a>",
        "<a></b>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a x=1/>",
        "<a x/>",
        "<a x='1' x='2'/>",
        "<a x='<'/>",
        "<a x='1/>",
        "<a &amp;/>",
        "<1a/>",
        "<a b/c='1'/>",
        "<>x</>",
        "<a>&</a>",
        "<a>& b</a>",
        "<a>&#0;</a>",
        "<a>&#xFFFF;</a>",
        "<a>&#x110000;</a>",
        "<a b='&#1;'/>",
        "<a>\u{1}</a>",
        "<a>\u{fffe}</a>",
        "<a><![CDATA[x</a>",
        "<a><!-- x</a>",
        "<!DOCTYPE a [<a/>",
    ] {
        refused(parse(text.as_bytes(), None));
    }
}

#[test]
fn another_encoding_is_refused_rather_than_guessed() {
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xeb</a>";
    refused(parse(latin, None));
    assert_eq!(parse(latin, Some("iso-8859-1")).unwrap(), json!({"a": "ë"}));
    refused(parse(b"<?xml version='1.0' encoding='UTF-16'?><a/>", None));
    refused(parse(b"\xff\xfe<\0a\0/\0>\0", None));
    assert_eq!(parse(b"\xef\xbb\xbf<a/>", None).unwrap(), json!({"a": ""}));
}

#[test]
fn depth_and_size_are_bounded_and_what_passes_can_be_read_back() {
    let nested = |depth: usize| {
        let (open, close) = ("<b/><b>".repeat(depth - 1), "</b>".repeat(depth - 1));
        format!("<a>{open}{close}</a>")
    };
    let deepest = parse(nested(DEPTH_MAX).as_bytes(), None).unwrap();
    let message = json!({"passthrough": {"step_1": {"body": deepest}}}).to_string();
    serde_json::from_str::<Value>(&message).expect("it can be read back");
    refused(parse(nested(DEPTH_MAX + 1).as_bytes(), None));
    refused(parse("<a>".repeat(1_000_000).as_bytes(), None));

    let wide = format!("<a>{}</a>", "<b/>".repeat(NODES_MAX - 1));
    assert_eq!(
        read(&wide)["a"]["b"].as_array().unwrap().len(),
        NODES_MAX - 1
    );
    refused(parse(
        format!("<a>{}</a>", "<b/>".repeat(NODES_MAX)).as_bytes(),
        None,
    ));
    let mut attributes = String::new();
    for number in 0..NODES_MAX {
        write!(attributes, " a{number}=''").unwrap();
    }
    refused(parse(format!("<a{attributes}/>").as_bytes(), None));
}
