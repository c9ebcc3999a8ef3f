//! How the panes with more of a row are drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{List, More, Peek, TaskMore};
use crate::app::execution::ExecutionStep;
use crate::console::chart;
use crate::console::look::Standing;
use crate::console::pane::put;
use crate::console::screen::Scene;
use crate::console::table::cell_text;
use crate::console::table::related::name_of;
use crate::console::text::{self, pad, width};
use crate::domain::figures::{QueueFigures, RunMinutes};
use crate::domain::listing::{ColumnKind, Counted, ListCell, ListOf, ListRow};

/// The columns that a pane needs; where there are fewer, the last panes are left out.
const PANE_COLUMNS: u16 = 38;

/// The lines that a pane needs, its box among them.
const PANE_LINES: u16 = 4;

/// The columns of a label of a chart, and of the number behind it.
const LABEL: usize = 6;
const NUMBER: usize = 9;

/// A pane.
struct Pane {
    title: String,
    lines: Vec<(String, Style)>,
}

/// Draws panes beside each other, below a list.
pub(in crate::console) fn draw_below(
    scene: &Scene,
    buffer: &mut Buffer,
    area: Rect,
    (of, row, peek): (ListOf, &ListRow, Option<&Peek>),
) {
    let most = usize::from((area.width / PANE_COLUMNS).max(1));
    let count = panes(scene, area.width, (of, row, peek)).len().min(most);
    let count = u16::try_from(count).unwrap_or(1).max(1);
    let wide = area.width / count;
    let panes = panes(scene, wide, (of, row, peek));
    for (at, pane) in (0..count).zip(panes) {
        let x = area.x + at * wide;
        // The last one takes what the division left.
        let width = if at + 1 == count {
            area.right() - x
        } else {
            wide
        };
        let place = Rect { x, width, ..area };
        draw(scene, buffer, place, &pane);
    }
}

/// Draws the panes of lists below each other, beside the facts of their object.
pub(in crate::console) fn draw_beside(
    scene: &Scene,
    buffer: &mut Buffer,
    area: Rect,
    peek: Option<&Peek>,
) {
    let Some(More::Lists(lists)) = peek.map(|peek| &peek.more) else {
        return;
    };
    let most = usize::from((area.height / PANE_LINES).max(1));
    let count = u16::try_from(lists.len().min(most)).unwrap_or(1).max(1);
    let high = area.height / count;
    for (at, list) in (0..count).zip(lists) {
        let y = area.y + at * high;
        let height = if at + 1 == count {
            area.bottom() - y
        } else {
            high
        };
        let place = Rect { y, height, ..area };
        draw(scene, buffer, place, &of_list(scene, list));
    }
}

/// Draws one pane.
fn draw(scene: &Scene, buffer: &mut Buffer, area: Rect, pane: &Pane) {
    let look = &scene.look;
    let room = usize::from(area.width.saturating_sub(6));
    let block = look.boxed(&look.cut(&look.clean(&pane.title), room), false);
    let inner = block.inner(area);
    block.render(area, buffer);
    let room = usize::from(inner.width.saturating_sub(1));
    for (line, (text, style)) in (0..inner.height).zip(&pane.lines) {
        let text = look.cut(&look.clean(text), room);
        put(buffer, inner, line, &format!(" {text}"), *style);
    }
}

/// Returns the panes of a row, the most telling ones first.
fn panes(
    scene: &Scene,
    wide: u16,
    (of, row, peek): (ListOf, &ListRow, Option<&Peek>),
) -> Vec<Pane> {
    let room = usize::from(wide.saturating_sub(3));
    let mut panes = Vec::new();
    // What is of another row is not shown beside this one; the hour is of all of them.
    let own = peek.filter(|peek| peek.id == row.id).map(|peek| &peek.more);
    if matches!(of, ListOf::Flows | ListOf::Executions) {
        let hour = peek.and_then(|peek| peek.hour.as_ref());
        let lines = hour.map_or_else(Vec::new, |hour| hour_lines(scene, room, hour));
        panes.push(pane("Last hour", lines));
    }
    match own {
        Some(More::Task(task)) => {
            panes.push(pane(&name_of(of, row), task_lines(scene, row, task)));
        }
        Some(More::Run(steps, total)) => {
            let title = format!("{} of {}", steps_of(*total), text::short_id(&row.id));
            panes.push(pane(&title, run_lines(scene, steps)));
        }
        Some(More::Lists(lists)) => panes.extend(lists.iter().map(|list| of_list(scene, list))),
        None if super::has_more(of) => panes.push(pane(&name_of(of, row), Vec::new())),
        None => {}
    }
    let style = scene.look.styles().text;
    let facts = fact_lines(scene, of, row, room);
    let facts = facts.into_iter().map(|line| (line, style)).collect();
    panes.push(pane(&name_of(of, row), facts));
    panes
}

/// Makes a pane.
fn pane(title: &str, lines: Vec<(String, Style)>) -> Pane {
    let title = title.to_owned();
    Pane { title, lines }
}

/// Returns how many steps there are, as a title.
fn steps_of(total: u64) -> String {
    let word = if total == 1 { "step" } else { "steps" };
    let n = i64::try_from(total).unwrap_or(i64::MAX);
    format!("{} {word}", text::number(n))
}

/// Returns the charts of the last hour, each with its number.
fn hour_lines(
    scene: &Scene,
    room: usize,
    (runs, queue): &(RunMinutes, QueueFigures),
) -> Vec<(String, Style)> {
    let look = &scene.look;
    let styles = look.styles();
    let columns = room.saturating_sub(LABEL + NUMBER);
    let ok: Vec<u64> = runs.minutes.iter().map(|minute| minute.ok).collect();
    let failed: Vec<u64> = runs.minutes.iter().map(|minute| minute.failed).collect();
    let bars = [&ok, &failed].map(|values| chart::fitted(values, columns));
    // Both lines have one scale: a few failures are not to look like many.
    let most = bars.iter().flatten().copied().max().unwrap_or(0);
    let more = if runs.is_complete { "" } else { "+" };
    let line = |label: &str, values: &[u64], bars: &[u64]| {
        let spark = pad(&chart::sparkline(bars, most, look), columns, false);
        let sum = i64::try_from(values.iter().sum::<u64>()).unwrap_or(i64::MAX);
        let number = format!("{}{more}/h", text::number(sum));
        format!(
            "{}{spark}{}",
            pad(label, LABEL, false),
            pad(&number, NUMBER, true)
        )
    };
    let waiting = queue.messages;
    let (standing, word) = chart::queue_standing(waiting.n);
    let gauge = chart::queue_gauge(waiting.n, 10, look);
    let queue = format!(
        "{}{gauge} {} {word}",
        pad("queue", LABEL, false),
        counted(waiting)
    );
    let peak = ok.iter().chain(&failed).copied().max().unwrap_or(0);
    let open: u64 = runs.minutes.iter().map(|minute| minute.open).sum();
    vec![
        (line("ok", &ok, &bars[0]), styles.ok),
        (line("fail", &failed, &bars[1]), styles.bad),
        (queue, look.style_of(standing)),
        (
            format!("at most {peak} a minute, {open} not over"),
            styles.text,
        ),
    ]
}

/// Returns more of a task as lines.
fn task_lines(scene: &Scene, row: &ListRow, task: &TaskMore) -> Vec<(String, Style)> {
    let style = scene.look.styles().text;
    let took = |us: u64| text::duration(i64::try_from(us / 1_000).unwrap_or(i64::MAX));
    let (times, slowest) = match &task.slowest {
        Some((step, p50_us, p95_us)) => (
            format!("p50 {}  p95 {}", took(*p50_us), took(*p95_us)),
            format!("these times are of {step}, the slowest step"),
        ),
        None => ("not run lately".to_owned(), String::new()),
    };
    let credentials = if task.credentials.is_empty() {
        "creds none".to_owned()
    } else {
        format!("creds {}", task.credentials.join(", "))
    };
    let queued = text::number(task.queued);
    let lines = [
        format!("id {}  v{}", row.id, task.version),
        format!("steps {}  {times}", task.steps),
        credentials,
        format!("{queued} messages wait"),
        slowest,
    ];
    lines.into_iter().map(|line| (line, style)).collect()
}

/// Returns the steps of a run as lines, those that failed first with what went wrong.
fn run_lines(scene: &Scene, steps: &[ExecutionStep]) -> Vec<(String, Style)> {
    let look = &scene.look;
    let mut lines = Vec::new();
    let (failed, others): (Vec<_>, Vec<_>) = steps.iter().partition(|step| step.error.is_some());
    for step in failed.into_iter().chain(others) {
        let standing = Standing::of(step.status.as_str());
        let sign = standing.map_or("-", |standing| look.sign(standing));
        let style = standing.map_or(look.styles().text, |standing| look.style_of(standing));
        let took = step.duration_us.map_or_else(
            || "-".to_owned(),
            |us| text::duration(i64::try_from(us / 1_000).unwrap_or(i64::MAX)),
        );
        let tries = match step.attempts {
            0 | 1 => String::new(),
            tries => format!("  {tries} tries"),
        };
        let name = pad(&look.cut(&step.step, 16), 16, false);
        lines.push((format!("{sign} {name} {took:>7}{tries}"), style));
        if let Some(error) = &step.error {
            lines.push((format!("  {error}"), look.styles().text));
        }
    }
    lines
}

/// Returns a list beside an object as a pane.
fn of_list(scene: &Scene, list: &List) -> Pane {
    let style = scene.look.styles().text;
    let lines: Vec<(String, Style)> = list
        .rows
        .iter()
        .map(|row| (row_text(scene, list, row), style))
        .collect();
    let lines = if lines.is_empty() {
        vec![("none".to_owned(), scene.look.styles().dim)]
    } else {
        lines
    };
    pane(&format!("{} {}", list.title, counted(list.count)), lines)
}

/// Returns a row of such a list: the first value as wide as most names are.
fn row_text(scene: &Scene, list: &List, row: &ListRow) -> String {
    let texts = list.keys.iter().filter_map(|key| {
        let at = list.of.column(key)?;
        let column = &list.of.columns()[at];
        let cell = row.cells.get(at)?;
        let text = cell_text(cell, column.kind, &scene.look, scene.now_ms);
        Some(match column.kind {
            ColumnKind::Number => {
                let many = key.trim_end_matches("_total");
                let one = many.trim_end_matches('s');
                format!("{text} {}", if text == "1" { one } else { many })
            }
            _ => text,
        })
    });
    let mut texts: Vec<String> = texts.collect();
    if let Some(first) = texts.first_mut() {
        *first = pad(first, 14, false);
    }
    texts.join("  ")
}

/// Returns what the list has no room for: the whole id, and the columns that it hides.
fn fact_lines(scene: &Scene, of: ListOf, row: &ListRow, room: usize) -> Vec<String> {
    let mut lines = vec![format!("id {}", row.id)];
    let hidden = of.columns().iter().zip(&row.cells);
    for (column, cell) in hidden.filter(|(column, _)| column.title.is_none()) {
        if matches!(cell, ListCell::Empty) || *cell == ListCell::Text(String::new()) {
            continue;
        }
        let value = match cell {
            ListCell::Time(at_ms) => text::full_time(*at_ms, &scene.look.full_zone()),
            ListCell::Text(text) => text.clone(),
            _ => cell_text(cell, column.kind, &scene.look, scene.now_ms),
        };
        let fact = format!("{} {value}", column.key.replace('_', " "));
        match lines.last_mut() {
            Some(line) if width(line) + 3 + width(&fact) <= room => {
                *line = format!("{line}   {fact}");
            }
            _ => lines.push(fact),
        }
    }
    lines
}

/// Returns a count for people.
fn counted(count: Counted) -> String {
    let n = text::number(i64::try_from(count.n).unwrap_or(i64::MAX));
    if count.is_exact { n } else { format!("{n}+") }
}
