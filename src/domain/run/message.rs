//! Messages: what steps hand to each other (`runtime.md 2.5`).

use serde_json::{Map, Value};

/// A message. The flow's passthrough is not part of it: it follows from the steps that
/// the message came through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// What it says; any JSON, mostly an object.
    pub body: Value,
    /// Headers.
    pub headers: Map<String, Value>,
    /// Attachments: name to `{url, content-type, size}`.
    pub attachments: Map<String, Value>,
    /// All other members, such as the gateway's `method`, `url` and `query`.
    pub rest: Map<String, Value>,
}

impl Message {
    /// Makes a message of a body alone.
    pub fn of_body(body: Value) -> Self {
        Self {
            body,
            ..Self::default()
        }
    }

    /// Makes the message that sets off a polling trigger: everything empty
    /// (`runtime.md 4.4`).
    pub fn empty() -> Self {
        Self::of_body(Value::Object(Map::new()))
    }

    /// Reads a message-shaped value; what is not an object becomes the body.
    ///
    /// A passthrough in it is dropped: ours is made of the steps themselves.
    pub fn from_value(value: Value) -> Self {
        let Value::Object(mut members) = value else {
            return Self::of_body(value);
        };
        let mut take = |name: &str| match members.remove(name) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let (headers, attachments) = (take("headers"), take("attachments"));
        let body = members
            .remove("body")
            .unwrap_or_else(|| Value::Object(Map::new()));
        members.remove("passthrough");
        Self {
            body,
            headers,
            attachments,
            rest: members,
        }
    }

    /// Returns the message as one object, the form in which it is stored and shown.
    pub fn to_value(&self) -> Value {
        let mut value = self.without_body();
        value["body"] = self.body.clone();
        value
    }

    /// Returns the same without the body, which is kept elsewhere.
    pub(super) fn without_body(&self) -> Value {
        let mut members = self.rest.clone();
        members.insert("headers".to_owned(), Value::Object(self.headers.clone()));
        if !self.attachments.is_empty() {
            let attachments = Value::Object(self.attachments.clone());
            members.insert("attachments".to_owned(), attachments);
        }
        Value::Object(members)
    }
}

/// Returns the bytes of a value as JSON, without writing it.
pub fn size_of(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting can't fail, and a value has no key that is not a text.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}
