//! The memory of right passwords: five minutes, and not a moment past a change.

use elastane::app::password::SecretText;
use elastane::app::random::{IdMaker, Random};
use elastane::app::sign_in_cache::{MAX_REMEMBERED, REMEMBERED_MS, SignInCache, hmac_sha256};
use elastane::clock::Clock;
use elastane::domain::id::UserId;

const PHC: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA";
const NOW_MS: i64 = 1_700_000_000_000;

fn users() -> impl FnMut() -> UserId {
    let ids = IdMaker::new(Clock::fixed(NOW_MS), &Random::seeded(5));
    move || ids.next()
}

fn cache() -> SignInCache {
    SignInCache::new(MAX_REMEMBERED, &Random::system())
}

/// Reads a hash of 64 hex digits.
fn hash(hex: &str) -> [u8; 32] {
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

#[test]
fn the_keyed_hash_is_hmac_as_its_rfc_says() {
    // RFC 4231, cases 1 and 2; HMAC pads a short key with zeros.
    let mut key = [0; 32];
    key[..20].fill(0x0b);
    assert_eq!(
        hmac_sha256(&key, &[b"Hi ", b"There"]),
        hash("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    );
    let mut key = [0; 32];
    key[..4].copy_from_slice(b"Jefe");
    assert_eq!(
        hmac_sha256(&key, &[b"what do ya want for nothing?"]),
        hash("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    );
}

#[test]
fn a_right_password_is_known_for_five_minutes() {
    let (cache, user, password) = (cache(), users()(), SecretText::new("right"));
    assert!(!cache.is_known(user, &password, PHC, NOW_MS));
    cache.remember(user, &password, PHC, NOW_MS);
    assert!(cache.is_known(user, &password, PHC, NOW_MS));
    assert!(cache.is_known(user, &password, PHC, NOW_MS + REMEMBERED_MS - 1));
    assert!(!cache.is_known(user, &password, PHC, NOW_MS + REMEMBERED_MS));
    assert!(cache.is_empty());
}

#[test]
fn another_password_or_another_user_is_not_known_and_forgets_nothing() {
    let cache = cache();
    let mut next_user = users();
    let (user, other) = (next_user(), next_user());
    let password = SecretText::new("right");
    cache.remember(user, &password, PHC, NOW_MS);
    assert!(!cache.is_known(user, &SecretText::new("wrong"), PHC, NOW_MS));
    assert!(!cache.is_known(user, &SecretText::new(""), PHC, NOW_MS));
    assert!(!cache.is_known(other, &password, PHC, NOW_MS));
    assert!(cache.is_known(user, &password, PHC, NOW_MS));
}

#[test]
fn a_changed_password_is_forgotten_at_once() {
    let (cache, user, password) = (cache(), users()(), SecretText::new("right"));
    cache.remember(user, &password, PHC, NOW_MS);
    assert!(!cache.is_known(user, &password, "$argon2id$another", NOW_MS));
    // And it stays so, even if the old string came back.
    assert!(!cache.is_known(user, &password, PHC, NOW_MS));
}

#[test]
fn forgetting_forgets() {
    let (cache, user, password) = (cache(), users()(), SecretText::new("right"));
    cache.remember(user, &password, PHC, NOW_MS);
    cache.forget(user);
    assert!(!cache.is_known(user, &password, PHC, NOW_MS));
}

#[test]
fn a_clock_that_is_set_back_does_not_make_it_remember_longer() {
    let (cache, user, password) = (cache(), users()(), SecretText::new("right"));
    cache.remember(user, &password, PHC, NOW_MS);
    assert!(!cache.is_known(user, &password, PHC, NOW_MS - 1));
}

#[test]
fn the_oldest_goes_when_it_is_full() {
    let cache = SignInCache::new(3, &Random::system());
    let mut next_user = users();
    let password = SecretText::new("right");
    let four: Vec<UserId> = (0..4).map(|_| next_user()).collect();
    for user in [four[0], four[1], four[0], four[2], four[3]] {
        cache.remember(user, &password, PHC, NOW_MS);
        assert!(cache.len() <= 3);
    }
    let known: Vec<bool> = four
        .iter()
        .map(|user| cache.is_known(*user, &password, PHC, NOW_MS))
        .collect();
    assert_eq!(known, [true, false, true, true]);
}

#[test]
fn nothing_prints_the_key_of_the_memory() {
    assert_eq!(format!("{:?}", cache()), "SignInCache(***)");
}
