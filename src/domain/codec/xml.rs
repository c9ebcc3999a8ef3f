//! XML to a value, in the shape that elastic.io's own components make of it.
//!
//! An element is a member of its parent: once it is a value, more often a list. One with
//! text alone is that text; one with attributes or children is an object, with the
//! attributes under `_attr` and its text under `_`. A `:` in the name of an element
//! becomes `-`, so that expressions can name it; names of attributes stay as they are
//! (`runtime.md 4.5`; the settings of xml2js that the platform names).
//!
//! # Limits
//!
//! Nothing is ever fetched or expanded: a document type is skipped unread, and an entity
//! other than the five of XML itself is an error.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::{Map, Value};

use super::{malformed, text};
use crate::domain::{Error, Result};

/// The deepest nesting of elements. An element and the list that it stands in are two
/// levels of JSON, which is read back to 127, with the message around it.
pub const DEPTH_MAX: usize = 50;

/// The most elements and attributes: each costs some hundred bytes as a value, however
/// short it was as text.
pub const NODES_MAX: usize = 500_000;

/// Where the attributes of an element stand.
const ATTRIBUTES: &str = "_attr";

/// Where the text of an element stands that has more than text.
const TEXT: &str = "_";

/// Turns an XML document into an object with one member, its root.
///
/// `charset` is what the `Content-Type` names. What is not well-formed, too deep or of
/// too many elements is invalid, with the byte where it went wrong.
pub fn parse(bytes: &[u8], charset: Option<&str>) -> Result<Value> {
    let document = text(bytes, charset)?;
    if let Some((at, _)) = document.char_indices().find(|(_, c)| !is_allowed(*c)) {
        return Err(malformed(format!(
            "the XML has a character that XML does not allow (byte {at})"
        )));
    }
    let mut reader = Reader::from_str(&document);
    let mut builder = Builder::default();
    loop {
        let event = reader
            .read_event()
            .map_err(|_| broken(reader.error_position()))?;
        let is_end = matches!(event, Event::Eof);
        builder
            .take(event, charset.is_some())
            .map_err(|fault| match fault {
                Fault::Form => broken(reader.buffer_position()),
                Fault::Told(error) => error,
            })?;
        if is_end {
            return builder.finish();
        }
    }
}

/// Why an event can't be taken.
enum Fault {
    /// It is not well-formed where it stands.
    Form,
    /// Something with an explanation of its own.
    Told(Error),
}

/// An element that is not closed yet.
#[derive(Default)]
struct Open {
    name: String,
    attributes: Map<String, Value>,
    children: Map<String, Value>,
    text: String,
    /// Whether a CDATA section stands in it, whose blanks are meant.
    has_cdata: bool,
}

/// What has been read so far.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<(String, Value)>,
    nodes: usize,
}

impl Builder {
    /// Takes the next piece of the document.
    fn take(&mut self, event: Event<'_>, has_charset: bool) -> Result<(), Fault> {
        match event {
            Event::Start(start) => self.begin(&start),
            Event::Empty(start) => {
                self.begin(&start)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.add_text(&text.xml10_content()),
            Event::CData(data) => {
                if let Some(open) = self.open.last_mut() {
                    open.has_cdata = true;
                }
                self.add_text(&data.xml10_content())
            }
            Event::GeneralRef(reference) => {
                let resolved = resolved(&reference)?;
                self.add_text(resolved.encode_utf8(&mut [0; 4]))
            }
            Event::Decl(declaration) => match declaration.encoding() {
                // A charset of the transport wins over the document's own (RFC 7303 3).
                _ if has_charset => Ok(()),
                None => Ok(()),
                Some(Ok(name)) if is_utf8(&name) => Ok(()),
                Some(Ok(_)) => Err(Fault::Told(malformed("the XML must be in UTF-8"))),
                Some(Err(_)) => Err(Fault::Form),
            },
            Event::Comment(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => Ok(()),
        }
    }

    /// Opens an element.
    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), Fault> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(Fault::Form);
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(Fault::Told(malformed(format!(
                "the XML is nested deeper than {DEPTH_MAX} elements"
            ))));
        }
        self.count()?;
        let name = start.name();
        let mut open = Open {
            name: checked_name(name.as_ref())?.replace(':', "-"),
            ..Open::default()
        };
        // The reader's own search for duplicates compares each with all before it.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| Fault::Form)?;
            self.count()?;
            let key = checked_name(attribute.key.as_ref())?.to_owned();
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|_| Fault::Form)?;
            if !value.chars().all(is_allowed) || value_is_open(&attribute.value) {
                return Err(Fault::Form);
            }
            let value = Value::String(value.into_owned());
            if open.attributes.insert(key, value).is_some() {
                return Err(Fault::Form);
            }
        }
        self.open.push(open);
        Ok(())
    }

    /// Counts an element or an attribute.
    fn count(&mut self) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Fault::Told(malformed(format!(
                "the XML has more than {NODES_MAX} elements and attributes"
            ))));
        }
        Ok(())
    }

    /// Closes the innermost element.
    fn end(&mut self) -> Result<(), Fault> {
        let closed = self.open.pop().ok_or(Fault::Form)?;
        let (name, value) = closed.into_member();
        match self.open.last_mut() {
            Some(parent) => add_child(&mut parent.children, name, value),
            None => self.root = Some((name, value)),
        }
        Ok(())
    }

    /// Adds text to the innermost element; outside of the root only blanks may stand.
    fn add_text(&mut self, text: &str) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(open) => open.text.push_str(text),
            None if text.bytes().all(|byte| byte.is_ascii_whitespace()) => {}
            None => return Err(Fault::Form),
        }
        Ok(())
    }

    /// Returns the document.
    fn finish(self) -> Result<Value> {
        if !self.open.is_empty() {
            return Err(malformed("the XML ends inside of an element"));
        }
        let (name, value) = self
            .root
            .ok_or_else(|| malformed("the XML has no element"))?;
        Ok(Value::Object(Map::from_iter([(name, value)])))
    }
}

impl Open {
    /// Returns the name and the value of a closed element.
    fn into_member(self) -> (String, Value) {
        let is_blank = !self.has_cdata && self.text.chars().all(char::is_whitespace);
        if self.attributes.is_empty() && self.children.is_empty() {
            return (self.name, Value::String(self.text));
        }
        let mut members = Map::new();
        if !is_blank {
            members.insert(TEXT.to_owned(), Value::String(self.text));
        }
        if !self.attributes.is_empty() {
            members.insert(ATTRIBUTES.to_owned(), Value::Object(self.attributes));
        }
        for (name, value) in self.children {
            // An element may have the name of one of the two.
            add_child(&mut members, name, value);
        }
        (self.name, Value::Object(members))
    }
}

/// Adds a child: the second one of a name makes a list of it.
fn add_child(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        None => {
            members.insert(name, value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(first) => {
            let list = vec![first.take(), value];
            *first = Value::Array(list);
        }
    }
}

/// Returns the character of a reference: a number, or one of the five names.
fn resolved(reference: &BytesRef<'_>) -> Result<char, Fault> {
    let number = reference.resolve_char_ref().map_err(|_| Fault::Form)?;
    if let Some(found) = number {
        return if is_allowed(found) {
            Ok(found)
        } else {
            Err(Fault::Form)
        };
    }
    match reference.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(Fault::Told(malformed(
            "the XML has an entity that is not one of XML itself, and none is expanded here",
        ))),
    }
}

/// Tells whether an attribute's value has a `<` in it, which only a lost quote puts there.
fn value_is_open(raw: &str) -> bool {
    raw.contains('<')
}

/// Tells whether a character may stand in a document (XML 1.0, 2.2).
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Checks a name, as far as it keeps pieces of broken markup out.
fn checked_name(name: &str) -> Result<&str, Fault> {
    let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
    let goes_on = |c: char| begins(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
    let is_name = name.starts_with(begins) && name.chars().all(goes_on);
    is_name.then_some(name).ok_or(Fault::Form)
}

/// Tells whether a declared encoding is the one that is read.
fn is_utf8(name: &str) -> bool {
    ["utf-8", "utf8", "us-ascii", "ascii"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Makes the error of a document that is not well-formed.
fn broken(at: u64) -> Error {
    malformed(format!("the XML is not well-formed (byte {at})"))
}
