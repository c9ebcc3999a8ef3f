//! How what lies over the screen is drawn: a box in the middle with lines in it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Clear, Widget};

use super::super::confirm::Demand;
use super::super::form::FieldKind;
use super::super::input::Input;
use super::super::keys::Binding;
use super::super::message::Level;
use super::super::model::Model;
use super::super::overlay::Overlay;
use super::super::text::{self, width};
use super::super::{confirm, form, menu, palette};

/// The widest box.
const WIDTH_MAX: u16 = 76;

/// The entries of the palette that are shown at once.
const ENTRIES_SHOWN: usize = 12;

/// A line of a box.
struct Line {
    text: String,
    style: Style,
    /// A field at the end of the text that a person types into.
    input: Option<(String, usize)>,
}

/// Makes a line.
fn line(text: impl Into<String>, style: Style) -> Line {
    Line {
        text: text.into(),
        style,
        input: None,
    }
}

/// Draws an overlay; the filter is in the status line.
pub(super) fn draw(model: &Model, over: &Overlay, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.width.min(WIDTH_MAX).saturating_sub(4));
    let (title, lines) = match over {
        Overlay::Filter(_) => return,
        Overlay::Editor(editor) => {
            let body = super::body_of(area);
            return editor.view(&model.settings.look, frame, body);
        }
        Overlay::Help { offset } => ("Keys".to_owned(), skipped(help(model), *offset, area)),
        Overlay::Messages { offset } => (
            "Messages".to_owned(),
            skipped(messages(model, room), *offset, area),
        ),
        Overlay::Text {
            title,
            text,
            offset,
        } => (
            title.clone(),
            skipped(wrapped(model, text, room), *offset, area),
        ),
        Overlay::Palette(palette) => ("Command".to_owned(), palette_lines(model, palette, room)),
        Overlay::Menu(menu) => (menu.title.clone(), menu_lines(model, menu)),
        Overlay::Confirm(confirm) => (
            confirm.question.clone(),
            confirm_lines(model, confirm, room),
        ),
        Overlay::Form(form) => (form.title.clone(), form_lines(model, form, room)),
        Overlay::Secret(secret) => {
            let mut lines = wrapped(model, secret.text.expose(), room);
            lines.push(line("", Style::new()));
            let told = "It is shown this once and stored nowhere. y copies it.";
            lines.extend(wrapped(model, told, room));
            (secret.title.clone(), lines)
        }
        Overlay::Quit => (
            "End the console?".to_owned(),
            wrapped(
                model,
                "Something is still being done. y ends the console all the same.",
                room,
            ),
        ),
    };
    draw_box(model, frame, area, &title, &lines);
}

/// Draws lines in a box that is as large as they are.
fn draw_box(model: &Model, frame: &mut Frame<'_>, area: Rect, title: &str, lines: &[Line]) {
    let look = &model.settings.look;
    let widest = lines
        .iter()
        .map(|line| width(&line.text) + line.input.as_ref().map_or(0, |(seen, _)| width(seen) + 1))
        .chain([width(title) + 4, 30])
        .max()
        .unwrap_or(0);
    let most = area.width.min(WIDTH_MAX);
    let wide = u16::try_from(widest + 4).unwrap_or(most).min(most);
    let high = u16::try_from(lines.len() + 2)
        .unwrap_or(area.height)
        .min(area.height);
    let place = Rect {
        x: area.x + (area.width - wide) / 2,
        y: area.y + (area.height - high) / 2,
        width: wide,
        height: high,
    };
    let title = look.cut(&look.clean(title), usize::from(wide.saturating_sub(6)));
    let block = look.boxed(&title, true);
    let inner = block.inner(place);
    Clear.render(place, frame.buffer_mut());
    frame.buffer_mut().set_style(place, look.styles().text);
    block.render(place, frame.buffer_mut());
    for (y, line) in (inner.y..inner.bottom()).zip(lines) {
        let room = usize::from(inner.width.saturating_sub(2));
        let text = look.cut(&line.text, room);
        let (x, _) = frame
            .buffer_mut()
            .set_stringn(inner.x + 1, y, &text, room, line.style);
        if let Some((seen, at)) = &line.input {
            let room = usize::from(inner.right().saturating_sub(x));
            let input = look.styles().input;
            frame.buffer_mut().set_stringn(x, y, seen, room, input);
            let at = x.saturating_add(u16::try_from(*at).unwrap_or(0));
            if at < inner.right() {
                frame.set_cursor_position((at, y));
            }
        }
    }
}

/// Returns the lines from an offset on, as far as there are some to fill the screen.
fn skipped(mut lines: Vec<Line>, offset: usize, area: Rect) -> Vec<Line> {
    let shown = usize::from(area.height.saturating_sub(2));
    let offset = offset.min(lines.len().saturating_sub(shown));
    lines.split_off(offset.min(lines.len()))
}

/// Returns a text as lines.
fn wrapped(model: &Model, text: &str, room: usize) -> Vec<Line> {
    let look = &model.settings.look;
    text::wrap(text, room)
        .into_iter()
        .map(|text| line(look.clean(&text), look.styles().text))
        .collect()
}

/// Returns the keys that hold, those of the place first.
fn help(model: &Model) -> Vec<Line> {
    let styles = model.settings.look.styles();
    let place = model.top().screen.place();
    place
        .all(model.settings.is_read_only)
        .map(|binding: &Binding| {
            let names: Vec<String> = binding.chords.iter().map(|chord| chord.name()).collect();
            let names = text::pad(&names.join(" "), 16, false);
            line(format!("{names}{}", binding.help), styles.text)
        })
        .collect()
}

/// Returns the history of messages.
fn messages(model: &Model, room: usize) -> Vec<Line> {
    let look = &model.settings.look;
    let styles = look.styles();
    let mut lines = Vec::new();
    for message in model.messages.all() {
        let (sign, style) = match message.level {
            Level::Note => ("  ", styles.text),
            Level::Good => ("ok", styles.ok),
            Level::Bad => ("! ", styles.bad),
        };
        let time = text::clock_time(message.at_ms, &look.full_zone());
        for (at, part) in text::wrap(&message.text, room.saturating_sub(12))
            .iter()
            .enumerate()
        {
            let head = if at == 0 {
                format!("{time} {sign} ")
            } else {
                " ".repeat(12)
            };
            lines.push(line(format!("{head}{}", look.clean(part)), style));
        }
        let detail = message.detail.as_deref().unwrap_or_default();
        for part in text::wrap(detail, room.saturating_sub(12)) {
            lines.push(line(format!("{:12}{}", "", look.clean(&part)), styles.dim));
        }
        if let Some(id) = &message.request_id {
            lines.push(line(format!("{:12}request {id}", ""), styles.dim));
        }
    }
    if lines.is_empty() {
        lines.push(line("Nothing was said yet.", styles.text));
    }
    lines
}

/// Returns a line that a person types into.
fn typed(label: &str, input: &Input, room: usize, style: Style) -> Line {
    let (seen, at) = input.seen(room.saturating_sub(width(label) + 1));
    Line {
        text: label.to_owned(),
        style,
        input: Some((seen, at)),
    }
}

/// Returns the lines of the palette.
fn palette_lines(model: &Model, palette: &palette::Model, room: usize) -> Vec<Line> {
    let styles = model.settings.look.styles();
    let mut lines = vec![typed(":", &palette.input, room, styles.title)];
    let first = palette.cursor.saturating_sub(ENTRIES_SHOWN - 1);
    let entries = palette.shown.iter().enumerate().skip(first);
    for (at, entry) in entries.take(ENTRIES_SHOWN) {
        let is_under = at == palette.cursor;
        let lead = if is_under { "> " } else { "  " };
        let label = model
            .settings
            .look
            .cut(&entry.label, room.saturating_sub(12));
        let label = text::pad(&label, room.saturating_sub(12), false);
        let style = if is_under {
            styles.selected
        } else {
            styles.text
        };
        lines.push(line(format!("{lead}{label} {}", entry.key), style));
    }
    if palette.shown.is_empty() {
        lines.push(line("  nothing fits", styles.dim));
    }
    lines
}

/// Returns the lines of a menu.
fn menu_lines(model: &Model, menu: &menu::Model) -> Vec<Line> {
    let look = &model.settings.look;
    let styles = look.styles();
    menu.items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let is_under = at == menu.cursor;
            let lead = if is_under { ">" } else { " " };
            let style = if is_under {
                styles.selected
            } else {
                styles.text
            };
            let digit = if at < 9 {
                (at + 1).to_string()
            } else {
                " ".to_owned()
            };
            line(format!("{lead} {digit} {}", look.clean(&item.label)), style)
        })
        .collect()
}

/// Returns the lines of a confirmation.
fn confirm_lines(model: &Model, confirm: &confirm::Model, room: usize) -> Vec<Line> {
    let styles = model.settings.look.styles();
    let mut lines = Vec::new();
    // A title is one line; what has no room there is said in full.
    if width(&confirm.question) + 2 > room {
        lines = wrapped(model, &confirm.question, room);
    }
    for text in &confirm.lines {
        lines.extend(wrapped(model, text, room));
    }
    if let Some((way, _)) = confirm.ways.get(confirm.way) {
        lines.extend(wrapped(model, &format!("{way} (Tab: change)"), room));
    }
    lines.push(line("", styles.text));
    lines.push(match &confirm.demand {
        Demand::Yes => line("y yes   n or Esc no", styles.title),
        Demand::Typed(name) => {
            let label = format!("Type {name} to confirm: ");
            typed(&label, &confirm.input, room, styles.title)
        }
    });
    lines
}

/// Returns the lines of a form.
fn form_lines(model: &Model, form: &form::Model, room: usize) -> Vec<Line> {
    let styles = model.settings.look.styles();
    let labels = form.fields.iter().map(|field| width(&field.label)).max();
    let labels = labels.unwrap_or(0);
    let mut lines = Vec::new();
    for (at, field) in form.fields.iter().enumerate() {
        let has_keys = at == form.focus;
        let lead = if has_keys { "> " } else { "  " };
        let need = if field.is_required { "*" } else { " " };
        let label = format!("{lead}{}{need} ", text::pad(&field.label, labels, false));
        let style = if has_keys { styles.title } else { styles.text };
        match &field.kind {
            FieldKind::Choice(words) => {
                let words: Vec<String> = words
                    .iter()
                    .map(|word| {
                        if word == field.input.text() {
                            format!("[{word}]")
                        } else {
                            format!(" {word} ")
                        }
                    })
                    .collect();
                lines.push(line(format!("{label}{}", words.join(" ")), style));
            }
            FieldKind::Text | FieldKind::Secret if has_keys => {
                lines.push(typed(&label, &field.input, room, style));
            }
            FieldKind::Text | FieldKind::Secret => {
                let (seen, _) = field.input.seen(room.saturating_sub(width(&label)));
                lines.push(line(format!("{label}{seen}"), style));
            }
        }
        if let Some((Some(fault), told)) = &form.fault
            && *fault == at
        {
            lines.push(line(format!("    ! {told}"), styles.bad));
        } else if has_keys && !field.help.is_empty() {
            lines.push(line(format!("    {}", field.help), styles.dim));
        }
    }
    if let Some((None, told)) = &form.fault {
        lines.push(line(format!("! {told}"), styles.bad));
    }
    if form.is_sent {
        lines.push(line("being done", styles.wait));
    }
    lines
}

/// Returns the keys of an overlay, for the last line.
pub(super) fn keys(over: &Overlay) -> Vec<(String, String)> {
    let keys: &[(&str, &str)] = match over {
        Overlay::Help { .. } | Overlay::Messages { .. } | Overlay::Text { .. } => {
            &[("j k", "scroll"), ("Esc", "close")]
        }
        Overlay::Filter(_) => &[
            ("Enter", "keep"),
            ("Esc", "clear, then leave"),
            ("word field:value !word age:>2h", ""),
        ],
        Overlay::Palette(_) => &[("Enter", "take"), ("up down", "move"), ("Esc", "close")],
        Overlay::Menu(_) => &[("Enter", "take"), ("j k", "move"), ("Esc", "close")],
        Overlay::Confirm(model) => match model.demand {
            Demand::Yes => &[("y", "yes"), ("n Esc", "no")],
            Demand::Typed(_) if !model.ways.is_empty() => &[
                ("Enter", "confirm what is typed"),
                ("Tab", "another way"),
                ("Esc", "no"),
            ],
            Demand::Typed(_) => &[("Enter", "confirm what is typed"), ("Esc", "no")],
        },
        Overlay::Form(_) => &[
            ("Tab", "next field"),
            ("Enter", "next, then send"),
            ("Esc", "leave"),
        ],
        Overlay::Editor(model) => &[("ctrl-s", model.word), ("Esc", "leave")],
        Overlay::Secret(_) => &[("y", "copy"), ("Esc", "close for good")],
        Overlay::Quit => &[("y", "end"), ("n", "stay")],
    };
    keys.iter()
        .map(|(key, word)| ((*key).to_owned(), (*word).to_owned()))
        .collect()
}
