//! Calculating with moments.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _, Unit};
use jsonata_core::value::JValue;

use super::super::bounds::millis;
use super::{MILLIS, OFFSET, text};

/// The furthest offset from UTC, in minutes.
const OFFSET_MAX: i64 = 18 * 60;

/// A time, or none where what it was made of is no time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    at: Option<Timestamp>,
    offset_min: i64,
}

impl Moment {
    /// Makes a moment in UTC.
    pub(super) fn at(ms: i64) -> Self {
        Self {
            at: Timestamp::from_millisecond(ms).ok(),
            offset_min: 0,
        }
    }

    /// Makes one that is none.
    pub(super) const fn invalid() -> Self {
        Self {
            at: None,
            offset_min: 0,
        }
    }

    /// Makes one of a date and a time in UTC.
    pub(super) fn of_civil(civil: DateTime) -> Self {
        Self::invalid().moved_to(Some(civil))
    }

    /// Makes one of the members of an object.
    pub(super) fn of_parts(ms: Option<&JValue>, offset: Option<&JValue>) -> Self {
        Self {
            offset_min: offset.and_then(whole).unwrap_or(0),
            ..ms.and_then(whole).map_or(Self::invalid(), Self::at)
        }
    }

    /// Makes one of what a flow gives: nothing, a number, a text, a moment, a list of
    /// year, month from 0, day, hour, minute, second and millisecond.
    pub(super) fn of_value(value: &JValue, now: Self) -> Self {
        match value {
            JValue::Undefined => now,
            JValue::Number(_) => whole(value).map_or(Self::invalid(), Self::at),
            JValue::String(text) => text::parse_iso(text),
            JValue::Object(_) => Self::of_parts(value.get(MILLIS), value.get(OFFSET)),
            JValue::Array(parts) if parts.is_empty() => now,
            JValue::Array(parts) => Self::of_list(parts).unwrap_or(Self::invalid()),
            _ => Self::invalid(),
        }
    }

    /// Makes one of a list; `None` where a part is no number or too large.
    fn of_list(parts: &[JValue]) -> Option<Self> {
        let part = |at: usize, missing: i64| parts.get(at).map_or(Some(missing), whole);
        let small = |at: usize| i8::try_from(part(at, 0)?).ok();
        let civil = DateTime::new(
            i16::try_from(part(0, 1970)?).ok()?,
            i8::try_from(part(1, 0)?.checked_add(1)?).ok()?,
            i8::try_from(part(2, 1)?).ok()?,
            small(3)?,
            small(4)?,
            small(5)?,
            i32::try_from(part(6, 0)?).ok()?.checked_mul(1_000_000)?,
        );
        Some(Self::of_civil(civil.ok()?))
    }

    /// Returns the parts of which the language makes an object.
    pub(super) fn to_parts(self) -> JValue {
        let ms = self.ms().map_or(JValue::Null, millis);
        JValue::array(vec![ms, millis(self.offset_min)])
    }

    /// Returns milliseconds since 1970.
    pub(super) fn ms(self) -> Option<i64> {
        self.at.map(Timestamp::as_millisecond)
    }

    /// Returns the date and the time where the moment is.
    pub(super) fn civil(self) -> Option<DateTime> {
        Some(self.zone()?.to_datetime(self.at?))
    }

    /// Returns the offset in minutes.
    pub(super) fn offset_min(self) -> i64 {
        self.offset_min
    }

    /// Returns the time as ISO 8601 in UTC, with milliseconds.
    pub(super) fn iso(self) -> Option<String> {
        let civil = Offset::UTC.to_datetime(self.at?);
        Some(format!("{}Z", civil.strftime("%Y-%m-%dT%H:%M:%S%.3f")))
    }

    /// Returns the moment in UTC.
    pub(super) fn in_utc(self) -> Self {
        Self {
            offset_min: 0,
            ..self
        }
    }

    /// Returns the moment at an offset: minutes, hours below 16, or `+02:00`.
    pub(super) fn with_offset(self, offset: &JValue) -> Self {
        let minutes = match offset {
            JValue::String(text) => text::offset_min(text),
            _ => whole(offset).map(|number| {
                if number.abs() < 16 {
                    number * 60
                } else {
                    number
                }
            }),
        };
        match minutes.filter(|minutes| minutes.abs() <= OFFSET_MAX) {
            Some(offset_min) => Self { offset_min, ..self },
            None => self,
        }
    }

    /// Adds a number of units, or those of an object.
    pub(super) fn add_value(self, amount: &JValue, unit: &JValue, sign: f64) -> Self {
        if let JValue::Object(units) = amount {
            return units.iter().fold(self, |moment, (unit, amount)| {
                moment.add(amount.as_f64().unwrap_or(0.0) * sign, unit)
            });
        }
        let number = match amount {
            JValue::String(text) => text.trim().parse().unwrap_or(0.0),
            _ => amount.as_f64().unwrap_or(0.0),
        };
        self.add(number * sign, unit.as_str().unwrap_or("ms"))
    }

    /// Adds a number of a unit; the day of a month that has too few becomes its last.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is too large is no time"
    )]
    fn add(self, amount: f64, unit: &str) -> Self {
        let Some(civil) = self.civil() else {
            return self;
        };
        let number = amount.round() as i64;
        let span = match unit_of(unit) {
            "year" => 1.year(),
            "quarter" => 3.months(),
            "month" => 1.month(),
            "week" => 1.week(),
            "day" => 1.day(),
            exact => {
                let ms = (amount * length_ms(exact)).round() as i64;
                let at = self.at.and_then(|at| {
                    Timestamp::from_millisecond(at.as_millisecond().checked_add(ms)?).ok()
                });
                return Self { at, ..self };
            }
        };
        let moved = span
            .checked_mul(number)
            .ok()
            .and_then(|span| civil.checked_add(span).ok());
        self.moved_to(moved)
    }

    /// Returns the beginning of the unit.
    pub(super) fn start_of(self, unit: &str) -> Self {
        let Some(civil) = self.civil() else {
            return self;
        };
        let midnight = civil.date().at(0, 0, 0, 0);
        let month = || midnight.with().day(1).build().ok();
        let moved = match unit_of(unit) {
            "year" => midnight.with().month(1).day(1).build().ok(),
            "quarter" => month().and_then(|it| {
                let first = (it.month() - 1) / 3 * 3 + 1;
                it.with().month(first).build().ok()
            }),
            "month" => month(),
            "week" => back_by(midnight, civil.weekday().to_sunday_zero_offset()),
            "isoWeek" => back_by(midnight, civil.weekday().to_monday_zero_offset()),
            "day" => Some(midnight),
            "hour" => Some(civil.date().at(civil.hour(), 0, 0, 0)),
            "minute" => Some(civil.date().at(civil.hour(), civil.minute(), 0, 0)),
            "second" => civil.with().subsec_nanosecond(0).build().ok(),
            _ => return self,
        };
        self.moved_to(moved)
    }

    /// Returns the last millisecond of the unit.
    pub(super) fn end_of(self, unit: &str) -> Self {
        let unit = unit_of(unit);
        if unit == "ms" {
            return self;
        }
        let step = if unit == "isoWeek" { "week" } else { unit };
        self.start_of(unit).add(1.0, step).add(-1.0, "ms")
    }

    /// Returns the moment with one part set.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and is refused then"
    )]
    pub(super) fn set(self, unit: &str, value: Option<f64>) -> Self {
        let (Some(civil), Some(value)) = (self.civil(), value) else {
            return self;
        };
        let day_of = |year: i16, month: i8| {
            let first = civil.with().day(1).year(year).month(month).build().ok()?;
            let day = civil.day().min(first.date().days_in_month());
            first.with().day(day).build().ok()
        };
        let moved = match unit_of(unit) {
            "year" => i16::try_from(value as i64)
                .ok()
                .and_then(|year| day_of(year, civil.month())),
            "month" => {
                return self.add(value - f64::from(civil.month() - 1), "month");
            }
            "date" => return self.add(value - f64::from(civil.day()), "day"),
            "hour" => return self.add(value - f64::from(civil.hour()), "hour"),
            "minute" => return self.add(value - f64::from(civil.minute()), "minute"),
            "second" => return self.add(value - f64::from(civil.second()), "second"),
            "ms" => return self.add(value - f64::from(civil.millisecond()), "ms"),
            _ => return self,
        };
        self.moved_to(moved)
    }

    /// Returns one part of the moment as a number.
    pub(super) fn get(self, part: &str) -> JValue {
        let Some(civil) = self.civil() else {
            return JValue::Number(f64::NAN);
        };
        let iso = civil.date().iso_week_date();
        JValue::Number(match part {
            "day" | "days" | "weekday" | "d" => civil.weekday().to_sunday_zero_offset().into(),
            "isoWeekday" => civil.weekday().to_monday_one_offset().into(),
            "week" | "weeks" if week_year(civil) > civil.year() => 1.0,
            "week" | "weeks" => f64::from((civil.day_of_year() - 1 + first_weekday(civil)) / 7 + 1),
            "isoWeek" => iso.week().into(),
            "quarter" => ((civil.month() - 1) / 3 + 1).into(),
            "dayOfYear" => civil.day_of_year().into(),
            "daysInMonth" => civil.date().days_in_month().into(),
            other => match unit_of(other) {
                "year" => civil.year().into(),
                "month" => (civil.month() - 1).into(),
                "date" => civil.day().into(),
                "hour" => civil.hour().into(),
                "minute" => civil.minute().into(),
                "second" => civil.second().into(),
                _ => civil.millisecond().into(),
            },
        })
    }

    /// Returns how many whole units lie between another moment and this one.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub(super) fn diff(self, other: Self, unit: &str) -> JValue {
        let nothing = JValue::Number(f64::NAN);
        let (Some(one), Some(two)) = (self.ms(), other.ms()) else {
            return nothing;
        };
        let months = match unit_of(unit) {
            "year" => 12.0,
            "quarter" => 3.0,
            "month" => 1.0,
            exact => {
                let whole = ((one - two) as f64 / length_ms(exact)).trunc();
                return JValue::Number(whole + 0.0);
            }
        };
        let (Some(one), Some(two)) = (self.in_utc().civil(), other.in_utc().civil()) else {
            return nothing;
        };
        match two.until((Unit::Month, one)) {
            Ok(span) => {
                let count = f64::from(span.get_years()) * 12.0 + f64::from(span.get_months());
                JValue::Number((count / months).trunc() + 0.0)
            }
            Err(_) => nothing,
        }
    }

    /// Returns how many units lie between another moment and this one, with a fraction.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub(super) fn exact_diff(self, other: Self, unit: &str) -> JValue {
        let (Some(one), Some(two)) = (self.ms(), other.ms()) else {
            return JValue::Number(f64::NAN);
        };
        let months = match unit_of(unit) {
            "year" => 12.0,
            "quarter" => 3.0,
            "month" => 1.0,
            exact => return JValue::Number((one - two) as f64 / length_ms(exact)),
        };
        let count = self.in_utc().months_since(other.in_utc());
        JValue::Number(count.map_or(f64::NAN, |count| count / months))
    }

    /// Returns the months between another moment and this one: whole ones, and the part
    /// of the month in which this one lies.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn months_since(self, other: Self) -> Option<f64> {
        let (one, two) = (self.civil()?, other.civil()?);
        if one.day() < two.day() {
            return other.months_since(self).map(|count| 0.0 - count);
        }
        let years = f64::from(one.year()) - f64::from(two.year());
        let whole = years * 12.0 + f64::from(one.month()) - f64::from(two.month());
        let at = |months: f64| other.add(months, "month").ms();
        let (ms, anchor) = (self.ms()?, at(whole)?);
        let (from, to) = if ms < anchor {
            (at(whole - 1.0)?, anchor)
        } else {
            (anchor, at(whole + 1.0)?)
        };
        Some(whole + (ms - anchor) as f64 / (to - from) as f64)
    }

    /// Returns the moment at another date and time of the same offset.
    fn moved_to(self, civil: Option<DateTime>) -> Self {
        let at = civil.and_then(|civil| {
            let zone = TimeZone::fixed(self.zone()?);
            Some(civil.to_zoned(zone).ok()?.timestamp())
        });
        Self { at, ..self }
    }

    /// Returns the offset.
    fn zone(self) -> Option<Offset> {
        let seconds = i32::try_from(self.offset_min.checked_mul(60)?).ok()?;
        Offset::from_seconds(seconds).ok()
    }
}

/// Returns in words how far a moment lies from another, such as `in 2 hours`; without
/// `in` and `ago` where `is_bare` is true.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(super) fn from(moment: Moment, other: Moment, is_bare: &JValue) -> String {
    /// The days of a month, as the Gregorian calendar has them in 400 years.
    const DAYS_OF_MONTH: f64 = 146_097.0 / 4_800.0;
    let (Some(one), Some(two)) = (moment.ms(), other.ms()) else {
        return "Invalid date".to_owned();
    };
    let ms = (one - two) as f64;
    let of = |unit: f64| (ms.abs() / unit).round();
    let days = of(length_ms("day"));
    let months = (days / DAYS_OF_MONTH).round();
    let years = (days / DAYS_OF_MONTH / 12.0).round();
    let (minutes, hours) = (of(length_ms("minute")), of(length_ms("hour")));
    let words = if of(length_ms("second")) < 45.0 {
        "a few seconds".to_owned()
    } else if minutes < 45.0 {
        counted(minutes, "a minute", "minutes")
    } else if hours < 22.0 {
        counted(hours, "an hour", "hours")
    } else if days < 26.0 {
        counted(days, "a day", "days")
    } else if months < 11.0 {
        counted(months, "a month", "months")
    } else {
        counted(years, "a year", "years")
    };
    match is_bare {
        JValue::Bool(true) => words,
        _ if ms > 0.0 => format!("in {words}"),
        _ => format!("{words} ago"),
    }
}

/// Writes a number of things; less than two of them are one.
fn counted(number: f64, one: &str, many: &str) -> String {
    if number <= 1.0 {
        one.to_owned()
    } else {
        format!("{number} {many}")
    }
}

/// Returns the year of a day's week: weeks begin on Sunday, and the first is that of the
/// first of January.
pub(super) fn week_year(civil: DateTime) -> i16 {
    let to_saturday = 6 - i64::from(civil.weekday().to_sunday_zero_offset());
    let saturday = civil.date().checked_add(to_saturday.days());
    saturday.map_or(civil.year(), jiff::civil::Date::year)
}

/// Returns a day some days earlier.
fn back_by(midnight: DateTime, days: i8) -> Option<DateTime> {
    midnight.checked_sub(i64::from(days).days()).ok()
}

/// Returns the weekday of the first of January, Sunday being 0.
fn first_weekday(civil: DateTime) -> i16 {
    let sunday_zero = i16::from(civil.weekday().to_sunday_zero_offset());
    (sunday_zero - (civil.day_of_year() - 1)).rem_euclid(7)
}

/// Returns a number without its fraction; `None` for what is none.
#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and is no time then"
)]
fn whole(value: &JValue) -> Option<i64> {
    value
        .as_f64()
        .filter(|number| number.is_finite())
        .map(|number| number.trunc() as i64)
}

/// Returns the one name of a unit.
fn unit_of(unit: &str) -> &'static str {
    match unit {
        "y" | "year" | "years" => "year",
        "Q" | "quarter" | "quarters" => "quarter",
        "M" | "month" | "months" => "month",
        "w" | "week" | "weeks" => "week",
        "W" | "isoWeek" | "isoWeeks" => "isoWeek",
        "d" | "day" | "days" => "day",
        "D" | "date" | "dates" => "date",
        "h" | "hour" | "hours" => "hour",
        "m" | "minute" | "minutes" => "minute",
        "s" | "second" | "seconds" => "second",
        _ => "ms",
    }
}

/// Returns how long a unit of one length is, in milliseconds.
fn length_ms(unit: &str) -> f64 {
    match unit {
        "week" | "isoWeek" => 604_800_000.0,
        "day" | "date" => 86_400_000.0,
        "hour" => 3_600_000.0,
        "minute" => 60_000.0,
        "second" => 1_000.0,
        _ => 1.0,
    }
}
