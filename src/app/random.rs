//! Randomness and what is made of it: keys, nonces, UUIDs, ids.
//!
//! Everything that needs chance gets it from here, so that the demo database and
//! the tests can be built again byte by byte.

use std::fmt;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::domain::id::RawId;

/// Gives random bytes: the system's, or a stream that a seed repeats.
///
/// Clones of a seeded one share its stream, so no two of them give the same
/// bytes. The order among threads is not fixed; whoever needs the same database
/// twice builds it on one thread.
#[derive(Clone)]
pub struct Random {
    /// The stream of a seed; the system's randomness where it is missing.
    seeded: Option<Arc<Mutex<SeededStream>>>,
}

impl Random {
    /// Returns the system's randomness, fit for keys.
    pub fn system() -> Self {
        Self { seeded: None }
    }

    /// Returns the stream of `seed`: the same bytes each time, secret to nobody.
    ///
    /// It is SHA-256 over the seed and a counter. It builds the demo and tests.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seeded: Some(Arc::new(Mutex::new(SeededStream::new(seed)))),
        }
    }

    /// Fills `out` with random bytes.
    pub fn fill(&self, out: &mut [u8]) {
        if let Some(stream) = &self.seeded {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            stream.fill(out);
            return;
        }
        // A key made of anything else would be worse than no answer, and a caller
        // could do nothing better than stop.
        getrandom::fill(out).expect("the kernel's random source does not fail once it is ready");
    }

    /// Returns `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Returns a random UUID (version 4) in lower case, the form of an API key
    /// (`v1.md 1.2`): 122 bits of chance.
    pub fn uuid_v4(&self) -> String {
        let mut bytes = self.bytes::<16>();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            write!(text, "{byte:02x}").expect("a String takes what is written");
        }
        text
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.seeded {
            Some(_) => "Random(seeded)",
            None => "Random(system)",
        })
    }
}

/// SHA-256 in counter mode over a seed.
struct SeededStream {
    seed: u64,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl SeededStream {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: 0,
            block: [0; 32],
            used: 32,
        }
    }

    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            if self.used == self.block.len() {
                let mut hash = Sha256::new();
                hash.update(b"elastane seeded stream");
                hash.update(self.seed.to_be_bytes());
                hash.update(self.counter.to_be_bytes());
                self.block = hash.finalize().into();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

/// The bits of an id's counter: three bytes, as in an `ObjectId`.
const COUNTER_BITS: u32 = 24;

/// Makes ids: the seconds, five random bytes of this maker, a counter of three bytes.
///
/// Ids of one maker strictly increase, whatever happens. Seconds and counter are
/// one number of 56 bits, and each id takes at least the number after the last
/// one: a counter that wraps carries into the seconds, so the id is a second early
/// rather than smaller than the one before it; a clock that is set back is not
/// followed until it passes the last id again. Makers of two processes differ in
/// the five bytes, and their ids of one second have no order among them.
#[derive(Clone, Debug)]
pub struct IdMaker {
    clock: Clock,
    maker: [u8; 5],
    last: Arc<AtomicU64>,
}

impl IdMaker {
    /// Makes a maker whose five bytes and first counter come from `random`.
    pub fn new(clock: Clock, random: &Random) -> Self {
        let [c0, c1, c2, maker @ ..] = random.bytes::<8>();
        let start = u64::from(u32::from_be_bytes([0, c0, c1, c2]));
        Self {
            clock,
            maker,
            last: Arc::new(AtomicU64::new(start)),
        }
    }

    /// Returns the next id, which no other call gets.
    pub fn next<T: From<RawId>>(&self) -> T {
        let now_s = seconds_of(self.clock.now_ms());
        let step = |last| Some(following(last, now_s));
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
            .expect("every number has a following one");
        let [_, s0, s1, s2, s3, counter @ ..] = following(last, now_s).to_be_bytes();
        let mut unique = [0; 8];
        unique[..5].copy_from_slice(&self.maker);
        unique[5..].copy_from_slice(&counter);
        T::from(RawId::from_parts(
            u32::from_be_bytes([s0, s1, s2, s3]),
            unique,
        ))
    }
}

/// Returns the number after `last`: in the second `now_s`, or later where `last` is.
fn following(last: u64, now_s: u32) -> u64 {
    let next = last + 1;
    let counter = next & ((1 << COUNTER_BITS) - 1);
    next.max(u64::from(now_s) << COUNTER_BITS | counter)
}

/// Returns the seconds of a time in milliseconds, held within what an id can say
/// (1970 to 2106).
fn seconds_of(now_ms: i64) -> u32 {
    u32::try_from(now_ms.max(0) / 1000).unwrap_or(u32::MAX)
}
