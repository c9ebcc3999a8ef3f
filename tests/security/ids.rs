//! Randomness, UUIDs and ids.

use std::collections::HashSet;

use elastane::app::random::{IdMaker, Random};
use elastane::clock::Clock;
use elastane::domain::id::{RawId, UserId};

const NOW_MS: i64 = 1_700_000_000_000;

#[test]
fn a_seed_repeats_its_bytes_and_another_seed_does_not() {
    let first = Random::seeded(7).bytes::<100>();
    assert_eq!(first, Random::seeded(7).bytes::<100>());
    assert_ne!(first, Random::seeded(8).bytes::<100>());
    let pieces = Random::seeded(7);
    let mut joined = pieces.bytes::<33>().to_vec();
    joined.extend(pieces.clone().bytes::<67>());
    assert_eq!(joined, first);
}

#[test]
fn the_system_never_gives_the_same_bytes() {
    let random = Random::system();
    assert_ne!(random.bytes::<16>(), random.bytes::<16>());
}

#[test]
fn a_uuid_is_lower_case_version_4_and_its_own() {
    let random = Random::seeded(1);
    let mut seen = HashSet::new();
    for _ in 0..1000 {
        let uuid = random.uuid_v4();
        assert_eq!(uuid.len(), 36);
        for (at, digit) in uuid.char_indices() {
            match at {
                8 | 13 | 18 | 23 => assert_eq!(digit, '-'),
                14 => assert_eq!(digit, '4'),
                19 => assert!("89ab".contains(digit)),
                _ => assert!(digit.is_ascii_digit() || ('a'..='f').contains(&digit)),
            }
        }
        assert!(seen.insert(uuid));
    }
}

#[test]
fn an_id_begins_with_its_second() {
    let ids = IdMaker::new(Clock::fixed(NOW_MS), &Random::system());
    let id: UserId = ids.next();
    assert_eq!(id.to_string()[..8], format!("{:08x}", NOW_MS / 1000));
}

#[test]
fn ids_of_many_threads_are_all_different_and_share_their_maker() {
    let ids = IdMaker::new(Clock::system(), &Random::system());
    let mut all = HashSet::new();
    std::thread::scope(|scope| {
        let some = || (0..5000).map(|_| ids.next::<RawId>()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(some)).collect();
        for thread in threads {
            all.extend(thread.join().unwrap());
        }
    });
    assert_eq!(all.len(), 20_000);
    let makers: HashSet<String> = all
        .iter()
        .map(|id| id.to_string()[8..18].to_owned())
        .collect();
    assert_eq!(makers.len(), 1);
}

/// Finds a maker whose counter begins less than 4096 below its end.
fn maker_about_to_wrap(clock: &Clock) -> IdMaker {
    (0..1_000_000)
        .map(|seed| IdMaker::new(clock.clone(), &Random::seeded(seed)))
        .find(|ids| ids.next::<RawId>().to_string()[18..].starts_with("fff"))
        .unwrap()
}

#[test]
fn ids_increase_when_the_counter_wraps_within_a_second() {
    let ids = maker_about_to_wrap(&Clock::fixed(NOW_MS));
    let many: Vec<RawId> = (0..5000).map(|_| ids.next()).collect();
    assert!(many.is_sorted_by(|a, b| a < b));
    let last = many.last().unwrap().to_string();
    assert!(
        last[18..].starts_with("00"),
        "the counter did not wrap: {last}"
    );
}

#[test]
fn ids_increase_when_the_clock_is_set_back_or_moves_on() {
    let clock = Clock::fixed(NOW_MS);
    let ids = maker_about_to_wrap(&clock);
    let mut last: RawId = ids.next();
    for step_ms in [1000, -5000, 0, 2000, 10_000, -3_600_000, 999, 7_200_000] {
        clock.advance(step_ms);
        for _ in 0..2000 {
            let id = ids.next();
            assert!(id > last);
            last = id;
        }
    }
}
