//! Limits by rate: how often one address or account may ask, or fail to sign in.
//!
//! A bucket is one number, the time at which it will be full again (the generic
//! cell rate algorithm): each use moves it on by the time that one token takes.
//! The buckets are in memory and bounded; a restart forgives everybody.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::domain::error::{Error, Kind, Result};
use crate::domain::id::UserId;

/// A rate, the burst above it, and how many may be watched at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many tokens come back in a minute.
    pub per_minute: u32,
    /// How many tokens a full bucket holds.
    pub burst: u32,
    /// How many buckets are kept; see [`Limiter`] for what happens then.
    pub max_keys: usize,
}

/// Requests of one account: 50 a second, bursts of 200 (`reliability.md 3.1`). A
/// script in a tight loop on one connection passes; a runaway pool does not.
pub const REQUESTS_PER_ACCOUNT: Limit = Limit {
    per_minute: 50 * 60,
    burst: 200,
    max_keys: MAX_KEYS,
};

/// An address may be that of many accounts behind one proxy, so it has four times an
/// account's share.
pub const REQUESTS_PER_ADDRESS: Limit = Limit {
    per_minute: 4 * REQUESTS_PER_ACCOUNT.per_minute,
    burst: 4 * REQUESTS_PER_ACCOUNT.burst,
    max_keys: REQUESTS_PER_ACCOUNT.max_keys,
};

/// Failed sign-ins from one address: ten a minute leave room for an office behind
/// one address, and let a guesser try 14,400 passwords a day.
pub const FAILURES_PER_ADDRESS: Limit = Limit {
    per_minute: 10,
    burst: 10,
    max_keys: MAX_KEYS,
};

/// Wrong passwords for one account from everywhere: five a minute are more than
/// a person's typing errors, and bound a guesser who has many addresses.
pub const FAILURES_PER_ACCOUNT: Limit = Limit {
    per_minute: 5,
    burst: 5,
    max_keys: MAX_KEYS,
};

/// Far more than an honest installation sees within the minutes that a bucket
/// takes to fill; each limiter then takes at most about 6 MB.
const MAX_KEYS: usize = 65_536;

/// A bucket never owes more than this, so nobody is shut out for longer. It covers
/// the guesses that can be under way at once when the limit is reached: 34, which
/// at five a minute take seven minutes to pay back, so the mean rate still holds.
const MAX_DEBT_US: i64 = 10 * 60 * 1_000_000;

/// How often an attack that goes on is written down: six entries a minute tell of it.
const NOTE_EVERY_MS: i64 = 10_000;

/// Threads that meet at one mutex wait for it; 16 make that rare on any machine
/// that we serve on.
const SHARDS: usize = 16;

/// Whom a bucket belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// An IPv4 address.
    V4([u8; 4]),
    /// An IPv6 network of 64 bits: a customer gets a whole one to vary.
    V6Net([u8; 8]),
    /// A known user.
    User(UserId),
    /// An account as the caller names it, known or not.
    Name([u8; 16]),
}

impl Caller {
    /// Returns the bucket of an address; an IPv4 address inside IPv6 is IPv4.
    ///
    /// Loopback is an address like others: behind a proxy on the same machine
    /// everybody has it, unless the server is told to trust the proxy's header.
    pub fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => {
                let [net @ .., _, _, _, _, _, _, _, _] = v6.octets();
                Self::V6Net(net)
            }
        }
    }

    /// Returns the bucket of an e-mail as it was sent, ignoring case (`v1.md 1.2`).
    ///
    /// Unknown accounts have buckets like known ones, or a 429 would tell which
    /// is which. It is kept as half a SHA-256, so that its length costs nothing.
    pub fn name(email: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(email.trim().to_lowercase()).into();
        let [half @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash;
        Self::Name(half)
    }
}

/// Token buckets by caller, in bounded memory.
///
/// Where room is needed, the quarter of the buckets that are full again, or nearest
/// to it, goes: a flood of new addresses can buy itself a few tokens, but not forgive
/// those that owe most.
#[derive(Debug)]
pub struct Limiter {
    token_us: i64,
    burst_us: i64,
    max_keys_a_shard: usize,
    hasher: RandomState,
    /// By caller, the time in microseconds at which the bucket is full again.
    shards: [Mutex<HashMap<Caller, i64>>; SHARDS],
}

impl Limiter {
    /// Makes a limiter of full buckets.
    pub fn new(limit: Limit) -> Self {
        let token_us = 60_000_000 / i64::from(limit.per_minute.max(1));
        Self {
            token_us,
            burst_us: token_us.saturating_mul(i64::from(limit.burst.max(1))),
            max_keys_a_shard: (limit.max_keys / SHARDS).max(1),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Takes a token of `caller`, or tells in how many seconds there is one.
    pub fn check(&self, caller: Caller, now_ms: i64) -> Result<(), u32> {
        let at_us = micros(now_ms);
        let mut shard = self.shard(caller);
        let full_at = self.full_at(&shard, caller, at_us);
        self.room_at(full_at, at_us)?;
        self.keep(&mut shard, caller, full_at + self.token_us);
        Ok(())
    }

    /// Tells whether there is a token, or in how many seconds; takes none.
    pub fn peek(&self, caller: Caller, now_ms: i64) -> Result<(), u32> {
        let at_us = micros(now_ms);
        let shard = self.shard(caller);
        self.room_at(self.full_at(&shard, caller, at_us), at_us)
    }

    /// Takes a token even where there is none, and so makes a debt.
    pub fn spend(&self, caller: Caller, now_ms: i64) {
        let at_us = micros(now_ms);
        let mut shard = self.shard(caller);
        let full_at = self.full_at(&shard, caller, at_us) + self.token_us;
        self.keep(&mut shard, caller, full_at);
    }

    /// Returns how many buckets are kept.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Tells whether no bucket is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, caller: Caller) -> MutexGuard<'_, HashMap<Caller, i64>> {
        let hash = self.hasher.hash_one(caller).to_be_bytes();
        lock(&self.shards[usize::from(hash[0]) % SHARDS])
    }

    /// Returns when the bucket is full again: now, or later by what was used.
    ///
    /// A debt beyond the longest one comes from a clock that was set back.
    fn full_at(&self, shard: &HashMap<Caller, i64>, caller: Caller, now_us: i64) -> i64 {
        let longest = now_us.saturating_add(self.burst_us + MAX_DEBT_US);
        shard
            .get(&caller)
            .copied()
            .unwrap_or(now_us)
            .clamp(now_us, longest)
    }

    fn room_at(&self, full_at: i64, now_us: i64) -> Result<(), u32> {
        let missing_us = full_at + self.token_us - self.burst_us - now_us;
        if missing_us <= 0 {
            return Ok(());
        }
        let seconds = (missing_us + 999_999) / 1_000_000;
        Err(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    fn keep(&self, shard: &mut HashMap<Caller, i64>, caller: Caller, full_at: i64) {
        if shard.len() >= self.max_keys_a_shard && !shard.contains_key(&caller) {
            make_room(shard, self.max_keys_a_shard);
        }
        shard.insert(caller, full_at);
    }
}

/// Returns a time in the unit of the buckets: at 3,000 a minute a token takes 20 ms,
/// and other rates are no whole number of milliseconds.
fn micros(now_ms: i64) -> i64 {
    now_ms.saturating_mul(1000)
}

/// Drops the quarter of the buckets that are full or nearest to it.
///
/// A quarter at a time, so that a flood pays for the walk over all of them only
/// once for each quarter that it fills.
fn make_room(shard: &mut HashMap<Caller, i64>, max_keys: usize) {
    let kept = max_keys - max_keys.div_ceil(4);
    let mut times: Vec<(i64, Caller)> = shard
        .iter()
        .map(|(caller, full_at)| (*full_at, *caller))
        .collect();
    let dropped = times.len() - kept;
    times.select_nth_unstable_by_key(dropped - 1, |(full_at, _)| *full_at);
    for (_, caller) in &times[..dropped] {
        shard.remove(caller);
    }
}

/// Locks a shard; a panic elsewhere leaves it as good as it was.
fn lock(shard: &Mutex<HashMap<Caller, i64>>) -> MutexGuard<'_, HashMap<Caller, i64>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Slows down those who guess credentials, and nobody who has the right key.
///
/// The order in which a caller asks is what keeps it so:
///
/// 1. Look the key up by its hash. **A right key never meets this guard**: a key
///    has 122 bits, which nobody guesses, and a lookup costs under a microsecond.
///    So an attacker can't lock a user out, not even from the same address, which
///    is everybody's address behind a proxy.
/// 2. A wrong key and no password to try: [`SignInGuard::wrong_key`] counts it
///    against the address and says what to answer. The account is not charged.
/// 3. A password to try: the memory of right ones first
///    ([`SignInCache`](crate::app::sign_in_cache::SignInCache)), which is as cheap.
///    Then [`SignInGuard::may_try_password`], argon2, and if it was wrong
///    [`SignInGuard::wrong_password`].
///
/// What is left to an attacker: keeping an account's password, not its keys, from
/// starting a sign-in that is not remembered, for as long as the attack lasts.
#[derive(Debug)]
pub struct SignInGuard {
    by_address: Limiter,
    by_account: Limiter,
    noted_at_ms: AtomicI64,
}

impl SignInGuard {
    /// Makes a guard, usually of [`FAILURES_PER_ADDRESS`] and [`FAILURES_PER_ACCOUNT`].
    pub fn new(per_address: Limit, per_account: Limit) -> Self {
        Self {
            by_address: Limiter::new(per_address),
            by_account: Limiter::new(per_account),
            noted_at_ms: AtomicI64::new(0),
        }
    }

    /// Tells whether another refusal for too many failures is to be written down: one in
    /// [`NOTE_EVERY_MS`], so that an attack is seen and does not fill the log.
    pub fn may_note(&self, now_ms: i64) -> bool {
        let noted_at_ms = self.noted_at_ms.load(Ordering::SeqCst);
        let order = Ordering::SeqCst;
        now_ms - noted_at_ms >= NOTE_EVERY_MS
            && self
                .noted_at_ms
                .compare_exchange(noted_at_ms, now_ms, order, order)
                .is_ok()
    }

    /// Counts a wrong key against `address` and returns the error to answer with:
    /// unauthenticated, or too many once the address is over its limit.
    pub fn wrong_key(&self, address: IpAddr, now_ms: i64) -> Error {
        let address = Caller::address(address);
        // Not spent beyond the limit: a flood must not add up to a longer wait for
        // those who share the address.
        match self.by_address.check(address, now_ms) {
            Ok(()) => Error::new(Kind::Unauthenticated, "the credentials are not valid"),
            Err(wait_s) => too_many_failures(wait_s),
        }
    }

    /// Tells whether a password may be tried; answers `TooMany` with the wait where
    /// the address or the account, named by its e-mail, failed too often.
    pub fn may_try_password(&self, address: IpAddr, email: &str, now_ms: i64) -> Result<()> {
        let by_address = self.by_address.peek(Caller::address(address), now_ms);
        let by_account = self.by_account.peek(Caller::name(email), now_ms);
        match by_address.err().max(by_account.err()) {
            None => Ok(()),
            Some(wait_s) => Err(too_many_failures(wait_s)),
        }
    }

    /// Counts a wrong password, or a right e-mail's missing one, against both.
    ///
    /// Attempts that passed [`SignInGuard::may_try_password`] at the same time all
    /// count, beyond the limit as well, and are paid back with a longer wait.
    pub fn wrong_password(&self, address: IpAddr, email: &str, now_ms: i64) -> Error {
        self.by_address.spend(Caller::address(address), now_ms);
        self.by_account.spend(Caller::name(email), now_ms);
        Error::new(Kind::Unauthenticated, "the credentials are not valid")
    }
}

/// Makes the error of a limit; it is the same for known and unknown accounts.
fn too_many_failures(wait_s: u32) -> Error {
    let told = format!("too many failed sign-ins; try again in {wait_s} s");
    Error::too_many(told, wait_s)
}
