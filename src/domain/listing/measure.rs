//! What filters compare numbers, lengths of time and moments with.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// It is this.
    Is,
    /// It is more.
    More,
    /// It is this or more.
    AtLeast,
    /// It is less.
    Less,
    /// It is this or less.
    AtMost,
}

impl Compared {
    /// Takes `>`, `>=`, `<`, `<=`, `=` or nothing off the front of a text.
    pub(super) fn take(text: &str) -> (Self, &str) {
        let signs = [
            (">=", Self::AtLeast),
            ("<=", Self::AtMost),
            (">", Self::More),
            ("<", Self::Less),
            ("=", Self::Is),
        ];
        let found = signs
            .into_iter()
            .find_map(|(sign, compared)| Some((compared, text.strip_prefix(sign)?)));
        found.unwrap_or((Self::Is, text))
    }

    /// Returns the same comparison seen from the other end: more age is less time.
    fn turned(self) -> Self {
        match self {
            Self::Is => Self::Is,
            Self::More => Self::Less,
            Self::AtLeast => Self::AtMost,
            Self::Less => Self::More,
            Self::AtMost => Self::AtLeast,
        }
    }

    /// Returns the values that compare so with all that lies in `with`.
    fn range(self, with: &RangeInclusive<i64>) -> RangeInclusive<i64> {
        match self {
            Self::Is => with.clone(),
            Self::More => with.end().saturating_add(1)..=i64::MAX,
            Self::AtLeast => *with.start()..=i64::MAX,
            Self::Less => i64::MIN..=with.start().saturating_sub(1),
            Self::AtMost => i64::MIN..=*with.end(),
        }
    }
}

/// The units of lengths of time, in milliseconds; longer names first.
const SPANS: &[(&str, i64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// The units of sizes; a `k` is 1024, as in listings of files.
const SIZES: &[(&str, i64)] = &[("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];

/// Reads a number with one of these units; `None` for anything else.
fn with_unit(text: &str, units: &[(&str, i64)]) -> Option<i64> {
    let (digits, unit) = units
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let number: i64 = digits.parse().ok().filter(|number| *number >= 0)?;
    number.checked_mul(unit)
}

/// Returns the numbers that a text such as `>3` asks for.
pub(super) fn numbers(text: &str) -> Option<RangeInclusive<i64>> {
    let (compared, rest) = Compared::take(text);
    let number: i64 = rest.parse().ok()?;
    Some(compared.range(&(number..=number)))
}

/// Returns the sizes in bytes that a text such as `>10k` asks for.
pub(super) fn sizes(text: &str) -> Option<RangeInclusive<i64>> {
    let (compared, rest) = Compared::take(text);
    let low = rest.to_ascii_lowercase();
    let bytes = with_unit(&low, SIZES).or_else(|| low.parse().ok())?;
    Some(compared.range(&(bytes..=bytes)))
}

/// Returns the lengths of time in milliseconds that a text such as `>2s` asks for.
pub(super) fn durations(text: &str) -> Option<RangeInclusive<i64>> {
    let (compared, rest) = Compared::take(text);
    let ms = with_unit(rest, SPANS).or_else(|| rest.parse().ok())?;
    Some(compared.range(&(ms..=ms)))
}

/// Returns the moments that a text asks for: an age such as `>2h`, which is more than two
/// hours before `now_ms` (or after it, where the column's times lie ahead), or the
/// beginning of a date, `2026-01`, `>=2026-01-31T08:00`, UTC where no zone is named.
pub(super) fn moments(text: &str, now_ms: i64, is_ahead: bool) -> Option<RangeInclusive<i64>> {
    let (compared, rest) = Compared::take(text);
    if let Some(ms) = with_unit(rest, SPANS) {
        return Some(if is_ahead {
            let at = now_ms.saturating_add(ms);
            compared.range(&(at..=at))
        } else {
            let at = now_ms.saturating_sub(ms);
            compared.turned().range(&(at..=at))
        });
    }
    Some(compared.range(&stretch(rest)?))
}

/// Returns the stretch of time that the beginning of a date names.
fn stretch(text: &str) -> Option<RangeInclusive<i64>> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond()..=at.as_millisecond());
    }
    let (day, hour) = text.split_once(['T', 't']).unwrap_or((text, ""));
    let mut parts = day.split('-');
    let mut number = |digits: usize| -> Option<Option<i16>> {
        let Some(part) = parts.next() else {
            return Some(None);
        };
        let is_plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        Some(Some(part.parse().ok().filter(|_| is_plain)?))
    };
    let (year, month, date) = (number(4)??, number(2)?, number(2)?);
    if parts.next().is_some() {
        return None;
    }
    let small = |part: Option<i16>| i8::try_from(part.unwrap_or(1)).ok();
    let first = Date::new(year, small(month)?, small(date)?).ok()?;
    let (from, span) = match (hour, date, month) {
        ("", None, None) => (first.at(0, 0, 0, 0), Span::new().years(1)),
        ("", None, Some(_)) => (first.at(0, 0, 0, 0), Span::new().months(1)),
        ("", Some(_), _) => (first.at(0, 0, 0, 0), Span::new().days(1)),
        (hour, Some(_), _) => {
            let (hours, minutes) = hour.split_once(':').unwrap_or((hour, ""));
            let span = if minutes.is_empty() {
                Span::new().hours(1)
            } else {
                Span::new().minutes(1)
            };
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            let time = jiff::civil::Time::new(hours, minutes, 0, 0).ok()?;
            (first.to_datetime(time), span)
        }
        _ => return None,
    };
    let to = from.checked_add(span).ok()?;
    let ms = |at: jiff::civil::DateTime| {
        let zoned = at.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp().as_millisecond())
    };
    Some(ms(from)?..=ms(to)? - 1)
}

/// Reads two digits; nothing is zero.
fn two(text: &str) -> Option<i8> {
    match text.len() {
        0 => Some(0),
        2 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}
