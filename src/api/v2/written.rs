//! JSON that is written at once, member by member, without a tree of values in between:
//! a page of resources is large, and a tree of it costs more than all the rest.

use serde::Serialize;

/// Adds a member to the object that is open.
pub(super) fn member(json: &mut Vec<u8>, name: &'static str, value: &(impl Serialize + ?Sized)) {
    self::name(json, name);
    write(json, value);
}

/// Adds a member that is an object, and leaves that open.
pub(super) fn open(json: &mut Vec<u8>, name: &'static str) {
    self::name(json, name);
    json.push(b'{');
}

/// Begins a member; its value comes next. Names are plain words of ours: nothing in them
/// is escaped.
pub(super) fn name(json: &mut Vec<u8>, name: &'static str) {
    if json.last() != Some(&b'{') {
        json.push(b',');
    }
    json.push(b'"');
    json.extend_from_slice(name.as_bytes());
    json.extend_from_slice(b"\":");
}

/// Returns a value as JSON.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    let mut json = Vec::new();
    write(&mut json, value);
    json
}

/// Writes a value as JSON.
fn write(json: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(json, value)
        .expect("memory takes all that is written, and keys are texts");
}
