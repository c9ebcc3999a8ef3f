//! Git's settings and hooks, which lie beside the repositories.
//!
//! They are written anew where they differ, so a newer binary, or one that moved, needs no
//! step of its own. No repository has settings or hooks that count.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Git;
use crate::domain::{Error, Result};

/// The largest push, in bytes as it is sent: an attachment may be as large, and the source
/// of a component is far smaller.
pub(super) const PUSH_MAX_BYTES: u64 = 100 * 1024 * 1024;

/// The hooks that git calls.
pub(super) const HOOKS: [&str; 2] = ["pre-receive", "post-receive"];

/// Git's settings for every repository.
///
/// Objects are checked as they come. The two ignored checks are faults of old tools that
/// harm nobody and that public repositories have. Git fetches from nowhere: what it may
/// speak to others is nothing.
const SETTINGS: &str = "\
[core]
\tsymlinks = false
[gc]
\tautoDetach = false
[http]
\treceivepack = true
\tuploadpack = true
\tgetanyfile = false
[init]
\tdefaultBranch = master
[protocol]
\tallow = never
[receive]
\tadvertisePushOptions = true
\tfsckObjects = true
\tshallowUpdate = false
[receive \"fsck\"]
\tbadTimezone = ignore
\tzeroPaddedFilemode = ignore
[submodule]
\trecurse = false
[transfer]
\tfsckObjects = true
[uploadpack]
\tallowFilter = true
";

impl Git {
    /// Returns the file of git's settings.
    pub(super) fn settings_path(&self) -> PathBuf {
        self.app.repositories_path().join("config")
    }

    /// Writes the settings and the hooks where they are missing or others.
    pub(super) fn prepare(&self) -> Result<()> {
        self.write_files().map_err(|error| {
            let folder = self.app.repositories_path().display();
            Error::unavailable(format!("can't write to {folder}"), 60).caused_by(error)
        })
    }

    fn write_files(&self) -> io::Result<()> {
        let hooks = self.app.repositories_path().join("hooks");
        for folder in [&hooks, self.app.builds_path()] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let mut settings = SETTINGS.as_bytes().to_vec();
        settings.extend_from_slice(b"[core]\n\thooksPath = ");
        settings.extend(setting(hooks.as_os_str())?);
        let limit = format!("\n[receive]\n\tmaxInputSize = {PUSH_MAX_BYTES}\n");
        settings.extend_from_slice(limit.as_bytes());
        write_where_other(&self.settings_path(), &settings, 0o600)?;
        for hook in HOOKS {
            let mut script = b"#!/bin/sh\nexec".to_vec();
            for word in self.own_command(&["git", "hook", hook]) {
                script.push(b' ');
                script.extend(quoted(&word));
            }
            script.push(b'\n');
            write_where_other(&hooks.join(hook), &script, 0o700)?;
        }
        Ok(())
    }

    /// Returns the words of a command of this program over this installation.
    pub(super) fn own_command(&self, words: &[&str]) -> Vec<std::ffi::OsString> {
        let mut command = vec![self.options.program.clone().into_os_string()];
        command.extend(words.iter().map(std::ffi::OsString::from));
        command.extend(self.options.flags.iter().cloned());
        command
    }
}

/// Writes a word so that a shell takes it as it is.
pub(super) fn quoted(word: &OsStr) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in word.as_bytes() {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            other => text.push(*other),
        }
    }
    text.push(b'\'');
    text
}

/// Writes a value as git's settings have it.
fn setting(value: &OsStr) -> io::Result<Vec<u8>> {
    let mut text = vec![b'"'];
    for byte in value.as_bytes() {
        match byte {
            b'\n' | 0 => return Err(io::ErrorKind::InvalidInput.into()),
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            other => text.push(*other),
        }
    }
    text.push(b'"');
    Ok(text)
}

/// Writes a file, by a rename, where it has other bytes or is missing.
pub(super) fn write_where_other(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    // Several processes may do this at once, each under a name of its own.
    let mut growing = path.as_os_str().to_owned().into_vec();
    growing.extend_from_slice(format!(".{}", std::process::id()).as_bytes());
    let growing = PathBuf::from(std::ffi::OsString::from_vec(growing));
    let _ = fs::remove_file(&growing);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&growing)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&growing, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_is_one_word() {
        let of = |text: &str| String::from_utf8(quoted(OsStr::new(text))).unwrap();
        assert_eq!(of("/a b/$c"), "'/a b/$c'");
        assert_eq!(of("it's"), r"'it'\''s'");
        assert_eq!(of(""), "''");
    }

    #[test]
    fn a_value_of_the_settings_can_not_end_early() {
        let of = |text: &str| setting(OsStr::new(text)).map(|it| String::from_utf8(it).unwrap());
        assert_eq!(of("/a\"b\\").unwrap(), r#""/a\"b\\""#);
        assert!(of("a\nb").is_err());
    }
}
