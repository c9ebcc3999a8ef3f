//! Health and metrics: without credentials, up during maintenance, never limited.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use serde_json::json;

use super::call::{Call, Reply};
use super::route::{Access, Route};
use super::shared::{Counter, LATENCY_BOUNDS_US, Shared};
use crate::app::App;
use crate::domain::Result;

/// The routes of operation.
pub const ROUTES: &[Route] = &[
    Route::get("/healthz", "tells that the process answers", health).with_access(Access::Public),
    Route::get("/readyz", "tells that the store is writable", ready).with_access(Access::Public),
    Route::get("/metrics", "returns counters as Prometheus text", metrics)
        .with_access(Access::Metrics),
];

/// How long one try of the store answers for: probes come without credentials, and a
/// write each would let anybody wear the disk.
const READY_FOR_MS: i64 = 1_000;

/// When the store was last found writable.
#[derive(Debug, Default)]
pub struct Readiness {
    proved_at_ms: AtomicI64,
}

impl Readiness {
    /// Tries the store unless it was just tried.
    fn prove(&self, app: &App) -> Result<()> {
        let now_ms = app.now_ms();
        let proved_at_ms = self.proved_at_ms.load(Ordering::SeqCst);
        if (0..READY_FOR_MS).contains(&(now_ms - proved_at_ms)) {
            return Ok(());
        }
        // Of those who come together one writes; a failure is found again at the next try.
        let order = Ordering::SeqCst;
        let claimed = self
            .proved_at_ms
            .compare_exchange(proved_at_ms, now_ms, order, order);
        if claimed.is_err() {
            return Ok(());
        }
        app.prove_writable()
            .inspect_err(|_| self.proved_at_ms.store(0, order))
    }
}

/// Answers while the process lives.
#[expect(clippy::unnecessary_wraps, reason = "a handler is a handler")]
fn health(_: &mut Call<'_>) -> Result<Reply> {
    Ok(Reply::ok(json!({ "status": "ok" })))
}

/// Answers 200 only when a write reaches the disk; otherwise the error tells.
fn ready(call: &mut Call<'_>) -> Result<Reply> {
    call.shared.readiness.prove(call.app)?;
    let maintenance = call.shared.maintenance().is_some();
    Ok(Reply::ok(
        json!({ "status": "ready", "maintenance": maintenance }),
    ))
}

/// Answers the counters.
#[expect(clippy::unnecessary_wraps, reason = "a handler is a handler")]
fn metrics(call: &mut Call<'_>) -> Result<Reply> {
    let mut page = Page::default();
    write_calls(&mut page, call.shared);
    write_sockets(&mut page, call.shared);
    write_store(&mut page, call.app);
    Ok(Reply::text(
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        page.0,
    ))
}

/// A page of Prometheus text.
#[derive(Default)]
struct Page(String);

impl Page {
    /// Writes the head of a metric.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String can't fail.
        let _ = writeln!(
            self.0,
            "# HELP elastane_{name} {help}\n# TYPE elastane_{name} {kind}"
        );
    }

    /// Writes one sample.
    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "elastane_{name}{labels} {value}");
    }

    /// Writes a metric of one sample.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.sample(name, "", value);
    }
}

/// Writes the counters of answered calls.
fn write_calls(page: &mut Page, shared: &Shared) {
    let metrics = &shared.metrics;
    page.head(
        "requests_total",
        "counter",
        "Answered requests by class of status.",
    );
    for (class, count) in metrics.by_class.iter().enumerate().skip(1) {
        page.sample(
            "requests_total",
            &format!("{{class=\"{class}xx\"}}"),
            count.get(),
        );
    }
    page.head(
        "request_seconds",
        "histogram",
        "Time from the head of a request to its answer.",
    );
    let mut below = 0;
    for (bound_us, count) in LATENCY_BOUNDS_US.iter().zip(&metrics.by_latency) {
        below += count.get();
        let seconds = seconds(*bound_us);
        page.sample(
            "request_seconds_bucket",
            &format!("{{le=\"{seconds}\"}}"),
            below,
        );
    }
    below += metrics.by_latency.last().map_or(0, Counter::get);
    page.sample("request_seconds_bucket", "{le=\"+Inf\"}", below);
    page.sample("request_seconds_sum", "", seconds(metrics.took_us.get()));
    page.sample("request_seconds_count", "", below);
    page.single(
        "panics_total",
        "counter",
        "Handlers that panicked.",
        metrics.panics.get(),
    );
    let maintenance = u8::from(shared.maintenance().is_some());
    page.single(
        "maintenance",
        "gauge",
        "Whether maintenance is on.",
        maintenance,
    );
}

/// Returns microseconds as a text of seconds.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// Writes the counters of the sockets.
fn write_sockets(page: &mut Page, shared: &Shared) {
    let Some(sockets) = shared.http.get() else {
        return;
    };
    let rows: [(&str, &str, &str, &AtomicU64); 10] = [
        (
            "connections",
            "gauge",
            "Connections open now.",
            &sockets.connections,
        ),
        (
            "requests_in_flight",
            "gauge",
            "Requests being answered now.",
            &sockets.in_flight,
        ),
        (
            "connections_accepted_total",
            "counter",
            "Accepted connections.",
            &sockets.accepted,
        ),
        (
            "connections_evicted_total",
            "counter",
            "Connections closed for others.",
            &sockets.evicted,
        ),
        (
            "connections_shed_total",
            "counter",
            "Connections without room.",
            &sockets.shed,
        ),
        (
            "connections_timed_out_total",
            "counter",
            "Connections cut at a deadline.",
            &sockets.timeouts,
        ),
        (
            "handler_panics_total",
            "counter",
            "Panics outside of routes.",
            &sockets.panics,
        ),
        (
            "received_bytes_total",
            "counter",
            "Bytes read from sockets.",
            &sockets.bytes_in,
        ),
        (
            "sent_bytes_total",
            "counter",
            "Bytes written to sockets.",
            &sockets.bytes_out,
        ),
        (
            "accept_errors_total",
            "counter",
            "Errors of accept.",
            &sockets.accept_errors,
        ),
    ];
    for (name, kind, help, value) in rows {
        page.single(name, kind, help, value.load(Ordering::Relaxed));
    }
}

/// Writes the counters of the store.
fn write_store(page: &mut Page, app: &App) {
    let stats = app.store_stats();
    let queued = u64::try_from(stats.queued).unwrap_or(u64::MAX);
    let rows = [
        (
            "store_queued_writes",
            "gauge",
            "Writes that wait now.",
            queued,
        ),
        (
            "store_writes_total",
            "counter",
            "Writes that were run.",
            stats.jobs,
        ),
        (
            "store_failed_writes_total",
            "counter",
            "Writes that failed.",
            stats.failed_jobs,
        ),
        (
            "store_commits_total",
            "counter",
            "Commits, each of one or more writes.",
            stats.commits,
        ),
        (
            "store_failed_commits_total",
            "counter",
            "Failed commits.",
            stats.failed_commits,
        ),
        (
            "store_largest_batch",
            "gauge",
            "Most writes in one commit.",
            stats.largest_batch,
        ),
        ("store_reads_total", "counter", "Reads.", stats.reads),
        (
            "store_failed_reads_total",
            "counter",
            "Failed reads.",
            stats.failed_reads,
        ),
        (
            "store_wal_bytes",
            "gauge",
            "Size of the write-ahead log.",
            app.wal_bytes(),
        ),
    ];
    for (name, kind, help, value) in rows {
        page.single(name, kind, help, value);
    }
}
