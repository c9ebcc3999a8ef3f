//! The vault: seals secrets for the database and opens them again.
//!
//! A sealed value is bound to its place. A row of the database that is changed, or
//! copied onto another id to read it through somebody else's object, does not open.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::app::key_file::KeyRing;
use crate::app::random::Random;
use crate::domain::error::{Error, Kind, Result};

/// The bytes of a nonce. 24 random ones may be drawn for ever without a repetition.
const NONCE_BYTES: usize = 24;

/// As much as a request's body (`v1.md 1.3`), out of which every secret comes.
pub const MAX_PLAIN_BYTES: usize = 1024 * 1024;

/// What the check value says; any constant would do.
const CHECK_TEXT: &[u8] = b"elastane key check";

/// Where the check value is.
const CHECK_PLACE: Place<'static> = Place {
    table: "meta",
    row: "key_check",
    field: "value",
};

/// The place of a sealed value in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The row's id, as text.
    pub row: &'a str,
    /// The column's name, and what is below it where a column holds several values.
    pub field: &'a str,
}

/// A sealed value, as the database keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The version of the key that sealed it.
    pub key_version: i64,
    /// The nonce of 24 bytes, then the ciphertext with its tag.
    pub blob: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Sealed(v{}, {} bytes)",
            self.key_version,
            self.blob.len()
        )
    }
}

/// Seals and opens with the keys of one database; wipes them when dropped.
pub struct Vault {
    keys: KeyRing,
    random: Random,
}

impl Vault {
    /// Makes a vault over `keys`, with nonces from `random`.
    pub fn new(keys: KeyRing, random: Random) -> Self {
        Self { keys, random }
    }

    /// Returns the version of the key that seals; rows of older ones may be sealed anew.
    pub fn key_version(&self) -> i64 {
        self.keys.newest().0
    }

    /// Seals `plain`, at most [`MAX_PLAIN_BYTES`] long, for `place` and for no other.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Sealed> {
        if plain.len() > MAX_PLAIN_BYTES {
            let told = format!("{} is longer than {MAX_PLAIN_BYTES} bytes", place.field);
            return Err(Error::new(Kind::TooLarge, told));
        }
        let (key_version, key) = self.keys.newest();
        let nonce = self.random.bytes::<NONCE_BYTES>();
        let aad = bound_to(place, key_version);
        let payload = Payload {
            msg: plain,
            aad: &aad,
        };
        let ciphertext = XChaCha20Poly1305::new(key.into())
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| Error::internal("sealing failed"))?;
        let blob = [nonce.as_slice(), &ciphertext].concat();
        Ok(Sealed { key_version, blob })
    }

    /// Opens what was sealed for `place`.
    ///
    /// The error is [`Kind::Internal`], since it means a damaged or forged row or a
    /// key file with a line missing; its source, for the log, says which.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
        let version = sealed.key_version;
        let place_name = format!("{}/{}/{}", place.table, place.row, place.field);
        let key = self.keys.get(version).ok_or_else(|| {
            Error::internal(format!(
                "{place_name} is sealed with key v{version}, which the key file lacks; put that line back"
            ))
        })?;
        let does_not_open = || {
            Error::internal(format!(
                "{place_name} does not open with key v{version}: it was changed, moved from another row, or sealed with another key"
            ))
        };
        let (nonce, ciphertext) = sealed
            .blob
            .split_at_checked(NONCE_BYTES)
            .ok_or_else(does_not_open)?;
        let aad = bound_to(place, version);
        let payload = Payload {
            msg: ciphertext,
            aad: &aad,
        };
        XChaCha20Poly1305::new(key.into())
            .decrypt(XNonce::from_slice(nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| does_not_open())
    }

    /// Returns the value that a new database keeps, to know its key file again.
    pub fn check_value(&self) -> Result<Sealed> {
        self.seal(&CHECK_PLACE, CHECK_TEXT)
    }

    /// Checks the database's check value: fails where the key file is another's.
    ///
    /// Run at start, so that a wrong key stops the server instead of every flow.
    pub fn verify_check(&self, check: &Sealed) -> Result<()> {
        if self.keys.get(check.key_version).is_none() {
            let told = format!(
                "has no key v{}, which this database needs; put that line of the old key file back",
                check.key_version
            );
            return Err(Error::invalid("key_file", told));
        }
        match self.open(&CHECK_PLACE, check) {
            Ok(text) if text.as_slice() == CHECK_TEXT => Ok(()),
            _ => Err(Error::invalid(
                "key_file",
                "does not belong to this database; put the key file that was made with it back, or check both paths",
            )),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(***)")
    }
}

/// Returns the bytes that bind a value to its place and key.
///
/// Each part has its length ahead of it, so no two places give the same bytes,
/// whatever a field's name holds.
fn bound_to(place: &Place<'_>, key_version: i64) -> Vec<u8> {
    let mut bytes = b"elastane|".to_vec();
    for part in [place.table, place.row, place.field] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(&key_version.to_be_bytes());
    bytes
}
