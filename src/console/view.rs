//! How a frame is drawn: header, crumbs, body, status, keys, and what lies over them.
//!
//! Drawing reads the model and changes nothing. Every size is drawn; what is too small to
//! be read says so.

mod popup;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::keys::{Action, Binding, Place};
use super::message::Level;
use super::model::{AWAITED_MS, Model, OVERDUE_MS};
use super::overlay::Overlay;
use super::text::{self, width};
use crate::domain::listing::ListOf;

/// The smallest terminal on which the screens can be read.
pub const WIDTH_MIN: u16 = 60;

/// Its lines.
pub const HEIGHT_MIN: u16 = 15;

/// The lines above the body: header and crumbs.
const HEAD_LINES: u16 = 2;

/// The lines below it: status and keys.
const FOOT_LINES: u16 = 2;

/// Returns the room of the screens in a terminal.
pub fn body_of(area: Rect) -> Rect {
    let height = area.height.saturating_sub(HEAD_LINES + FOOT_LINES);
    Rect {
        y: area.y + HEAD_LINES.min(area.height),
        height,
        ..area
    }
}

/// Draws a frame.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let scene = model.scene();
    let styles = scene.look.styles();
    frame.buffer_mut().set_style(area, styles.text);
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        draw_too_small(frame.buffer_mut(), area);
        return;
    }
    draw_header(model, frame.buffer_mut(), area);
    draw_crumbs(model, frame.buffer_mut(), area);
    let body = body_of(area);
    model.top().screen.view(&scene, frame, body);
    draw_status(model, frame, area);
    draw_keys(model, frame.buffer_mut(), area);
    if let Some(over) = model.overlays.last() {
        popup::draw(model, over, frame, area);
    }
}

/// Says what size is needed.
fn draw_too_small(buffer: &mut Buffer, area: Rect) {
    let told = format!(
        "needs {WIDTH_MIN}x{HEIGHT_MIN}, have {}x{}",
        area.width, area.height
    );
    for (y, line) in (area.y..area.bottom()).zip(text::wrap(&told, usize::from(area.width))) {
        buffer.set_stringn(area.x, y, line, usize::from(area.width), Style::new());
    }
}

/// Draws a line with a text at each end; the right one wins where both have no room.
fn draw_line(buffer: &mut Buffer, line: Rect, left: &str, right: &str, style: Style, mark: &str) {
    let room = usize::from(line.width);
    let right = text::cut(right, room, "");
    let left_room = room.saturating_sub(width(&right) + usize::from(!right.is_empty()));
    let left = text::cut(left, left_room, mark);
    buffer.set_style(line, style);
    buffer.set_stringn(line.x, line.y, &left, left_room, style);
    let x = line
        .right()
        .saturating_sub(u16::try_from(width(&right)).unwrap_or(0));
    buffer.set_stringn(x, line.y, &right, room, style);
}

/// Returns one line of the screen.
fn line_at(area: Rect, y: u16) -> Rect {
    Rect {
        y,
        height: 1.min(area.height),
        ..area
    }
}

/// Draws the header: what is looked at, as whom, whether it can be changed, since when.
fn draw_header(model: &Model, buffer: &mut Buffer, area: Rect) {
    let look = &model.settings.look;
    let access = if model.settings.is_read_only {
        "RO"
    } else {
        "RW"
    };
    let loaded = match model.loaded_at_ms {
        Some(at_ms) => text::clock_time(at_ms, &look.full_zone()),
        None => "-".to_owned(),
    };
    let fresh = if model.failures > 0 {
        format!("STALE since {loaded}")
    } else if model.is_paused {
        format!("paused {loaded}")
    } else {
        format!("upd {loaded}")
    };
    let right = format!("operator  {access}  {fresh} ");
    let left = format!(" elastane  {}", look.clean(&model.settings.place));
    draw_line(
        buffer,
        line_at(area, area.y),
        &left,
        &right,
        look.styles().header,
        look.ellipsis(),
    );
}

/// Draws the crumbs: the pages on top of each other, and the place in the last one.
fn draw_crumbs(model: &Model, buffer: &mut Buffer, area: Rect) {
    let look = &model.settings.look;
    let crumbs: Vec<String> = model
        .pages
        .iter()
        .map(|page| look.cut(&look.clean(&page.screen.crumb()), 32))
        .collect();
    let left = format!(" {}", crumbs.join(" > "));
    let right = format!("{} ", model.top().screen.place_text(&model.scene()));
    draw_line(
        buffer,
        line_at(area, area.y + 1),
        &left,
        &right,
        look.styles().title,
        look.ellipsis(),
    );
}

/// Draws the status line: the filter while it is typed, else the last message, else what
/// is awaited, else what the screen has to say.
fn draw_status(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let look = &model.settings.look;
    let styles = look.styles();
    let line = line_at(area, area.bottom().saturating_sub(FOOT_LINES));
    let screen = model.top().screen.status();
    if let Some(Overlay::Filter(filter)) = model.overlays.last() {
        let room = usize::from(line.width).saturating_sub(3 + width(&screen) + 2);
        let (seen, at) = filter.input.seen(room.max(1));
        draw_line(
            frame.buffer_mut(),
            line,
            &format!(" /{seen}"),
            &format!("{screen} "),
            styles.input,
            "",
        );
        let x = line
            .x
            .saturating_add(2)
            .saturating_add(u16::try_from(at).unwrap_or(0));
        frame.set_cursor_position((x.min(line.right().saturating_sub(1)), line.y));
        return;
    }
    let awaited = awaited_text(model);
    let sandbox = sandbox_text(model);
    let (text, style) = match (model.messages.shown(), awaited) {
        (Some(message), _) => {
            let (sign, style) = match message.level {
                Level::Note => ("", styles.text),
                Level::Good => ("ok: ", styles.ok),
                Level::Bad => ("! ", styles.bad),
            };
            (format!("{sign}{}", look.clean(&message.text)), style)
        }
        (None, Some(awaited)) => (awaited, styles.wait),
        (None, None) if screen.is_empty() && !sandbox.is_empty() => {
            (look.clean(sandbox), styles.dim)
        }
        (None, None) => (look.clean(&screen), styles.text),
    };
    // A message hides no word about rows that came.
    let right = if model.messages.shown().is_some() {
        format!("{} ", look.clean(&screen))
    } else {
        String::new()
    };
    draw_line(
        frame.buffer_mut(),
        line,
        &format!(" {text}"),
        &right,
        style,
        look.ellipsis(),
    );
}

/// Says what there is of a sandbox, where components are looked at.
fn sandbox_text(model: &Model) -> &str {
    match model.top().screen.place() {
        Place::List(ListOf::Components) | Place::Detail(ListOf::Components) => {
            &model.settings.sandbox
        }
        _ => "",
    }
}

/// Says what is awaited, once that takes long.
fn awaited_text(model: &Model) -> Option<String> {
    let waited = model.mono_ms.saturating_sub(model.top().asked_ms?);
    let seconds = waited / 1_000;
    if waited >= OVERDUE_MS {
        Some(format!(
            "the database has not answered for {seconds} s: r tries again"
        ))
    } else if waited >= AWAITED_MS {
        Some(format!("waiting for the database, {seconds} s"))
    } else {
        None
    }
}

/// A key of the last line.
struct Hint {
    key: String,
    word: String,
    /// Whether it is there at any width.
    is_kept: bool,
}

impl Hint {
    /// Returns its columns, with the gap behind it.
    fn width(&self) -> usize {
        width(&self.key) + 1 + width(&self.word) + 2
    }
}

/// Draws the keys that hold now: from the left, as many as there is room for.
fn draw_keys(model: &Model, buffer: &mut Buffer, area: Rect) {
    let styles = model.settings.look.styles();
    let line = line_at(area, area.bottom().saturating_sub(1));
    let mut hints = hints(model);
    // Behind the last one no gap is needed, before the first one a blank.
    while hints.iter().map(Hint::width).sum::<usize>() > usize::from(line.width) + 1 {
        match hints.iter().rposition(|hint| !hint.is_kept) {
            Some(at) => drop(hints.remove(at)),
            None => break,
        }
    }
    let mut x = line.x + 1;
    for hint in hints {
        let room = usize::from(line.right().saturating_sub(x));
        x = buffer.set_stringn(x, line.y, hint.key, room, styles.key).0 + 1;
        let room = usize::from(line.right().saturating_sub(x));
        x = buffer.set_stringn(x, line.y, hint.word, room, styles.dim).0 + 2;
    }
}

/// Returns the keys of what is on top, those that are kept last.
fn hints(model: &Model) -> Vec<Hint> {
    if let Some(over) = model.overlays.last() {
        let keys = popup::keys(over).into_iter();
        let hint = |(key, word)| Hint {
            key,
            word,
            is_kept: false,
        };
        return keys.map(hint).collect();
    }
    let bindings = model.top().screen.place().all(model.settings.is_read_only);
    let named = bindings.filter(|binding| !binding.short.is_empty());
    let hint = |binding: &Binding| Hint {
        key: key_name(binding),
        word: binding.short.to_owned(),
        // Whoever knows these two finds all others.
        is_kept: matches!(binding.action, Action::Palette | Action::Help),
    };
    let mut hints: Vec<Hint> = named.map(hint).collect();
    hints.sort_by_key(|hint| hint.is_kept);
    hints
}

/// Returns the name of the first key of a row.
fn key_name(binding: &Binding) -> String {
    binding
        .chords
        .first()
        .map(|chord| chord.name())
        .unwrap_or_default()
}
