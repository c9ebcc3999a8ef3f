//! Paths into a body: `order.items`, `orders[0].items`, `list["a.b"]`.

use serde_json::Value;

/// Returns what stands at a path; none where a part of it is missing.
///
/// A member whose name is the whole path goes first, as in the platform's component.
pub(super) fn find<'a>(body: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = body.get(path) {
        return Some(found);
    }
    names(path)?.iter().try_fold(body, |at, name| match at {
        Value::Object(members) => members.get(name),
        Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Splits a path into names; none where a bracket is not closed.
fn names(path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (name, after) = bracketed(inner)?;
            names.push(name.to_owned());
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        names.push(rest[..end].to_owned());
        let after = &rest[end..];
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    Some(names)
}

/// Splits behind the bracket that closes, which a quoted name may hold.
fn bracketed(inner: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote)?;
            return Some((name, after.strip_prefix(']')?));
        }
    }
    inner.split_once(']')
}
