//! Parts of runs as the database keeps them.

use std::sync::Arc;

use elastane::domain::run::part::{
    MessageRef, PartMessage, StepRecord, kept_message, messages_of, messages_text, steps_text,
};
use elastane::domain::run::{Failure, Message, RunStatus};
use serde_json::{Value, json};

/// Reads the list that a part keeps.
fn list(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("a list")
}

#[test]
fn a_message_that_is_passed_on_is_written_once_and_read_twice() {
    let message = Arc::new(Message {
        headers: json!({ "h": "1" }).as_object().cloned().expect("an object"),
        ..Message::of_body(json!({ "n": "only once" }))
    });
    let step = StepRecord {
        step: "step_1".to_owned(),
        status: RunStatus::Success,
        attempts: 1,
        started_at_ms: 0,
        duration_us: 0,
        input: MessageRef::Own(0),
        outputs: vec![2],
        error: None,
        input_bytes: 0,
        output_bytes: 0,
        at_mapping: false,
        continues: false,
    };
    let passed_on = PartMessage {
        made_by: Some(0),
        mapped_from: Some(MessageRef::Stored { part: 1, index: 2 }),
        ..PartMessage::outside(Arc::clone(&message))
    };
    let other = PartMessage::outside(Message::of_body(json!({ "n": "another" })));
    let kept = [PartMessage::outside(message), other, passed_on];
    let text = messages_text(&kept, &[step]);
    assert_eq!(text.matches("only once").count(), 1, "{text}");
    let values = list(&text);
    assert_eq!(kept_message(&values, 2), Some(&values[0]));
    assert_eq!(messages_of(values, 7), kept);
}

#[test]
fn a_message_that_names_itself_or_nobody_is_an_empty_one() {
    let values = list(r#"[{"c":0},{"c":9},{"m":{"body":{"n":1}}}]"#);
    assert_eq!(kept_message(&values, 1), None);
    let read = messages_of(values, 0);
    assert_eq!(read[1].message.body, Value::Null);
    assert_eq!(read[2].message.body, json!({ "n": 1 }));
}

#[test]
fn a_step_is_read_as_it_was_written() {
    let step = StepRecord {
        step: "step_\"1".to_owned(),
        status: RunStatus::Error,
        attempts: 2,
        started_at_ms: 1_772_600_767_089,
        duration_us: 17,
        input: MessageRef::Stored { part: 4, index: 5 },
        outputs: vec![0, 2],
        error: Some(Failure::named("TypeError", "no such thing")),
        input_bytes: 10,
        output_bytes: 20,
        at_mapping: true,
        continues: true,
    };
    let plain = StepRecord {
        input: MessageRef::Own(1),
        outputs: Vec::new(),
        error: None,
        output_bytes: 0,
        at_mapping: false,
        continues: false,
        ..step.clone()
    };
    let values = list(&steps_text(&[step.clone(), plain.clone()]));
    assert_eq!(StepRecord::from_value(&values[0], 9), Some(step));
    let own = MessageRef::Stored { part: 9, index: 1 };
    let read = StepRecord::from_value(&values[1], 9);
    assert_eq!(
        read,
        Some(StepRecord {
            input: own,
            ..plain
        })
    );
    assert_eq!(values[1].get("o"), None, "what is empty is left out");
}
