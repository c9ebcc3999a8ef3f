//! How a run is drawn: steps on the left, the step under the cursor on the right; below
//! each other where there is little room, input beside output where there is much.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{ExecutionPage, LogLine, Model, Shown, Tab, WIDE_COLUMNS};
use crate::app::execution::ExecutionStep;
use crate::console::json_view::draw_rows;
use crate::console::look::{Look, Standing};
use crate::console::pane::{draw_tabs, line_of, put, split_line};
use crate::console::screen::Scene;
use crate::console::text::{self, width};
use crate::domain::run::LogLevel;

/// Below so many columns the panes stand below each other.
const STACKED_COLUMNS: u16 = 70;

/// The columns of the steps where input and output stand beside them.
const STEPS_COLUMNS: u16 = 38;

/// The lines of the error below a value, its rule among them.
const ERROR_LINES: u16 = 5;

/// A pane lower than this has no room for an error below its value.
const ERROR_ROOM: u16 = 12;

/// Where everything stands.
pub(super) struct Areas {
    /// The steps.
    pub(super) steps: Rect,
    /// The value, and a second one where there is room for two.
    pub(super) values: [Rect; 2],
    /// Whether there is a second one.
    pub(super) is_wide: bool,
}

/// Divides the body.
pub(super) fn areas(body: Rect) -> Areas {
    let is_wide = body.width >= WIDE_COLUMNS;
    if body.width < STACKED_COLUMNS {
        let height = (body.height / 3).max(1).min(body.height);
        let steps = Rect { height, ..body };
        let value = Rect {
            y: body.y + height,
            height: body.height - height,
            ..body
        };
        return Areas {
            steps,
            values: [value, value],
            is_wide,
        };
    }
    let left = if is_wide {
        STEPS_COLUMNS
    } else {
        body.width * 2 / 5
    };
    let steps = Rect {
        width: left,
        ..body
    };
    let right = Rect {
        x: body.x + left,
        width: body.width - left,
        ..body
    };
    if !is_wide {
        return Areas {
            steps,
            values: [right, right],
            is_wide,
        };
    }
    let half = right.width / 2;
    let first = Rect {
        width: half,
        ..right
    };
    let second = Rect {
        x: right.x + half,
        width: right.width - half,
        ..right
    };
    Areas {
        steps,
        values: [first, second],
        is_wide,
    }
}

/// Returns how a run stands: its sign and state, when it began, how long it took.
pub(super) fn standing_text(page: &ExecutionPage, scene: &Scene) -> String {
    let run = &page.run;
    let state = run.status.as_str();
    let sign = Standing::of(state).map_or("-", |standing| scene.look.sign(standing));
    let began = text::clock_time(run.started_at_ms, &scene.look.full_zone());
    let until = run.finished_at_ms.unwrap_or(scene.now_ms);
    let took = text::duration(until.saturating_sub(run.started_at_ms));
    let steps = text::number(i64::try_from(page.steps_total).unwrap_or(i64::MAX));
    let word = if page.steps_total == 1 {
        "step"
    } else {
        "steps"
    };
    format!("{sign} {state}  {began} +{took}  {steps} {word}")
}

/// Draws a run.
pub(super) fn draw(model: &Model, scene: &Scene, buffer: &mut Buffer, body: Rect) {
    let areas = areas(body);
    draw_steps(model, scene, buffer, areas.steps);
    let [left, right] = areas.values;
    let side_by_side = areas.is_wide && matches!(model.tab, Tab::Input | Tab::Output);
    if side_by_side {
        draw_value(model, scene, buffer, left, (Tab::Input, true));
        draw_value(model, scene, buffer, right, (Tab::Output, true));
    } else {
        let whole = left.union(right);
        draw_value(model, scene, buffer, whole, (model.tab, false));
    }
}

/// Draws the steps, a line each.
fn draw_steps(model: &Model, scene: &Scene, buffer: &mut Buffer, area: Rect) {
    let look = &scene.look;
    let styles = look.styles();
    let block = look.boxed("Steps", !model.in_value);
    let inner = block.inner(area);
    block.render(area, buffer);
    let Some(page) = &model.page else {
        return put(buffer, inner, 0, "loading", styles.dim);
    };
    if page.steps.is_empty() {
        return put(buffer, inner, 0, "no step was recorded yet", styles.dim);
    }
    let steps = page.steps.iter().enumerate().skip(model.first);
    for (line, (at, step)) in (0..inner.height).zip(steps) {
        let is_under = at == model.cursor;
        let number = model.offset + at as u64 + 1;
        draw_step(look, buffer, inner, line, (number, step, is_under));
    }
    let behind = u16::try_from(page.steps.len().saturating_sub(model.first)).unwrap_or(u16::MAX);
    for (line, step) in (behind..inner.height).zip(&page.not_run) {
        let text = format!("    - {}  not run", look.clean(step));
        put(buffer, inner, line, &text, styles.dim);
    }
}

/// Draws a step: number, sign and name, then how long it took and its attempts.
fn draw_step(
    look: &Look,
    buffer: &mut Buffer,
    area: Rect,
    line: u16,
    (number, step, is_under): (u64, &ExecutionStep, bool),
) {
    let styles = look.styles();
    let standing = Standing::of(step.status.as_str());
    let sign = standing.map_or("-", |standing| look.sign(standing));
    let took = step.duration_us.map_or_else(
        || "-".to_owned(),
        |us| text::duration(i64::try_from(us / 1_000).unwrap_or(i64::MAX)),
    );
    let count = match (step.attempts, step.outputs.len()) {
        (2.., _) => format!("{} tries", step.attempts),
        (_, 1) => "1 msg".to_owned(),
        (_, many) => format!("{many} msgs"),
    };
    let right = format!("{took:>7} {count:>9}");
    let room = usize::from(area.width);
    let lead = if is_under { ">" } else { " " };
    let head = format!("{lead}{number:>2} ");
    let name_room = room.saturating_sub(width(&head) + 2 + width(&right) + 1);
    let name = look.cut(&look.clean(&step.step), name_room);
    let text_style = if is_under {
        styles.selected
    } else {
        styles.text
    };
    let sign_style = match standing {
        Some(standing) if !is_under => look.style_of(standing),
        _ => text_style,
    };
    let Some(y) = line_of(area, line) else { return };
    let name = text::pad(&name, name_room, false);
    let (x, _) = buffer.set_stringn(area.x, y, &head, room, text_style);
    let left = |x: u16| usize::from(area.right().saturating_sub(x));
    let (x, _) = buffer.set_stringn(x, y, sign, left(x), sign_style);
    buffer.set_stringn(x, y, format!(" {name} {right}"), left(x), text_style);
}

/// Draws one pane of the step under the cursor.
fn draw_value(
    model: &Model,
    scene: &Scene,
    buffer: &mut Buffer,
    area: Rect,
    (tab, is_beside): (Tab, bool),
) {
    let look = &scene.look;
    let styles = look.styles();
    let has_keys = model.in_value && model.tab == tab;
    let is_second = is_beside && tab == Tab::Output;
    let title = if is_second {
        tab.title().to_owned()
    } else {
        value_title(model, tab, area.width)
    };
    let block = look.boxed(&title, has_keys);
    let inner = block.inner(area);
    block.render(area, buffer);
    let (tabs, mut rest) = split_line(inner);
    if !is_second {
        let titles = Tab::ALL.iter().map(|tab| tab.title());
        draw_tabs(look, buffer, tabs, titles, model.tab.at());
    }
    let (Some(step), Some(shown)) = (model.step(), &model.shown) else {
        if tab == Tab::Log {
            draw_log(log_of(model), model.line, scene, buffer, rest);
        }
        return;
    };
    // Beside each other, the error belongs under what came of the step.
    let has_error =
        step.error.is_some() && (tab == Tab::Output || (tab == Tab::Input && !is_beside));
    if has_error && area.height >= ERROR_ROOM {
        rest.height = rest.height.saturating_sub(ERROR_LINES);
        let error = Rect {
            y: rest.bottom(),
            height: ERROR_LINES.min(inner.bottom().saturating_sub(rest.bottom())),
            ..rest
        };
        draw_error_below(look, buffer, error, step);
    }
    match tab {
        Tab::Input | Tab::Output | Tab::Json => {
            draw_json(look, buffer, rest, shown, tab, step, has_keys);
        }
        Tab::Error => {
            let lines = error_lines(step);
            let style = if step.error.is_some() {
                styles.bad
            } else {
                styles.dim
            };
            let from = model.line.unwrap_or(0);
            for (line, text) in (0..rest.height).zip(lines.iter().skip(from)) {
                put(buffer, rest, line, &look.clean(text), style);
            }
        }
        Tab::Log => draw_log(log_of(model), model.line, scene, buffer, rest),
    }
}

/// Returns the title of a pane: the step, what it ran and its attempts.
fn value_title(model: &Model, tab: Tab, room: u16) -> String {
    let Some(step) = model.step() else {
        return tab.title().to_owned();
    };
    let command = step.command.as_deref().unwrap_or("its version is gone");
    let attempts = if step.attempts > 1 {
        format!("  attempt {}", step.attempts)
    } else {
        String::new()
    };
    let number = model.offset + model.cursor as u64 + 1;
    let title = format!("Step {number}  {command}{attempts}");
    text::cut(&title, usize::from(room.saturating_sub(6)), "~")
}

/// Draws a value, or says why there is none.
fn draw_json(
    look: &Look,
    buffer: &mut Buffer,
    area: Rect,
    shown: &Shown,
    tab: Tab,
    step: &ExecutionStep,
    has_keys: bool,
) {
    let styles = look.styles();
    let (view, bytes, is_there) = match tab {
        Tab::Input => (&shown.input, step.input_bytes, step.input.is_some()),
        Tab::Output => (&shown.output, step.output_bytes, !step.outputs.is_empty()),
        _ => (&shown.json, 0, true),
    };
    if !is_there {
        let size = text::bytes(i64::try_from(bytes).unwrap_or(i64::MAX));
        let told = match (bytes, step.truncated) {
            (0, _) => "nothing".to_owned(),
            (_, true) => format!("{size}: too large to show here; w saves the run to a file"),
            (_, false) => format!("{size}: not kept any more"),
        };
        for (line, text) in (0..area.height).zip(text::wrap(&told, usize::from(area.width))) {
            put(buffer, area, line, &text, styles.dim);
        }
        return;
    }
    draw_rows(look, buffer, area, view, has_keys);
}

/// Draws the error under a value.
fn draw_error_below(look: &Look, buffer: &mut Buffer, area: Rect, step: &ExecutionStep) {
    let styles = look.styles();
    let rule = if look.is_ascii { "-" } else { "─" };
    let room = usize::from(area.width);
    let head = format!("Error {}", rule.repeat(room.saturating_sub(6)));
    put(buffer, area, 0, &head, styles.bad);
    let Some(error) = &step.error else { return };
    let lines = text::wrap(&look.clean(&error.to_string()), room);
    for (line, text) in (1..area.height).zip(lines) {
        put(buffer, area, line, &text, styles.bad);
    }
}

/// Returns the lines of a step's error.
pub(super) fn error_lines(step: &ExecutionStep) -> Vec<String> {
    let Some(error) = &step.error else {
        return vec!["no error".to_owned()];
    };
    let mut lines = vec![error.name.clone()];
    lines.extend(error.message.lines().map(str::to_owned));
    if step.attempts > 1 {
        lines.push(format!("after {} attempts", step.attempts));
    }
    if let Some(stack) = &error.stack {
        lines.push(String::new());
        lines.extend(stack.lines().map(str::to_owned));
    }
    lines
}

/// Draws a log: its end, unless somebody scrolled to a line.
pub(in crate::console) fn draw_log(
    log: &[LogLine],
    line: Option<usize>,
    scene: &Scene,
    buffer: &mut Buffer,
    area: Rect,
) {
    let look = &scene.look;
    if log.is_empty() {
        return put(buffer, area, 0, "nothing was logged", look.styles().dim);
    }
    let end = log.len().saturating_sub(usize::from(area.height));
    let from = line.map_or(end, |line| line.min(end));
    for (line, entry) in (0..area.height).zip(&log[from..]) {
        let (text, style) = log_line(entry, scene);
        put(buffer, area, line, &look.clean(&text), style);
    }
}

/// Returns an entry of the log as a line.
fn log_line(entry: &LogLine, scene: &Scene) -> (String, Style) {
    let styles = scene.look.styles();
    let style = match entry.level {
        LogLevel::Error | LogLevel::Fatal => styles.bad,
        LogLevel::Warn => styles.wait,
        LogLevel::Info => styles.text,
        LogLevel::Trace | LogLevel::Debug => styles.dim,
    };
    let at = text::clock_time(entry.at_ms, &scene.look.full_zone());
    let step = entry.step.as_deref().unwrap_or("-");
    let text = format!("{at} {:5} {step}: {}", entry.level.as_str(), entry.message);
    (text, style)
}

/// Returns the log of the run, as far as it is there.
fn log_of(model: &Model) -> &[LogLine] {
    model.page.as_ref().map_or(&[], |page| &page.log)
}
