//! How a task is drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::{Model, Tab, TaskPage, TaskStep};
use crate::console::chart;
use crate::console::execution::draw_log;
use crate::console::json_view::draw_rows;
use crate::console::look::{Look, Standing};
use crate::console::pane::{draw_tabs, line_of, put, split_line};
use crate::console::screen::Scene;
use crate::console::text;
use crate::domain::flow::FlowStatus;
use crate::domain::run::Execution;

/// The lines of the summary above the steps, with the blank and the head before them.
const FACT_LINES: u16 = 7;

/// From so many waiting messages on a queue is long, as elastic.io's page has it.
const LONG_QUEUE: i64 = 1_000;

/// The columns of the bar of a step's times.
const SPREAD_COLUMNS: usize = 8;

/// The columns of the gauge of a queue.
const GAUGE_COLUMNS: usize = 10;

/// Returns the rows of the tab's list that there is room for.
pub(super) fn list_height(model: &Model) -> usize {
    // The box, the tabs and the head of the list.
    let above = match model.tab {
        Tab::Summary => 3 + FACT_LINES,
        Tab::Executions => 4,
        Tab::Log | Tab::Json => 3,
    };
    usize::from(model.body.height.saturating_sub(above))
}

/// Returns the line of the body with the first row of the tab's list, behind the box, the
/// tabs and the head of the list.
pub(super) fn first_line(model: &Model) -> u16 {
    match model.tab {
        Tab::Summary => 2 + FACT_LINES,
        Tab::Executions => 3,
        Tab::Log | Tab::Json => 2,
    }
}

/// Returns how a task stands: its sign and state, its version.
pub(super) fn standing_text(page: &TaskPage, scene: &Scene) -> String {
    let state = page.flow.status.as_str();
    let sign = Standing::of(state).map_or("-", |standing| scene.look.sign(standing));
    format!("{sign} {state}  v{}", page.flow.version)
}

/// Draws a task.
pub(super) fn draw(model: &Model, scene: &Scene, buffer: &mut Buffer, body: Rect) {
    let look = &scene.look;
    let room = usize::from(body.width.saturating_sub(6));
    let block = look.boxed(&look.cut(&look.clean(&model.crumb()), room), true);
    let inner = block.inner(body);
    block.render(body, buffer);
    let (tabs, rest) = split_line(inner);
    let titles = Tab::ALL.iter().map(|tab| tab.title());
    draw_tabs(look, buffer, tabs, titles, model.tab.at());
    let Some(page) = &model.page else {
        return put(buffer, rest, 0, "loading", look.styles().dim);
    };
    match model.tab {
        Tab::Summary => draw_summary(model, page, scene, buffer, rest),
        Tab::Executions => draw_executions(model, page, scene, buffer, rest),
        Tab::Log => draw_log(&page.log, model.line, scene, buffer, rest),
        Tab::Json => {
            if let Some((_, view)) = &model.json {
                draw_rows(look, buffer, rest, view, true);
            }
        }
    }
}

/// Draws the facts, and the steps below them.
fn draw_summary(model: &Model, page: &TaskPage, scene: &Scene, buffer: &mut Buffer, area: Rect) {
    let look = &scene.look;
    let styles = look.styles();
    for (line, (name, value)) in (0..).zip(facts(page, scene)) {
        put(buffer, area, line, &format!(" {name:11}"), styles.dim);
        let x = area.x.saturating_add(13).min(area.right());
        let rest = Rect {
            x,
            width: area.right() - x,
            ..area
        };
        put(buffer, rest, line, &look.clean(&value), styles.text);
    }
    let height = FACT_LINES.min(area.height);
    let steps = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    let head = format!(
        " {:16} {:>6} {:GAUGE_COLUMNS$} {:>6} {:>6} {:SPREAD_COLUMNS$}  RUNS",
        "STEP", "QUEUE", "", "P50", "P95", ""
    );
    // All bars have one scale: that of the slowest step.
    let most_us = page.steps.iter().filter_map(|step| step.p95_us).max();
    put(buffer, area, FACT_LINES - 1, &head, styles.title);
    let rows = page.steps.iter().enumerate().skip(model.first);
    for (line, (at, step)) in (0..steps.height).zip(rows) {
        let style = if at == model.cursor {
            styles.selected
        } else if step.queued >= LONG_QUEUE {
            styles.bad
        } else {
            styles.text
        };
        put(buffer, steps, line, &step_line(step, most_us, look), style);
    }
}

/// Returns the facts of a task.
fn facts(page: &TaskPage, scene: &Scene) -> [(&'static str, String); 5] {
    let flow = &page.flow;
    let look = &scene.look;
    let owner = page
        .owner
        .clone()
        .unwrap_or_else(|| flow.user_id.to_string());
    let trigger = match (&flow.cron, page.steps.first()) {
        (Some(cron), _) => format!("{} {}", flow.flow_type.as_str(), cron.as_str()),
        (None, Some(step)) => format!("{} {}", flow.flow_type.as_str(), step.command),
        (None, None) => flow.flow_type.as_str().to_owned(),
    };
    let time = |at_ms: Option<i64>| {
        at_ms.map_or_else(
            || "-".to_owned(),
            |at_ms| {
                let at = text::full_time(at_ms, &look.full_zone());
                format!("{at}  ({})", text::ago(at_ms, scene.now_ms))
            },
        )
    };
    let next = match (flow.status, flow.due_at_ms) {
        (FlowStatus::Active, due) => time(due),
        _ => "not while it stands still: A starts it".to_owned(),
    };
    [
        ("id", format!("{}   owner {owner}", flow.id)),
        ("trigger", trigger),
        ("started", time(flow.last_started_at_ms)),
        ("next", next),
        ("changed", time(Some(flow.updated_at_ms))),
    ]
}

/// Returns a step as a line: name, queue with its gauge, what it runs.
fn step_line(step: &TaskStep, most_us: Option<u64>, look: &Look) -> String {
    let name = step.name.as_deref().unwrap_or(&step.id);
    let name = text::pad(&look.cut(&look.clean(name), 16), 16, false);
    let gauge = gauge(step.queued, look.is_ascii);
    let queued = text::number(step.queued);
    let command = look.clean(&step.command);
    let waits = noted(step.rebounds, "wait for another try");
    let works = noted(step.unacked, "at work");
    let (p50, p95) = (took(step.p50_us), took(step.p95_us));
    let spread = match (step.p50_us, step.p95_us, most_us) {
        (Some(p50_us), Some(p95_us), Some(most_us)) => {
            chart::spread(p50_us, p95_us, most_us, SPREAD_COLUMNS, look)
        }
        _ => " ".repeat(SPREAD_COLUMNS),
    };
    format!(" {name} {queued:>6} {gauge} {p50:>6} {p95:>6} {spread}  {command}{waits}{works}")
}

/// Returns a time of a step; a bar where it never ran.
fn took(us: Option<u64>) -> String {
    us.map_or_else(
        || "-".to_owned(),
        |us| text::duration(i64::try_from(us / 1_000).unwrap_or(i64::MAX)),
    )
}

/// Returns a number with what it counts, behind two blanks; nothing for none.
fn noted(count: i64, what: &str) -> String {
    if count > 0 {
        format!("  {} {what}", text::number(count))
    } else {
        String::new()
    }
}

/// Returns a gauge of a queue: empty, up to 999, long.
fn gauge(queued: i64, is_ascii: bool) -> String {
    let (full, empty) = if is_ascii { ('#', '.') } else { ('█', '░') };
    let filled = match queued {
        ..=0 => 0,
        // A digit more is three columns more.
        1..LONG_QUEUE => 1 + 3 * queued.ilog10() as usize,
        _ => GAUGE_COLUMNS,
    };
    (0..GAUGE_COLUMNS)
        .map(|at| if at < filled { full } else { empty })
        .collect()
}

/// Draws the last executions, newest first.
fn draw_executions(model: &Model, page: &TaskPage, scene: &Scene, buffer: &mut Buffer, area: Rect) {
    let look = &scene.look;
    let styles = look.styles();
    let (head, rows) = split_line(area);
    let titles = "   STATE        STARTED              TOOK      STEPS  ERRORS  TRIGGER   ID";
    put(buffer, head, 0, titles, styles.title);
    if page.executions.is_empty() {
        let told = "No executions yet. R runs the task now, A starts it.";
        return put(buffer, rows, 0, told, styles.dim);
    }
    let runs = page.executions.iter().enumerate().skip(model.first);
    for (line, (at, run)) in (0..rows.height).zip(runs) {
        let Some(y) = line_of(rows, line) else { return };
        let is_under = at == model.cursor;
        let standing = Standing::of(run.status.as_str());
        let style = if is_under {
            styles.selected
        } else {
            styles.text
        };
        let sign_style = match standing {
            Some(standing) if !is_under => look.style_of(standing),
            _ => style,
        };
        let sign = standing.map_or("-", |standing| look.sign(standing));
        let room = usize::from(rows.width);
        let lead = if is_under { ">" } else { " " };
        buffer.set_stringn(rows.x, y, format!("{lead}{sign}"), room, sign_style);
        let x = rows.x.saturating_add(2).min(rows.right());
        let room = usize::from(rows.right() - x);
        buffer.set_stringn(x, y, execution_line(run, scene), room, style);
    }
}

/// Returns an execution as a line, without its sign.
fn execution_line(run: &Execution, scene: &Scene) -> String {
    let began = scene.look.list_time(run.started_at_ms, scene.now_ms);
    let until = run.finished_at_ms.unwrap_or(scene.now_ms);
    let took = text::duration(until.saturating_sub(run.started_at_ms));
    let began = text::pad(&began, 20, false);
    format!(
        " {:11}  {began} {took:>8}  {:>6}  {:>6}  {:8}  {}",
        run.status.as_str(),
        text::number(run.steps_total),
        text::number(run.errors_total),
        run.trigger.as_str(),
        text::short_id(&run.id.to_string()),
    )
}
