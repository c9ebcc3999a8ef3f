//! Texts as a terminal shows them: cleaned, measured in columns, cut and padded; and
//! numbers, sizes and times as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Milliseconds of a second, a minute, an hour, a day.
const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// The digits of an id that lists show; it is copied whole.
pub const ID_DIGITS_SHOWN: usize = 8;

/// Returns how many columns a text takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Returns a text as one line without what could steer a terminal: a database may be a
/// stranger's. Each such character becomes U+FFFD, a tab or a line's end a blank.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            c if steers(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Tells whether a character moves, hides or turns around what stands beside it.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Cuts a text to at most `columns`, with `mark` in place of what is missing.
pub fn cut(text: &str, columns: usize, mark: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(mark));
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            break;
        }
        used += wide;
        kept.push(c);
    }
    if width(mark) <= columns {
        kept.push_str(mark);
    }
    kept
}

/// Pads a text with blanks to `columns`, behind it or, where `is_right`, before it.
pub fn pad(text: &str, columns: usize, is_right: bool) -> String {
    let blanks = " ".repeat(columns.saturating_sub(width(text)));
    if is_right {
        blanks + text
    } else {
        text.to_owned() + &blanks
    }
}

/// Breaks a text into lines of at most `columns`, at blanks where there are some.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in clean(paragraph).split(' ') {
            let gap = usize::from(!line.is_empty());
            if !line.is_empty() && width(&line) + gap + width(word) > columns {
                lines.push(std::mem::take(&mut line));
            } else if gap == 1 {
                line.push(' ');
            }
            for c in word.chars() {
                if width(&line) + c.width().unwrap_or(0) > columns {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        lines.push(line);
    }
    lines
}

/// Returns the first digits of an id, as lists show it.
pub fn short_id(id: &str) -> String {
    id.chars().take(ID_DIGITS_SHOWN).collect()
}

/// Returns a number with a comma at the thousands: `1,204`.
pub fn number(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if n < 0 { format!("-{text}") } else { text }
}

/// Returns a size: `24 B`, `2.1 KB`, `3.4 MB`; a KB is 1024 bytes.
pub fn bytes(n: i64) -> String {
    /// The bytes of one KB.
    const STEP: u64 = 1024;
    let n = u64::try_from(n).unwrap_or(0);
    if n < STEP {
        return format!("{n} B");
    }
    let (mut unit, mut scale) = ("KB", STEP);
    for larger in ["MB", "GB", "TB"] {
        if n / scale < STEP {
            break;
        }
        (unit, scale) = (larger, scale * STEP);
    }
    let tenths = n.saturating_mul(10) / scale;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Returns a length of time: `38ms`, `1.7s`, `2m 05s`, `3h 20m`, `41d`.
pub fn duration(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or(0);
    match ms {
        0..SECOND_MS => format!("{ms}ms"),
        SECOND_MS..MINUTE_MS => format!("{}.{}s", ms / SECOND_MS, ms % SECOND_MS / 100),
        MINUTE_MS..HOUR_MS => format!("{}m {:02}s", ms / MINUTE_MS, ms % MINUTE_MS / SECOND_MS),
        HOUR_MS..DAY_MS => format!("{}h {:02}m", ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS),
        _ => format!("{}d", ms / DAY_MS),
    }
}

/// Returns a moment as seen from now: `3m ago`, `in 7m`, `now`.
pub fn ago(at_ms: i64, now_ms: i64) -> String {
    let apart = at_ms.abs_diff(now_ms);
    let text = match apart {
        0..SECOND_MS => return "now".to_owned(),
        SECOND_MS..MINUTE_MS => format!("{}s", apart / SECOND_MS),
        MINUTE_MS..HOUR_MS => format!("{}m", apart / MINUTE_MS),
        HOUR_MS..DAY_MS => format!("{}h", apart / HOUR_MS),
        _ => format!("{}d", apart / DAY_MS),
    };
    if at_ms > now_ms {
        format!("in {text}")
    } else {
        format!("{text} ago")
    }
}

/// How moments are shown in lists; details always show them in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStyle {
    /// How long ago.
    #[default]
    Relative,
    /// In the zone of this machine.
    Local,
    /// In UTC.
    Utc,
}

impl TimeStyle {
    /// Returns the style that `t` changes to.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Relative => Self::Local,
            Self::Local => Self::Utc,
            Self::Utc => Self::Relative,
        }
    }

    /// Returns its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::Local => "local",
            Self::Utc => "UTC",
        }
    }
}

/// Returns a moment in full, with its zone: `2026-03-02 10:42:07 UTC`.
pub fn full_time(at_ms: i64, zone: &TimeZone) -> String {
    formatted(at_ms, zone, "%Y-%m-%d %H:%M:%S %Z")
}

/// Returns a moment to the second, without its zone.
pub fn list_time(at_ms: i64, zone: &TimeZone) -> String {
    formatted(at_ms, zone, "%Y-%m-%d %H:%M:%S")
}

/// Returns a moment as RFC 3339 text, UTC, as the API writes it.
pub fn rfc3339(at_ms: i64) -> String {
    formatted(at_ms, &TimeZone::UTC, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// Returns the time of day.
pub fn clock_time(at_ms: i64, zone: &TimeZone) -> String {
    formatted(at_ms, zone, "%H:%M:%S")
}

/// Writes a moment in a form; the milliseconds where it is beyond all calendars.
fn formatted(at_ms: i64, zone: &TimeZone, form: &str) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(
        |_| at_ms.to_string(),
        |at| at.to_zoned(zone.clone()).strftime(form).to_string(),
    )
}
