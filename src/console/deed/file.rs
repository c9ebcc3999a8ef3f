//! Files that the console writes: into the folder that it was started in, new ones alone,
//! for nobody else to read.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::domain::{Error, Result};

/// The files of one name beside each other.
const FILES_MAX: u32 = 100;

/// The longest name that is made of a title.
const NAME_MAX_CHARS: usize = 60;

/// Writes a new file `name.ending`, with a number where there is one; returns its path.
pub(super) fn write_new(name: &str, ending: &str, content: &[u8]) -> Result<PathBuf> {
    let written = try_new(name, ending, content);
    written.map_err(|error| Error::conflict("file", format!("can't be written: {error}")))
}

/// Writes it, or says what the system has against it.
fn try_new(name: &str, ending: &str, content: &[u8]) -> io::Result<PathBuf> {
    let folder = std::env::current_dir()?;
    for number in 1..=FILES_MAX {
        let more = if number == 1 {
            String::new()
        } else {
            format!("-{number}")
        };
        let path = folder.join(format!("{name}{more}.{ending}"));
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(mut file) => {
                file.write_all(content)?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are a hundred such files already"))
}

/// Makes the name of a file of what it holds, such as `elastane-the-value`.
pub(super) fn name_of(what: &str) -> String {
    let words: String = what
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(NAME_MAX_CHARS)
        .collect();
    format!("elastane-{}", words.trim_matches('-'))
}
