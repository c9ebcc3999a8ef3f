//! Moments as texts: ISO 8601, and the tokens of `format`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::calc::{Moment, week_year};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The tokens, longer ones before those that they begin with.
const TOKENS: &[&str] = &[
    "YYYY", "YY", "MMMM", "MMM", "MM", "Mo", "M", "DDDD", "DDD", "DD", "Do", "D", "dddd", "ddd",
    "dd", "d", "E", "GGGG", "GG", "gggg", "gg", "WW", "W", "ww", "w", "HH", "H", "hh", "h", "kk",
    "k", "mm", "m", "SSS", "SS", "S", "ss", "s", "A", "a", "ZZ", "Z", "X", "x", "Q", "LTS", "LT",
    "LLLL", "LLL", "LL", "L",
];

/// Reads a time as ISO 8601 or as RFC 2822 write it; without an offset it is in UTC.
pub(super) fn parse_iso(text: &str) -> Moment {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Moment::at(at.as_millisecond());
    }
    if let Ok(civil) = text.parse::<DateTime>() {
        return Moment::of_civil(civil);
    }
    if let Ok(date) = format!("{text}-01").parse::<Date>() {
        return Moment::of_civil(date.at(0, 0, 0, 0));
    }
    match jiff::fmt::rfc2822::parse(text) {
        Ok(zoned) => Moment::at(zoned.timestamp().as_millisecond()),
        Err(_) => Moment::invalid(),
    }
}

/// Reads `+02:00`, `-0530` or `Z` as minutes.
pub(super) fn offset_min(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes: i64 = if minutes.is_empty() {
        0
    } else {
        minutes.parse().ok()?
    };
    Some(sign * (hours.parse::<i64>().ok()? * 60 + minutes))
}

/// Writes a moment with tokens; without them as ISO 8601 with the offset.
pub(super) fn format(moment: Moment, tokens: Option<&str>) -> String {
    let Some(civil) = moment.civil() else {
        return "Invalid date".to_owned();
    };
    let mut out = String::new();
    let mut rest = tokens.unwrap_or("YYYY-MM-DDTHH:mm:ssZ");
    while let Some(next) = rest.chars().next() {
        if let Some((quoted, after)) = rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
            out.push_str(quoted);
            rest = after;
        } else if let Some(token) = TOKENS.iter().find(|token| rest.starts_with(**token)) {
            out.push_str(&written(moment, civil, token));
            rest = &rest[token.len()..];
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    out
}

/// Writes one token.
fn written(moment: Moment, civil: DateTime, token: &str) -> String {
    let month = MONTHS[usize::from(civil.month().unsigned_abs()) - 1];
    let weekday = civil.weekday().to_sunday_zero_offset();
    let day_name = DAYS[usize::from(weekday.unsigned_abs())];
    let twelve = (civil.hour() + 11) % 12 + 1;
    let number = |part: &str| moment.get(part).as_f64().unwrap_or(0.0);
    let ms = moment.ms().unwrap_or(0);
    match token {
        "YYYY" => format!("{:04}", civil.year()),
        "YY" => format!("{:02}", civil.year().rem_euclid(100)),
        "MMMM" => month.to_owned(),
        "MMM" => month[..3].to_owned(),
        "MM" => format!("{:02}", civil.month()),
        "Mo" => ordinal(civil.month()),
        "M" => civil.month().to_string(),
        "DDDD" => format!("{:03}", civil.day_of_year()),
        "DDD" => civil.day_of_year().to_string(),
        "DD" => format!("{:02}", civil.day()),
        "Do" => ordinal(civil.day()),
        "D" => civil.day().to_string(),
        "dddd" => day_name.to_owned(),
        "ddd" => day_name[..3].to_owned(),
        "dd" => day_name[..2].to_owned(),
        "d" => weekday.to_string(),
        "E" => number("isoWeekday").to_string(),
        "GGGG" => format!("{:04}", civil.date().iso_week_date().year()),
        "GG" => format!("{:02}", civil.date().iso_week_date().year().rem_euclid(100)),
        "gggg" => format!("{:04}", week_year(civil)),
        "gg" => format!("{:02}", week_year(civil).rem_euclid(100)),
        "WW" => format!("{:02}", civil.date().iso_week_date().week()),
        "W" => civil.date().iso_week_date().week().to_string(),
        "ww" => format!("{:02}", number("week")),
        "w" => number("week").to_string(),
        "HH" => format!("{:02}", civil.hour()),
        "H" => civil.hour().to_string(),
        "hh" => format!("{twelve:02}"),
        "h" => twelve.to_string(),
        "kk" => format!("{:02}", (civil.hour() + 23) % 24 + 1),
        "k" => ((civil.hour() + 23) % 24 + 1).to_string(),
        "mm" => format!("{:02}", civil.minute()),
        "m" => civil.minute().to_string(),
        "ss" => format!("{:02}", civil.second()),
        "s" => civil.second().to_string(),
        "SSS" => format!("{:03}", civil.millisecond()),
        "SS" => format!("{:02}", civil.millisecond() / 10),
        "S" => (civil.millisecond() / 100).to_string(),
        "A" => if civil.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        "a" => if civil.hour() < 12 { "am" } else { "pm" }.to_owned(),
        "Z" => offset(moment.offset_min(), ":"),
        "ZZ" => offset(moment.offset_min(), ""),
        "X" => ms.div_euclid(1000).to_string(),
        "x" => ms.to_string(),
        "Q" => number("quarter").to_string(),
        "LTS" => format(moment, Some("h:mm:ss A")),
        "LT" => format(moment, Some("h:mm A")),
        "LLLL" => format(moment, Some("dddd, MMMM D, YYYY h:mm A")),
        "LLL" => format(moment, Some("MMMM D, YYYY h:mm A")),
        "LL" => format(moment, Some("MMMM D, YYYY")),
        _ => format(moment, Some("MM/DD/YYYY")),
    }
}

/// Writes an offset.
fn offset(minutes: i64, colon: &str) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

/// Writes a number with its English ending.
fn ordinal(number: i8) -> String {
    let ending = match (number % 10, number % 100) {
        (1, not) if not != 11 => "st",
        (2, not) if not != 12 => "nd",
        (3, not) if not != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// What the tokens of a text said so far.
struct Parts {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    millisecond: i16,
    is_pm: Option<bool>,
    offset_min: i64,
    at_ms: Option<i64>,
}

/// Reads a text with tokens. Marks between them only have to be there; missing parts
/// at the end are the smallest.
pub(super) fn parse(text: &str, tokens: &str) -> Moment {
    read(text, tokens).unwrap_or(Moment::invalid())
}

/// Reads a text with tokens; `None` where it does not fit.
fn read(text: &str, tokens: &str) -> Option<Moment> {
    let mut parts = Parts {
        year: 1970,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        millisecond: 0,
        is_pm: None,
        offset_min: 0,
        at_ms: None,
    };
    let (mut text, mut rest) = (text.trim(), tokens);
    while let Some(next) = rest.chars().next() {
        if text.is_empty() {
            break;
        }
        if let Some(token) = TOKENS.iter().find(|token| rest.starts_with(**token)) {
            text = parts.take(token, text)?;
            rest = &rest[token.len()..];
        } else {
            let mark = text.chars().next()?;
            if next.is_alphanumeric() && mark != next {
                return None;
            }
            if !mark.is_alphanumeric() || mark == next {
                text = &text[mark.len_utf8()..];
            }
            rest = &rest[next.len_utf8()..];
        }
    }
    parts.moment()
}

impl Parts {
    /// Reads one token from the beginning of a text and returns what is left.
    fn take<'a>(&mut self, token: &str, text: &'a str) -> Option<&'a str> {
        let most = match token {
            "YYYY" | "GGGG" => 4,
            "SSS" | "DDDD" | "DDD" => 3,
            "x" | "X" => 15,
            "S" => 1,
            _ => 2,
        };
        let length = text
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, after) = text.split_at(length);
        let number = || digits.parse::<i64>().ok();
        let small = || number().and_then(|number| i8::try_from(number).ok());
        match token {
            "YYYY" => self.year = i16::try_from(number()?).ok()?,
            "YY" => {
                let year = i16::try_from(number()?).ok()?;
                self.year = if year > 68 { 1900 + year } else { 2000 + year };
            }
            "M" | "MM" => self.month = small()?,
            "MMM" | "MMMM" => {
                let at = MONTHS
                    .iter()
                    .position(|month| starts_alike(text, &month[..3]))?;
                self.month = i8::try_from(at + 1).ok()?;
                let is_whole = starts_alike(text, MONTHS[at]);
                return Some(&text[if is_whole { MONTHS[at].len() } else { 3 }..]);
            }
            "D" | "DD" => self.day = small()?,
            "Do" => {
                self.day = small()?;
                return Some(after.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
            }
            "H" | "HH" | "h" | "hh" => self.hour = small()?,
            "m" | "mm" => self.minute = small()?,
            "s" | "ss" => self.second = small()?,
            "S" => self.millisecond = i16::try_from(number()? * 100).ok()?,
            "SS" => self.millisecond = i16::try_from(number()? * 10).ok()?,
            "SSS" => self.millisecond = i16::try_from(number()?).ok()?,
            "X" => self.at_ms = number()?.checked_mul(1000),
            "x" => self.at_ms = Some(number()?),
            "A" | "a" => {
                self.is_pm = Some(starts_alike(text, "pm"));
                return text.get(2..);
            }
            "Z" | "ZZ" => {
                let end = text.find(|c: char| !"+-:Z0123456789".contains(c));
                let (offset, after) = text.split_at(end.unwrap_or(text.len()));
                self.offset_min = offset_min(offset)?;
                return Some(after);
            }
            _ => return None,
        }
        Some(after)
    }

    /// Makes a moment of what was said.
    fn moment(&self) -> Option<Moment> {
        if let Some(ms) = self.at_ms {
            return Some(Moment::at(ms));
        }
        let hour = match self.is_pm {
            Some(is_pm) => self.hour % 12 + if is_pm { 12 } else { 0 },
            None => self.hour,
        };
        let nanosecond = i32::from(self.millisecond) * 1_000_000;
        let civil = DateTime::new(
            self.year,
            self.month,
            self.day,
            hour,
            self.minute,
            self.second,
            nanosecond,
        );
        let ms = Moment::of_civil(civil.ok()?).ms()?;
        Some(Moment::at(ms - self.offset_min * 60_000))
    }
}

/// Tells whether a text begins with a word, in any case.
fn starts_alike(text: &str, word: &str) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}
