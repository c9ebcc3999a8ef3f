//! Log lines: text on a terminal, JSON otherwise, always on stderr.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;

use crate::config::{LogFormat, LogLevel, Settings, wants_no_color};

/// Starts the log of a server.
pub(super) fn start(settings: &Settings) {
    let level = match settings.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let is_json = match settings.log_format {
        LogFormat::Auto => !io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    write_from(level, is_json);
}

/// Starts the log of a command: faults alone, since its answer is what counts.
pub(super) fn start_quietly() {
    write_from(LevelFilter::ERROR, false);
}

/// Writes lines of this level and above.
fn write_from(level: LevelFilter, is_json: bool) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr);
    let started = if is_json {
        lines.json().flatten_event(true).try_init()
    } else {
        let has_color = io::stderr().is_terminal() && !wants_no_color();
        lines.with_ansi(has_color).with_target(false).try_init()
    };
    // A log runs already where two commands run in one process; it goes on.
    drop(started);
}
