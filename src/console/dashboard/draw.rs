//! How the dashboard is drawn.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{COUNTED, Model, Overview};
use crate::console::chart;
use crate::console::look::{Look, Standing};
use crate::console::screen::Scene;
use crate::console::table::cell_text;
use crate::console::text::{self, pad};
use crate::console::view_name::list_title;
use crate::domain::figures::RunMinute;
use crate::domain::listing::{ListOf, ListRow};

/// The columns of the box with the counts.
const COUNTS_WIDTH: u16 = 38;

/// The lines of the boxes above: one for each list, and two of the box.
const UPPER_LINES: u16 = 11;

/// The columns of a label, and of the number behind a chart.
const LABEL: usize = 9;
const NUMBER: usize = 8;

/// The columns of a failed run that are shown, by their keys, and how wide they are.
const FAILED_COLUMNS: [(&str, usize); 4] = [
    ("started_at", 12),
    ("name", 34),
    ("duration", 10),
    ("errors_total", 4),
];

/// A line of the charts: a label, a chart, a text behind it.
struct Line {
    label: &'static str,
    chart: String,
    style: Style,
    text: String,
}

impl Model {
    /// Draws the dashboard.
    pub fn view(&self, scene: &Scene, frame: &mut Frame<'_>, body: Rect) {
        let Some(overview) = &self.overview else {
            scene
                .look
                .boxed("Dashboard", true)
                .render(body, frame.buffer_mut());
            return;
        };
        let [counts, charts, failed] = areas(body);
        let buffer = frame.buffer_mut();
        self.draw_counts(scene, buffer, counts, overview);
        draw_charts(scene, buffer, charts, overview);
        self.draw_failed(scene, buffer, failed, overview);
    }

    /// Draws how much there is of everything.
    fn draw_counts(&self, scene: &Scene, buffer: &mut Buffer, area: Rect, overview: &Overview) {
        let look = &scene.look;
        let inner = framed(look, buffer, area, "Dashboard", self.cursor < COUNTED.len());
        for (at, (list, count)) in overview.counts.iter().enumerate() {
            let Some(line) = line_of(inner, at) else {
                return;
            };
            let is_under = at == self.cursor;
            let lead = if is_under { "> " } else { "  " };
            let n = text::number(i64::try_from(count.n).unwrap_or(i64::MAX));
            let n = if count.is_exact { n } else { format!("{n}+") };
            let more = about(*list, overview);
            let text = format!(
                "{lead}{}{} {more}",
                pad(list_title(*list), 12, false),
                pad(&n, NUMBER, true)
            );
            let styles = look.styles();
            let style = if is_under {
                styles.selected
            } else {
                styles.text
            };
            let width = usize::from(line.width);
            buffer.set_stringn(line.x, line.y, pad(&text, width, false), width, style);
        }
    }

    /// Draws the runs that failed last.
    fn draw_failed(&self, scene: &Scene, buffer: &mut Buffer, area: Rect, overview: &Overview) {
        let look = &scene.look;
        let styles = look.styles();
        let has_keys = self.cursor >= COUNTED.len();
        let inner = framed(look, buffer, area, "Failed lately", has_keys);
        if overview.failed.is_empty() {
            if let Some(line) = line_of(inner, 0) {
                let width = usize::from(line.width);
                buffer.set_stringn(
                    line.x,
                    line.y,
                    "  No execution has failed.",
                    width,
                    styles.text,
                );
            }
            return;
        }
        let cursor = self.cursor.saturating_sub(COUNTED.len());
        let first = (cursor + 1).saturating_sub(usize::from(inner.height));
        for (at, row) in overview.failed.iter().enumerate().skip(first) {
            let Some(line) = line_of(inner, at - first) else {
                return;
            };
            let is_under = has_keys && at == cursor;
            let lead = if is_under { "> " } else { "  " };
            let sign = look.sign(Standing::Fail);
            let text = format!("{lead}{sign} {}", failed_text(scene, row));
            let style = if is_under {
                styles.selected
            } else {
                styles.bad
            };
            let width = usize::from(line.width);
            buffer.set_stringn(line.x, line.y, pad(&text, width, false), width, style);
        }
    }
}

/// Divides the body: the counts, the charts beside them, the failed runs below.
fn areas(body: Rect) -> [Rect; 3] {
    let high = body.height.min(UPPER_LINES);
    let counts = Rect {
        width: COUNTS_WIDTH.min(body.width),
        height: high,
        ..body
    };
    let charts = Rect {
        x: counts.right(),
        width: body.width - counts.width,
        ..counts
    };
    let failed = Rect {
        y: body.y + high,
        height: body.height - high,
        ..body
    };
    [counts, charts, failed]
}

/// Returns where the rows of the counts and of the failed runs are, inside their boxes.
pub(super) fn rows_of(body: Rect) -> (Rect, Rect) {
    let [counts, _, failed] = areas(body);
    (
        counts.inner(Margin::new(1, 1)),
        failed.inner(Margin::new(1, 1)),
    )
}

/// Returns a failed run as a line.
fn failed_text(scene: &Scene, row: &ListRow) -> String {
    let columns = ListOf::Executions.columns();
    let texts = FAILED_COLUMNS.iter().filter_map(|(key, wide)| {
        let at = ListOf::Executions.column(key)?;
        let text = cell_text(
            row.cells.get(at)?,
            columns[at].kind,
            &scene.look,
            scene.now_ms,
        );
        Some(pad(&scene.look.cut(&text, *wide), *wide, false))
    });
    let texts: Vec<String> = texts.collect();
    format!("{}  {}", texts.join("  "), text::short_id(&row.id))
}

/// Returns what else there is to know about the length of a list.
fn about(list: ListOf, overview: &Overview) -> String {
    let figures = &overview.figures;
    match list {
        ListOf::Users if figures.users.disabled > 0 => {
            format!("{} disabled", figures.users.disabled)
        }
        ListOf::Flows => {
            let flows = figures.flows;
            let held = if flows.suspended > 0 {
                format!(", {} held", flows.suspended)
            } else {
                String::new()
            };
            format!("{} run{held}", flows.active)
        }
        _ => String::new(),
    }
}

/// Draws a box, and returns the room in it.
fn framed(look: &Look, buffer: &mut Buffer, area: Rect, title: &str, has_keys: bool) -> Rect {
    let block = look.boxed(title, has_keys);
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

/// Returns a line of an area, where it has so many.
fn line_of(area: Rect, at: usize) -> Option<Rect> {
    let at = u16::try_from(at).ok()?;
    (at < area.height && area.width > 0).then(|| Rect {
        y: area.y + at,
        height: 1,
        ..area
    })
}

/// Draws what ran, what waits, how much is asked, how large the database is.
fn draw_charts(scene: &Scene, buffer: &mut Buffer, area: Rect, overview: &Overview) {
    let look = &scene.look;
    let inner = framed(look, buffer, area, "Last hour", false);
    let room = usize::from(inner.width).saturating_sub(LABEL + NUMBER + 3);
    for (at, chart) in lines(scene, overview, room).into_iter().enumerate() {
        let Some(line) = line_of(inner, at) else {
            return;
        };
        let width = usize::from(line.width);
        let label = format!(" {}", pad(chart.label, LABEL, false));
        let (x, y) = buffer.set_stringn(line.x, line.y, label, width, look.styles().dim);
        let left = |x: u16| usize::from(inner.right().saturating_sub(x));
        let (x, _) = buffer.set_stringn(x, y, &chart.chart, left(x), chart.style);
        buffer.set_stringn(x, y, &chart.text, left(x), look.styles().text);
    }
}

/// Returns the lines of the charts.
fn lines(scene: &Scene, overview: &Overview, room: usize) -> Vec<Line> {
    let look = &scene.look;
    let styles = look.styles();
    let figures = &overview.figures;
    let minutes = &figures.runs.minutes;
    let of = |part: fn(&RunMinute) -> u64| -> Vec<u64> { minutes.iter().map(part).collect() };
    let (ok, failed) = (of(|minute| minute.ok), of(|minute| minute.failed));
    let minute_most = ok.iter().chain(&failed).copied().max().unwrap_or(0);
    let bars = [&ok, &failed].map(|values| chart::fitted(values, room));
    // Both lines have one scale: a few failures are not to look like many.
    let most = bars.iter().flatten().copied().max().unwrap_or(0);
    let more = if figures.runs.is_complete { "" } else { "+" };
    let hour = |values: &[u64]| {
        let sum = i64::try_from(values.iter().sum::<u64>()).unwrap_or(i64::MAX);
        pad(&format!("{}{more}", text::number(sum)), NUMBER, true)
    };
    let open: u64 = minutes.iter().map(|minute| minute.open).sum();
    let plain = |label, text| Line {
        label,
        chart: String::new(),
        style: styles.text,
        text,
    };
    vec![
        Line {
            label: "ok",
            chart: pad(&chart::sparkline(&bars[0], most, look), room, false),
            style: styles.ok,
            text: hour(&ok),
        },
        Line {
            label: "failed",
            chart: pad(&chart::sparkline(&bars[1], most, look), room, false),
            style: styles.bad,
            text: hour(&failed),
        },
        plain(
            "at most",
            format!("{minute_most} a minute, {open} not over"),
        ),
        queue_line(scene, overview),
        plain(
            "oldest",
            match figures.queue.oldest_at_ms {
                Some(at_ms) => format!("waits since {}", look.list_time(at_ms, scene.now_ms)),
                None => "-".to_owned(),
            },
        ),
        plain("requests", requests_text(overview)),
        plain("database", database_text(overview)),
        plain(
            "log",
            format!("{} not yet in the file", bytes(figures.database.wal_bytes)),
        ),
        plain(
            "API",
            match &overview.maintenance {
                None => "open".to_owned(),
                Some(message) => format!("maintenance: {}", look.clean(message)),
            },
        ),
    ]
}

/// Returns the line of what waits.
fn queue_line(scene: &Scene, overview: &Overview) -> Line {
    let waiting = overview.figures.queue.messages;
    let (standing, word) = chart::queue_standing(waiting.n);
    let n = text::number(i64::try_from(waiting.n).unwrap_or(i64::MAX));
    let more = if waiting.is_exact { "" } else { "+" };
    Line {
        label: "queue",
        chart: chart::queue_gauge(waiting.n, 10, &scene.look),
        style: scene.look.style_of(standing),
        text: format!(" {n}{more} {word}"),
    }
}

/// Returns how much a server is asked.
fn requests_text(overview: &Overview) -> String {
    let Some(requests) = overview.figures.requests else {
        return "none noted lately".to_owned();
    };
    let per_1000_s = requests.per_1000_s();
    let failed = if requests.failed > 0 {
        format!(", {} failed", requests.failed)
    } else {
        String::new()
    };
    format!(
        "{}.{} a second{failed}",
        per_1000_s / 1_000,
        per_1000_s % 1_000 / 100
    )
}

/// Returns how large the database is.
fn database_text(overview: &Overview) -> String {
    let database = overview.figures.database;
    let free = database.free_bytes.saturating_mul(100) / database.bytes.max(1);
    format!("{}, {free}% of it free", bytes(database.bytes))
}

/// Returns a size.
fn bytes(n: u64) -> String {
    text::bytes(i64::try_from(n).unwrap_or(i64::MAX))
}
