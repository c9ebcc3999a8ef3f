//! Dates as HTTP writes them.

const SECONDS_PER_DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Writes Unix seconds as an IMF-fixdate (RFC 9110 5.6.7), `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn http_date(unix_s: i64) -> String {
    let days = unix_s.div_euclid(SECONDS_PER_DAY);
    let second = unix_s.rem_euclid(SECONDS_PER_DAY);
    let (year, month, day) = civil(days);
    let weekday = usize::try_from(days.rem_euclid(7)).unwrap_or(0);
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        WEEKDAYS[weekday],
        MONTHS[month],
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// The year, the month counted from zero and the day of the month of a day counted from 1970-01-01.
///
/// Counts from March of year 0, so that the leap day ends a year and months follow one formula.
fn civil(days: i64) -> (i64, usize, i64) {
    let from_march = days + 719_468;
    let era = from_march.div_euclid(146_097);
    let day_of_era = from_march.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = usize::try_from((march_month + 2) % 12).unwrap_or(0);
    let year = year_of_era + era * 400 + i64::from(march_month >= 10);
    (year, month, day)
}

/// The text of the current second, rewritten only when the second changes.
#[derive(Debug)]
pub(crate) struct DateCache {
    second: i64,
    text: String,
}

impl DateCache {
    pub(crate) fn new() -> Self {
        Self {
            second: i64::MIN,
            text: String::new(),
        }
    }

    pub(crate) fn at(&mut self, now_ms: i64) -> &str {
        let second = now_ms.div_euclid(1_000);
        if second != self.second {
            self.second = second;
            self.text = http_date(second);
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_standard_and_of_the_calendar() {
        // The first is RFC 9110's own example; the others were asked of `date -u`.
        for (second, text) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] {
            assert_eq!(http_date(second), text);
        }
    }
}
