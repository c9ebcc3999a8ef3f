//! How a list is drawn.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::Model;
use super::cell::{cell_text, is_right, standing};
use crate::console::empty;
use crate::console::screen::Scene;
use crate::console::text::{pad, width};
use crate::domain::listing::{ColumnKind, ListColumn, ListRow};

/// Blanks between columns.
const GAP: usize = 2;

/// The narrowest that a wide column is made before others are left out: most of an
/// e-mail address.
const COLUMN_MIN: usize = 17;

/// What a column may take while there are others that can be left out.
const COLUMN_FAIR: usize = 28;

/// The columns before the first: the cursor and the mark.
const LEAD: usize = 2;

/// A column that is drawn.
struct Shown {
    /// Its place in the row.
    at: usize,
    column: &'static ListColumn,
    title: &'static str,
    width: usize,
    /// How wide it needs to be for all of its texts.
    natural: usize,
}

impl Model {
    /// Draws the list.
    pub fn view(&self, scene: &Scene, frame: &mut Frame<'_>, body: Rect) {
        let (body, panes) = self.areas(body);
        if let Some(area) = panes {
            self.draw_panes(scene, frame.buffer_mut(), area);
        }
        let look = &scene.look;
        let block = look.boxed(&self.title(), true);
        let inner = block.inner(body);
        let buffer = frame.buffer_mut();
        block.render(body, buffer);
        if inner.is_empty() {
            return;
        }
        if self.len() == 0 {
            self.draw_empty(scene, buffer, inner);
            return;
        }
        let rows: Vec<&ListRow> = self
            .rows()
            .skip(self.offset)
            .take(usize::from(inner.height.saturating_sub(1)))
            .collect();
        let texts: Vec<Vec<String>> = rows.iter().map(|row| self.texts(row, scene)).collect();
        let shown = self.columns(&texts, usize::from(inner.width).saturating_sub(LEAD + 1));
        self.draw_titles(scene, buffer, inner, &shown);
        for (line, (row, texts)) in rows.iter().zip(&texts).enumerate() {
            let area = Rect {
                y: inner.y + 1 + u16::try_from(line).unwrap_or(u16::MAX),
                height: 1,
                ..inner
            };
            self.draw_row(
                scene,
                buffer,
                area,
                (self.offset + line, row, texts, &shown),
            );
        }
    }

    /// Returns the title: the tabs of the view, the open one in brackets.
    fn title(&self) -> String {
        let lists = self.view_name().lists();
        // What belongs to something is no tab of the view.
        if lists.len() < 2 || self.is_narrowed_for_good {
            return self.view_name().title_of(self.of).to_owned();
        }
        let tabs: Vec<String> = lists
            .iter()
            .map(|list| {
                let title = self.view_name().title_of(*list);
                if *list == self.of {
                    format!("[{title}]")
                } else {
                    title.to_owned()
                }
            })
            .collect();
        tabs.join("  ")
    }

    /// Returns the cells of a row as texts, a column each.
    fn texts(&self, row: &ListRow, scene: &Scene) -> Vec<String> {
        self.of
            .columns()
            .iter()
            .zip(&row.cells)
            .map(|(column, cell)| match column.title {
                Some(_) => cell_text(cell, column.kind, &scene.look, scene.now_ms),
                None => String::new(),
            })
            .collect()
    }

    /// Returns the columns that there is room for, as wide as they need to be. The widest
    /// give way first; then the last columns are left out.
    fn columns(&self, texts: &[Vec<String>], room: usize) -> Vec<Shown> {
        let mut shown: Vec<Shown> = self
            .of
            .columns()
            .iter()
            .enumerate()
            .filter_map(|(at, column)| {
                let title = column.title?;
                let widest = texts
                    .iter()
                    .map(|row| row.get(at).map_or(0, |text| width(text)));
                // The arrow of the order stands behind the title.
                let width = widest.chain([width(title) + 2]).max().unwrap_or(0);
                Some(Shown {
                    at,
                    column,
                    title,
                    width,
                    natural: width,
                })
            })
            .collect();
        while let Some(too_much) = too_much(&shown, room) {
            let is_alone = shown.len() == 1;
            let has_id =
                matches!(shown.first(), Some(first) if first.column.kind == ColumnKind::Id);
            match shown.iter_mut().max_by_key(|shown| shown.width) {
                Some(widest) if widest.width > COLUMN_FAIR => widest.width -= 1,
                // The id is the first to go: it is copied and opened all the same.
                _ if has_id && !is_alone => {
                    shown.remove(0);
                }
                Some(widest) if widest.width > COLUMN_MIN => widest.width -= 1,
                Some(only) if is_alone && only.width > too_much => only.width -= too_much,
                _ if is_alone => return Vec::new(),
                _ => {
                    shown.pop();
                }
            }
        }
        give_back(&mut shown, room);
        shown
    }

    /// Draws the titles of the columns, with an arrow at the one of the order.
    fn draw_titles(&self, scene: &Scene, buffer: &mut Buffer, inner: Rect, shown: &[Shown]) {
        let look = &scene.look;
        let mut x = inner.x + 2;
        for shown in shown {
            let title = if shown.at == self.sort.column {
                format!("{} {}", shown.title, look.arrow(self.sort.descending))
            } else {
                shown.title.to_owned()
            };
            let title = pad(
                &look.cut(&title, shown.width),
                shown.width,
                is_right(shown.column.kind),
            );
            x = put(buffer, inner, (x, inner.y), &title, look.styles().title);
            x = x.saturating_add(2);
        }
    }

    /// Draws one row.
    fn draw_row(
        &self,
        scene: &Scene,
        buffer: &mut Buffer,
        area: Rect,
        (at, row, texts, shown): (usize, &ListRow, &[String], &[Shown]),
    ) {
        let look = &scene.look;
        let styles = look.styles();
        let is_under = at == self.cursor;
        let is_marked = self.marks.contains(&row.id);
        let base = match (is_under, is_marked) {
            (true, _) => styles.selected,
            (false, true) => styles.marked,
            (false, false) => styles.text,
        };
        buffer.set_style(area, base);
        let lead = match (is_under, is_marked) {
            (true, true) => ">+",
            (true, false) => "> ",
            (false, true) => " +",
            (false, false) => "  ",
        };
        let mut x = put(buffer, area, (area.x, area.y), lead, base);
        for shown in shown {
            let text = texts.get(shown.at).map_or("", String::as_str);
            let text = pad(
                &look.cut(text, shown.width),
                shown.width,
                is_right(shown.column.kind),
            );
            let cell = row.cells.get(shown.at);
            let style = match cell.and_then(|cell| standing(cell, shown.column)) {
                // On the selection only its own style is sure to be readable.
                Some(standing) if !is_under => base.patch(look.style_of(standing)),
                _ => base,
            };
            x = put(buffer, area, (x, area.y), &text, style);
            x = put(buffer, area, (x, area.y), "  ", base);
        }
    }

    /// Says why there is nothing to see, and what to do.
    fn draw_empty(&self, scene: &Scene, buffer: &mut Buffer, inner: Rect) {
        let text = if self.parts.is_empty() {
            String::new()
        } else if self.filter.is_empty() {
            empty::reason(self.of, scene.is_read_only).to_owned()
        } else if self.is_searching() {
            "Searching. Esc ends it and clears the filter.".to_owned()
        } else {
            format!(
                "Nothing fits \"{}\". Esc clears the filter, / changes it.",
                self.filter
            )
        };
        empty::draw(&scene.look, buffer, inner, &text);
    }
}

/// Gives the room of columns that were left out to those that were narrowed, the first ones
/// first.
fn give_back(shown: &mut [Shown], room: usize) {
    let taken = shown.iter().map(|shown| shown.width + GAP).sum::<usize>();
    let mut left = (room + GAP).saturating_sub(taken);
    for shown in shown {
        let more = (shown.natural - shown.width).min(left);
        shown.width += more;
        left -= more;
    }
}

/// Returns how many columns of the terminal are missing; none where there is room for all.
fn too_much(shown: &[Shown], room: usize) -> Option<usize> {
    let taken = shown.iter().map(|shown| shown.width + GAP).sum::<usize>();
    taken.checked_sub(room + GAP).filter(|over| *over > 0)
}

/// Draws a text within an area, and returns where it ends.
fn put(buffer: &mut Buffer, area: Rect, (x, y): (u16, u16), text: &str, style: Style) -> u16 {
    if x >= area.right() || y >= area.bottom() {
        return x;
    }
    let room = usize::from(area.right() - x);
    buffer.set_stringn(x, y, text, room, style).0
}
