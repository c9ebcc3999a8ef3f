//! Passwords: the rules, the hashes, and a flood of sign-ins.

use std::fs;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use elastane::app::password::{
    HashCost, MAX_PASSWORD_BYTES, PasswordHasher, PasswordPolicy, SecretText,
};
use elastane::app::random::Random;
use elastane::domain::error::Kind;

/// As cheap as argon2 goes, for what is not about the cost.
const CHEAP: HashCost = HashCost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

fn secret(text: &str) -> SecretText {
    SecretText::new(text)
}

fn hasher(cost: HashCost) -> PasswordHasher {
    PasswordHasher::start(cost, Random::system()).unwrap()
}

#[test]
fn a_password_verifies_against_its_own_hash_and_no_other() {
    let hasher = hasher(CHEAP);
    let phc = hasher.hash(&secret("secret")).unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{phc}");
    assert!(hasher.verify(&secret("secret"), Some(&phc)).unwrap());
    for wrong in ["", "Secret", "secret ", "secre", "\0"] {
        assert!(
            !hasher.verify(&secret(wrong), Some(&phc)).unwrap(),
            "{wrong:?}"
        );
    }
    assert_ne!(
        phc,
        hasher.hash(&secret("secret")).unwrap(),
        "a salt was used twice"
    );
}

#[test]
fn the_default_cost_is_what_owasp_names() {
    let hasher = hasher(HashCost::DEFAULT);
    let phc = hasher.hash(&secret("secret")).unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    assert!(hasher.verify(&secret("secret"), Some(&phc)).unwrap());
    assert!(!hasher.needs_rehash(&phc));
}

#[test]
fn a_hash_made_by_the_reference_implementation_verifies() {
    // From the test suite of the reference implementation: `password`, `somesalt`,
    // -t 2 -m 8 -p 1.
    let phc =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    assert!(
        hasher(CHEAP)
            .verify(&secret("password"), Some(phc))
            .unwrap()
    );
}

#[test]
fn nobodys_password_is_never_right() {
    let hasher = hasher(CHEAP);
    assert!(!hasher.verify(&secret("secret"), None).unwrap());
    let too_long = "x".repeat(MAX_PASSWORD_BYTES + 1);
    let phc = hasher.hash(&secret(&too_long)).unwrap();
    assert!(!hasher.verify(&secret(&too_long), Some(&phc)).unwrap());
}

#[test]
fn a_stored_hash_that_is_broken_or_absurd_is_refused_before_it_costs_anything() {
    let hasher = hasher(CHEAP);
    let tail = "c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let cases = [
        String::new(),
        "plain".to_owned(),
        "$argon2id$".to_owned(),
        format!("$argon2i$v=19$m=256,t=2,p=1${tail}"),
        format!("$argon2id$v=16$m=256,t=2,p=1${tail}"),
        format!("$argon2id$m=256,t=2,p=1${tail}"),
        format!("$argon2id$v=19$m=4294967295,t=2,p=1${tail}"),
        format!("$argon2id$v=19$m=47105,t=2,p=1${tail}"),
        format!("$argon2id$v=19$m=256,t=4294967295,p=1${tail}"),
        format!("$argon2id$v=19$m=256,t=6,p=1${tail}"),
        format!("$argon2id$v=19$m=256,t=2,p=5${tail}"),
        format!("$argon2id$v=19$m=256,t=2,p=0${tail}"),
        format!("$argon2id$v=19$m=256,t=0,p=1${tail}"),
        format!("$argon2id$v=19$m=7,t=2,p=1${tail}"),
        format!("$argon2id$v=19$m=256,t=2${tail}"),
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ".to_owned(),
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAA".to_owned(),
        "$argon2id$v=19$m=256,t=2,p=1$c2Fs$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".to_owned(),
    ];
    for phc in cases {
        let error = hasher.verify(&secret("password"), Some(&phc)).unwrap_err();
        assert_eq!(error.kind(), Kind::Internal, "{phc}");
        assert!(hasher.needs_rehash(&phc), "{phc}");
    }
    let largest = format!("$argon2id$v=19$m=47104,t=1,p=1${tail}");
    assert!(!hasher.verify(&secret("password"), Some(&largest)).unwrap());
    assert!(
        hasher.verify(&secret("a"), None).is_ok(),
        "the hashers still work"
    );
}

#[test]
fn a_weaker_hash_asks_for_a_new_one_and_a_stronger_one_does_not() {
    let stronger = HashCost {
        memory_kib: 128,
        passes: 2,
        lanes: 1,
    };
    let (weak, strong) = (hasher(CHEAP), hasher(stronger));
    let (of_weak, of_strong) = (
        weak.hash(&secret("a")).unwrap(),
        strong.hash(&secret("a")).unwrap(),
    );
    assert!(strong.needs_rehash(&of_weak));
    assert!(!strong.needs_rehash(&of_strong));
    assert!(!weak.needs_rehash(&of_strong));
    assert!(strong.verify(&secret("a"), Some(&of_weak)).unwrap());
    assert!(weak.verify(&secret("a"), Some(&of_strong)).unwrap());
}

#[test]
fn the_default_policy_takes_six_characters_of_any_kind() {
    let policy = PasswordPolicy::DEFAULT;
    for good in ["secret", "пароль", "      ", &"x".repeat(1024)] {
        policy.check("password", &secret(good)).unwrap();
    }
    let long = "x".repeat(1025);
    for (bad, told) in [
        ("", "at least 6"),
        ("short", "at least 6"),
        ("ééééé", "at least 6"),
        (long.as_str(), "at most 1024 bytes"),
        ("sec\0ret", "NUL"),
    ] {
        let error = policy.check("password", &secret(bad)).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        assert_eq!(error.fields()[0].field, "password");
        assert!(error.message().contains(told), "{bad:?}: {error}");
    }
}

#[test]
fn the_strict_policy_wants_a_letter_a_digit_and_a_symbol_and_names_every_fault() {
    let policy = PasswordPolicy::STRICT;
    policy.check("password", &secret("abc-1234")).unwrap();
    for bad in ["abcd1234", "abcd-----", "1234-5678", "abc 12345"] {
        let error = policy.check("password", &secret(bad)).unwrap_err();
        assert!(
            error.message().contains("a letter, a digit and a symbol"),
            "{bad}"
        );
    }
    assert_eq!(
        policy
            .check("password", &secret("abc"))
            .unwrap_err()
            .fields()
            .len(),
        2
    );
}

#[test]
fn a_secret_text_prints_as_stars() {
    assert_eq!(format!("{:?}", secret("hunter2")), "***");
}

/// Returns a figure of this process's memory in KiB.
fn memory_kib(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Signs 64 users in at the same moment; returns how many were answered and how
/// many were told to come back.
fn flood(hasher: &PasswordHasher, phc: &str) -> (usize, usize) {
    let (answered, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let gate = Barrier::new(64);
    std::thread::scope(|scope| {
        for number in 0..64 {
            let (gate, answered, refused) = (&gate, &answered, &refused);
            scope.spawn(move || {
                let stored = (number % 2 == 0).then_some(phc);
                gate.wait();
                match hasher.verify(&secret("secret"), stored) {
                    Ok(right) => {
                        assert_eq!(right, stored.is_some());
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), Kind::TooMany);
                        assert_eq!(error.retry_after_s(), Some(1));
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    (answered.into_inner(), refused.into_inner())
}

#[test]
#[ignore = "runs in a process of its own, started by the test below"]
fn flood_of_sign_ins_measured_alone() {
    let before_kib = memory_kib("VmRSS");
    let hasher = hasher(HashCost::DEFAULT);
    let phc = hasher.hash(&secret("secret")).unwrap();
    let mut refused_in_all = 0;
    // A machine may be slow to start 64 threads, so that one round overflows
    // nothing; twenty such rounds are a fault.
    for round in 1..=20 {
        let (answered, refused) = flood(&hasher, &phc);
        assert_eq!(answered + refused, 64);
        assert!(
            answered >= 32,
            "the queue holds 32, only {answered} were answered"
        );
        refused_in_all += refused;
        if round >= 3 && refused_in_all > 0 {
            break;
        }
    }
    assert!(refused_in_all > 0, "nobody was told to come back");
    let peak_kib = memory_kib("VmHWM");
    let grown_kib = peak_kib - before_kib;
    println!("memory grew by {grown_kib} KiB, {refused_in_all} refused");
    assert!(grown_kib < 64 * 1024, "{grown_kib} KiB");
}

#[test]
fn a_flood_of_sign_ins_takes_less_than_64_mb_and_the_overflow_is_told_to_come_back() {
    // The memory of a process is measurable only where no other test shares it.
    let name = "security::password::flood_of_sign_ins_measured_alone";
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", name, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("1 passed"), "{told}");
}
