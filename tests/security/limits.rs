//! The limits by rate, and the guard of sign-ins.

use std::net::IpAddr;

use elastane::app::limiter::{
    Caller, FAILURES_PER_ACCOUNT, FAILURES_PER_ADDRESS, Limit, Limiter, REQUESTS_PER_ACCOUNT,
    SignInGuard,
};
use elastane::domain::error::Kind;

const NOW_MS: i64 = 1_700_000_000_000;
const ONE_A_SECOND: Limit = Limit {
    per_minute: 60,
    burst: 3,
    max_keys: 1600,
};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn caller(text: &str) -> Caller {
    Caller::address(address(text))
}

fn guard() -> SignInGuard {
    SignInGuard::new(FAILURES_PER_ADDRESS, FAILURES_PER_ACCOUNT)
}

#[test]
fn a_burst_passes_and_then_the_rate_holds() {
    let limiter = Limiter::new(ONE_A_SECOND);
    let me = caller("192.0.2.1");
    for _ in 0..3 {
        assert_eq!(limiter.check(me, NOW_MS), Ok(()));
    }
    assert_eq!(limiter.check(me, NOW_MS), Err(1));
    assert_eq!(limiter.check(me, NOW_MS + 999), Err(1));
    assert_eq!(limiter.check(me, NOW_MS + 1000), Ok(()));
    assert_eq!(limiter.check(me, NOW_MS + 1000), Err(1));
    assert_eq!(limiter.check(caller("192.0.2.2"), NOW_MS + 1000), Ok(()));
}

#[test]
fn what_a_refusal_names_is_when_the_next_request_passes() {
    let limiter = Limiter::new(FAILURES_PER_ACCOUNT);
    let me = Caller::name("me@example.com");
    for _ in 0..8 {
        limiter.spend(me, NOW_MS);
    }
    let wait_s = limiter.peek(me, NOW_MS).unwrap_err();
    assert_eq!(wait_s, 48);
    assert!(
        limiter
            .peek(me, NOW_MS + i64::from(wait_s) * 1000 - 1)
            .is_err()
    );
    assert_eq!(limiter.peek(me, NOW_MS + i64::from(wait_s) * 1000), Ok(()));
}

#[test]
fn the_rate_of_requests_is_what_it_says() {
    let limiter = Limiter::new(REQUESTS_PER_ACCOUNT);
    let me = caller("192.0.2.1");
    let passed = (0..10_000)
        .filter(|ms| limiter.check(me, NOW_MS + ms).is_ok())
        .count();
    // A full bucket, and 50 in each of ten seconds but for the first token's time.
    assert_eq!(passed, 200 + 499);
}

#[test]
fn peeking_takes_nothing() {
    let limiter = Limiter::new(ONE_A_SECOND);
    for _ in 0..100 {
        assert_eq!(limiter.peek(caller("192.0.2.1"), NOW_MS), Ok(()));
    }
    assert!(limiter.is_empty());
}

#[test]
fn no_debt_is_longer_than_ten_minutes_and_a_burst() {
    let limiter = Limiter::new(ONE_A_SECOND);
    let me = caller("192.0.2.1");
    for _ in 0..10_000 {
        limiter.spend(me, NOW_MS);
    }
    let wait_s = limiter.peek(me, NOW_MS).unwrap_err();
    assert!((600..=602).contains(&wait_s), "{wait_s}");
    // A clock that was set back a year does not shut anybody out for one.
    let wait_s = limiter.peek(me, NOW_MS - 31_536_000_000).unwrap_err();
    assert!((600..=602).contains(&wait_s), "{wait_s}");
}

#[test]
fn an_ipv6_network_is_one_caller_and_a_mapped_address_is_ipv4() {
    assert_eq!(
        caller("2001:db8:1:2::1"),
        caller("2001:db8:1:2:ffff:ffff:ffff:ffff")
    );
    assert_ne!(caller("2001:db8:1:2::1"), caller("2001:db8:1:3::1"));
    assert_eq!(caller("::ffff:192.0.2.1"), caller("192.0.2.1"));
    assert_ne!(caller("192.0.2.1"), caller("192.0.2.2"));
}

#[test]
fn an_account_is_one_caller_however_its_e_mail_is_written() {
    assert_eq!(
        Caller::name(" Me@Example.com "),
        Caller::name("me@example.com")
    );
    assert_ne!(
        Caller::name("me@example.com"),
        Caller::name("you@example.com")
    );
}

#[test]
fn a_flood_of_addresses_takes_bounded_memory_and_forgives_no_debt() {
    let limiter = Limiter::new(ONE_A_SECOND);
    let debtors: Vec<Caller> = (0..100)
        .map(|number| Caller::name(&format!("{number}@example.com")))
        .collect();
    for debtor in debtors.repeat(20) {
        limiter.spend(debtor, NOW_MS);
    }
    for number in 0..100_000_u32 {
        limiter.spend(Caller::V4(number.to_be_bytes()), NOW_MS);
    }
    assert!(limiter.len() <= 1600, "{}", limiter.len());
    for debtor in debtors {
        assert_eq!(limiter.peek(debtor, NOW_MS), Err(18));
    }
}

#[test]
fn buckets_that_are_full_again_make_room() {
    let limiter = Limiter::new(ONE_A_SECOND);
    for number in 0..100_000_u32 {
        // Ten callers a second: each is full again a second after it asked.
        let now_ms = NOW_MS + i64::from(number) * 100;
        assert_eq!(
            limiter.check(Caller::V4(number.to_be_bytes()), now_ms),
            Ok(())
        );
    }
    assert!(limiter.len() <= 1600, "{}", limiter.len());
}

#[test]
fn a_guesser_of_keys_is_slowed_down_by_address_alone() {
    let guard = guard();
    let (mine, other) = (address("198.51.100.7"), address("198.51.100.8"));
    for _ in 0..10 {
        assert_eq!(guard.wrong_key(mine, NOW_MS).kind(), Kind::Unauthenticated);
    }
    for _ in 0..1000 {
        let error = guard.wrong_key(mine, NOW_MS);
        assert_eq!(error.kind(), Kind::TooMany);
        assert_eq!(error.retry_after_s(), Some(6));
    }
    assert_eq!(guard.wrong_key(other, NOW_MS).kind(), Kind::Unauthenticated);
    assert_eq!(
        guard.wrong_key(mine, NOW_MS + 6000).kind(),
        Kind::Unauthenticated
    );
}

#[test]
fn a_guesser_of_one_password_from_many_addresses_is_slowed_down_by_account() {
    let guard = guard();
    let email = "victim@example.com";
    for last in 0..5 {
        let from = IpAddr::from([198, 51, 100, last]);
        guard.may_try_password(from, email, NOW_MS).unwrap();
        assert_eq!(
            guard.wrong_password(from, email, NOW_MS).kind(),
            Kind::Unauthenticated
        );
    }
    let error = guard
        .may_try_password(address("203.0.113.1"), email, NOW_MS)
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after_s()),
        (Kind::TooMany, Some(12))
    );
    // The account's keys are not in it, and neither is anybody else.
    assert_eq!(
        guard.wrong_key(address("203.0.113.1"), NOW_MS).kind(),
        Kind::Unauthenticated
    );
    guard
        .may_try_password(address("203.0.113.1"), "other@example.com", NOW_MS)
        .unwrap();
}

#[test]
fn a_guesser_of_many_passwords_from_one_address_is_slowed_down_by_address() {
    let guard = guard();
    let from = address("198.51.100.7");
    for number in 0..10 {
        let email = format!("user{number}@example.com");
        guard.may_try_password(from, &email, NOW_MS).unwrap();
        guard.wrong_password(from, &email, NOW_MS);
    }
    let error = guard
        .may_try_password(from, "user99@example.com", NOW_MS)
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after_s()),
        (Kind::TooMany, Some(6))
    );
}

#[test]
fn right_passwords_cost_nothing() {
    let guard = guard();
    for _ in 0..1000 {
        guard
            .may_try_password(address("198.51.100.7"), "me@example.com", NOW_MS)
            .unwrap();
    }
}

#[test]
fn guesses_that_were_under_way_together_are_paid_back() {
    let guard = guard();
    let email = "victim@example.com";
    for number in 0..34 {
        guard.wrong_password(IpAddr::from([198, 51, 100, number]), email, NOW_MS);
    }
    let error = guard
        .may_try_password(address("203.0.113.1"), email, NOW_MS)
        .unwrap_err();
    assert_eq!(error.retry_after_s(), Some(30 * 12));
}
