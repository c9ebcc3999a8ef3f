//! What was asked and answered in a test, whole, with names in place of what changes.
//!
//! An id, a time or a logo is looked at before it is hidden: an id becomes `id-1`, and
//! the same id is `id-1` wherever it stands, so a link that names another thing shows.

use std::cell::RefCell;
use std::fmt::Write as _;

use serde_json::Value;

use crate::support::Answer;

thread_local! {
    static TOLD: RefCell<Transcript> = RefCell::default();
}

#[derive(Default)]
struct Transcript {
    text: String,
    ids: Vec<String>,
}

/// Notes a request, as its line says it, and its answer.
pub fn note(line: &str, answer: &Answer) {
    TOLD.with_borrow_mut(|told| {
        let line = told.named(line);
        let _ = writeln!(told.text, "> {line}\n{}", answer.status);
        for name in ["location", "content-type"] {
            if let Some(value) = answer.header(name) {
                let at = value.find("/v2/").filter(|_| name == "location");
                let value = told.named(at.map_or(value, |at| &value[at..]));
                let _ = writeln!(told.text, "{name}: {value}");
            }
        }
        if !answer.text.is_empty() {
            let mut body = serde_json::from_str(&answer.text).expect("JSON");
            keep_timer(&mut body);
            told.hide(&mut body, "");
            let _ = writeln!(told.text, "{body:#}");
        }
        told.text.push('\n');
    });
}

/// Returns what this test noted.
pub fn told() -> String {
    TOLD.take().text
}

impl Transcript {
    /// Hides what changes in a value, once it is what its name promises.
    fn hide(&mut self, value: &mut Value, name: &str) {
        match value {
            Value::String(text) => *text = self.shown(text, name),
            Value::Number(number) if name == "date" => {
                assert!(number.as_i64() > Some(1_500_000_000_000), "{name} {number}");
                *value = "[milliseconds]".into();
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item, name)),
            Value::Object(members) => {
                if members.get("type").is_some_and(|kind| kind == "descriptor")
                    && let Some(attributes) = members.get_mut("attributes")
                {
                    for part in ["triggers", "actions"] {
                        assert!(attributes[part].is_object(), "{part}");
                        attributes[part] = "[functions]".into();
                    }
                }
                for (name, member) in members.iter_mut() {
                    self.hide(member, name);
                }
                // It is noted to the minute, and behind the answer's back.
                members.remove("last_login");
            }
            _ => {}
        }
    }

    /// Returns a text as it is noted.
    fn shown(&mut self, text: &str, name: &str) -> String {
        let is_time = ["_at", "_time", "registered", "last_login", "due_execution"]
            .iter()
            .any(|end| name.ends_with(end));
        if is_time {
            let time: Result<jiff::Timestamp, _> = text.parse();
            let is_utc = text.len() == 24 && text.ends_with('Z');
            assert!(time.is_ok() && is_utc, "{name} is {text}");
            return "[time]".to_owned();
        }
        if name == "icon" {
            use base64::Engine as _;
            let icon = base64::engine::general_purpose::STANDARD.decode(text);
            assert!(icon.is_ok_and(|icon| icon.len() > 100), "{name}");
            return "[logo]".to_owned();
        }
        if name == "short_revision" {
            assert!(text.len() == 7 && text.chars().all(is_hex), "{name} {text}");
            return "[revision]".to_owned();
        }
        if name == "accept_link" {
            let (link, token) = text.rsplit_once('/').expect("a path");
            assert!(token.len() >= 32 && link.ends_with("/v2/invites"), "{link}");
            return "[link]".to_owned();
        }
        self.named(text)
    }

    /// Puts names in place of ids and revisions: runs of 24 or 40 hex digits.
    fn named(&mut self, text: &str) -> String {
        let mut shown = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(is_hex) {
            let (before, from) = rest.split_at(at);
            let end = from.find(|c| !is_hex(c)).unwrap_or(from.len());
            let (run, after) = from.split_at(end);
            shown.push_str(before);
            match run.len() {
                24 | 40 => shown.push_str(&self.name_of(run)),
                _ => shown.push_str(run),
            }
            rest = after;
        }
        shown + rest
    }

    /// Returns the name of an id.
    fn name_of(&mut self, id: &str) -> String {
        let place = self.ids.iter().position(|known| known == id);
        let place = place.unwrap_or_else(|| {
            self.ids.push(id.to_owned());
            self.ids.len() - 1
        });
        format!("id-{}", place + 1)
    }
}

/// Tells whether ids and revisions may have a character.
fn is_hex(c: char) -> bool {
    c.is_ascii_digit() || ('a'..='f').contains(&c)
}

/// Leaves one built-in component in a list of them, and what is included of the others
/// out, since the list grows with the binary.
fn keep_timer(body: &mut Value) {
    let is_built_in = |item: &Value| item["attributes"]["access"] == "global";
    let Some(Value::Array(items)) = body.get_mut("data") else {
        return;
    };
    items.retain(|item| !is_built_in(item) || item["attributes"]["name"] == "timer");
    let links: Vec<Value> = items
        .iter()
        .map(|item| item["links"]["self"].clone())
        .collect();
    let is_of = |item: &Value, link: &Value| {
        let own = item["links"]["self"].as_str().expect("a link");
        link.as_str().is_some_and(|link| own.starts_with(link))
    };
    if let Some(Value::Array(included)) = body.get_mut("included") {
        included.retain(|item| links.iter().any(|link| is_of(item, link)));
    }
}
