//! Remembers for five minutes that a password was right.
//!
//! Basic credentials come with every request, and argon2 would then cap the API at
//! some 75 requests a second. The memory holds no password and nothing that helps
//! to find one without the key, which this process made and never writes down.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::app::password::SecretText;
use crate::app::random::Random;
use crate::domain::id::UserId;

/// How long a password is remembered (`v1.md 1.2`, rule 6).
pub const REMEMBERED_MS: i64 = 5 * 60 * 1000;

/// More users than one machine has active within five minutes; about 2 MB.
pub const MAX_REMEMBERED: usize = 10_000;

/// The block of SHA-256, which HMAC pads its key to.
const SHA256_BLOCK_BYTES: usize = 64;

/// Returns HMAC-SHA-256 (RFC 2104) of the concatenated `parts`.
///
/// The two nested hashes matter: a single SHA-256 over key and message can be
/// extended by somebody who does not know the key.
pub fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = Zeroizing::new([with; SHA256_BLOCK_BYTES]);
        for (padded, byte) in block.iter_mut().zip(key) {
            *padded ^= byte;
        }
        block
    };
    let mut inner = Sha256::new_with_prefix(pad(0x36).as_slice());
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new_with_prefix(pad(0x5c).as_slice());
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// A password that was right, without the password.
struct Remembered {
    /// Keyed hash of user and password.
    password: [u8; 32],
    /// Keyed hash of the PHC string that the password was verified against.
    stored: [u8; 32],
    since_ms: i64,
    /// The entry's place in the order of remembering.
    order: u64,
}

/// The entries, by user and by age.
#[derive(Default)]
struct Entries {
    by_user: HashMap<UserId, Remembered>,
    by_age: BTreeMap<u64, UserId>,
    next_order: u64,
}

impl Entries {
    fn remove(&mut self, user: UserId) {
        if let Some(entry) = self.by_user.remove(&user) {
            self.by_age.remove(&entry.order);
        }
    }
}

/// The passwords that were right within the last five minutes, one a user.
pub struct SignInCache {
    key: Zeroizing<[u8; 32]>,
    max_entries: usize,
    entries: Mutex<Entries>,
}

impl SignInCache {
    /// Makes an empty memory of at most `max_entries` users, usually
    /// [`MAX_REMEMBERED`], with a key of its own from `random`.
    pub fn new(max_entries: usize, random: &Random) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut_slice());
        Self {
            key,
            max_entries: max_entries.max(1),
            entries: Mutex::default(),
        }
    }

    /// Remembers that `password` was verified against `phc` at `now_ms`.
    ///
    /// Where it is full, the oldest entry goes.
    pub fn remember(&self, user: UserId, password: &SecretText, phc: &str, now_ms: i64) {
        let (password, stored) = (self.password_hash(user, password), self.stored_hash(phc));
        let mut entries = self.entries();
        entries.remove(user);
        while entries.by_user.len() >= self.max_entries {
            let Some((_, oldest)) = entries.by_age.pop_first() else {
                break;
            };
            entries.by_user.remove(&oldest);
        }
        let order = entries.next_order;
        entries.next_order += 1;
        entries.by_age.insert(order, user);
        let entry = Remembered {
            password,
            stored,
            since_ms: now_ms,
            order,
        };
        entries.by_user.insert(user, entry);
    }

    /// Tells whether `password` was verified within the last five minutes against
    /// the very PHC string that the database holds now.
    ///
    /// So a password that was changed, here or by another process on the same
    /// file, is forgotten at once. A clock that was set back makes it say no.
    pub fn is_known(
        &self,
        user: UserId,
        password: &SecretText,
        current_phc: &str,
        now_ms: i64,
    ) -> bool {
        let (password, stored) = (
            self.password_hash(user, password),
            self.stored_hash(current_phc),
        );
        let mut entries = self.entries();
        let Some(entry) = entries.by_user.get(&user) else {
            return false;
        };
        let fresh = (0..REMEMBERED_MS).contains(&now_ms.saturating_sub(entry.since_ms));
        let same_stored: bool = entry.stored.ct_eq(&stored).into();
        if !fresh || !same_stored {
            entries.remove(user);
            return false;
        }
        entry.password.ct_eq(&password).into()
    }

    /// Forgets the user: the password was changed, or the user disabled or removed.
    pub fn forget(&self, user: UserId) {
        self.entries().remove(user);
    }

    /// Returns how many users are remembered, expired ones included.
    pub fn len(&self) -> usize {
        self.entries().by_user.len()
    }

    /// Tells whether nobody is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The user's id has a fixed length, so no two pairs give the same message.
    fn password_hash(&self, user: UserId, password: &SecretText) -> [u8; 32] {
        let user = user.to_string();
        hmac_sha256(
            &self.key,
            &[b"password", user.as_bytes(), password.expose().as_bytes()],
        )
    }

    fn stored_hash(&self, phc: &str) -> [u8; 32] {
        hmac_sha256(&self.key, &[b"stored", phc.as_bytes()])
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SignInCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInCache(***)")
    }
}
