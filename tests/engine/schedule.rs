//! When schedules fire, in a zone with daylight-saving time.

use elastane::domain::flow::schedule::next_of;
use jiff::Timestamp;

/// The zone: clocks go forward on 29 March 2026 and back on 25 October 2026.
const ZONE: &str = "Europe/Berlin";

/// Returns the next `count` times of a schedule, in UTC.
fn fires(cron: &str, from: &str, count: usize) -> Vec<String> {
    let mut at = from
        .parse::<Timestamp>()
        .expect("the test names a time")
        .as_millisecond();
    let mut fires = Vec::new();
    for _ in 0..count {
        at = next_of(cron, Some(ZONE), at).expect("it fires again");
        fires.push(
            Timestamp::from_millisecond(at)
                .expect("it is a time")
                .to_string(),
        );
    }
    fires
}

#[test]
fn a_daily_schedule_keeps_its_hour_when_clocks_go_forward() {
    let found = fires("0 6 * * *", "2026-03-28T00:00:00Z", 2);
    assert_eq!(found, ["2026-03-28T05:00:00Z", "2026-03-29T04:00:00Z"]);
}

#[test]
fn an_hour_that_comes_twice_fires_a_daily_schedule_once() {
    let found = fires("30 2 * * *", "2026-10-24T12:00:00Z", 2);
    assert_eq!(found, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn an_hour_that_is_skipped_does_not_stop_a_daily_schedule() {
    let found = fires("30 2 * * *", "2026-03-28T12:00:00Z", 2);
    assert!(found[0].starts_with("2026-03-29T01:"), "{found:?}");
    assert_eq!(found[1], "2026-03-30T00:30:00Z");
}

#[test]
fn an_interval_goes_on_through_both_changes() {
    let forward = fires("*/30 * * * *", "2026-03-29T00:30:00Z", 2);
    assert_eq!(forward, ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]);
    let back = fires("*/30 * * * *", "2026-10-25T00:30:00Z", 3);
    assert_eq!(back[0], "2026-10-25T01:00:00Z");
    assert_eq!(back[2], "2026-10-25T02:00:00Z");
}

#[test]
fn sixty_minutes_are_an_hour() {
    let found = fires("*/60 * * * *", "2026-06-01T00:10:00Z", 2);
    assert_eq!(found, ["2026-06-01T01:00:00Z", "2026-06-01T02:00:00Z"]);
}
