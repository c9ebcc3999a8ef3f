//! The key file: what opens the secrets of a database, and stands outside of it.
//!
//! It is text, so that a person can copy it by hand and see what it is:
//!
//! ```text
//! elastane-key-file 1
//! # Keep a copy of this file apart from the database's backups.
//! v1 <32 bytes in base64>
//! ```
//!
//! Each key has a version. The newest one seals, all of them open, so a key can
//! be changed without touching every row at once.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::app::random::Random;
use crate::domain::error::{Error, Kind, Result};

/// The name of the key file, which stands beside the database.
pub const KEY_FILE_NAME: &str = "elastane.key";

/// The bytes of a key, as XChaCha20-Poly1305 wants it.
pub const KEY_BYTES: usize = 32;

/// The first line: says what the file is and the version of its form.
const HEADER: &str = "elastane-key-file 1";

/// The mode of a new key file: its owner reads and writes it, nobody else.
const KEY_FILE_MODE: u32 = 0o600;

/// The bits of a mode that let the group or others in.
const MODE_OF_OTHERS: u32 = 0o077;

/// A key takes 50 bytes, so this holds a key a week for six years; it keeps a
/// wrong path from being read whole.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// The name that errors use: it is the name of the setting.
const FIELD: &str = "key_file";

/// One key. The box keeps its place in memory, so that no copy is left behind.
type Key = Box<Zeroizing<[u8; KEY_BYTES]>>;

/// The keys of a database by version; wiped from memory when dropped.
pub struct KeyRing {
    keys: BTreeMap<i64, Key>,
}

impl KeyRing {
    /// Makes a ring of one new key, of version 1.
    pub fn generate(random: &Random) -> Self {
        let mut key = Box::new(Zeroizing::new([0; KEY_BYTES]));
        random.fill(key.as_mut_slice());
        Self {
            keys: BTreeMap::from([(1, key)]),
        }
    }

    /// Reads the text of a key file; the error names the line, never its content.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines().map(str::trim_end).enumerate();
        if lines.next().is_none_or(|(_, line)| line != HEADER) {
            return Err(Error::invalid(
                FIELD,
                format!(
                    "does not begin with the line `{HEADER}`: it is another file, or damaged; put the copy of the key file back"
                ),
            ));
        }
        let mut keys = BTreeMap::new();
        for (at, line) in lines {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (version, key) = parse_line(line).map_err(|fault| broken_line(at + 1, fault))?;
            if keys.insert(version, key).is_some() {
                return Err(broken_line(at + 1, "repeats a version"));
            }
        }
        if keys.is_empty() {
            return Err(Error::invalid(
                FIELD,
                "holds no key; put the copy of the key file back",
            ));
        }
        Ok(Self { keys })
    }

    /// Returns the text of a key file with these keys.
    pub fn to_text(&self) -> Zeroizing<String> {
        // As large as it can get, so that no copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(256 + 80 * self.keys.len()));
        text.push_str(HEADER);
        text.push_str("\n# This file opens the secrets in the database beside it. Without it they are lost.\n");
        text.push_str("# Keep a copy of it, apart from the backups of the database.\n");
        for (version, key) in &self.keys {
            text.push('v');
            text.push_str(&version.to_string());
            text.push(' ');
            STANDARD.encode_string(key.as_slice(), &mut text);
            text.push('\n');
        }
        text
    }

    /// Returns the version and the key that seal: the newest ones.
    pub(crate) fn newest(&self) -> (i64, &[u8; KEY_BYTES]) {
        let (version, key) = self.keys.last_key_value().expect("a ring has a key");
        (*version, key)
    }

    /// Returns the key of `version`, if the ring has it.
    pub(crate) fn get(&self, version: i64) -> Option<&[u8; KEY_BYTES]> {
        self.keys.get(&version).map(|key| &***key)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(***)")
    }
}

/// Reads `v<number> <base64>`; the error is the second half of a sentence.
fn parse_line(line: &str) -> Result<(i64, Key), &'static str> {
    const SHAPE: &str = "is not of the form `v1 <key in base64>`";
    let (version, text) = line.split_once(' ').ok_or(SHAPE)?;
    let digits = version.strip_prefix('v').ok_or(SHAPE)?;
    // `+1` and `01` would be a second way to write version 1.
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) || digits.starts_with('0') {
        return Err("has a version that is not a number from 1 on");
    }
    let version = digits
        .parse::<u32>()
        .map_err(|_| "has a version that is not a number from 1 on")?;
    let mut key = Box::new(Zeroizing::new([0; KEY_BYTES]));
    // The buffer has room for a key that is too long, which is then refused.
    let mut bytes = Zeroizing::new([0; 2 * KEY_BYTES]);
    let length = STANDARD
        .decode_slice(text.trim_start(), bytes.as_mut_slice())
        .map_err(|_| "has a key that is not base64 of 32 bytes")?;
    if length != KEY_BYTES {
        return Err("has a key that is not 32 bytes long");
    }
    key.copy_from_slice(&bytes[..KEY_BYTES]);
    Ok((i64::from(version), key))
}

/// Makes the error about one line.
fn broken_line(number: usize, fault: &str) -> Error {
    Error::invalid(
        FIELD,
        format!("has a fault: line {number} {fault}; put the copy of the key file back"),
    )
}

/// Returns where the key file of `database` is unless a setting says otherwise.
pub fn key_file_beside(database: &Path) -> PathBuf {
    database.with_file_name(KEY_FILE_NAME)
}

/// Makes a key file with one new key at `path`, which must be free.
///
/// It is on disk, with mode 0600, when this returns. A file that is there already
/// is left as it is: it may be the only key of some database.
pub fn create_key_file(path: &Path, random: &Random) -> Result<KeyRing> {
    let ring = KeyRing::generate(random);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(KEY_FILE_MODE);
    let mut file = options.open(path).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            let told = format!(
                "{} is there already; keep it if it belongs to a database, or name another path",
                path.display()
            );
            return Error::conflict(FIELD, told);
        }
        failed("can't be made", path, error)
    })?;
    let written = write_durably(&mut file, path, ring.to_text().as_bytes());
    if let Err(error) = written {
        drop(file);
        // Half a key file would stop the next try; if it can't be removed either,
        // the next try says that it is there.
        let _ = fs::remove_file(path);
        return Err(failed("can't be written", path, error));
    }
    Ok(ring)
}

/// Writes `content` and makes both the file and its name durable.
fn write_durably(file: &mut File, path: &Path, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.sync_all()?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads the key file at `path`; it must be a file that its owner alone may read.
pub fn read_key_file(path: &Path) -> Result<KeyRing> {
    let unreadable = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            let told = format!(
                "{} is missing; put the copy of it back: without it the secrets in the database can't be read",
                path.display()
            );
            return Error::invalid(FIELD, told);
        }
        failed("can't be read", path, error)
    };
    // Asked before opening as well, because opening a pipe waits for its writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(not_a_file(path));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(not_a_file(path));
    }
    if metadata.permissions().mode() & MODE_OF_OTHERS != 0 {
        let told = format!(
            "{0} is open to other users of this machine; run `chmod 600 {0}`",
            path.display()
        );
        return Err(Error::invalid(FIELD, told));
    }
    if metadata.len() > MAX_FILE_BYTES {
        let told = format!(
            "{} is too long for a key file; check the path",
            path.display()
        );
        return Err(Error::invalid(FIELD, told));
    }
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(metadata.len()).unwrap_or(0)]);
    file.read_exact(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Error::invalid(
            FIELD,
            format!("{} is not text; check the path", path.display()),
        )
    })?;
    KeyRing::parse(text)
}

/// Makes the error about a directory, a pipe or a device.
fn not_a_file(path: &Path) -> Error {
    Error::invalid(
        FIELD,
        format!("{} is not a file; check the path", path.display()),
    )
}

/// Makes the error about a failure of the system.
fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let told = format!(
        "the key file {} {what}: {}; check the directory, its owner and the free space",
        path.display(),
        error.kind()
    );
    Error::new(Kind::Unavailable, told).caused_by(error)
}
