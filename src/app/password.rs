//! Passwords: the rules for new ones, and argon2id in bounded memory.
//!
//! Each argon2 run fills 19 MiB and takes a core for some 25 ms, so it is the one
//! costly thing that a stranger can ask for. Two threads with one block of memory
//! each do all of it; a short queue waits, and the rest is told to come back
//! (`reliability.md 3.1`: 41 MB under a flood, against 4 GB without this).

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use argon2::password_hash::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::app::random::Random;
use crate::domain::error::{Error, FieldError, Result};

/// Argon2 reads a password once, so this only has to be more than anybody types;
/// it keeps a body full of password from being hashed.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Two: as many as `v1.md 1.2` allows, and as the smallest machine has cores.
const HASHER_THREADS: usize = 2;

/// At 25 ms a run and two at a time the last one waits 0.4 s, which a person bears.
const QUEUE_LENGTH: usize = 32;

/// The queue empties in less, and `Retry-After` knows nothing shorter.
const RETRY_AFTER_S: u32 = 1;

/// Argon2 keeps a few blocks of 1 KiB on the stack.
const HASHER_STACK_BYTES: usize = 512 * 1024;

/// The bytes of a salt, as RFC 9106 recommends.
const SALT_BYTES: usize = 16;

/// The bytes of a hash, as RFC 9106 recommends.
const HASH_BYTES: usize = 32;

/// The largest memory that a stored hash may ask for, in KiB: OWASP's largest
/// choice. A hostile database file could otherwise ask for 4 TiB.
const MAX_MEMORY_KIB: u32 = 47_104;

/// The most passes that a stored hash may ask for: OWASP's largest choice.
const MAX_PASSES: u32 = 5;

/// The most lanes that a stored hash may ask for: what RFC 9106 names.
const MAX_LANES: u32 = 4;

/// The lengths of hash that a stored one may have, in bytes.
const STORED_HASH_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// A text that must not be seen: wiped when dropped, `***` when printed.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Wraps `text`; the caller wipes what else it has of it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text itself, for hashing or sealing it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a new password has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The least number of characters.
    pub min_chars: usize,
    /// Whether a letter, a digit and a symbol must all be there.
    pub mixed: bool,
}

impl PasswordPolicy {
    /// Six characters of any kind, since v1 documents such a sample (`v1.md 2.1`).
    pub const DEFAULT: Self = Self {
        min_chars: 6,
        mixed: false,
    };

    /// What the newest v2 documents ask for (`v1.md 5 #19`).
    pub const STRICT: Self = Self {
        min_chars: 8,
        mixed: true,
    };

    /// Checks a new password, and names `field` in the error with every broken rule.
    pub fn check(&self, field: &str, password: &SecretText) -> Result<()> {
        let text = password.expose();
        let mut faults = Vec::new();
        if text.len() > MAX_PASSWORD_BYTES {
            faults.push(format!("must be at most {MAX_PASSWORD_BYTES} bytes long"));
        }
        if text.contains('\0') {
            faults.push("must not hold a NUL character".to_owned());
        }
        if text.chars().count() < self.min_chars {
            faults.push(format!("must have at least {} characters", self.min_chars));
        }
        let symbol = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control();
        let has_all = text.chars().any(char::is_alphabetic)
            && text.chars().any(char::is_numeric)
            && text.chars().any(symbol);
        if self.mixed && !has_all {
            faults.push("must have a letter, a digit and a symbol".to_owned());
        }
        if faults.is_empty() {
            return Ok(());
        }
        let field_error = |message| FieldError {
            field: field.to_owned(),
            message,
        };
        Err(Error::invalid_fields(
            faults.into_iter().map(field_error).collect(),
        ))
    }
}

/// What one run of argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// The memory, in KiB.
    pub memory_kib: u32,
    /// How often the memory is gone through.
    pub passes: u32,
    /// The lanes; this implementation works through them one after the other.
    pub lanes: u32,
}

impl HashCost {
    /// OWASP's first choice of small memory: 19 MiB, two passes, one lane.
    pub const DEFAULT: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// Returns argon2's parameters, or an error where it refuses them or we do.
    fn params(self, hash_bytes: usize) -> Result<Params> {
        let HashCost {
            memory_kib,
            passes,
            lanes,
        } = self;
        if memory_kib > MAX_MEMORY_KIB || passes > MAX_PASSES || lanes > MAX_LANES {
            return Err(Error::internal(format!(
                "a password hash asks for m={memory_kib},t={passes},p={lanes}; at most \
                 m={MAX_MEMORY_KIB},t={MAX_PASSES},p={MAX_LANES} is served"
            )));
        }
        Params::new(memory_kib, passes, lanes, Some(hash_bytes))
            .map_err(|error| Error::internal(format!("argon2 refuses the parameters: {error}")))
    }
}

/// A stored hash, taken apart and found to be within bounds.
struct StoredHash {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl StoredHash {
    /// Reads a PHC string of argon2id, version 19.
    fn parse(phc: &str) -> Result<Self> {
        let broken = |what: &str| Error::internal(format!("a stored password hash {what}"));
        let parsed = PasswordHash::new(phc).map_err(|_| broken("is not a PHC string"))?;
        if parsed.algorithm != argon2::ARGON2ID_IDENT || parsed.version != Some(19) {
            return Err(broken("is not of argon2id, version 19"));
        }
        let number = |name| {
            parsed
                .params
                .get_decimal(name)
                .ok_or_else(|| broken("lacks m, t or p"))
        };
        let cost = HashCost {
            memory_kib: number("m")?,
            passes: number("t")?,
            lanes: number("p")?,
        };
        let (Some(salt), Some(hash)) = (parsed.salt, parsed.hash) else {
            return Err(broken("lacks its salt or its hash"));
        };
        let hash = hash.as_bytes().to_vec();
        if !STORED_HASH_BYTES.contains(&hash.len()) {
            return Err(broken("is too short or too long"));
        }
        let salt = STANDARD_NO_PAD
            .decode(salt.as_str())
            .map_err(|_| broken("has a salt that is not base64"))?;
        if salt.len() < argon2::MIN_SALT_LEN {
            return Err(broken("has a salt that is too short"));
        }
        let params = cost.params(hash.len())?;
        Ok(Self { params, salt, hash })
    }
}

/// One run of argon2, on its way to a hasher.
struct Job {
    params: Params,
    password: SecretText,
    salt: Vec<u8>,
    reply: Sender<Result<Zeroizing<Vec<u8>>>>,
}

/// Hashes and verifies passwords on two threads of its own.
///
/// The threads end when it is dropped, after what is queued.
pub struct PasswordHasher {
    cost: HashCost,
    random: Random,
    queue: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl PasswordHasher {
    /// Starts the threads; new hashes cost `cost` and have salts from `random`.
    ///
    /// The memory is taken at a thread's first run and kept.
    pub fn start(cost: HashCost, random: Random) -> Result<Self> {
        let blocks = cost.params(HASH_BYTES)?.block_count();
        let (queue, jobs) = bounded::<Job>(QUEUE_LENGTH);
        let mut threads = Vec::with_capacity(HASHER_THREADS);
        for number in 1..=HASHER_THREADS {
            let jobs = jobs.clone();
            let body = move || run_jobs(&jobs, blocks);
            let started =
                crate::thread::spawn(&format!("hash-{number}"), Some(HASHER_STACK_BYTES), body);
            threads.push(started.map_err(|error| {
                Error::unavailable("no thread is left to hash passwords", RETRY_AFTER_S)
                    .caused_by(error)
            })?);
        }
        Ok(Self {
            cost,
            random,
            queue: Some(queue),
            threads,
        })
    }

    /// Returns the PHC string of a new password, which its policy has accepted.
    ///
    /// Answers `TooMany` where the queue is full, as [`PasswordHasher::verify`] does.
    pub fn hash(&self, password: &SecretText) -> Result<String> {
        let salt = self.random.bytes::<SALT_BYTES>();
        let hash = self.run(self.cost.params(HASH_BYTES)?, password, &salt)?;
        let HashCost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        Ok(format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash.as_slice())
        ))
    }

    /// Tells whether `password` is the one behind the PHC string.
    ///
    /// Without one it costs the same time and answers no, so a stranger can't tell
    /// an unknown user from a wrong password; nor can one by sending more bytes
    /// than a password has. A string that is broken or asks for more than we serve
    /// is [`Kind::Internal`](crate::domain::error::Kind::Internal): the database
    /// was damaged.
    pub fn verify(&self, password: &SecretText, phc: Option<&str>) -> Result<bool> {
        let possible = password.expose().len() <= MAX_PASSWORD_BYTES;
        let Some(phc) = phc.filter(|_| possible) else {
            self.run(self.cost.params(HASH_BYTES)?, password, &[0; SALT_BYTES])?;
            return Ok(false);
        };
        let stored = StoredHash::parse(phc)?;
        let hash = self.run(stored.params, password, &stored.salt)?;
        Ok(hash.as_slice().ct_eq(&stored.hash).into())
    }

    /// Tells whether the PHC string is weaker than a new one would be; then the
    /// next verified sign-in hashes the password anew.
    pub fn needs_rehash(&self, phc: &str) -> bool {
        StoredHash::parse(phc).map_or(true, |stored| {
            stored.params.m_cost() < self.cost.memory_kib
                || stored.params.t_cost() < self.cost.passes
                || stored.hash.len() < HASH_BYTES
        })
    }

    /// Has a thread run argon2, and waits for it.
    fn run(
        &self,
        params: Params,
        password: &SecretText,
        salt: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let (reply, answer) = bounded(1);
        let job = Job {
            params,
            password: password.clone(),
            salt: salt.to_vec(),
            reply,
        };
        let queue = self
            .queue
            .as_ref()
            .expect("the queue is there until the drop");
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => {
                Error::too_many("too many sign-ins at once; try again", RETRY_AFTER_S)
            }
            TrySendError::Disconnected(_) => Error::internal("the hasher threads have ended"),
        })?;
        answer
            .recv()
            .unwrap_or_else(|_| Err(Error::internal("a hasher thread dropped its job")))
    }
}

impl Drop for PasswordHasher {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // A panic inside was caught and logged where the thread was started.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

/// Runs jobs until the queue is closed, all in one block of memory.
///
/// A block a run would be given back to the allocator and kept by it, one for each
/// thread that ever hashed.
fn run_jobs(jobs: &Receiver<Job>, blocks: usize) {
    let mut memory = Vec::new();
    for job in jobs {
        if memory.is_empty() {
            memory = vec![Block::new(); blocks];
        }
        // One panic must not leave half of the hashers for ever.
        let done = catch_unwind(AssertUnwindSafe(|| run_job(&job, &mut memory)));
        let result = done.unwrap_or_else(|_| Err(Error::internal("argon2 panicked")));
        // Whoever asked may have given up.
        let _ = job.reply.send(result);
    }
}

/// Runs one job, in `memory` or, where the stored hash asks for more, in its own.
fn run_job(job: &Job, memory: &mut [Block]) -> Result<Zeroizing<Vec<u8>>> {
    let mut larger = Vec::new();
    let mut memory = memory;
    if job.params.block_count() > memory.len() {
        larger.resize(job.params.block_count(), Block::new());
        memory = &mut larger;
    }
    let length = job.params.output_len().unwrap_or(HASH_BYTES);
    let mut hash = Zeroizing::new(vec![0; length]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, job.params.clone())
        .hash_password_into_with_memory(
            job.password.expose().as_bytes(),
            &job.salt,
            &mut hash,
            memory,
        )
        .map_err(|error| Error::internal(format!("argon2 failed: {error}")))?;
    Ok(hash)
}
