//! Cells as text: for the table, for details, and as JSON.

use serde_json::{Map, Value};

use crate::console::look::{Look, Standing};
use crate::console::text;
use crate::domain::listing::{ColumnKind, ListCell, ListColumn, ListOf, ListRow};

/// Returns a cell as a list shows it: one line, ids and times short.
pub fn cell_text(cell: &ListCell, kind: ColumnKind, look: &Look, now_ms: i64) -> String {
    match cell {
        ListCell::Text(word) => match (kind, Standing::of(word)) {
            (ColumnKind::Id, _) => text::short_id(word),
            (ColumnKind::State, Some(standing)) => {
                format!("{} {}", look.sign(standing), look.clean(word))
            }
            _ => look.clean(word),
        },
        ListCell::Number(n) => match kind {
            ColumnKind::Bytes => text::bytes(*n),
            ColumnKind::Duration => text::duration(*n),
            ColumnKind::Id => n.to_string(),
            _ => text::number(*n),
        },
        ListCell::Flag(true) => "yes".to_owned(),
        ListCell::Flag(false) => "no".to_owned(),
        ListCell::Time(at_ms) => look.list_time(*at_ms, now_ms),
        ListCell::Texts(texts) => look.clean(&texts.join(", ")),
        ListCell::Json(value) => look.clean(&value.to_string()),
        ListCell::Empty => "-".to_owned(),
    }
}

/// Tells whether a column's values stand at its right side.
pub(super) fn is_right(kind: ColumnKind) -> bool {
    matches!(
        kind,
        ColumnKind::Number | ColumnKind::Bytes | ColumnKind::Duration
    )
}

/// Returns how the thing in a cell stands, where the cell says so.
pub(super) fn standing(cell: &ListCell, column: &ListColumn) -> Option<Standing> {
    match (cell, column.kind) {
        (ListCell::Text(word), ColumnKind::State) => Standing::of(word),
        _ => None,
    }
}

/// Returns a row as a JSON object, with the names that the command line has too.
pub fn row_json(of: ListOf, row: &ListRow) -> Value {
    let members: Map<String, Value> = of
        .columns()
        .iter()
        .zip(&row.cells)
        .map(|(column, cell)| (column.key.to_owned(), value_of(cell)))
        .collect();
    Value::Object(members)
}

/// Returns a cell as a JSON value.
fn value_of(cell: &ListCell) -> Value {
    match cell {
        ListCell::Text(text) => Value::from(text.as_str()),
        ListCell::Number(n) => Value::from(*n),
        ListCell::Flag(flag) => Value::from(*flag),
        ListCell::Time(at_ms) => jiff::Timestamp::from_millisecond(*at_ms)
            .map_or_else(|_| Value::from(*at_ms), |at| Value::from(at.to_string())),
        ListCell::Texts(texts) => Value::from(texts.clone()),
        ListCell::Json(value) => value.clone(),
        ListCell::Empty => Value::Null,
    }
}
