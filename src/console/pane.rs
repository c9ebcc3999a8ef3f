//! What screens with panes and tabs share: a line of text in an area, the line of tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::look::Look;
use super::text::width;

/// Returns the place of a line of an area, where it has so many.
pub(super) fn line_of(area: Rect, line: u16) -> Option<u16> {
    (line < area.height).then(|| area.y + line)
}

/// Writes a text into a line of an area; what has no room is cut.
pub(super) fn put(buffer: &mut Buffer, area: Rect, line: u16, text: &str, style: Style) {
    if let Some(y) = line_of(area, line) {
        buffer.set_stringn(area.x, y, text, usize::from(area.width), style);
    }
}

/// Takes the first line of an area away, and returns it with the rest.
pub(super) fn split_line(area: Rect) -> (Rect, Rect) {
    let height = 1.min(area.height);
    let rest = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (Rect { height, ..area }, rest)
}

/// Draws the names of tabs; the one that is shown stands in brackets.
pub(super) fn draw_tabs<T: AsRef<str>>(
    look: &Look,
    buffer: &mut Buffer,
    area: Rect,
    titles: impl Iterator<Item = T>,
    shown: usize,
) {
    let styles = look.styles();
    let mut x = area.x;
    for (at, title) in titles.enumerate() {
        let Some(y) = line_of(area, 0) else { return };
        let title = title.as_ref();
        let room = usize::from(area.right().saturating_sub(x));
        let (label, style) = if at == shown {
            (format!("[{title}]"), styles.title)
        } else {
            (format!(" {title} "), styles.dim)
        };
        (x, _) = buffer.set_stringn(x, y, label, room, style);
    }
}

/// Returns the tab whose name is drawn at a column; each has a sign at both ends.
pub(super) fn tab_at<T: AsRef<str>>(
    area: Rect,
    titles: impl Iterator<Item = T>,
    column: u16,
) -> Option<usize> {
    let at = usize::from(column.checked_sub(area.x)?);
    let mut end = 0;
    titles
        .map(|title| {
            end += width(title.as_ref()) + 2;
            end
        })
        .position(|end| at < end)
}

/// Returns the place `step` further among `count`, round the end.
pub(super) fn turned(at: usize, count: usize, step: isize) -> usize {
    let next = at.cast_signed() + step;
    next.rem_euclid(count.max(1).cast_signed()).unsigned_abs()
}
