//! Goldens: a documented answer and what has to be said of its changing parts.

use serde_json::{Map, Value};

use crate::support::Answer;

/// What a changing part has to be like before it is hidden.
pub type Like = fn(&Value) -> bool;

/// A documented answer.
///
/// Places are JSON pointers in which `*` stands for every element or member.
pub struct Golden {
    documented: Value,
    hidden: Vec<(&'static str, Like)>,
    hidden_keys: Vec<(&'static str, Like)>,
    optional: Vec<(&'static str, Like)>,
}

impl Golden {
    /// Takes an answer as it is documented.
    pub fn documented(text: &str) -> Self {
        Self {
            documented: serde_json::from_str(text).expect("a documented answer is JSON"),
            hidden: Vec::new(),
            hidden_keys: Vec::new(),
            optional: Vec::new(),
        }
    }

    /// Puts a value in place of a sample or a placeholder, such as `"user_id"`.
    pub fn with(mut self, place: &str, value: impl Into<Value>) -> Self {
        let held = self.documented.pointer_mut(place);
        *held.unwrap_or_else(|| panic!("nothing is documented at {place}")) = value.into();
        self
    }

    /// Adds a member that the contract adds to the documented ones.
    pub fn and(mut self, object: &str, name: &str, value: impl Into<Value>) -> Self {
        let held = self.documented.pointer_mut(object);
        let members = held.and_then(Value::as_object_mut).expect("an object");
        let before = members.insert(name.to_owned(), value.into());
        assert!(before.is_none(), "{name} is documented already");
        self
    }

    /// Hides values on both sides; those of the answer have to be `like` first.
    pub fn hide(mut self, place: &'static str, like: Like) -> Self {
        self.hidden.push((place, like));
        self
    }

    /// Hides the keys of a map on both sides; those of the answer have to be `like`.
    pub fn hide_keys(mut self, place: &'static str, like: Like) -> Self {
        self.hidden_keys.push((place, like));
        self
    }

    /// Lets the answer have a member that is not documented.
    pub fn may_have(mut self, place: &'static str, like: Like) -> Self {
        self.optional.push((place, like));
        self
    }

    /// Asserts the status, the media type, every changing part, and then all the rest.
    #[track_caller]
    pub fn is(self, answer: &Answer, status: u16) -> Value {
        let actual = answer.json(status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/json; charset=utf-8")
        );
        let (mut seen, mut documented) = (actual.clone(), self.documented);
        for (place, like) in self.optional {
            for value in take(&mut seen, place) {
                assert!(like(&value), "{place} is {value}");
            }
        }
        for (place, like) in self.hidden {
            let found = visit(&mut seen, place, &mut |value| {
                assert!(like(value), "{place} is {value}");
                *value = Value::from("[hidden]");
            });
            let wanted = visit(&mut documented, place, &mut |value| {
                *value = Value::from("[hidden]");
            });
            assert!(found > 0, "{place} is missing: {actual:#}");
            assert!(wanted > 0, "{place} is not documented");
        }
        for (place, like) in self.hidden_keys {
            visit(&mut seen, place, &mut |map| number_keys(map, Some(like)));
            visit(&mut documented, place, &mut |map| number_keys(map, None));
        }
        assert_eq!(
            seen, documented,
            "answered {actual:#}\ninstead of {documented:#}"
        );
        actual
    }
}

/// Puts numbers in place of the keys of a map.
fn number_keys(map: &mut Value, like: Option<Like>) {
    let members = map.as_object_mut().expect("a map");
    let mut numbered = Map::new();
    for (number, (key, value)) in std::mem::take(members).into_iter().enumerate() {
        let key = Value::from(key);
        assert!(like.is_none_or(|like| like(&key)), "the key {key}");
        numbered.insert(number.to_string(), value);
    }
    *members = numbered;
}

/// Calls `change` with every value at a place, and returns how many there are.
fn visit(value: &mut Value, place: &str, change: &mut dyn FnMut(&mut Value)) -> usize {
    let Some(rest) = place.strip_prefix('/') else {
        change(value);
        return 1;
    };
    let (name, rest) = match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let mut count = 0;
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                if name == "*" || name == index.to_string() {
                    count += visit(item, rest, change);
                }
            }
        }
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                if name == "*" || name == key {
                    count += visit(member, rest, change);
                }
            }
        }
        _ => {}
    }
    count
}

/// Takes the members at a place out of their objects.
fn take(value: &mut Value, place: &str) -> Vec<Value> {
    let (object, name) = place.rsplit_once('/').expect("a place in an object");
    let mut taken = Vec::new();
    visit(value, object, &mut |object| {
        taken.extend(
            object
                .as_object_mut()
                .and_then(|members| members.remove(name)),
        );
    });
    taken
}

/// Whether a value is an id: 24 hex digits.
pub fn an_id(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.len() == 24 && is_lower_hex(text))
}

/// Whether a value is a UUID: that is what API keys are.
pub fn a_uuid(value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return false;
    };
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && is_lower_hex(&text.replace('-', ""))
}

/// Whether a value is a text that is not empty.
pub fn a_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Whether a value is true or false.
pub fn a_boolean(value: &Value) -> bool {
    value.is_boolean()
}

/// Whether a value is a picture in base64.
pub fn base64(value: &Value) -> bool {
    use base64::Engine as _;
    let decoded = value
        .as_str()
        .map(|text| base64::engine::general_purpose::STANDARD.decode(text));
    matches!(decoded, Some(Ok(bytes)) if !bytes.is_empty())
}

/// Whether a text has nothing but digits and `a` to `f`.
fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[test]
fn a_golden_tells_wrong_answers_from_right_ones() {
    let answer = |text: &str| Answer {
        status: 200,
        headers: vec![(
            "content-type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        )],
        text: text.to_owned(),
    };
    let fits = |text: &'static str, status: u16| {
        let golden = Golden::documented(r#"[{ "id": "54f4be3fe7d5224f91000001", "name": "a" }]"#)
            .hide("/*/id", an_id)
            .may_have("/*/is_public", a_boolean);
        std::panic::catch_unwind(move || golden.is(&answer(text), status)).is_ok()
    };
    let right = r#"[{ "id": "0123456789abcdef01234567", "name": "a" }]"#;
    assert!(fits(right, 200));
    assert!(fits(
        r#"[{ "id": "0123456789abcdef01234567", "name": "a", "is_public": false }]"#,
        200
    ));
    assert!(!fits(right, 201), "the status counts");
    for wrong in [
        r#"[{ "id": "0123456789ABCDEF01234567", "name": "a" }]"#,
        r#"[{ "id": 7, "name": "a" }]"#,
        r#"[{ "id": "0123456789abcdef01234567", "name": "b" }]"#,
        r#"[{ "id": "0123456789abcdef01234567" }]"#,
        r#"[{ "id": "0123456789abcdef01234567", "name": "a", "more": 1 }]"#,
        r#"[{ "id": "0123456789abcdef01234567", "name": "a", "is_public": "no" }]"#,
        "[]",
    ] {
        assert!(!fits(wrong, 200), "{wrong}");
    }
}
