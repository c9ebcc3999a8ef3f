//! JSON as a person reads it: containers that fold, long texts that are cut until they
//! are asked for, a search, and the value under the cursor.
//!
//! A view is a value and the set of its nodes that are folded, nodes being counted in
//! the order of the text. Rows are made anew when that set, the width or the search
//! changes, and hold everything that drawing needs.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;

use super::look::Look;
use super::pane::line_of;
use super::text;

/// A value with at most so many rows is shown whole; of a larger one what lies deeper
/// than the first level begins folded, so that a person sees its outline first.
const WHOLE_ROWS: usize = 120;

/// The rows that a view makes at most: what nobody scrolls through, and what keeps a
/// hostile value from filling the memory.
const ROWS_MAX: usize = 50_000;

/// The deepest indent that is drawn, so that a deep value stays on the screen.
const INDENT_MAX: usize = 20;

/// What a piece of a row is, which the theme gives a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonPart {
    /// A name of a member.
    Key,
    /// A text.
    Text,
    /// A number, a truth or nothing.
    Word,
    /// Braces, colons and commas.
    Mark,
    /// What is said of what is not shown.
    Note,
}

/// A row of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonRow {
    /// Blanks before it.
    pub indent: usize,
    /// Its pieces, from left to right.
    pub parts: Vec<(JsonPart, String)>,
    /// The node that it belongs to.
    pub node: usize,
}

impl JsonRow {
    /// Returns the text of the row without its indent.
    fn text(&self) -> String {
        self.parts.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// A value that is looked at.
#[derive(Clone, Debug)]
pub struct JsonView {
    value: Value,
    /// The containers that are closed.
    folded: BTreeSet<usize>,
    /// The long texts that are wrapped and not cut.
    opened: BTreeSet<usize>,
    width: usize,
    rows: Vec<JsonRow>,
    /// The row under the cursor.
    at: usize,
    search: String,
}

impl JsonView {
    /// Makes a view of a value; a large one begins with its outline.
    pub fn new(value: Value) -> Self {
        let mut view = Self {
            value,
            folded: BTreeSet::new(),
            opened: BTreeSet::new(),
            width: 80,
            rows: Vec::new(),
            at: 0,
            search: String::new(),
        };
        view.lay_out();
        if view.rows.len() > WHOLE_ROWS {
            let mut node = 0;
            fold_deeper(&view.value, 0, &mut node, &mut view.folded);
            view.lay_out();
        }
        view
    }

    /// Returns the value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the rows as they are laid out.
    pub fn rows(&self) -> &[JsonRow] {
        &self.rows
    }

    /// Returns the place of the cursor among the rows.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Lays the rows out for a width in columns.
    pub fn set_width(&mut self, width: usize) {
        if width != self.width {
            self.width = width;
            self.lay_out();
        }
    }

    /// Moves the cursor by rows, which stops at both ends.
    pub fn move_by(&mut self, rows: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(rows).min(last);
    }

    /// Moves the cursor to the first or the last row.
    pub fn go_to_end(&mut self, is_last: bool) {
        self.at = if is_last {
            self.rows.len().saturating_sub(1)
        } else {
            0
        };
    }

    /// Folds or unfolds the container under the cursor, or the text there.
    pub fn toggle(&mut self) {
        let Some(node) = self.rows.get(self.at).map(|row| row.node) else {
            return;
        };
        let set = match self.node(node) {
            Some(Value::String(_)) => &mut self.opened,
            Some(Value::Array(_) | Value::Object(_)) => &mut self.folded,
            _ => return,
        };
        if !set.remove(&node) {
            set.insert(node);
        }
        self.lay_out();
        self.go_to(node);
    }

    /// Folds every container below the first, or unfolds all where any is folded.
    pub fn toggle_all(&mut self) {
        let node = self.rows.get(self.at).map_or(0, |row| row.node);
        if self.folded.is_empty() {
            fold_deeper(&self.value, 0, &mut 0, &mut self.folded);
        } else {
            self.folded.clear();
        }
        self.lay_out();
        self.go_to(node);
    }

    /// Returns the value under the cursor, to be copied.
    pub fn selected(&self) -> &Value {
        let node = self.rows.get(self.at).map_or(0, |row| row.node);
        self.node(node).unwrap_or(&self.value)
    }

    /// Returns the value under the cursor as text: a text without its quotes.
    pub fn selected_text(&self) -> String {
        match self.selected() {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Looks for a text, ignoring case, and goes to its first place from the cursor on;
    /// everything is unfolded for it. Returns whether it is there.
    pub fn find(&mut self, text: &str) -> bool {
        self.search = text.to_lowercase();
        if self.search.is_empty() {
            return true;
        }
        let node = self.rows.get(self.at).map_or(0, |row| row.node);
        if !self.folded.is_empty() {
            self.folded.clear();
            self.lay_out();
            self.go_to(node);
        }
        self.seek(true, true)
    }

    /// Goes to the next place of the text that was looked for, or to the one before, and
    /// on from the other end. Returns whether there is one.
    pub fn find_again(&mut self, is_forward: bool) -> bool {
        !self.search.is_empty() && self.seek(is_forward, false)
    }

    /// Moves to a row that has the searched text.
    fn seek(&mut self, is_forward: bool, from_here: bool) -> bool {
        let count = self.rows.len();
        let first = usize::from(!from_here);
        let found = (first..first + count).find_map(|step| {
            let at = if is_forward {
                (self.at + step) % count
            } else {
                (self.at + count - step % count) % count
            };
            let text = self.rows[at].text().to_lowercase();
            text.contains(&self.search).then_some(at)
        });
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }

    /// Moves to the first row of a node, or to what it is folded into.
    fn go_to(&mut self, node: usize) {
        let shown = self.rows.iter().map(|row| row.node);
        let nearest = shown.filter(|shown| *shown <= node).max().unwrap_or(0);
        let first = self.rows.iter().position(|row| row.node == nearest);
        self.at = first.unwrap_or(0);
    }

    /// Returns the value of a node.
    fn node(&self, wanted: usize) -> Option<&Value> {
        find_node(&self.value, wanted, &mut 0)
    }

    /// Makes the rows.
    fn lay_out(&mut self) {
        let mut layout = Layout {
            folded: &self.folded,
            opened: &self.opened,
            width: self.width,
            rows: Vec::new(),
            node: 0,
        };
        layout.value(0, None, &self.value, false);
        if layout.rows.len() >= ROWS_MAX {
            layout.rows.push(JsonRow {
                indent: 0,
                parts: vec![(JsonPart::Note, "... the rest is too long to show".into())],
                node: 0,
            });
        }
        self.rows = layout.rows;
        self.at = self.at.min(self.rows.len().saturating_sub(1));
    }
}

/// Returns the node with a number, counting from `next` on.
fn find_node<'a>(value: &'a Value, wanted: usize, next: &mut usize) -> Option<&'a Value> {
    let here = *next;
    *next += 1;
    if here == wanted {
        return Some(value);
    }
    match value {
        Value::Array(items) => items.iter().find_map(|item| find_node(item, wanted, next)),
        Value::Object(members) => members
            .values()
            .find_map(|member| find_node(member, wanted, next)),
        _ => None,
    }
}

/// Collects the containers that lie deeper than the first level.
fn fold_deeper(value: &Value, depth: usize, next: &mut usize, folded: &mut BTreeSet<usize>) {
    let here = *next;
    *next += 1;
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => return,
    };
    if depth > 1 && !children.is_empty() {
        folded.insert(here);
    }
    for child in children {
        fold_deeper(child, depth + 1, next, folded);
    }
}

/// Returns how many nodes a value has, itself included.
fn nodes_in(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes_in).sum::<usize>(),
        Value::Object(members) => members.values().map(nodes_in).sum(),
        _ => 0,
    }
}

/// Rows in the making.
struct Layout<'a> {
    folded: &'a BTreeSet<usize>,
    opened: &'a BTreeSet<usize>,
    width: usize,
    rows: Vec<JsonRow>,
    node: usize,
}

impl Layout<'_> {
    /// Lays out a value under its name, with a comma where another follows.
    fn value(&mut self, depth: usize, key: Option<&str>, value: &Value, comma: bool) {
        if self.rows.len() >= ROWS_MAX {
            return;
        }
        let node = self.node;
        self.node += 1;
        let mut parts = Vec::new();
        if let Some(key) = key {
            parts.push((JsonPart::Key, quoted(key)));
            parts.push((JsonPart::Mark, ": ".to_owned()));
        }
        match value {
            Value::Array(items) if !items.is_empty() => {
                let children = items.iter().map(|item| (None, item));
                self.container(depth, node, parts, value, ["[", "]"], comma, children);
            }
            Value::Object(members) if !members.is_empty() => {
                let children = members.iter().map(|(key, member)| (Some(key), member));
                self.container(depth, node, parts, value, ["{", "}"], comma, children);
            }
            Value::String(text) => self.text(depth, node, parts, text, comma),
            other => {
                let part = match other {
                    Value::Array(_) | Value::Object(_) => JsonPart::Mark,
                    _ => JsonPart::Word,
                };
                parts.push((part, other.to_string()));
                self.row(depth, node, parts, comma);
            }
        }
    }

    /// Lays out a container: one row where it is folded, else its children between marks.
    #[expect(
        clippy::too_many_arguments,
        reason = "the row so far, and how it goes on"
    )]
    fn container<'v>(
        &mut self,
        depth: usize,
        node: usize,
        mut parts: Vec<(JsonPart, String)>,
        value: &Value,
        [open, close]: [&str; 2],
        comma: bool,
        children: impl ExactSizeIterator<Item = (Option<&'v String>, &'v Value)>,
    ) {
        let count = children.len();
        if self.folded.contains(&node) {
            let what = if open == "{" { "keys" } else { "items" };
            let bytes = size_text(value.to_string().len());
            parts.push((JsonPart::Mark, format!("{open} ")));
            parts.push((JsonPart::Note, format!("... {count} {what}, {bytes}")));
            parts.push((JsonPart::Mark, format!(" {close}")));
            self.node += nodes_in(value) - 1;
            return self.row(depth, node, parts, comma);
        }
        parts.push((JsonPart::Mark, open.to_owned()));
        self.row(depth, node, parts, false);
        for (at, (key, child)) in children.enumerate() {
            self.value(depth + 1, key.map(String::as_str), child, at + 1 < count);
        }
        let parts = vec![(JsonPart::Mark, close.to_owned())];
        self.row(depth, node, parts, comma);
    }

    /// Lays out a text: cut to one row, or over as many as it needs where it is opened.
    fn text(
        &mut self,
        depth: usize,
        node: usize,
        mut parts: Vec<(JsonPart, String)>,
        text: &str,
        comma: bool,
    ) {
        let quoted = quoted(text);
        let taken: usize = parts.iter().map(|(_, text)| text.chars().count()).sum();
        let room = self
            .width
            .saturating_sub(indent_of(depth) + taken + 1)
            .max(8);
        if quoted.chars().count() <= room {
            parts.push((JsonPart::Text, quoted));
            return self.row(depth, node, parts, comma);
        }
        if !self.opened.contains(&node) {
            let told = format!(" ... {}", size_text(text.len()));
            let kept = room.saturating_sub(told.chars().count()).max(4);
            parts.push((JsonPart::Text, quoted.chars().take(kept).collect()));
            parts.push((JsonPart::Note, told));
            return self.row(depth, node, parts, comma);
        }
        let chars: Vec<char> = quoted.chars().collect();
        for (at, piece) in chars.chunks(room).enumerate() {
            let mut parts = if at == 0 {
                parts.clone()
            } else {
                vec![(JsonPart::Mark, " ".repeat(taken))]
            };
            parts.push((JsonPart::Text, piece.iter().collect()));
            self.row(depth, node, parts, comma && (at + 1) * room >= chars.len());
        }
    }

    /// Adds a row.
    fn row(&mut self, depth: usize, node: usize, mut parts: Vec<(JsonPart, String)>, comma: bool) {
        if comma {
            parts.push((JsonPart::Mark, ",".to_owned()));
        }
        if self.rows.len() < ROWS_MAX {
            self.rows.push(JsonRow {
                indent: indent_of(depth),
                parts,
                node,
            });
        }
    }
}

/// Returns the blanks before a row of a depth.
fn indent_of(depth: usize) -> usize {
    2 * depth.min(INDENT_MAX)
}

/// Returns a text as JSON writes it, without what could steer a terminal.
fn quoted(text: &str) -> String {
    text::clean(&Value::from(text).to_string())
}

/// Returns a number of bytes as a person reads it.
fn size_text(bytes: usize) -> String {
    text::bytes(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// Draws the rows of a value around its cursor.
pub fn draw_rows(look: &Look, buffer: &mut Buffer, area: Rect, view: &JsonView, has_keys: bool) {
    let styles = look.styles();
    let height = usize::from(area.height);
    let first = (view.at() + 1).saturating_sub(height.max(1));
    for (line, row) in (0..area.height).zip(view.rows().iter().skip(first)) {
        let Some(y) = line_of(area, line) else { return };
        let is_under = has_keys && first + usize::from(line) == view.at();
        let indent = u16::try_from(row.indent).unwrap_or(u16::MAX);
        let mut x = area.x.saturating_add(indent).min(area.right());
        for (part, text) in &row.parts {
            let style = match part {
                _ if is_under => styles.selected,
                JsonPart::Key => styles.title,
                JsonPart::Text => styles.ok,
                JsonPart::Word => styles.run,
                JsonPart::Mark => styles.text,
                JsonPart::Note => styles.dim,
            };
            let room = usize::from(area.right().saturating_sub(x));
            (x, _) = buffer.set_stringn(x, y, look.clean(text), room, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drawn(view: &JsonView) -> Vec<String> {
        let rows = view.rows().iter();
        rows.map(|row| format!("{}{}", " ".repeat(row.indent), row.text()))
            .collect()
    }

    #[test]
    fn a_small_value_is_shown_whole() {
        let view = JsonView::new(json!({ "a": [1, true], "b": {}, "c": "x" }));
        assert_eq!(
            drawn(&view),
            [
                "{",
                "  \"a\": [",
                "    1,",
                "    true",
                "  ],",
                "  \"b\": {},",
                "  \"c\": \"x\"",
                "}",
            ]
        );
    }

    #[test]
    fn a_folded_container_says_what_it_holds_and_the_cursor_stays_on_it() {
        let mut view = JsonView::new(json!({ "a": [1, 2, 3], "b": { "c": null } }));
        view.move_by(2);
        view.move_by(-1);
        view.toggle();
        assert_eq!(drawn(&view)[1], "  \"a\": [ ... 3 items, 7 B ],");
        assert_eq!(view.at(), 1);
        view.move_by(2);
        assert_eq!(
            view.selected(),
            &json!(null),
            "nodes are counted past what is folded"
        );
        view.toggle_all();
        assert_eq!(drawn(&view).len(), 10, "all is open again");
    }

    #[test]
    fn a_long_text_is_cut_until_it_is_opened() {
        let text = "0123456789".repeat(10);
        let mut view = JsonView::new(json!({ "t": text }));
        view.set_width(40);
        assert!(drawn(&view)[1].ends_with(" ... 100 B"));
        assert!(drawn(&view)[1].len() <= 40);
        view.move_by(1);
        view.toggle();
        let shown: String = drawn(&view).join("").replace(' ', "");
        assert!(shown.contains(&text), "{shown}");
        assert_eq!(view.selected(), &json!(text));
    }

    #[test]
    fn a_search_opens_what_is_folded_and_goes_round() {
        let mut view = JsonView::new(json!({ "a": { "b": "Needle" }, "c": "needle" }));
        view.toggle();
        assert_eq!(drawn(&view).len(), 1);
        assert!(view.find("needle"));
        assert_eq!(view.selected(), &json!("Needle"));
        assert!(view.find_again(true));
        assert_eq!(view.selected(), &json!("needle"));
        assert!(view.find_again(true));
        assert_eq!(view.selected(), &json!("Needle"));
        assert!(view.find_again(false));
        assert_eq!(view.selected(), &json!("needle"));
        assert!(!view.find("nowhere"));
    }

    #[test]
    fn a_large_value_begins_with_its_outline() {
        let rows: Vec<Value> = (0..200).map(|n| json!({ "n": n, "deep": [n] })).collect();
        let view = JsonView::new(json!({ "rows": rows }));
        assert_eq!(view.rows().len(), 204);
        assert_eq!(drawn(&view)[2], "    { ... 2 keys, 18 B },");
    }

    #[test]
    fn a_hostile_value_has_an_end_and_no_control_characters() {
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        let view = JsonView::new(json!({ "deep": deep, "\u{1b}[2J": "\u{9b}x\n" }));
        assert!(view.rows().iter().all(|row| row.indent <= 2 * INDENT_MAX));
        let all = drawn(&view).join("\n");
        assert!(!all.contains(['\u{1b}', '\u{9b}']), "{all:?}");
        let mut view = JsonView::new(json!(vec![0; ROWS_MAX + 10]));
        view.go_to_end(true);
        assert_eq!(view.rows().len(), ROWS_MAX + 1);
        assert_eq!(view.at(), ROWS_MAX);
    }
}
